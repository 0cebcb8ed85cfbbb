//! The device code, headers and what is generated for the examples, compiled for devices of all kinds; no device is
//! needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::OnceLock;

use admmc::exec::cuda::{HEADERS, Nvrtc, Refusal, Target, device_code};
use admmc::exec::{Buffer, Call, Executor, Failure, Fault, Nobody, NonFinite, Slot, run};
use admmc::host::Still;
use admmc::tape::{Program, Tensor, Type};

use super::{apart_in, libraries, only};
use crate::examples;

/// Turing, Ampere, Hopper, and both Blackwells.
const CAPABILITIES: [u32; 5] = [75, 80, 90, 100, 120];

/// Registers a thread, at most: two blocks of 256 have the 65536 of a multiprocessor.
const REGISTERS: u32 = 128;

/// Kernels that are compiled together.
const UNIT: usize = 64;

/// What stands between device and host.
const CONTROL: &str = include_str!("../../../kernels/control.cu");

/// A step of each kind, with sizes that take each of its ways; `T` is the type of the numbers.
const STEPS: &[(&str, &str)] = &[
    ("argmax", "argmax(team, shared, w, x, 100, 5000)"),
    ("argmax_short", "argmax(team, shared, w, x, 100, 3)"),
    ("gather", "gather(team, y, x, u, 1000, 50, 7)"),
    ("scatter_add", "scatter_add(team, shared, y, u, x, 1000, 50, 7)"),
    ("iota", "iota(team, w, 1000, 10, 5)"),
    ("copy_box", "copy_box(team, y, x, Box<3>{{7, 8, 9}, {72, 9, 1}, {72, 1, 8}})"),
    ("copy_turned", "copy_turned(team, shared, y, x, Box<3>{{7, 80, 90}, {7200, 90, 1}, {7200, 1, 80}})"),
    ("place_box", "place_box(team, y, 1000, 10, x, Box<2>{{7, 8}, {8, 1}, {100, 2}})"),
    ("uniform", "random<Uniform>(team, y, 1000, u, v, 3)"),
    ("normal", "random<Normal>(team, y, 1000, u, v, 3)"),
    ("sum", "reduce_regular<Sum>(team, shared, y, x, 100, 20, 1)"),
    ("sum_rows", "reduce_regular<Sum>(team, shared, y, x, 100, 70000, 1)"),
    ("max_columns", "reduce_regular<Max>(team, shared, y, x, 3, 500, 1000)"),
    ("sum_scattered", "reduce_scattered<Sum>(team, shared, y, x, u, 20, v, 300)"),
    ("sum_long", "reduce_long<Sum>(team, shared, y, x, 1, 1000000, 1, z, w)"),
    ("cumsum", "cumsum(team, shared, y, x, 10, 100000, true)"),
    ("sort_short", "sort(team, shared, y, x, 10, 100)"),
    ("sort_long", "sort(team, shared, y, x, 10, 100000)"),
    ("argsort", "argsort(team, shared, w, x, y, 10, 100000)"),
    (
        "conv_output",
        "conv_output(team, y, x, z, Convolution{64, 2, 3, 4, {3, 3}, {8, 8}, {4, 4}, {2, 2}, {1, 1}, {1, 1}})",
    ),
    (
        "conv_input",
        "conv_input(team, y, x, z, Convolution{64, 2, 3, 4, {3, 3}, {8, 8}, {4, 4}, {2, 2}, {1, 1}, {1, 1}})",
    ),
    (
        "conv_kernel",
        "conv_kernel(team, shared, y, x, z, Convolution{64, 2, 3, 4, {3, 3}, {8, 8}, {4, 4}, {2, 2}, {1, 1}, {1, 1}})",
    ),
    ("matmul", "matmul(team, y, x, z, 30, 20, 40, 20, 1, 1, 20)"),
    ("matmul_lanes", "matmul_lanes(team, y, x, z, 30, 200, 4, 200, 200)"),
    ("cholesky", "cholesky(team, shared, y, x, 100)"),
    ("cholesky_solve", "cholesky_solve(team, y, z, x, 100, 3)"),
    ("isotonic", "isotonic(team, y, x, z, work, 1000, 50)"),
    ("taut_string", "taut_string(team, y, x, z, work, 1000, 50)"),
    ("assignment", "assignment(team, shared, y, x, work, 300)"),
    ("eigenvalues", "symmetric_eigenvalues(team, shared, y, x, work, 100)"),
    ("eigen", "symmetric_eigen(team, shared, y, x, work, 100)"),
    ("psd_sqrt", "psd_sqrt(team, shared, y, x, work, 100)"),
    ("svd", "svd(team, shared, y, x, work, 100, 70)"),
    ("cosine", "grid_cosine(team, y, x, z, 10, 60, 7, 8, false)"),
    ("cosine_inverse", "grid_cosine(team, y, x, z, 10, 60, 7, 8, true)"),
    ("hartley", "grid_hartley(team, y, x, z, 10, 60, 7, 8, true, false, 1.0)"),
    ("routine_matrix", "routine_matrix(team, y, x, 600, 700, true, false, w)"),
    ("routine_ends", "routine_begin(team, w); routine_blank(team, y, 600, w); routine_end(team, y, 600, w)"),
    ("eigen_end", "eigen_end(team, y, x, z, 601, 600, w)"),
    ("psd_scale", "psd_scale(team, y, x, z, 600)"),
    ("svd_end", "svd_end(team, y, x, z, z, 600, 700, w)"),
    ("sparse_factor", "sparse_factor(team, y, x, SparsePattern{u, 100, 1000, 20}, 0, 1000)"),
    ("sparse_solve", "sparse_solve(team, y, x, z, SparsePattern{u, 100, 1000, 20}, 3)"),
    ("sparse", "sparse_multiply(team, shared, y, u, v, z, x, 1000, 1)"),
    ("sparse_transposed", "sparse_multiply_transposed(team, shared, y, u, v, u, z, x, 1000, 8)"),
];

/// All headers, and a kernel for every step, type and team. Two blocks are to share a multiprocessor: where that is
/// not said, ptxas saves registers for more, and spills.
fn program() -> String {
    let mut text: String = HEADERS.iter().map(|(name, _)| format!("#include \"{name}\"\n")).collect();
    for (name, step) in STEPS {
        for (of, number) in [("f32", "float"), ("f64", "double")] {
            for team in ["Grid", "Alone"] {
                let _ = writeln!(
                    text,
                    "extern \"C\" __global__ void __launch_bounds__(THREADS, 2)\n\
                     {name}_{of}_{team}({number} *y, const {number} *x, {number} *z, u32 *w, const u32 *u, const u32 *v, double *work) {{\n    \
                     typedef {number} T;\n    \
                     __shared__ __align__(16) u8 shared_bytes[SHARED];\n    \
                     void *const shared = shared_bytes;\n    \
                     (void)shared, (void)sizeof(T);\n    \
                     const {team} team;\n    {step};\n}}"
                );
            }
        }
    }
    text
}

/// The functions of a cubin that spill, with what ptxas says of them. Its report has a line `Function properties
/// for NAME` and then `N bytes stack frame, N bytes spill stores, N bytes spill loads`.
fn spilled(log: &str) -> Vec<String> {
    let lines = log.lines().zip(log.lines().skip(1)).filter(|(_, counts)| counts.contains(" bytes spill stores"));
    let worse = lines.filter(|(_, counts)| !counts.contains(" 0 bytes spill stores, 0 bytes spill loads"));
    worse.map(|(name, counts)| format!("{}: {}", name.rsplit(' ').next().unwrap_or(name), counts.trim())).collect()
}

/// The registers of each kernel, by its name, as ptxas says them: `Compiling entry function 'NAME' …` and then
/// `Used N registers, …`.
fn registers(log: &str) -> Vec<(String, u32)> {
    let mut name = "";
    let mut all = Vec::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            name = rest.split('\'').next().unwrap_or(rest);
        } else if let Some((_, rest)) = line.split_once("Used ") {
            let count = rest.split(' ').next().and_then(|count| count.parse().ok());
            all.push((name.to_owned(), count.expect("ptxas says how many registers")));
        }
    }
    all
}

/// Compiles so many kernels for a device. What is wrong with them: warnings, spills, and registers beyond
/// those of two blocks on a multiprocessor.
fn faults(nvrtc: &Nvrtc, name: &str, source: &str, kernels: usize, capability: u32) -> Vec<String> {
    let compiled = nvrtc.compile(name, source, HEADERS, Target::Cubin(capability));
    let compiled = compiled.unwrap_or_else(|refusal| panic!("sm_{capability}: {refusal}"));
    assert!(compiled.image.starts_with(b"\x7fELF"), "a cubin is an object file");
    let registers = registers(&compiled.log);
    assert_eq!(registers.len(), kernels, "{}", compiled.log);
    let greedy = registers.into_iter().filter(|(_, count)| *count > REGISTERS);
    let greedy = greedy.map(|(name, count)| format!("{name}: {count} registers"));
    let warnings = compiled.log.lines().filter(|line| line.contains("warning")).map(str::to_owned);
    let all = spilled(&compiled.log).into_iter().chain(greedy).chain(warnings);
    all.map(|fault| format!("sm_{capability}, {name}: {fault}")).collect()
}

/// The headers for all kinds of devices.
fn headers_compile(nvrtc: &Nvrtc) {
    let source = program();
    let kernels = 4 * STEPS.len();
    let mut wrong = Vec::new();
    for capability in CAPABILITIES {
        wrong.extend(faults(nvrtc, "steps", &source, kernels, capability));
        wrong.extend(faults(nvrtc, "control", CONTROL, 2, capability));
        println!("sm_{capability}: {} kernels by NVRTC {}", kernels + 2, nvrtc.version);
    }
    assert_eq!(wrong, Vec::<String>::new());
    let least = nvrtc.supported[0];
    let compiled = nvrtc.compile("steps", &source, HEADERS, Target::Ptx(least)).expect("it compiles to PTX");
    assert_eq!(compiled.image.last(), Some(&0), "the driver tells the end of PTX by a zero");
    let text = String::from_utf8_lossy(&compiled.image);
    assert!(text.contains(&format!(".target sm_{least}")), "PTX is text");
}

#[test]
fn headers_compile_without_a_warning_or_a_spill() {
    let Some(folder) = libraries("compile::headers_compile_without_a_warning_or_a_spill") else { return };
    headers_compile(&Nvrtc::find(&only(folder)).expect("the folder has NVRTC"));
}

/// The compiler of CUDA 12, where there is one: a machine may have either.
#[test]
fn headers_compile_with_cuda_12() {
    const TEST: &str = "compile::headers_compile_with_cuda_12";
    let Some(folder) = libraries(TEST).map(|folder| folder.join("nvrtc12")) else { return };
    if !folder.exists() {
        eprintln!("cuda::{TEST} did not run: there is no `{}`", folder.display());
        return;
    }
    apart_in(TEST, folder, |folder| {
        let nvrtc = Nvrtc::find(&only(folder)).expect("the folder has NVRTC");
        assert_eq!(nvrtc.version.major, 12);
        headers_compile(&nvrtc);
    });
}

/// A device that notes the device code of what is bound to it, and never gets ready.
#[derive(Default)]
struct Notes {
    buffers: u32,
    texts: Vec<String>,
}

impl Executor for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn buffer(&mut self, _: &Type) -> Buffer {
        self.buffers += 1;
        Buffer(self.buffers - 1)
    }

    fn bind(&mut self, program: &Program, inputs: &[Slot], outputs: &[Slot]) -> Call {
        self.texts.push(device_code(program, inputs, outputs));
        Call(self.texts.len() as u32 - 1)
    }

    fn ready(&mut self) -> Result<(), Fault> {
        Err(Fault { message: "it only takes notes".to_owned(), help: String::new() })
    }

    fn write(&mut self, _: Buffer, _: &Tensor) {}

    fn read(&self, _: Buffer) -> Tensor {
        unreachable!("nothing runs")
    }

    fn item(&self, _: Buffer) -> f64 {
        unreachable!("nothing runs")
    }

    fn copy(&mut self, _: Buffer, _: Buffer) {
        unreachable!("nothing runs")
    }

    fn run(&mut self, _: Call, _: usize) {
        unreachable!("nothing runs")
    }

    fn trace(&mut self, _: Call, _: usize) -> Option<NonFinite> {
        unreachable!("nothing runs")
    }
}

/// The device code of every call of an example, in all of its solve blocks.
fn texts(name: &str) -> Vec<String> {
    let mut notes = Notes::default();
    for solve in examples::solves(name) {
        let schedule = examples::compile(name, &[], Some(&solve)).schedule;
        let ended = run(&schedule, &mut notes, &Still::default(), &mut Nobody, 0);
        assert!(matches!(ended, Err(Failure::Device(_))), "a device that is not ready ends a run");
    }
    notes.texts
}

/// The kernels of a text, each with `NAME` for its name, and the headers.
fn kernels(text: &str) -> (Vec<String>, Vec<&str>) {
    const BEGINS: &str = "extern \"C\" __global__ void __launch_bounds__(THREADS, 2) ";
    let mut parts = text.split(BEGINS);
    let head = parts.next().unwrap_or_default();
    let named = |part: &str| {
        let (_, rest) = part.split_once('(').expect("a kernel has parameters");
        format!("{BEGINS}NAME({rest}")
    };
    (parts.map(named).collect(), head.lines().filter(|line| line.starts_with("#include")).collect())
}

/// The kernels of all examples.
struct Generated {
    /// How many there are, with those that are alike.
    count: usize,
    /// Each but once, with the example that has it first.
    distinct: Vec<(String, String)>,
    headers: BTreeSet<String>,
}

fn generated() -> &'static Generated {
    static ALL: OnceLock<Generated> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut count = 0;
        let mut headers = BTreeSet::new();
        let mut distinct: BTreeMap<String, String> = BTreeMap::new();
        for name in examples::names() {
            for text in texts(&name) {
                let (kernels, heads) = kernels(&text);
                headers.extend(heads.into_iter().map(str::to_owned));
                count += kernels.len();
                for kernel in kernels {
                    distinct.entry(kernel).or_insert_with(|| name.clone());
                }
            }
        }
        Generated { count, distinct: distinct.into_iter().collect(), headers }
    })
}

/// Compiles kernels for a device, many together: the headers are read and ptxas is started once for these.
fn compile(nvrtc: &Nvrtc, kernels: &[(String, String)], capability: u32) {
    let Generated { count, distinct, headers, .. } = generated();
    let mut wrong = Vec::new();
    for (part, some) in kernels.chunks(UNIT).enumerate() {
        let mut source: String = headers.iter().map(|header| format!("{header}\n")).collect();
        for (at, (kernel, example)) in some.iter().enumerate() {
            source += &kernel.replacen("NAME", &format!("{example}_{at}"), 1);
        }
        wrong.extend(faults(nvrtc, &format!("part{part}"), &source, some.len(), capability));
    }
    assert_eq!(wrong, Vec::<String>::new());
    let (all, compiled, version) = (distinct.len(), kernels.len(), nvrtc.version);
    println!("sm_{capability}: {compiled} of {all} distinct kernels, of {count} in all, by NVRTC {version}");
}

/// Compiles every kernel that the examples need, for a device.
fn examples_compile(test: &str, capability: u32) {
    let Some(folder) = libraries(&format!("compile::{test}")) else { return };
    let nvrtc = Nvrtc::find(&only(folder)).expect("the folder has NVRTC");
    compile(&nvrtc, &generated().distinct, capability);
}

#[test]
fn examples_compile_for_turing() {
    examples_compile("examples_compile_for_turing", 75);
}

#[test]
fn examples_compile_for_ampere() {
    examples_compile("examples_compile_for_ampere", 80);
}

#[test]
fn examples_compile_for_hopper() {
    examples_compile("examples_compile_for_hopper", 90);
}

#[test]
fn examples_compile_for_blackwell_100() {
    examples_compile("examples_compile_for_blackwell_100", 100);
}

#[test]
fn examples_compile_for_blackwell_120() {
    examples_compile("examples_compile_for_blackwell_120", 120);
}

#[test]
fn products_and_sums_are_not_contracted() {
    let Some(folder) = libraries("compile::products_and_sums_are_not_contracted") else { return };
    let nvrtc = Nvrtc::find(&only(folder)).expect("the folder has NVRTC");
    let source = "extern \"C\" __global__ void axpy(double *y, const double *x, double a) { y[0] = a * x[0] + y[0]; }";
    let compiled = nvrtc.compile("axpy", source, &[], Target::Ptx(80)).expect("it compiles");
    let text = String::from_utf8_lossy(&compiled.image);
    assert!(text.contains("mul") && !text.contains("fma"), "{text}");
}

/// An error names the line, in the program or in a header.
#[test]
fn an_error_has_its_line() {
    let Some(folder) = libraries("compile::an_error_has_its_line") else { return };
    let nvrtc = Nvrtc::find(&only(folder)).expect("the folder has NVRTC");
    let wrong = "#include \"common.cuh\"\nextern \"C\" __global__ void k(float *x) {\n    x[0] = y;\n}\n";
    let refusal = nvrtc.compile("shrink", wrong, HEADERS, Target::Cubin(90)).expect_err("there is no y");
    assert_eq!(
        refusal.to_string(),
        "the kernels of `shrink` don't compile: shrink.cu, line 3: identifier \"y\" is undefined: `x[0] = y;`"
    );
    let header = ("bad.cuh", "\nint;\nthis is none;\n");
    let refusal = nvrtc.compile("shrink", "#include \"bad.cuh\"\n", &[header], Target::Ptx(90)).expect_err("wrong");
    assert!(refusal.to_string().contains("bad.cuh, line 3: "), "{refusal}");
    let refusal = nvrtc.compile("shrink", "#include \"none.cuh\"\n", &[], Target::Ptx(90)).expect_err("no such file");
    assert!(refusal.to_string().contains("shrink.cu, line 1: "), "{refusal}");
    // An architecture that the compiler does not know.
    let refusal = nvrtc.compile("shrink", "", &[], Target::Cubin(13)).expect_err("there was none such");
    assert!(matches!(&refusal, Refusal::Compile { line: None, message, .. } if message.contains("error")), "{refusal}");
}

#[test]
fn spills_and_registers_are_seen() {
    let log = "ptxas info    : Compiling entry function 'a' for 'sm_80'\n\
               ptxas info    : Function properties for a\n\
               ptxas         .     16 bytes stack frame, 32 bytes spill stores, 24 bytes spill loads\n\
               ptxas info    : Used 255 registers, used 0 barriers, 8 bytes cumulative stack size\n\
               ptxas info    : Compiling entry function 'b' for 'sm_80'\n\
               ptxas info    : Function properties for b\n    \
               0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n\
               ptxas info    : Used 30 registers, used 0 barriers\n";
    assert_eq!(
        spilled(log),
        ["a: ptxas         .     16 bytes stack frame, 32 bytes spill stores, 24 bytes spill loads"]
    );
    assert_eq!(registers(log), [("a".to_owned(), 255), ("b".to_owned(), 30)]);
}
