//! Problems with trusted answers, `tests/cases/convex/`: a folder each, with data, the problem as
//! `.admm` in its natural form and in others, and what is expected of it.
//!
//! A run is what the command does, at default settings. Objective and feasibility are computed again
//! from the variables it returns, by [`families`], which shares nothing with the program; the status,
//! `|f(x) − f*| / max(1, |f*|)`, the violation, and `‖x − x*‖ / (1 + ‖x*‖)` where the solution is
//! unique, are held against `expected.json`.

mod arrays;
mod families;
pub(crate) mod networks;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use admmc::data::Disk;
use admmc::diag::Severity;
use admmc::exec::{Cpu, Outcome, verify};
use admmc::host::Still;
use admmc::pipeline::{self, Compiled};
use admmc::schedule;
use admmc::tape::Tensor;
use arrays::Array;
use serde_json::Value;

use crate::compile::execute;

/// One test a case, named like its folder.
macro_rules! cases {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), &mut execute);
            }
        )*

        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

cases! {
    basis_pursuit
    consensus_lasso_8
    consensus_logreg_8
    covsel
    deconv_tv_48
    group_lasso
    huber
    inconsistent_constraint
    infeasible_lp
    isotonic
    lad
    lasso
    lasso_diabetes
    linprog
    logreg_l1
    matrix_completion
    maxcut_sdp
    mpc_double_integrator
    nnls
    ot_lp
    polyhedra_intersection
    portfolio
    qp_badly_scaled
    quadprog_box
    rank_deficient_a
    regressor_selection
    robust_pca
    svm
    three_block_chyy
    trend_filter
    tv1d
    tv2d_aniso_64
    unbounded_lp
    weakly_convex_rho
}

#[test]
fn every_folder_is_a_test() {
    let entries = fs::read_dir(folder("")).expect("the cases are there").flatten().map(|entry| entry.path());
    let mut found: Vec<String> = entries
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, NAMES);
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases"))
}

fn folder(name: &str) -> PathBuf {
    root().join("convex").join(name)
}

/// What `expected.json` says of a case.
struct Case {
    folder: PathBuf,
    expected: Value,
}

impl Case {
    fn read(name: &str) -> Case {
        let folder = folder(name);
        let text = fs::read_to_string(folder.join("expected.json")).expect("a case says what it expects");
        Case { folder, expected: serde_json::from_str(&text).expect("it is JSON") }
    }

    fn text(&self, key: &str) -> &str {
        self.expected[key].as_str().unwrap_or_else(|| panic!("{key} is a text"))
    }

    fn texts(&self, key: &str) -> Vec<&str> {
        let list = self.expected[key].as_array().unwrap_or_else(|| panic!("{key} is a list"));
        list.iter().map(|item| item.as_str().expect("a text")).collect()
    }

    /// A tolerance, where there is one.
    fn within(&self, key: &str) -> Option<f64> {
        self.expected["judge"][key].as_f64()
    }

    /// The power of the scale that something grows by, see [`files`].
    fn power(&self, name: &str) -> i32 {
        let power = self.expected["scaled"][name].as_i64().unwrap_or_else(|| panic!("scaled says how {name} grows"));
        i32::try_from(power).expect("a small power")
    }
}

/// An answer to a case, brought back to its units.
struct Answer<'a> {
    case: &'a Case,
    outcome: &'a Outcome,
    /// What the data were multiplied by.
    scale: Option<f64>,
}

impl families::Read for Answer<'_> {
    fn data(&self, name: &str) -> Array {
        Array::read(&self.case.folder.join(format!("{name}.csv")))
    }

    fn param(&self, name: &str) -> f64 {
        self.case.expected["params"][name].as_f64().unwrap_or_else(|| panic!("{name} is a parameter"))
    }

    fn var(&self, name: &str) -> Array {
        let tensor = self.outcome.answer(name).unwrap_or_else(|| panic!("`{name}` is an answer"));
        let unit = self.scale.map_or(1.0, |scale| scale.powi(self.case.power(name)));
        let data: Vec<f64> = tensor.to_f64().iter().map(|x| x / unit).collect();
        let cols = tensor.shape.0.get(1).copied().unwrap_or(1);
        Array::new(data.len() / cols, cols, data)
    }
}

/// A file of a case, at a scale of its data where it has one.
pub(crate) struct File {
    path: PathBuf,
    text: String,
    scale: Option<f64>,
}

impl File {
    /// Compiles it; the errors where it is refused.
    pub(crate) fn compile(&self) -> Result<Compiled, Vec<String>> {
        let scale = self.scale.map(|scale| scale.to_string());
        let set: Vec<(&str, &str)> = scale.iter().map(|scale| ("s", scale.as_str())).collect();
        compile(&self.path, &set, None)
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.file_name().expect("a name").to_string_lossy())?;
        self.scale.map_or(Ok(()), |scale| write!(f, " at s = {scale:e}"))
    }
}

/// Every file of a case. One with a parameter `s`, by which it multiplies data, is there for `s` = 1e-4, 1 and
/// 1e4; `scaled` of `expected.json` says by which power of `s` its variables and its objective grow.
pub(crate) fn files(name: &str) -> Vec<File> {
    let folder = folder(name);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&folder).expect("the case is there").flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "admm"));
    paths.sort();
    assert!(paths.contains(&folder.join(format!("{name}.admm"))), "{name} has its natural form");
    let mut files = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("it can be read");
        let scaled = text.lines().any(|line| line.starts_with("param s = "));
        let scales: &[Option<f64>] = if scaled { &[Some(1e-4), Some(1.0), Some(1e4)] } else { &[None] };
        files.extend(scales.iter().map(|&scale| File { path: path.clone(), text: text.clone(), scale }));
    }
    files
}

/// How far objectives of a case may lie apart, relative to 1 and to their size, where they are judged.
pub(crate) fn objectives_within(name: &str) -> Option<f64> {
    Case::read(name).within("obj_rel")
}

/// Runs every file of a case and judges it.
pub(crate) fn check(name: &str, execute: &mut dyn FnMut(&Compiled) -> Outcome) {
    let mut wrong = Vec::new();
    for file in files(name) {
        wrong.extend(judge(name, &file, execute).into_iter().map(|fault| format!("{file}: {fault}")));
    }
    assert!(wrong.is_empty(), "{name}\n  {}", wrong.join("\n  "));
}

/// The status of a solution by itself.
fn verified(compiled: &Compiled, outcome: &Outcome) -> &'static str {
    let solution: Vec<(String, Tensor)> = outcome
        .answers
        .iter()
        .map(|answer| (schedule::ir::title(&answer.name, &answer.role), answer.tensor.clone()))
        .collect();
    let given = schedule::matched(&compiled.schedule, &solution).expect("it is of this problem");
    verify(&compiled.schedule, &given, &mut Cpu::new(1), &Still::default(), 0).status.word()
}

/// What is wrong with the outcome of a file of a case.
pub(crate) fn judge(name: &str, file: &File, execute: &mut dyn FnMut(&Compiled) -> Outcome) -> Vec<String> {
    let case = &Case::read(name);
    let expected = case.texts("outcome");
    let scale = file.scale;
    let (outcome, again) = match file.compile() {
        Ok(compiled) => {
            let outcome = execute(&compiled);
            let again = verified(&compiled, &outcome);
            (outcome, again)
        }
        Err(_) if expected.contains(&"ill-posed") => return Vec::new(),
        Err(errors) => return errors,
    };
    let mut wrong = Vec::new();
    if !expected.contains(&outcome.status.word()) {
        wrong.push(format!(
            "{} after {} iterations, not {}",
            outcome.status,
            outcome.iterations,
            expected.join(" or ")
        ));
    }
    if case.texts("judged").is_empty() {
        return wrong;
    }
    // What a run is sure of is verified from its solution alone.
    if again != outcome.status.word() {
        wrong.push(format!("a run that is {} is verified as {again}", outcome.status));
    }
    let answer = Answer { case, outcome: &outcome, scale };
    let (objective, violation) = families::evaluate(case.text("family"), &answer);
    wrong.extend(misses(case, &answer, objective, violation));
    // What is reported is what was asked for: in the file's units, and a maximum where it says so.
    let unit = scale.map_or(1.0, |scale| scale.powi(case.power("objective")));
    let sign = if file.text.contains("\nmaximize") { -1.0 } else { 1.0 };
    let reported = sign * outcome.objective() / unit;
    let most = case.within("obj_rel").expect("it is judged") * objective.abs().max(1.0);
    let agree = (reported - objective).abs() <= most;
    if !agree {
        wrong.push(format!("reports {reported}, and the objective is {objective}"));
    }
    wrong
}

/// Compiles a file and one of its solve blocks, the first where none is named; the errors where it is
/// refused.
fn compile(path: &Path, set: &[(&str, &str)], solve: Option<&str>) -> Result<Compiled, Vec<String>> {
    let mut parsed = pipeline::parse(path, &Disk).expect("the file is there");
    crate::compile::compile(&mut parsed, &Disk, set, solve).ok_or_else(|| {
        let errors = parsed.diags.iter().filter(|diag| diag.severity == Severity::Error);
        errors.map(|diag| format!("{}: {}", diag.code, diag.message)).collect()
    })
}

/// Where objective, feasibility or variables miss what is expected.
fn misses(case: &Case, answer: &Answer, objective: f64, violation: f64) -> Vec<String> {
    use families::Read;
    let mut wrong = Vec::new();
    let mut hold = |what: &str, value: f64, most: f64| {
        // What is not a number does not hold.
        let holds = value <= most;
        if !holds {
            wrong.push(format!("{what} {value:.2e} > {most:e}, objective {objective}"));
        }
    };
    hold("violation", violation, case.within("feas").expect("it is judged"));
    let reference = |name: &str| Array::read(&case.folder.join("expected").join(format!("{name}.csv")));
    let judged = case.texts("judged");
    let distance = |to: &dyn Fn(&str) -> Array| {
        let off: f64 = judged.iter().map(|name| answer.var(name).minus(&to(name)).squares()).sum();
        let size: f64 = judged.iter().map(|name| to(name).squares()).sum();
        off.sqrt() / (1.0 + size.sqrt())
    };
    if let Some(minima) = case.expected["local_minima"].as_array() {
        let numbers =
            |list: &Value| list.as_array().expect("a point").iter().map(|x| x.as_f64().expect("a number")).collect();
        let nearest = minima.iter().map(|point| distance(&|_| Array::column(numbers(point))));
        hold(
            "distance to a local minimum",
            nearest.fold(f64::INFINITY, f64::min),
            case.within("x_rel").expect("judged"),
        );
        return wrong;
    }
    let best = case.expected["fstar"].as_f64().expect("its optimal value is known");
    match case.within("obj_upper_factor") {
        Some(factor) => hold("objective over the global minimum", objective / best, factor),
        None => {
            hold(
                "objective off by",
                (objective - best).abs() / best.abs().max(1.0),
                case.within("obj_rel").expect("judged"),
            );
            if let Some(most) = case.within("x_rel") {
                hold("variables off by", distance(&reference), most);
            }
        }
    }
    wrong
}
