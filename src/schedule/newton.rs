//! Newton's method with a line search (Nocedal & Wright 2006, Algorithm 7.1): the system
//! `∇²f(v) d = −∇f(v)` by conjugate gradients on products with the Hessian, the tangent of the gradient, which
//! is never made.
//!
//! ```text
//! d = 0,  r = ∇f,  p = −r
//! repeat   α = rᵀr/pᵀHp,  d += αp,  r += αHp,  p = −r + (rᵀr)/(rᵀr before) p
//! until    ‖r‖ ≤ ε or pᵀHp ≤ 0
//! ```
//!
//! `ε` is a tenth of `‖∇f‖²/‖∇f₀‖`, so that steps get better as they get smaller, and no less than half of
//! what the gradient has to fall to. Where the curvature along p is not positive the direction is what there
//! is so far, at the first step that of the gradient, no longer than 1. It is always one of descent.

use super::coder::{Coder, Draft};
use super::direction;
use super::ir::{LineSearch, LoopStmt, LoopUnit, StateId, Stmt, StopStatus};
use super::lbfgs::Problem;
use crate::tape::ir::Binary;
use crate::tape::{self, Shape, Value, jvp};

/// Share of the gradient that conjugate gradients may leave in the first step.
const FORCING: f64 = 0.1;

/// Most steps of conjugate gradients; in exact arithmetic there are as many as variables.
const MOST: usize = 200;

/// The bound that a minimisation ends at, from the square of the gradient at its start.
pub(super) type Bound<'b> = &'b mut dyn FnMut(&mut Coder, &mut Draft, Value) -> Value;

/// The states of a minimisation.
struct States {
    gradient: StateId,
    gradient_new: StateId,
    value: StateId,
    value_new: StateId,
    slope: StateId,
    step: StateId,
    failed: StateId,
    /// `‖∇f₀‖²`
    start: StateId,
    /// What `‖∇f‖²` falls to.
    bound: StateId,
    /// `‖∇f‖²` is below it.
    done: StateId,
    direction: StateId,
    r: StateId,
    p: StateId,
    /// `rᵀr`
    rr: StateId,
    /// What `rᵀr` falls to.
    enough: StateId,
    /// 1 before the first step of conjugate gradients.
    first: StateId,
    solved: StateId,
}

impl States {
    fn new(coder: &mut Coder, tag: &str, n: usize) -> States {
        let vector = |coder: &mut Coder, name: &str| coder.zeros(&format!("{name}.{tag}"), Shape::vector(n), None);
        let scalar = |coder: &mut Coder, name: &str| coder.scalar(&format!("{name}.{tag}"), 0.0);
        States {
            gradient: vector(coder, "g"),
            gradient_new: vector(coder, "g⁺"),
            value: scalar(coder, "h"),
            value_new: scalar(coder, "h⁺"),
            slope: scalar(coder, "slope"),
            step: coder.scalar(&format!("t.{tag}"), 1.0),
            failed: scalar(coder, "failed"),
            start: scalar(coder, "newton start"),
            bound: scalar(coder, "newton bound"),
            done: scalar(coder, "newton done"),
            direction: vector(coder, "d"),
            r: vector(coder, "cg r"),
            p: vector(coder, "cg p"),
            rr: scalar(coder, "cg rr"),
            enough: scalar(coder, "cg bound"),
            first: scalar(coder, "cg first"),
            solved: scalar(coder, "cg done"),
        }
    }
}

/// Statements before the steps: value and gradient at the start, and the bound, where there is one.
pub(super) fn begin(coder: &mut Coder, problem: &mut Problem, bound: Option<Bound>) -> Vec<Stmt> {
    let states = States::new(coder, &problem.tag, problem.n);
    let mut draft = coder.draft("begin");
    let v = (problem.read)(coder, &mut draft);
    let value = (problem.value)(coder, &mut draft, v);
    let gradient = tape::gradient(&mut draft.b, value, &[v])[0];
    let squares = draft.b.sum_squares(gradient);
    draft.write(coder, states.value, value);
    draft.write(coder, states.gradient, gradient);
    draft.write(coder, states.start, squares);
    let bound = match bound {
        Some(bound) => bound(coder, &mut draft, squares),
        None => draft.number(0.0, coder.dtype),
    };
    draft.write(coder, states.bound, bound);
    vec![coder.call(draft, None, problem.what)]
}

/// The statements of one step; the loop around is left when no step length is found, when the gradient has
/// fallen to its bound, or to `tol` times its first norm (with `status`).
pub(super) fn step(coder: &mut Coder, problem: &mut Problem, tol: Option<f64>, status: StopStatus) -> Vec<Stmt> {
    let states = States::new(coder, &problem.tag, problem.n);
    let mut body = Vec::new();

    let mut draft = coder.draft("system");
    let gradient = draft.read(coder, states.gradient);
    let squares = draft.b.sum_squares(gradient);
    let bound = draft.read(coder, states.bound);
    let done = draft.b.binary(Binary::LessEqual, squares, bound);
    let start = draft.read(coder, states.start);
    let fallen = quotient(&mut draft, squares, start);
    let share = draft.b.scale(FORCING * FORCING, fallen);
    let enough = draft.b.mul(share, squares);
    let half = draft.b.scale(0.25, bound);
    let enough = draft.b.binary(Binary::Max, enough, half);
    let (zero, one) = (draft.number(0.0, coder.dtype), draft.number(1.0, coder.dtype));
    let none = draft.b.broadcast_scalar(zero, &Shape::vector(problem.n));
    let p = draft.b.neg(gradient);
    for (state, value) in [
        (states.done, done),
        (states.enough, enough),
        (states.direction, none),
        (states.r, gradient),
        (states.p, p),
        (states.rr, squares),
        (states.first, one),
    ] {
        draft.write(coder, state, value);
    }
    let flag = tol.map(|tol| direction::stop_flag(coder, &mut draft, &problem.tag, gradient, tol));
    body.push(coder.call(draft, None, problem.what));
    body.push(Stmt::Stop { when: states.done, status });
    if let Some(when) = flag {
        body.push(Stmt::Stop { when, status });
    }

    let turn = turn(coder, problem, &states);
    let solved = Stmt::Stop { when: states.solved, status: StopStatus::Inner };
    let count = (2 * problem.n).min(MOST);
    body.push(Stmt::Loop(LoopStmt { count, unit: LoopUnit::Step, body: vec![turn, solved] }));

    let mut draft = coder.draft("slope");
    let (gradient, d) = (draft.read(coder, states.gradient), draft.read(coder, states.direction));
    let slope = draft.b.dot(gradient, d);
    draft.write(coder, states.slope, slope);
    body.push(coder.call(draft, None, problem.what));

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
    for (to, from) in [(states.gradient, states.gradient_new), (states.value, states.value_new)] {
        let new = draft.read(coder, from);
        draft.write(coder, to, new);
    }
    body.push(coder.call(draft, None, problem.what));
    body
}

/// One step of conjugate gradients.
fn turn(coder: &mut Coder, problem: &mut Problem, states: &States) -> Stmt {
    let mut draft = coder.draft("conjugate");
    let v = (problem.read)(coder, &mut draft);
    let [d, r, p, rr, enough, first, gradient] =
        [states.direction, states.r, states.p, states.rr, states.enough, states.first, states.gradient]
            .map(|state| draft.read(coder, state));
    let value = (problem.value)(coder, &mut draft, v);
    let slope = tape::gradient(&mut draft.b, value, &[v])[0];
    let image = jvp(&mut draft.b, slope, &[v], &[p]);
    let curvature = draft.b.dot(p, image);
    let (zero, one) = (draft.number(0.0, coder.dtype), draft.number(1.0, coder.dtype));
    // False of a NaN as well.
    let curved = draft.b.binary(Binary::Less, zero, curvature);
    let divisor = draft.b.select(curved, curvature, one);
    let alpha = draft.b.div(rr, divisor);
    let norm = draft.b.norm2(gradient);
    let longest = draft.b.binary(Binary::Max, norm, one);
    let downhill = draft.b.div(first, longest);
    let length = draft.b.select(curved, alpha, downhill);
    let by = draft.b.mul(length, p);
    let d = draft.b.add(d, by);
    // Without curvature the image may be anything, and the recursion ends here.
    let by = draft.b.mul(alpha, image);
    let by = draft.b.select(curved, by, zero);
    let r = draft.b.add(r, by);
    let next = draft.b.sum_squares(r);
    let beta = quotient(&mut draft, next, rr);
    let kept = draft.b.mul(beta, p);
    let p = draft.b.sub(kept, r);
    let small = draft.b.binary(Binary::LessEqual, next, enough);
    let solved = draft.b.select(curved, small, one);
    for (state, value) in [
        (states.direction, d),
        (states.r, r),
        (states.p, p),
        (states.rr, next),
        (states.first, zero),
        (states.solved, solved),
    ] {
        draft.write(coder, state, value);
    }
    coder.call(draft, None, problem.what)
}

/// `v + t d`
fn along(coder: &Coder, draft: &mut Draft, states: &States, v: Value) -> Value {
    let (t, d) = (draft.read(coder, states.step), draft.read(coder, states.direction));
    let moved = draft.b.mul(t, d);
    draft.b.add(v, moved)
}

/// `a/b`, and 0 where b is.
pub(super) fn quotient(draft: &mut Draft, a: Value, b: Value) -> Value {
    let (zero, one) = (draft.b.constant_like(0.0, b), draft.b.constant_like(1.0, b));
    let divisor = draft.b.select(b, b, one);
    let ratio = draft.b.div(a, divisor);
    draft.b.select(b, ratio, zero)
}
