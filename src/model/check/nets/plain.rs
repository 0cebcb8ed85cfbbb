//! Layers that keep every number in its place: `reshape [1, 8, 8]`, `dropout 0.5`, `layer_norm`,
//! `residual ( … )`.

use super::{Chain, Stage, words};
use crate::diag::{Code, Diag};
use crate::model::check::Checker;
use crate::model::check::meaning::Scope;
use crate::model::ir::{EntryInit, LayerKind};
use crate::syntax::ast;
use crate::tape::Shape;

impl<'a> Checker<'a> {
    /// The same numbers, row by row, in another shape: of a vector or an image.
    pub(super) fn reshaped(&mut self, stage: &Stage<'a>, scope: &Scope) -> Option<(LayerKind, Shape)> {
        let shape = self.new_shape(stage.layer.size.as_ref()?, scope)?;
        if shape.numel() == stage.input.shape.numel() {
            return Some((LayerKind::Reshape, shape));
        }
        let (gives, takes) = (words(&stage.input.shape), words(&shape));
        let (has, needs) = (stage.input.shape.numel(), shape.numel());
        self.fail(
            Diag::new(
                Code::NetworkWidth,
                stage.layer.span,
                format!("what comes before has {has} numbers, and `reshape` needs {needs}: {takes}"),
            )
            .label(stage.input.from, gives)
            .help("`reshape` keeps every number: the product of its extents is as many as come in"),
        )
    }

    /// The shape that a `reshape` gives.
    pub(super) fn new_shape(&mut self, size: &'a ast::Expr, scope: &Scope) -> Option<Shape> {
        let known = self.known(size, scope)?;
        let extents = known.to_f64();
        let whole = extents.iter().all(|x| x.fract() == 0.0 && (1.0..=1e6).contains(x));
        Some(match (whole && known.shape.rank() < 2, &extents[..]) {
            (true, &[n]) => Shape::vector(n as usize),
            (true, &[height, width]) => Shape::from([1, height as usize, width as usize]),
            (true, &[channels, height, width]) => Shape([channels, height, width].map(|x| x as usize).to_vec()),
            _ => {
                let text = self.text(size.span);
                return self.fail(
                    Diag::new(Code::NetworkWidth, size.span, format!("`{text}` is no shape of a layer"))
                        .help("a vector is `reshape 64`, an image `reshape [channels, height, width]`"),
                );
            }
        })
    }

    /// Each number is left out with that probability, and what stays is scaled up by 1/(1 − rate), so that
    /// the mean is kept (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014; the scale is
    /// PyTorch's).
    pub(super) fn dropout(&mut self, stage: &Stage<'a>, scope: &Scope) -> Option<(LayerKind, Shape)> {
        let rate = self.rate(stage.layer.size.as_ref()?, scope)?;
        Some((LayerKind::Dropout { rate }, stage.input.shape.clone()))
    }

    /// The share that a dropout leaves out.
    pub(super) fn rate(&mut self, size: &'a ast::Expr, scope: &Scope) -> Option<f64> {
        let rate = self.known_number(size, scope)?;
        if (0.0..1.0).contains(&rate) {
            return Some(rate);
        }
        let text = self.text(size.span);
        self.fail(
            Diag::new(Code::NetworkWidth, size.span, format!("`{text}` is no rate of dropout"))
                .help("it is the share of numbers left out, from 0 to below 1"),
        )
    }

    /// Mean 0 and variance 1 over all of one input, then a scale and a shift of each number (Ba, Kiros,
    /// Hinton 2016).
    pub(super) fn layer_norm(&mut self, chain: &mut Chain, stage: &Stage<'a>, _: &Scope) -> Option<(LayerKind, Shape)> {
        let bias = self.bias(stage.layer)?;
        let shape = stage.input.shape.clone();
        let weight = chain.entry("weight", shape.clone(), EntryInit::Ones);
        let bias = bias.then(|| chain.entry("bias", shape.clone(), EntryInit::Zeros));
        Some((LayerKind::LayerNorm { weight, bias }, shape))
    }

    /// `x + layers(x)` (He, Zhang, Ren, Sun 2016).
    pub(super) fn residual(
        &mut self,
        chain: &mut Chain,
        stage: &Stage<'a>,
        scope: &Scope,
    ) -> Option<(LayerKind, Shape)> {
        let mut inner = Chain {
            layers: Vec::new(),
            entries: std::mem::take(&mut chain.entries),
            numel: chain.numel,
            prefix: format!("{}layer{}.", chain.prefix, chain.layers.len() + 1),
        };
        let last = self.chain(&mut inner, &stage.layer.inner, Some(stage.input.clone()), scope);
        chain.entries = inner.entries;
        chain.numel = inner.numel;
        let last = last?;
        if last.shape == stage.input.shape {
            return Some((LayerKind::Residual(inner.layers), last.shape));
        }
        let (gives, takes) = (words(&last.shape), words(&stage.input.shape));
        self.fail(
            Diag::new(
                Code::NetworkWidth,
                stage.layer.span,
                format!("`residual` adds what comes in to what its layers give: {takes}, and {gives}"),
            )
            .label(last.from, gives)
            .label(stage.input.from, takes)
            .help("both have one shape: `padding` keeps that of an image, the last size its channels"),
        )
    }
}
