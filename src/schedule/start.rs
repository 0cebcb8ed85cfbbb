//! Where variables start, as a schedule says it: by their declaration, or at an earlier solution.

use std::sync::Arc;

use super::ir::{Law, Role, Schedule, Start, StateId};
use crate::model::Model;
use crate::model::ir::{EntryInit, Init, Var, VarKind};
use crate::tape::Tensor;

/// First stream of starting values; samples draw from streams below it.
const STREAMS: u32 = 1 << 16;

/// The start of a variable. Variables of one `var` statement share a stream, so they start equal.
pub fn of(model: &Model, var: &Var) -> Start {
    let stream = STREAMS + var.stream;
    let n = var.shape.numel();
    match &var.init {
        Init::Zeros => Start::Zeros,
        Init::Given(tensor) => Start::Given(tensor.clone()),
        Init::Normal { scale, shift } => {
            Start::Random { stream, segments: vec![(0, n, Law::Normal { scale: *scale, shift: *shift })] }
        }
        Init::Uniform { low, high } => {
            Start::Random { stream, segments: vec![(0, n, Law::Uniform { low: *low, high: *high })] }
        }
        Init::Layers => {
            let VarKind::Params(net) = var.kind else {
                unreachable!("only network parameters start from their layers (model::check)")
            };
            let segments = model.nets[net.index()]
                .entries
                .iter()
                .filter_map(|entry| {
                    let law = match entry.init {
                        EntryInit::Zeros => return None,
                        EntryInit::Ones => Law::Uniform { low: 1.0, high: 1.0 },
                        EntryInit::Normal(scale) => Law::Normal { scale, shift: 0.0 },
                        EntryInit::Uniform(bound) => Law::Uniform { low: -bound, high: bound },
                    };
                    Some((entry.offset, entry.shape.numel(), law))
                })
                .collect();
            Start::Random { stream, segments }
        }
    }
}

/// The states that a solution gives, variables under their names, multipliers under `dual(link)`, each with
/// its value in the state's precision.
///
/// # Errors
/// A sentence, where a name is no variable and no multiplier of the schedule, or has another shape there, or
/// where the schedule has a network, whose parameters lie in a file of their own.
pub fn matched(schedule: &Schedule, solution: &[(String, Tensor)]) -> Result<Vec<(StateId, Tensor)>, String> {
    if let Some(net) = schedule.results.iter().find(|published| matches!(published.role, Role::Network(_))) {
        return Err(format!("`{}` holds the parameters of a network, which no solution file has", net.name));
    }
    let mut given = Vec::new();
    for (name, tensor) in solution {
        let Some(published) = schedule.results.iter().find(|published| published.title() == *name) else {
            let names: Vec<String> = schedule.results.iter().map(|published| published.title()).collect();
            return Err(format!("the solution holds `{name}`, and the problem has {}", names.join(", ")));
        };
        // What follows from the variables is computed anew.
        if published.role == Role::Value {
            continue;
        }
        let ty = schedule.state(published.state).buffer();
        if tensor.shape != ty.shape {
            return Err(format!("`{name}` is {} in the solution and {} in the problem", tensor.shape, ty.shape));
        }
        given.push((published.state, tensor.cast(ty.dtype)));
    }
    Ok(given)
}

/// Starts a schedule at a solution, as [`matched`] gives it; what the solution lacks starts as declared.
pub fn warm(schedule: &mut Schedule, solution: Vec<(StateId, Tensor)>) {
    for (state, tensor) in solution {
        schedule.states[state.0 as usize].init = Start::Given(Arc::new(tensor));
    }
}
