//! The ops, an op a file. Each names its shape rule, its reference evaluation in doubles, and its
//! reverse and forward derivatives *as ops* (`Rule`); elementwise functions are smaller, and name a
//! value and a slope ([`unary::Function`], [`binary::Function`]).
//!
//! To add an elementwise function: one file under `unary/` or `binary/`, one line in its table and its
//! text for devices in `kernels/math.cuh`. To add
//! an op: one file that implements `Rule`, one line in `Op::rule` and in `Op::name`.

mod argmax;
pub(crate) mod assignment;
pub mod binary;
mod broadcast;
mod cast;
mod cholesky;
mod concat;
mod constant;
mod conv;
mod cumsum;
mod elementwise;
mod gather;
mod grid;
mod input;
mod iota;
mod iterate;
mod matmul;
mod pav;
mod random;
mod reduce;
mod reshape;
mod rule;
mod slice;
mod sort;
mod sparse;
mod sparse_factor;
mod svd;
mod symmetric;
mod taut_string;
#[cfg(test)]
mod tests;
mod transpose;
pub mod unary;

use std::sync::Arc;

use crate::linalg::Symbolic;
use crate::linalg::transform::Transform;
pub(crate) use cumsum::Running;
pub use iterate::Iteration;
pub(crate) use rule::{Operand, Site};
pub(crate) use sort::order;

/// Elementwise functions of one operand. Kinks and ties: the derivative at a kink is stated in the
/// function's own file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unary {
    /// `−x`
    Neg,
    /// `|x|`
    Abs,
    /// `−1, 0, 1`
    Sign,
    /// `x²`
    Square,
    /// `√x`
    Sqrt,
    /// `1/x`
    Recip,
    /// `eˣ`
    Exp,
    /// `eˣ − 1`
    Expm1,
    /// `log x`
    Log,
    /// `log(1 + x)`
    Log1p,
    /// `sin x`
    Sin,
    /// `cos x`
    Cos,
    /// `tanh x`
    Tanh,
    /// `1/(1 + e⁻ˣ)`
    Sigmoid,
    /// `log(1 + eˣ)`, stable; its derivative is the sigmoid, at 0 too
    Softplus,
    /// `max(x, 0)`, NaN kept
    Relu,
    /// `1` where `x > 0`, else `0`: the derivative of `Relu`
    Step,
    /// the error function
    Erf,
    /// `⌊x⌋`
    Floor,
    /// `1` where `x` is finite, else `0`
    IsFinite,
    /// `x`, constant to differentiation
    Hold,
}

/// Elementwise functions of two operands of the same shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a − b`
    Sub,
    /// `a · b`
    Mul,
    /// `a / b`
    Div,
    /// `aᵇ`
    Pow,
    /// the greater; NaN if either is; at a tie the first
    Max,
    /// the lesser; NaN if either is; at a tie the first
    Min,
    /// `1` where `a < b`, else `0`
    Less,
    /// `1` where `a ≤ b`, else `0`
    LessEqual,
    /// `1` where `a = b`, else `0`
    Equal,
}

/// How a reduction combines. Sums use the fixed pairwise tree of [`tree`](super::tree), the same on
/// every device and at every number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reducer {
    /// Sum.
    Sum,
    /// Greatest; NaN if any is.
    Max,
    /// Least; NaN if any is.
    Min,
    /// `log Σ eˣ`, without overflow. Its derivative is the softmax.
    LogSumExp,
    /// `√Σx²`, without overflow or underflow. Its derivative is `x/‖x‖`, and 0 at 0.
    Norm2,
}

impl Reducer {
    /// Its word in the text.
    pub fn name(self) -> &'static str {
        match self {
            Reducer::Sum => "sum",
            Reducer::Max => "max",
            Reducer::Min => "min",
            Reducer::LogSumExp => "logsumexp",
            Reducer::Norm2 => "norm2",
        }
    }
}

/// Distribution of [`Op::Random`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Standard normal (Box–Muller on pairs of the uniform stream).
    Normal,
    /// Uniform on (0, 1), neither end.
    Uniform,
}

/// One axis of a [`Op::Slice`]: elements `start, start + step, …`, `len` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Range {
    /// First, zero-based.
    pub start: usize,
    /// How many.
    pub len: usize,
    /// Distance, at least 1.
    pub step: usize,
}

impl Range {
    /// One past the last element; `start` if there is none.
    pub fn stop(&self) -> usize {
        match self.len {
            0 => self.start,
            len => self.start + (len - 1) * self.step + 1,
        }
    }
}

/// Which of the three of a convolution is computed from the other two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConvPart {
    /// The convolution: operands input, kernel.
    Output,
    /// The transposed convolution: operands output, kernel.
    Input,
    /// The derivative by the kernel: operands input, output.
    Kernel,
}

/// How a kernel moves over an image, along its rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Distance of two positions.
    pub stride: [usize; 2],
    /// Zeros around the image, on each side.
    pub padding: [usize; 2],
    /// Distance of two taps of the kernel.
    pub dilation: [usize; 2],
    /// Channels are cut into so many groups, each with kernels of its own.
    pub groups: usize,
}

/// What an instruction computes. Operand order is the order of the fields' documentation.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The program's input of that position.
    Input(u32),
    /// A number, as a scalar of the instruction's dtype.
    Const(f64),
    /// Elementwise.
    Unary(Unary),
    /// Elementwise, operands of the result's shape.
    Binary(Binary),
    /// `c ≠ 0 ? a : b`, operands `c, a, b` of the result's shape. What is not chosen is never seen,
    /// even where it is NaN.
    Select,
    /// Operand axis `i` becomes result axis `axes[i]` (ascending, extents equal); the other result
    /// axes repeat.
    Broadcast {
        /// Result axis of each operand axis.
        axes: Vec<usize>,
    },
    /// Combines along `axes` (ascending), which the result lacks.
    Reduce {
        /// How.
        reducer: Reducer,
        /// Along which axes.
        axes: Vec<usize>,
    },
    /// Position of the greatest element of the last axis (the first at a tie; a NaN counts as greatest),
    /// as `Index`.
    ArgMax,
    /// The elements of the last axis in ascending order, NaN last.
    Sort,
    /// Where each element of [`Op::Sort`] stood, as `Index`; equal elements keep their order.
    ArgSort,
    /// Running sums along the last axis, each with its own element.
    CumSum {
        /// From the far end.
        reverse: bool,
    },
    /// The position along `axis`, as `Index`; no operands.
    Iota {
        /// The axis.
        axis: usize,
    },
    /// `op(a) · op(b)` of two matrices.
    MatMul {
        /// Transpose the first operand.
        ta: bool,
        /// Transpose the second operand.
        tb: bool,
    },
    /// Convolution of a batch of images `[N, C, H, W]` by kernels `[O, C/groups, h, w]`, or one of its
    /// adjoints.
    Conv {
        /// Which of the three is the result.
        part: ConvPart,
        /// How the kernel moves.
        window: Window,
    },
    /// The same elements, row-major, in another shape.
    Reshape,
    /// Result axis `i` is operand axis `perm[i]`.
    Transpose {
        /// Operand axis of each result axis.
        perm: Vec<usize>,
    },
    /// A strided box, a range an axis.
    Slice(Vec<Range>),
    /// The reverse of [`Op::Slice`]: the operand placed at those ranges among zeros.
    Unslice(Vec<Range>),
    /// Operands joined along `axis`.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// Rows of the first operand by the `Index` vector that is the second. A row past the end is NaN
    /// (of indices, 0).
    Gather,
    /// Operands `index, rows`: zeros of the result's shape, with each row added at its index, in
    /// order of position. A row whose index is past the end is left out.
    ScatterAdd,
    /// Conversion to the result's dtype: to an index by truncation, saturating, NaN to 0.
    Cast,
    /// Counter-based random numbers, as [`philox`](super::philox) defines them. Operands `key: index[2]`,
    /// `step: index`. Element `j` depends on `(key, stream, step, j)` alone, so every device and thread
    /// count agrees.
    Random {
        /// Distribution.
        distribution: Distribution,
        /// Which of the independent streams.
        stream: u32,
    },
    /// Lower factor `L` of a symmetric positive definite matrix, `LLᵀ = A`. NaN throughout where `A`
    /// is not positive definite.
    Cholesky,
    /// Operands `L, b`: solves `LLᵀx = b` for a vector or the columns of a matrix.
    CholeskySolve,
    /// Sparse product, CSR. Operands `row_starts: index[m+1], columns: index[nnz], values: float[nnz],
    /// x: float[n]` give `float[m]`; transposed, `x: float[m]` gives `float[n]`. A matrix `x`, with
    /// columns behind its rows, gives a matrix.
    SparseMatVec {
        /// Multiply by the transpose.
        transpose: bool,
    },
    /// The factor of a sparse symmetric matrix from the entries of its lower triangle, row by row, each row
    /// with its diagonal: `float[nnz]` to `float[len]`, the numbers being the device's own. NaN throughout
    /// where it has none.
    SparseFactor(Arc<Symbolic>),
    /// Operands `factor, b`: solves for a vector or the columns of a matrix.
    SparseSolve(Arc<Symbolic>),
    /// An orthogonal transform along all axes.
    Grid {
        /// Which.
        transform: Transform,
        /// The way back.
        inverse: bool,
    },
    /// Eigenvalues of a symmetric matrix, ascending. Not differentiable.
    SymmetricEigenvalues,
    /// Eigenvalues, ascending, above the matrix whose columns are the eigenvectors, of a symmetric matrix:
    /// `[n + 1, n]`. Not differentiable.
    SymmetricEigen,
    /// Singular values, descending, above the matrices whose columns are the left and the right singular
    /// vectors: `[1 + m + n, min(m, n)]`. Not differentiable.
    Svd,
    /// Operands `v, w`: along the last axis, the ascending elements nearest to `v` in squares weighted by
    /// `w`. Not differentiable.
    Pav,
    /// The permutation matrix that maximises the sum of the elements of a square matrix which it picks. Not
    /// differentiable.
    Assignment,
    /// Operands `v, t`, the latter a number: along the last axis, the proximal step of `t` times the total
    /// variation. Not differentiable.
    TautString,
    /// A loop: operands are the first carried values, then the constants of its turns; the result is the
    /// first carried value after the last. Not differentiable.
    Iterate(Box<Iteration>),
    /// `A^{1/2}` of a symmetric positive semidefinite matrix (eigenvalues below zero count as zero).
    /// Not differentiable.
    PsdSqrt,
}
