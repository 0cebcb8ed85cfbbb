//! Bytes that a plan reads and writes: every array of a step once, whatever it stays in between. So it is the least
//! that a device which keeps nothing from one step to the next can move.

use std::collections::BTreeSet;

use super::ir::{Array, Conv, Inst, Iterate, Kernel, MatMul, Move, Operand, Place, Plan, Single, Step, Sweep, Target};

impl Plan {
    /// Bytes that a run reads and writes.
    pub fn traffic(&self) -> usize {
        self.steps.iter().map(Step::traffic).sum()
    }
}

impl Step {
    fn traffic(&self) -> usize {
        match self {
            Step::Sweep(it) => it.traffic(),
            Step::MatMul(it) => it.traffic(),
            Step::Conv(it) => it.traffic(),
            Step::Iterate(it) => it.traffic(),
            Step::Move(it) => it.traffic(),
            // Of what is picked from, only that is read.
            Step::Single { single: Single::Gather { .. }, args, to, .. } => args[1].bytes() + 2 * to.bytes(),
            Step::Single { args, to, .. } => args.iter().chain([to]).map(Array::bytes).sum(),
        }
    }
}

impl Array {
    fn bytes(&self) -> usize {
        self.len * self.dtype.bytes()
    }
}

impl Sweep {
    fn traffic(&self) -> usize {
        let mut read = BTreeSet::new();
        let mut written = BTreeSet::new();
        let mut once = 0;
        for Inst { kernel, dtype, args, to } in &self.insts {
            for arg in args {
                if let Operand::Tile(place) = *arg
                    && !written.contains(&key(place))
                {
                    read.insert((key(place), dtype.bytes()));
                }
            }
            let result = match kernel {
                Kernel::Cast(to) => to.bytes(),
                Kernel::Repeat { axes, .. } => {
                    let elements = axes.iter().filter(|axis| axis.stride != 0).map(|axis| axis.extent);
                    once += elements.product::<usize>() * dtype.bytes();
                    dtype.bytes()
                }
                _ => dtype.bytes(),
            };
            if let Target::Tile(place) = *to {
                written.insert(key(place));
                once += self.len * result;
            }
        }
        let read: usize = read.iter().map(|(_, bytes)| self.len * bytes).sum();
        let stores: usize = self.stores.iter().map(|store| self.len * store.dtype.bytes()).sum();
        let folds: usize = self.folds.iter().map(|fold| fold.dtype.bytes()).sum();
        once + read + stores + folds
    }
}

/// A place as what it can be looked up by.
fn key(place: Place) -> (u32, usize) {
    (place.base.0, place.at)
}

impl MatMul {
    fn traffic(&self) -> usize {
        (self.rows * self.inner + self.inner * self.columns + self.rows * self.columns) * self.dtype.bytes()
    }
}

impl Conv {
    fn traffic(&self) -> usize {
        let [inputs, outputs] = self.channels();
        let area = |[rows, columns]: [usize; 2]| rows * columns;
        let elements = self.images * (inputs * area(self.image) + outputs * area(self.positions)) + self.weights();
        elements * self.dtype.bytes()
    }
}

impl Iterate {
    /// A turn's traffic stays in the loop's own memory, which is small where there are many turns: it is counted once.
    fn traffic(&self) -> usize {
        self.bytes.iter().sum::<usize>() + self.len * self.dtype.bytes()
    }
}

impl Move {
    fn traffic(&self) -> usize {
        let moved: usize = if self.empty { 0 } else { self.axes.iter().map(|axis| axis.0).product() };
        let written = self.zero.map_or(moved, |(_, len)| len);
        (moved + written) * self.dtype.bytes()
    }
}
