//! The rules of the house, read off the text of `src/`: who may use whom, and what is written where.
//!
//! The order of [`LAYERS`] is the order of the house. To let a folder use another one is a decision
//! about the architecture: it is made there, in a line with its reason.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder or file of `src/`, and which of those above it in the list it may use.
const LAYERS: &[(&str, &[&str])] = &[
    // The ground floor: used by all, knows no stage.
    ("source", &[]),
    ("diag", &["source"]),
    ("linalg", &[]),
    // A value on the tape carries the span it was written at, so that what turns infinite in a run is
    // shown in the file.
    // A sparse factor's op carries its pattern, and a transform of a grid is defined once.
    ("tape", &["source", "linalg"]),
    ("catalogue", &["tape"]),
    // What a run takes from the world is a trait, so that exec knows neither clock nor disk.
    ("host", &[]),
    // What is read is a tensor of the tape; what is wrong with a file is a diagnostic. Sparse matrices are
    // put together in linalg.
    ("data", &["source", "diag", "linalg", "tape"]),
    // The stages. Each reads the results of those before it.
    ("syntax", &["source", "diag"]),
    // The one stage that takes data in. Constants are folded on the tape.
    ("model", &["source", "diag", "linalg", "tape", "catalogue", "data", "syntax"]),
    ("split", &["source", "diag", "linalg", "tape", "catalogue", "model"]),
    ("steps", &["source", "diag", "linalg", "tape", "catalogue", "model", "split"]),
    // No diag from here on: a problem that reaches the schedule fails by a numerical status alone.
    ("schedule", &["source", "linalg", "tape", "catalogue", "model", "split", "steps"]),
    // A run knows the schedule and nothing of the problem it came from: what a device has to execute
    // is all in it.
    ("exec", &["source", "linalg", "tape", "host", "schedule"]),
    // `explain` derives the iteration from every stage; results are written with the formats of data.
    ("report", &["source", "diag", "linalg", "tape", "host", "data", "model", "split", "steps", "schedule", "exec"]),
    // The stages in order. It hands over to exec and does not run anything itself.
    ("pipeline", &["source", "diag", "data", "syntax", "model", "split", "steps", "schedule"]),
    // The outermost room: arguments in, text and an exit code out.
    (
        "cli",
        &[
            "source", "diag", "tape", "host", "data", "syntax", "model", "split", "steps", "schedule", "exec",
            "report", "pipeline",
        ],
    ),
    // Hands the world to the command, its disk in the shape that data gives it.
    ("main", &["data", "cli"]),
];

/// What is written in some files only: the text, the files by how their path begins, the reason.
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("std::fs", &["data/", "report/"], "files are touched in data and report"),
    ("std::env", &["main.rs"], "the environment is main's to read"),
    ("process::exit", &["main.rs"], "only main ends the program"),
    ("Instant::now", &["cli/machine.rs"], "the time comes in through the host"),
    ("SystemTime", &[], "the date is no input of a run"),
    ("println!", &[], "streams are handed in"),
    ("print!(", &[], "streams are handed in"),
    ("eprint", &[], "streams are handed in"),
    // The metadata of a safetensors file, of which a checkpoint has one entry.
    ("HashMap", &["exec/checkpoint.rs"], "the order of hashes would reach an output"),
    ("HashSet", &[], "the order of hashes would reach an output"),
    (".unwrap()", &[], "`expect` says why it holds"),
    ("todo!", &[], "what is not built says so in a diagnostic"),
    ("unimplemented!", &[], "what is not built says so in a diagnostic"),
    ("dbg!", &[], "a trace of debugging"),
    // Memory that threads share by a plan, and instructions chosen at run time; calls of CUDA's libraries,
    // which know no types.
    ("unsafe", &["exec/cpu/", "exec/cuda/"], "`unsafe` has its files, each with its argument"),
];

/// Lines of a file without its tests; past this it is two files.
const LINES: usize = 500;

/// A file of `src/` without comments and tests.
struct Source {
    /// Below `src/`, with `/`.
    path: String,
    /// The folder or file at the top of `src/` it belongs to.
    unit: String,
    /// As written.
    text: String,
    /// Lines of code and comments, tests left out.
    lines: usize,
    /// Code alone.
    code: String,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Source {
        let text = fs::read_to_string(path).expect("a source file is text");
        let path = path.strip_prefix(root).expect("it was found below").to_string_lossy().replace('\\', "/");
        let unit = path.split(['/', '.']).next().expect("split gives one piece at least").to_owned();
        // Tests stand last in a file, in a module of their own.
        let tested = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        let code = text[..tested].lines().map(|line| line.split("//").next().unwrap_or_default());
        Source { lines: text[..tested].lines().count(), code: code.collect::<Vec<_>>().join("\n"), path, unit, text }
    }

    /// How many modules it is below the crate.
    fn depth(&self) -> usize {
        self.path.split('/').count() - usize::from(self.path.ends_with("/mod.rs"))
    }

    /// The top modules it names, itself aside: `crate::tape::…`, or `admmc::…` in main.
    fn uses(&self) -> Vec<&str> {
        let root = if self.unit == "main" { "admmc::" } else { "crate::" };
        let after = self.code.split(root).skip(1);
        let names = after.map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(""));
        let mut names: Vec<&str> = names.filter(|&name| name != self.unit).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// All files of `src/`, tests left out, in order.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    find(&root, &mut files);
    files.sort();
    files.iter().map(|path| Source::read(&root, path)).collect()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).expect("a folder of src can be listed").flatten().map(|entry| entry.path()) {
        let name = path.file_stem().unwrap_or_default();
        if name == "tests" {
            continue;
        }
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Fails with all that was found wrong.
fn none(broken: &str) {
    assert!(broken.is_empty(), "\n{broken}");
}

#[test]
fn dependencies_point_left() {
    let mut broken = String::new();
    for source in sources().iter().filter(|source| source.unit != "lib") {
        let allowed = LAYERS.iter().find(|(unit, _)| *unit == source.unit).map_or(&[][..], |(_, allowed)| allowed);
        for used in source.uses().iter().filter(|used| !allowed.contains(used)) {
            let _ = writeln!(broken, "src/{}: {} may not use `{used}`", source.path, source.unit);
        }
        // A path may climb to its own stage's folder, not past it.
        let climb = "super::".repeat(source.depth());
        if source.code.contains(&climb) {
            let _ = writeln!(broken, "src/{}: `{climb}` leaves the stage; say `crate::`", source.path);
        }
    }
    none(&broken);
}

#[test]
fn the_list_is_the_house() {
    for (at, (unit, allowed)) in LAYERS.iter().enumerate() {
        for used in *allowed {
            assert!(LAYERS[..at].iter().any(|(above, _)| above == used), "`{used}` does not stand above `{unit}`");
        }
    }
    let sources = sources();
    let mut units: Vec<&str> =
        sources.iter().map(|source| source.unit.as_str()).filter(|&unit| unit != "lib").collect();
    units.dedup();
    let mut listed: Vec<&str> = LAYERS.iter().map(|(unit, _)| *unit).collect();
    listed.sort_unstable();
    assert_eq!(listed, units);
}

#[test]
fn everything_has_its_place() {
    let mut broken = String::new();
    for source in &sources() {
        for (text, places, reason) in RESERVED {
            let allowed = places.iter().any(|place| source.path.starts_with(place));
            if !allowed && source.code.contains(text) {
                let _ = writeln!(broken, "src/{}: `{text}`: {reason}", source.path);
            }
        }
    }
    none(&broken);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut broken = String::new();
    for source in &sources() {
        if source.lines > LINES {
            let _ = writeln!(broken, "src/{}: {} lines without tests; at most {LINES}", source.path, source.lines);
        }
        if !source.text.starts_with("//! ") {
            let _ = writeln!(broken, "src/{}: its first line says what it is", source.path);
        }
        if source.code.contains("unsafe {") && !source.text.contains("// SAFETY:") {
            let _ = writeln!(broken, "src/{}: `unsafe` without its argument", source.path);
        }
    }
    none(&broken);
}
