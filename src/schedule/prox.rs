//! The step that is one proximal map; the formula is that of [`proximal`](crate::split::proximal).
//!
//! ```text
//! D = P + ρG,  c = −(p + pull)/D,  u = Kc + k
//! v⁺ = c + Kᵀν⁻¹(prox_{(wν/D)φ}(u) − u),  cut to [l, u]
//! ```

use super::admm::{Cotangent, Iteration, Side, point};
use super::coder::{Coder, Draft};
use super::gradient::replaced;
use super::ir::Stmt;
use super::quadratic::parts;
use crate::model::ir::Leaf;
use crate::split::proximal::{Map, Proximal};
use crate::steps::ir::Step;
use crate::tape::ir::{Binary, Unary};
use crate::tape::{Dtype, Shape, Value, jvp, vjp};

/// The statements of the step.
pub(super) fn step(it: &Iteration, coder: &mut Coder, step: &Step, form: &Proximal, side: Side, body: &mut Vec<Stmt>) {
    let over = step.component.over;
    let mut draft = coder.draft(Iteration::what(side));
    let own = point(coder, &mut draft, &step.component.vars, over);
    let pull = it.adjoint(coder, &mut draft, step, Cotangent::Pull(side), coder.dtype, body);
    let next = pulled(it, coder, &mut draft, step, form, pull, &own.shapes);
    let values = draft.unflat(next, &own.shapes);
    own.write(coder, &mut draft, &values);
    body.push(coder.call(draft, over, Iteration::what(side)));
}

/// The map at `c = −(p + pull)/D`, all variables one behind another.
pub(super) fn pulled(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    form: &Proximal,
    pull: Value,
    shapes: &[Shape],
) -> Value {
    let site = Site { it, step, form, held: None, dtype: coder.dtype };
    let d = site.metric(coder, draft);
    let force = site.with_linear(coder, draft, pull);
    let center = draft.b.div(force, d);
    let center = draft.b.neg(center);
    site.map(coder, draft, center, shapes)
}

/// Where the map of a composite step leads.
pub(super) struct Landed {
    /// `v⁺`, the map at `−force/F` in the metric `F = dP + ρG`.
    pub next: Value,
    /// `−force − Fv⁺`, a slope of the map's function at `v⁺`.
    pub slope: Value,
}

/// The map in the metric `dP + ρG`, d a number or an entry a coordinate.
pub(super) fn landed(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    (step, form): (&Step, &Proximal),
    d: Option<Value>,
    force: Value,
    shapes: &[Shape],
) -> Landed {
    let site = Site { it, step, form, held: d, dtype: draft.b.dtype(force) };
    let metric = site.metric(coder, draft);
    let center = draft.b.div(force, metric);
    let center = draft.b.neg(center);
    let next = site.map(coder, draft, center, shapes);
    let held = draft.b.mul(metric, next);
    let sum = draft.b.add(force, held);
    Landed { next, slope: draft.b.neg(sum) }
}

/// `dP + ρG`
pub(super) fn metric(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    (step, form): (&Step, &Proximal),
    d: Option<Value>,
    dtype: Dtype,
) -> Value {
    Site { it, step, form, held: d, dtype }.metric(coder, draft)
}

/// `dPv` in the metric of a composite step.
pub(super) fn held(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    (step, form): (&Step, &Proximal),
    d: Option<Value>,
    v: Value,
) -> Value {
    let site = Site { it, step, form, held: d, dtype: draft.b.dtype(v) };
    let p = site.curvature(coder, draft);
    draft.b.mul(p, v)
}

/// How far a point is from stationary: zero, exactly where it is.
pub(super) struct Gap {
    /// `v − v⁺`, with `v⁺` the map at `v − (Pv + p + Mᵀλ)/D`.
    pub off: Value,
    /// `(Pv + p + Mᵀλ)/D`
    pub moved: Value,
    /// `D(v − v⁺)`, in the units of a gradient.
    pub residual: Value,
    /// `v⁺`
    pub next: Value,
    /// `(D − P)(v − v⁺)`, which lies in `∂h(v⁺) + Mᵀλ`.
    pub slope: Value,
}

/// The gap of a step at values of its variables, in f64.
pub(super) fn gap(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    form: &Proximal,
    values: &[Value],
    multiplier: Value,
) -> Gap {
    let site = Site { it, step, form, held: None, dtype: Dtype::F64 };
    let shapes: Vec<Shape> = values.iter().map(|&value| draft.b.shape(value).clone()).collect();
    let v = draft.flat(values);
    let d = site.metric(coder, draft);
    let p = site.numbers(coder, draft, "P", &form.curvature);
    let curved = draft.b.mul(p, v);
    let force = draft.b.add(curved, multiplier);
    let force = site.with_linear(coder, draft, force);
    let moved = draft.b.div(force, d);
    let center = draft.b.sub(v, moved);
    let next = site.map(coder, draft, center, &shapes);
    let off = draft.b.sub(v, next);
    let rest = draft.b.sub(d, p);
    Gap { off, moved, residual: draft.b.mul(d, off), next, slope: draft.b.mul(rest, off) }
}

/// `sup ⟨w, z⟩` over the points that the step's sets and bounds allow: exactly for bounds, for sets by how
/// far the projection follows `w` out. Where nothing is in the way the supremum is as good as infinite. A
/// function that is no set counts as finite everywhere.
pub(super) fn support(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    step: &Step,
    form: &Proximal,
    values: &[Value],
    w: Value,
) -> Value {
    let site = Site { it, step, form, held: None, dtype: coder.dtype };
    let v = draft.flat(values);
    let size = draft.b.norm2(v);
    let reach = draft.b.offset(size, 1.0);
    let reach = draft.b.scale(FAR, reach);
    let out = draft.b.mul(reach, w);
    let sets = form.maps.iter().all(|map| map.is_set());
    if form.maps.is_empty() || !sets {
        let low = site.numbers(coder, draft, "lower", &form.lower);
        let high = site.numbers(coder, draft, "upper", &form.upper);
        let n = draft.b.shape(w).clone();
        let (low, high) = (spread(draft, low, &n), spread(draft, high, &n));
        let zero = draft.b.constant_like(0.0, w);
        let positive = draft.b.binary(Binary::Less, zero, w);
        let end = draft.b.select(positive, high, low);
        // Where the end is infinite, as far as the map would go.
        let finite = draft.b.unary(Unary::IsFinite, end);
        let end = draft.b.select(finite, end, out);
        return draft.b.dot(w, end);
    }
    let shapes: Vec<Shape> = values.iter().map(|&value| draft.b.shape(value).clone()).collect();
    let end = site.map(coder, draft, out, &shapes);
    draft.b.dot(w, end)
}

/// How far out the domain is followed, in lengths of the point.
const FAR: f64 = 1e6;

fn spread(draft: &mut Draft, value: Value, shape: &Shape) -> Value {
    if draft.b.shape(value).is_scalar() { draft.b.broadcast_scalar(value, shape) } else { value }
}

/// A proximal step of a plan, in that precision.
struct Site<'a> {
    it: &'a Iteration<'a>,
    step: &'a Step,
    form: &'a Proximal,
    /// What multiplies `P`, a number or an entry a coordinate; none is 1.
    held: Option<Value>,
    dtype: Dtype,
}

impl Site<'_> {
    /// Constant numbers: a scalar where all are equal.
    fn numbers(&self, coder: &mut Coder, draft: &mut Draft, what: &str, all: &[f64]) -> Value {
        let tag = coder.prefixed(self.it.plan.player.index(), &self.it.tag(coder, self.step));
        parts::numbers_in(self.dtype, coder, draft, &format!("{what}.{tag}"), &[all.to_vec()])
    }

    /// `P + ρG`
    fn metric(&self, coder: &mut Coder, draft: &mut Draft) -> Value {
        let p = self.curvature(coder, draft);
        let g = self.numbers(coder, draft, "MᵀM", &self.form.gram);
        self.sum(coder, draft, p, g)
    }

    /// `P`, times what it is held with.
    fn curvature(&self, coder: &mut Coder, draft: &mut Draft) -> Value {
        let p = self.numbers(coder, draft, "P", &self.form.curvature);
        match self.held {
            Some(held) => draft.b.mul(held, p),
            None => p,
        }
    }

    /// `(w/F)KKᵀ` in every row of K, one element each, where F is known only when the step is taken:
    /// `w√ν |KF⁻¹|`.
    fn thresholds(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        (u, point): (Value, &[Value]),
        nu: Value,
        weight: Value,
    ) -> Value {
        let metric = self.metric(coder, draft);
        let inverse = draft.b.unary(Unary::Recip, metric);
        let shapes: Vec<Shape> = point.iter().map(|&value| draft.b.shape(value).clone()).collect();
        let parts = draft.unflat(inverse, &shapes);
        let image = jvp(&mut draft.b, u, point, &parts);
        let image = draft.b.unary(Unary::Abs, image);
        let root = draft.b.unary(Unary::Sqrt, nu);
        let scaled = draft.b.mul(root, image);
        let t = draft.b.mul(weight, scaled);
        // A row without an element moves nothing, and any t will do.
        let other = draft.b.constant_like(1.0, t);
        draft.b.select(t, t, other)
    }

    fn sum(&self, coder: &mut Coder, draft: &mut Draft, p: Value, g: Value) -> Value {
        let rho = draft.read(coder, self.it.rho);
        let rho = draft.b.cast(rho, self.dtype);
        let weighted = draft.b.mul(rho, g);
        draft.b.add(p, weighted)
    }

    /// `force + p`
    fn with_linear(&self, coder: &mut Coder, draft: &mut Draft, force: Value) -> Value {
        if self.form.linear.iter().all(|&x| x == 0.0) {
            return force;
        }
        let p = self.numbers(coder, draft, "p", &self.form.linear);
        draft.b.add(force, p)
    }

    /// The maps and the bounds, at a centre of all variables one behind another.
    fn map(&self, coder: &mut Coder, draft: &mut Draft, center: Value, shapes: &[Shape]) -> Value {
        let mut values = draft.unflat(center, shapes);
        for (at, map) in self.form.maps.iter().enumerate() {
            self.one(coder, draft, at, map, &mut values);
        }
        let mut next = draft.flat(&values);
        if self.form.is_bounded() {
            let low = self.numbers(coder, draft, "lower", &self.form.lower);
            let high = self.numbers(coder, draft, "upper", &self.form.upper);
            next = draft.b.clamp(next, low, high);
        }
        next
    }

    /// One atom's map.
    fn one(&self, coder: &mut Coder, draft: &mut Draft, at: usize, map: &Map, values: &mut [Value]) {
        let vars = self.step.component.vars.clone();
        let point = values.to_vec();
        let mut at_point = |_: &mut Coder, draft: &mut Draft, leaf: Leaf| replaced(draft, leaf, &vars, &point);
        let (args, _) = coder.lower(draft, &map.args, self.dtype, &mut at_point);
        let u = args[map.subject];
        let shape = draft.b.shape(u).clone();
        let row = |coder: &mut Coder, draft: &mut Draft, what: &str, of: fn(&crate::split::proximal::Row) -> f64| {
            let all: Vec<f64> = map.rows.iter().map(of).collect();
            let value = self.numbers(coder, draft, &format!("{what}.{at}"), &all);
            if draft.b.shape(value).is_scalar() { value } else { draft.b.reshape(value, shape.clone()) }
        };
        let nu = row(coder, draft, "ν", |row| row.nu);
        let weight = draft.number(map.weight, self.dtype);
        let t = match self.held {
            Some(held) if !draft.b.shape(held).is_scalar() => self.thresholds(coder, draft, (u, &point), nu, weight),
            held => {
                let mut p = row(coder, draft, "P at", |row| row.curvature);
                if let Some(held) = held {
                    p = draft.b.mul(held, p);
                }
                let g = row(coder, draft, "MᵀM at", |row| row.gram);
                let d = self.sum(coder, draft, p, g);
                let weighted = draft.b.mul(weight, nu);
                draft.b.div(weighted, d)
            }
        };
        let next = map.phi.prox(&mut draft.b, u, t, &args);
        // The whole variable is what the map gives, exactly: its zeros are zeros.
        if let Some(var) = map.whole {
            values[var] = next;
            return;
        }
        let (back, forth) = (draft.b.div(u, nu), draft.b.div(next, nu));
        let leaving = vjp(&mut draft.b, u, back, &point);
        let coming = vjp(&mut draft.b, u, forth, &point);
        // `(c − Kᵀν⁻¹(u − k)) + Kᵀν⁻¹(u⁺ − k)`, in this order: where K picks elements, the first bracket is 0.
        for (at, value) in values.iter_mut().enumerate() {
            let rest = draft.b.sub(*value, leaving[at]);
            *value = draft.b.add(rest, coming[at]);
        }
    }
}
