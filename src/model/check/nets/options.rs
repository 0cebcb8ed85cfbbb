//! What a layer takes beside its activations: a size, and options by name.

use super::init::Initialiser;
use super::{LAYERS, Stage};
use crate::diag::{Code, Diag};
use crate::model::check::Checker;
use crate::model::check::index::listed;
use crate::model::check::meaning::Scope;
use crate::syntax::ast::{self, Ident, Layer};

/// The options of a layer.
fn options(layer: &str) -> &'static [&'static str] {
    match layer {
        "dense" => &["init", "bias"],
        "conv" | "conv_transpose" => &["kernel", "stride", "padding", "dilation", "groups", "init", "bias"],
        "pool" => &["stride", "padding"],
        "layer_norm" => &["bias"],
        _ => &[],
    }
}

/// What the size of a layer is, for those that have one.
fn size(layer: &str) -> Option<&'static str> {
    match layer {
        "dense" => Some("width"),
        "conv" | "conv_transpose" => Some("number of channels"),
        "pool" => Some("size"),
        "reshape" => Some("shape"),
        "dropout" => Some("rate"),
        _ => None,
    }
}

impl<'a> Checker<'a> {
    /// Whether a layer has the options that are written, each once.
    pub(super) fn takes_options(&mut self, layer: &'a Layer) -> Option<()> {
        let known = options(&layer.name.key);
        let mut sound = Some(());
        for (at, (option, _)) in layer.options.iter().enumerate() {
            if layer.options[..at].iter().any(|(other, _)| other.key == option.key) {
                let message = format!("`{}` is given twice", option.text);
                sound =
                    self.fail(Diag::new(Code::WrongArguments, option.span, message).help("one of them is too many"));
                continue;
            }
            if known.contains(&option.key.as_str()) {
                continue;
            }
            let names: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
            let help = match known {
                [] => "it takes none".to_owned(),
                _ => format!("its options are {}", listed(&names)),
            };
            let message = format!("a `{}` layer has no `{}`", layer.name.text, option.text);
            sound = self.fail(Diag::new(Code::WrongArguments, option.span, message).help(help));
        }
        sound
    }

    /// The size of a layer: there where it needs one, not there where it has none.
    pub(super) fn takes_size(&mut self, layer: &'a Layer) -> Option<Option<&'a ast::Expr>> {
        let written = LAYERS.iter().find(|(name, _)| *name == layer.name.key).map_or("", |(_, written)| written);
        match (size(&layer.name.key), &layer.size) {
            (Some(_), Some(size)) => Some(Some(size)),
            (None, None) => Some(None),
            (Some(what), None) => self.fail(
                Diag::new(Code::NetworkWidth, layer.span, format!("this layer has no {what}"))
                    .help(format!("it is written `{written}`")),
            ),
            (None, Some(size)) => self.fail(
                Diag::new(Code::NetworkWidth, size.span, format!("a `{}` layer takes no number", layer.name.text))
                    .help(format!("it is written `{written}`")),
            ),
        }
    }

    /// Whether what stands in a layer's own text is sound, whatever comes in: each of its numbers is looked
    /// at, so that each may be found wrong.
    pub(super) fn own_text(&mut self, layer: &'a Layer, scope: &Scope) -> Option<()> {
        self.takes_options(layer)?;
        let mut sound = match self.takes_size(layer)? {
            Some(size) => self.own_size(layer, size, scope),
            None => Some(()),
        };
        let name = layer.name.text.as_str();
        if matches!(name, "conv" | "conv_transpose") && option(layer, "kernel").is_none() {
            sound = self.fail(
                Diag::new(Code::NetworkWidth, layer.span, "this layer has no kernel")
                    .help(format!("write how wide it is: `{name} 16 kernel 3`")),
            );
        }
        for (option, value) in &layer.options {
            let read = match option.key.as_str() {
                "init" => self.initialiser(value, scope).map(drop),
                "bias" => self.bias(layer).map(drop),
                "groups" => self.count(value, scope, 1, "groups").map(drop),
                "padding" => self.pair(value, scope, 0, [&option.text, &option.text]).map(drop),
                _ => self.pair(value, scope, 1, [&option.text, &option.text]).map(drop),
            };
            sound = sound.and(read);
        }
        sound
    }

    /// Whether the size of a layer is one.
    fn own_size(&mut self, layer: &'a Layer, size: &'a ast::Expr, scope: &Scope) -> Option<()> {
        match layer.name.key.as_str() {
            "dense" => self.width(size, scope, "width of a layer").map(drop),
            "conv" | "conv_transpose" => self.width(size, scope, "number of channels").map(drop),
            "pool" => self.pool_size(size, scope).map(drop),
            "reshape" => self.new_shape(size, scope).map(drop),
            "dropout" => self.rate(size, scope).map(drop),
            name => unreachable!("`{name}` has no size"),
        }
    }

    /// How much a pool takes together.
    pub(super) fn pool_size(&mut self, size: &'a ast::Expr, scope: &Scope) -> Option<[usize; 2]> {
        self.pair(size, scope, 1, ["size of a window", "pool"])
    }

    /// The initialiser of a layer.
    pub(super) fn init_of(&mut self, stage: &Stage<'a>, scope: &Scope) -> Option<Initialiser> {
        match option(stage.layer, "init") {
            Some((_, value)) => self.initialiser(value, scope),
            None => Some(Initialiser::Standard),
        }
    }

    /// Whether a layer has a bias: `bias none` takes it away.
    pub(super) fn bias(&mut self, layer: &'a Layer) -> Option<bool> {
        let Some((name, value)) = option(layer, "bias") else { return Some(true) };
        if matches!(&value.bare().kind, ast::ExprKind::Name(none) if none.key == "none") {
            return Some(false);
        }
        let text = self.text(value.span);
        self.fail(
            Diag::new(Code::WrongArguments, name.span.to(value.span), format!("`{text}` is no bias"))
                .help("a layer has one, unless `bias none` is written"),
        )
    }

    /// An option along rows and columns: a number for both, or `[3, 5]`; the default where it is not
    /// written.
    pub(super) fn pair_option(
        &mut self,
        layer: &'a Layer,
        name: &str,
        default: [usize; 2],
        scope: &Scope,
    ) -> Option<[usize; 2]> {
        match option(layer, name) {
            Some((name, value)) => {
                self.pair(value, scope, usize::from(name.key != "padding"), [&name.text, &name.text])
            }
            None => Some(default),
        }
    }

    /// A number for rows and columns, or one for each: what it is, and the word that it stands behind.
    pub(super) fn pair(
        &mut self,
        value: &'a ast::Expr,
        scope: &Scope,
        least: usize,
        [what, word]: [&str; 2],
    ) -> Option<[usize; 2]> {
        /// A wider window is taken for a slip.
        const MOST: f64 = 1e4;
        let known = self.known(value, scope)?;
        let numbers = known.to_f64();
        let sound = known.shape.rank() < 2
            && (1..=2).contains(&numbers.len())
            && numbers.iter().all(|x| x.fract() == 0.0 && (least as f64..=MOST).contains(x));
        if sound {
            return Some([numbers[0] as usize, numbers[numbers.len() - 1] as usize]);
        }
        let text = self.text(value.span);
        self.fail(Diag::new(Code::NetworkWidth, value.span, format!("`{text}` is no {what}")).help(format!(
            "it is a whole number from {least} to {MOST}, or one for rows and one for columns: `{word} [3, 5]`"
        )))
    }

    /// An option that counts; 1 where it is not written.
    pub(super) fn count_option(&mut self, layer: &'a Layer, name: &str, scope: &Scope) -> Option<usize> {
        match option(layer, name) {
            Some((_, value)) => self.count(value, scope, 1, name),
            None => Some(1),
        }
    }
}

/// The option of that name.
pub(super) fn option<'a>(layer: &'a Layer, name: &str) -> Option<(&'a Ident, &'a ast::Expr)> {
    layer.options.iter().find(|(option, _)| option.key == name).map(|(option, value)| (option, value))
}
