//! From a text to a model, a compiled problem, an outcome: what most tests begin with.

use std::path::Path;

use admmc::data::{Files, Memory};
use admmc::diag::{Code, Diags, Style, render};
use admmc::exec::{Cpu, Executor, Nobody, Outcome, run};
use admmc::host::Still;
use admmc::model::{Inputs, Model};
use admmc::pipeline::{self, Compiled, Parsed};
use admmc::report::explain::Subject;
use admmc::report::remarks::{Ran, remarks};
use admmc::schedule::ir::Schedule;
use admmc::source::Sources;

/// A text and the files beside it, parsed and checked.
pub(crate) fn checked(path: &Path, text: &str, files: &dyn Files) -> (Parsed, Option<Model>) {
    let mut parsed = pipeline::parse_text(path, text, files);
    if parsed.diags.has_errors() {
        return (parsed, None);
    }
    let model = pipeline::check(&mut parsed, &Inputs::new(files));
    (parsed, model)
}

/// Diagnostics as they are shown.
pub(crate) fn drawn(parsed: &Parsed) -> String {
    let drawn: Vec<String> = parsed.diags.iter().map(|diag| render(diag, &parsed.sources, Style::default())).collect();
    drawn.join("\n")
}

/// The model of a text that is right.
pub(crate) fn model(path: &Path, text: &str, files: &dyn Files) -> Model {
    let (parsed, model) = checked(path, text, files);
    model.unwrap_or_else(|| panic!("{}", drawn(&parsed)))
}

/// Checks what was parsed and compiles one of its solve blocks, the first where none is named; where that is
/// refused, `parsed` has the reasons.
pub(crate) fn compile(
    parsed: &mut Parsed,
    files: &dyn Files,
    set: &[(&str, &str)],
    solve: Option<&str>,
) -> Option<Compiled> {
    let mut inputs = Inputs::new(files);
    inputs.set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let model = pipeline::check(parsed, &inputs)?;
    pipeline::compile(model, solve, &mut parsed.diags)
}

/// A text that is right and reads these files, compiled.
pub(crate) fn compiled_with(text: &str, files: &dyn Files) -> Compiled {
    let mut parsed = pipeline::parse_text(Path::new("test.admm"), text, files);
    let compiled = compile(&mut parsed, files, &[], None);
    compiled.unwrap_or_else(|| panic!("{}", drawn(&parsed)))
}

/// A text that is right and needs no files, compiled.
pub(crate) fn compiled(text: &str) -> Compiled {
    compiled_with(text, &Memory::default())
}

/// Whether a text that passes every check is refused when it is compiled.
pub(crate) fn is_refused(text: &str) -> bool {
    let files = Memory::default();
    let (mut parsed, model) = checked(Path::new("test.admm"), text, &files);
    let model = model.unwrap_or_else(|| panic!("{}", drawn(&parsed)));
    pipeline::compile(model, None, &mut parsed.diags).is_none()
}

/// One run to its end, on one thread, of which nothing is remarked.
pub(crate) fn execute(compiled: &Compiled) -> Outcome {
    let outcome = end(compiled);
    is_left_alone(compiled, &outcome);
    outcome
}

/// One run to whatever end it has, on one thread.
pub(crate) fn end(compiled: &Compiled) -> Outcome {
    end_on(&compiled.schedule, &mut Cpu::new(1))
}

/// One run on a device that works.
pub(crate) fn end_on(schedule: &Schedule, device: &mut dyn Executor) -> Outcome {
    run(schedule, device, &Still::default(), &mut Nobody, 0).expect("there is no checkpoint, and the device works")
}

/// What is remarked of a run.
pub(crate) fn remarked(compiled: &Compiled, outcome: &Outcome, sources: &Sources) -> Diags {
    let Compiled { model, split, solve, plan, schedule } = compiled;
    let subject = Subject { model, split, plan, schedule };
    remarks(&Ran { subject, solve, outcome, sources, seed: 0 })
}

/// No false alarm: of a run that tests make for its answer nothing is remarked, but that there is a proof of none.
pub(crate) fn is_left_alone(compiled: &Compiled, outcome: &Outcome) {
    let found = remarked(compiled, outcome, &Sources::default());
    let loud: Vec<_> = found.iter().filter(|diag| diag.code != Code::NoSolution).collect();
    assert!(loud.is_empty(), "{}: {loud:#?}", outcome.status);
}
