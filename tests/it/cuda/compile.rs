//! The headers of the device code, compiled for devices of all kinds; no device is needed.

use std::fmt::Write;

use admmc::exec::cuda::{HEADERS, Nvrtc, Refusal, Target};

use super::{libraries, only};

/// Turing, Ampere, Hopper, and both Blackwells.
const CAPABILITIES: [u32; 5] = [75, 80, 90, 100, 120];

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

#[test]
fn headers_compile_without_a_warning_or_a_spill() {
    let Some(folder) = libraries("compile::headers_compile_without_a_warning_or_a_spill") else { return };
    let nvrtc = Nvrtc::find(&only(folder)).expect("the folder has NVRTC");
    let source = program();
    let kernels = 4 * STEPS.len();
    let mut spills = Vec::new();
    for capability in CAPABILITIES {
        let compiled = nvrtc.compile("steps", &source, HEADERS, Target::Cubin(capability));
        let compiled = compiled.unwrap_or_else(|refusal| panic!("sm_{capability}: {refusal}"));
        assert!(compiled.image.starts_with(b"\x7fELF"), "a cubin is an object file");
        assert!(!compiled.log.contains("warning"), "sm_{capability}: {}", compiled.log);
        assert_eq!(compiled.log.matches("Compiling entry function").count(), kernels, "{}", compiled.log);
        spills.extend(spilled(&compiled.log).iter().map(|spill| format!("sm_{capability} {spill}")));
        println!("sm_{capability}: {kernels} kernels by NVRTC {}", nvrtc.version);
    }
    assert!(spills.is_empty(), "{}", spills.join("\n"));
    let least = nvrtc.supported[0];
    let compiled = nvrtc.compile("steps", &source, HEADERS, Target::Ptx(least)).expect("it compiles to PTX");
    assert_eq!(compiled.image.last(), Some(&0), "the driver tells the end of PTX by a zero");
    let text = String::from_utf8_lossy(&compiled.image);
    assert!(text.contains(&format!(".target sm_{least}")), "PTX is text");
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
fn spills_are_seen() {
    let log = "ptxas info    : Compiling entry function 'a' for 'sm_80'\n\
               ptxas info    : Function properties for a\n\
               ptxas         .     16 bytes stack frame, 32 bytes spill stores, 24 bytes spill loads\n\
               ptxas info    : Used 255 registers\n\
               ptxas info    : Function properties for b\n    \
               0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n";
    assert_eq!(
        spilled(log),
        ["a: ptxas         .     16 bytes stack frame, 32 bytes spill stores, 24 bytes spill loads"]
    );
}
