//! What a step reads and writes, so that a device may run those at once that leave each other alone.

use std::ops::Range;

use super::ir::{Array, Conv, Iterate, Kernel, MatMul, Move, Operand, Place, Step, Sweep, Target};
use crate::tape::Dtype;
use crate::tape::ops::ConvPart;

/// Bytes of a base that a step reads or writes: all that it may, and perhaps some between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::exec) struct Touch {
    pub base: u32,
    pub bytes: Range<usize>,
    pub writes: bool,
}

impl Touch {
    fn new(place: Place, len: usize, dtype: Dtype, writes: bool) -> Touch {
        let element = dtype.bytes();
        Touch { base: place.base.0, bytes: place.at * element..(place.at + len) * element, writes }
    }

    fn of(array: &Array, writes: bool) -> Touch {
        Touch::new(array.place, array.len, array.dtype, writes)
    }

    /// Whether the order of the two matters.
    pub fn clashes(&self, other: &Touch) -> bool {
        (self.writes || other.writes)
            && self.base == other.base
            && self.bytes.start < other.bytes.end
            && other.bytes.start < self.bytes.end
    }
}

/// Elements from the first to the last of a box.
fn span(axes: impl IntoIterator<Item = (usize, usize)>) -> usize {
    axes.into_iter().map(|(extent, stride)| extent.saturating_sub(1) * stride).sum::<usize>() + 1
}

impl Step {
    /// What the step touches; a fold has a part for every so many elements.
    pub fn touches(&self, tile: usize) -> Vec<Touch> {
        match self {
            Step::Sweep(it) => it.touches(tile),
            Step::MatMul(it) => it.touches(),
            Step::Conv(it) => it.touches(),
            Step::Iterate(it) => it.touches(),
            Step::Move(it) => it.touches(),
            Step::Single { args, to, workspace, .. } => {
                let read = args.iter().map(|array| Touch::of(array, false));
                read.chain([to].into_iter().chain(workspace).map(|array| Touch::of(array, true))).collect()
            }
        }
    }
}

impl Sweep {
    fn touches(&self, tile: usize) -> Vec<Touch> {
        let mut touches = Vec::new();
        for inst in &self.insts {
            for arg in &inst.args {
                match *arg {
                    Operand::Tile(place) => touches.push(Touch::new(place, self.len, inst.dtype, false)),
                    Operand::Splat(place) => touches.push(Touch::new(place, 1, inst.dtype, false)),
                    Operand::None | Operand::Register(_) | Operand::Number(_) => {}
                }
            }
            let mut result = inst.dtype;
            match &inst.kernel {
                Kernel::Repeat { from, axes } => {
                    let len = span(axes.iter().map(|axis| (axis.extent, axis.stride)));
                    touches.push(Touch::new(*from, len, inst.dtype, false));
                }
                Kernel::Fold { parts, .. } => {
                    touches.push(Touch::new(*parts, self.len.div_ceil(tile).max(1), inst.dtype, true));
                }
                // A condition has a dtype of its own.
                Kernel::Select(condition) => {
                    if let Operand::Tile(place) = inst.args[0] {
                        touches.push(Touch::new(place, self.len, *condition, false));
                    }
                }
                Kernel::Cast(to) => result = *to,
                Kernel::Unary(_) | Kernel::Binary(_) | Kernel::Fill => {}
            }
            if let Target::Tile(place) = inst.to {
                touches.push(Touch::new(place, self.len, result, true));
            }
        }
        touches.extend(self.stores.iter().map(|store| Touch::new(store.to, self.len, store.dtype, true)));
        touches.extend(self.folds.iter().map(|fold| Touch::new(fold.to, 1, fold.dtype, true)));
        touches
    }
}

impl MatMul {
    /// What a product touches.
    pub fn touches(&self) -> Vec<Touch> {
        let of = |(row, column): (usize, usize), rows, columns| span([(rows, row), (columns, column)]);
        vec![
            Touch::new(self.a, of(self.a_strides, self.rows, self.inner), self.dtype, false),
            Touch::new(self.b, of(self.b_strides, self.inner, self.columns), self.dtype, false),
            Touch::new(self.to, self.rows * self.columns, self.dtype, true),
        ]
    }
}

impl Conv {
    fn touches(&self) -> Vec<Touch> {
        let [inputs, outputs] = self.channels();
        let area = |[rows, columns]: [usize; 2]| rows * columns;
        let of = |place, len, part| Touch::new(place, len, self.dtype, self.part == part);
        let mut touches = vec![
            of(self.x, self.images * inputs * area(self.image), ConvPart::Input),
            of(self.w, self.weights(), ConvPart::Kernel),
            of(self.y, self.images * outputs * area(self.positions), ConvPart::Output),
        ];
        touches.extend(self.workspace.iter().map(|array| Touch::of(array, true)));
        touches
    }
}

impl Iterate {
    fn touches(&self) -> Vec<Touch> {
        let sizes = self.bytes.iter().zip(&self.element);
        let read = self.args.iter().zip(sizes).map(|(place, (bytes, element))| {
            let start = place.at * element;
            Touch { base: place.base.0, bytes: start..start + bytes, writes: false }
        });
        let mut touches: Vec<Touch> = read.collect();
        touches.push(Touch::new(self.to, self.len, self.dtype, true));
        touches.extend(self.workspace.iter().map(|array| Touch::of(array, true)));
        touches
    }
}

impl Move {
    fn touches(&self) -> Vec<Touch> {
        let read = span(self.axes.iter().map(|&(extent, read, _)| (extent, read)));
        let written = span(self.axes.iter().map(|&(extent, _, written)| (extent, written)));
        let mut touches =
            vec![Touch::new(self.from, read, self.dtype, false), Touch::new(self.to, written, self.dtype, true)];
        touches.extend(self.zero.iter().map(|&(place, len)| Touch::new(place, len, self.dtype, true)));
        touches
    }
}
