//! Whole runs by the program itself: they end as on the processor, nothing is wrong on the device, and the
//! host waits for it no more often than it has to look.

use std::collections::BTreeMap;
use std::path::Path;

use super::{admmc, ended, libraries};

/// What a software device says of itself at exit, and a run of its results.
struct Ran {
    result: serde_json::Value,
    report: serde_json::Value,
    log: Vec<String>,
}

/// Runs an example on a device, in a folder.
fn run(name: &str, device: &str, libraries: &Path, place: &Path) -> Ran {
    run_with(name, &[], device, libraries, place)
}

/// The same with more arguments.
fn run_with(name: &str, more: &[&str], device: &str, libraries: &Path, place: &Path) -> Ran {
    let example = format!("{}/examples/{name}.admm", env!("CARGO_MANIFEST_DIR"));
    let [out, report, log] = ["out", "report.json", "log"].map(|file| place.join(format!("{device}.{file}")));
    let mut command = admmc(&["run", &example, "--device", device, "--quiet"], libraries);
    command.args(more);
    command.arg("--out").arg(&out).env("SWCUDA_REPORT", &report).env("SWCUDA_LOG", &log);
    command.env("XDG_CACHE_HOME", place);
    let (code, _, err) = ended(command);
    assert_eq!(code, Some(0), "{name} on {device}: {err}");
    let json = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap_or_else(|_| "null".to_owned());
        serde_json::from_str(&text).expect("JSON")
    };
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    Ran { result: json(&out.join("result.json")), report: json(&report), log: log.lines().map(str::to_owned).collect() }
}

/// The examples that the software device runs to their end in seconds, but for `least_absolute_deviations`: rounding
/// bends its way, which is accelerated, and the two ends are 2.5e-6 apart. The like of it is judged among the cases.
const WHOLE: &[&str] = &[
    "basis_pursuit",
    "consensus",
    "consensus_lasso",
    "consensus_logistic",
    "elastic_net",
    "group_lasso",
    "huber",
    "isotonic_regression",
    "lasso",
    "lasso_split",
    "linear_program",
    "logistic_regression",
    "max_cut",
    "model_predictive_control",
    "nonnegative_least_squares",
    "optimal_transport",
    "poisson_regression",
    "polyhedra",
    "portfolio",
    "quadratic_program",
    "regressor_selection",
    "ridge",
    "robust_pca",
    "signed_logistic",
    "water_filling",
];

#[test]
fn they_end_as_on_the_processor() {
    let Some(libraries) = libraries("whole::they_end_as_on_the_processor") else { return };
    let place = tempfile::tempdir().expect("a folder for the test");
    for name in WHOLE {
        let here = run(name, "cpu", &libraries, place.path());
        let there = run(name, "cuda", &libraries, place.path());
        assert_eq!(here.result["status"], there.result["status"], "{name}");
        let [x, y] = [&here, &there].map(|ran| ran.result["objective"].as_f64().expect("an objective"));
        // Both are within their tolerance, 1e-6 relative, of the answer.
        assert!((x - y).abs() <= 2e-6 * (1.0 + x.abs()), "{name}: {x} and {y}");
        if there.report.is_null() {
            eprintln!("cuda::whole counted nothing: the device is no software");
            continue;
        }
        assert_eq!(there.report["faults"], serde_json::json!([]), "{name}");
        let leaks: BTreeMap<String, u64> = serde_json::from_value(there.report["leaks"].clone()).expect("counts");
        assert!(leaks.values().all(|&count| count == 0), "{name}: {leaks:?}");
    }
}

/// The host waits where it looks, in one copy from the device to memory of its own, and nowhere else: from the first
/// look to the last, whatever was launched since the look before is waited for by a look alone.
#[test]
fn nobody_waits_between_two_looks() {
    let Some(libraries) = libraries("whole::nobody_waits_between_two_looks") else { return };
    let place = tempfile::tempdir().expect("a folder for the test");
    // The last one draws batches; at the end of an epoch the host wants a row of the trace.
    for (name, more) in [("elastic_net", &[][..]), ("lasso", &[]), ("gan", &["--set", "n_epochs=1"])] {
        let ran = run_with(name, more, "cuda", &libraries, place.path());
        if ran.report.is_null() {
            eprintln!("cuda::whole counted nothing: the device is no software");
            return;
        }
        assert_eq!(ran.report["faults"], serde_json::json!([]), "{name}");
        let is_look = |line: &str| line.contains("DtoH") && line.contains("pinned");
        let first = ran.log.iter().position(|line| is_look(line)).expect("the host looks");
        let last = ran.log.iter().rposition(|line| is_look(line)).expect("the host looks");
        let (mut looks, mut launches, mut graphs) = (0, 0, 0);
        let (mut launched, mut looking) = (false, false);
        for line in &ran.log[first..last] {
            let call = line.split(' ').next().unwrap_or("");
            let waits = line.ends_with(" sync") || line.contains(" sync =");
            if is_look(line) {
                (looks, launched, looking) = (looks + 1, false, true);
            } else if call == "cuLaunchKernel" || call == "cuGraphLaunch" || call.starts_with("cublas") {
                assert!(!waits, "{name}: {line}");
                (launches, launched, looking) = (launches + 1, true, false);
                graphs += u32::from(call == "cuGraphLaunch");
            } else if waits && call != "cuEventSynchronize" {
                // An event that nobody recorded waits for nothing.
                assert!(looking || !launched, "{name}: {line} after a launch");
            }
        }
        eprintln!("{name}: {looks} looks, {launches} launches, {graphs} of them graphs");
        assert!(launches > 0, "{name}");
    }
}

/// What comes again is replayed.
#[test]
fn graphs_are_replayed() {
    let Some(libraries) = libraries("whole::graphs_are_replayed") else { return };
    let place = tempfile::tempdir().expect("a folder for the test");
    let ran = run("water_filling", "cuda", &libraries, place.path());
    if ran.report.is_null() {
        eprintln!("cuda::whole counted nothing: the device is no software");
        return;
    }
    assert!(ran.log.iter().any(|line| line.starts_with("cuGraphLaunch")), "no graph was replayed");
}

/// In a graph, launches that leave each other alone run at once: in whatever order they come, the bits are the same.
#[test]
fn lanes_keep_the_order_that_matters() {
    let Some(libraries) = libraries("whole::lanes_keep_the_order_that_matters") else { return };
    let place = tempfile::tempdir().expect("a folder for the test");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/gan.admm");
    let solution = |schedule: &str, seed: &str| {
        let (out, log) = (place.path().join(format!("{schedule}{seed}")), place.path().join("log"));
        let mut command = admmc(&["run", example, "--set", "n_epochs=4", "--device", "cuda", "--quiet"], &libraries);
        command.arg("--out").arg(&out).env("XDG_CACHE_HOME", place.path()).env("SWCUDA_LOG", &log);
        let (code, _, err) = ended({
            command.env("SWCUDA_SCHED", schedule).env("SWCUDA_SEED", seed);
            command
        });
        assert_eq!(code, Some(0), "{err}");
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let streams: std::collections::BTreeSet<&str> = log
            .lines()
            .filter(|line| line.starts_with("cuLaunchKernel"))
            .filter_map(|line| line.split(' ').find(|word| word.starts_with("stream=")))
            .collect();
        assert!(log.is_empty() || streams.len() > 1, "all launches are on one stream");
        std::fs::read(out.join("solution.npz")).expect("a solution")
    };
    let eager = solution("eager", "0");
    for (schedule, seed) in [("lazy", "0"), ("random", "1"), ("random", "2")] {
        assert!(solution(schedule, seed) == eager, "{schedule} {seed} has other bits");
    }
}

/// What can go wrong before a run, and on its way, ends it with a sentence; the program does not come down.
#[test]
fn what_fails_is_said() {
    let Some(libraries) = libraries("whole::what_fails_is_said") else { return };
    let place = tempfile::tempdir().expect("a folder for the test");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/lasso.admm");
    let with = |variable: &str, value: &str| {
        let mut command = admmc(&["run", example, "--device", "cuda", "--quiet"], &libraries);
        command.arg("--out").arg(place.path()).env("XDG_CACHE_HOME", place.path()).env(variable, value);
        ended(command)
    };
    let (code, _, err) = with("SWCUDA_QUIET", "1");
    assert_eq!(code, Some(0), "{err}");
    if !libraries.join("libswcuda.so").exists() {
        eprintln!("cuda::whole planned no failures: the device is no software");
        return;
    }
    for (variable, value, sentence) in [
        ("SWCUDA_MEM", "100000", "are needed"),
        ("SWCUDA_FAIL", "cuMemAllocAsync:9:2", "are needed"),
        ("SWCUDA_FAIL", "cuModuleLoadData:2:200", "cuModuleLoadData"),
        ("SWCUDA_FAIL", "cuLaunchKernel:7:719", "cuLaunchKernel"),
        ("SWCUDA_FAIL", "cuStreamSynchronize:5:700", "cuStreamSynchronize"),
        ("SWCUDA_FAIL", "cuGraphLaunch:1:999", "cuGraphLaunch"),
    ] {
        let (code, _, err) = with(variable, value);
        assert_eq!(code, Some(4), "{variable}={value}: {err}");
        assert!(err.contains(sentence) && err.contains("--device cpu"), "{variable}={value}: {err}");
    }
}
