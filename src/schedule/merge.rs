//! Neighbouring calls become one program, so that common values are computed once and a z-step, its
//! λ-step and the sums of squares are one sweep over memory.
//!
//! What a call writes and the next reads is handed over as a value. Calls that run over a family stay
//! apart: their order is member by member.

use super::FACTORISE;
use super::ir::{Arg, CallStmt, LoopStmt, ProgramId, Schedule, StateId, Stmt};
use crate::tape::{Builder, Program, Value, passes};

/// Merges every run of neighbouring calls.
pub(super) fn merge(mut schedule: Schedule) -> Schedule {
    let body = std::mem::take(&mut schedule.body);
    let mut merged = Schedule { programs: Vec::new(), ..schedule };
    let programs = schedule.programs;
    let body = statements(body, &programs, &mut merged);
    merged.body = body;
    let tail = std::mem::take(&mut merged.tail);
    merged.tail = statements(tail, &programs, &mut merged);
    let gathers = std::mem::take(&mut merged.verdict.gathers);
    merged.verdict.gathers = statements(gathers, &programs, &mut merged);
    let mut samplers = std::mem::take(&mut merged.samplers);
    for sampler in &mut samplers {
        match &mut sampler.source {
            super::ir::Source::Rows { gathers, .. } => {
                gathers.iter_mut().for_each(|call| renumber(call, &programs, &mut merged))
            }
            super::ir::Source::Program { call, .. } => renumber(call, &programs, &mut merged),
        }
    }
    merged.samplers = samplers;
    merged
}

/// Moves a call's program to the merged schedule.
fn renumber(call: &mut CallStmt, programs: &[Program], merged: &mut Schedule) {
    merged.programs.push(programs[call.program.0 as usize].clone());
    call.program = ProgramId(merged.programs.len() as u32 - 1);
}

fn statements(body: Vec<Stmt>, programs: &[Program], merged: &mut Schedule) -> Vec<Stmt> {
    let mut out = Vec::new();
    let mut run: Vec<CallStmt> = Vec::new();
    for stmt in body {
        match stmt {
            Stmt::Call(call) if call.over.is_none() => {
                // What makes a factor stays apart, so that it can be left out.
                let apart = |other: &CallStmt| (other.what == FACTORISE) != (call.what == FACTORISE);
                if run.last().is_some_and(apart) {
                    flush(&mut run, &mut out, programs, merged);
                }
                run.push(call);
            }
            stmt => {
                flush(&mut run, &mut out, programs, merged);
                out.push(inside(stmt, programs, merged));
            }
        }
    }
    flush(&mut run, &mut out, programs, merged);
    out
}

fn inside(stmt: Stmt, programs: &[Program], merged: &mut Schedule) -> Stmt {
    match stmt {
        Stmt::Call(mut call) => {
            renumber(&mut call, programs, merged);
            Stmt::Call(call)
        }
        Stmt::Loop(inner) => Stmt::Loop(LoopStmt { body: statements(inner.body, programs, merged), ..inner }),
        Stmt::If { when, body } => Stmt::If { when, body: statements(body, programs, merged) },
        Stmt::When { when, body } => Stmt::When { when, body: statements(body, programs, merged) },
        Stmt::Pick { member, mut call } => {
            renumber(&mut call, programs, merged);
            Stmt::Pick { member, call }
        }
        Stmt::LineSearch(mut search) => {
            renumber(&mut search.trial, programs, merged);
            Stmt::LineSearch(search)
        }
        stmt @ (Stmt::Draw(_) | Stmt::Stop { .. } | Stmt::Record(_) | Stmt::Save(_)) => stmt,
    }
}

fn flush(run: &mut Vec<CallStmt>, out: &mut Vec<Stmt>, programs: &[Program], merged: &mut Schedule) {
    let mut calls = std::mem::take(run);
    if let [call] = &mut calls[..] {
        renumber(call, programs, merged);
        out.push(Stmt::Call(calls.remove(0)));
        return;
    }
    if calls.is_empty() {
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    let mut whats: Vec<&str> = Vec::new();
    let mut b = Builder::new("");
    let mut inputs: Vec<(StateId, Value)> = Vec::new();
    let mut current: Vec<(StateId, Value)> = Vec::new();
    for call in &calls {
        let program = &programs[call.program.0 as usize];
        if !names.contains(&program.name.as_str()) {
            names.push(&program.name);
        }
        if !whats.contains(&call.what.as_str()) {
            whats.push(&call.what);
        }
        let args: Vec<Value> = call
            .inputs
            .iter()
            .zip(&program.inputs)
            .map(|(arg, input)| {
                if let Some(&(_, value)) = current.iter().find(|(state, _)| *state == arg.state) {
                    return value;
                }
                let value = b.input(input.name.clone(), program.ty(input.value).clone());
                inputs.push((arg.state, value));
                current.push((arg.state, value));
                value
            })
            .collect();
        let values = b.inline(program, &args);
        for (arg, value) in call.outputs.iter().zip(values) {
            match current.iter_mut().find(|(state, _)| *state == arg.state) {
                Some(entry) => entry.1 = value,
                None => current.push((arg.state, value)),
            }
        }
    }
    let mut outputs: Vec<Arg> = Vec::new();
    for &(state, value) in &current {
        let unchanged = inputs.iter().any(|&(input, given)| input == state && given == value);
        if !unchanged {
            b.output(merged.state(state).name.clone(), value);
            outputs.push(state.into());
        }
    }
    let mut program = b.finish();
    program.name = names.join(" ");
    let program = passes::optimise(&program);
    let what = whats.join(" + ");
    merged.programs.push(program);
    let program = ProgramId(merged.programs.len() as u32 - 1);
    let inputs = inputs.into_iter().map(|(state, _)| state.into()).collect();
    out.push(Stmt::Call(CallStmt { program, inputs, outputs, over: None, what }));
}
