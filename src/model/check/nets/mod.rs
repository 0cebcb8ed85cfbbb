//! `net G(φ): 16 -> dense 64 relu -> dense 64 sigmoid`: the chain of shapes, layer by layer, and the
//! places of the parameters.
//!
//! To add a layer: its line in [`LAYERS`] and in [`Checker::stage`], a kind in the model, and what it
//! computes in `model/network.rs`.

mod dense;
mod image;
mod init;
mod options;
mod plain;

use super::Checker;
use super::meaning::{Meaning, Scope};
use super::names::suggest;
use crate::catalogue::Signature;
use crate::diag::{Code, Diag, closest};
use crate::model::ir::{Activation, Entry, EntryInit, LayerKind, Net, NetId, NetLayer};
use crate::source::Span;
use crate::syntax::ast::{self, Applied, Ident, Layer, NetInput};
use crate::tape::Shape;

/// Layers by name, each with the way it is written.
const LAYERS: &[(&str, &str)] = &[
    ("dense", "dense 64 relu"),
    ("conv", "conv 16 kernel 3 relu"),
    ("conv_transpose", "conv_transpose 16 kernel 4 stride 2 relu"),
    ("pool", "pool 2"),
    ("flatten", "flatten"),
    ("reshape", "reshape [1, 8, 8]"),
    ("dropout", "dropout 0.5"),
    ("layer_norm", "layer_norm"),
    ("residual", "residual (dense 16 relu -> dense 16)"),
];

/// Layers that parse and are not executed yet.
const LATER: &[&str] = &["batch_norm"];

/// Activations, as they are written.
const ACTIVATIONS: &[(Signature, Activation)] = &[
    (Signature("relu"), Activation::Relu),
    (Signature("leaky_relu(slope = 0.01)"), Activation::LeakyRelu),
    (Signature("tanh"), Activation::Tanh),
    (Signature("sigmoid"), Activation::Sigmoid),
    (Signature("softplus"), Activation::Softplus),
    (Signature("elu(a = 1)"), Activation::Elu),
    (Signature("selu"), Activation::Selu),
    (Signature("gelu"), Activation::Gelu),
    (Signature("silu"), Activation::Silu),
    (Signature("sine"), Activation::Sine),
    (Signature("sin"), Activation::Sine),
    (Signature("softmax"), Activation::Softmax),
    (Signature("log_softmax"), Activation::LogSoftmax),
];

/// The activation that does nothing.
const IDENTITY: &str = "identity";

/// What goes into a layer, and the place that gave it its shape.
#[derive(Debug, Clone)]
struct Flow {
    shape: Shape,
    from: Span,
}

/// A chain of layers under way: the network's, or that inside a `residual`.
struct Chain {
    layers: Vec<NetLayer>,
    entries: Vec<Entry>,
    /// Length of the flat vector so far.
    numel: usize,
    /// What stands before `layer1` in the names of its parameters.
    prefix: String,
}

impl Chain {
    /// A parameter of the layer that comes next.
    fn entry(&mut self, name: &str, shape: Shape, init: EntryInit) -> usize {
        let layer = format!("{}layer{}", self.prefix, self.layers.len() + 1);
        let numel = shape.numel();
        self.entries.push(Entry { layer, name: name.to_owned(), shape, offset: self.numel, init });
        self.numel += numel;
        self.entries.len() - 1
    }
}

/// A layer as it is checked: its text, what goes in, its activations.
struct Stage<'a> {
    layer: &'a Layer,
    input: Flow,
    activations: Vec<(Activation, f64)>,
}

impl<'a> Checker<'a> {
    pub(super) fn net(
        &mut self,
        ident: &'a Ident,
        input: &'a NetInput,
        layers: &'a [Layer],
        scope: &Scope,
    ) -> Option<Meaning> {
        let (shape, from) = match input {
            NetInput::Width(width) => (self.width(width, scope, "width of an input").map(Shape::vector), width.span),
            NetInput::Image(extents, span) => (self.image(extents, *span, scope), *span),
        };
        let mut chain = Chain { layers: Vec::new(), entries: Vec::new(), numel: 0, prefix: String::new() };
        let flow = shape.clone().map(|shape| Flow { shape, from });
        let last = self.chain(&mut chain, layers, flow, scope);
        let (input, last) = (shape?, last?.shape);
        let output = if last == Shape::vector(1) { Shape::scalar() } else { last };
        let Chain { layers, entries, numel, .. } = chain;
        self.model.nets.push(Net { name: ident.text.clone(), span: ident.span, input, output, layers, entries, numel });
        Some(Meaning::Net(NetId(self.model.nets.len() as u32 - 1)))
    }

    /// All layers of a chain: every one is looked at, so that each may be found wrong.
    fn chain(&mut self, chain: &mut Chain, layers: &'a [Layer], mut flow: Option<Flow>, scope: &Scope) -> Option<Flow> {
        for layer in layers {
            flow = self.layer_of(chain, layer, flow, scope);
        }
        flow
    }

    /// One layer; gives what comes out of it.
    fn layer_of(&mut self, chain: &mut Chain, layer: &'a Layer, input: Option<Flow>, scope: &Scope) -> Option<Flow> {
        let name = layer.name.key.as_str();
        // How a pool combines stands where activations stand.
        let plain = |word: &&ast::Expr| !(is_word(word, IDENTITY) || name == "pool" && image::is_pooling(word));
        let words = layer.activations.iter().filter(plain);
        let activations: Vec<Option<(Activation, f64)>> = words.map(|word| self.activation(word, scope)).collect();
        if name == IDENTITY && layer.size.is_none() {
            return self.lone_activation(chain, layer, input, activations.into_iter().collect::<Option<_>>()?);
        }
        if let Some((signature, activation)) = activation_named(name) {
            self.takes_options(layer)?;
            let parameter = match &layer.size {
                Some(size) if signature.parameters().is_empty() => {
                    let text = format!("`{name}` takes no number");
                    return self.fail(Diag::new(Code::WrongArguments, size.span, text).help("it is written by itself"));
                }
                Some(size) => self.known_number(size, scope)?,
                None => default(signature),
            };
            let all = [Some((activation, parameter))].into_iter().chain(activations);
            return self.lone_activation(chain, layer, input, all.collect::<Option<_>>()?);
        }
        if LATER.contains(&name) {
            return self.fail(
                Diag::new(Code::NotYet, layer.name.span, format!("`{name}` layers parse but are not executed yet"))
                    .help("`layer_norm` is"),
            );
        }
        if !LAYERS.iter().any(|(known, _)| *known == name) {
            let known = LAYERS.iter().map(|(name, _)| *name).chain(LATER.iter().copied());
            let names = known.chain(ACTIVATIONS.iter().map(|(signature, _)| signature.name()));
            let near = closest(&layer.name.text, names).map(str::to_owned);
            let diag =
                Diag::new(Code::UnknownName, layer.name.span, format!("there is no layer `{}`", layer.name.text));
            return self.fail(suggest(diag, layer.name.span, near, "a layer is written `dense 64 relu`"));
        }
        // What is wrong in the layer's own text is found first, and even where what comes in is not known.
        let own = self.own_text(layer, scope);
        let Some(input) = input.filter(|_| own.is_some()) else {
            // The layers inside stand in its text too.
            let mut inner = Chain { layers: Vec::new(), entries: Vec::new(), numel: 0, prefix: name.to_owned() };
            self.chain(&mut inner, &layer.inner, None, scope);
            return None;
        };
        let activations: Vec<(Activation, f64)> = activations.into_iter().collect::<Option<_>>()?;
        let stage = Stage { layer, input, activations };
        let (kind, output) = self.stage(chain, &stage, scope)?;
        let (activations, span) = (stage.activations, layer.span);
        self.acts_on(&activations, &output, span)?;
        chain.layers.push(NetLayer { kind, activations, span, output: output.clone() });
        Some(Flow { shape: output, from: span })
    }

    /// What a layer computes, and the shape of it.
    fn stage(&mut self, chain: &mut Chain, stage: &Stage<'a>, scope: &Scope) -> Option<(LayerKind, Shape)> {
        match stage.layer.name.key.as_str() {
            "dense" => self.dense(chain, stage, scope),
            "conv" => self.conv(chain, stage, scope),
            "conv_transpose" => self.conv_transpose(chain, stage, scope),
            "pool" => self.pool(stage, scope),
            "flatten" => Some((LayerKind::Reshape, Shape::vector(stage.input.shape.numel()))),
            "reshape" => self.reshaped(stage, scope),
            "dropout" => self.dropout(stage, scope),
            "layer_norm" => self.layer_norm(chain, stage, scope),
            "residual" => self.residual(chain, stage, scope),
            name => unreachable!("`{name}` is in the table of layers"),
        }
    }

    /// `-> relu` by itself acts on the layer before; a `residual` may begin with one.
    fn lone_activation(
        &mut self,
        chain: &mut Chain,
        layer: &'a Layer,
        input: Option<Flow>,
        activations: Vec<(Activation, f64)>,
    ) -> Option<Flow> {
        if let Some(flow) = &input {
            self.acts_on(&activations, &flow.shape, layer.span)?;
        }
        if let Some(before) = chain.layers.last_mut() {
            before.activations.extend(activations);
            return input;
        }
        if chain.prefix.is_empty() {
            return self.fail(
                Diag::new(Code::NetworkWidth, layer.span, "an activation stands before the first layer")
                    .help("a network begins with a layer that it acts on: `dense 64 relu`"),
            );
        }
        let flow = input?;
        let (kind, span, output) = (LayerKind::Reshape, layer.span, flow.shape.clone());
        chain.layers.push(NetLayer { kind, activations, span, output });
        Some(flow)
    }

    /// A softmax runs along a vector; of an image it would be one of each row of pixels.
    fn acts_on(&mut self, activations: &[(Activation, f64)], shape: &Shape, span: Span) -> Option<()> {
        let along = |&&(activation, _): &&(Activation, f64)| {
            shape.rank() > 1 && matches!(activation, Activation::Softmax | Activation::LogSoftmax)
        };
        let Some(&(activation, _)) = activations.iter().find(along) else { return Some(()) };
        let name = activation.function().signature().name();
        self.fail(
            Diag::new(Code::NetworkWidth, span, format!("`{name}` takes a vector, and here stands {}", words(shape)))
                .help("`-> flatten` makes a vector of an image"),
        )
    }

    /// `image[1, 28, 28]`
    fn image(&mut self, extents: &'a [ast::Expr], span: Span, scope: &Scope) -> Option<Shape> {
        let [channels, height, width] = extents else {
            return self.fail(
                Diag::new(Code::NetworkWidth, span, format!("an image has three extents, not {}", extents.len()))
                    .help("they are its channels, its height and its width: `image[1, 28, 28]`"),
            );
        };
        let sides = [(channels, "number of channels"), (height, "height"), (width, "width")];
        let sides = sides.map(|(side, what)| self.width(side, scope, what));
        let shape = Shape(sides.into_iter().collect::<Option<_>>()?);
        self.fits(&shape, span)?;
        Some(shape)
    }

    /// A whole number that a shape is made of.
    fn width(&mut self, ast: &'a ast::Expr, scope: &Scope, what: &str) -> Option<usize> {
        /// More is taken for a slip.
        const MOST: f64 = 1e6;
        let value = self.known_number(ast, scope)?;
        if value.fract() == 0.0 && (1.0..=MOST).contains(&value) {
            return Some(value as usize);
        }
        let text = self.text(ast.span);
        self.fail(
            Diag::new(Code::NetworkWidth, ast.span, format!("`{text}` is no {what}"))
                .help(format!("it is a whole number from 1 to {MOST}")),
        )
    }

    /// A layer that what comes before does not fit: both are named.
    fn misfit<T>(&mut self, stage: &Stage<'a>, takes: &str, help: &str) -> Option<T> {
        let (name, gives) = (&stage.layer.name.text, words(&stage.input.shape));
        self.fail(
            Diag::new(
                Code::NetworkWidth,
                stage.layer.span,
                format!("`{name}` takes {takes}; what comes before gives {gives}"),
            )
            .label(stage.input.from, gives)
            .help(help),
        )
    }

    /// `relu`, `leaky_relu(0.2)`
    fn activation(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<(Activation, f64)> {
        let Some(Applied { name, args, params }) = ast.applied() else {
            let text = self.text(ast.span);
            return self.fail(Diag::new(Code::WrongKind, ast.span, format!("`{text}` is no activation")));
        };
        let Some((signature, activation)) = activation_named(&name.key) else {
            let known = ACTIVATIONS.iter().map(|(signature, _)| signature.name());
            let near = closest(&name.text, known.clone()).map(str::to_owned);
            let diag = Diag::new(Code::UnknownName, name.span, format!("there is no activation `{}`", name.text));
            let names: Vec<String> = known.map(str::to_owned).collect();
            let help = format!("there are {}", super::index::listed(&names));
            return self.fail(suggest(diag, name.span, near, &help));
        };
        self.no_parameters(name, params)?;
        let slots = self.arranged(name, signature, args)?;
        let parameter = match slots.first() {
            Some(Some(arg)) => self.known_number(&arg.value, scope)?,
            _ => default(signature),
        };
        Some((activation, parameter))
    }
}

/// The activation of that name, and how it is written.
fn activation_named(name: &str) -> Option<(Signature, Activation)> {
    ACTIVATIONS.iter().find(|(signature, _)| signature.name() == name).copied()
}

/// The number of an activation where none is written.
fn default(activation: Signature) -> f64 {
    activation.parameters().first().and_then(|parameter| parameter.default).unwrap_or(0.0)
}

/// Whether an activation is that word alone.
fn is_word(ast: &ast::Expr, word: &str) -> bool {
    matches!(&ast.bare().kind, ast::ExprKind::Name(name) if name.key == word)
}

/// A shape between two layers, in words.
pub(super) fn words(shape: &Shape) -> String {
    match shape.0[..] {
        [channels, height, width] => {
            let s = if channels == 1 { "" } else { "s" };
            format!("an image of {channels} channel{s}, {height} × {width}")
        }
        _ => super::shape_words(shape),
    }
}
