//! Dropout acts in an objective, in networks that are being trained: those whose parameters are
//! variables. There, each call gets a sample that says what is kept, drawn as other samples are. In
//! constraints, tracks, pictures and other values, and in networks of constant parameters, everything is
//! kept.
//!
//! Calls of one objective that are equal, as where a named expression is used twice, are one call.

use super::Checker;
use crate::model::ir::{Expr, ExprKind, LayerKind, Leaf, Member, NetId, NetLayer, PlayerId, Sample, SampleId};
use crate::model::ir::{Loop, SampleSource};
use crate::tape::Shape;

/// A call with its masks; calls in a loop differ from those outside.
type Seen = (Expr, Option<Loop>, Vec<Expr>);

impl Checker<'_> {
    /// Gives the calls of all objectives their masks.
    pub(super) fn dropouts(&mut self) {
        for player in 0..self.model.players.len() {
            let mut seen: Vec<Seen> = Vec::new();
            let mut terms = std::mem::take(&mut self.player(PlayerId(player as u32)).terms);
            for term in &mut terms {
                self.masked(&mut term.expr, term.over, &mut seen);
            }
            self.player(PlayerId(player as u32)).terms = terms;
        }
    }

    fn masked(&mut self, expr: &mut Expr, over: Option<Loop>, seen: &mut Vec<Seen>) {
        let over = match expr.kind {
            ExprKind::Over(inner, _) => Some(inner),
            _ => over,
        };
        // No call has masks yet, so that no mask is taken for a part of it.
        for child in expr.children_mut() {
            self.masked(child, over, seen);
        }
        let ExprKind::Net { net, ref params, layers, .. } = expr.kind else { return };
        let mut trained = false;
        params.leaves(&mut |leaf| trained |= matches!(leaf, Leaf::Var(..)));
        let mut shapes = Vec::new();
        let this = &self.model.nets[net.index()];
        dropped(&this.layers[..layers], &this.input, &mut shapes);
        if !trained || shapes.is_empty() {
            return;
        }
        let known = seen.iter().find(|(call, around, _)| *around == over && call.same(expr));
        let given = match known {
            Some((.., masks)) => masks.clone(),
            None => {
                let call = expr.clone();
                let batch = this.batch(layers, &expr.shape).unwrap_or(1);
                let sample = |(shape, rate)| self.kept(net, batch, over, expr, (shape, rate));
                let Some(masks) = shapes.into_iter().map(sample).collect::<Option<Vec<Expr>>>() else { return };
                seen.push((call, over, masks.clone()));
                masks
            }
        };
        if let ExprKind::Net { masks, .. } = &mut expr.kind {
            *masks = given;
        }
    }

    /// A sample of what one dropout keeps, for each input of a call.
    fn kept(
        &mut self,
        net: NetId,
        batch: usize,
        over: Option<Loop>,
        call: &Expr,
        (of_one, rate): (Shape, f64),
    ) -> Option<Expr> {
        let shape = Shape(std::iter::once(batch).chain(of_one.0).collect());
        let family = over.map(|over| over.count);
        self.fits(&Shape(family.into_iter().chain(shape.0.iter().copied()).collect()), call.span)?;
        let id = SampleId(self.model.samples.len() as u32);
        let name = format!("{}.dropout.{}", self.model.nets[net.index()].name, id.0 + 1);
        self.model.samples.push(Sample {
            names: vec![name],
            span: call.span,
            source: SampleSource::Bernoulli { p: 1.0 - rate },
            batch,
            keep: false,
            fixed: false,
            family,
            shapes: vec![shape.clone()],
        });
        let member = if family.is_some() { Member::Loop } else { Member::None };
        Some(Expr { kind: ExprKind::Leaf(Leaf::Sample(id, 0, member)), shape, span: call.span })
    }
}

/// Shape of one input and rate of each dropout among layers, in order.
fn dropped(layers: &[NetLayer], input: &Shape, all: &mut Vec<(Shape, f64)>) {
    let mut shape = input;
    for layer in layers {
        match &layer.kind {
            LayerKind::Dropout { rate } => all.push((shape.clone(), *rate)),
            LayerKind::Residual(inner) => dropped(inner, shape, all),
            _ => {}
        }
        shape = &layer.output;
    }
}
