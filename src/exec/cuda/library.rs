//! CUDA's libraries: opened where they are, and made sure of before cudarc is asked.
//!
//! cudarc opens a library at its first call, by name, and panics where there is none or where it lacks a
//! function. So each library is looked for first: in the [places](Places) that the caller knows, where it
//! is opened by its whole path and stays open, so that the loader then finds it under its name; and after
//! them, as cudarc does, wherever the loader looks. Then it is asked for every function that is called.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::fmt;
use std::path::{Path, PathBuf};

use cudarc::{cublas, cusolver, driver, nvrtc};
use libloading::Library as Opened;

use super::refusal::Refusal;

/// Where CUDA's libraries are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Folders, the first to be preferred.
    pub folders: Vec<PathBuf>,
    /// Whether the loader is asked after them, which has places of its own.
    pub loader: bool,
}

/// A library of CUDA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Library {
    /// The driver, which comes with the device.
    Driver,
    /// The compiler of device code.
    Nvrtc,
    /// Products of matrices and triangular systems.
    Cublas,
    /// Factors and spectra.
    Cusolver,
}

/// The functions of the driver that cudarc calls for a context, a stream, memory, copies, modules, launches,
/// events and graphs. All are in the drivers of CUDA 12.0 and later.
const DRIVER: &[&str] = &[
    "cuCtxGetCurrent",
    "cuCtxSetCurrent",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetCount",
    "cuDeviceGetName",
    "cuDevicePrimaryCtxRelease_v2",
    "cuDevicePrimaryCtxRetain",
    "cuDriverGetVersion",
    "cuEventCreate",
    "cuEventDestroy_v2",
    "cuEventRecord",
    "cuEventSynchronize",
    "cuGetErrorName",
    "cuGetErrorString",
    "cuGraphDestroy",
    "cuGraphExecDestroy",
    "cuGraphInstantiateWithFlags",
    "cuGraphLaunch",
    "cuInit",
    "cuLaunchKernel",
    "cuMemAllocAsync",
    "cuMemAlloc_v2",
    "cuMemFreeAsync",
    "cuMemFreeHost",
    "cuMemFree_v2",
    "cuMemGetInfo_v2",
    "cuMemHostAlloc",
    "cuMemcpyDtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemsetD8Async",
    "cuModuleGetFunction",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuStreamBeginCapture_v2",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamEndCapture",
    "cuStreamSynchronize",
    "cuStreamWaitEvent",
];

const NVRTC: &[&str] = &[
    "nvrtcCompileProgram",
    "nvrtcCreateProgram",
    "nvrtcDestroyProgram",
    "nvrtcGetCUBIN",
    "nvrtcGetCUBINSize",
    "nvrtcGetNumSupportedArchs",
    "nvrtcGetPTX",
    "nvrtcGetPTXSize",
    "nvrtcGetProgramLog",
    "nvrtcGetProgramLogSize",
    "nvrtcGetSupportedArchs",
    "nvrtcVersion",
];

const CUBLAS: &[&str] = &[
    "cublasCreate_v2",
    "cublasDestroy_v2",
    "cublasDgemmStridedBatched",
    "cublasDtrsm_v2",
    "cublasSetStream_v2",
    "cublasSetWorkspace_v2",
    "cublasSgemmStridedBatched",
    "cublasStrsm_v2",
];

const CUSOLVER: &[&str] = &[
    "cusolverDnCreate",
    "cusolverDnDestroy",
    "cusolverDnDgesvd",
    "cusolverDnDgesvd_bufferSize",
    "cusolverDnDpotrf",
    "cusolverDnDpotrf_bufferSize",
    "cusolverDnDsyevd",
    "cusolverDnDsyevd_bufferSize",
    "cusolverDnSetStream",
    "cusolverDnSgesvd",
    "cusolverDnSgesvd_bufferSize",
    "cusolverDnSpotrf",
    "cusolverDnSpotrf_bufferSize",
    "cusolverDnSsyevd",
    "cusolverDnSsyevd_bufferSize",
];

impl Places {
    /// These folders, then the loader's own places.
    pub fn new(folders: Vec<PathBuf>) -> Places {
        Places { folders, loader: true }
    }
}

impl Library {
    /// The library's file by the name that it has on Linux, without a version where there may be several.
    pub fn file(self) -> &'static str {
        match self {
            Library::Driver => "libcuda.so.1",
            Library::Nvrtc => "libnvrtc.so",
            Library::Cublas => "libcublas.so",
            Library::Cusolver => "libcusolver.so",
        }
    }

    /// The Python package that brings the library.
    pub fn package(self) -> &'static str {
        match self {
            Library::Driver => "nvidia",
            Library::Nvrtc => "nvidia-cuda-nvrtc",
            Library::Cublas => "nvidia-cublas",
            Library::Cusolver => "nvidia-cusolver",
        }
    }

    /// The names under which cudarc asks for it, the newest first, and what each needs of CUDA's libraries
    /// itself, which may lie in another folder.
    fn files(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Library::Driver => &[("libcuda.so.1", &[])],
            Library::Nvrtc => &[("libnvrtc.so.13", &[]), ("libnvrtc.so.12", &[])],
            Library::Cublas => {
                &[("libcublas.so.13", &["libcublasLt.so.13"]), ("libcublas.so.12", &["libcublasLt.so.12"])]
            }
            Library::Cusolver => &[
                (
                    "libcusolver.so.12",
                    &["libnvJitLink.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcusparse.so.12"],
                ),
                (
                    "libcusolver.so.11",
                    &["libnvJitLink.so.12", "libcublasLt.so.12", "libcublas.so.12", "libcusparse.so.12"],
                ),
            ],
        }
    }

    /// The functions that are called of it.
    fn symbols(self) -> &'static [&'static str] {
        match self {
            Library::Driver => DRIVER,
            Library::Nvrtc => NVRTC,
            Library::Cublas => CUBLAS,
            Library::Cusolver => CUSOLVER,
        }
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Library::Driver => "the CUDA driver",
            Library::Nvrtc => "NVRTC, CUDA's compiler,",
            Library::Cublas => "cuBLAS",
            Library::Cusolver => "cuSOLVER",
        })
    }
}

/// Makes sure of a library, so that no call of cudarc's into it can panic.
///
/// # Errors
/// Where it was not found, or the function that it lacks.
pub fn need(places: &Places, library: Library) -> Result<(), Refusal> {
    let opened = places.folders.iter().any(|folder| open_in(folder, places, library));
    if !(opened || places.loader) || !is_present(library) {
        let Places { folders, loader } = places.clone();
        return Err(Refusal::NoLibrary { library, folders, loader });
    }
    match library.symbols().iter().find(|symbol| !has(library, symbol)) {
        Some(symbol) => Err(Refusal::MissingSymbol { library, symbol }),
        None => Ok(()),
    }
}

/// Opens a library that lies in this folder, with what it needs.
fn open_in(folder: &Path, places: &Places, library: Library) -> bool {
    library.files().iter().any(|(file, needed)| {
        for needed in *needed {
            // Whether it is there is seen when the library itself is opened.
            let _ = places.folders.iter().any(|folder| open(&folder.join(needed)).is_some());
        }
        let Some(opened) = open(&folder.join(file)) else { return false };
        if library == Library::Nvrtc {
            open_builtins(folder, opened);
        }
        true
    })
}

/// NVRTC asks the loader for its built-in declarations when it compiles, and not every build of it says
/// that they lie beside it.
fn open_builtins(folder: &Path, nvrtc: &Opened) {
    type Ask = unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int;
    let (mut major, mut minor) = (0, 0);
    // SAFETY: the function has had this type in every version of NVRTC, and writes two numbers.
    let asked = unsafe { nvrtc.get::<Ask>(b"nvrtcVersion").map(|ask| ask(&mut major, &mut minor)) };
    if asked.is_ok() {
        open(&folder.join(format!("libnvrtc-builtins.so.{major}.{minor}")));
    }
}

/// Opens a library by its whole path, for as long as the program runs: then the loader has it under the name
/// by which cudarc asks, and it is never unloaded below a call.
fn open(path: &Path) -> Option<&'static Opened> {
    // SAFETY: what a library of CUDA does when it is loaded asks nothing of the program. That the file is one
    // is for the owner of its folder to say.
    let opened = unsafe { Opened::new(path) };
    opened.ok().map(|opened| &*Box::leak(Box::new(opened)))
}

/// Whether cudarc finds a library.
fn is_present(library: Library) -> bool {
    // SAFETY: as for `open`.
    unsafe {
        match library {
            Library::Driver => driver::sys::is_culib_present(),
            Library::Nvrtc => nvrtc::sys::is_culib_present(),
            Library::Cublas => cublas::sys::is_culib_present(),
            Library::Cusolver => cusolver::sys::is_culib_present(),
        }
    }
}

/// Whether a library that is present has a function.
fn has(library: Library, symbol: &str) -> bool {
    // SAFETY: the function is looked for, and not called.
    unsafe {
        let opened = match library {
            Library::Driver => driver::sys::culib(),
            Library::Nvrtc => nvrtc::sys::culib(),
            Library::Cublas => cublas::sys::culib(),
            Library::Cusolver => cusolver::sys::culib(),
        };
        opened.get::<unsafe extern "C" fn()>(symbol.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Library; 4] = [Library::Driver, Library::Nvrtc, Library::Cublas, Library::Cusolver];

    #[test]
    fn a_refusal_says_where_it_looked() {
        let place = tempfile::tempdir().expect("a folder for the test");
        // What is no library is not opened.
        std::fs::write(place.path().join("libcuda.so.1"), "text").expect("the folder can be written");
        let folders = vec!["/nowhere/cuda/lib64".into(), place.path().to_owned()];
        for library in ALL {
            let places = Places { folders: folders.clone(), loader: false };
            let refusal = need(&places, library).expect_err("there is none");
            assert_eq!(refusal, Refusal::NoLibrary { library, folders: folders.clone(), loader: false });
            let said = refusal.to_string();
            assert!(said.contains("`/nowhere/cuda/lib64`") && said.contains(library.file()), "{said}");
        }
        let said = need(&Places::default(), Library::Driver).expect_err("there is none").to_string();
        assert_eq!(said, "the CUDA driver was not found: nowhere was looked for `libcuda.so.1`");
    }

    #[test]
    fn the_lists_are_in_order() {
        for library in ALL {
            assert!(library.symbols().is_sorted() && !library.symbols().is_empty(), "{library}");
        }
    }
}
