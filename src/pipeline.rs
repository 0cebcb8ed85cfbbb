//! The stages in order. A newcomer who reads this file knows the program.
//!
//! ```text
//! text ──syntax──▶ Ast ──model──▶ Model ──split──▶ Split ──steps──▶ Plan ──schedule──▶ Schedule ──exec──▶ Outcome
//! ```
//!
//! Each stage collects diagnostics; the pipeline stops between stages where there are errors.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::data::Files;
use crate::diag::{Code, Diag, Diags, closest};
use crate::model::ir::Solve;
use crate::model::{self, Inputs, Model};
use crate::schedule::{self, Schedule};
use crate::source::{Sources, Span};
use crate::split::{self, Split};
use crate::steps::{self, Plan};
use crate::syntax;
use crate::syntax::ast::{Ast, ItemKind};

/// A file and what it uses, read and parsed.
#[derive(Debug, Default)]
pub struct Parsed {
    /// All text.
    pub sources: Sources,
    /// A tree a file, the main one first.
    pub asts: Vec<Ast>,
    /// What is wrong so far.
    pub diags: Diags,
}

/// A problem that passed every check, with the chosen solve block compiled.
#[derive(Debug)]
pub struct Compiled {
    /// Names, shapes, data; in the form that is stepped, see [`split::normalise`].
    pub model: Model,
    /// `f(x) + g(z)`, `Ax + Bz = c`.
    pub split: Split,
    /// The chosen solve block.
    pub solve: Solve,
    /// A rule for every step.
    pub plan: Plan,
    /// The algorithm.
    pub schedule: Schedule,
}

/// Reads and parses a file and the files it uses.
///
/// # Errors
/// Where the file itself can't be read; a used file that can't is a diagnostic.
pub fn parse(path: &Path, files: &dyn Files) -> std::io::Result<Parsed> {
    let mut parsed = Parsed::default();
    let text = read(path, files)?;
    let mut seen = BTreeSet::from([plain(path)]);
    load(path, text, files, &mut parsed, &mut seen);
    Ok(parsed)
}

/// Parses text that is no file: for tests and editors.
pub fn parse_text(path: &Path, text: &str, files: &dyn Files) -> Parsed {
    let mut parsed = Parsed::default();
    let mut seen = BTreeSet::from([path.to_path_buf()]);
    load(path, text.to_string(), files, &mut parsed, &mut seen);
    parsed
}

fn read(path: &Path, files: &dyn Files) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    files.open(path)?.read_to_end(&mut bytes)?;
    // What is no UTF-8 is replaced, and found by syntax::parse.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn load(path: &Path, text: String, files: &dyn Files, parsed: &mut Parsed, seen: &mut BTreeSet<PathBuf>) {
    let file = parsed.sources.add(path, text.as_str());
    let ast = syntax::parse(file, &text, &mut parsed.diags);
    let used: Vec<(PathBuf, String, Span)> = ast
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Use { path } => {
                let place = parsed.sources.file(file).folder().join(&path.value);
                Some((plain(&place), path.value.clone(), path.span))
            }
            _ => None,
        })
        .collect();
    parsed.asts.push(ast);
    for (path, written, span) in used {
        // A file used twice is read once.
        if !seen.insert(path.clone()) {
            continue;
        }
        match read(&path, files) {
            Ok(text) => load(&path, text, files, parsed, seen),
            Err(error) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                let names = files.list(folder);
                let mut diag = Diag::new(Code::DataMissing, span, format!("`{written}` can't be read: {error}"))
                    .here("looked for beside this file");
                if let Some(near) = closest(&written, names.iter().map(String::as_str)) {
                    diag = diag.fix(format!("write \"{near}\""), span, format!("\"{near}\""));
                }
                parsed.diags.push(diag);
            }
        }
    }
}

/// A path without `.` and, where a folder stands before it, `..`, so that a file has one name.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Checks what was parsed. `None` where there are errors, which are in `parsed.diags`.
pub fn check(parsed: &mut Parsed, inputs: &Inputs) -> Option<Model> {
    let Parsed { sources, asts, diags } = parsed;
    let mut found = Diags::default();
    let model = model::check(asts, sources, inputs, &mut found);
    if !diags.has_errors() {
        diags.extend(found);
        return (!diags.has_errors()).then_some(model);
    }
    // What a statement with a syntax error would have declared is not unknown, and whether the file
    // lacks an objective can't be said: one cause is reported once.
    let unread: BTreeSet<String> =
        sources.iter().zip(&*asts).flat_map(|((_, file), ast)| syntax::unread(ast, &file.text)).collect();
    for diag in found.iter() {
        let name = syntax::normalise(sources.text(diag.span()));
        let echo = diag.code == Code::UnknownName && unread.contains(&name);
        if !diag.span().is_empty() && !echo {
            diags.push(diag.clone());
        }
    }
    None
}

/// Brings a model into a form that can be stepped, and splits it. `None` where there are errors.
pub fn split(model: &Model, diags: &mut Diags) -> Option<(Model, Split)> {
    let normal = split::normalise(model);
    let split = split::split(&normal, diags);
    (!diags.has_errors()).then_some((normal, split))
}

/// Compiles one solve block of a model: the one of that name, or the first.
pub fn compile(model: Model, solve: Option<&str>, diags: &mut Diags) -> Option<Compiled> {
    let (model, split) = self::split(&model, diags)?;
    let solve = self::solve(&model, solve, diags)?.clone();
    let plan = steps::choose(&model, &split, &solve, diags);
    if !diags.has_errors() {
        steps::claims::check(&model, &split, std::slice::from_ref(&plan), diags);
    }
    if diags.has_errors() {
        return None;
    }
    let schedule = match schedule::build(&model, &split, &plan, &solve) {
        Ok(schedule) => schedule,
        Err(why) => {
            diags.push(
                Diag::new(Code::NotYet, solve.span, "this combination is understood, but not executed yet")
                    .here("can't be scheduled")
                    .certify(why)
                    .help("please report it: every problem that passes the checks should run, or be refused in its own words"),
            );
            return None;
        }
    };
    Some(Compiled { model, split, solve, plan, schedule })
}

/// The solve block of that name, or the first.
fn solve<'m>(model: &'m Model, name: Option<&str>, diags: &mut Diags) -> Option<&'m Solve> {
    let Some(name) = name else { return model.solves.first() };
    let found = model.solves.iter().find(|solve| solve.name == name);
    if found.is_none() {
        let names: Vec<&str> = model.solves.iter().map(|solve| solve.name.as_str()).collect();
        let span = model.solves.first().map(|solve| solve.span).unwrap_or_default();
        let mut diag = Diag::new(Code::UnknownName, span, format!("there is no solve block named `{name}`"))
            .here("the first solve block")
            .certify(format!("solve blocks: {}", names.join(", ")));
        if let Some(near) = closest(name, names.iter().copied()) {
            diag = diag.help(format!("did you mean `--solve {near}`?"));
        }
        diags.push(diag);
    }
    found
}

/// What is judged by the numbers of the data: where these are not read, zeros stand in their place, rows repeat each
/// other, and the terms that hold them are gone, which may be what bounds or holds the rest.
const BY_NUMBERS: &[Code] = &[
    Code::InconsistentConstraint,
    Code::RedundantConstraint,
    Code::UnboundedObjective,
    Code::NonUniqueStep,
    Code::BadlyScaled,
];

/// Every check of a file, all of its solve blocks included: what `admmc check` runs.
pub fn check_all(parsed: &mut Parsed, inputs: &Inputs) -> Option<Model> {
    let model = check(parsed, inputs)?;
    let normal = split::normalise(&model);
    let mut found = Diags::default();
    let split = split::split(&normal, &mut found);
    let counts = |diag: &&Diag| inputs.bind || !BY_NUMBERS.contains(&diag.code);
    found.iter().filter(counts).for_each(|diag| parsed.diags.push(diag.clone()));
    if parsed.diags.has_errors() {
        return None;
    }
    // Without its data a problem may have no step to speak of.
    if found.has_errors() {
        return Some(model);
    }
    let mut found = Diags::default();
    let plans: Vec<Plan> =
        normal.solves.iter().map(|solve| steps::choose(&normal, &split, solve, &mut found)).collect();
    found.iter().filter(counts).for_each(|diag| parsed.diags.push(diag.clone()));
    if !parsed.diags.has_errors() {
        steps::claims::check(&normal, &split, &plans, &mut parsed.diags);
    }
    (!parsed.diags.has_errors()).then_some(model)
}
