//! The pages of `admmc explain CODE`: every code has one, and its examples do what the page says.

use admmc::catalogue::Function;
use admmc::data::Memory;
use admmc::diag::{Code, Diags, Style, render};
use admmc::model::Inputs;
use admmc::pipeline;
use admmc::source::Sources;
use std::path::Path;

use crate::compile::{compile, end};

/// Codes that are told of nothing that can be shown here, and why.
const UNSEEN: &[(Code, &str)] = &[(Code::NoDevice, "depends on the machine")];

/// Codes of what happens while a problem runs.
const RUNS: &[Code] = &[Code::NonFinite, Code::Diverging, Code::NoSolution, Code::InnerStalled, Code::PenaltyAtBound];

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

/// What is said about a text: by every check there is, or of its run.
fn said(text: &str, files: &Memory, of_run: bool) -> (Diags, Sources) {
    let mut parsed = pipeline::parse_text(Path::new("page.admm"), text, files);
    if of_run {
        let compiled = compile(&mut parsed, files, &[], None).expect("it passes every check");
        return (crate::compile::remarked(&compiled, &end(&compiled), &parsed.sources), parsed.sources);
    }
    if !parsed.diags.has_errors() {
        pipeline::check_all(&mut parsed, &Inputs::new(files));
    }
    (parsed.diags, parsed.sources)
}

/// The data that a page shows.
fn files(blocks: &[(&str, String)]) -> Memory {
    let shown = blocks.iter().filter_map(|(kind, text)| Some((kind.strip_prefix("csv ")?, text)));
    shown.fold(Memory::default(), |files, (name, text)| files.with(name, text.clone()))
}

#[test]
fn every_page_fails_and_is_mended_as_it_says() {
    let mut wrong = Vec::new();
    for &code in Code::ALL {
        let page = code.page();
        assert!(page.starts_with(&format!("# {code} {}\n", code.slug())), "the page of {code} begins with its name");
        let blocks = blocks(page);
        let files = files(&blocks);
        let only = |wanted: &str| {
            let mut found = blocks.iter().filter(|(kind, _)| *kind == wanted).map(|(_, text)| text.as_str());
            let text = found.next().unwrap_or_else(|| panic!("the page of {code} has a block `{wanted}`"));
            assert!(found.next().is_none(), "the page of {code} has one block `{wanted}`");
            text
        };
        let mut complain = |what: String| wrong.push(format!("{code}: {what}"));
        let codes = |text: &str, of_run: bool| -> Vec<Code> {
            said(text, &files, of_run).0.iter().map(|diag| diag.code).collect()
        };
        let of_run = RUNS.contains(&code);
        let (failing, mended) = (codes(only("admm failing"), of_run), codes(only("admm mended"), of_run));
        match UNSEEN.iter().find(|(exempt, _)| *exempt == code) {
            None if !failing.contains(&code) => complain(format!("the failing example gives {failing:?}")),
            Some((_, why)) if !failing.is_empty() => complain(format!("{why}, yet the example gives {failing:?}")),
            _ => {}
        }
        // That a loss is rewritten asks for nothing; but where that is the page's own subject, it is not.
        let mended: Vec<Code> =
            mended.into_iter().filter(|&said| said == code || said != Code::RewrittenLoss).collect();
        if !mended.is_empty() {
            complain(format!("the mended example gives {mended:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Below the failing example a page shows what is said about it, as it is drawn.
#[test]
fn every_page_shows_what_is_said() {
    for &code in Code::ALL.iter().filter(|code| UNSEEN.iter().all(|(exempt, _)| exempt != *code)) {
        let page = code.page();
        let blocks = blocks(page);
        let (_, failing) = blocks.iter().find(|(kind, _)| *kind == "admm failing").expect("a failing example");
        let (diags, sources) = said(failing, &files(&blocks), RUNS.contains(&code));
        let own = diags.iter().filter(|diag| diag.code == code);
        let drawn: Vec<String> = own.map(|diag| render(diag, &sources, Style::default())).collect();
        let block = format!("```text\n{}```\n", drawn.join("\n"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/diag/explain/{code}.md"));
        let (before, after) = page.split_at(page.find("\n```admm mended").expect("a mended example"));
        let before = before.split("\n```text\n").next().unwrap_or(before);
        expect_test::expect_file![path].assert_eq(&format!("{before}\n{block}{after}"));
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
