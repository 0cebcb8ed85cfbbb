//! The language reference lists every function and every set, as the program describes them, and shows
//! problems that run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use admmc::catalogue::{Function, Signature};
use admmc::data::{Format, Memory};
use admmc::diag::{Code, Severity};
use admmc::exec::Status;
use admmc::model::builtins;
use admmc::pipeline;
use admmc::syntax::keywords;

use crate::compile::{compile, compiled_with, drawn, end, execute};
use crate::remarks::remarked;

/// A table: signature and a line of documentation.
fn table<'d>(head: &str, lines: impl Iterator<Item = (Signature, &'d str)>) -> String {
    let mut table = format!("{head}\n|---|---|\n");
    for (signature, doc) in lines {
        // A bar would end the cell.
        table += &format!("| `{}` | {} |\n", signature.0, doc.replace('|', "\\|"));
    }
    table
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/README.md")
}

/// Holds the text between two marks of the reference to what it should be, or writes it anew.
fn check(begin: &str, end: &str, expected: &str) {
    let path = path();
    let text = std::fs::read_to_string(&path).expect("the reference is there");
    let start = text.find(begin).expect("the reference has a place for the table") + begin.len();
    let end = text.find(end).expect("the place ends");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let updated = format!("{}{expected}{}", &text[..start], &text[end..]);
        std::fs::write(&path, updated).expect("the reference can be written");
        return;
    }
    assert_eq!(&text[start..end], expected, "UPDATE_EXPECT=1 writes the table anew");
}

/// One test: all tables stand in one file, which they may write.
#[test]
fn every_function_and_every_set_is_described() {
    let described = |function: Function| (function.signature(), function.doc());
    let functions = Function::ALL.iter().copied().filter(|function| !function.is_operator() && !function.is_set());
    let functions = table("| function | value |", functions.map(described));
    check("<!-- functions -->\n", "<!-- end of functions -->", &functions);
    let sets = table("| set | its elements |", Function::sets().map(described));
    check("<!-- sets -->\n", "<!-- end of sets -->", &sets);
    check("<!-- codes -->\n", "<!-- end of codes -->", &codes());
    check("<!-- refused -->\n", "<!-- end of refused -->", &refused());
    check("<!-- known -->\n", "<!-- end of known -->", &table("| function | value |", builtins()));
}

/// Every code with what its page begins with.
fn codes() -> String {
    let mut table = "| code | name | |\n|---|---|---|\n".to_owned();
    for code in Code::ALL {
        let text: Vec<&str> = code.page().lines().skip(2).take_while(|line| !line.is_empty()).collect();
        let text = text.join(" ");
        let first = text.split_inclusive(". ").next().unwrap_or_default().trim_end().trim_end_matches(['.', ':']);
        let strength = match code.severity() {
            Severity::Error => "",
            Severity::Warning => " (warning)",
            Severity::Note => " (note)",
        };
        table += &format!("| {code} | {}{strength} | {} |\n", code.slug(), first.replace('|', "\\|"));
    }
    table
}

/// Files that are refused, each with what the reference says about it.
const REFUSED: &[(&str, &str)] = &[
    (
        "three_blocks",
        "Three blocks in one equation, which ADMM taken over them in turn diverges on (Chen, He, Ye and Yuan 2016)",
    ),
    ("inconsistent", "Equations that contradict each other"),
    ("unbounded_step", "A step that falls without bound, as no constraint holds what its term pulls at"),
    ("concave_step", "A concave step, with the ρ that makes it convex"),
    ("wrong_sign", "The loss of a GAN's discriminator with the wrong sign"),
    ("indefinite", "An indefinite quadratic, which the norm beside it does not hold"),
    ("product", "A product of the two blocks"),
    ("wrong_width", "A network that is given rows of another width"),
];

/// Every one of them with its text and its drawing, which a person who has never seen admmc should be able to act on.
fn refused() -> String {
    let mut shown = String::new();
    for (name, title) in REFUSED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/refused/{name}.admm"));
        let text = std::fs::read_to_string(path).expect("the file is there");
        let parsed = remarked(Path::new(&format!("{name}.admm")), &text, &Memory::default());
        assert!(parsed.diags.has_errors(), "{name} is refused");
        shown += &format!("{title}:\n\n```admm\n{text}```\n```text\n{}```\n\n", drawn(&parsed));
    }
    shown
}

/// What the README shows of a command is what it says.
#[test]
fn the_readme_shows_what_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the file is there");
    let (mut written, mut shown) = (String::new(), 0);
    let mut rest = readme.as_str();
    while let Some(at) = rest.find("$ admmc ") {
        let (before, from) = rest.split_at(at);
        let line = from.lines().next().unwrap_or_default();
        let end = at + from.find("```").expect("a block ends");
        let file = line.rsplit(' ').next().unwrap_or_default();
        let path = root.join("tests/cases/refused").join(file);
        written += before;
        match std::fs::read_to_string(path) {
            Ok(text) => {
                written += &format!("{line}\n{}", said(file, &text, line.starts_with("$ admmc run ")));
                shown += 1;
            }
            Err(_) => written += &rest[at..end],
        }
        rest = &rest[end..];
    }
    assert_eq!(shown, 3);
    expect_test::expect_file![root.join("README.md")].assert_eq(&(written + rest));
}

/// Its diagnostics, or those of its run.
fn said(name: &str, text: &str, of_run: bool) -> String {
    let files = Memory::default();
    if !of_run {
        return drawn(&remarked(Path::new(name), text, &files));
    }
    let mut parsed = pipeline::parse_text(Path::new(name), text, &files);
    let compiled = compile(&mut parsed, &files, &[], None).expect("it passes every check");
    parsed.diags = crate::compile::remarked(&compiled, &end(&compiled), &parsed.sources);
    drawn(&parsed)
}

/// A format that is read has a function, and its table says so.
#[test]
fn every_format_has_a_function() {
    let names: Vec<&str> = builtins().map(|(signature, _)| signature.name()).collect();
    for format in Format::ALL {
        assert!(names.contains(&format.name()), "{}", format.name());
    }
}

/// Whole problems of the reference: those that declare what they minimise over. They run as they are printed.
#[test]
fn whole_problems_run() {
    let text = std::fs::read_to_string(path()).expect("the reference is there");
    let blocks = text.split("```admm\n").skip(1).filter_map(|block| block.split("```").next());
    let whole = |block: &&str| block.contains("\nvar ") && block.contains("\nminimize ");
    let files = Memory::default().with("A.csv", "1,2\n3,4\n5,7\n").with("b.csv", "1\n2\n-1\n");
    let refused = |block: &&str| text.find(block) > text.find("<!-- refused -->");
    let problems: Vec<&str> = blocks.filter(whole).filter(|block| !refused(block)).collect();
    assert_eq!(problems.len(), 3);
    for problem in problems {
        let outcome = execute(&compiled_with(problem, &files));
        let end = if problem.contains("net ") { Status::Stationary } else { Status::Solved };
        assert_eq!(outcome.status, end, "{problem}");
    }
}

/// What the fuzzers make texts of: words of the language, its functions, methods and marks.
#[test]
fn the_fuzzers_know_every_word() {
    let words = keywords::STATEMENTS.iter().map(|statement| statement.word);
    let words = words.chain(keywords::STEPS.iter().map(|(word, _)| *word)).chain(keywords::CONTEXTUAL.iter().copied());
    let functions = Function::ALL.iter().map(|function| function.signature().name());
    let names: BTreeSet<&str> =
        words.chain(functions).chain(builtins().map(|(signature, _)| signature.name())).collect();
    let marks = ["subject to ", " = ", " <= ", " in ", "sum(i in 1 to 3: ", "[i in 1 to 3]", ": real[3]", "'*", ".^2"];
    let lines = names.into_iter().chain(marks).map(|word| format!("{word:?}\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/admm.dict");
    expect_test::expect_file![path].assert_eq(&lines.collect::<String>());
}
