//! Programs ask whether a library is there by opening and closing it; this one must stay once it is loaded,
//! or its state would be lost between that question and the first call.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // Libraries that lead to this one, under NVIDIA's names, find it by its own.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libswcuda.so");
}
