//! A software CUDA device: one shared library that stands in for libcuda, libcublas and libcusolver.
//!
//! The program under test is the same as on a GPU. It loads this library under the names `libcuda.so.1`,
//! `libcublas.so.12` and `libcusolver.so.12` (links to one file, so that there is one state), compiles its kernels
//! with the real NVRTC and hands over the PTX, which is interpreted here. `config` lists the environment variables.
//!
//! To use it: `cargo build --release` in this folder, link `target/release/libswcuda.so` under the three names in some
//! folder, and run the program with `LD_LIBRARY_PATH` = that folder and the one of libnvrtc. `cargo test --release`
//! tests the device itself; with `ADMMC_CUDA_LIB` = the folder of libnvrtc it compiles CUDA C as well.
//!
//! Modelled:
//! - the driver API that cudarc's safe layer uses: contexts, memory (stream-ordered too), modules, launches, streams,
//!   events, capture and graphs, with their documented errors; an error of the device stays (`driver`);
//! - streams that run as late as the rules allow, so that a missing wait shows;
//! - PTX as NVRTC writes it for integer, f32 and f64 code, in warps of 32 lanes that part and meet (`ptx`, `machine`);
//! - what is wrong with a kernel: addresses out of bounds, misaligned, freed; reads of what nobody wrote, in device
//!   and shared memory; races between threads of a block and between blocks; divergent barriers; wrong members of a
//!   warp operation; endless loops. Each with kernel, thread, PTX line and, with `-lineinfo`, line of the source;
//! - cuBLAS and cuSOLVER calls as work on their stream, with the same checks of their matrices (`blas`, `solver`);
//! - leaks at exit, counters of each kernel, a log of all calls (`report`, `log`).
//!
//! Not modelled: time; cubins (the device has a compute capability that no compiler knows, so programs fall back to
//! PTX); f16, bf16, tensor cores, asynchronous copies inside kernels, textures, clusters, dynamic parallelism; several
//! devices with memory of their own; blocks that run at the same time, so waiting for another block never ends;
//! registers that nobody set, and local memory that nobody wrote (both hold a pattern). `.approx` operations are
//! rounded from f64, where hardware is off by an ulp or two; libraries' results differ in the last bits from NVIDIA's.
//! Memory that a program divides itself is one allocation here: an overrun from one part into another is only
//! seen as a read of something unwritten or as a race.

#![allow(non_snake_case)]

mod blas;
mod config;
mod driver;
mod log;
mod machine;
mod ptx;
mod report;
mod solver;
#[cfg(test)]
mod tests;
