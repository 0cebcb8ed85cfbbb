//! The stopping test: primal and dual residuals in original units, relative to what they are made of.
//!
//! ```text
//! ‖r‖ ≤ ε max(√p γ_p, ‖Ax‖, ‖Bz‖, ‖c‖)        ‖s‖ ≤ ε max(√n γ_d, ‖(Mᵀλ, p)‖)   for each block
//! ```
//!
//! An exact x-step leaves `s = ρAᵀ[B(z⁺ − z) + (α−1)(Ax⁺ + Bz − c)]`, an exact z-step 0; an inexact
//! or stated step leaves the gradient at the point returned, `∇h(v) + Mᵀλ`, on top. p is the linear part of the block's terms. γ_p and γ_d are the scale of the
//! data: `‖c‖∞`, else the first terms; the first multipliers, or the gradient at the start.

use super::admm::{Cotangent, Iteration, Side, add_square};
use super::coder::{Coder, Draft};
use super::ir::{StateId, Stmt, StopStatus};
use super::{composite, gradient, quadratic, verdict};
use crate::steps::ir::{Rule, Step};
use crate::tape::ir::{Binary, Unary};
use crate::tape::{self, Dtype, Value};

/// Roundings of `ρAx` that a first multiplier must be above to be a scale.
const ROUNDING: f64 = 16.0;

/// The states a record shows.
pub(super) struct Shown {
    pub primal: StateId,
    pub dual: StateId,
    /// What leaves the loop, where there is a tolerance.
    pub stop: Option<Stmt>,
}

/// `‖s‖², ‖Mᵀλ‖² + ‖p‖²` of a block.
struct Block {
    residual: StateId,
    scale: StateId,
    n: usize,
}

/// Statements that compute the residuals, and the test that leaves the loop when they pass.
pub(super) fn test(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) -> Shown {
    let player = it.plan.player.index();
    let mut blocks = Vec::new();
    for (side, steps) in [(Side::X, &it.plan.x), (Side::Z, &it.plan.z)] {
        let name = if side == Side::X { "x" } else { "z" };
        let block = Block {
            residual: named(coder, player, &format!("s².{name}")),
            scale: named(coder, player, &format!("Mᵀλ².{name}")),
            n: steps.iter().map(|step| step.gram.n() * step.component.over.unwrap_or(1)).sum(),
        };
        let linear = steps.iter().map(|step| step.linear_square()).sum();
        let mut zero = coder.draft("zero");
        for (state, start) in [(block.residual, 0.0), (block.scale, linear)] {
            let start = zero.number(start, coder.dtype);
            zero.write(coder, state, start);
        }
        body.push(coder.call(zero, None, "residuals"));
        for step in steps {
            component(it, coder, step, side, &block, body);
        }
        blocks.push(block);
    }
    let curved: Vec<&Step> = it.plan.steps().filter(|step| step.curved).collect();
    begin(it, coder, &curved);
    decide(it, coder, &blocks, body)
}

/// Where a coupling is not linear, the first multipliers may be as large as ρ: there γ_d is the gradient of the
/// step's own terms at the start.
fn begin(it: &Iteration, coder: &mut Coder, curved: &[&Step]) {
    if curved.is_empty() {
        return;
    }
    let mut draft = coder.draft("begin");
    let gamma = named(coder, it.plan.player.index(), "γd");
    let mut largest = draft.number(0.0, coder.dtype);
    for step in curved {
        let point = super::admm::point(coder, &mut draft, &step.component.vars, None);
        let value = gradient::objective(it, coder, &mut draft, step, &point.values, coder.dtype);
        let gradients = tape::gradient(&mut draft.b, value, &point.values);
        let flat = draft.flat(&gradients);
        let norm = draft.b.norm2(flat);
        let per_entry = draft.b.scale(1.0 / (step.gram.n().max(1) as f64).sqrt(), norm);
        largest = draft.b.binary(Binary::Max, largest, per_entry);
    }
    draft.write(coder, gamma, largest);
    let call = coder.call(draft, None, "begin");
    coder.setup.push(call);
}

fn named(coder: &mut Coder, player: usize, name: &str) -> StateId {
    let name = coder.prefixed(player, name);
    coder.scalar(&name, 0.0)
}

/// Adds one component's part to its block.
fn component(it: &Iteration, coder: &mut Coder, step: &Step, side: Side, block: &Block, body: &mut Vec<Stmt>) {
    let over = step.component.over;
    let mut draft = coder.draft("residual");
    if step.given.is_some() {
        return stated(it, coder, draft, step, block, body);
    }
    let multiplier = it.adjoint(coder, &mut draft, step, Cotangent::Multiplier, coder.dtype, body);
    let residual = match (&step.rule, side) {
        (Rule::Quadratic { .. } | Rule::Prox(_), Side::Z) => {
            quadratic::left(it, coder, step).map(|left| draft.read(coder, left))
        }
        (Rule::Quadratic { .. } | Rule::Prox(_), Side::X) => {
            // Its own draft: a gathered sum is one state, and the multiplier's uses it here.
            add_square(coder, &mut draft, block.scale, multiplier);
            body.push(coder.call(draft, over, "residuals"));
            draft = coder.draft("residual");
            let mut shift = it.adjoint(coder, &mut draft, step, Cotangent::Shift, coder.dtype, body);
            if let Some(left) = quadratic::left(it, coder, step) {
                let left = draft.read(coder, left);
                shift = draft.b.add(shift, left);
            }
            add_square(coder, &mut draft, block.residual, shift);
            body.push(coder.call(draft, over, "residuals"));
            return;
        }
        (Rule::Linearised(_), _) => {
            let state = super::linearised::balanced(it, coder, step);
            let balanced = draft.read(coder, state);
            Some(draft.b.sub(multiplier, balanced))
        }
        (Rule::Composite(rule), _) => Some(composite::residual(it, coder, &mut draft, step, rule, multiplier)),
        (Rule::Descent(_), _) => {
            let point = super::admm::point(coder, &mut draft, &step.component.vars, over);
            let value = gradient::objective(it, coder, &mut draft, step, &point.values, coder.dtype);
            let gradients = tape::gradient(&mut draft.b, value, &point.values);
            let flat = draft.flat(&gradients);
            Some(draft.b.add(flat, multiplier))
        }
    };
    add_square(coder, &mut draft, block.scale, multiplier);
    if let Some(residual) = residual {
        add_square(coder, &mut draft, block.residual, residual);
    }
    body.push(coder.call(draft, over, "residuals"));
}

/// Of a stated update nothing is known: what it leaves is what the answer's re-check computes, in doubles.
fn stated(it: &Iteration, coder: &mut Coder, mut draft: Draft, step: &Step, block: &Block, body: &mut Vec<Stmt>) {
    let own = super::admm::point(coder, &mut draft, &step.component.vars, None);
    let values: Vec<Value> = own.values.iter().map(|&value| draft.b.cast(value, Dtype::F64)).collect();
    let multiplier = it.adjoint(coder, &mut draft, step, Cotangent::Multiplier, Dtype::F64, body);
    let residual = verdict::left(coder, it, step, &mut draft, &values, multiplier);
    for (sum, value) in [(block.scale, multiplier), (block.residual, residual)] {
        let value = draft.b.cast(value, coder.dtype);
        add_square(coder, &mut draft, sum, value);
    }
    body.push(coder.call(draft, None, "residuals"));
}

fn decide(it: &Iteration, coder: &mut Coder, blocks: &[Block], body: &mut Vec<Stmt>) -> Shown {
    let player = it.plan.player.index();
    let rows: usize = it.split.couplings.iter().map(|c| c.shape.numel() * c.over.unwrap_or(1)).sum();
    let largest = it.split.couplings.iter().flat_map(|c| &c.offset).fold(0.0f64, |largest, x| largest.max(x.abs()));
    let norm_c = it
        .split
        .couplings
        .iter()
        .map(|c| c.offset.iter().map(|x| x * x).sum::<f64>() * c.over.unwrap_or(1) as f64)
        .sum::<f64>()
        .sqrt();
    let mut shown = Shown { primal: named(coder, player, "primal"), dual: named(coder, player, "dual"), stop: None };
    let gamma_p = coder.prefixed(player, "γp");
    let gamma_p = coder.scalar(&gamma_p, largest);
    let gamma_d = named(coder, player, "γd");
    let done = named(coder, player, "done");

    let mut draft = coder.draft("test");
    let root = |draft: &mut Draft, state: StateId| {
        let square = draft.read(coder, state);
        draft.b.unary(Unary::Sqrt, square)
    };
    let [r, ax, bz] = [it.sums[0], it.sums[1], it.sums[2]].map(|state| root(&mut draft, state));
    let pairs: Vec<(Value, Value, f64)> = blocks
        .iter()
        .map(|block| (root(&mut draft, block.residual), root(&mut draft, block.scale), (block.n as f64).sqrt()))
        .collect();
    let terms = draft.b.binary(Binary::Max, ax, bz);
    // The scales are set by the first iteration where the data leave them open.
    let first = |draft: &mut Draft, state: StateId, value: Value| {
        let known = draft.read(coder, state);
        let set = draft.b.select(known, known, value);
        draft.write(coder, state, set);
        set
    };
    // A problem without couplings has no rows, and no residual either.
    let per_row = draft.b.scale(1.0 / (rows.max(1) as f64).sqrt(), terms);
    let gamma_p = first(&mut draft, gamma_p, per_row);
    let mut dual = draft.number(0.0, coder.dtype);
    let mut largest_dual = draft.number(0.0, coder.dtype);
    for &(residual, scale, root_n) in &pairs {
        dual = draft.b.binary(Binary::Max, dual, residual);
        let per_entry = draft.b.scale(1.0 / root_n.max(1.0), scale);
        largest_dual = draft.b.binary(Binary::Max, largest_dual, per_entry);
    }
    // Multipliers that are rounding alone, as where copies agree after one step, are no scale.
    let rho = draft.read(coder, it.rho);
    let noise = draft.b.mul(rho, per_row);
    let noise = draft.b.scale(ROUNDING * coder.dtype.eps(), noise);
    let above = draft.b.binary(Binary::Less, noise, largest_dual);
    let zero = draft.number(0.0, coder.dtype);
    let told = draft.b.select(above, largest_dual, zero);
    let gamma_d = first(&mut draft, gamma_d, told);
    draft.write(coder, shown.primal, r);
    draft.write(coder, shown.dual, dual);
    let Some(tol) = it.plan.settings.tol else {
        body.push(coder.call(draft, None, "residuals"));
        return shown;
    };
    let c = draft.number(norm_c, coder.dtype);
    let terms = draft.b.binary(Binary::Max, terms, c);
    let absolute = draft.b.scale((rows as f64).sqrt(), gamma_p);
    let bound = draft.b.binary(Binary::Max, absolute, terms);
    let bound = draft.b.scale(tol, bound);
    let mut passed = draft.b.binary(Binary::LessEqual, r, bound);
    for &(residual, scale, root_n) in &pairs {
        let absolute = draft.b.scale(root_n, gamma_d);
        let bound = draft.b.binary(Binary::Max, absolute, scale);
        let bound = draft.b.scale(tol, bound);
        let own = draft.b.binary(Binary::LessEqual, residual, bound);
        passed = draft.b.mul(passed, own);
    }
    draft.write(coder, done, passed);
    body.push(coder.call(draft, None, "residuals"));
    shown.stop = Some(Stmt::Stop { when: done, status: StopStatus::Converged });
    shown
}
