//! What executors assume of a schedule:
//!
//! 1. every call's program is verified, and its arguments have the types of the program's inputs and
//!    outputs, member or whole;
//! 2. a member is picked only of a family of the size that the call runs over;
//! 3. no two outputs of a call are one state, and none is constant;
//! 4. a stop stands inside a loop; what it and an `if` look at is a scalar;
//! 5. names of states are unique.

use super::ir::{Arg, CallStmt, Schedule, Source, StateId, Stmt};
use crate::tape::{self, Type};

/// Checks a schedule; the error is a sentence.
pub fn verify(schedule: &Schedule) -> Result<(), String> {
    for (at, state) in schedule.states.iter().enumerate() {
        if schedule.find(&state.name) != Some(StateId(at as u32)) {
            return Err(format!("two states are named `{}`", state.name));
        }
    }
    for sampler in &schedule.samplers {
        match &sampler.source {
            Source::Rows { gathers, .. } => gathers.iter().try_for_each(|gather| call(schedule, gather))?,
            Source::Program { call: draw, .. } => call(schedule, draw)?,
        }
    }
    body(schedule, &schedule.body, false)?;
    body(schedule, &schedule.tail, false)?;
    body(schedule, &schedule.verdict.gathers, false)
}

fn body(schedule: &Schedule, statements: &[Stmt], in_loop: bool) -> Result<(), String> {
    statements.iter().try_for_each(|stmt| match stmt {
        Stmt::Call(inner) => call(schedule, inner),
        Stmt::Loop(inner) => body(schedule, &inner.body, true),
        Stmt::Stop { when, .. } if !in_loop => {
            Err(format!("a stop on `{}` stands outside of any loop", schedule.state(*when).name))
        }
        Stmt::Stop { when, .. } => scalar(schedule, *when),
        Stmt::If { when, body: inner } => {
            scalar(schedule, *when)?;
            body(schedule, inner, in_loop)
        }
        Stmt::Pick { member, call: inner } => {
            scalar(schedule, *member)?;
            call(schedule, inner)
        }
        Stmt::When { body: inner, .. } => body(schedule, inner, in_loop),
        Stmt::LineSearch(search) => {
            [search.step, search.value, search.value_new, search.slope, search.failed]
                .into_iter()
                .try_for_each(|state| scalar(schedule, state))?;
            call(schedule, &search.trial)
        }
        Stmt::Record(record) => record.values.iter().try_for_each(|(_, state)| scalar(schedule, *state)),
        Stmt::Draw(_) | Stmt::Save(_) => Ok(()),
    })
}

fn scalar(schedule: &Schedule, id: StateId) -> Result<(), String> {
    let state = schedule.state(id);
    match state.buffer().shape.is_scalar() {
        true => Ok(()),
        false => Err(format!("`{}` is looked at as a number and is {}", state.name, state.buffer())),
    }
}

fn call(schedule: &Schedule, call: &CallStmt) -> Result<(), String> {
    let program = schedule.program(call.program);
    tape::verify(program).map_err(|why| format!("program {}: {why}", program.name))?;
    if (program.inputs.len(), program.outputs.len()) != (call.inputs.len(), call.outputs.len()) {
        return Err(format!("program {} is called with other than its inputs and outputs", program.name));
    }
    for (arg, input) in call.inputs.iter().zip(&program.inputs) {
        argument(schedule, call, *arg, program.ty(input.value))?;
    }
    for (at, (arg, output)) in call.outputs.iter().zip(&program.outputs).enumerate() {
        argument(schedule, call, *arg, program.ty(output.value))?;
        if call.outputs[..at].iter().any(|other| other.state == arg.state) || schedule.state(arg.state).constant {
            return Err(format!("program {} can't write `{}`", program.name, schedule.state(arg.state).name));
        }
    }
    Ok(())
}

fn argument(schedule: &Schedule, call: &CallStmt, arg: Arg, ty: &Type) -> Result<(), String> {
    let state = schedule.state(arg.state);
    let given = if arg.member { state.ty.clone() } else { state.buffer() };
    if arg.member && (state.family != call.over || call.over.is_none()) {
        return Err(format!("`{}` is no family of {:?}", state.name, call.over));
    }
    match given == *ty {
        true => Ok(()),
        false => Err(format!("`{}` is {given}, and {ty} is wanted", state.name)),
    }
}
