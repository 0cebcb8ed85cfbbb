//! Malformed files: each of `tests/cases/syntax/*.admm` with its rendering beside it, and junk that
//! is better made than kept.

use admmc::diag::{Diags, Style, fix, render};
use admmc::source::{FileId, Sources};
use admmc::syntax;
use expect_test::{ExpectFile, expect, expect_file};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/syntax")
}

/// The malformed files, in order.
fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the cases are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "admm"));
    paths.sort();
    paths
}

/// All that is said about a text, as a person sees it.
fn complaints(name: &str, text: &str) -> String {
    let mut sources = Sources::default();
    let file = sources.add(name, text);
    let mut diags = Diags::default();
    syntax::parse(file, text, &mut diags);
    diags.iter().map(|diag| render(diag, &sources, Style::default())).collect::<Vec<_>>().join("\n")
}

fn check(text: &str, expected: expect_test::Expect) {
    expected.assert_eq(&complaints("made.admm", text));
}

#[test]
fn malformed_files_are_refused_in_words() {
    let cases = cases();
    assert!(cases.len() >= 35);
    for path in cases {
        let text = std::fs::read_to_string(&path).expect("a case is text");
        let name = path.file_name().expect("a file").to_string_lossy();
        let expected: ExpectFile = expect_file![path.with_extension("expected")];
        let said = complaints(&name, &text);
        assert!(!said.is_empty(), "{name} is refused");
        expected.assert_eq(&said);
    }
}

/// What a fix writes is no longer complained about in the same words.
#[test]
fn fixes_mend_what_they_promise() {
    for path in cases() {
        let text = std::fs::read_to_string(&path).expect("a case is text");
        let parse = |text: &str| {
            let mut diags = Diags::default();
            syntax::parse(FileId(0), text, &mut diags);
            diags
        };
        let fixes = |diags: &Diags| diags.iter().filter_map(|diag| diag.fix.clone()).collect::<Vec<_>>();
        let (mut text, mut rounds) = (text, 0);
        loop {
            let found = fixes(&parse(&text));
            if found.is_empty() {
                break;
            }
            let mended = fix::apply(&found, FileId(0), &text);
            assert_ne!(mended, text, "{} does not change", path.display());
            text = mended;
            rounds += 1;
            assert!(rounds < 5, "{} is never mended:\n{text}", path.display());
        }
    }
}

#[test]
fn binary_junk_is_one_error() {
    check(
        "\u{89}PNG\r\n\0\0\0\rIHDR",
        expect![[r#"
            error E0105 unreadable-text

              × the file holds the control character U+0089 at byte 0
               ╭─[made.admm:1:1]
             1 │ ·PNG
               · ─
             2 │     IHDR
               ╰────
              help: a problem file is plain text; this character can't be seen in an editor, so delete it and
                    what surrounds it
        "#]],
    );
    check(
        &String::from_utf8_lossy(b"\x1f\x8b\x08\x00\xff\xfe\x00"),
        expect![[r#"
            error E0105 unreadable-text

              × the file holds the control character U+001F at byte 0
               ╭─[made.admm:1:1]
             1 │  �  ��
               · ─
               ╰────
              help: a problem file is plain text; this character can't be seen in an editor, so delete it and
                    what surrounds it
        "#]],
    );
    check(
        "v\0a\0r\0 \0x\0",
        expect![[r#"
            error E0105 unreadable-text

              × the file is not text: byte 1 is zero
               ╭─[made.admm:1:2]
             1 │ v a r   x
               ·  ─
               ╰────
              help: a problem file is plain text in UTF-8; this may be a binary file, or UTF-16: save it again
                    as UTF-8
        "#]],
    );
    check(
        &String::from_utf8_lossy(b"var x: real  # \xe4\xf6\n"),
        expect![[r#"
        error E0105 unreadable-text

          × the file is not UTF-8 from byte 15 on
           ╭─[made.admm:1:16]
         1 │ var x: real  # ��
           ·                ─
           ╰────
          help: a problem file is plain text in UTF-8; open it in an editor and save it again with that
                encoding
    "#]],
    );
}

/// Lines of junk: many errors stop being reported.
#[test]
fn junk_lines_are_reported_up_to_a_limit() {
    let mut diags = Diags::default();
    syntax::parse(FileId(0), &"?!$ blah\n".repeat(10_000), &mut diags);
    assert_eq!(diags.len(), 50);
}

#[test]
fn deep_nesting_is_one_error() {
    for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("-(", ")"), ("{", "}")] {
        let text = format!("let a = {}1{}\n", open.repeat(10_000), close.repeat(10_000));
        let mut diags = Diags::default();
        syntax::parse(FileId(0), &text, &mut diags);
        assert_eq!(diags.len(), 1, "{open}");
    }
    check(
        &format!("let a = {}1{}\nlet b = 2\n", "(".repeat(10_000), ")".repeat(10_000)),
        expect![[r#"
            error E0104 too-deep

              × brackets are nested more than 200 deep
               ╭─[made.admm:1:209]
             1 │ … (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((( …
               ·                                 ┬
               ·                                 ╰── level 201
             2 │ let b = 2
               ╰────
              help: give the inner parts names with `let`
        "#]],
    );
    check(
        &format!("let a = {}1\n", "(".repeat(10_000)),
        expect![[r#"
            error E0104 too-deep

              × brackets are nested more than 200 deep
               ╭─[made.admm:1:209]
             1 │ … (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((( …
               ·                                 ┬
               ·                                 ╰── level 201
               ╰────
              help: give the inner parts names with `let`
        "#]],
    );
    check(
        &format!("solve play as game {{\n{}", "repeat 2 times {\n".repeat(10_000)),
        expect![[r#"
            error E0104 too-deep

              × brackets are nested more than 200 deep
                 ╭─[made.admm:201:16]
             200 │ repeat 2 times {
             201 │ repeat 2 times {
                 ·                ┬
                 ·                ╰── level 201
             202 │ repeat 2 times {
                 ╰────
              help: give the inner parts names with `let`
        "#]],
    );
}

#[test]
fn long_chains_are_one_error() {
    for link in ["1 + ", "-", "x^", "x*"] {
        let mut diags = Diags::default();
        syntax::parse(FileId(0), &format!("let a = {}1\n", link.repeat(1_000_000)), &mut diags);
        assert_eq!(diags.len(), 1, "{link}");
    }
    check(
        &format!("let a = {}1\n", "x + ".repeat(2_000)),
        expect![[r#"
            error E0104 too-deep

              × this expression chains more than 1000 operations
               ╭─[made.admm:1:4011]
             1 │ … x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x  …
               ·                                 ┬
               ·                                 ╰── operation 1001
               ╰────
              help: give parts of it names with `let`, or write a sum over an index: `sum(i in 1 to 8: …)`
        "#]],
    );
    check(
        &format!("let a = x{}\n", "[1]".repeat(2_000)),
        expect![[r#"
        error E0104 too-deep

          × this expression chains more than 1000 operations
           ╭─[made.admm:1:3010]
         1 │ … [1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1] …
           ·                                 ┬
           ·                                 ╰── operation 1001
           ╰────
          help: give parts of it names with `let`, or write a sum over an index: `sum(i in 1 to 8: …)`
    "#]],
    );
}

/// Ten megabytes in one line are read, or refused, in time that grows with the size only.
#[test]
fn a_line_of_ten_megabytes_is_no_trouble() {
    let start = Instant::now();
    let numbers = |bytes: usize| format!("let a = [{}1]\n", "1, ".repeat(bytes / 3));
    let mut diags = Diags::default();
    syntax::parse(FileId(0), &numbers(500_000), &mut diags);
    assert!(diags.is_empty());
    check(
        &numbers(10_000_000),
        expect![[r#"
        error E0104 too-deep

          × this statement is more than 1 MB long
           ╭─[made.admm:1:1]
         1 │ let a = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  …
           · ─┬─
           ·  ╰── begins here
           ╰────
          help: numbers in such quantity are data: put them into a file, and read it with `data A =
                csv("A.csv")`
    "#]],
    );
    check(
        &"x".repeat(10_000_000),
        expect![[r#"
            error E0104 too-deep

              × this statement is more than 1 MB long
               ╭─[made.admm:1:1]
             1 │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx …
               · ────────────────────┬───────────────────
               ·                     ╰── begins here
               ╰────
              help: numbers in such quantity are data: put them into a file, and read it with `data A =
                    csv("A.csv")`
        "#]],
    );
    check(
        &format!("let a = [{}1 1]\n", "1, ".repeat(3_333_333)),
        expect![[r#"
            error E0104 too-deep

              × this statement is more than 1 MB long
               ╭─[made.admm:1:1]
             1 │ let a = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  …
               · ─┬─
               ·  ╰── begins here
               ╰────
              help: numbers in such quantity are data: put them into a file, and read it with `data A =
                    csv("A.csv")`
        "#]],
    );
    check(
        &format!("let a = \"{}\n", "x".repeat(10_000_000)),
        expect![[r#"
            error E0104 too-deep

              × this statement is more than 1 MB long
               ╭─[made.admm:1:1]
             1 │ let a = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx …
               · ─┬─
               ·  ╰── begins here
               ╰────
              help: numbers in such quantity are data: put them into a file, and read it with `data A =
                    csv("A.csv")`
        "#]],
    );
    // By trial: 5 s of work, more on a busy machine; quadratic work would take hours.
    assert!(start.elapsed() < Duration::from_secs(300));
}
