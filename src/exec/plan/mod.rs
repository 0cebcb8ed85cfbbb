//! A program on its slots → a plan: the one way in which every device runs it.
//!
//! `graph` says what runs together (elementwise instructions, broadcasts and whole sums become sweeps over
//! memory), `layout` where it lies (views cost nothing, one arena by liveness), `lower` writes the plan
//! down (`ir`), of which `traffic` counts the bytes and `touches` says what
//! leaves what alone. What differs from device to device is asked of it: see [`Device`].

mod boxes;
mod graph;
mod grid;
mod ir;
mod layout;
mod lower;
mod shapes;
mod touches;
mod traffic;

use super::Slot;
use crate::tape::ops::Iteration;
use crate::tape::{Dtype, Program, Type};
pub(super) use graph::Node;
pub(super) use grid::GridPlan;
pub(super) use ir::*;
pub(super) use layout::LINE;
pub(super) use touches::Touch;

/// What a device decides of its plans.
pub(super) trait Device {
    /// Memory that an instruction needs beside its operands and its result: the parts of a fold, the
    /// sums of a convolution, the workspace of a step. Dtype and elements.
    fn workspace(&self, node: &Node) -> Option<(Dtype, usize)>;

    /// Whether an instruction may write straight into a program's output: not where it can't be left undone.
    fn in_place(&self, node: &Node) -> bool;

    /// The turns of a loop on operands of these types, whose result has `n` elements.
    fn turns(&self, iteration: &Iteration, args: &[Type], n: usize) -> Vec<Turn>;
}

/// The plan of a verified program on these slots.
pub(super) fn plan(program: &Program, inputs: &[Slot], outputs: &[Slot], device: &dyn Device) -> Plan {
    lower::plan(program, inputs, outputs, device)
}
