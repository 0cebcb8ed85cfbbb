//! Command lines and their answers, in a world of their own.

use expect_test::{Expect, expect};

use super::*;
use crate::data::Memory;

/// Runs a command line; standard output and standard error follow each other in the answer, the
/// exit code comes last.
fn answer(line: &str, files: &Memory, input: &str) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut world = World {
        input: &mut input.as_bytes(),
        out: &mut out,
        err: &mut err,
        terminal: (false, false),
        colourless: true,
        width: 100,
        files,
        threads: 2,
        interrupted: Arc::default(),
    };
    let exit = run(line.split_whitespace().map(OsString::from), &mut world);
    format!("{}{}exit {}\n", String::from_utf8_lossy(&out), String::from_utf8_lossy(&err), u8::from(exit))
}

fn check(line: &str, expected: Expect) {
    expected.assert_eq(&answer(line, &Memory::default(), ""));
}

#[test]
fn slips_of_the_command_line() {
    check(
        "admmc",
        expect![[r#"
              × a command is missing
              help: `admmc --help` lists the commands
            exit 2
        "#]],
    );
    check(
        "admmc rum lasso.admm",
        expect![[r#"
              × there is no command `rum`
              help: did you mean `run`?
            exit 2
        "#]],
    );
    check(
        "admmc lasso.admm",
        expect![[r#"
              × there is no command `lasso.admm`
              help: did you mean `admmc run lasso.admm`?
            exit 2
        "#]],
    );
    check(
        "admmc run",
        expect![[r#"
              × <FILE> is missing
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm b.admm",
        expect![[r#"
              × `b.admm` is one argument too many
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --sed 1",
        expect![[r#"
              × there is no option `--sed` here
              help: did you mean `--seed`?
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --zzz",
        expect![[r#"
              × there is no option `--zzz` here
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --seed",
        expect![[r#"
              × `--seed` needs a value
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --seed one",
        expect![[r#"
              × `--seed` can't be `one`: a whole number is needed, from 0 up
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --seed 1 --seed 2",
        expect![[r#"
              × `--seed` is given twice
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --set lambda",
        expect![[r#"
              × `--set` can't be `lambda`: a name, `=` and a value are needed, as in `lambda=0.5`
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --threads 0",
        expect![[r#"
              × `--threads` can't be `0`: a whole number is needed, from 1 to 4096
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --time-limit 1d",
        expect![[r#"
              × `--time-limit` can't be `1d`: a time limit is a number with its unit: `60s`, `5m`, `1.5h`
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --device gpu",
        expect![[r#"
              × `--device` can't be `gpu`: a device is `auto`, `cpu`, `cuda`, `cuda:1` or `reference`
              help: `admmc run --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc run a.admm --format jsn",
        expect![[r#"
              × `--format` can't be `jsn`; it takes `text`, `json`
              help: did you mean `json`?
            exit 2
        "#]],
    );
    check(
        "admmc emit a.admm",
        expect![[r#"
              × one of --ast, --model, --split, --tape, --schedule, --cuda is needed
              help: `admmc emit --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc emit a.admm --ast --tape",
        expect![[r#"
              × `--tape` and `--ast` exclude each other
              help: `admmc emit --help` lists what it takes
            exit 2
        "#]],
    );
    check(
        "admmc rum --format json",
        expect![[r#"
        {"code":null,"severity":"error","message":"there is no command `rum`","help":"did you mean `run`?"}
        exit 2
    "#]],
    );
}

#[test]
fn what_is_yet_to_come() {
    check(
        "admmc compare a.admm",
        expect![[r#"
            error E0107 not-yet

              × `admmc compare` can't be executed yet
              help: `admmc run a.admm` solves the file; --solve and --set choose how
            exit 2
        "#]],
    );
    check(
        "admmc sweep a.admm --over rho=1:2:3",
        expect![[r#"
            error E0107 not-yet

              × `admmc sweep` can't be executed yet
              help: `admmc run a.admm` solves the file; --solve and --set choose how
            exit 2
        "#]],
    );
    check(
        "admmc verify a.admm solution.npz --format json",
        expect![[r#"
        {"code":"E0107","severity":"error","message":"`admmc verify` can't be executed yet","help":"`admmc run a.admm` solves the file; --solve and --set choose how"}
        exit 2
    "#]],
    );
}

#[test]
fn pages_and_lists() {
    check(
        "admmc explain E0999",
        expect![[r#"
              × there is no diagnostic `E0999`
              help: codes run from E0101 to E0801
            exit 2
        "#]],
    );
    check(
        "admmc explain e0103 --format json",
        expect![[r##"
        {
          "code": "E0103",
          "slug": "unclosed-string",
          "page": "# E0103\n"
        }
        exit 0
    "##]],
    );
    check(
        "admmc devices",
        expect![[r#"
        device
        cpu        2 threads; the default
        reference  naive double precision, one thread; the yardstick of the others
        exit 0
    "#]],
    );
    check(
        "admmc devices --format json",
        expect![[r#"
        {
          "devices": [
            {
              "device": "cpu",
              "about": "2 threads; the default"
            },
            {
              "device": "reference",
              "about": "naive double precision, one thread; the yardstick of the others"
            }
          ]
        }
        exit 0
    "#]],
    );
    check(
        "admmc --version",
        expect![[r#"
        admmc 0.1.0
        exit 0
    "#]],
    );
    let page = answer("admmc explain data-missing", &Memory::default(), "");
    assert_eq!(page, format!("{}exit 0\n", crate::diag::Code::DataMissing.page()));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = answer(&format!("admmc completions {shell}"), &Memory::default(), "");
        assert!(script.contains("gradcheck") && script.ends_with("exit 0\n"), "{shell}: {script}");
    }
}

#[test]
fn fmt_lays_out_and_checks() {
    let files = || {
        Memory::default().with("a.admm", "var  x:real\nminimize x^2\n").with("b.admm", "var x: real\nminimize x^2\n")
    };
    let expected = expect![[r#"
        a.admm
        exit 1
    "#]];
    expected.assert_eq(&answer("admmc fmt --check a.admm b.admm", &files(), ""));
    let files = files();
    assert_eq!(answer("admmc fmt a.admm b.admm", &files, ""), "exit 0\n");
    assert_eq!(answer("admmc fmt --check a.admm b.admm", &files, ""), "exit 0\n");
    let expected = expect![[r#"
        var x: real  # free
        minimize x^2
        exit 0
    "#]];
    expected.assert_eq(&answer("admmc fmt -", &files, "var   x :real # free\nminimize x^2"));
    let expected = expect![[r#"
        error E0102 unclosed-bracket

          × this `(` is never closed
           ╭─[<stdin>:1:10]
         1 │ minimize (x
           ·          ┬
           ·          ╰── opened here
           ╰────
          help: what it holds has no end; write `)` where it should be

        exit 2
    "#]];
    expected.assert_eq(&answer("admmc fmt -", &files, "minimize (x"));
    let expected = expect![[r#"
          × there is no file `c.admm`
          help: did you mean `a.admm`?
        exit 2
    "#]];
    expected.assert_eq(&answer("admmc fmt c.admm", &files, ""));
    let expected = expect![[r#"
          × there is no file `folder/nothing.admm`
        exit 2
    "#]];
    expected.assert_eq(&answer("admmc fmt folder/nothing.admm", &files, ""));
}
