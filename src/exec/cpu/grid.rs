//! Transforms of a grid, by the plans of [`GridTransform`].
#![allow(unsafe_code)]

use super::memory::{Element, Memory};
use crate::exec::plan::{Array, GridPlan};
use crate::linalg::transform::{Complex, DctNum, GridTransform};
use crate::tape::Dtype;

impl GridPlan {
    /// Doubles that a run takes beside its result.
    pub(super) fn workspace(&self) -> usize {
        let ((real, complex), bytes) = match self {
            GridPlan::F32(plan) => (plan.scratch(), Dtype::F32.bytes()),
            GridPlan::F64(plan) => (plan.scratch(), Dtype::F64.bytes()),
        };
        ((real + 2 * complex) * bytes).div_ceil(Dtype::F64.bytes())
    }

    /// Transforms `from` into `to`.
    ///
    /// SAFETY (of the callers): the three are the operand, the result and the workspace of a step of the
    /// memory's plan, which is this one.
    pub(super) unsafe fn run(&self, memory: Memory, from: Array, to: Array, workspace: Option<Array>, inverse: bool) {
        // SAFETY: passed on.
        unsafe {
            match self {
                GridPlan::F32(plan) => run(plan, memory, from, to, workspace, inverse),
                GridPlan::F64(plan) => run(plan, memory, from, to, workspace, inverse),
            }
        }
    }
}

/// SAFETY (of the callers): as for [`GridPlan::run`].
unsafe fn run<T: Element + DctNum>(
    plan: &GridTransform<T>,
    memory: Memory,
    from: Array,
    to: Array,
    workspace: Option<Array>,
    inverse: bool,
) {
    let (real, complex) = plan.scratch();
    // SAFETY: a step's target overlaps neither its operand nor its workspace, which is the step's alone.
    let (y, x, work) = unsafe {
        let work: &mut [f64] = workspace.map_or(&mut [], |array| memory.write(array.place, array.len));
        (memory.write::<T>(to.place, to.len), memory.read::<T>(from.place, from.len), work)
    };
    y.copy_from_slice(x);
    assert!(size_of_val(work) >= (real + 2 * complex) * size_of::<T>(), "the workspace is as large as was asked");
    // SAFETY: doubles are aligned for singles too; the parts lie one behind the other inside the workspace; a
    // complex number is two of its type, and any bits are numbers.
    let (real, complex) = unsafe {
        let start = work.as_mut_ptr().cast::<T>();
        let complex_start = start.add(real).cast::<Complex<T>>();
        (std::slice::from_raw_parts_mut(start, real), std::slice::from_raw_parts_mut(complex_start, complex))
    };
    plan.run(y, inverse, real, complex);
}
