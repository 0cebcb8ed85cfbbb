//! CUDA, where it is and where it isn't.
//!
//! Most of this needs libraries that a build does not: `ADMMC_TEST_CUDA` names a folder with `libcuda.so.1`,
//! of a driver or of a software device, `libcublas.so.*`, `libcusolver.so.*`, `libnvrtc.so.*` and
//! `libnvrtc-builtins.so.*`; a folder `nvrtc12` in it may have the compiler of CUDA 12. Where it is set these
//! tests run; where it is not they say that they did not.

mod absent;
mod bytes;
mod cases;
mod compile;
mod device;
mod examples;
mod launches;
mod planted;
mod whole;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use admmc::exec::cuda::{Compiler, Cuda, Places, Uncached, open};

/// The folder with CUDA's libraries. Without one the test says that it did not run.
fn libraries(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ADMMC_TEST_CUDA");
    if folder.is_none() {
        eprintln!("cuda::{test} did not run: ADMMC_TEST_CUDA names no folder of libraries");
    }
    folder.map(PathBuf::from)
}

/// Does a test on that folder in a process of its own, whose loader knows the folder: a library that does not say
/// its own name, as a software device under several, is found by no other way; and what brings a process down
/// brings down one test. What the process had to say of faults comes back, where it was not this one.
fn apart(test: &str, body: impl FnOnce(PathBuf)) -> Option<String> {
    apart_in(test, libraries(test)?, body)
}

/// The same on another folder: a process has one library of a name.
fn apart_in(test: &str, folder: PathBuf, body: impl FnOnce(PathBuf)) -> Option<String> {
    const APART: &str = "ADMMC_TEST_CUDA_APART";
    if std::env::var_os(APART).is_some() {
        body(folder);
        return None;
    }
    let mut command = Command::new(std::env::current_exe().expect("the tests are a program"));
    command.args([&format!("cuda::{test}"), "--exact", "--nocapture"]).env(APART, "1").env("LD_LIBRARY_PATH", &folder);
    let (code, out, err) = ended(command);
    assert!(code == Some(0) && out.contains("1 passed"), "{out}{err}");
    Some(err)
}

/// That folder and nothing else.
fn only(folder: PathBuf) -> Places {
    Places { folders: vec![folder], loader: false }
}

/// The first device, with the loader's own libraries after those of the folder.
fn device(folder: PathBuf) -> Cuda {
    let places = Places::new(vec![folder]);
    let device = open(&places, 0).expect("the folder has all that a device takes");
    let compiler = Compiler::new(&device, Box::new(Uncached)).expect("NVRTC compiles for the device");
    Cuda::new(device, compiler, places)
}

/// The program, told of these libraries and of none that the environment knows.
fn admmc(arguments: &[&str], libraries: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_admmc"));
    command.args(arguments).env("ADMMC_CUDA_LIB", libraries).stdin(Stdio::null());
    for variable in ["CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"] {
        command.env_remove(variable);
    }
    command
}

/// How a program ended: its exit code, standard output and standard error.
fn ended(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program was built for this test");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}
