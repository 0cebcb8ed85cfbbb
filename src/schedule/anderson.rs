//! Type-II Anderson acceleration of the split iteration, with a safeguard (Walker & Ni 2011; Zhang,
//! O'Donoghue & Boyd 2020).
//!
//! All that an iteration hands on is `y = λ + ρW(r̂ − c)`, what pulls the z-step: λ, z and the next x follow
//! from it. Of the pairs (y, y⁺) kept, every so many iterations the combination with the least residual
//! takes the place of y⁺:
//!
//! ```text
//! f = W^{-½}(y⁺ − y),   γ = argmin ‖f − Σ γᵢ(f − fᵢ)‖,   y⁺ ← y⁺ − Σ γᵢ(y⁺ − y⁺ᵢ)
//! ```
//!
//! When the residual after it is [`WORSE`] times what it was before, the plain y⁺ is taken after all and
//! the pairs are forgotten; a change of ρ forgets them too.

use super::admm::Iteration;
use super::coder::{Coder, Draft};
use super::ir::{Arg, StateId, Stmt};
use super::quadratic::parts;
use crate::split::ir::Coupling;
use crate::tape::ir::{Binary, Unary};
use crate::tape::ops::Range;
use crate::tape::{Dtype, Op, Shape, Value};

/// Iterations between two combinations. By trial on fifteen small problems (linear programs, least
/// absolute deviations, trend filtering and others): every iteration is no better, and costs more.
pub const EVERY: usize = 10;

/// How much larger a residual may be after a combination. By the same trial.
const WORSE: f64 = 2.0;

/// The numbers of the acceleration.
struct Numbers {
    /// Pairs since the last restart.
    count: StateId,
    /// Where the next pair goes.
    slot: StateId,
    /// Whether the last iteration started from a combination.
    pending: StateId,
    /// `‖f‖²` before that.
    before: StateId,
    /// `‖f‖²`
    residual: StateId,
    reject: StateId,
    keep: StateId,
    due: StateId,
}

impl Numbers {
    fn new(it: &Iteration, coder: &mut Coder) -> Numbers {
        let mut from = |name: &str, start: f64| {
            let name = coder.prefixed(it.plan.player.index(), &format!("anderson {name}"));
            coder.scalar(&name, start)
        };
        // The first y comes from a start that is no step's result: it makes no pair.
        let count = from("count", -1.0);
        let mut scalar = |name: &str| from(name, 0.0);
        Numbers {
            count,
            slot: scalar("slot"),
            pending: scalar("pending"),
            before: scalar("before"),
            residual: scalar("residual"),
            reject: scalar("reject"),
            keep: scalar("keep"),
            due: scalar("due"),
        }
    }
}

/// Whether the last iteration started from a combination, and the pairs since the last restart.
pub(super) fn trial(it: &Iteration, coder: &mut Coder) -> [StateId; 2] {
    let numbers = Numbers::new(it, coder);
    [numbers.pending, numbers.count]
}

/// The tensors of a coupling.
struct Rows {
    /// What the last z-step was pulled by.
    y: StateId,
    /// What the next one is.
    next: StateId,
    /// The plain one, while a combination is on trial.
    plain: StateId,
    /// The pairs: y and y⁺.
    ys: StateId,
    nexts: StateId,
}

impl Rows {
    fn new(it: &Iteration, coder: &mut Coder, coupling: &Coupling, memory: usize) -> Rows {
        let shape = coupling.shape.clone();
        let mut zeros = |what: &str, family: Option<usize>| {
            let name = coder.prefixed(it.plan.player.index(), &format!("{what}.{}", coupling.name));
            coder.zeros(&name, shape.clone(), family)
        };
        Rows {
            y: zeros("y", None),
            next: zeros("y⁺", None),
            plain: zeros("y⁺ plain", None),
            ys: zeros("Y", Some(memory)),
            nexts: zeros("Y⁺", Some(memory)),
        }
    }
}

/// Statements between the x-step and the z-step.
pub(super) fn statements(it: &mut Iteration, coder: &mut Coder, memory: usize, body: &mut Vec<Stmt>) {
    let numbers = Numbers::new(it, coder);
    let couplings = &it.split.couplings;
    let rows: Vec<Rows> = couplings.iter().map(|coupling| Rows::new(it, coder, coupling, memory)).collect();

    let mut zero = coder.draft("zero");
    let none = zero.number(0.0, coder.dtype);
    zero.write(coder, numbers.residual, none);
    body.push(coder.call(zero, None, "accelerate"));
    for (coupling, own) in couplings.iter().zip(&rows) {
        let mut draft = coder.draft("pull");
        let pull = it.pulled(coder, &mut draft, coupling);
        draft.write(coder, own.next, pull);
        let y = draft.read(coder, own.y);
        let off = draft.b.sub(pull, y);
        let off = it.per_weight(coder, &mut draft, coupling, off);
        let so_far = draft.read(coder, numbers.residual);
        let square = draft.b.sum_squares(off);
        let total = draft.b.add(so_far, square);
        draft.write(coder, numbers.residual, total);
        body.push(coder.call(draft, None, "accelerate"));
    }
    body.push(decide(coder, &numbers, memory));

    let mut back = Vec::new();
    for (coupling, own) in couplings.iter().zip(&rows) {
        let mut draft = coder.draft("reject");
        let plain = draft.read(coder, own.plain);
        draft.write(coder, own.next, plain);
        it.set_pull(coder, &mut draft, coupling, plain);
        back.push(coder.call(draft, None, "accelerate"));
    }
    body.push(Stmt::If { when: numbers.reject, body: back });

    let mut kept = Vec::new();
    for own in &rows {
        let mut draft = coder.draft("keep");
        for (from, to) in [(own.y, own.ys), (own.next, own.nexts)] {
            let value = draft.read(coder, from);
            draft.write(coder, Arg { state: to, member: true }, value);
        }
        let call = coder.call_stmt(draft, Some(memory), "accelerate");
        kept.push(Stmt::Pick { member: numbers.slot, call });
    }
    body.push(Stmt::If { when: numbers.keep, body: kept });

    let combined = combine(it, coder, &numbers, &rows, memory);
    body.push(Stmt::If { when: numbers.due, body: vec![combined] });

    for own in &rows {
        let mut draft = coder.draft("hand on");
        let next = draft.read(coder, own.next);
        draft.write(coder, own.y, next);
        body.push(coder.call(draft, None, "accelerate"));
    }
    let mut restart = restart(it, coder, &numbers, &rows);
    it.refactor.append(&mut restart);
}

/// Which of the three: back to the plain y⁺, keep the pair, combine.
fn decide(coder: &mut Coder, numbers: &Numbers, memory: usize) -> Stmt {
    let mut draft = coder.draft("decide");
    let [residual, before, pending, count, slot] =
        [numbers.residual, numbers.before, numbers.pending, numbers.count, numbers.slot]
            .map(|state| draft.read(coder, state));
    let number = |draft: &mut Draft, x: f64| draft.number(x, coder.dtype);
    let (zero, one) = (number(&mut draft, 0.0), number(&mut draft, 1.0));
    let bound = draft.b.scale(WORSE * WORSE, before);
    let worse = draft.b.binary(Binary::Less, bound, residual);
    let reject = draft.b.mul(pending, worse);
    let good = draft.b.sub(one, reject);
    let counted = draft.b.add(count, one);
    let counted = draft.b.mul(counted, good);
    let keep = draft.b.binary(Binary::Less, zero, counted);
    // A multiple of EVERY, and none right after a restart.
    let rounds = draft.b.scale(1.0 / EVERY as f64, counted);
    let whole = draft.b.unary(Unary::Floor, rounds);
    let whole = draft.b.scale(EVERY as f64, whole);
    let multiple = draft.b.binary(Binary::Equal, whole, counted);
    let due = draft.b.mul(multiple, keep);
    let following = draft.b.add(slot, one);
    let last = number(&mut draft, memory as f64);
    let wraps = draft.b.binary(Binary::LessEqual, last, following);
    let following = draft.b.select(wraps, zero, following);
    // The slot of this pair is one behind: it is read after this program.
    let from_start = draft.b.binary(Binary::LessEqual, counted, one);
    let this = draft.b.select(from_start, zero, following);
    let before = draft.b.select(due, residual, before);
    for (state, value) in [
        (numbers.reject, reject),
        (numbers.keep, keep),
        (numbers.count, counted),
        (numbers.slot, this),
        (numbers.due, due),
        (numbers.before, before),
        (numbers.pending, due),
    ] {
        draft.write(coder, state, value);
    }
    coder.call(draft, None, "accelerate")
}

/// The combination in the place of y⁺.
fn combine(it: &Iteration, coder: &mut Coder, numbers: &Numbers, rows: &[Rows], memory: usize) -> Stmt {
    let mut draft = coder.draft("combine");
    let count = draft.read(coder, numbers.count);
    // Pairs that were not kept yet weigh nothing.
    let place = draft.b.iota([memory], 0);
    let place = draft.b.cast(place, coder.dtype);
    let counts = draft.b.broadcast_scalar(count, &Shape::vector(memory));
    let kept = draft.b.binary(Binary::Less, place, counts);
    let (mut gram, mut right) = (None, None);
    let mut moved = Vec::new();
    for (coupling, own) in it.split.couplings.iter().zip(rows) {
        let n = coupling.shape.numel();
        let table = Shape::matrix(memory, n);
        let [y, next, ys, nexts] = [own.y, own.next, own.ys, own.nexts].map(|state| draft.read(coder, state));
        let off = draft.b.sub(next, y);
        let off = it.per_weight(coder, &mut draft, coupling, off);
        let off = draft.b.reshape(off, [n]);
        let mut offs = draft.b.sub(nexts, ys);
        offs = it.per_weight(coder, &mut draft, coupling, offs);
        offs = draft.b.reshape(offs, table.clone());
        let across = draft.b.broadcast(off, vec![1], table.clone());
        let mask = draft.b.broadcast(kept, vec![0], table.clone());
        let apart = draft.b.sub(across, offs);
        let apart = draft.b.mul(apart, mask);
        let own_gram = draft.b.matmul(apart, apart, false, true);
        let own_right = draft.b.matvec(apart, off, false);
        gram = Some(gram.map_or(own_gram, |sum| draft.b.add(sum, own_gram)));
        right = Some(right.map_or(own_right, |sum| draft.b.add(sum, own_right)));
        let next = draft.b.reshape(next, [n]);
        let nexts = draft.b.reshape(nexts, table.clone());
        let across = draft.b.broadcast(next, vec![1], table);
        let away = draft.b.sub(across, nexts);
        moved.push(draft.b.mul(away, mask));
    }
    let (gram, right) = (gram.expect("there are couplings"), right.expect("there are couplings"));
    let gamma = weights(coder, &mut draft, gram, right, memory);
    for ((coupling, own), moved) in it.split.couplings.iter().zip(rows).zip(moved) {
        let next = draft.read(coder, own.next);
        draft.write(coder, own.plain, next);
        let shift = draft.b.matvec(moved, gamma, true);
        let shift = draft.b.reshape(shift, coupling.shape.clone());
        let better = draft.b.sub(next, shift);
        draft.write(coder, own.next, better);
        it.set_pull(coder, &mut draft, coupling, better);
    }
    coder.call(draft, None, "accelerate")
}

/// `(F Fᵀ + εI)⁻¹ F f`; zero where that is not finite.
fn weights(coder: &Coder, draft: &mut Draft, gram: Value, right: Value, memory: usize) -> Value {
    let flat = draft.b.reshape(gram, [memory * memory]);
    let diagonal = draft.b.slice(flat, vec![Range { start: 0, len: memory, step: memory + 1 }]);
    let trace = draft.b.sum(diagonal);
    // The square root of the rounding of the products: what lies below is noise. The least number keeps a
    // system of zeros solvable.
    let (relative, least) = match coder.dtype {
        Dtype::F32 => (f64::from(f32::EPSILON).sqrt(), f64::from(f32::MIN_POSITIVE)),
        _ => (f64::EPSILON.sqrt(), f64::MIN_POSITIVE),
    };
    let ridge = draft.b.scale(relative / memory as f64, trace);
    let ridge = draft.b.offset(ridge, least);
    let ridge = draft.b.broadcast_scalar(ridge, &Shape::vector(memory));
    let ridge = parts::diagonal(draft, ridge, memory);
    let matrix = draft.b.add(gram, ridge);
    let ty = draft.b.ty(matrix).clone();
    let factor = draft.b.push(Op::Cholesky, vec![matrix], ty);
    let ty = draft.b.ty(right).clone();
    let gamma = draft.b.push(Op::CholeskySolve, vec![factor, right], ty);
    let size = draft.b.sum_squares(gamma);
    let sound = draft.b.unary(Unary::IsFinite, size);
    let sound = draft.b.broadcast_scalar(sound, &Shape::vector(memory));
    let zero = draft.number(0.0, coder.dtype);
    let none = draft.b.broadcast_scalar(zero, &Shape::vector(memory));
    draft.b.select(sound, gamma, none)
}

/// Forgets the pairs: `y = λ − ρW Bz` is what would have led to λ and z at this ρ.
fn restart(it: &Iteration, coder: &mut Coder, numbers: &Numbers, rows: &[Rows]) -> Vec<Stmt> {
    let mut all = Vec::new();
    let mut draft = coder.draft("restart");
    let zero = draft.number(0.0, coder.dtype);
    for state in [numbers.count, numbers.slot, numbers.pending] {
        draft.write(coder, state, zero);
    }
    all.push(coder.call(draft, None, "accelerate"));
    for (coupling, own) in it.split.couplings.iter().zip(rows) {
        let mut draft = coder.draft("restart");
        let y = it.pull_behind(coder, &mut draft, coupling);
        draft.write(coder, own.y, y);
        all.push(coder.call(draft, None, "accelerate"));
    }
    all
}
