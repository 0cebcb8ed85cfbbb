//! The oracle: every instruction in doubles, by its op's own reference evaluation, naive and in order.
//! Singles are rounded at the outputs only, so what it gives is the truth up to the rounding of
//! doubles; the other devices are held to it.

mod gradcheck;
mod interpret;
#[cfg(test)]
mod tests;
mod trace;

pub use gradcheck::{Comparison, compare, gradcheck};
pub use interpret::{Rounding, evaluate, interpret};
pub use trace::blame;

use super::executor::{Buffer, Call, Executor, NonFinite, Slot};
use crate::tape::{Program, Shape, Tensor, Type};

/// The reference device.
#[derive(Debug, Default)]
pub struct Reference {
    buffers: Vec<Tensor>,
    calls: Vec<Bound>,
}

#[derive(Debug)]
struct Bound {
    program: Program,
    inputs: Vec<Slot>,
    outputs: Vec<Slot>,
}

impl Reference {
    /// A device without buffers.
    pub fn new() -> Reference {
        Reference::default()
    }

    fn inputs(&self, call: Call, member: usize) -> Vec<Tensor> {
        self.calls[call.0 as usize].inputs.iter().map(|slot| self.fetch(slot, member)).collect()
    }

    /// A buffer, or that member of it.
    fn fetch(&self, slot: &Slot, member: usize) -> Tensor {
        let whole = &self.buffers[slot.buffer.0 as usize];
        if slot.member { whole.member(member) } else { whole.clone() }
    }

    fn store(&mut self, slot: Slot, member: usize, tensor: Tensor) {
        let whole = &mut self.buffers[slot.buffer.0 as usize];
        if slot.member { whole.set_member(member, &tensor) } else { *whole = tensor }
    }
}

impl Executor for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn buffer(&mut self, ty: &Type) -> Buffer {
        self.buffers.push(Tensor::zeros(ty));
        Buffer(self.buffers.len() as u32 - 1)
    }

    fn write(&mut self, buffer: Buffer, tensor: &Tensor) {
        let whole = &mut self.buffers[buffer.0 as usize];
        debug_assert_eq!(whole.ty(), tensor.ty(), "a tensor has its buffer's type");
        whole.clone_from(tensor);
    }

    fn read(&self, buffer: Buffer) -> Tensor {
        self.buffers[buffer.0 as usize].clone()
    }

    fn item(&self, buffer: Buffer) -> f64 {
        self.buffers[buffer.0 as usize].item().expect("the buffer has one element")
    }

    fn copy(&mut self, from: Buffer, to: Buffer) {
        let tensor = self.read(from);
        self.write(to, &tensor);
    }

    fn bind(&mut self, program: &Program, inputs: &[Slot], outputs: &[Slot]) -> Call {
        let ty = |slot: &Slot| {
            let mut ty = self.buffers[slot.buffer.0 as usize].ty();
            if slot.member {
                ty.shape = Shape(ty.shape.0[1..].to_vec());
            }
            ty
        };
        let inputs_fit = program.inputs.iter().map(|input| program.ty(input.value).clone()).eq(inputs.iter().map(ty));
        let outputs_fit =
            program.outputs.iter().map(|output| program.ty(output.value).clone()).eq(outputs.iter().map(ty));
        debug_assert!(inputs_fit && outputs_fit, "buffers have the types of {}", program.name);
        let bound = Bound { program: program.clone(), inputs: inputs.to_vec(), outputs: outputs.to_vec() };
        self.calls.push(bound);
        Call(self.calls.len() as u32 - 1)
    }

    fn run(&mut self, call: Call, member: usize) {
        let inputs = self.inputs(call, member);
        let bound = &self.calls[call.0 as usize];
        let results = evaluate(&bound.program, &inputs, Rounding::Outputs);
        for (slot, tensor) in bound.outputs.clone().into_iter().zip(results) {
            self.store(slot, member, tensor);
        }
    }

    fn trace(&mut self, call: Call, member: usize) -> Option<NonFinite> {
        let inputs = self.inputs(call, member);
        trace::trace(&self.calls[call.0 as usize].program, &inputs)
    }
}
