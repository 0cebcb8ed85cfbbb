//! The drawing, pinned: one diagnostic with everything, in colour and without, and as JSON.

use super::*;
use crate::source::{FileId, Sources};
use expect_test::{Expect, expect};

fn span(sources: &Sources, file: u32, text: &str) -> Span {
    let at = sources.file(FileId(file)).text.find(text).expect("the text is there");
    Span::new(FileId(file), at, at + text.len())
}

/// A coupled term, said with labels, a certificate, help and a fix.
fn coupled() -> (Diag, Sources) {
    let mut sources = Sources::default();
    sources.add(
        "dir/coupled.admm",
        "var x, z: real[3]\nminimize sum_squares(x - z) + norm1(z)\n\nsubject to\n    x - z = 0\n",
    );
    sources.add("dir/other.admm", "let θ = 1\n");
    let diag = Diag::new(Code::CoupledTerm, span(&sources, 0, "sum_squares(x - z)"), "this term touches `x` and `z`")
        .here("belongs to both blocks")
        .label(span(&sources, 0, "x - z = 0"), "the constraint that separates them")
        .certify("∂²/∂x∂z = -2")
        .certify("block x: x, block z: z")
        .help("give the term a copy of `z`")
        .fix("write `w`", span(&sources, 0, "z)"), "w)");
    (diag, sources)
}

fn check(diag: &Diag, sources: &Sources, expected: Expect) {
    expected.assert_eq(&render(diag, sources, Style::default()));
}

#[test]
fn everything_is_drawn() {
    let (diag, sources) = coupled();
    check(
        &diag,
        &sources,
        expect![[r#"
        error E0401 coupled-term

          × this term touches `x` and `z`
          ├─▶ ∂²/∂x∂z = -2
          ╰─▶ block x: x, block z: z
           ╭─[dir/coupled.admm:2:10]
         1 │ var x, z: real[3]
         2 │ minimize sum_squares(x - z) + norm1(z)
           ·          ─────────┬────────
           ·                   ╰── belongs to both blocks
         3 │
         4 │ subject to
         5 │     x - z = 0
           ·     ────┬────
           ·         ╰── the constraint that separates them
           ╰────
          help: give the term a copy of `z`
                write `w` (`admmc check --fix` does it)
    "#]],
    );
}

#[test]
fn colour_changes_nothing_else() {
    let (diag, sources) = coupled();
    let coloured = render(&diag, &sources, Style { colour: true, ..Style::default() });
    assert!(coloured.contains("\u{1b}[31m"), "{coloured}");
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(escape) = rest.find('\u{1b}') {
        plain.push_str(&rest[..escape]);
        rest = &rest[escape + rest[escape..].find('m').expect("a colour ends") + 1..];
    }
    let plain: String = (plain + rest).lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    assert_eq!(plain, render(&diag, &sources, Style::default()));
}

#[test]
fn a_note_in_two_files_shows_both() {
    let (_, sources) = coupled();
    let diag = Diag::new(Code::DuplicateName, span(&sources, 1, "θ"), "`θ` is declared twice")
        .severity(Severity::Note)
        .here("here")
        .label(span(&sources, 0, "x, z"), "and first here");
    check(
        &diag,
        &sources,
        expect![[r#"
        note E0202 duplicate-name

          ☞ `θ` is declared twice
           ╭─[dir/other.admm:1:5]
         1 │ let θ = 1
           ·     ┬
           ·     ╰── here
           ╰────
          ☞ and here
           ╭─[dir/coupled.admm:1:5]
         1 │ var x, z: real[3]
           ·     ──┬─
           ·       ╰── and first here
         2 │ minimize sum_squares(x - z) + norm1(z)
           ╰────
    "#]],
    );
}

#[test]
fn long_lines_are_cut_around_the_mark_and_columns_stay() {
    let mut sources = Sources::default();
    let text = format!("let a = 1\nlet θ = [{}here, {}1]\nlet b = 2\n", "ö, ".repeat(500), "x, ".repeat(500));
    sources.add("long.admm", text);
    let diag = Diag::new(Code::UnknownName, span(&sources, 0, "here"), "there is no `here`")
        .label(span(&sources, 0, "let b"), "a mark on a later line stays where it was");
    check(
        &diag,
        &sources,
        expect![[r#"
        error E0201 unknown-name

          × there is no `here`
           ╭─[long.admm:2:1510]
         1 │ let a = 1
         2 │ … , ö, ö, ö, ö, ö, ö, ö, here, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x,  …
           ·                          ────
         3 │ let b = 2
           · ──┬──
           ·   ╰── a mark on a later line stays where it was
           ╰────
    "#]],
    );
}

/// Places beyond the text, and a file that isn't there, are drawn as well as can be.
#[test]
fn odd_places_are_no_trouble() {
    let (_, mut sources) = coupled();
    let empty = sources.add("empty.admm", "");
    for span in
        [Span::new(FileId(0), 90, 999), Span::new(empty, 0, 0), Span::new(FileId(9), 0, 3), Span::new(FileId(1), 5, 6)]
    {
        let drawn = render(&Diag::new(Code::Syntax, span, "somewhere"), &sources, Style { colour: false, width: 40 });
        assert!(drawn.contains("somewhere") && !drawn.contains("Failed to read"), "{drawn}");
        to_json(&Diag::new(Code::Syntax, span, "somewhere"), &sources);
    }
}

/// A statement that ends with the file, and the file with it.
#[test]
fn a_mark_behind_the_last_character_is_seen() {
    let mut sources = Sources::default();
    sources.add("end.admm", "var x");
    let diag = Diag::new(Code::Syntax, Span::new(FileId(0), 5, 5), "expected `:`, but the statement ends here");
    check(
        &diag,
        &sources,
        expect![[r#"
            error E0101 syntax

              × expected `:`, but the statement ends here
               ╭─[end.admm:1:6]
             1 │ var x
               ·      ▲
               ╰────
        "#]],
    );
}

#[test]
fn json_has_places_in_every_unit() {
    let (diag, sources) = coupled();
    expect![[r#"
        {
          "file": "dir/coupled.admm",
          "line": 2,
          "column": 10,
          "end_line": 2,
          "end_column": 28,
          "start_byte": 27,
          "end_byte": 45,
          "severity": "error",
          "code": "E0401",
          "slug": "coupled-term",
          "message": "this term touches `x` and `z`",
          "labels": [
            {
              "file": "dir/coupled.admm",
              "line": 2,
              "column": 10,
              "end_line": 2,
              "end_column": 28,
              "start_byte": 27,
              "end_byte": 45,
              "text": "belongs to both blocks"
            },
            {
              "file": "dir/coupled.admm",
              "line": 5,
              "column": 5,
              "end_line": 5,
              "end_column": 14,
              "start_byte": 73,
              "end_byte": 82,
              "text": "the constraint that separates them"
            }
          ],
          "certificate": [
            "∂²/∂x∂z = -2",
            "block x: x, block z: z"
          ],
          "help": "give the term a copy of `z`",
          "fix": {
            "title": "write `w`",
            "edits": [
              {
                "file": "dir/coupled.admm",
                "line": 2,
                "column": 26,
                "end_line": 2,
                "end_column": 28,
                "start_byte": 43,
                "end_byte": 45,
                "replacement": "w)"
              }
            ]
          }
        }"#]]
    .assert_eq(&format!("{:#}", to_json(&diag, &sources)));
}
