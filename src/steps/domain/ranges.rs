//! Where the leaves of an expression lie, and where a step keeps its variables.

use std::cell::OnceCell;

use super::Site;
use crate::catalogue::Function;
use crate::model::ir::{DataId, Expr, Init, Leaf, SampleSource, VarId};
use crate::model::{Model, fold};
use crate::split::proximal::{Map, Proximal};
use crate::split::scalar::Phi;
use crate::tape::Hull;

/// Numbers of a tensor that are looked at for their range.
const MOST_NUMBERS: usize = 1 << 24;

/// What a number above 0 is at least: what a proximal map of a barrier gives is never 0.
const ABOVE_ZERO: f64 = f32::MIN_POSITIVE as f64;

/// From the least to the greatest number of every tensor, looked for once.
pub(super) struct Ranges(Vec<OnceCell<Hull>>);

impl Ranges {
    pub fn new(model: &Model) -> Ranges {
        Ranges(vec![OnceCell::new(); model.data.len()])
    }

    fn data(&self, model: &Model, id: DataId) -> Hull {
        let range = || {
            let tensor = &model.data[id.index()].tensor;
            if tensor.numel() > MOST_NUMBERS {
                return Hull::ANY;
            }
            Hull::of(&tensor.to_f64()).unwrap_or(Hull::ANY)
        };
        *self.0[id.index()].get_or_init(range)
    }

    /// Where a leaf lies in a step; where it starts, if that is asked for.
    pub fn of(&self, model: &Model, site: &Site, leaf: Leaf, at_start: bool) -> Hull {
        match leaf {
            Leaf::Var(var, _) if at_start && site.vars.contains(&var) => start(model, var),
            Leaf::Var(var, _) => site.kept.iter().find(|(own, _)| *own == var).map_or(Hull::ANY, |(_, hull)| *hull),
            Leaf::Data(id, _) => self.data(model, id),
            Leaf::Sample(sample, part, _) => match &model.samples[sample.index()].source {
                SampleSource::Rows(ids) => ids.get(part as usize).map_or(Hull::ANY, |id| self.data(model, *id)),
                SampleSource::Normal => Hull::ANY,
                SampleSource::Uniform { low, high } => inside(*low, *high),
                SampleSource::Bernoulli { .. } => Hull::UNIT,
                SampleSource::Categorical { k } => Hull::new(0.0, k.saturating_sub(1) as f64),
            },
            Leaf::Rho(_) => Hull::new(ABOVE_ZERO, f64::INFINITY),
            Leaf::Dual(..) => Hull::ANY,
        }
    }
}

/// A uniform number meets neither end of its interval (`tape::philox`): the hull stays a rounding of singles
/// inside.
fn inside(low: f64, high: f64) -> Hull {
    let margin = f64::from(f32::EPSILON) * (high - low);
    Hull::new(low + margin, high - margin)
}

fn start(model: &Model, var: VarId) -> Hull {
    match &model.vars[var.index()].init {
        Init::Zeros => Hull::point(0.0),
        Init::Given(tensor) => Hull::of(&tensor.to_f64()).unwrap_or(Hull::ANY),
        Init::Uniform { low, high } => inside(*low, *high),
        Init::Normal { .. } | Init::Layers => Hull::ANY,
    }
}

/// Where the map of a step keeps its variables.
pub(super) fn kept(model: &Model, vars: &[VarId], form: &Proximal) -> Vec<(VarId, Hull)> {
    let mut from = 0;
    let mut kept = Vec::new();
    for (at, &var) in vars.iter().enumerate() {
        let to = from + model.vars[var.index()].shape.numel();
        // Of a family the ends may be one member's.
        let ends = |ends: &[f64]| ends.get(from..to).and_then(Hull::of).unwrap_or(Hull::ANY);
        let mut hull = Hull::new(ends(&form.lower).low, ends(&form.upper).high);
        for map in form.maps.iter().filter(|map| map.whole == Some(at)) {
            let own = of_map(model, map);
            hull = Hull { low: hull.low.max(own.low), high: hull.high.min(own.high) };
        }
        kept.push((var, hull));
        from = to;
    }
    kept
}

/// Where the map of an atom of a whole variable leaves it.
fn of_map(model: &Model, map: &Map) -> Hull {
    let Phi::Member(function) = map.phi else { return Hull::ANY };
    let constant = |at: usize| {
        let known = map.args.get(at).and_then(|arg: &Expr| fold(model, arg));
        known.and_then(|tensor| Hull::of(&tensor.to_f64())).unwrap_or(Hull::ANY)
    };
    use Function as F;
    match function {
        F::Nonneg => Hull::new(0.0, f64::INFINITY),
        F::Nonpos => Hull::new(f64::NEG_INFINITY, 0.0),
        F::Interval => Hull::new(constant(1).low, constant(2).high),
        F::Probability | F::BinarySet | F::Permutation | F::DoublyStochastic => Hull::UNIT,
        F::Simplex => Hull::new(0.0, if map.args.len() > 1 { constant(1).high } else { 1.0 }),
        F::CappedSimplex => Hull::new(0.0, constant(2).high),
        F::Finite => constant(1),
        F::Ball1 | F::Ball2 | F::BallInf => Hull::new(-constant(1).high, constant(1).high),
        F::NegLog => Hull::new(ABOVE_ZERO, f64::INFINITY),
        _ => Hull::ANY,
    }
}
