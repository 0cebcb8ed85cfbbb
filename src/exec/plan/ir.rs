//! A plan: what a bound program does, with every place known. Plain data.
//!
//! A place is an element of a base: the arena, an input's buffer or an output's. Bases are resolved to
//! addresses when a call runs, which is how the member of a family is chosen.
//!
//! What holds of every plan, and what the unsafe blocks of the devices argue from:
//! 1. A place, with the length it is used at, lies inside its base's allocation.
//! 2. What a step writes overlaps nothing that it reads and nothing else that it writes, except for a
//!    sweep's stores: those may overwrite tiles that the sweep reads, at the same positions.
//! 3. A step reads only inputs and what steps before it wrote.

use std::sync::Arc;

use super::grid::GridPlan;
use crate::linalg::Symbolic;
use crate::linalg::transform::Transform;
use crate::tape::ops::{ConvPart, Distribution, Iteration, Reducer, Window};
use crate::tape::{Binary, Dtype, Unary};

/// Position among the bases: the arena is 0, then inputs, then outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec) struct Base(pub u32);

impl Base {
    pub const ARENA: Base = Base(0);
}

impl Place {
    /// The place of what has none yet.
    pub const NOWHERE: Place = Place { base: Base::ARENA, at: 0 };
}

/// An element of a base, counted in elements of the dtype it is used at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec) struct Place {
    pub base: Base,
    pub at: usize,
}

/// Consecutive elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec) struct Array {
    pub place: Place,
    pub len: usize,
    pub dtype: Dtype,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::exec) struct Plan {
    pub steps: Vec<Step>,
    /// Bytes of the arena.
    pub arena: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec) enum Step {
    Sweep(Sweep),
    MatMul(MatMul),
    Conv(Conv),
    Iterate(Box<Iterate>),
    Move(Move),
    Single {
        single: Single,
        args: Vec<Array>,
        to: Array,
        /// Memory for the step alone.
        workspace: Option<Array>,
    },
}

/// Elementwise ops over one range, a tile after the other: one sweep over memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::exec) struct Sweep {
    /// Elements of every operand that is not repeated.
    pub len: usize,
    /// Per tile, in order.
    pub insts: Vec<Inst>,
    /// Registers to memory, once a tile's instructions are through.
    pub stores: Vec<Store>,
    /// Sums and extremes of all elements, finished once all tiles are through.
    pub folds: Vec<Fold>,
    /// Tiles of scratch.
    pub registers: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec) struct Inst {
    pub kernel: Kernel,
    /// Of the operands; of the result too, but for a cast and the condition of a select.
    pub dtype: Dtype,
    pub args: [Operand; 3],
    pub to: Target,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec) enum Kernel {
    Unary(Unary),
    Binary(Binary),
    /// The dtype of the condition.
    Select(Dtype),
    /// The dtype it becomes.
    Cast(Dtype),
    /// A smaller operand, repeated: position in `Sweep`'s range by extents and strides.
    Repeat {
        from: Place,
        axes: Vec<Axis>,
    },
    /// The one element or number that is its operand, repeated.
    Fill,
    /// The tile's part of a fold, into its place among the parts.
    Fold {
        reducer: Reducer,
        parts: Place,
    },
}

/// An axis of a box in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exec) struct Axis {
    pub extent: usize,
    pub stride: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::exec) enum Operand {
    None,
    /// Elements of memory at the tile's positions.
    Tile(Place),
    Register(u32),
    /// One element for all positions.
    Splat(Place),
    Number(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::exec) enum Target {
    /// Elements of memory at the tile's positions.
    Tile(Place),
    Register(u32),
    /// Nothing; a fold has its parts.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::exec) struct Store {
    pub register: u32,
    pub to: Place,
    pub dtype: Dtype,
}

/// A fold's parts, a tile each, and their result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::exec) struct Fold {
    pub reducer: Reducer,
    pub parts: Place,
    pub to: Place,
    pub dtype: Dtype,
}

/// `to = a·b`; strides say what is transposed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::exec) struct MatMul {
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
    pub a: Place,
    /// Of a row, of a column.
    pub a_strides: (usize, usize),
    pub b: Place,
    pub b_strides: (usize, usize),
    pub to: Place,
    pub dtype: Dtype,
}

/// A convolution or one of its adjoints, as [`Op::Conv`](crate::tape::Op::Conv) defines them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::exec) struct Conv {
    pub part: ConvPart,
    pub window: Window,
    pub images: usize,
    /// Channels of a group.
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: [usize; 2],
    pub image: [usize; 2],
    pub positions: [usize; 2],
    pub x: Place,
    pub w: Place,
    pub y: Place,
    /// Memory for the step alone.
    pub workspace: Option<Array>,
    pub dtype: Dtype,
}

/// A loop, as [`Op::Iterate`](crate::tape::Op::Iterate) defines it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec) struct Iterate {
    pub iteration: Iteration,
    /// Turns as the device runs them: of everything; or of lanes, as many at a time as it takes.
    pub turns: Vec<Turn>,
    /// Elements of the result.
    pub len: usize,
    /// Whether every element is a lane of its own.
    pub lanes: bool,
    /// Bytes of each operand.
    pub bytes: Vec<usize>,
    /// Bytes of an element of each.
    pub element: Vec<usize>,
    /// Whether one number of it serves all lanes.
    pub repeated: Vec<bool>,
    pub args: Vec<Place>,
    pub to: Place,
    /// Memory for the step alone.
    pub workspace: Option<Array>,
    pub dtype: Dtype,
}

/// A turn of a loop: its bases are its arena, what is carried, the constants, what is carried again,
/// and whether it was the last.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec) struct Turn {
    pub plan: Plan,
    /// Where in its memory each carried value lies, behind the plan's arena; of lanes, the stopped ones
    /// are one value more.
    pub state: Vec<usize>,
    /// Where it says whether it was the last.
    pub done: usize,
    pub done_dtype: Dtype,
    /// Bytes of its memory.
    pub memory: usize,
    /// Elements that it runs over.
    pub lanes: usize,
}

/// A box of elements from one layout into another.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec) struct Move {
    pub from: Place,
    pub to: Place,
    pub dtype: Dtype,
    /// Extent, stride read, stride written.
    pub axes: Vec<(usize, usize, usize)>,
    /// Elements to set to zero first, where the box does not cover its target.
    pub zero: Option<(Place, usize)>,
    /// Whether the box has no elements.
    pub empty: bool,
}

/// The ops that have a kernel of their own.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec) enum Single {
    Reduce { reducer: Reducer, layout: Layout },
    ArgMax { row: usize },
    Sort { row: usize },
    ArgSort { row: usize },
    CumSum { row: usize, reverse: bool },
    Iota { extent: usize, inner: usize },
    Gather { width: usize },
    ScatterAdd { width: usize },
    Random { distribution: Distribution, stream: u32 },
    Cholesky { n: usize },
    CholeskySolve { n: usize },
    SparseMatVec { transpose: bool },
    SparseFactor(Arc<Symbolic>),
    SparseSolve(Arc<Symbolic>),
    Grid { plan: Arc<GridPlan>, transform: Transform, extents: Vec<usize>, inverse: bool },
    SymmetricEigenvalues { n: usize },
    SymmetricEigen { n: usize },
    Svd { rows: usize, columns: usize },
    Isotonic { row: usize },
    Assignment { n: usize },
    TautString { row: usize },
    PsdSqrt { n: usize },
}

/// Where the elements of a reduction lie.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec) enum Layout {
    /// Result `o·inner + i` combines elements `(o·reduced + r)·inner + i` over `r`.
    Regular { reduced: usize, inner: usize },
    /// Result `k` combines elements `kept[k] + reduced[r]` over `r`.
    Scattered { kept: Vec<usize>, reduced: Vec<usize> },
}
