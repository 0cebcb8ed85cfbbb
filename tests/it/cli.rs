//! The program itself: exit codes and streams as a shell sees them.

use std::process::{Command, Output, Stdio};

fn admmc(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_admmc"));
    command.args(arguments).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    admmc(arguments).output().expect("the program was built for this test")
}

#[test]
fn exit_codes_and_streams() {
    let help = output(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(help.stderr.is_empty() && String::from_utf8_lossy(&help.stdout).contains("gradcheck"));
    let slip = output(&["rum"]);
    assert_eq!(slip.status.code(), Some(2));
    assert!(slip.stdout.is_empty());
    assert_eq!(String::from_utf8_lossy(&slip.stderr), "  × there is no command `rum`\n  help: did you mean `run`?\n");
}

#[test]
fn a_closed_pipe_is_no_fault() {
    let mut child = admmc(&["completions", "bash"]).stdout(Stdio::piped()).spawn().expect("the program was built");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends by itself").code(), Some(0));
}

/// Ctrl-C ends a run with what it has reached, and the run can be gone on with.
#[cfg(unix)]
#[test]
fn a_signal_stops_cleanly() {
    use std::io::{BufRead, BufReader};

    let place = tempfile::tempdir().expect("a folder for the test");
    let problem =
        "var x: real[3]\nminimize sum_squares(x - ones(3))\nsolve gd { rate = 1e-9, iterations = 1000000000 }\n";
    std::fs::write(place.path().join("endless.admm"), problem).expect("a file for the test");
    let mut command = admmc(&["run", "endless.admm", "--out", "out"]);
    let mut child = command
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built for this test");
    // The first line of progress says that the run has begun.
    let mut err = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    err.read_line(&mut line).expect("it is text");
    assert!(line.starts_with("iteration "), "{line}");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert_eq!(child.wait().expect("it ends by itself").code(), Some(130));
    let result = std::fs::read_to_string(place.path().join("out/result.json")).expect("it was written");
    assert!(result.contains("\"status\": \"interrupted\""), "{result}");
    assert!(place.path().join("out/checkpoint.bin").is_file());
}

/// Several solve blocks of a file, one after another, and their trace side by side.
#[test]
fn two_methods_beside_each_other() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ridge.admm");
    let mut command = admmc(&["run", example, "--solve", "admm,lbfgs", "--out", "out", "-q"]);
    let status = command.current_dir(place.path()).stdout(Stdio::null()).status().expect("the program was built");
    assert_eq!(status.code(), Some(0));
    let trace = std::fs::read_to_string(place.path().join("out/trace.csv")).expect("it was written");
    let mut lines = trace.lines();
    assert_eq!(lines.next(), Some("solve,iteration,seconds,epoch,objective,unsplit,primal,dual,rho"));
    let last = |name: &str| {
        let row = trace.lines().rfind(|line| line.starts_with(name)).expect("each method has rows");
        row.split(',').nth(4).and_then(|field| field.parse::<f64>().ok()).expect("the objective is a number")
    };
    let (split, whole) = (last("admm,"), last("lbfgs,"));
    assert!((split - whole).abs() <= 1e-6 * whole, "both reach one minimum: {split} and {whole}");
    assert!(place.path().join("out/admm/solution.npz").is_file());
    assert!(place.path().join("out/lbfgs/solution.npz").is_file());
}

/// A name that no block has is said before a block runs, and leaves no folder behind.
#[test]
fn every_block_is_there_before_one_runs() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ridge.admm");
    let mut command = admmc(&["run", example, "--solve", "admm,lbfsg", "--out", "out"]);
    let output = command.current_dir(place.path()).output().expect("the program was built");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("`lbfsg`") && said.contains("`--solve lbfgs`"), "{said}");
    assert!(!place.path().join("out").exists());
}

/// A parameter given as a sequence: a folder for each value, one trace, and a table at the end.
#[test]
fn a_sequence_of_parameters() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let problem = "param lambda = 1
param mu = 0
let A = normal(12, 8, seed = 1)
let b = A*ones(8)
var x: real[8]
minimize sum_squares(A*x - b)/2 + lambda*norm1(x) + mu*sum(x)
";
    std::fs::write(place.path().join("path.admm"), problem).expect("a file for the test");
    let run = |arguments: &[&str]| {
        let all = ["run", "path.admm", "--out", "out", "-q"].iter().chain(arguments).copied().collect::<Vec<_>>();
        admmc(&all).current_dir(place.path()).output().expect("the program was built for this test")
    };
    let done = run(&["--set", "lambda=2,1", "--set", "mu=0.5"]);
    assert_eq!(done.status.code(), Some(0));
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(text.contains("lambda  status") && text.contains("1 kept"), "{text}");
    for value in ["lambda=2", "lambda=1"] {
        assert!(place.path().join("out").join(value).join("solution.npz").is_file(), "{value}");
    }
    let trace = std::fs::read_to_string(place.path().join("out/trace.csv")).expect("it was written");
    assert!(trace.contains("\nlambda=2,1,") && trace.contains("\nlambda=1,1,"), "{trace}");
    let slip = run(&["--set", "lambda=2,1", "--set", "mu=1,2,3"]);
    assert_eq!(slip.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&slip.stderr).contains("`lambda` takes 2 values and `mu` 3"));
}
