//! Command lines and their answers, in a world of their own.

use expect_test::{Expect, expect};

use super::*;
use crate::data::{Files, Memory};

/// Runs a command line; standard output and standard error follow each other in the answer, the
/// exit code comes last.
fn answer(line: &str, files: &Memory, input: &str) -> String {
    let (out, err, exit) = run_in(line, files, input, false);
    format!("{out}{err}exit {exit}\n")
}

/// What a command line writes to standard output and standard error, and its exit code. The user of
/// a world that is `interrupted` has pressed Ctrl-C before it began.
fn run_in(line: &str, files: &Memory, input: &str, interrupted: bool) -> (String, String, u8) {
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
        cuda: Places::default(),
        kernels: None,
        interrupted: Arc::new(AtomicBool::new(interrupted)),
    };
    let exit = run(line.split_whitespace().map(OsString::from), &mut world);
    (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned(), u8::from(exit))
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
}

#[test]
fn pages_and_lists() {
    let none = answer("admmc explain E9999", &Memory::default(), "");
    assert!(none.contains("there is no diagnostic `E9999`\n  help: codes run from E0101 to "), "{none}");
    let json = answer("admmc explain e0103 --format json", &Memory::default(), "");
    let json: serde_json::Value =
        serde_json::from_str(json.trim_end_matches("exit 0\n")).expect("JSON and nothing else");
    assert_eq!(json["slug"], "unclosed-string");
    assert_eq!(json["page"], crate::diag::Code::UnclosedString.page());
    check(
        "admmc devices",
        expect![[r#"
        device
        cpu        2 threads
        reference  naive double precision, one thread; the yardstick of the others
        cuda       none: the CUDA driver was not found: nowhere was looked for `libcuda.so.1`
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
              "about": "2 threads"
            },
            {
              "device": "reference",
              "about": "naive double precision, one thread; the yardstick of the others"
            }
          ],
          "unusable": [
            {
              "device": "cuda",
              "why": "the CUDA driver was not found: nowhere was looked for `libcuda.so.1`",
              "help": "install NVIDIA's driver, or name the folder of its library in `ADMMC_CUDA_LIB`; `--device cpu` runs on the processor"
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

/// A problem with the answer x = b/(1 + 2λ).
const SHRINK: &str = "\
param lambda = 0.5
data b = csv(\"b.csv\")
var x, z: real[3]
minimize fit: sum_squares(x - b)/2 + size: lambda*sum_squares(z)
subject to link: x - z = 0
solve admm { rho = 1, tol = 1e-9, iterations = 500 }
";

fn shrink() -> Memory {
    Memory::default().with("p/shrink.admm", SHRINK).with("p/b.csv", "1\n2\n-4\n").with("other.csv", "8\n0\n0\n")
}

/// Runs the problem with results in `folder`: the parsed result.json on standard output, and x.
fn solved(options: &str, folder: &std::path::Path) -> (serde_json::Value, Vec<f64>) {
    let line = format!("admmc run p/shrink.admm --format json --out {} {options}", folder.display());
    let (out, err, exit) = run_in(&line, &shrink(), "", false);
    assert_eq!((err.as_str(), exit), ("", 0), "{out}");
    let solution = crate::data::read_named(&crate::data::Disk, &folder.join("solution.npz")).expect("it was written");
    let x = solution.iter().find(|(name, _)| name == "x").expect("x is a variable").1.to_f64().into_vec();
    (serde_json::from_str(&out).expect("JSON and nothing else"), x)
}

#[test]
fn run_solves_and_writes() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let (result, x) = solved("", place.path());
    assert_eq!(result["status"], "solved");
    assert_eq!(result["files"], serde_json::json!(["solution.npz", "result.json"]));
    let close = |x: &[f64], expected: [f64; 3]| x.iter().zip(expected).all(|(x, e)| (x - e).abs() < 1e-7);
    assert!(close(&x, [0.5, 1.0, -2.0]), "{x:?}");
    let trace = std::fs::read_to_string(place.path().join("trace.csv")).expect("it was written");
    assert!(trace.starts_with("iteration,seconds,objective,"), "{trace}");
    let written = std::fs::read_to_string(place.path().join("result.json")).expect("it was written");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("JSON"), result);

    let (_, x) = solved("--set lambda=1.5", place.path());
    assert!(close(&x, [0.25, 0.5, -1.0]), "{x:?}");
    let (_, x) = solved("--data b=other.csv --device reference", place.path());
    assert!(close(&x, [4.0, 0.0, 0.0]), "{x:?}");
}

#[test]
fn run_shows_a_header_and_a_table() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let line = format!("admmc run p/shrink.admm --out {}", place.path().display());
    let (out, err, exit) = run_in(&line, &shrink(), "", false);
    assert_eq!(exit, 0);
    // Times differ from run to run, and with them the width of the table.
    let kept = |line: &&str| !line.starts_with("time") && !line.starts_with("  ") && !line.starts_with("results in");
    let narrow = |line: &str| {
        let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        cells.join("  ")
    };
    let shown: Vec<String> = out.lines().filter(kept).map(narrow).collect();
    expect![[r#"
        p/shrink.admm · admm on cpu, f64, seed 0

        solved
        fit  2.625
        size  2.625
        objective  5.25
        dual bound  5.25
        constraint link  0  ≤ 3.97e-8
        stationarity x  0  ≤ 7.11e-8
        stationarity z  0  ≤ 5.44e-8
        unsplit  5.25
        ‖r‖  0
        ‖s‖  0
        ρ  1
        iterations  11
    "#]]
    .assert_eq(&shown.join("\n"));
    assert!(err.starts_with("iteration 1/500  objective "), "{err}");
    let (quiet, err, _) = run_in(&format!("{line} -q"), &shrink(), "", false);
    assert!(quiet.starts_with("solved\n") && err.is_empty(), "{quiet}{err}");
}

#[test]
fn an_interrupted_run_goes_on_with_the_same_bits() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let (whole, broken) = (place.path().join("whole"), place.path().join("broken"));
    solved("", &whole);
    let line = format!("admmc run p/shrink.admm --format json --out {}", broken.display());
    let (out, _, exit) = run_in(&line, &shrink(), "", true);
    assert_eq!(exit, 130);
    let result: serde_json::Value = serde_json::from_str(&out).expect("JSON and nothing else");
    assert_eq!((&result["status"], &result["counts"]["iterations"]), (&"interrupted".into(), &1.into()));
    solved("--resume", &broken);
    let bytes = |folder: &std::path::Path| std::fs::read(folder.join("solution.npz")).expect("it was written");
    assert!(bytes(&whole) == bytes(&broken), "the same bits");
    let rows = |folder: &std::path::Path| {
        let trace = std::fs::read_to_string(folder.join("trace.csv")).expect("it was written");
        // All columns but the second, which holds seconds.
        let row = |line: &str| {
            line.splitn(3, ',')
                .enumerate()
                .filter(|&(at, _)| at != 1)
                .map(|(_, cell)| cell.to_owned())
                .collect::<Vec<_>>()
        };
        trace.lines().map(row).collect::<Vec<_>>()
    };
    assert_eq!(rows(&whole), rows(&broken));
}

#[test]
fn run_stops_for_its_reasons() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let ended = |line: &str, files: &Memory| {
        let line = format!("{line} --format json --out {}", place.path().display());
        let (out, err, exit) = run_in(&line, files, "", false);
        let status = serde_json::from_str::<serde_json::Value>(&out)
            .map_or(String::new(), |result| result["status"].to_string());
        (status, err, exit)
    };
    let (status, _, exit) = ended("admmc run p/shrink.admm --time-limit 0s", &shrink());
    assert_eq!((status.as_str(), exit), ("\"time-limit\"", 1));
    let short = shrink().with("p/shrink.admm", SHRINK.replace("iterations = 500", "iterations = 2"));
    let (status, _, exit) = ended("admmc run p/shrink.admm", &short);
    assert_eq!((status.as_str(), exit), ("\"iteration-limit\"", 1));
    let (_, err, exit) = ended("admmc run p/shrink.admm --device cuda", &shrink());
    assert_eq!(exit, 4);
    assert!(err.contains("\"E0801\""), "{err}");
    let (_, err, exit) = ended("admmc run p/shrink.admm --data b=none.csv", &shrink());
    assert_eq!(exit, 3);
    assert!(err.contains("\"E0301\""), "{err}");
    let (_, err, exit) = ended("admmc run p/shrink.admm --solve sgd", &shrink());
    assert_eq!(exit, 2);
    assert!(err.contains("\"E0201\""), "{err}");
}

#[test]
fn check_tells_and_mends() {
    let wrong = "data b = csv('b.csv')\nvar x: real[3]\nminimize sum_squares(x − b)\nsolve gd { rate = 0.1 }\n";
    let files =
        || shrink().with("p/wrong.admm", wrong).with("p/unknown.admm", "var x: real\nminimize sum_squares(y)\n");
    expect![[r#"
        p/shrink.admm: nothing to complain about
        p/unknown.admm: 1 error
        error E0201 unknown-name

          × there is no `y`
           ╭─[p/unknown.admm:2:22]
         1 │ var x: real
         2 │ minimize sum_squares(y)
           ·                      ─
           ╰────
          help: declare it with `data`, `var`, `let` or `param`; an index is known inside its family alone

        exit 2
    "#]]
    .assert_eq(&answer("admmc check p/shrink.admm p/unknown.admm", &files(), ""));
    let (out, err, exit) = run_in("admmc check p/wrong.admm --format json", &files(), "", false);
    assert_eq!((err.as_str(), exit), ("", 2));
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON a line")).collect();
    let found: Vec<_> = lines.iter().map(|diag| (diag["line"].as_u64(), diag["code"].as_str())).collect();
    assert_eq!(found, [(Some(1), Some("E0106"))], "{out}");
    assert_eq!((&lines[0]["file"], lines[0]["fix"].is_null()), (&"p/wrong.admm".into(), false));

    let files = files();
    expect![[r#"
        p/wrong.admm:1: mended: write `"b.csv"`
        p/wrong.admm: nothing to complain about
        exit 0
    "#]]
    .assert_eq(&answer("admmc check --fix p/wrong.admm", &files, ""));
    let (mended, _, exit) = run_in("admmc emit p/wrong.admm --ast", &files, "", false);
    assert!(exit == 0 && mended.starts_with("(data b (csv \"b.csv\"))\n"), "{mended}");
    let (_, _, exit) = run_in("admmc check --no-data p/shrink.admm --data b=none.csv", &files, "", false);
    assert_eq!(exit, 0);
}

/// What one repair brings to light is repaired too, and said.
#[test]
fn repairs_follow_each_other() {
    let text = "# Two slips, and a term across the blocks.\nvar x, z: real[3]  # both\nminimise sum_squares(x - 1) + sum_squares(x - 2*z) + norm1(z)\nsubject to x - z == 0\nsplit x | z\n";
    let files = shrink().with("p/slips.admm", text);
    expect![[r#"
        p/slips.admm:3: mended: write `minimize`
        p/slips.admm:4: mended: write `=`
        p/slips.admm:2: mended: declare `zc` like `z`, write it here, and add `copy: zc - z = 0`
        p/slips.admm: nothing to complain about
        exit 0
    "#]]
    .assert_eq(&answer("admmc check --fix p/slips.admm", &files, ""));
    let mut mended = String::new();
    let mut file = files.open(std::path::Path::new("p/slips.admm")).expect("it is there");
    std::io::Read::read_to_string(&mut file, &mut mended).expect("it is text");
    expect![[r#"
        # Two slips, and a term across the blocks.
        var x, z, zc: real[3]  # both
        minimize sum_squares(x - 1) + sum_squares(x - 2*zc) + norm1(z)
        subject to x - z = 0, copy: zc - z = 0
        split x, zc | z
    "#]]
    .assert_eq(&mended);
    let again = answer("admmc check --fix p/slips.admm", &files, "");
    assert_eq!(again, "p/slips.admm: nothing to complain about\nexit 0\n");
}

#[test]
fn every_stage_can_be_seen() {
    for (stage, word) in [
        ("--ast", "(param lambda 0.5)"),
        ("--model", "subject to link: "),
        ("--split", "coupling link"),
        ("--tape", "program "),
        ("--schedule", "schedule admm {"),
    ] {
        let (out, err, exit) = run_in(&format!("admmc emit p/shrink.admm {stage}"), &shrink(), "", false);
        assert!(exit == 0 && err.is_empty() && out.contains(word), "{stage}: {out}{err}");
    }
    expect![[r#"
        data b: f64[3]
        problem
          var x: real[3], init zeros
          var z: real[3], init zeros
          minimize fit: ‖x − b‖²/2
          minimize size: 0.5‖z‖²
          subject to link: x − z = 0
        solve admm, f64, stable losses
          admm rho = 1, iterations = 500, tol = 1e-9, adapt = fixed, accelerate = anderson(20)
        exit 0
    "#]]
    .assert_eq(&answer("admmc emit p/shrink.admm --model", &shrink(), ""));
    expect![[r#"
        error E0107 not-yet

          × the kernels can't be printed yet
          help: `--tape` prints the programs that they will be made from
        exit 2
    "#]]
    .assert_eq(&answer("admmc emit p/shrink.admm --cuda", &shrink(), ""));
    expect![[r#"
        ADMM
          block x: x (3)
          block z: z (3)

          x-step   x = (ρz − λ − p)/(1 + ρ)
                   closed form: h = fit is quadratic, P = 1·I[3], MᵀM = 1·I[3]
          z-step   z = (ρx + λ)/(1 + ρ)
                   closed form: h = size is quadratic, P = 1·I[3], MᵀM = 1·I[3]
          λ-step   λ ← λ + ρ(x − z)

          ρ starts at 1 (as written) and stays
          accelerated: every 10 iterations the best combination of the last 20 stands for the last one, and is
          taken back where it makes matters worse (Anderson, type II)
          over-relaxed by α = 1.6: Ax⁺ stands for αAx⁺ − (1 − α)(Bz − c) in the z- and λ-steps

        one iteration: 173 flops, 720 bytes read and written by its programs
        exit 0
    "#]]
    .assert_eq(&answer("admmc explain p/shrink.admm", &shrink(), ""));
    let latex = answer("admmc explain p/shrink.admm --latex", &shrink(), "");
    assert!(latex.contains("\\frac"), "{latex}");
}

#[test]
fn gradcheck_agrees() {
    let files = Memory::default().with(
        "net.admm",
        "\
let X = normal(8, 2, seed = 1)
net f(θ): 2 -> dense 4 tanh -> dense 1
var θ: params(f)
var s: real[2]
minimize fit: sum_squares(f(X; θ)) + kinks: norm1(s) + sum(relu(s)) + powers: sum(log(s .* s))
subject to balance: sum(s) - 1 = 0
",
    );
    let answer = answer("admmc gradcheck net.admm", &files, "");
    let facts = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some([*words.first()?, *words.get(1)?, *words.get(2)?, *words.last()?].join(" "))
    };
    let found: Vec<String> = answer.lines().skip(1).filter_map(facts).collect();
    // `s` starts at zero: on a kink, where any slope between its sides is right, and where the
    // logarithm is not defined.
    expect![[r#"
        fit θ 4 agrees
        kinks s 4 agrees
        term 3 s agrees
        powers s 3 agrees
        balance s 4 agrees"#]]
    .assert_eq(&found.join("\n"));
    assert!(answer.ends_with("exit 0\n"), "{answer}");
}

#[test]
fn new_begins_from_an_example() {
    let files = Memory::default();
    expect![[r#"
        wrote mine.admm
        `admmc run mine.admm` solves it
        exit 0
    "#]]
    .assert_eq(&answer("admmc new ridge mine", &files, ""));
    assert_eq!(answer("admmc check mine.admm -q", &files, ""), "exit 0\n");
    expect![[r#"
          × `mine.admm` is there already
          help: choose another name
        exit 2
    "#]]
    .assert_eq(&answer("admmc new toy mine.admm", &files, ""));
    expect![[r#"
          × there is no kind of problem `rigde`
          help: did you mean `ridge`?
        exit 2
    "#]]
    .assert_eq(&answer("admmc new rigde other", &files, ""));
    assert_eq!(answer("admmc new gan art/gan -q", &files, ""), "exit 0\n");
    assert_eq!(answer("admmc check art/gan.admm -q", &files, ""), "exit 0\n");
}

#[test]
fn a_number_that_is_not_finite_is_traced_to_its_expression() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let wild =
        "var x: real[3]\nminimize fit: sum(exp(x)) + sum_squares(x)\nsolve gd { rate = 100, iterations = 100 }\n";
    let line = format!("admmc run wild.admm -q --out {}", place.path().display());
    let (out, err, exit) = run_in(&line, &Memory::default().with("wild.admm", wild), "", false);
    assert!(exit == 1 && out.starts_with("non-finite: "), "{out}");
    expect![[r#"
        error E0701 non-finite

          × `exp(x)` became inf in iteration 3
          ├─▶ it was computed from 19900
          ├─▶ `solution.npz` holds the state after iteration 2, the last in which every number was finite
          ╰─▶ where the run began, the objective curves by up to L = 3: gradient steps of rate 100
              overshoot, as rate·L = 300 is above 2
           ╭─[wild.admm:2:19]
         1 │ var x: real[3]
         2 │ minimize fit: sum(exp(x)) + sum_squares(x)
           ·                   ──────
         3 │ solve gd { rate = 100, iterations = 100 }
           ╰────
          help: every number that depends on it is lost, so the run stops here; write a `rate` below 2/L =
                0.67

    "#]]
    .assert_eq(&err);
}

/// What is said of a file and of its run is in result.json, and on standard error in the form that is asked for.
#[test]
fn a_run_without_an_answer_says_why() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let steep = "var x: real[3]\nminimize 100*sum_squares(x - ones(3))\nsolve gd { rate = 0.1, iterations = 100 }\n";
    let files = Memory::default().with("steep.admm", steep);
    let line = format!("admmc run steep.admm -q --format json --out {}", place.path().display());
    let (out, err, exit) = run_in(&line, &files, "", false);
    assert_eq!(exit, 1);
    let said: serde_json::Value = serde_json::from_str(&err).expect("a diagnostic a line");
    assert_eq!((said["code"].as_str(), said["line"].as_u64()), (Some("E0702"), Some(3)));
    let result: serde_json::Value = serde_json::from_str(&out).expect("one object");
    assert_eq!(result["status"], "diverged");
    assert_eq!(result["diagnostics"], serde_json::json!([said]));
    let written = std::fs::read_to_string(place.path().join("result.json")).expect("it was written");
    assert_eq!(written, out);
}

/// `check` shows a note whole; what is begun for its result names it in a line.
#[test]
fn notes_are_brief_where_they_are_not_the_result() {
    let text = "var u: real[3]\nminimize -sum(log(1 - sigmoid(u))) + sum_squares(u)\nsolve gd { rate = 0.1, iterations = 5 }\n";
    let files = Memory::default().with("p/loss.admm", text);
    let (_, whole, _) = run_in("admmc check p/loss.admm", &files, "", false);
    assert!(whole.starts_with("note E0603 rewritten-loss\n") && whole.contains("╭─[p/loss.admm:2:15]"), "{whole}");
    let brief = "note E0603: this is computed in a form that does not round to 0 or infinity\n  \
                 `admmc check p/loss.admm` shows where, and why\n\n";
    for (line, said) in [("explain p/loss.admm", brief), ("explain --quiet p/loss.admm", "")] {
        let (_, err, exit) = run_in(&format!("admmc {line}"), &files, "", false);
        assert_eq!((err.as_str(), exit), (said, 0), "{line}");
    }
}
