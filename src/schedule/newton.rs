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

use super::coder::Coder;
use super::ir::{LoopStmt, LoopUnit, StateId, Stmt, StopStatus};
use super::search::{self, Problem, Steps};
use super::{direction, inexact};
use crate::tape::ir::Binary;
use crate::tape::{self, Shape, jvp};

/// Share of the gradient that conjugate gradients may leave in the first step.
const FORCING: f64 = 0.1;

/// Most steps of conjugate gradients; in exact arithmetic there are as many as variables.
const MOST: usize = 200;

/// The states of a step's system.
struct System {
    /// `‖∇f₀‖²`
    start: StateId,
    /// What `‖∇f‖²` falls to.
    bound: StateId,
    /// `‖∇f‖²` is below it.
    done: StateId,
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

impl System {
    fn new(coder: &mut Coder, tag: &str, n: usize) -> System {
        let vector = |coder: &mut Coder, name: &str| coder.zeros(&format!("{name}.{tag}"), Shape::vector(n), None);
        let scalar = |coder: &mut Coder, name: &str| coder.scalar(&format!("{name}.{tag}"), 0.0);
        System {
            start: scalar(coder, "newton start"),
            bound: scalar(coder, "newton bound"),
            done: scalar(coder, "newton done"),
            r: vector(coder, "cg r"),
            p: vector(coder, "cg p"),
            rr: scalar(coder, "cg rr"),
            enough: scalar(coder, "cg bound"),
            first: scalar(coder, "cg first"),
            solved: scalar(coder, "cg done"),
        }
    }
}

/// The statements of a minimisation; it ends when the gradient has fallen to `tol` times its first norm, without
/// one to the bound of the iteration that it is a step of.
pub(super) fn steps(coder: &mut Coder, problem: &mut Problem, tol: Option<f64>, status: StopStatus) -> Steps {
    let n = problem.len(coder);
    let states = search::States::new(coder, problem);
    let system = System::new(coder, &problem.tag, n);

    let mut draft = coder.draft("begin");
    let gradient = states.begin(coder, &mut draft, problem);
    let squares = draft.b.sum_squares(gradient);
    draft.write(coder, system.start, squares);
    let bound = match (tol, problem.within) {
        (None, Some(it)) => inexact::bound(it, coder, &mut draft, squares),
        _ => draft.number(0.0, coder.dtype),
    };
    draft.write(coder, system.bound, bound);
    let begin = vec![coder.call(draft, None, problem.what)];

    let mut body = Vec::new();
    let mut draft = coder.draft("system");
    let gradient = draft.read(coder, states.gradient);
    let squares = draft.b.sum_squares(gradient);
    let bound = draft.read(coder, system.bound);
    let done = draft.b.binary(Binary::LessEqual, squares, bound);
    let start = draft.read(coder, system.start);
    let fallen = draft.quotient(squares, start);
    let share = draft.b.scale(FORCING * FORCING, fallen);
    let enough = draft.b.mul(share, squares);
    let half = draft.b.scale(0.25, bound);
    let enough = draft.b.binary(Binary::Max, enough, half);
    let (zero, one) = (draft.number(0.0, coder.dtype), draft.number(1.0, coder.dtype));
    let none = draft.b.broadcast_scalar(zero, &Shape::vector(n));
    let p = draft.b.neg(gradient);
    for (state, value) in [
        (states.direction, none),
        (system.done, done),
        (system.enough, enough),
        (system.r, gradient),
        (system.p, p),
        (system.rr, squares),
        (system.first, one),
    ] {
        draft.write(coder, state, value);
    }
    let flag = tol.map(|tol| direction::stop_flag(coder, &mut draft, &problem.tag, gradient, tol));
    body.push(coder.call(draft, None, problem.what));
    body.push(Stmt::Stop { when: system.done, status });
    body.extend(flag.map(|when| Stmt::Stop { when, status }));

    let turn = turn(coder, problem, &states, &system);
    let solved = Stmt::Stop { when: system.solved, status: StopStatus::Inner };
    let count = (2 * n).min(MOST);
    body.push(Stmt::Loop(LoopStmt { count, unit: LoopUnit::Step, body: vec![turn, solved] }));

    let mut draft = coder.draft("slope");
    let (gradient, d) = (draft.read(coder, states.gradient), draft.read(coder, states.direction));
    let slope = draft.b.dot(gradient, d);
    draft.write(coder, states.slope, slope);
    body.push(coder.call(draft, None, problem.what));
    body.extend(states.search(coder, problem, status));

    let mut draft = coder.draft("accept");
    states.accept(coder, &mut draft, problem);
    body.push(coder.call(draft, None, problem.what));
    Steps { begin, body }
}

/// One step of conjugate gradients.
fn turn(coder: &mut Coder, problem: &mut Problem, search: &search::States, system: &System) -> Stmt {
    let mut draft = coder.draft("conjugate");
    let v = problem.read(coder, &mut draft);
    let [d, gradient] = [search.direction, search.gradient].map(|state| draft.read(coder, state));
    let [r, p, rr, enough, first] =
        [system.r, system.p, system.rr, system.enough, system.first].map(|state| draft.read(coder, state));
    let value = problem.value(coder, &mut draft, v);
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
    let beta = draft.quotient(next, rr);
    let kept = draft.b.mul(beta, p);
    let p = draft.b.sub(kept, r);
    let small = draft.b.binary(Binary::LessEqual, next, enough);
    let solved = draft.b.select(curved, small, one);
    for (state, value) in [
        (search.direction, d),
        (system.r, r),
        (system.p, p),
        (system.rr, next),
        (system.first, zero),
        (system.solved, solved),
    ] {
        draft.write(coder, state, value);
    }
    coder.call(draft, None, problem.what)
}
