//! The pages of `admmc explain CODE`: every code has one, and its examples do what the page says.

use admmc::catalogue::Function;
use admmc::data::Memory;
use admmc::diag::{Code, Diags};
use admmc::exec::{Cpu, Nobody, run};
use admmc::host::Still;
use admmc::model::Inputs;
use admmc::pipeline;
use std::path::Path;

/// Codes whose failing example passes every check, and why.
const FAILS_LATER: &[(Code, &str)] = &[
    (Code::RewrittenLoss, "a note about what is computed; nothing is refused"),
    (Code::NonFinite, "happens while a problem runs"),
    (Code::Diverging, "happens while a problem runs"),
    (Code::NoSolution, "is proved while a problem runs"),
    (Code::InnerStalled, "happens while a problem runs"),
    (Code::PenaltyAtBound, "is told when a run is over"),
    (Code::NoDevice, "depends on the machine"),
];

/// The blocks of a page: what stands behind its fence, and its text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
            blocks.push((kind, text));
        }
    }
    blocks
}

/// The numbers of what is said about a text.
fn codes(text: &str, files: &Memory) -> Vec<Code> {
    let mut parsed = pipeline::parse_text(Path::new("page.admm"), text, files);
    if !parsed.diags.has_errors() {
        pipeline::check_all(&mut parsed, &Inputs::new(files));
    }
    let numbers = |diags: &Diags| diags.iter().map(|diag| diag.code).collect();
    numbers(&parsed.diags)
}

#[test]
fn every_page_fails_and_is_mended_as_it_says() {
    let mut wrong = Vec::new();
    for &code in Code::ALL {
        let page = code.page();
        assert!(page.starts_with(&format!("# {code} {}\n", code.slug())), "the page of {code} begins with its name");
        let blocks = blocks(page);
        let shown = blocks.iter().filter_map(|(kind, text)| Some((kind.strip_prefix("csv ")?, text)));
        let files = shown.fold(Memory::default(), |files, (name, text)| files.with(name, text.clone()));
        let only = |wanted: &str| {
            let mut found = blocks.iter().filter(|(kind, _)| *kind == wanted).map(|(_, text)| text.as_str());
            let text = found.next().unwrap_or_else(|| panic!("the page of {code} has a block `{wanted}`"));
            assert!(found.next().is_none(), "the page of {code} has one block `{wanted}`");
            text
        };
        let mut complain = |what: String| wrong.push(format!("{code}: {what}"));
        let (failing, mended) = (codes(only("admm failing"), &files), codes(only("admm mended"), &files));
        match FAILS_LATER.iter().find(|(exempt, _)| *exempt == code) {
            None if !failing.contains(&code) => complain(format!("the failing example gives {failing:?}")),
            Some((_, why)) if !failing.is_empty() => complain(format!("{why}, yet the example gives {failing:?}")),
            _ => {}
        }
        if !mended.is_empty() {
            complain(format!("the mended example gives {mended:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is told of a run is told of the failing example's, and not of the mended one's.
#[test]
fn examples_of_runs_end_as_their_pages_say() {
    for code in [Code::NonFinite, Code::Diverging, Code::NoSolution, Code::InnerStalled, Code::PenaltyAtBound] {
        let told = |kind: &str| -> Vec<Code> {
            let blocks = blocks(code.page());
            let (_, text) = blocks.iter().find(|(own, _)| *own == kind).expect("the page has it");
            let files = Memory::default();
            let mut parsed = pipeline::parse_text(Path::new("page.admm"), text, &files);
            let compiled = crate::compile::compile(&mut parsed, &files, &[], None).expect("it passes every check");
            let outcome = run(&compiled.schedule, &mut Cpu::new(1), &Still::default(), &mut Nobody, 0);
            let outcome = outcome.expect("there is no checkpoint");
            let remarks = crate::compile::remarked(&compiled, &outcome, &parsed.sources);
            remarks.iter().map(|diag| diag.code).collect()
        };
        assert_eq!((told("admm failing"), told("admm mended")), (vec![code], vec![]), "{code}");
    }
}

#[test]
fn there_is_no_page_without_a_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diag/explain");
    for entry in std::fs::read_dir(folder).expect("the pages are there") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let number = name.strip_suffix(".md").unwrap_or_else(|| panic!("`{name}` is no page"));
        assert!(Code::ALL.iter().any(|code| code.number() == number), "`{name}` explains no code");
    }
}

/// The page about constraints that are not affine lists the bounds that are sets, as the catalogue has them.
#[test]
fn norms_with_a_ball_are_listed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diag/explain/E0402.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let lines = Function::WITH_BALL.iter().map(|(norm, ball)| {
        let name = |function: &Function| function.signature().name();
        let radius = if *norm == Function::SumSquares { "sqrt(r)" } else { "r" };
        let bound = format!("{}(x) <= r", name(norm));
        format!("    {bound:<22} x in {}({radius})\n", name(ball))
    });
    let list: String = lines.collect();
    let start = page.find("    norm1(x)").expect("the list begins with a norm");
    let end = start + page[start..].find("\n\n").expect("the list ends") + 1;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, format!("{}{list}{}", &page[..start], &page[end..])).expect("the page can be written");
        return;
    }
    assert_eq!(&page[start..end], list, "UPDATE_EXPECT=1 writes the list anew");
}
