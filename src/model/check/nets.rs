//! `net G(φ): 16 -> dense 64 relu -> dense 64 sigmoid`

use super::meaning::{Meaning, Scope};
use super::names::suggest;
use super::{Checker, shape_words};
use crate::diag::{Code, Diag, closest};
use crate::model::ir::{Activation, Entry, EntryInit, LayerKind, Net, NetId, NetLayer};
use crate::syntax::ast::{self, Ident, Layer, NetInput};
use crate::tape::Shape;

/// Layers that parse and are not executed yet.
const LATER: &[&str] =
    &["conv", "conv_transpose", "pool", "flatten", "reshape", "dropout", "residual", "layer_norm", "batch_norm"];

/// Activations by name, each with its parameter where it has one.
const ACTIVATIONS: &[(&str, Activation, Option<f64>)] = &[
    ("relu", Activation::Relu, None),
    ("leaky_relu", Activation::LeakyRelu, Some(0.01)),
    ("tanh", Activation::Tanh, None),
    ("sigmoid", Activation::Sigmoid, None),
    ("softplus", Activation::Softplus, None),
    ("elu", Activation::Elu, Some(1.0)),
    ("selu", Activation::Selu, None),
    ("gelu", Activation::Gelu, None),
    ("silu", Activation::Silu, None),
    ("sine", Activation::Sine, None),
    ("sin", Activation::Sine, None),
    ("softmax", Activation::Softmax, None),
];

impl<'a> Checker<'a> {
    pub(super) fn net(
        &mut self,
        ident: &'a Ident,
        input: &'a NetInput,
        layers: &'a [Layer],
        scope: &Scope,
    ) -> Option<Meaning> {
        let width = match input {
            NetInput::Width(width) => self.width(width, scope),
            NetInput::Image(_, span) => self.fail(
                Diag::new(Code::NotYet, *span, "networks of images parse but are not executed yet")
                    .help("a flat input of that many numbers is, with `dense` layers"),
            ),
        };
        let mut net = Net {
            name: ident.text.clone(),
            span: ident.span,
            input: Shape::vector(width.unwrap_or(1)),
            output: Shape::scalar(),
            layers: Vec::new(),
            entries: Vec::new(),
            numel: 0,
        };
        let mut last = width;
        for layer in layers {
            // Every layer is looked at, so that each may be found wrong.
            last = self.net_layer(&mut net, layer, last, scope);
        }
        last?;
        let layer = net.layers.last()?;
        net.output = if layer.output == Shape::vector(1) { Shape::scalar() } else { layer.output.clone() };
        let id = NetId(self.model.nets.len() as u32);
        self.model.nets.push(net);
        Some(Meaning::Net(id))
    }

    fn width(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<usize> {
        /// A wider layer is taken for a slip.
        const MOST: f64 = 1e6;
        let value = self.known_number(ast, scope)?;
        if value.fract() == 0.0 && (1.0..=MOST).contains(&value) {
            return Some(value as usize);
        }
        let text = self.text(ast.span);
        self.fail(
            Diag::new(Code::NetworkWidth, ast.span, format!("`{text}` is no width of a layer"))
                .help(format!("a width is a whole number from 1 to {MOST}")),
        )
    }

    /// One stage, on an input of width `inputs`; gives the width of its result.
    fn net_layer(&mut self, net: &mut Net, layer: &'a Layer, inputs: Option<usize>, scope: &Scope) -> Option<usize> {
        let activations: Vec<Option<(Activation, f64)>> =
            layer.activations.iter().map(|activation| self.activation(activation, scope)).collect();
        let name = layer.name.key.as_str();
        if let Some(&(_, activation, default)) = ACTIVATIONS.iter().find(|(known, ..)| *known == name) {
            // `-> relu` by itself acts on the layer before.
            let parameter = match &layer.size {
                Some(size) => self.known_number(size, scope)?,
                None => default.unwrap_or(0.0),
            };
            let Some(before) = net.layers.last_mut() else {
                return self.fail(Diag::new(
                    Code::NetworkWidth,
                    layer.span,
                    "an activation stands before the first layer",
                ));
            };
            before.activations.push((activation, parameter));
            before.activations.extend(activations.into_iter().collect::<Option<Vec<_>>>()?);
            return inputs;
        }
        if LATER.contains(&name) {
            return self.fail(
                Diag::new(Code::NotYet, layer.name.span, format!("`{name}` layers parse but are not executed yet"))
                    .help("`dense` layers with activations are"),
            );
        }
        if name != "dense" {
            let names = LATER.iter().copied().chain(["dense"]).chain(ACTIVATIONS.iter().map(|&(name, ..)| name));
            let near = closest(&layer.name.text, names).map(str::to_owned);
            let diag =
                Diag::new(Code::UnknownName, layer.name.span, format!("there is no layer `{}`", layer.name.text));
            return self.fail(suggest(diag, layer.name.span, near, "a layer is written `dense 64 relu`"));
        }
        let Some(size) = &layer.size else {
            return self.fail(
                Diag::new(Code::NetworkWidth, layer.span, "this layer has no width")
                    .help("write how many numbers it gives: `dense 64 relu`"),
            );
        };
        let outputs = self.width(size, scope);
        let init = self.layer_options(layer, scope);
        let (inputs, outputs) = (inputs?, outputs?);
        let activations: Vec<(Activation, f64)> = activations.into_iter().collect::<Option<_>>()?;
        let init = match init? {
            Initialiser::Standard => standard(&activations),
            given => given,
        };
        let number = net.layers.len() + 1;
        let weight = net.entries.len();
        for (name, shape, init) in [
            ("weight", Shape::matrix(outputs, inputs), init.entry(inputs, outputs)),
            ("bias", Shape::vector(outputs), EntryInit::Zeros),
        ] {
            let (layer, name, numel) = (format!("layer{number}"), name.to_owned(), shape.numel());
            net.entries.push(Entry { layer, name, shape, offset: net.numel, init });
            net.numel += numel;
        }
        net.layers.push(NetLayer {
            kind: LayerKind::Dense { weight, bias: weight + 1 },
            activations,
            span: layer.span,
            output: Shape::vector(outputs),
        });
        Some(outputs)
    }

    /// `relu`, `leaky_relu(0.2)`
    fn activation(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<(Activation, f64)> {
        let (name, args) = match &ast.bare().kind {
            ast::ExprKind::Name(name) => (name, &[][..]),
            ast::ExprKind::Call { callee, args, .. } => (callee, args.as_slice()),
            _ => {
                let text = self.text(ast.span);
                return self.fail(Diag::new(Code::WrongKind, ast.span, format!("`{text}` is no activation")));
            }
        };
        let Some(&(_, activation, default)) = ACTIVATIONS.iter().find(|(known, ..)| *known == name.key) else {
            let near = closest(&name.text, ACTIVATIONS.iter().map(|&(name, ..)| name)).map(str::to_owned);
            let diag = Diag::new(Code::UnknownName, name.span, format!("there is no activation `{}`", name.text));
            let names: Vec<String> = ACTIVATIONS.iter().map(|&(name, ..)| name.to_owned()).collect();
            let help = format!("there are {}", super::index::listed(&names));
            return self.fail(suggest(diag, name.span, near, &help));
        };
        let parameter = match (args, default) {
            ([], default) => default.unwrap_or(0.0),
            ([arg], Some(_)) => self.known_number(&arg.value, scope)?,
            (_, default) => {
                let takes = if default.is_some() { "one number" } else { "no argument" };
                let text = format!("`{}` takes {takes}, not {}", name.text, args.len());
                return self
                    .fail(Diag::new(Code::WrongArguments, ast.span, text).help("as in `relu` and `leaky_relu(0.2)`"));
            }
        };
        Some((activation, parameter))
    }

    /// `init he`, `init normal(0.02)`
    fn layer_options(&mut self, layer: &'a Layer, scope: &Scope) -> Option<Initialiser> {
        let mut init = Initialiser::Standard;
        for (option, value) in &layer.options {
            if option.key != "init" {
                return self.fail(
                    Diag::new(Code::WrongArguments, option.span, format!("a `dense` layer has no `{}`", option.text))
                        .help("its only option is `init`: `dense 64 relu init he`"),
                );
            }
            let (name, args) = match &value.bare().kind {
                ast::ExprKind::Name(name) => (name.key.as_str(), &[][..]),
                ast::ExprKind::Call { callee, args, .. } => (callee.key.as_str(), args.as_slice()),
                _ => ("", &[][..]),
            };
            init = match (name, args) {
                ("glorot" | "xavier", []) => Initialiser::Glorot,
                ("he" | "kaiming", []) => Initialiser::He { slope: 0.0 },
                ("zeros", []) => Initialiser::Normal(0.0),
                ("normal", [arg]) => Initialiser::Normal(self.known_number(&arg.value, scope)?),
                ("uniform", [arg]) => Initialiser::Uniform(self.known_number(&arg.value, scope)?),
                _ => {
                    let (text, what) = (self.text(value.span), shape_words(&Shape::scalar()));
                    return self.fail(
                        Diag::new(Code::WrongArguments, value.span, format!("`{text}` is no initialiser")).help(format!(
                            "there are `glorot`, `he`, `zeros`, `normal(s)` and `uniform(bound)`, with {what} in parentheses"
                        )),
                    );
                }
            };
        }
        Some(init)
    }
}

/// How weights start.
#[derive(Debug, Clone, Copy)]
enum Initialiser {
    /// By the activation behind them.
    Standard,
    /// Uniform on ±√(6/(in + out)) (Glorot & Bengio 2010).
    Glorot,
    /// Normal of variance 2/((1 + slope²)·in) (He, Zhang, Ren, Sun 2015).
    He {
        slope: f64,
    },
    Normal(f64),
    Uniform(f64),
}

impl Initialiser {
    fn entry(self, inputs: usize, outputs: usize) -> EntryInit {
        let (inputs, outputs) = (inputs as f64, outputs as f64);
        match self {
            Initialiser::Standard | Initialiser::Glorot => EntryInit::Uniform((6.0 / (inputs + outputs)).sqrt()),
            Initialiser::He { slope } => EntryInit::Normal((2.0 / ((1.0 + slope * slope) * inputs)).sqrt()),
            Initialiser::Normal(scale) => EntryInit::Normal(scale),
            Initialiser::Uniform(bound) => EntryInit::Uniform(bound),
        }
    }
}

/// He's where negative numbers are cut off, Glorot's elsewhere.
fn standard(activations: &[(Activation, f64)]) -> Initialiser {
    match activations.first() {
        Some((Activation::Relu | Activation::Elu | Activation::Gelu | Activation::Silu, _)) => {
            Initialiser::He { slope: 0.0 }
        }
        Some(&(Activation::LeakyRelu, slope)) => Initialiser::He { slope },
        _ => Initialiser::Glorot,
    }
}
