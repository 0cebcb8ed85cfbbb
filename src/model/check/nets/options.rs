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
                Diag::new(Code::NetworkWidth, size.span, format!("a `{}` layer has no size", layer.name.text))
                    .help(format!("it is written `{written}`")),
            ),
        }
    }

    /// Looks at a layer's numbers where what comes in is not known.
    pub(super) fn options_read(&mut self, layer: &'a Layer, size: Option<&'a ast::Expr>, scope: &Scope) {
        if let Some(size) = size {
            match layer.name.key.as_str() {
                "dense" => drop(self.width(size, scope, "width of a layer")),
                "conv" | "conv_transpose" => drop(self.width(size, scope, "number of channels")),
                _ => {}
            }
        }
        for (option, value) in &layer.options {
            match option.key.as_str() {
                "init" => drop(self.initialiser(value, scope)),
                "bias" => drop(self.bias(layer)),
                "groups" => drop(self.count(value, scope, 1, "groups")),
                "padding" => drop(self.pair(value, scope, 0, &option.text)),
                _ => drop(self.pair(value, scope, 1, &option.text)),
            }
        }
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
            Some((name, value)) => self.pair(value, scope, usize::from(name.key != "padding"), &name.text),
            None => Some(default),
        }
    }

    /// A number for rows and columns, or one for each.
    pub(super) fn pair(&mut self, value: &'a ast::Expr, scope: &Scope, least: usize, what: &str) -> Option<[usize; 2]> {
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
            "it is a whole number from {least} on, or one for rows and one for columns: `{what} [3, 5]`"
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
