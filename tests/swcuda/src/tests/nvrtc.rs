//! CUDA C through the real NVRTC, where `ADMMC_CUDA_LIB` names a folder that holds it.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

unsafe extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

const NOW_AND_FOR_ALL: c_int = 0x102;

fn open(path: &Path) -> Option<usize> {
    let path = CString::new(path.to_str()?).ok()?;
    // SAFETY: a path that ends in a zero; the libraries' initialisers are NVIDIA's.
    let library = unsafe { dlopen(path.as_ptr(), NOW_AND_FOR_ALL) };
    (!library.is_null()).then_some(library as usize)
}

fn library() -> Option<usize> {
    static LIBRARY: OnceLock<Option<usize>> = OnceLock::new();
    *LIBRARY.get_or_init(|| {
        let folder = std::env::var_os("ADMMC_CUDA_LIB")?;
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&folder).expect("ADMMC_CUDA_LIB is a folder").flatten().map(|e| e.path()).collect();
        files.sort();
        let named = |stem: &str| {
            files.iter().find(|f| f.file_name().is_some_and(|n| n.to_string_lossy().starts_with(stem))).cloned()
        };
        // Some wheels find their builtins only once these are loaded.
        named("libnvrtc-builtins.so").and_then(|path| open(&path));
        let found = named("libnvrtc.so").and_then(|path| open(&path));
        assert!(found.is_some(), "ADMMC_CUDA_LIB is set, but libnvrtc is not in it");
        found
    })
}

/// A function of NVRTC, whose type the caller knows from its documentation.
fn function<F: Copy>(library: usize, name: &CStr) -> F {
    // SAFETY: the library is open; a function pointer has the size of the address.
    unsafe {
        let address = dlsym(library as *mut c_void, name.as_ptr());
        assert!(!address.is_null(), "NVRTC lacks {name:?}");
        std::mem::transmute_copy(&address)
    }
}

/// PTX with line information, or nothing without NVRTC.
pub(super) fn compile(source: &str, name: &str) -> Option<String> {
    type Create = extern "C" fn(
        *mut usize,
        *const c_char,
        *const c_char,
        c_int,
        *const *const c_char,
        *const *const c_char,
    ) -> c_int;
    type Compile = extern "C" fn(usize, c_int, *const *const c_char) -> c_int;
    type Size = extern "C" fn(usize, *mut usize) -> c_int;
    type Text = extern "C" fn(usize, *mut c_char) -> c_int;
    let library = library()?;
    let text = |size: &CStr, get: &CStr, program: usize| {
        let mut length = 0;
        assert_eq!(function::<Size>(library, size)(program, &mut length), 0);
        let mut bytes = vec![0u8; length];
        assert_eq!(function::<Text>(library, get)(program, bytes.as_mut_ptr().cast()), 0);
        String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_string()
    };
    let (source, name) = (CString::new(source).ok()?, CString::new(name).ok()?);
    let mut program = 0;
    let none = std::ptr::null();
    let create = function::<Create>(library, c"nvrtcCreateProgram");
    assert_eq!(create(&mut program, source.as_ptr(), name.as_ptr(), 0, none, none), 0);
    let options = [c"--std=c++17", c"--fmad=false", c"-lineinfo", c"--gpu-architecture=compute_90"].map(CStr::as_ptr);
    let code = function::<Compile>(library, c"nvrtcCompileProgram")(program, options.len() as c_int, options.as_ptr());
    assert_eq!(code, 0, "{}", text(c"nvrtcGetProgramLogSize", c"nvrtcGetProgramLog", program));
    Some(text(c"nvrtcGetPTXSize", c"nvrtcGetPTX", program))
}

/// Functions of the library that NVRTC expands, against the host's.
#[test]
fn functions_of_mathematics() {
    let source = "extern \"C\" __global__ void k(double *y, const double *x) {
        int i = threadIdx.x; double v = x[i]; double *o = y + 8 * i;
        o[0] = exp(v); o[1] = log(fabs(v) + 0.5); o[2] = sqrt(fabs(v)); o[3] = tanh(v);
        o[4] = pow(fabs(v) + 0.1, 1.7); o[5] = sin(v); o[6] = cos(v * 1e7); o[7] = log1p(fabs(v)) - expm1(v);
    }";
    let Some(ptx) = compile(source, "mathematics.cu") else { return };
    let device = super::Device::new();
    let x: Vec<f64> = (0..64).map(|i| (i as f64 - 32.0) * 0.173).collect();
    let (given, out) = (device.upload(&x), device.allocate(64 * 64));
    assert_eq!(device.run(&ptx, "k", 1, 64, &[out, given]), 0, "{:?}", device.faults());
    for (v, o) in x.iter().zip(device.download::<f64>(out, 512).chunks_exact(8)) {
        let expected = [
            v.exp(),
            (v.abs() + 0.5).ln(),
            v.abs().sqrt(),
            v.tanh(),
            (v.abs() + 0.1).powf(1.7),
            v.sin(),
            (v * 1e7).cos(),
            v.abs().ln_1p() - v.exp_m1(),
        ];
        for (k, (found, expected)) in o.iter().zip(expected).enumerate() {
            // CUDA promises two units in the last place.
            let tolerance = 4.0 * f64::EPSILON * expected.abs().max(1e-3);
            assert!((found - expected).abs() <= tolerance, "function {k} of {v}: {found}, not {expected}");
        }
    }
}
