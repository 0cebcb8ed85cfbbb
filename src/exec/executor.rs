//! What a device does: own buffers, and run tape programs on them.
//!
//! Binding plans memory and code once; running allocates nothing. The same schedule runs on every
//! implementation: [`reference`](super::reference) (f64, naive, the oracle), [`cpu`](super::cpu) (arena,
//! fused loops, threads) and [`cuda`](super::cuda) (kernels made from the same plans).

use crate::source::Span;
use crate::tape::{Program, Tensor, Type};

/// A buffer an executor owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Buffer(pub u32);

/// A program bound to buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Call(pub u32);

/// An argument of a bound program: a buffer, or one member of a family stored in it.
///
/// A family of `n` members of one type lies in one buffer whose first axis is `n`; the member is
/// chosen when the call runs, so a family of 1e5 members is one call in a loop, never 1e5 calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The buffer.
    pub buffer: Buffer,
    /// Whether the member of [`Executor::run`] picks a slice along its first axis.
    pub member: bool,
}

impl From<Buffer> for Slot {
    fn from(buffer: Buffer) -> Slot {
        Slot { buffer, member: false }
    }
}

/// Where a program first made a number that is not finite.
#[derive(Debug, Clone, PartialEq)]
pub struct NonFinite {
    /// The program.
    pub program: String,
    /// The instruction as text.
    pub inst: String,
    /// The source expression, where known.
    pub origin: Option<Span>,
    /// The value it made.
    pub value: f64,
    /// The operands' values at that element (after broadcasting), where they are elementwise; else
    /// each operand's extreme magnitude.
    pub operands: Vec<f64>,
}

/// What a device does without waiting for the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// A program on its first so many members; not where the number `when` is 0.
    Run { call: Call, members: usize, when: Option<Buffer> },
    /// A program on the one of so many members that a number says, if it is one; not where `when` is 0.
    Pick { call: Call, member: Buffer, members: usize, when: Option<Buffer> },
    /// A buffer of so many indices becomes what was sent with the work, from that position on.
    Fill { buffer: Buffer, from: usize, len: usize },
    /// A number is kept for the host.
    Keep { value: Buffer },
    /// Where the number is not 0, nothing after it is done until the host has looked.
    Halt { when: Buffer },
}

/// A device that the host runs ahead of.
pub trait Ahead {
    /// Whether the device itself can leave a call undone, at no cost to speak of.
    fn can_skip(&self, call: Call) -> bool;

    /// Whether a call writes a buffer.
    fn writes(&self, call: Call, buffer: Buffer) -> bool;

    /// Enqueues work, with the indices that it fills buffers with, and waits for none of it.
    fn enqueue(&mut self, work: &[Work], sent: &[u32]);

    /// Waits for what was enqueued since the host looked last, and adds the numbers that were kept. Says at
    /// which piece of it the device halted, if it did; it goes on with what is enqueued next.
    fn settle(&mut self, kept: &mut Vec<f64>) -> Option<usize>;
}

/// What is wrong with a device: it is not there, or it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// A device.
pub trait Executor {
    /// `reference`, `cpu`, …
    fn name(&self) -> &'static str;

    /// A new buffer of zeros.
    fn buffer(&mut self, ty: &Type) -> Buffer;

    /// Copies a tensor of the buffer's type into it.
    fn write(&mut self, buffer: Buffer, tensor: &Tensor);

    /// Copies a buffer out.
    fn read(&self, buffer: Buffer) -> Tensor;

    /// The only element of a buffer, as a double, without allocating.
    fn item(&self, buffer: Buffer) -> f64;

    /// Copies `from` into `to` (same type).
    fn copy(&mut self, from: Buffer, to: Buffer);

    /// Plans `program` on these buffers: one slot an input, one an output, in the program's order.
    /// An output's buffer may be an input's too: every input is read as it was before the call.
    /// Two outputs never share a buffer. Expects a verified program.
    fn bind(&mut self, program: &Program, inputs: &[Slot], outputs: &[Slot]) -> Call;

    /// Makes ready what was bound, before the first run.
    ///
    /// # Errors
    /// What the device lacks for it: memory, a library, a compiler.
    fn ready(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Runs a bound program on that member of its families (0 where there is none). Allocates
    /// nothing.
    fn run(&mut self, call: Call, member: usize);

    /// Runs a bound program on so many members, as if one after the other.
    fn run_each(&mut self, call: Call, members: usize) {
        (0..members).for_each(|member| self.run(call, member));
    }

    /// The device as one that the host runs ahead of, if it is worth it.
    fn ahead(&self) -> Option<&dyn Ahead> {
        None
    }

    /// The same, to be told what to do.
    fn ahead_mut(&mut self) -> Option<&mut dyn Ahead> {
        None
    }

    /// Whether what it holds is far from the host, so that its answer is judged on a copy.
    fn is_remote(&self) -> bool {
        false
    }

    /// What went wrong with the device on the way. From then on it does nothing, and what is read of it
    /// counts for nothing.
    fn fault(&self) -> Option<&Fault> {
        None
    }

    /// Runs a bound program instruction by instruction in search of the first number that is not
    /// finite; writes no output. Slow: called once something went wrong.
    fn trace(&mut self, call: Call, member: usize) -> Option<NonFinite>;
}
