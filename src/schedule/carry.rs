//! What a run hands to the next of the same file with other parameters: its solution and multipliers, the
//! ρ it came to, and every factor whose matrix has not changed.
//!
//! Factors are made before the first iteration, by calls that read constants, ρ and each other. Where such
//! a call is the same in both schedules and so is all that it reads, its results are written into the new
//! schedule, and the call is left out.

use std::sync::Arc;

use super::FACTORISE;
use super::ir::{Arg, CallStmt, Role, Schedule, Start, StateId, Stmt};
use crate::tape::Tensor;

/// The end of a run, for another to begin with.
#[derive(Debug, Clone)]
pub struct Carried {
    schedule: Schedule,
    values: Vec<(StateId, Tensor)>,
}

/// What became of the factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    /// Kept from the run before.
    pub kept: usize,
    /// All that the schedule has.
    pub of: usize,
}

/// The states whose last values [`Carried::new`] takes.
pub fn carried(schedule: &Schedule) -> Vec<StateId> {
    let solution = schedule.results.iter().filter(|published| matches!(published.role, Role::Variable | Role::Dual));
    let factors = factorisations(schedule).flat_map(|call| &call.outputs).map(|arg| arg.state);
    solution.map(|published| published.state).chain(schedule.rho.iter().copied()).chain(factors).collect()
}

/// The calls before the first iteration that make factors.
fn factorisations(schedule: &Schedule) -> impl Iterator<Item = &CallStmt> {
    schedule
        .body
        .iter()
        .map_while(|stmt| match stmt {
            Stmt::Call(call) => Some(call),
            _ => None,
        })
        .filter(|call| call.what == FACTORISE)
}

impl Carried {
    /// The last values of the states that [`carried`] names.
    pub fn new(schedule: Schedule, values: Vec<(StateId, Tensor)>) -> Carried {
        Carried { schedule, values }
    }

    /// Begins a schedule where this one ended.
    pub fn begin(&self, next: &mut Schedule) -> Factors {
        let solved: Vec<StateId> = self.schedule.results.iter().map(|published| published.state).collect();
        let mut same: Vec<StateId> = Vec::new();
        for (state, value) in &self.values {
            if self.schedule.rho.contains(state) {
                if self.write(next, *state, value) {
                    same.extend(next.find(&self.schedule.state(*state).name));
                }
            } else if solved.contains(state) {
                self.write(next, *state, value);
            }
        }
        let mut factors = Factors { kept: 0, of: factorisations(next).count() };
        let mut at = 0;
        while let Some(Stmt::Call(call)) = next.body.get(at) {
            let kept = call.what == FACTORISE && self.makes_the_same(next, call, &same);
            if !kept {
                at += 1;
                continue;
            }
            let made: Vec<StateId> = call.outputs.iter().map(|arg| arg.state).collect();
            let is_made =
                |state: StateId| made.iter().any(|&own| next.state(own).name == self.schedule.state(state).name);
            let values: Vec<&(StateId, Tensor)> = self.values.iter().filter(|(state, _)| is_made(*state)).collect();
            values.into_iter().for_each(|(state, value)| {
                self.write(next, *state, value);
            });
            same.extend(made);
            next.body.remove(at);
            factors.kept += 1;
        }
        factors
    }

    /// Writes a value under the same name, where there is such a state of such a type.
    fn write(&self, next: &mut Schedule, state: StateId, value: &Tensor) -> bool {
        let Some(own) = next.find(&self.schedule.state(state).name) else { return false };
        let own = &mut next.states[own.0 as usize];
        let fits = !own.constant && own.buffer() == value.ty();
        if fits {
            own.init = Start::Given(Arc::new(value.clone()));
        }
        fits
    }

    /// Whether a call of the next schedule was one of this, and read what is the same.
    fn makes_the_same(&self, next: &Schedule, call: &CallStmt, same: &[StateId]) -> bool {
        let names = |schedule: &Schedule, args: &[Arg]| -> Vec<(String, bool)> {
            args.iter().map(|arg| (schedule.state(arg.state).name.clone(), arg.member)).collect()
        };
        let outputs = names(next, &call.outputs);
        let inputs = names(next, &call.inputs);
        let before = factorisations(&self.schedule).find(|own| {
            own.over == call.over
                && names(&self.schedule, &own.outputs) == outputs
                && names(&self.schedule, &own.inputs) == inputs
                && self.schedule.program(own.program) == next.program(call.program)
        });
        let Some(before) = before else { return false };
        before.inputs.iter().zip(&call.inputs).all(|(old, new)| {
            let (old, now) = (self.schedule.state(old.state), next.state(new.state));
            same.contains(&new.state) || old.constant && now.constant && old.init == now.init
        })
    }
}
