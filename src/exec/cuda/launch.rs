//! Launches: a kernel with its arguments, made once.
#![allow(unsafe_code)]

use cudarc::driver::{CudaFunction, CudaStream, DeviceRepr, LaunchConfig, PushKernelArg};

use super::refusal::Refusal;
use super::source::THREADS;

/// A kernel and what it is called with.
#[derive(Debug)]
pub(super) struct Kernel {
    function: CudaFunction,
    /// Addresses, in the order of its parameters.
    addresses: Vec<u64>,
    blocks: u32,
}

impl Kernel {
    /// A kernel with the addresses that it takes.
    pub fn new(function: CudaFunction, addresses: Vec<u64>, blocks: usize) -> Kernel {
        Kernel { function, addresses, blocks: u32::try_from(blocks).expect("a grid has few blocks") }
    }

    /// Enqueues it for so many members.
    ///
    /// # Safety
    /// The addresses are of device memory that holds what the kernel's plan says, for each of the members
    /// that it may be told; those in `told` are null or of one number.
    pub unsafe fn launch(&self, stream: &CudaStream, told: &Told, members: usize) -> Result<(), Refusal> {
        let members = u32::try_from(members).expect("a launch takes few members");
        let mut launch = stream.launch_builder(&self.function);
        self.addresses.iter().for_each(|address| {
            launch.arg(address);
        });
        launch.arg(told);
        let grid = LaunchConfig {
            grid_dim: (self.blocks, members, 1),
            block_dim: (THREADS as u32, 1, 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: the caller's; the arguments are those of the kernel's parameters, which were written from
        // the same lists.
        unsafe { launch.launch(grid) }.map(|_| ()).map_err(|error| Refusal::driver("cuLaunchKernel", error))
    }
}

/// What a launch is told: `Call` of `kernels/common.cuh`.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(super) struct Told {
    /// Address of the word that stops everything.
    pub halted: u64,
    /// Address of the number without which there is nothing to do, or null.
    pub when: u64,
    /// Address of the number that is the member, or null.
    pub member: u64,
    /// Whether these numbers are doubles.
    pub when_is_double: u32,
    pub member_is_double: u32,
    /// The first member.
    pub first: u32,
    /// Members there are.
    pub members: u32,
}

// SAFETY: plain numbers in the layout of the device's structure.
unsafe impl DeviceRepr for Told {}
