//! Certificates that a convex problem has no solution, looked for in how the iterates move (Banjac,
//! Goulart, Stellato & Boyd 2019).
//!
//! Every exact quadratic x-step ends with `Px + p + Aᵀλ̂ + Eᵀν = 0`. So the difference `y` of two λ̂ leaves
//! `Aᵀy + PΔx` in the range of `Eᵀ`, and where `PΔx = 0`, ⟨y, Ax⟩ is the same for every x with `Ex = e`.
//!
//! ```text
//! primal:  ⟨y, Ax − c⟩ > sup { ⟨−Bᵀy, z⟩ : g(z) < ∞ } + ‖PΔx‖ ‖x‖        no x and z meet Ax + Bz = c
//! dual:    F(x + tΔx) falls like t, and no constraint is left along the way     F is unbounded below
//! ```
//!
//! Both are looked at every [`EVERY`] iterations, with the differences since the last look. The first is a
//! proof up to rounding, whatever y is; the second follows the ray to where x is forgotten.

use super::admm::{Cotangent, Iteration, point};
use super::coder::{Coder, Draft, summed};
use super::gradient;
use super::ir::{Certificate, Due, LoopUnit, StateId, Stmt, StopStatus};
use super::{prox, violation};
use crate::model::ir::{Expr, Leaf, Member, VarId};
use crate::steps::ir::{AdmmPlan, Rule};
use crate::tape::ir::{Binary, Unary};
use crate::tape::{self, Value};

/// Iterations between two looks.
pub(super) const EVERY: usize = 50;

/// How far, relative to what it is made of, an inequality must be from an equation to be believed.
const MARGIN: f64 = 1e-6;

/// How many times its own length x goes along the ray.
const FAR: f64 = 1e6;

/// Whether certificates are looked for: quadratic x-steps, derived ones all, a convex problem, a stopping test, no family.
pub(super) fn applies(plan: &AdmmPlan) -> bool {
    plan.is_tested()
        && plan.convex
        && plan.steps().all(|step| step.component.over.is_none())
        && plan.steps().all(|step| step.given.is_none())
        && plan.x.iter().all(|step| matches!(step.rule, Rule::Quadratic { .. }))
}

/// What a found certificate is read from.
pub(super) fn published(it: &Iteration, coder: &mut Coder) -> Certificate {
    let couplings = it.split.couplings.iter().enumerate();
    let rows = couplings.map(|(at, coupling)| (coupling.name.clone(), state(it, coder, at))).collect();
    let player = &coder.model.players[it.plan.player.index()];
    let moving = player.source().0.iter().filter(|var| it.split.x.vars.contains(var));
    let moves = moving.map(|&var| {
        let (now, kept) = variable(coder, var);
        (coder.model.vars[var.index()].name.clone(), now, kept)
    });
    Certificate { rows, moves: moves.collect(), gap: scalar(it, coder, "gap"), fall: scalar(it, coder, "fall") }
}

fn scalar(it: &Iteration, coder: &mut Coder, name: &str) -> StateId {
    let name = coder.prefixed(it.plan.player.index(), name);
    coder.scalar(&name, 0.0)
}

/// The certificate of a coupling's rows.
fn state(it: &Iteration, coder: &mut Coder, coupling: usize) -> StateId {
    let coupling = &it.split.couplings[coupling];
    let name = coder.prefixed(it.plan.player.index(), &format!("certificate.{}", coupling.name));
    coder.zeros(&name, coupling.shape.clone(), coupling.over)
}

/// The statements of a look.
pub(super) fn statements(it: &Iteration, coder: &mut Coder) -> Vec<Stmt> {
    let mut body = Vec::new();
    let scalars = ["infeasible", "unbounded"].map(|name| scalar(it, coder, name));
    differences(it, coder, &mut body);
    primal(it, coder, scalars[0], &mut body);
    dual(it, coder, scalars[1], &mut body);
    for (when, status) in scalars.into_iter().zip([StopStatus::PrimalInfeasible, StopStatus::DualInfeasible]) {
        body.push(Stmt::Stop { when, status });
    }
    // Behind the stops: what was kept is then still where the ray begins.
    keep(it, coder, &mut body);
    vec![Stmt::When { when: Due::Every(EVERY, LoopUnit::Iteration), body }]
}

/// `y = λ̂ − λ̂ kept`, of length 1 over all couplings.
fn differences(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) {
    let mut draft = coder.draft("differences");
    let mut rows = Vec::new();
    let mut square = draft.number(0.0, coder.dtype);
    for at in 0..it.split.couplings.len() {
        let (now, before) = balanced(it, coder, at);
        let (now, before) = (draft.read(coder, now), draft.read(coder, before));
        let y = draft.b.sub(now, before);
        let own = draft.b.sum_squares(y);
        square = draft.b.add(square, own);
        rows.push(y);
    }
    let norm = draft.b.unary(Unary::Sqrt, square);
    let one = draft.number(1.0, coder.dtype);
    let length = draft.b.select(norm, norm, one);
    for (at, y) in rows.into_iter().enumerate() {
        let y = draft.b.div(y, length);
        let state = state(it, coder, at);
        draft.write(coder, state, y);
    }
    let length_state = length_of_difference(it, coder);
    draft.write(coder, length_state, norm);
    body.push(coder.call(draft, None, "certificates"));
}

fn length_of_difference(it: &Iteration, coder: &mut Coder) -> StateId {
    scalar(it, coder, "‖Δλ̂‖")
}

/// λ̂ and what it was at the last look.
fn balanced(it: &Iteration, coder: &mut Coder, coupling: usize) -> (StateId, StateId) {
    let coupling = &it.split.couplings[coupling];
    let mut beside = |what: &str| {
        let name = coder.prefixed(it.plan.player.index(), &format!("{what}.{}", coupling.name));
        coder.zeros(&name, coupling.shape.clone(), coupling.over)
    };
    (beside("λ̂"), beside("λ̂ kept"))
}

/// A variable and what it was at the last look.
fn variable(coder: &mut Coder, var: VarId) -> (StateId, StateId) {
    let state = coder.leaf(Leaf::Var(var, Member::None));
    let (name, shape) = (coder.out.state(state).name.clone(), coder.out.state(state).ty.shape.clone());
    (state, coder.zeros(&format!("{name} kept"), shape, None))
}

fn keep(it: &Iteration, coder: &mut Coder, body: &mut Vec<Stmt>) {
    let mut draft = coder.draft("keep");
    let mut pairs: Vec<(StateId, StateId)> = (0..it.split.couplings.len()).map(|at| balanced(it, coder, at)).collect();
    pairs.extend(it.split.x.vars.iter().map(|&var| variable(coder, var)));
    for (now, kept) in pairs {
        let value = draft.read(coder, now);
        draft.write(coder, kept, value);
    }
    body.push(coder.call(draft, None, "certificates"));
}

/// The first inequality.
fn primal(it: &Iteration, coder: &mut Coder, flag: StateId, body: &mut Vec<Stmt>) {
    let mut draft = coder.draft("infeasible");
    let dtype = coder.dtype;
    let zero = draft.number(0.0, dtype);
    // ⟨y, Ax − c⟩, and the size of what is in it.
    let (mut reach, mut size) = (zero, zero);
    for (at, coupling) in it.split.couplings.iter().enumerate() {
        let y = state(it, coder, at);
        let y = draft.read(coder, y);
        let rows = it.rows(coder, &mut draft, coupling, dtype);
        let own = rows.add_offset(&mut draft, rows.x);
        let product = draft.b.dot(y, own);
        reach = draft.b.add(reach, product);
        for part in [rows.x, rows.z] {
            let square = draft.b.sum_squares(part);
            size = draft.b.add(size, square);
        }
        if let Some(offset) = rows.offset {
            let square = draft.b.sum_squares(offset);
            size = draft.b.add(size, square);
        }
    }
    let size = draft.b.unary(Unary::Sqrt, size);
    // sup ⟨−Bᵀy, z⟩ over the domain of each step of z.
    let mut most = zero;
    for step in &it.plan.z {
        let w = it.adjoint(coder, &mut draft, step, Cotangent::Certificate, dtype, body);
        let w = draft.b.neg(w);
        let own = match &step.rule {
            Rule::Prox(form) => {
                let values = point(coder, &mut draft, &step.component.vars, None).values;
                prox::support(it, coder, &mut draft, step, form, &values, w)
            }
            // Defined everywhere: any direction at all is too much.
            Rule::Quadratic { .. } | Rule::Linearised(_) | Rule::Descent(_) | Rule::Composite(_) => {
                let square = draft.b.sum_squares(w);
                draft.b.scale(FAR * FAR, square)
            }
        };
        most = draft.b.add(most, own);
    }
    // ‖PΔx‖ ‖x‖, per length of Δλ̂.
    let mut bent = zero;
    for step in &it.plan.x {
        let own = point(coder, &mut draft, &step.component.vars, None);
        let kept: Vec<Value> = step
            .component
            .vars
            .iter()
            .map(|&var| {
                let (_, kept) = variable(coder, var);
                draft.read(coder, kept)
            })
            .collect();
        let slopes: Vec<Value> = [&own.values, &kept]
            .map(|values| {
                let value = gradient::objective(it, coder, &mut draft, step, values, dtype);
                let parts = tape::gradient(&mut draft.b, value, values);
                draft.flat(&parts)
            })
            .into();
        let change = draft.b.sub(slopes[0], slopes[1]);
        let x = draft.flat(&own.values);
        let (change, x) = (draft.b.norm2(change), draft.b.norm2(x));
        let product = draft.b.mul(change, x);
        bent = draft.b.add(bent, product);
    }
    let length = length_of_difference(it, coder);
    let length = draft.read(coder, length);
    let allowed = draft.b.scale(MARGIN, size);
    let gap = draft.b.sub(reach, most);
    let shown = scalar(it, coder, "gap");
    draft.write(coder, shown, gap);
    let gap = draft.b.sub(gap, allowed);
    let gap = draft.b.mul(gap, length);
    let infeasible = draft.b.binary(Binary::Less, bent, gap);
    draft.write(coder, flag, infeasible);
    body.push(coder.call(draft, None, "certificates"));
}

/// The second: the problem as written along the ray.
fn dual(it: &Iteration, coder: &mut Coder, flag: StateId, body: &mut Vec<Stmt>) {
    let mut draft = coder.draft("unbounded");
    let dtype = coder.dtype;
    let player = &coder.model.players[it.plan.player.index()];
    let (vars, terms, constraints) = player.source();
    let zero = draft.number(0.0, dtype);
    let mut moved = zero;
    let mut length = zero;
    let mut pairs = Vec::new();
    for &var in vars.iter().filter(|var| it.split.x.vars.contains(var)) {
        let (now, kept) = variable(coder, var);
        let (now, kept) = (draft.read(coder, now), draft.read(coder, kept));
        let step = draft.b.sub(now, kept);
        let (own, x) = (draft.b.sum_squares(step), draft.b.sum_squares(now));
        moved = draft.b.add(moved, own);
        length = draft.b.add(length, x);
        pairs.push((var, now, step));
    }
    let (moved, length) = (draft.b.unary(Unary::Sqrt, moved), draft.b.unary(Unary::Sqrt, length));
    let one = draft.number(1.0, dtype);
    let divisor = draft.b.select(moved, moved, one);
    let far = draft.b.scale(FAR, length);
    let t = draft.b.div(far, divisor);
    let ends: Vec<(VarId, Value, Value)> = pairs
        .into_iter()
        .map(|(var, now, step)| {
            let way = draft.b.mul(t, step);
            (var, now, draft.b.add(now, way))
        })
        .collect();
    let at = |coder: &mut Coder, draft: &mut Draft, exprs: &[Expr], end: bool| -> Vec<Value> {
        let mut there = |_: &mut Coder, draft: &mut Draft, leaf: Leaf| {
            let Leaf::Var(var, member) = leaf else { return None };
            let &(_, now, far) = ends.iter().find(|(own, ..)| *own == var)?;
            let value = if end { far } else { now };
            Some(if let Member::At(k) = member { draft.member(value, k) } else { value })
        };
        coder.lower(draft, exprs, dtype, &mut there).0
    };
    // F falls by more than a share of its slope along the way.
    let exprs: Vec<Expr> = terms.iter().map(|term| summed(&term.expr, term.over)).collect();
    let here = at(coder, &mut draft, &exprs, false);
    let there = at(coder, &mut draft, &exprs, true);
    let (here, there) = (gradient::total(&mut draft, &here, dtype), gradient::total(&mut draft, &there, dtype));
    let fall = draft.b.sub(here, there);
    let travelled = draft.b.mul(t, moved);
    let steep = draft.quotient(fall, travelled);
    let shown = scalar(it, coder, "fall");
    draft.write(coder, shown, steep);
    let slope = it.plan.steps().map(|step| step.linear_square()).sum::<f64>().sqrt();
    let enough = draft.b.mul(t, moved);
    let enough = draft.b.scale(slope * MARGIN.sqrt(), enough);
    let mut holds = draft.b.binary(Binary::Less, enough, fall);
    let travels = draft.b.binary(Binary::Less, zero, enough);
    holds = draft.b.mul(holds, travels);
    // No constraint is left: what it is off by at the end is nothing beside how far it went.
    for constraint in constraints {
        let exprs = violation::exprs(&constraint.relation);
        let off = |coder: &mut Coder, draft: &mut Draft, end: bool| {
            let values = at(coder, draft, &exprs, end);
            let off = violation::of(draft, &constraint.relation, &values);
            (values[0], draft.b.norm2(off))
        };
        let (start, before) = off(coder, &mut draft, false);
        let (end, after) = off(coder, &mut draft, true);
        let way = draft.b.sub(end, start);
        let way = draft.b.norm2(way);
        let bound = draft.b.scale(MARGIN.sqrt(), way);
        let before = draft.b.scale(2.0, before);
        let bound = draft.b.add(bound, before);
        let within = draft.b.binary(Binary::LessEqual, after, bound);
        holds = draft.b.mul(holds, within);
    }
    draft.write(coder, flag, holds);
    body.push(coder.call(draft, None, "certificates"));
}
