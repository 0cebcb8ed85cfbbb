//! Text of a schedule: it reads like the algorithm in a paper, the programs below it.

use std::fmt::{self, Display, Formatter};

use super::ir::{Arg, CallStmt, Due, Schedule, Source, Start, StateId, Stmt, StopStatus};

impl Display for Schedule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "schedule {} {{", self.name)?;
        for state in &self.states {
            let family = state.family.map_or(String::new(), |n| format!(" × {n}"));
            let kind = if state.constant { "const" } else { "state" };
            writeln!(f, "  {kind} {}: {}{family}{}", state.name, state.ty, Init(&state.init))?;
        }
        for sampler in &self.samplers {
            let how = match &sampler.source {
                Source::Rows { batch, of, .. } => format!("{batch} of {} rows", of.first().copied().unwrap_or(0)),
                Source::Program { .. } => "numbers".to_string(),
            };
            let once = if sampler.fixed { ", once" } else { "" };
            writeln!(f, "  sample {} ~ {how}, stream {}{once}", sampler.name, sampler.stream)?;
        }
        body(f, self, &self.body, 1)?;
        if !self.tail.is_empty() {
            writeln!(f, "  finally")?;
            body(f, self, &self.tail, 2)?;
        }
        if !self.verdict.gathers.is_empty() {
            writeln!(f, "  to judge")?;
            body(f, self, &self.verdict.gathers, 2)?;
        }
        writeln!(f, "}}")?;
        for (at, program) in self.programs.iter().enumerate() {
            write!(f, "\n@{at} {program}")?;
        }
        Ok(())
    }
}

struct Init<'a>(&'a Start);

impl Display for Init<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Start::Zeros => Ok(()),
            Start::Fill(value) => write!(f, " = {value:?}"),
            Start::Given(_) => write!(f, " = given"),
            Start::Random { stream, .. } => write!(f, " ~ stream {stream}"),
        }
    }
}

fn body(f: &mut Formatter<'_>, schedule: &Schedule, statements: &[Stmt], depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    for stmt in statements {
        match stmt {
            Stmt::Call(inner) => writeln!(f, "{indent}{}", Line(schedule, inner))?,
            Stmt::Loop(inner) => {
                writeln!(f, "{indent}repeat {} × {} {{", inner.count, inner.unit.word())?;
                body(f, schedule, &inner.body, depth + 1)?;
                writeln!(f, "{indent}}}")?;
            }
            Stmt::Draw(sampler) => writeln!(f, "{indent}draw {}", schedule.samplers[sampler.0 as usize].name)?,
            Stmt::Stop { when, status } => {
                let what = match status {
                    StopStatus::Converged => "stop, converged,",
                    StopStatus::PrimalInfeasible => "stop, infeasible,",
                    StopStatus::DualInfeasible => "stop, unbounded,",
                    StopStatus::Inner => "leave",
                };
                writeln!(f, "{indent}{what} when {}", name(schedule, *when))?;
            }
            Stmt::If { when, body: inner } => {
                writeln!(f, "{indent}if {} {{", name(schedule, *when))?;
                body(f, schedule, inner, depth + 1)?;
                writeln!(f, "{indent}}}")?;
            }
            Stmt::Pick { member, call } => {
                let line = Line(schedule, call).to_string();
                let line = line.split_once(": ").map_or(line.as_str(), |(_, line)| line);
                writeln!(f, "{indent}i = {}: {line}", name(schedule, *member))?;
            }
            Stmt::When { when, body: inner } => {
                writeln!(f, "{indent}{when} {{")?;
                body(f, schedule, inner, depth + 1)?;
                writeln!(f, "{indent}}}")?;
            }
            Stmt::Record(record) => {
                let values: Vec<String> = record
                    .values
                    .iter()
                    .map(|(column, state)| match name(schedule, *state).trim_start_matches('·') {
                        state if state == column => column.clone(),
                        state => format!("{column} = {state}"),
                    })
                    .collect();
                writeln!(f, "{indent}record {}", values.join(", "))?;
            }
            Stmt::Save(save) => writeln!(
                f,
                "{indent}save {} as grid({}, {}) {:?}",
                name(schedule, save.images),
                save.rows,
                save.columns,
                save.name
            )?,
            Stmt::LineSearch(search) => writeln!(
                f,
                "{indent}line search on {}: {}",
                name(schedule, search.step),
                Line(schedule, &search.trial)
            )?,
        }
    }
    Ok(())
}

impl Display for Due {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Due::Every(1, unit) => write!(f, "every {}", unit.word()),
            Due::Every(count, unit) => write!(f, "every {count} {}s", unit.word()),
            Due::At(points, unit) => {
                let points: Vec<String> = points.iter().map(|point| point.to_string()).collect();
                write!(f, "at {}s {}", unit.word(), points.join(", "))
            }
        }
    }
}

/// `x, y = @3(a, b)   # z-step`
struct Line<'a>(&'a Schedule, &'a CallStmt);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Line(schedule, call) = self;
        let list = |args: &[Arg]| {
            args.iter()
                .map(|arg| format!("{}{}", name(schedule, arg.state), if arg.member { "[i]" } else { "" }))
                .collect::<Vec<_>>()
                .join(", ")
        };
        if let Some(count) = call.over {
            write!(f, "for i in 1 to {count}: ")?;
        }
        write!(f, "{} = @{}({})   # {}", list(&call.outputs), call.program.0, list(&call.inputs), call.what)
    }
}

fn name(schedule: &Schedule, state: StateId) -> &str {
    &schedule.state(state).name
}
