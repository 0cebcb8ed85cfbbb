//! `dense 64 relu`: `y = W x + b`.

use super::{Chain, Stage};
use crate::model::check::Checker;
use crate::model::check::meaning::Scope;
use crate::model::ir::{EntryInit, LayerKind};
use crate::tape::Shape;

impl<'a> Checker<'a> {
    pub(super) fn dense(&mut self, chain: &mut Chain, stage: &Stage<'a>, scope: &Scope) -> Option<(LayerKind, Shape)> {
        let size = stage.layer.size.as_ref()?;
        let outputs = self.width(size, scope, "width of a layer");
        let (init, bias) = (self.init_of(stage, scope), self.bias(stage.layer));
        let &[inputs] = &stage.input.shape.0[..] else {
            return self.misfit(stage, "a vector", "`-> flatten` makes a vector of an image");
        };
        let (outputs, init, bias) = (outputs?, init?, bias?);
        let weight = Shape::matrix(outputs, inputs);
        self.fits(&weight, stage.layer.span)?;
        let init = init.entry(&stage.activations, inputs as f64, outputs as f64);
        let weight = chain.entry("weight", weight, init);
        let bias = bias.then(|| chain.entry("bias", Shape::vector(outputs), EntryInit::Zeros));
        Some((LayerKind::Dense { weight, bias }, Shape::vector(outputs)))
    }
}
