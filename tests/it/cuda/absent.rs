//! Without CUDA, or with a part of it: a sentence, and never a panic.

use std::path::Path;

use admmc::exec::cuda::{Library, Refusal, need, open, probe};

use super::{admmc, apart, ended, libraries, only};

const PROBLEM: &str = "var x: real[3]\nminimize sum_squares(x - ones(3))\nsolve gd { rate = 0.1 }\n";

/// A device that is not there ends the run before anything is written. Where there is a driver, it is told to
/// hide its devices.
#[test]
fn a_run_without_a_device() {
    let place = tempfile::tempdir().expect("a folder for the test");
    std::fs::write(place.path().join("p.admm"), PROBLEM).expect("a file for the test");
    let mut command = admmc(&["run", "p.admm", "--device", "cuda", "--out", "out"], place.path());
    command.current_dir(place.path()).env("CUDA_VISIBLE_DEVICES", "");
    let (code, out, err) = ended(command);
    assert_eq!((code, out.as_str()), (Some(4), ""), "{err}");
    assert!(err.starts_with("error E0801 no-device\n"), "{err}");
    let looked = err.contains(&format!("`{}`", place.path().display()));
    assert!(looked || err.contains("the CUDA driver lists no device"), "{err}");
    assert!(err.contains("`--device cpu` runs on the processor"), "{err}");
    assert!(!place.path().join("out").exists());
}

/// `auto` says in one line which device it took, and why: a small problem stays, a large one would go if it could.
#[test]
fn auto_says_what_it_does() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let said = |name: &str, text: &str| {
        std::fs::write(place.path().join(name), text).expect("a file for the test");
        let mut command = admmc(&["run", name, "--threads", "2", "--out", "out"], place.path());
        command.current_dir(place.path()).env("CUDA_VISIBLE_DEVICES", "");
        let (_, out, err) = ended(command);
        let line = out.lines().find(|line| line.trim_start().starts_with("cpu"));
        line.unwrap_or_else(|| panic!("{out}{err}")).trim_start().to_owned()
    };
    let small = said("small.admm", PROBLEM);
    assert!(small.contains("is expected to take ") && !small.contains("but"), "{small}");
    let large = PROBLEM.replace("[3]", "[1000000]").replace("ones(3)", "ones(1000000)");
    let large = said("large.admm", &large.replace("rate = 0.1", "rate = 0.1, iterations = 2"));
    assert!(
        large.contains("is expected to take ") && large.contains(" on the processor, but the CUDA driver "),
        "{large}"
    );
}

/// What an iteration asks of a GPU is known without one.
#[test]
fn a_load_is_explained() {
    let place = tempfile::tempdir().expect("a folder for the test");
    std::fs::write(place.path().join("p.admm"), PROBLEM).expect("a file for the test");
    let explained = |device: &str| {
        let mut command = admmc(&["explain", "p.admm", "--device", device], place.path());
        command.current_dir(place.path());
        ended(command)
    };
    let (code, out, err) = explained("cuda");
    assert_eq!(code, Some(0), "{err}");
    let row = out.lines().find(|line| line.trim_start().starts_with("every time")).expect("a row of sums");
    let numbers: Vec<u64> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [kernels, routines, bytes, flops] = numbers[..] else { panic!("{row}") };
    assert_eq!((kernels, routines), (1, 0), "{out}");
    assert!(bytes > 2 * 3 * 8 && flops >= 3 * 3, "{out}");
    let (code, _, err) = explained("cpu");
    assert_eq!(code, Some(2), "{err}");
}

#[test]
fn a_list_without_a_device() {
    let place = tempfile::tempdir().expect("a folder for the test");
    let list = |arguments: &[&str]| {
        let mut command = admmc(arguments, place.path());
        command.env("CUDA_VISIBLE_DEVICES", "");
        ended(command)
    };
    let (code, out, _) = list(&["devices"]);
    assert_eq!(code, Some(0));
    let line = out.lines().find(|line| line.starts_with("cuda")).expect("a line says why there is none");
    assert!(line.contains("none: the CUDA driver "), "{line}");
    let (code, out, _) = list(&["devices", "--format", "json"]);
    assert_eq!(code, Some(0));
    let list: serde_json::Value = serde_json::from_str(&out).expect("JSON and nothing else");
    assert_eq!(list["devices"].as_array().map(Vec::len), Some(2), "{out}");
    assert_eq!(list["unusable"][0]["device"], "cuda", "{out}");
}

/// Links to the files of a folder whose names begin so.
#[cfg(unix)]
fn part(of: &Path, into: &Path, begins: &str) {
    for file in std::fs::read_dir(of).expect("the folder of libraries").flatten() {
        if file.file_name().to_string_lossy().starts_with(begins) {
            std::os::unix::fs::symlink(file.path(), into.join(file.file_name())).expect("the folder can be written");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_part_of_cuda() {
    apart("absent::a_part_of_cuda", |folder| {
        let (compiler, driver) = (tempfile::tempdir(), tempfile::tempdir());
        let (compiler, driver) = (compiler.expect("a folder"), driver.expect("a folder"));
        part(&folder, compiler.path(), "libnvrtc");
        part(&folder, driver.path(), "libcuda.");
        let missing = |refusal: &Refusal| match refusal {
            Refusal::NoLibrary { library, .. } => Some(*library),
            _ => None,
        };
        let places = only(compiler.path().to_owned());
        let refusal = probe(&places).expect_err("there is a compiler and no driver");
        assert_eq!(missing(&refusal), Some(Library::Driver), "{refusal}");
        let places = only(driver.path().to_owned());
        let refusal = open(&places, 0).expect_err("there is a driver and no compiler");
        assert_eq!(missing(&refusal), Some(Library::Nvrtc), "{refusal}");
        assert!(refusal.help().contains("nvidia-cuda-nvrtc"), "{}", refusal.help());
        // These are asked for by plans that need them.
        for library in [Library::Cublas, Library::Cusolver] {
            let refusal = need(&places, library).expect_err("the folder has a driver alone");
            assert_eq!(missing(&refusal), Some(library));
            assert_eq!(need(&only(folder.clone()), library), Ok(()));
        }
    });
}

/// The same through the program; a driver that the loader knows by itself is found all the same.
#[cfg(unix)]
#[test]
fn a_compiler_without_a_driver() {
    let Some(folder) = libraries("absent::a_compiler_without_a_driver") else { return };
    let compiler = tempfile::tempdir().expect("a folder for the test");
    part(&folder, compiler.path(), "libnvrtc");
    let mut command = admmc(&["devices"], compiler.path());
    command.env("CUDA_VISIBLE_DEVICES", "");
    let (code, out, err) = ended(command);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("none: the CUDA driver "), "{out}");
}
