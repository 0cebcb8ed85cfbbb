//! What a run that came to no answer says about itself: why, with the numbers that show it, and what to write
//! instead. All of it is made from the outcome once the run is over.
//!
//! 1. [`non_finite`] E0701: a number that is not finite, and what is kept;
//! 2. [`diverging`] E0702: the iterates leave for infinity, or, as a warning, go round ([`circling`]);
//! 3. [`proofs`] E0703: no point meets the constraints, or the objective falls without end;
//! 4. [`stalled`] E0704: an inner method that finds no step;
//! 5. [`at_bound`] E0705: a ρ that its balance can't move on.
//!
//! A remark is a file with `remark(ran)`, called here; [`causes`] and [`curvature`] find what is to blame.

mod at_bound;
mod causes;
mod circling;
mod curvature;
mod diverging;
mod non_finite;
mod proofs;
mod stalled;

use super::explain::Subject;
use crate::diag::{Diag, Diags};
use crate::exec::outcome::{Outcome, Status};
use crate::model::ir::{Leaf, Member, Solve};
use crate::source::{Sources, Span};
use crate::steps::ir::{AdmmPlan, MethodPlan, Step};

/// A run that is over.
#[derive(Clone, Copy)]
pub struct Ran<'a> {
    /// What was run.
    pub subject: Subject<'a>,
    /// Its solve block.
    pub solve: &'a Solve,
    /// What it came to.
    pub outcome: &'a Outcome,
    /// The text it was written in.
    pub sources: &'a Sources,
    /// Where its random streams began.
    pub seed: u64,
}

/// All there is to say. One cause is told once: what explains a run leaves nothing to those behind it.
pub fn remarks(ran: &Ran) -> Diags {
    let mut diags = Diags::default();
    let found = match &ran.outcome.status {
        Status::Solved | Status::Stationary | Status::Completed | Status::Interrupted => None,
        Status::NonFinite(found) => Some(non_finite::remark(ran, found)),
        Status::Diverged(growth) => Some(diverging::remark(ran, growth)),
        Status::PrimalInfeasible(proof) => Some(proofs::contradiction(ran, proof)),
        Status::DualInfeasible(ray) => Some(proofs::ray(ran, ray)),
        Status::SolvedInaccurate | Status::IterationLimit | Status::TimeLimit => {
            stalled::remarks(ran, &mut diags);
            let stuck = !diags.is_empty();
            if stuck { None } else { circling::remark(ran).or_else(|| at_bound::remark(ran)) }
        }
    };
    found.into_iter().for_each(|diag| diags.push(diag));
    diags
}

impl<'a> Ran<'a> {
    /// The plan, where the block is one split iteration.
    fn admm(&self) -> Option<&'a AdmmPlan> {
        match &self.subject.plan.methods[..] {
            [MethodPlan::Admm(plan)] => Some(plan),
            _ => None,
        }
    }

    /// ρ at the end, as recorded.
    fn rho(&self) -> Option<f64> {
        self.outcome.last("rho").or(self.admm().map(|plan| plan.rho))
    }

    /// The variables of a step, quoted.
    fn names(&self, step: &Step) -> String {
        let name = |var: &crate::model::ir::VarId| format!("`{}`", self.subject.model.vars[var.index()].name);
        step.component.vars.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// Where a step is written: its first term, else the solve block.
    fn place(&self, plan: &AdmmPlan, step: &Step) -> Span {
        let terms = &self.subject.model.players[plan.player.index()].terms;
        step.component.terms.first().map_or(self.solve.span, |&at| terms[at].span)
    }

    /// A diagnostic at the solve block.
    fn at_solve(&self, code: crate::diag::Code, message: String) -> Diag {
        Diag::new(code, self.solve.span, message)
    }

    /// The elements of a leaf where the run ended: data, and the variables. None of what a run draws.
    fn value(&self, leaf: Leaf) -> Option<Vec<f64>> {
        let model = self.subject.model;
        let member = |all: &[f64], which: Member| {
            let length = model.leaf_shape(leaf).numel();
            let first = if let Member::At(k) = which { k as usize * length } else { 0 };
            all.get(first..first + length).map(<[f64]>::to_vec)
        };
        match leaf {
            Leaf::Data(id, which) => member(&model.data[id.index()].tensor.to_f64(), which),
            Leaf::Var(id, which) => member(&self.outcome.notes.variables.get(id.index())?.to_f64(), which),
            Leaf::Rho(_) => self.rho().map(|rho| vec![rho]),
            Leaf::Sample(..) | Leaf::Dual(..) => None,
        }
    }
}
