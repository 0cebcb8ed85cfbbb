//! A device that is there: opened, asked, told to compute.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use admmc::exec::cuda::{Cache, Compiler, Refusal, Uncached, open, probe};
use cudarc::driver::{LaunchConfig, PushKernelArg};

use super::{admmc, apart, ended, libraries, only};

const HALVE: &str = "#include \"common.cuh\"
extern \"C\" __global__ void halve(double *y, i64 n) {
    const i64 i = first_element(Grid());
    if (i < n) {
        y[i] = y[i] / 2;
    }
}
";

/// A cache in memory that the test looks into.
#[derive(Clone, Default)]
struct Shelf(Rc<RefCell<BTreeMap<String, Vec<u8>>>>, Rc<RefCell<usize>>);

impl Cache for Shelf {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(name).cloned()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        self.0.borrow_mut().insert(name.to_owned(), bytes.to_vec());
        *self.1.borrow_mut() += 1;
    }
}

/// The program, its loader told of that folder too: a software device need not say its own name.
fn on(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = admmc(arguments, folder);
    command.env("LD_LIBRARY_PATH", folder);
    command
}

#[test]
fn the_list_has_it() {
    let Some(folder) = libraries("device::the_list_has_it") else { return };
    let (code, out, err) = ended(on(&folder, &["devices", "--format", "json"]));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let list: serde_json::Value = serde_json::from_str(&out).expect("JSON and nothing else");
    let device = &list["devices"][2];
    assert_eq!(device["device"], "cuda:0", "{out}");
    assert!(device["memory_total"].as_u64() >= device["memory_free"].as_u64(), "{out}");
    assert!(device["memory_free"].as_u64() > Some(0), "{out}");
    assert_eq!(list["unusable"].as_array().map(Vec::len), Some(0), "{out}");
    let (code, out, _) = ended(on(&folder, &["devices"]));
    assert_eq!(code, Some(0));
    let name = device["name"].as_str().expect("a name");
    let line = out.lines().find(|line| line.starts_with("cuda:0")).expect("a line of its own");
    assert!(line.contains(name) && line.contains("compute capability"), "{line}");
}

#[test]
fn one_that_is_not_there() {
    let Some(folder) = libraries("device::one_that_is_not_there") else { return };
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ridge.admm");
    let place = tempfile::tempdir().expect("a folder for the test");
    let mut command = on(&folder, &["run", example, "--device", "cuda:99", "--out", "out"]);
    command.current_dir(place.path());
    let (code, _, err) = ended(command);
    assert_eq!(code, Some(4), "{err}");
    assert!(err.contains("there is no CUDA device 99"), "{err}");
}

#[test]
fn it_computes() {
    apart("device::it_computes", |folder| {
        let places = only(folder);
        assert_eq!(probe(&places).expect("there is a device")[0].number, 0);
        let device = open(&places, 0).expect("there is a device");
        let compiler = Compiler::new(&device, Box::new(Uncached)).expect("it is new enough");
        let module = compiler.module("halve", HALVE).expect("it compiles and loads");
        let halve = module.function("halve").expect("it is in there");
        let n = 1000usize;
        let numbers: Vec<f64> = (0..n).map(|k| k as f64).collect();
        let mut memory = device.table(&numbers).expect("there is room");
        let grid =
            LaunchConfig { grid_dim: (n.div_ceil(256) as u32, 1, 1), block_dim: (256, 1, 1), shared_mem_bytes: 0 };
        let mut launch = device.stream().launch_builder(&halve);
        let count = n as i64;
        launch.arg(&mut memory).arg(&count);
        // SAFETY: the memory holds `n` doubles.
        unsafe { launch.launch(grid) }.expect("it starts");
        let mut copy = device.zeros(n * size_of::<f64>()).expect("there is room");
        assert!(device.download::<f64>(&copy, n).expect("it is zero").iter().all(|&x| x == 0.0));
        device.copy(&memory, &mut copy).expect("both are there");
        device.upload(&mut memory, &[1.0f32, -2.0]).expect("it has room");
        let halves: Vec<f64> = numbers.iter().map(|x| x / 2.0).collect();
        assert_eq!(device.download::<f64>(&copy, n), Ok(halves));
        assert_eq!(device.download::<f32>(&memory, 2), Ok(vec![1.0, -2.0]));
        // Nothing is a number of numbers too.
        let mut empty = device.table::<f64>(&[]).expect("nothing takes no room");
        device.upload::<f64>(&mut empty, &[]).expect("there is nothing to do");
        assert_eq!(device.download::<f64>(&empty, 0), Ok(Vec::new()));
        device.wait().expect("all went well");
    });
}

#[test]
fn what_was_compiled_is_kept() {
    apart("device::what_was_compiled_is_kept", |folder| {
        let device = open(&only(folder), 0).expect("there is a device");
        let shelf = Shelf::default();
        let compiler = Compiler::new(&device, Box::new(shelf.clone())).expect("it is new enough");
        let compile = || compiler.module("halve", HALVE).expect("it compiles and loads");
        let target = compile().target;
        let puts = *shelf.1.borrow();
        assert_eq!(puts, shelf.0.borrow().len(), "an entry for each form that was tried");
        assert_eq!(compile().target, target);
        assert_eq!(*shelf.1.borrow(), puts, "it was found");
        // Half a file, and a bit that is not what it was: compiled again, and kept again.
        for (turn, harm) in
            [(1, (|entry| entry.truncate(entry.len() / 2)) as fn(&mut Vec<u8>)), (2, |entry| entry[60] ^= 4)]
        {
            shelf.0.borrow_mut().values_mut().for_each(harm);
            compile().function("halve").expect("it is whole");
            assert_eq!(*shelf.1.borrow(), puts * (turn + 1));
        }
    });
}

#[test]
fn what_goes_wrong_is_said() {
    apart("device::what_goes_wrong_is_said", |folder| {
        let device = open(&only(folder.clone()), 0).expect("there is a device");
        let refusal = open(&only(folder), 99).expect_err("there are not so many");
        assert!(matches!(refusal, Refusal::NoSuchDevice { asked: 99, .. }), "{refusal}");
        let compiler = Compiler::new(&device, Box::new(Uncached)).expect("it is new enough");
        let module = compiler.module("halve", HALVE).expect("it compiles and loads");
        let refusal = module.function("double").expect_err("there is none");
        assert_eq!(refusal.to_string(), "the module `halve` has no kernel `double`");
        let total = device.about().total;
        let refusal = device.memory(2 * total).expect_err("twice of what there is");
        assert!(matches!(refusal, Refusal::OutOfMemory { needed, .. } if needed == 2 * total), "{refusal}");
        // It goes on after that.
        assert_eq!(device.download::<u32>(&device.table(&[1u32, 2]).expect("there is room"), 2), Ok(vec![1, 2]));
    });
}
