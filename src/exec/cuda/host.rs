//! The steps that the host does, on the processor, between launches: their operands are waited for.
#![allow(unsafe_code)]

use std::collections::BTreeMap;

use super::device::Device;

use super::refusal::Refusal;
use super::source::Host;
use super::transfer::{fetch, send};
use crate::exec::plan::Array;
use crate::exec::{Buffer, Call, Cpu, Executor};

/// Steps by call and launch, bound on a processor of their own.
#[derive(Debug)]
pub(super) struct HostSteps {
    cpu: Cpu,
    bound: BTreeMap<(usize, usize), Bound>,
}

#[derive(Debug)]
struct Bound {
    call: Call,
    inputs: Vec<Buffer>,
    output: Buffer,
}

impl Default for HostSteps {
    fn default() -> HostSteps {
        HostSteps { cpu: Cpu::new(1), bound: BTreeMap::new() }
    }
}

impl HostSteps {
    /// Plans a step.
    pub fn bind(&mut self, at: (usize, usize), step: &Host) {
        let program = &step.program;
        let inputs: Vec<Buffer> = program.inputs.iter().map(|input| self.cpu.buffer(program.ty(input.value))).collect();
        let output = self.cpu.buffer(program.ty(program.outputs[0].value));
        let slots: Vec<_> = inputs.iter().map(|&buffer| buffer.into()).collect();
        let call = self.cpu.bind(program, &slots, &[output.into()]);
        self.bound.insert(at, Bound { call, inputs, output });
    }

    /// Does a step: fetches its operands, and sends its result.
    ///
    /// # Safety
    /// `address` gives where the arrays of the step lie in device memory, for one member.
    pub unsafe fn run(
        &mut self,
        at: (usize, usize),
        step: &Host,
        device: &Device,
        address: impl Fn(&Array) -> u64,
    ) -> Result<(), Refusal> {
        let Bound { call, inputs, output } = &self.bound[&at];
        for ((&buffer, array), input) in inputs.iter().zip(&step.args).zip(&step.program.inputs) {
            // SAFETY: the caller's.
            let operand = unsafe { fetch(device, address(array), step.program.ty(input.value))? };
            self.cpu.write(buffer, &operand);
        }
        self.cpu.run(*call, 0);
        // SAFETY: the caller's.
        unsafe { send(device, address(&step.to), &self.cpu.read(*output)) }
    }
}
