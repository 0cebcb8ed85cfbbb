//! Plan → [`Schedule`]: programs on the tape, the loop nest, stopping tests.
//!
//! [`admm`] writes one iteration from the steps ([`quadratic`], [`prox`], [`linearised`],
//! [`gradient`], [`search`], [`lbfgs`], [`newton`], [`composite`], [`fista`], [`curved`], [`given`]), [`residuals`]
//! the stopping test, [`adapt`] the changes of ρ, [`anderson`] the acceleration, [`certificate`] the
//! proofs that there is no solution, [`descent`] the baselines on the unsplit problem,
//! [`game`] the epochs and batches around them, [`verdict`] the re-check of the answer; [`merge`] joins
//! neighbouring calls into one program, [`carry`] begins a schedule where another ended.

mod adapt;
mod admm;
mod anderson;
mod bound;
mod carry;
mod certificate;
mod coder;
mod composite;
mod curved;
mod descent;
mod direction;
mod fista;
mod game;
mod given;
mod gradient;
mod inexact;
pub mod ir;
mod lbfgs;
mod linearised;
mod merge;
mod newton;
mod noise;
mod point;
mod print;
mod prox;
mod quadratic;
mod residuals;
mod rows;
mod sample;
mod search;
mod start;
#[cfg(test)]
mod tests;
mod values;
mod verdict;
mod verify;
mod violation;

pub use anderson::EVERY as ACCELERATED_EVERY;
pub use carry::{Carried, Factors, carried};
pub use ir::Schedule;
pub use start::{matched, of as start, warm};
pub use verify::verify;

use crate::model::Model;
use crate::model::ir::{Expr, ExprKind, Leaf, Member, PlayerId, Solve, SolveBody, VarId, VarKind};
use crate::split::Split;
use crate::steps::Plan;
use crate::steps::ir::{AdmmPlan, MethodPlan};
use crate::tape::Value;
use coder::Coder;
use ir::{Due, LoopStmt, LoopUnit, Published, RecordStmt, Role, Stmt, Verdict, Watched};

/// Elements of data and variables up to which every iteration is recorded; above, every tenth, since
/// a record evaluates the objective.
const RECORD_ALWAYS: usize = 1 << 14;

/// Tolerance of L-BFGS and Newton's method as a baseline where none is written: below it f64 line searches find
/// nothing.
const SEARCHED_TOL: f64 = 1e-8;

/// The heading of what makes factors, by which [`carry`] knows it.
const FACTORISE: &str = "factorise";

/// Builds the schedule of a solve block.
///
/// # Errors
/// Why the schedule is not well-formed: a combination that no rule foresaw. Executors rely on
/// [`verify`], so nothing else is ever handed to one.
pub fn build(model: &Model, split: &Split, plan: &Plan, solve: &Solve) -> Result<Schedule, String> {
    let mut coder = Coder::new(model, split, &solve.name, solve.precision, solve.stable);
    // Every variable has a state, in order of declaration, whether a method moves it or not.
    coder.out.variables =
        (0..model.vars.len()).map(|at| coder.leaf(Leaf::Var(VarId(at as u32), Member::None))).collect();
    // ρ starts as the plan says, whoever reads it first.
    for method in &plan.methods {
        if let MethodPlan::Admm(admm) = method {
            let name = coder.prefixed(admm.player.index(), "ρ");
            let rho = coder.scalar(&name, admm.rho);
            if !coder.out.rho.contains(&rho) {
                coder.out.rho.push(rho);
            }
        }
    }
    let mut tail = Vec::new();
    let (body, verdict) = match (&solve.body, plan.methods.first()) {
        (SolveBody::Game(steps), _) => (game::body(&mut coder, steps, plan), game_verdict(&mut coder)),
        (SolveBody::Method(_), Some(MethodPlan::Admm(admm))) => split_body(&mut coder, admm, &mut tail),
        (SolveBody::Method(_), Some(MethodPlan::Descent { player, descent })) => {
            descent_body(&mut coder, *player, descent, &mut tail)
        }
        (SolveBody::Method(_), None) => unreachable!("a method has a plan, or an error stopped before (steps::choose)"),
    };
    let mut results = results(&mut coder, plan);
    let (values, calls) = values::published(&mut coder);
    results.extend(values);
    let mut schedule = coder.out;
    schedule.body = coder.setup;
    schedule.body.extend(body);
    schedule.tail = tail;
    schedule.results = results;
    schedule.verdict = verdict;
    schedule.verdict.gathers.extend(calls);
    let schedule = merge::merge(schedule);
    verify(&schedule)?;
    Ok(schedule)
}

fn split_body(coder: &mut Coder, plan: &AdmmPlan, tail: &mut Vec<Stmt>) -> (Vec<Stmt>, Verdict) {
    let split = &coder.split.players[plan.player.index()];
    let mut it = admm::Iteration::new(coder, split, plan);
    copies_begin(coder, &it);
    let exprs: Vec<_> = coder.model.players[plan.player.index()].terms.iter().map(|term| term.expr.clone()).collect();
    let samples = sample::redrawn(coder, &exprs);
    let mut body = sample::draws(coder, &samples);
    body.extend(it.body(coder));
    if !plan.is_tested() {
        body.extend(adapt::statements(&it, coder, false));
        // ‖r‖² is not finite once anything is not.
        let mut values = vec![("primal²".to_string(), it.sums[0]), ("rho".to_string(), it.rho)];
        values.extend(noise::shown(coder, plan).map(|state| (noise::NAME.to_string(), state)));
        body.push(Stmt::Record(RecordStmt { values }));
    } else {
        let shown = residuals::test(&it, coder, &mut body);
        let mut row = Vec::new();
        let mut values = objectives(coder, &it, &mut row);
        if split.is_split() {
            let tested = [("primal", shown.primal), ("dual", shown.dual), ("rho", it.rho)];
            values.extend(tested.map(|(name, state)| (name.to_string(), state)));
        }
        row.push(Stmt::Record(RecordStmt { values }));
        body.push(recorded(coder, row));
        body.extend(shown.stop);
        if certificate::applies(plan) {
            body.extend(certificate::statements(&it, coder));
            coder.out.certificate = Some(certificate::published(&it, coder));
        }
        if split.is_split() {
            body.extend(adapt::statements(&it, coder, true));
            coder.out.penalty = adapt::published(&it);
            // What is nonexpansive goes astray where there is no solution alone, which has a proof, and then
            // acceleration makes it leap.
            coder.out.watched = (!plan.is_nonexpansive()).then_some(Watched::Residuals);
        }
    }
    copies_end(coder, &it, tail);
    for step in plan.steps() {
        tail.extend(quadratic::multipliers(&it, coder, step));
    }
    let verdict = verdict::admm(coder, &it);
    let count = plan.settings.iterations;
    (vec![Stmt::Loop(LoopStmt { count, unit: LoopUnit::Iteration, body })], verdict)
}

/// A variable of the compiler's own begins at what it stands for.
fn copies_begin(coder: &mut Coder, it: &admm::Iteration) {
    for (var, coupling, stands_for) in it.split.introduced(coder.model) {
        let member = coupling.over.is_some();
        let state = coder.leaf(Leaf::Var(var, if member { Member::Loop } else { Member::None }));
        let mut draft = coder.draft("begin");
        let dtype = coder.dtype;
        let (values, _) = coder.lower(&mut draft, std::slice::from_ref(stands_for), dtype, &mut coder::as_is);
        draft.write(coder, ir::Arg { state, member }, values[0]);
        let call = coder.call(draft, coupling.over, "begin");
        coder.setup.push(call);
    }
}

/// A variable that must lie in a set that is not convex, or in the domain of a function, ends where its copy
/// does: there, and not near it. (Of convex sets the copy is no better an answer, as the other constraints
/// hold at the variable.)
fn copies_end(coder: &mut Coder, it: &admm::Iteration, tail: &mut Vec<Stmt>) {
    for (var, coupling, stands_for) in it.split.introduced(coder.model) {
        let ExprKind::Leaf(original @ Leaf::Var(_, Member::None)) = stands_for.kind else { continue };
        let strict = it.plan.z.iter().any(|step| step.component.vars == [var] && step.rule.is_strict());
        if !strict || coupling.over.is_some() {
            continue;
        }
        let (from, to) = (coder.leaf(Leaf::Var(var, Member::None)), coder.leaf(original));
        let mut draft = coder.draft("end");
        let value = draft.read(coder, from);
        draft.write(coder, to, value);
        tail.push(coder.call(draft, None, "end"));
    }
}

/// `f(x) + g(z)` and, where the copies can be eliminated, the objective at the variables kept.
fn objectives(coder: &mut Coder, it: &admm::Iteration, row: &mut Vec<Stmt>) -> Vec<(String, ir::StateId)> {
    let plain = total(coder, it, "objective", row, |coder, draft, exprs, _| {
        let dtype = coder.dtype;
        coder.lower(draft, exprs, dtype, &mut coder::as_is).0
    });
    let mut shown = vec![plain];
    if it.split.is_split() && it.split.whole.is_ok() {
        let unsplit = descent::Unsplit::new(it.split);
        shown.push(total(coder, it, ir::UNSPLIT, row, |coder, draft, exprs, over| {
            unsplit.values(coder, draft, exprs, over)
        }));
    }
    shown
}

/// The sum of a player's terms in a state of that name: those of a family are added member by member, so that
/// no program grows with the family.
fn total(
    coder: &mut Coder,
    it: &admm::Iteration,
    name: &str,
    row: &mut Vec<Stmt>,
    mut values: impl FnMut(&mut Coder, &mut coder::Draft, &[Expr], Option<usize>) -> Vec<Value>,
) -> (String, ir::StateId) {
    let player = &coder.model.players[it.plan.player.index()];
    let sign = if player.maximize { -1.0 } else { 1.0 };
    let state = coder.scalar(name, 0.0);
    let mut families: Vec<Option<usize>> = player.terms.iter().map(|term| term.over.map(|over| over.count)).collect();
    families.push(None);
    families.sort_unstable();
    families.dedup();
    for over in families {
        let own = player.terms.iter().filter(|term| term.over.map(|over| over.count) == over);
        let exprs: Vec<Expr> = own.map(|term| term.expr.clone()).collect();
        let mut draft = coder.draft(name);
        let values = values(coder, &mut draft, &exprs, over);
        let mut sum = gradient::total(&mut draft, &values, coder.dtype);
        sum = draft.b.scale(sign, sum);
        if over.is_some() {
            let so_far = draft.read(coder, state);
            sum = draft.b.add(so_far, sum);
        }
        draft.write(coder, state, sum);
        row.push(coder.call(draft, over, "record"));
    }
    (name.to_string(), state)
}

/// Statements of a record, on the iterations that are recorded.
fn recorded(coder: &Coder, body: Vec<Stmt>) -> Stmt {
    let data: usize = coder.model.data.iter().map(|data| data.tensor.numel()).sum();
    let vars: usize = coder.model.vars.iter().map(|var| var.shape.numel() * var.family.unwrap_or(1)).sum();
    let every = if data + vars <= RECORD_ALWAYS { 1 } else { 10 };
    Stmt::When { when: Due::Every(every, LoopUnit::Iteration), body }
}

fn descent_body(
    coder: &mut Coder,
    player: PlayerId,
    descent: &crate::model::ir::Descent,
    tail: &mut Vec<Stmt>,
) -> (Vec<Stmt>, Verdict) {
    let split = &coder.split.players[player.index()];
    let mut descent = descent.clone();
    if descent.is_searched() {
        descent.tol = descent.tol.or(Some(SEARCHED_TOL));
    }
    let unsplit = descent::Unsplit::new(split);
    let samples = sample::redrawn(coder, &unsplit.terms(coder));
    let steps = descent::steps(coder, split, &descent, true);
    let mut body = sample::draws(coder, &samples);
    body.extend(steps.body);
    let stop = body.iter().position(|stmt| matches!(stmt, Stmt::Stop { .. }));
    let (mut row, value) = written(coder, player, steps.value);
    row.push(Stmt::Record(RecordStmt { values: vec![("objective".to_string(), value)] }));
    let record = recorded(coder, row);
    coder.out.watched = Some(Watched::Objective);
    // The row that ends a run belongs to it: it is written before the test.
    match stop {
        Some(at) if !descent.is_searched() => body.insert(at, record),
        _ => body.push(record),
    }
    let mut all = steps.begin;
    all.push(Stmt::Loop(LoopStmt { count: descent.steps, unit: LoopUnit::Iteration, body }));
    tail.extend(unsplit.scatter(coder));
    let verdict = verdict::descent(coder, split, descent.tol);
    (all, verdict)
}

/// The objective in the sense that was written: a `maximize` was negated when it was read.
fn written(coder: &mut Coder, player: PlayerId, value: ir::StateId) -> (Vec<Stmt>, ir::StateId) {
    if !coder.model.players[player.index()].maximize {
        return (Vec::new(), value);
    }
    let shown = coder.scalar("objective", 0.0);
    let mut draft = coder.draft("objective");
    let negated = draft.read(coder, value);
    let negated = draft.b.neg(negated);
    draft.write(coder, shown, negated);
    (vec![coder.call(draft, None, "record")], shown)
}

/// A game has no single objective to be judged by; terms without random batches are still shown.
fn game_verdict(coder: &mut Coder) -> Verdict {
    let players = coder.model.players.len();
    let terms = (0..players).flat_map(|player| verdict::terms(coder, PlayerId(player as u32))).collect();
    Verdict { terms, ..Verdict::default() }
}

/// Variables, and the multipliers of the split iterations.
fn results(coder: &mut Coder, plan: &Plan) -> Vec<Published> {
    let mut results = Vec::new();
    for (at, var) in coder.model.vars.iter().enumerate() {
        let id = VarId(at as u32);
        let written = &coder.model.players[var.player.index()].written;
        // A variable of the compiler's own is no result.
        if written.as_ref().is_some_and(|written| !written.vars.contains(&id)) {
            continue;
        }
        let state = coder.leaf(Leaf::Var(id, Member::None));
        let role = match var.kind {
            VarKind::Params(net) => Role::Network(
                coder.model.nets[net.index()]
                    .entries
                    .iter()
                    .map(|entry| (format!("{}.{}", entry.layer, entry.name), entry.offset, entry.shape.0.clone()))
                    .collect(),
            ),
            VarKind::Real | VarKind::Symmetric => Role::Variable,
        };
        results.push(Published { name: coder.out.state(state).name.clone(), state, role });
    }
    for method in &plan.methods {
        let MethodPlan::Admm(admm) = method else { continue };
        let couplings = coder.split.players[admm.player.index()].couplings.iter().map(|coupling| coupling.constraint);
        let kept = admm.steps().filter(|step| step.rule.keeps_equations());
        let kept = kept.flat_map(|step| step.component.constraints.iter().copied());
        for constraint in couplings.chain(kept) {
            let state = coder.leaf(Leaf::Dual(admm.player, constraint, Member::None));
            let name = coder.out.state(state).name.clone();
            if results.iter().all(|published: &Published| published.name != name) {
                results.push(Published { name, state, role: Role::Dual });
            }
        }
    }
    results
}
