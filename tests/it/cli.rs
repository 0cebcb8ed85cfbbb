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
