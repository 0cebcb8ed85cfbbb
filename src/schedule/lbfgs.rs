//! Limited-memory BFGS (Nocedal & Wright 2006, §7.2) as programs on the tape: the two-loop recursion
//! unrolled over the stored pairs, the newest last; the step length is the host's.
//!
//! A pair with `sᵀy ≤ 0` weighs nothing, so the direction is always one of descent.

use std::sync::Arc;

use super::admm::{Cotangent, Iteration, Side, point};
use super::coder::{Coder, Draft};
use super::direction;
use super::gradient;
use super::ir::{LineSearch, LoopStmt, LoopUnit, StateId, Stmt, StopStatus};
use super::{inexact, newton};
use crate::model::ir::{Descent, DescentKind};
use crate::steps::ir::{Curvature, Step};
use crate::tape::ir::{Binary, Unary};
use crate::tape::ops::Range;
use crate::tape::{self, Shape, Value};

/// A minimisation over one flat vector.
pub(super) struct Problem<'p> {
    /// Distinguishes its states.
    pub tag: String,
    /// Length of the vector.
    pub n: usize,
    /// Stored pairs.
    pub memory: usize,
    /// The heading its time is accounted under.
    pub what: &'static str,
    /// Reads the current vector.
    pub read: &'p mut dyn FnMut(&mut Coder, &mut Draft) -> Value,
    /// Writes a new vector.
    pub write: &'p mut dyn FnMut(&mut Coder, &mut Draft, Value),
    /// The objective at a vector.
    pub value: &'p mut dyn FnMut(&mut Coder, &mut Draft, Value) -> Value,
}

/// The states of a minimisation.
struct States {
    s: StateId,
    y: StateId,
    gradient: StateId,
    gradient_new: StateId,
    direction: StateId,
    value: StateId,
    value_new: StateId,
    slope: StateId,
    step: StateId,
    failed: StateId,
}

impl States {
    fn new(coder: &mut Coder, tag: &str, n: usize, memory: usize) -> States {
        let pairs = Shape::matrix(memory, n);
        // Methods that keep other numbers of pairs keep them elsewhere.
        let kept = format!("{tag}.{memory}");
        States {
            s: coder.zeros(&format!("S.{kept}"), pairs.clone(), None),
            y: coder.zeros(&format!("Y.{kept}"), pairs, None),
            gradient: coder.zeros(&format!("g.{tag}"), Shape::vector(n), None),
            gradient_new: coder.zeros(&format!("g⁺.{tag}"), Shape::vector(n), None),
            direction: coder.zeros(&format!("d.{tag}"), Shape::vector(n), None),
            value: coder.scalar(&format!("h.{tag}"), 0.0),
            value_new: coder.scalar(&format!("h⁺.{tag}"), 0.0),
            slope: coder.scalar(&format!("slope.{tag}"), 0.0),
            step: coder.scalar(&format!("t.{tag}"), 1.0),
            failed: coder.scalar(&format!("failed.{tag}"), 0.0),
        }
    }
}

/// The state that holds the objective's value after a step.
pub(super) fn value_state(coder: &mut Coder, tag: &str) -> StateId {
    coder.scalar(&format!("h.{tag}"), 0.0)
}

/// Statements before the steps: value and gradient at the start, no pairs.
pub(super) fn begin(coder: &mut Coder, problem: &mut Problem) -> Vec<Stmt> {
    let states = States::new(coder, &problem.tag, problem.n, problem.memory);
    let mut draft = coder.draft("begin");
    let v = (problem.read)(coder, &mut draft);
    let value = (problem.value)(coder, &mut draft, v);
    let gradient = tape::gradient(&mut draft.b, value, &[v])[0];
    draft.write(coder, states.value, value);
    draft.write(coder, states.gradient, gradient);
    let zero = draft.number(0.0, coder.dtype);
    let none = draft.b.broadcast_scalar(zero, &Shape::matrix(problem.memory, problem.n));
    draft.write(coder, states.s, none);
    draft.write(coder, states.y, none);
    vec![coder.call(draft, None, problem.what)]
}

/// The statements of one step; the loop around is left when no step length is found, or when the
/// gradient has fallen to `tol` times its first norm (with `status`).
pub(super) fn step(coder: &mut Coder, problem: &mut Problem, tol: Option<f64>, status: StopStatus) -> Vec<Stmt> {
    let states = States::new(coder, &problem.tag, problem.n, problem.memory);
    let mut body = Vec::new();

    let mut draft = coder.draft("direction");
    let gradient = draft.read(coder, states.gradient);
    let direction = two_loops(coder, &mut draft, &states, gradient, problem.memory);
    let slope = draft.b.dot(gradient, direction);
    draft.write(coder, states.direction, direction);
    draft.write(coder, states.slope, slope);
    let flag = tol.map(|tol| direction::stop_flag(coder, &mut draft, &problem.tag, gradient, tol));
    body.push(coder.call(draft, None, problem.what));
    if let Some(flag) = flag {
        body.push(Stmt::Stop { when: flag, status });
    }

    let mut draft = coder.draft("trial");
    let v = (problem.read)(coder, &mut draft);
    let trial = along(coder, &mut draft, &states, v);
    let value = (problem.value)(coder, &mut draft, trial);
    let gradient = tape::gradient(&mut draft.b, value, &[trial])[0];
    draft.write(coder, states.value_new, value);
    draft.write(coder, states.gradient_new, gradient);
    let trial = coder.call_stmt(draft, None, problem.what);
    body.push(Stmt::LineSearch(LineSearch {
        trial,
        step: states.step,
        value: states.value,
        value_new: states.value_new,
        slope: states.slope,
        failed: states.failed,
    }));
    body.push(Stmt::Stop { when: states.failed, status });

    let mut draft = coder.draft("accept");
    let v = (problem.read)(coder, &mut draft);
    let next = along(coder, &mut draft, &states, v);
    (problem.write)(coder, &mut draft, next);
    let (old, new) = (draft.read(coder, states.gradient), draft.read(coder, states.gradient_new));
    let value = draft.read(coder, states.value_new);
    draft.write(coder, states.gradient, new);
    draft.write(coder, states.value, value);
    let s = draft.b.sub(next, v);
    let y = draft.b.sub(new, old);
    for (state, newest) in [(states.s, s), (states.y, y)] {
        let pairs = draft.read(coder, state);
        let row = draft.b.reshape(newest, [1, problem.n]);
        let shifted = if problem.memory > 1 {
            let ranges =
                vec![Range { start: 1, len: problem.memory - 1, step: 1 }, Range { start: 0, len: problem.n, step: 1 }];
            let kept = draft.b.slice(pairs, ranges);
            draft.b.concat(vec![kept, row], 0)
        } else {
            row
        };
        draft.write(coder, state, shifted);
    }
    body.push(coder.call(draft, None, problem.what));
    body
}

/// `v + t d`
fn along(coder: &Coder, draft: &mut Draft, states: &States, v: Value) -> Value {
    let (t, d) = (draft.read(coder, states.step), draft.read(coder, states.direction));
    let moved = draft.b.mul(t, d);
    draft.b.add(v, moved)
}

/// `−H g` by the two-loop recursion.
fn two_loops(coder: &Coder, draft: &mut Draft, states: &States, gradient: Value, memory: usize) -> Value {
    let n = draft.b.shape(gradient).numel();
    let (s, y) = (draft.read(coder, states.s), draft.read(coder, states.y));
    let row = |draft: &mut Draft, pairs: Value, at: usize| {
        let ranges = vec![Range { start: at, len: 1, step: 1 }, Range { start: 0, len: n, step: 1 }];
        let slice = draft.b.slice(pairs, ranges);
        draft.b.reshape(slice, [n])
    };
    let zero = draft.number(0.0, coder.dtype);
    let one = draft.number(1.0, coder.dtype);
    let mut pairs = Vec::new();
    for at in 0..memory {
        let (s, y) = (row(draft, s, at), row(draft, y, at));
        let sy = draft.b.dot(s, y);
        let usable = draft.b.binary(Binary::Less, zero, sy);
        // Guarded before the division, so that an empty pair makes no infinity on the way.
        let divisor = draft.b.select(usable, sy, one);
        let inverse = draft.b.unary(Unary::Recip, divisor);
        let weight = draft.b.select(usable, inverse, zero);
        pairs.push((s, y, sy, usable, weight));
    }
    let mut q = gradient;
    let mut alphas = vec![zero; memory];
    for (at, &(s, y, _, _, weight)) in pairs.iter().enumerate().rev() {
        let sq = draft.b.dot(s, q);
        alphas[at] = draft.b.mul(weight, sq);
        let correction = draft.b.mul(alphas[at], y);
        q = draft.b.sub(q, correction);
    }
    // First step without any pair: no longer than 1, as the gradient's size says nothing of scale.
    let norm = draft.b.norm2(gradient);
    let longest = draft.b.binary(Binary::Max, norm, one);
    let mut scale = draft.b.unary(Unary::Recip, longest);
    for &(_, y, sy, usable, _) in &pairs {
        // The newest usable pair has the last word.
        let yy = draft.b.sum_squares(y);
        let yy = draft.b.select(usable, yy, one);
        let own = draft.b.div(sy, yy);
        scale = draft.b.select(usable, own, scale);
    }
    let mut r = draft.b.mul(scale, q);
    for (at, &(s, y, _, _, weight)) in pairs.iter().enumerate() {
        let yr = draft.b.dot(y, r);
        let beta = draft.b.mul(weight, yr);
        let difference = draft.b.sub(alphas[at], beta);
        let correction = draft.b.mul(difference, s);
        r = draft.b.add(r, correction);
    }
    draft.b.neg(r)
}

/// The inner minimisation of a component: `h(v) + ⟨pull, v⟩ + ρ/2 vᵀMᵀMv`; of a family, that of all its
/// members as one. By L-BFGS, or by Newton's method.
pub(super) fn inner(
    it: &mut Iteration,
    coder: &mut Coder,
    own: &Step,
    descent: &Descent,
    side: Side,
    body: &mut Vec<Stmt>,
) {
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, own));
    let (over, members) = (own.component.over, own.members());
    let n = own.gram.n() * members;
    // The pull does not depend on v: it is computed once.
    let mut draft = coder.draft("pull");
    let pull = it.adjoint(coder, &mut draft, own, Cotangent::Pull(side), coder.dtype, body);
    let pulled = coder.zeros(&format!("pull.{tag}"), Shape::vector(own.gram.n()), over);
    draft.write(coder, gradient::own(pulled, over), pull);
    body.push(coder.call(draft, over, Iteration::what(side)));

    let vars = &own.component.vars;
    let whole = as_one(own);
    let shared = &*it;
    let mut read = |coder: &mut Coder, draft: &mut Draft| {
        let point = point(coder, draft, vars, None);
        draft.flat(&point.values)
    };
    let mut write = |coder: &mut Coder, draft: &mut Draft, flat: Value| {
        let point = point(coder, draft, vars, None);
        let values = draft.unflat(flat, &point.shapes);
        point.write(coder, draft, &values);
    };
    let mut value = |coder: &mut Coder, draft: &mut Draft, flat: Value| {
        let shapes: Vec<Shape> = vars.iter().map(|var| whole_shape(coder, *var)).collect();
        let values = draft.unflat(flat, &shapes);
        let data = gradient::objective(shared, coder, draft, &whole, &values, coder.dtype);
        let v = by_members(draft, &values, members);
        let pull = draft.read(coder, pulled);
        let pull = draft.flat(&[pull]);
        let linear = draft.b.dot(pull, v);
        let product = gradient::curvature_product(shared, coder, draft, &whole, v);
        let quadratic = draft.b.dot(v, product);
        let quadratic = draft.b.scale(0.5, quadratic);
        let sum = draft.b.add(data, linear);
        draft.b.add(sum, quadratic)
    };
    let memory = match descent.kind {
        DescentKind::Lbfgs { memory } => memory,
        _ => 0,
    };
    let mut problem =
        Problem { tag, n, memory, what: Iteration::what(side), read: &mut read, write: &mut write, value: &mut value };
    if descent.kind != DescentKind::Newton {
        body.extend(looped(coder, &mut problem, descent));
        return;
    }
    let mut bound =
        |coder: &mut Coder, draft: &mut Draft, squares: Value| inexact::bound(shared, coder, draft, squares);
    let bound: Option<newton::Bound> = if descent.tol.is_none() { Some(&mut bound) } else { None };
    if descent.tol.is_some() {
        body.push(direction::reset_stop(coder, &problem.tag));
    }
    body.extend(newton::begin(coder, &mut problem, bound));
    let steps = newton::step(coder, &mut problem, descent.tol, StopStatus::Inner);
    body.push(Stmt::Loop(LoopStmt { count: descent.steps, unit: LoopUnit::Step, body: steps }));
}

/// The statements of an inner minimisation: from where it stands, at most so many steps.
pub(super) fn looped(coder: &mut Coder, problem: &mut Problem, descent: &Descent) -> Vec<Stmt> {
    let mut body = Vec::new();
    if descent.tol.is_some() {
        body.push(direction::reset_stop(coder, &problem.tag));
    }
    body.extend(begin(coder, problem));
    let steps = step(coder, problem, descent.tol, StopStatus::Inner);
    body.push(Stmt::Loop(LoopStmt { count: descent.steps, unit: LoopUnit::Step, body: steps }));
    body
}

/// The step of a family as one of a component that is none.
fn as_one(step: &Step) -> Step {
    let mut one = step.clone();
    if let Some(left) = one.component.over.take() {
        one.gram = match &step.gram {
            Curvature::Diagonal(d) => Curvature::Diagonal(d.repeat(left)),
            gram => Curvature::Repeated { left, inner: Arc::new(gram.clone()), right: 1 },
        };
    }
    one
}

/// The variables one behind another, one member after the other.
fn by_members(draft: &mut Draft, values: &[Value], members: usize) -> Value {
    let rows: Vec<Value> = values
        .iter()
        .map(|&value| {
            let len = draft.b.shape(value).numel() / members;
            draft.b.reshape(value, [members, len])
        })
        .collect();
    let all = if let [one] = rows[..] { one } else { draft.b.concat(rows, 1) };
    draft.flat(&[all])
}

/// The shape of a variable with all its members.
pub(super) fn whole_shape(coder: &Coder, var: crate::model::ir::VarId) -> Shape {
    let var = &coder.model.vars[var.index()];
    match var.family {
        Some(members) => Shape(std::iter::once(members).chain(var.shape.0.iter().copied()).collect()),
        None => var.shape.clone(),
    }
}
