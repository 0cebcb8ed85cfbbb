//! Limited-memory BFGS (Nocedal & Wright 2006, §7.2) as programs on the tape: the two-loop recursion
//! unrolled over the stored pairs, the newest last; the step length is the host's.
//!
//! A pair with `sᵀy ≤ 0` weighs nothing, so the direction is always one of descent.

use super::coder::{Coder, Draft};
use super::direction;
use super::ir::{StateId, Stmt, StopStatus};
use super::search::{self, Problem, Steps};
use crate::tape::ir::{Binary, Unary};
use crate::tape::ops::Range;
use crate::tape::{Shape, Value};

/// The stored pairs, the newest last.
struct Pairs {
    s: StateId,
    y: StateId,
    memory: usize,
}

/// The statements of a minimisation that keeps so many pairs; it ends when the gradient has fallen to `tol` times
/// its first norm.
pub(super) fn steps(
    coder: &mut Coder,
    problem: &mut Problem,
    memory: usize,
    tol: Option<f64>,
    status: StopStatus,
) -> Steps {
    let states = search::States::new(coder, problem);
    let n = problem.len(coder);
    // Methods that keep other numbers of pairs keep them elsewhere.
    let kept = format!("{}.{memory}", problem.tag);
    let rows = |coder: &mut Coder, name: &str| coder.zeros(&format!("{name}.{kept}"), Shape::matrix(memory, n), None);
    let pairs = Pairs { s: rows(coder, "S"), y: rows(coder, "Y"), memory };

    let mut draft = coder.draft("begin");
    states.begin(coder, &mut draft, problem);
    let zero = draft.number(0.0, coder.dtype);
    let none = draft.b.broadcast_scalar(zero, &Shape::matrix(memory, n));
    draft.write(coder, pairs.s, none);
    draft.write(coder, pairs.y, none);
    let begin = vec![coder.call(draft, None, problem.what)];

    let mut body = Vec::new();
    let mut draft = coder.draft("direction");
    let gradient = draft.read(coder, states.gradient);
    let direction = two_loops(coder, &mut draft, &pairs, gradient);
    let slope = draft.b.dot(gradient, direction);
    draft.write(coder, states.direction, direction);
    draft.write(coder, states.slope, slope);
    let flag = tol.map(|tol| direction::stop_flag(coder, &mut draft, &problem.tag, gradient, tol));
    body.push(coder.call(draft, None, problem.what));
    body.extend(flag.map(|when| Stmt::Stop { when, status }));
    body.extend(states.search(coder, problem, status));

    let mut draft = coder.draft("accept");
    let (s, y) = states.accept(coder, &mut draft, problem);
    for (state, newest) in [(pairs.s, s), (pairs.y, y)] {
        let stored = draft.read(coder, state);
        let row = draft.b.reshape(newest, [1, n]);
        let shifted = if memory > 1 {
            let ranges = vec![Range { start: 1, len: memory - 1, step: 1 }, Range { start: 0, len: n, step: 1 }];
            let kept = draft.b.slice(stored, ranges);
            draft.b.concat(vec![kept, row], 0)
        } else {
            row
        };
        draft.write(coder, state, shifted);
    }
    body.push(coder.call(draft, None, problem.what));
    Steps { begin, body }
}

/// `−H g` by the two-loop recursion.
fn two_loops(coder: &Coder, draft: &mut Draft, stored: &Pairs, gradient: Value) -> Value {
    let n = draft.b.shape(gradient).numel();
    let (s, y) = (draft.read(coder, stored.s), draft.read(coder, stored.y));
    let row = |draft: &mut Draft, pairs: Value, at: usize| {
        let ranges = vec![Range { start: at, len: 1, step: 1 }, Range { start: 0, len: n, step: 1 }];
        let slice = draft.b.slice(pairs, ranges);
        draft.b.reshape(slice, [n])
    };
    let zero = draft.number(0.0, coder.dtype);
    let one = draft.number(1.0, coder.dtype);
    let mut pairs = Vec::new();
    for at in 0..stored.memory {
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
    let mut alphas = vec![zero; stored.memory];
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
