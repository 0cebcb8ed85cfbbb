//! What a device does: own buffers, and run tape programs on them.
//!
//! Binding plans memory and code once; running allocates nothing. The same schedule runs on every
//! implementation: [`reference`](super::reference) (f64, naive, the oracle) and
//! [`cpu`](super::cpu) (arena, fused loops, threads).

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

    /// Runs a bound program on that member of its families (0 where there is none). Allocates
    /// nothing.
    fn run(&mut self, call: Call, member: usize);

    /// Runs a bound program instruction by instruction in search of the first number that is not
    /// finite; writes no output. Slow: called once something went wrong.
    fn trace(&mut self, call: Call, member: usize) -> Option<NonFinite>;
}
