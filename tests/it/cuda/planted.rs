//! Faults planted in the device code are found: by the software device, which watches every access and
//! barrier, or by the results, which are not the reference's. As it is, the code passes the same check.
//!
//! A plant is one text in the place of another, which the headers or the program have exactly once: where it is
//! no longer there, the test fails and says so.

use admmc::exec::cuda::{Compiler, Cuda, HEADERS, Places, Uncached, device_code, open};
use admmc::exec::reference::{Rounding, evaluate};
use admmc::exec::{Buffer, Executor, Slot};
use admmc::tape::ops::Reducer;
use admmc::tape::{Builder, Dtype, Program, Tensor, Type};

use super::{apart, libraries};

/// Roundings by which a sum of positive numbers may be off: its tree is 5 + log₂(n/32) deep, and each level
/// rounds once.
const ROUNDINGS: f64 = 32.0;

/// What finds a plant.
#[derive(Debug, Clone, Copy)]
enum Found {
    /// The device, in these words; it does nothing more.
    Fault(&'static str),
    /// The check, by an output of this name.
    Differs(&'static str),
}

/// A step, its residual and a sum, as a sweep that ends in two sums; and a sweep that ends in none.
fn sweeps() -> Program {
    let mut b = Builder::new("sweeps");
    let ty = Type::new(Dtype::F64, [5000]);
    let (x, z) = (b.input("x", ty.clone()), b.input("z", ty));
    let u = b.input("u", Type::new(Dtype::F64, [4500]));
    let step = b.sub(x, z);
    let residual = b.sum_squares(step);
    let total = b.sum(x);
    let thrice = b.scale(3.0, u);
    b.output("step", step);
    b.output("residual", residual);
    b.output("thrice", thrice);
    b.output("total", total);
    b.finish()
}

/// Sums down columns, and along rows that are a block's each.
fn sums() -> Program {
    let mut b = Builder::new("sums");
    let a = b.input("A", Type::new(Dtype::F64, [700, 40]));
    let c = b.input("C", Type::new(Dtype::F64, [3, 5000]));
    let columns = b.reduce(Reducer::Sum, a, vec![0]);
    let rows = b.reduce(Reducer::Sum, c, vec![1]);
    b.output("columns", columns);
    b.output("rows", rows);
    b.finish()
}

/// Inputs of a program between 1 and 2, no two neighbours alike.
fn inputs(program: &Program) -> Vec<Tensor> {
    let tensor = |(k, ty): (usize, &Type)| {
        let number = |i: usize| 1.5 + 0.5 * (i as f64 * (0.7 + k as f64)).sin();
        Tensor::f64(ty.shape.clone(), (0..ty.shape.numel()).map(number).collect())
    };
    program.inputs.iter().map(|input| program.ty(input.value)).enumerate().map(tensor).collect()
}

/// Buffers of a program's own, its inputs' and its outputs'.
fn slots(program: &Program) -> [Vec<Slot>; 2] {
    let slot = |at: usize| -> Slot { Buffer(at as u32).into() };
    let n = program.inputs.len();
    [(0..n).map(slot).collect(), (n..n + program.outputs.len()).map(slot).collect()]
}

/// Runs a program once and holds it against the reference; what is wrong with it.
fn wrong(mut device: Cuda, program: &Program) -> Option<String> {
    let (given, [inputs, outputs]) = (inputs(program), slots(program));
    for tensor in &given {
        let buffer = device.buffer(&tensor.ty());
        device.write(buffer, tensor);
    }
    for output in &program.outputs {
        device.buffer(program.ty(output.value));
    }
    let call = device.bind(program, &inputs, &outputs);
    device.ready().expect("it compiles, as it was and as it is");
    device.run(call, 0);
    let found: Vec<Tensor> = outputs.iter().map(|slot| device.read(slot.buffer)).collect();
    if let Some(fault) = device.fault() {
        return Some(fault.message.clone());
    }
    let truth = evaluate(program, &given, Rounding::Outputs);
    for (output, (found, truth)) in program.outputs.iter().zip(found.iter().zip(&truth)) {
        for (i, (x, y)) in found.to_f64().iter().zip(truth.to_f64().iter()).enumerate() {
            // What is not a number does not hold.
            let holds = (x - y).abs() <= ROUNDINGS * f64::EPSILON * y.abs();
            if !holds {
                return Some(format!("{}[{i}] is {x}, and {y} in truth", output.name));
            }
        }
    }
    None
}

/// Plants a fault and looks who finds it.
fn plant(test: &str, program: &Program, [from, to]: [&str; 2], found: Found) {
    let [inputs, outputs] = slots(program);
    let code = device_code(program, &inputs, &outputs);
    let texts = HEADERS.iter().map(|(_, text)| *text).chain([code.as_str()]);
    let count: usize = texts.map(|text| text.matches(from).count()).sum();
    assert_eq!(count, 1, "the headers or the program have this text once:\n{from}\n{code}");
    let test = format!("planted::{test}");
    let Some(folder) = libraries(&test) else { return };
    if !folder.join("libswcuda.so").exists() {
        eprintln!("cuda::{test} did not run: the device is no software, and does not watch");
        return;
    }
    let device = |edit: &dyn Fn(Compiler) -> Compiler| {
        let places = Places::new(vec![folder.clone()]);
        let device = open(&places, 0).expect("the folder has all that a device takes");
        let compiler = Compiler::new(&device, Box::new(Uncached)).expect("NVRTC compiles for the device");
        Cuda::new(device, edit(compiler), places)
    };
    let reported = apart(&test, |_| {
        assert_eq!(wrong(device(&|compiler| compiler), program), None, "as it is");
        let said = wrong(device(&|compiler| compiler.replacing(from, to)), program).expect("the fault is found");
        let as_expected = match found {
            Found::Fault(_) => said.contains("CUDA_ERROR_"),
            Found::Differs(output) => said.starts_with(&format!("{output}[")),
        };
        assert!(as_expected, "it is found otherwise than by {found:?}: {said}");
    });
    if let (Some(reported), Found::Fault(words)) = (reported, found) {
        assert!(reported.contains(words), "it is found otherwise than by `{words}`: {reported}");
    }
}

const READ: &str = "const double x1 = ((double *)slot3)[i];";
const WRITE: &str = "((double *)slot6)[i] = x2;";

#[test]
fn a_sweep_reads_one_further() {
    let to = READ.replace("[i]", "[i + 1]");
    plant("a_sweep_reads_one_further", &sweeps(), [READ, &to], Found::Fault("out of bounds: read"));
}

#[test]
fn a_sweep_writes_one_further() {
    let to = WRITE.replace("[i]", "[i + 1]");
    plant("a_sweep_writes_one_further", &sweeps(), [WRITE, &to], Found::Fault("out of bounds: write"));
}

/// Within its memory: no access is wrong, and the numbers are.
#[test]
fn a_sweep_reads_its_neighbour() {
    let to = READ.replace("[i]", "[i < 4499 ? i + 1 : 0]");
    plant("a_sweep_reads_its_neighbour", &sweeps(), [READ, &to], Found::Differs("thrice"));
}

#[test]
fn a_sweep_leaves_out_its_last() {
    plant("a_sweep_leaves_out_its_last", &sweeps(), ["i < 4500;", "i < 4499;"], Found::Differs("thrice"));
}

/// What was not written in the memory between steps is not read as zero.
#[test]
fn a_sweep_leaves_out_a_part_of_its_sum() {
    const FROM: &str = "if (threadIdx.x == 0) ((double *)arena)[tile] = ";
    let to = FROM.replace("== 0", "== 0 && tile != 1");
    plant("a_sweep_leaves_out_a_part_of_its_sum", &sweeps(), [FROM, &to], Found::Fault("memory that nobody wrote"));
}

#[test]
fn a_launch_has_its_inputs_swapped() {
    let swap = ["u8 *slot1, u8 *slot2", "u8 *slot2, u8 *slot1"];
    plant("a_launch_has_its_inputs_swapped", &sweeps(), swap, Found::Differs("step"));
}

#[test]
fn a_launch_has_input_and_output_swapped() {
    let swap = ["u8 *slot3, u8 *slot6", "u8 *slot6, u8 *slot3"];
    plant("a_launch_has_input_and_output_swapped", &sweeps(), swap, Found::Differs("thrice"));
}

#[test]
fn a_step_has_its_operands_swapped() {
    let swap =
        ["finish_fold<Sum>((double *)slot7, (double *)arena", "finish_fold<Sum>((double *)arena, (double *)slot7"];
    plant("a_step_has_its_operands_swapped", &sweeps(), swap, Found::Fault("out of bounds: read"));
}

/// The last barrier of a text is not there. The device watches shared memory: a barrier that only keeps order in
/// global memory is not missed.
fn without_barrier(test: &str, program: &Program, from: &str) {
    let (before, after) = from.rsplit_once("__syncthreads();").expect("the text has a barrier");
    plant(test, program, [from, &format!("{before}{after}")], Found::Fault("race in shared memory"));
}

#[test]
fn a_tile_has_no_barrier() {
    const FROM: &str = "        nodes[warp_of_thread()] = block;
    }
    __syncthreads();";
    without_barrier("a_tile_has_no_barrier", &sweeps(), FROM);
}

/// The next sum begins while the last is read.
#[test]
fn a_tile_ends_without_a_barrier() {
    const FROM: &str = "        node = fold_nodes<R>(node, WARPS);
    }
    __syncthreads();";
    without_barrier("a_tile_ends_without_a_barrier", &sweeps(), FROM);
}

#[test]
fn nodes_are_combined_without_a_barrier() {
    const FROM: &str = "                parts[first * stride] = sum;
            }
        }
        __syncthreads();";
    without_barrier("nodes_are_combined_without_a_barrier", &sums(), FROM);
}

#[test]
fn columns_have_no_barrier() {
    const FROM: &str = "R::join(R::join(lane[0], lane[2]), R::join(lane[1], lane[3]));
        __syncthreads();";
    without_barrier("columns_have_no_barrier", &sums(), FROM);
}

#[test]
fn columns_end_without_a_barrier() {
    const FROM: &str = "        eighths[0] = carry.finish();
    }
    __syncthreads();";
    without_barrier("columns_end_without_a_barrier", &sums(), FROM);
}
