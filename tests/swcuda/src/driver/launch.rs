//! Launches of kernels and of functions of the host.

use super::abi::{bytes, get_at};
use super::context::SHARED_LIMIT;
use super::errors::*;
use super::module::Module;
use super::queue::Work;
use super::{Handle, State, call};
use crate::machine::Job;
use std::ffi::{c_int, c_uint, c_void};
use std::sync::Arc;

/// A launch with its arguments, which the caller may change once the call returns.
pub(crate) struct LaunchWork {
    module: Arc<Module>,
    kernel: usize,
    grid: [u32; 3],
    block: [u32; 3],
    dynamic_shared: usize,
    parameters: Vec<u8>,
}

impl LaunchWork {
    pub fn name(&self) -> &str {
        &self.module.code.kernels[self.kernel].name
    }

    pub fn job(&self, number: u32) -> Job<'_> {
        Job {
            module: &self.module.code,
            kernel: &self.module.code.kernels[self.kernel],
            variables: &self.module.variables,
            grid: self.grid,
            block: self.block,
            dynamic_shared: self.dynamic_shared,
            parameters: &self.parameters,
            number,
        }
    }
}

fn shape(v: [u32; 3]) -> String {
    format!("{},{},{}", v[0], v[1], v[2])
}

impl State {
    fn prepare(
        &mut self,
        function: Handle,
        grid: [u32; 3],
        block: [u32; 3],
        dynamic_shared: usize,
        arguments: *const *const c_void,
    ) -> Outcome<LaunchWork> {
        let (f, module) = self.kernel(function)?;
        let (kernel, limit) = (&module.code.kernels[f.kernel], f.dynamic_limit);
        let threads: u64 = block.iter().map(|n| *n as u64).product();
        let wrong = grid.contains(&0)
            || threads == 0
            || threads > 1024
            || block[2] > 64
            || grid[0] > i32::MAX as u32
            || grid[1] > 65_535
            || grid[2] > 65_535
            || dynamic_shared > limit
            || kernel.shared + dynamic_shared > limit.max(SHARED_LIMIT);
        if wrong {
            return Err(INVALID_VALUE);
        }
        if kernel.max_threads != 0 && threads > kernel.max_threads as u64 {
            return Err(LAUNCH_OUT_OF_RESOURCES);
        }
        // How many arguments were given can't be told; those that the kernel has are read.
        let mut parameters = vec![0; kernel.parameter_bytes];
        for (index, p) in kernel.parameters.iter().enumerate() {
            let value = bytes(get_at(arguments, index)?, p.size)?;
            parameters[p.offset..p.offset + p.size].copy_from_slice(&value);
        }
        Ok(LaunchWork { module: module.clone(), kernel: f.kernel, grid, block, dynamic_shared, parameters })
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn cuLaunchKernel(
    function: Handle,
    grid_x: c_uint,
    grid_y: c_uint,
    grid_z: c_uint,
    block_x: c_uint,
    block_y: c_uint,
    block_z: c_uint,
    shared: c_uint,
    stream: Handle,
    arguments: *const *const c_void,
    extra: *const *const c_void,
) -> Code {
    call("cuLaunchKernel", |s| {
        if !extra.is_null() {
            s.note("arguments as `extra` are not supported");
            return Err(NOT_SUPPORTED);
        }
        let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
        let work = s.prepare(function, grid, block, shared as usize, arguments);
        let name = s.kernel(function).map(|(f, m)| m.code.kernels[f.kernel].name.clone()).unwrap_or_default();
        let (grid, block) = (shape(grid), shape(block));
        s.note(format!("{name} grid={grid} block={block} shared={shared} stream={stream:#x}"));
        s.push(stream, Work::Launch(Arc::new(work?)))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuLaunchCooperativeKernel(
    _function: Handle,
    _grid_x: c_uint,
    _grid_y: c_uint,
    _grid_z: c_uint,
    _block_x: c_uint,
    _block_y: c_uint,
    _block_z: c_uint,
    _shared: c_uint,
    _stream: Handle,
    _arguments: *const *const c_void,
) -> Code {
    call("cuLaunchCooperativeKernel", |_| Err(NOT_SUPPORTED))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuLaunchHostFunc(
    stream: Handle,
    function: Option<extern "C" fn(*mut c_void)>,
    argument: *mut c_void,
) -> Code {
    call("cuLaunchHostFunc", |s| s.push(stream, Work::Host(function.ok_or(INVALID_VALUE)?, argument as usize)))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuStreamAttachMemAsync(_stream: Handle, _at: u64, _length: usize, _flags: c_int) -> Code {
    call("cuStreamAttachMemAsync", |_| Err(NOT_SUPPORTED))
}
