//! E0507: a logarithm, a root, a quotient or a power whose argument can leave its domain, in a step that follows
//! gradients.
//!
//! ```text
//! log: x > 0     log1p: x > −1     √: x ≥ 0, slope infinite at 0     a/x: x ≠ 0     xᵖ: as p says
//! ```
//!
//! 1. Every term that such a step reads is lowered as it runs: in the working type, losses rewritten unless the
//!    solve block says `losses = literal`. What is rewritten is no longer there to be warned about.
//! 2. [`ranges`] says where the inputs lie: data between their least and greatest number, variables where the
//!    step keeps them.
//! 3. [`hulls`](crate::tape::hulls) says what each value lies between, and [`faults`] which functions that is
//!    too much for.
//! 4. [`message`] says it, with the argument from which a sigmoid or an exponential has rounded to its end.
//!
//! A step by a proximal map is left alone: the map of a barrier keeps to its domain. So is a barrier in a step
//! whose lengths are searched for, as long as it starts inside.

mod faults;
mod message;
mod ranges;

use super::ir::{MethodPlan, Plan, Rule};
use crate::diag::Diags;
use crate::model::ir::{Expr, PlayerId, Relation, Solve, Term, VarId};
use crate::model::{Lower, Model};
use crate::split::atoms::{self, Piece};
use crate::split::ir::Split;
use crate::tape::passes::stabilise;
use crate::tape::{Dtype, Hull, Program};
use faults::{Fault, Watched};
use ranges::Ranges;

/// A step that follows gradients.
struct Site {
    player: PlayerId,
    /// The variables it moves.
    vars: Vec<VarId>,
    /// Where it keeps them, where that is anywhere in particular.
    kept: Vec<(VarId, Hull)>,
    /// Whether step lengths are searched for, so that a barrier is never crossed.
    searched: bool,
}

/// How a solve block computes.
#[derive(Clone, Copy)]
struct Arithmetic {
    dtype: Dtype,
    stable: bool,
}

/// An expression as it runs, and what is looked at in it.
struct Run {
    program: Program,
    inputs: Vec<Hull>,
    watched: Vec<Watched>,
}

/// Adds warnings about what the steps of a plan compute.
pub(super) fn check(model: &Model, split: &Split, plan: &Plan, solve: &Solve, diags: &mut Diags) {
    let how = Arithmetic { dtype: solve.precision, stable: solve.stable };
    let ranges = Ranges::new(model);
    for method in &plan.methods {
        match method {
            MethodPlan::Descent { player, descent } => {
                let this = &model.players[player.index()];
                let (vars, terms, _) = this.source();
                let site =
                    Site { player: *player, vars: vars.to_vec(), kept: Vec::new(), searched: descent.is_searched() };
                terms.iter().for_each(|term| of_term(model, &ranges, &site, term, None, how, diags));
            }
            MethodPlan::Admm(plan) => {
                let this = &model.players[plan.player.index()];
                for step in plan.steps() {
                    let Some((terms, descent)) = step.followed() else { continue };
                    let vars = step.component.vars.clone();
                    let kept = match &step.rule {
                        Rule::Composite(it) => ranges::kept(model, &vars, &it.form),
                        _ => Vec::new(),
                    };
                    let site = Site { player: plan.player, vars, kept, searched: descent.is_searched() };
                    for &at in terms {
                        of_term(model, &ranges, &site, &this.terms[at], Some(at), how, diags);
                    }
                    let own = &split.players[plan.player.index()];
                    for (_, coupling) in own.couplings_of(&site.vars).filter(|(_, it)| it.is_curved_in(&site.vars)) {
                        let constraint = &this.constraints[coupling.constraint.index()];
                        if let Relation::Zero(expr) = &constraint.relation {
                            of_expr(model, &ranges, &site, expr, false, how, diags);
                        }
                    }
                }
            }
        }
    }
}

fn of_term(
    model: &Model,
    ranges: &Ranges,
    site: &Site,
    term: &Term,
    at: Option<usize>,
    how: Arithmetic,
    diags: &mut Diags,
) {
    // A function that goes to +∞ where it ends.
    let barrier = || {
        let at = at.or_else(|| model.players[site.player.index()].terms.iter().position(|own| own == term));
        at.is_some_and(|at| matches!(atoms::of_term(model, site.player, at), Piece::Atom(atom) if atom.ends()))
    };
    of_expr(model, ranges, site, &term.expr, site.searched && barrier(), how, diags);
}

fn of_expr(
    model: &Model,
    ranges: &Ranges,
    site: &Site,
    expr: &Expr,
    barrier: bool,
    how: Arithmetic,
    diags: &mut Diags,
) {
    let watched = faults::watched(expr);
    if watched.is_empty() {
        return;
    }
    let lowered = |stable: bool| {
        let mut lower = Lower::new(model, "domain", how.dtype);
        let value = lower.expr(expr);
        lower.b.output("value", value);
        let (program, leaves) = lower.finish();
        let program = if stable { stabilise(&program).0 } else { program };
        let inputs = leaves.iter().map(|&leaf| ranges.of(model, site, leaf, barrier)).collect();
        Run { program, inputs, watched: watched.clone() }
    };
    let run = lowered(how.stable);
    for fault in faults::of(&run) {
        let told = |span| diags.iter().any(|diag| diag.code == crate::diag::Code::Domain && diag.span() == span);
        if told(fault.watched.span) {
            continue;
        }
        let mended = !how.stable && !faults::of(&lowered(true)).iter().any(|other| other.is_at(&fault));
        let said = message::Said { model, site, how, run: &run, fault: &fault, starts: barrier, mended };
        diags.push(message::of(&said));
    }
}

impl Fault {
    fn is_at(&self, other: &Fault) -> bool {
        self.watched.span == other.watched.span
    }
}
