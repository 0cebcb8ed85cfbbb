//! Tests of the device through its exported functions, as a program sees it.

mod driver;
mod faults;
mod interpreter;
mod libraries;
mod nvrtc;

use crate::config::Config;
use crate::driver::*;
use crate::machine::fault::Fault;
use std::ffi::{CString, c_void};
use std::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A fresh device with a context, which this test has for itself.
pub(crate) struct Device {
    _turn: MutexGuard<'static, ()>,
    pub stream: usize,
}

impl Device {
    pub fn new() -> Device {
        Device::with(&[])
    }

    pub fn with(settings: &[(&str, &str)]) -> Device {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let value = |name: &str| settings.iter().find(|s| s.0 == name).map(|s| s.1.to_string());
        let mut config = Config::read(value);
        config.quiet = true;
        *state() = State::new(config);
        CURRENT.set(0);
        let (mut context, mut stream) = (0, 0);
        assert_eq!(cuInit(0), 0);
        assert_eq!(cuDevicePrimaryCtxRetain(&mut context, 0), 0);
        assert_eq!(cuCtxSetCurrent(context), 0);
        assert_eq!(cuStreamCreate(&mut stream, 1), 0);
        Device { _turn: turn, stream }
    }

    pub fn load(&self, ptx: &str) -> usize {
        let (ptx, mut module) = (CString::new(ptx).unwrap(), 0);
        assert_eq!(cuModuleLoadData(&mut module, ptx.as_ptr().cast()), 0, "{:?}", self.log().last());
        module
    }

    pub fn function(&self, module: usize, name: &str) -> usize {
        let (name, mut function) = (CString::new(name).unwrap(), 0);
        assert_eq!(cuModuleGetFunction(&mut function, module, name.as_ptr()), 0);
        function
    }

    pub fn allocate(&self, bytes: usize) -> u64 {
        let mut at = 0;
        assert_eq!(cuMemAlloc_v2(&mut at, bytes), 0);
        at
    }

    pub fn upload<T: Copy>(&self, values: &[T]) -> u64 {
        let at = self.allocate(size_of_val(values));
        assert_eq!(cuMemcpyHtoD_v2(at, values.as_ptr().cast(), size_of_val(values)), 0);
        at
    }

    pub fn download<T: Copy + Default>(&self, at: u64, count: usize) -> Vec<T> {
        let mut out = vec![T::default(); count];
        assert_eq!(cuMemcpyDtoH_v2(out.as_mut_ptr().cast(), at, count * size_of::<T>()), 0, "{:?}", self.faults());
        out
    }

    /// Puts a launch on the stream; arguments are given as 64-bit values, of which a kernel takes what it wants.
    pub fn launch(&self, function: usize, grid: u32, block: u32, arguments: &[u64]) -> u32 {
        let pointers: Vec<*const c_void> = arguments.iter().map(|a| (a as *const u64).cast()).collect();
        let none = std::ptr::null();
        cuLaunchKernel(function, grid, 1, 1, block, 1, 1, 0, self.stream, pointers.as_ptr(), none)
    }

    pub fn synchronize(&self) -> u32 {
        cuStreamSynchronize(self.stream)
    }

    /// Runs one kernel of a module of its own to the end.
    pub fn run(&self, ptx: &str, name: &str, grid: u32, block: u32, arguments: &[u64]) -> u32 {
        let function = self.function(self.load(ptx), name);
        match self.launch(function, grid, block, arguments) {
            0 => self.synchronize(),
            code => code,
        }
    }

    pub fn faults(&self) -> Vec<Fault> {
        state().record.faults.clone()
    }

    pub fn log(&self) -> Vec<String> {
        state().log.lines.clone()
    }

    pub fn report(&self) -> String {
        crate::report::report(&state())
    }

    /// Kinds of things that are still held, with their counts.
    pub fn leaks(&self) -> Vec<(&'static str, usize)> {
        crate::report::leaks(&state()).into_iter().filter(|l| l.1 > 0).collect()
    }
}

/// A module's text around its kernels.
pub(crate) fn module(items: &str) -> String {
    format!(".version 8.0\n.target sm_80\n.address_size 64\n{items}")
}
