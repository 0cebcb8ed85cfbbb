//! A step solved by conjugate gradients, preconditioned by the diagonal of `F = P + ρMᵀM + σI`, from where
//! the last step ended (Hestenes & Stiefel 1952; Golub & Van Loan 2013, §11.5):
//!
//! ```text
//! r = σv + right − Fv,  z = r/diag F,  d = z
//! repeat   α = rᵀz/dᵀFd,  v += αd,  r −= αFd,  z = r/diag F,  d = z + (rᵀz)/(rᵀz before) d
//! until    ‖r‖ ≤ ε
//! ```
//!
//! `ε` is that of [`inexact`]. What is left counts as this step's dual residual.

use super::Quadratic;
use super::parts::{curved, divide_rows, numbers};
use crate::schedule::admm::{Iteration, Side};
use crate::schedule::coder::{Coder, Draft};
use crate::schedule::inexact;
use crate::schedule::ir::{LoopStmt, LoopUnit, StateId, Stmt, StopStatus};
use crate::tape::{Binary, Shape, Value};

/// Most steps an iteration.
const STEPS: usize = 500;

/// The states of the inner loop.
struct Inner {
    v: StateId,
    r: StateId,
    d: StateId,
    /// `rᵀz`
    rz: StateId,
    /// `ε²`
    bound: StateId,
    done: StateId,
}

/// The statements of the step.
pub(super) fn step(it: &mut Iteration, coder: &mut Coder, q: Quadratic, side: Side, body: &mut Vec<Stmt>) {
    let vector = |coder: &mut Coder, name: &str| coder.zeros(&format!("{name}.{}", q.tag), Shape::vector(q.n), None);
    let scalar = |coder: &mut Coder, name: &str| coder.scalar(&format!("{name}.{}", q.tag), 0.0);
    let inner = Inner {
        v: vector(coder, "cg v"),
        r: vector(coder, "cg r"),
        d: vector(coder, "cg d"),
        rz: scalar(coder, "cg rz"),
        bound: scalar(coder, "cg bound"),
        done: scalar(coder, "cg done"),
    };
    let mut draft = coder.draft("start");
    let (point, right) = super::right(it, coder, &mut draft, q, side, body);
    let v = draft.flat(&point.values);
    let image = apply(it, coder, &mut draft, q, v);
    let r = draft.b.sub(right, image);
    let squares = draft.b.sum_squares(r);
    let bound = bound(it, coder, &mut draft, right, squares);
    let z = precondition(it, coder, &mut draft, q, r);
    let rz = draft.b.dot(r, z);
    let done = draft.b.binary(Binary::LessEqual, squares, bound);
    for (state, value) in
        [(inner.v, v), (inner.r, r), (inner.d, z), (inner.rz, rz), (inner.bound, bound), (inner.done, done)]
    {
        draft.write(coder, state, value);
    }
    body.push(coder.call(draft, None, Iteration::what(side)));
    let stop = Stmt::Stop { when: inner.done, status: StopStatus::Inner };
    let turn = turn(it, coder, q, &inner, side);
    body.push(Stmt::Loop(LoopStmt { count: STEPS, unit: LoopUnit::Step, body: vec![stop, turn] }));

    let mut draft = coder.draft("end");
    let point = crate::schedule::admm::point(coder, &mut draft, &q.step.component.vars, None);
    let (v, mut slope) = (draft.read(coder, inner.v), draft.read(coder, inner.r));
    // The gradient at the result is minus the residual, and the proximal term's on top.
    slope = draft.b.neg(slope);
    if q.system.proximal > 0.0 {
        let before = draft.flat(&point.values);
        let moved = draft.b.sub(before, v);
        let held = draft.b.scale(q.system.proximal, moved);
        slope = draft.b.add(slope, held);
    }
    let left = super::left(it, coder, q.step).expect("an inexact step leaves something");
    draft.write(coder, left, slope);
    let values = draft.unflat(v, &point.shapes);
    point.write(coder, &mut draft, &values);
    body.push(coder.call(draft, None, Iteration::what(side)));
}

/// One step of the inner loop.
fn turn(it: &Iteration, coder: &mut Coder, q: Quadratic, inner: &Inner, side: Side) -> Stmt {
    let mut draft = coder.draft("conjugate");
    let [v, r, d, rz, bound] = [inner.v, inner.r, inner.d, inner.rz, inner.bound].map(|state| draft.read(coder, state));
    let image = apply(it, coder, &mut draft, q, d);
    let curvature = draft.b.dot(d, image);
    // Along a direction without length there is nothing to gain.
    let alpha = draft.quotient(rz, curvature);
    let by = draft.b.mul(alpha, d);
    let v = draft.b.add(v, by);
    let by = draft.b.mul(alpha, image);
    let r = draft.b.sub(r, by);
    let z = precondition(it, coder, &mut draft, q, r);
    let next = draft.b.dot(r, z);
    let beta = draft.quotient(next, rz);
    let along = draft.b.mul(beta, d);
    let d = draft.b.add(z, along);
    let squares = draft.b.sum_squares(r);
    let done = draft.b.binary(Binary::LessEqual, squares, bound);
    for (state, value) in [(inner.v, v), (inner.r, r), (inner.d, d), (inner.rz, next), (inner.done, done)] {
        draft.write(coder, state, value);
    }
    coder.call(draft, None, Iteration::what(side))
}

/// `ε²`, no less than the rounding of the right side.
fn bound(it: &Iteration, coder: &mut Coder, draft: &mut Draft, right: Value, squares: Value) -> Value {
    let tied = inexact::bound(it, coder, draft, squares);
    let size = draft.b.sum_squares(right);
    let rounding = draft.b.scale((16.0 * coder.dtype.eps()).powi(2), size);
    draft.b.binary(Binary::Max, tied, rounding)
}

/// `F x`
fn apply(it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, x: Value) -> Value {
    let own = curved(coder, draft, &format!("P.{}", q.tag), &q.curvature[0], x);
    let coupled = curved(coder, draft, &format!("MᵀM.{}", q.tag), &q.step.gram, x);
    let rho = draft.read(coder, it.rho);
    let coupled = draft.b.mul(rho, coupled);
    let sum = draft.b.add(own, coupled);
    if q.system.proximal == 0.0 {
        return sum;
    }
    let held = draft.b.scale(q.system.proximal, x);
    draft.b.add(sum, held)
}

/// `r / diag F`, where that is above 0.
fn precondition(it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, r: Value) -> Value {
    let diagonal = |d: Vec<f64>| vec![d];
    let own = numbers(coder, draft, &format!("diag P.{}", q.tag), &diagonal(q.curvature[0].diagonal()));
    let coupled = numbers(coder, draft, &format!("diag MᵀM.{}", q.tag), &diagonal(q.step.gram.diagonal()));
    let rho = draft.read(coder, it.rho);
    let coupled = draft.b.mul(rho, coupled);
    let sum = draft.b.add(own, coupled);
    let sum = draft.b.offset(sum, q.system.proximal);
    let zero = draft.b.constant_like(0.0, sum);
    let above = draft.b.binary(Binary::Less, zero, sum);
    let one = draft.b.constant_like(1.0, sum);
    let divisor = draft.b.select(above, sum, one);
    divide_rows(draft, r, divisor)
}
