//! A program on its slots as it is run: its plan, its device code, and where members lie.

use super::needs::Needs;
use super::source::{self, Source};
use crate::exec::Slot;
use crate::exec::plan::{self, Plan};
use crate::tape::Program;

/// What the parts of the arena of each member are aligned to, in bytes.
const ALIGNED: usize = 256;

/// A plan and its device code.
pub(super) struct Written {
    pub plan: Plan,
    pub source: Source,
    /// Buffer, and bytes of what it stands for, for each input and then each output.
    pub slots: Vec<(Slot, usize)>,
    /// By how many bytes each base moves from a member to the next: the arena, then the slots.
    pub strides: Vec<usize>,
}

/// Plans a program on these slots, and writes its device code.
pub(super) fn written(program: &Program, inputs: &[Slot], outputs: &[Slot]) -> Written {
    let values = program.inputs.iter().map(|input| input.value).chain(program.outputs.iter().map(|o| o.value));
    let slots: Vec<(Slot, usize)> =
        inputs.iter().chain(outputs).zip(values).map(|(&slot, value)| (slot, program.ty(value).bytes())).collect();
    // The plan's rules about memory rest on this.
    assert_eq!(slots.len(), program.inputs.len() + program.outputs.len(), "a slot an input and an output");
    let plan = plan::plan(program, inputs, outputs, &Needs);
    let arena = plan.arena.next_multiple_of(ALIGNED);
    let of_slot = |&(slot, bytes): &(Slot, usize)| if slot.member { bytes } else { 0 };
    let strides: Vec<usize> = [arena].into_iter().chain(slots.iter().map(of_slot)).collect();
    let source = source::source(&program.name, &plan, &strides);
    Written { plan, source, slots, strides }
}

/// The device code of a program on these slots, which includes [headers](super::HEADERS); empty where it needs no
/// kernel.
pub fn device_code(program: &Program, inputs: &[Slot], outputs: &[Slot]) -> String {
    written(program, inputs, outputs).source.text
}
