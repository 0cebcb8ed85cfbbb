//! The CPU: one arena planned by liveness, elementwise instructions fused into sweeps over
//! cache-sized tiles, vector instructions chosen at run time, threads that only share out fixed parts.
//!
//! [`Cpu::bind`] makes the [plan]; [`Cpu::run`] resolves the plan's bases to addresses and runs its steps. Running allocates nothing
//! but libraries' workspace: `gemm` packs panels of its operands, faer's eigenvalues and singular values
//! take copies.
//!
//! The same program on the same machine gives the same bits, run to run and at any number of threads:
//! work is cut by its size alone, and sums follow the tape's fixed [tree](crate::tape::tree).
#![allow(unsafe_code)]

mod conv;
mod dense;
mod elementwise;
mod factor;
mod grid;
mod isa;
mod iterate;
mod matching;
mod math;
mod matmul;
mod memory;
mod movement;
mod needs;
mod pool;
mod random;
mod reduce;
mod regression;
mod scan;
mod sparse;
mod steps;
mod sweep;
mod trace;

use self::isa::Isa;
use self::memory::{Block, Memory};
use self::needs::Needs;
use self::pool::Pool;
use self::sweep::Scratch;
pub(super) use self::trace::trace;
use super::executor::{Buffer, Call, Executor, NonFinite, Slot};
use super::plan::{self, Plan};
use crate::tape::{Dtype, Elements, Program, Tensor, Type};

/// The CPU as a device.
#[derive(Debug)]
pub struct Cpu {
    buffers: Vec<(Type, Block)>,
    calls: Vec<Bound>,
    /// Shared by all calls: nothing in it outlives a run.
    arena: Block,
    scratch: Block,
    /// Addresses of the bases of the call that runs.
    bases: Vec<*mut u8>,
    pool: Pool,
    isa: Isa,
}

#[derive(Debug)]
struct Bound {
    plan: Plan,
    /// Bytes of scratch for each thread.
    scratch: usize,
    /// For tracing.
    program: Program,
    /// Buffer, and bytes from one member to the next, for each input and then each output.
    slots: Vec<(Slot, usize)>,
    inputs: usize,
}

impl Cpu {
    /// An executor that uses that many threads.
    pub fn new(threads: usize) -> Cpu {
        Cpu {
            buffers: Vec::new(),
            calls: Vec::new(),
            arena: Block::zeros(0),
            scratch: Block::zeros(0),
            bases: Vec::new(),
            pool: Pool::new(threads),
            isa: Isa::detect(),
        }
    }

    fn block(&self, buffer: Buffer) -> &(Type, Block) {
        &self.buffers[buffer.0 as usize]
    }

    /// A buffer's tensor, or one member of it.
    fn fetch(&self, slot: Slot, member: usize) -> Tensor {
        let whole = self.read(slot.buffer);
        if slot.member { whole.member(member) } else { whole }
    }
}

impl Executor for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn buffer(&mut self, ty: &Type) -> Buffer {
        self.buffers.push((ty.clone(), Block::zeros(ty.bytes())));
        Buffer(self.buffers.len() as u32 - 1)
    }

    fn write(&mut self, buffer: Buffer, tensor: &Tensor) {
        let (ty, block) = &mut self.buffers[buffer.0 as usize];
        assert!(ty.dtype == tensor.dtype() && ty.shape == tensor.shape, "a tensor has its buffer's type");
        match &tensor.elements {
            Elements::F32(from) => block.elements_mut(from.len()).copy_from_slice(from),
            Elements::F64(from) => block.elements_mut(from.len()).copy_from_slice(from),
            Elements::Index(from) => block.elements_mut(from.len()).copy_from_slice(from),
        }
    }

    fn read(&self, buffer: Buffer) -> Tensor {
        let (ty, block) = self.block(buffer);
        let n = ty.shape.numel();
        let elements = match ty.dtype {
            Dtype::F32 => Elements::F32(block.elements(n).to_vec().into()),
            Dtype::F64 => Elements::F64(block.elements(n).to_vec().into()),
            Dtype::Index => Elements::Index(block.elements(n).to_vec().into()),
        };
        Tensor { shape: ty.shape.clone(), elements }
    }

    fn item(&self, buffer: Buffer) -> f64 {
        let (ty, block) = self.block(buffer);
        assert_eq!(ty.shape.numel(), 1, "the buffer has one element");
        match ty.dtype {
            Dtype::F32 => block.elements::<f32>(1)[0].into(),
            Dtype::F64 => block.elements::<f64>(1)[0],
            Dtype::Index => block.elements::<u32>(1)[0].into(),
        }
    }

    fn copy(&mut self, from: Buffer, to: Buffer) {
        assert_eq!(self.block(from).0, self.block(to).0, "buffers have one type");
        if let Ok([from, to]) = self.buffers.get_disjoint_mut([from.0 as usize, to.0 as usize]) {
            to.1.copy_from(&from.1);
        }
    }

    fn bind(&mut self, program: &Program, inputs: &[Slot], outputs: &[Slot]) -> Call {
        let values = program.inputs.iter().map(|input| input.value).chain(program.outputs.iter().map(|o| o.value));
        let slots: Vec<(Slot, usize)> =
            inputs.iter().chain(outputs).zip(values).map(|(&slot, value)| (slot, program.ty(value).bytes())).collect();
        // The plan's rules about memory rest on this.
        assert_eq!(slots.len(), program.inputs.len() + program.outputs.len(), "a slot an input and an output");
        for (k, (slot, bytes)) in slots.iter().enumerate() {
            let ty = &self.block(slot.buffer).0;
            let of = if slot.member { ty.shape.0[0] } else { 1 };
            assert_eq!(ty.bytes(), of * bytes, "slot {k} of {} has the type of what it stands for", program.name);
        }
        let plan = plan::plan(program, inputs, outputs, &Needs);
        let scratch = needs::scratch(&plan);
        self.arena.reserve(plan.arena);
        self.scratch.reserve(scratch * self.pool.threads());
        self.bases.reserve(1 + slots.len());
        self.calls.push(Bound { plan, scratch, program: program.clone(), slots, inputs: inputs.len() });
        Call(self.calls.len() as u32 - 1)
    }

    fn run(&mut self, call: Call, member: usize) {
        let bound = &self.calls[call.0 as usize];
        self.bases.clear();
        self.bases.push(self.arena.pointer());
        for &(slot, bytes) in &bound.slots {
            let (ty, block) = &mut self.buffers[slot.buffer.0 as usize];
            let mut base = block.pointer();
            if slot.member {
                assert!(member < ty.shape.0[0], "the family has that member");
                // SAFETY: the member lies inside the family's block.
                base = unsafe { base.add(member * bytes) };
            }
            self.bases.push(base);
        }
        let memory = Memory::new(&self.bases);
        let scratch = Scratch::new(self.scratch.pointer(), bound.scratch);
        // SAFETY: the bases are in the plan's order; `bind` checked that every slot has the elements
        // its value has, and gave arena and scratch room; the executor is borrowed until the end.
        unsafe { steps::run(&bound.plan, memory, scratch, &self.pool, self.isa) };
    }

    fn trace(&mut self, call: Call, member: usize) -> Option<NonFinite> {
        let bound = &self.calls[call.0 as usize];
        let inputs = bound.slots[..bound.inputs].iter().map(|&(slot, _)| self.fetch(slot, member)).collect();
        trace(&bound.program, inputs)
    }
}
