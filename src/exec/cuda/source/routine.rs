//! Routines of cuBLAS and cuSOLVER, and what stands around them: large products, and what one block would
//! take too long for.
//!
//! Matrices by rows are to these libraries, which have theirs by columns, their transposes: the lower
//! triangle is the upper one, and the vectors of an eigenvalue lie one behind the other.

use std::ops::Range;

use super::writer::{Writer, type_name};
use super::{Piece, step};
use crate::exec::plan::{Array, Base, MatMul, Node, Place, Single, Step};
use crate::tape::{Dtype, Op};

/// A call of a library, on arrays in device memory.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec::cuda) enum Routine {
    /// cuBLAS's product.
    Product(MatMul),
    /// Cholesky's factor of a lower triangle, in its place; `info` is not 0 where there is none.
    Factor { n: usize, matrix: Array, info: Array },
    /// Solves by such a factor, in place, for so many columns of a matrix by rows.
    Solve { n: usize, columns: usize, factor: Array, x: Array },
    /// Eigenvalues of a lower triangle, ascending, and in its place the vectors if they are wanted.
    Eigen { n: usize, vectors: bool, matrix: Array, values: Array, info: Array },
    /// Singular values of a matrix by columns, `many × few`, which is overwritten; the left vectors one behind
    /// the other, and the right ones by rows.
    Svd { many: usize, few: usize, matrix: Array, values: Array, left: Array, right: Array, info: Array },
}

impl Routine {
    /// Whether it may run where it is not wanted: what it writes is then read by nobody, and it costs about a launch.
    pub fn is_harmless(&self) -> bool {
        match *self {
            Routine::Product(it) => it.to.base == Base::ARENA && it.rows * it.inner * it.columns <= HARMLESS,
            _ => false,
        }
    }

    /// What it reads of the arena, as bytes from its start, where it may run when nobody wrote there.
    pub fn reads_unwritten(&self) -> Vec<Range<usize>> {
        match self {
            Routine::Product(it) if self.is_harmless() => {
                let read = it.touches().into_iter().filter(|touch| !touch.writes && touch.base == Base::ARENA.0);
                read.map(|touch| touch.bytes).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Multiplications that take a GPU no longer than a launch or two.
const HARMLESS: usize = 1 << 24;

/// A part of a step.
pub(super) enum Part {
    Piece(Piece),
    Routine(Routine),
}

/// Order of the matrices that one block factors or takes apart, at most: beyond, it takes longer than a
/// library with all of the device.
const LARGE: usize = 512;

/// Whether an instruction takes a routine.
pub(in crate::exec::cuda) fn takes(node: &Node) -> bool {
    let extents = &node.ty.shape.0;
    match node.op {
        Op::MatMul { ta, .. } => is_large([extents[0], node.arg_tys[0].shape.0[usize::from(!ta)], extents[1]]),
        Op::Cholesky | Op::CholeskySolve | Op::PsdSqrt | Op::SymmetricEigenvalues => extents[0] > LARGE,
        Op::SymmetricEigen | Op::Svd => extents[1] > LARGE,
        _ => false,
    }
}

/// Multiplications up to which a product is one block's.
pub(super) const SMALL_PRODUCT: usize = 1 << 16;

/// Whether a product is cuBLAS's.
fn is_large(extents: [usize; 3]) -> bool {
    extents.into_iter().product::<usize>() > SMALL_PRODUCT
}

/// Words of the state in the workspace, as elements: a cache line.
const STATE: usize = 16;

/// Elements that the routines of an instruction need beside operands and result.
pub(super) fn workspace(node: &Node) -> usize {
    let Some(arg) = node.arg_tys.first().filter(|_| takes(node)) else { return 0 };
    let (numel, n) = (arg.shape.numel(), node.ty.shape.0.last().copied().unwrap_or(1));
    match node.op {
        Op::Cholesky => STATE,
        Op::SymmetricEigenvalues | Op::SymmetricEigen => STATE + n + numel,
        Op::PsdSqrt => STATE + n + 2 * numel,
        Op::Svd => STATE + n + numel + n * (arg.shape.0[0] + arg.shape.0[1]),
        _ => 0,
    }
}

/// The parts of a step that takes a routine, in order.
pub(super) fn parts(step: &Step) -> Option<Vec<Part>> {
    match step {
        Step::MatMul(it) if is_large([it.rows, it.inner, it.columns]) => {
            Some(vec![Part::Routine(Routine::Product(*it))])
        }
        Step::Single { single, args, to, workspace } => {
            let parts = Parts { from: *args.first()?, to: *to, workspace: *workspace, parts: Vec::new() };
            match *single {
                Single::Cholesky { n } if n > LARGE => Some(parts.factor(n)),
                Single::CholeskySolve { n } if n > LARGE => Some(parts.solve(n, args[0], args[1])),
                Single::SymmetricEigenvalues { n } if n > LARGE => Some(parts.eigen(n, false)),
                Single::SymmetricEigen { n } if n > LARGE => Some(parts.eigen(n, true)),
                Single::PsdSqrt { n } if n > LARGE => Some(parts.psd_sqrt(n)),
                Single::Svd { rows, columns } if rows.min(columns) > LARGE => Some(parts.svd(rows, columns)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Parts under way.
struct Parts {
    from: Array,
    to: Array,
    workspace: Option<Array>,
    parts: Vec<Part>,
}

impl Parts {
    /// So many elements of the workspace, behind the state.
    fn work(&self, at: usize, len: usize) -> Array {
        let all = self.workspace.expect("a routine has a workspace");
        Array { place: Place { at: all.place.at + STATE + at, ..all.place }, len, dtype: all.dtype }
    }

    /// The two words of the state, and the second.
    fn state(&self) -> [Array; 2] {
        let all = self.workspace.expect("a routine has a workspace");
        let at = all.place.at * all.dtype.bytes() / Dtype::Index.bytes();
        [(0, 2), (1, 1)].map(|(skip, len)| Array {
            place: Place { at: at + skip, ..all.place },
            len,
            dtype: Dtype::Index,
        })
    }

    /// A kernel of `kernels/routine.cuh`, of so many elements.
    fn kernel(&mut self, elements: usize, arrays: &[Array], text: impl Fn(&[String]) -> String) {
        let mut w = Writer::default();
        w.header("routine.cuh");
        let names: Vec<String> = arrays.iter().map(|array| w.pointer(array.place, array.dtype)).collect();
        w.line(text(&names));
        self.parts.push(Part::Piece(step::elementwise(w, elements)));
    }

    /// The matrix where the routine overwrites it.
    fn matrix(&mut self, copy: Array, (rows, columns): (usize, usize), turned: bool, lower: bool) {
        let ([state, _], from) = (self.state(), self.from);
        self.kernel(1, &[state], |names| format!("routine_begin(team, {});", names[0]));
        self.kernel(copy.len, &[copy, from, state], |names| {
            let [to, from, state] = names else { unreachable!("three were given") };
            format!("routine_matrix(team, {to}, {from}, {rows}, {columns}, {turned}, {lower}, {state});")
        });
        self.kernel(copy.len, &[copy, state], |names| {
            format!("routine_blank(team, {}, {}, {});", names[0], copy.len, names[1])
        });
    }

    fn routine(&mut self, routine: Routine) {
        self.parts.push(Part::Routine(routine));
    }

    fn end(mut self) -> Vec<Part> {
        let ([state, _], to) = (self.state(), self.to);
        self.kernel(to.len, &[to, state], |names| {
            format!("routine_end(team, {}, {}, {});", names[0], to.len, names[1])
        });
        self.parts
    }

    fn factor(mut self, n: usize) -> Vec<Part> {
        let ([_, info], to) = (self.state(), self.to);
        self.matrix(to, (n, n), false, true);
        self.routine(Routine::Factor { n, matrix: to, info });
        self.end()
    }

    fn solve(mut self, n: usize, factor: Array, from: Array) -> Vec<Part> {
        let (to, columns) = (self.to, self.to.len / n);
        let mut w = Writer::default();
        w.header("move.cuh");
        let names = [to, from].map(|array| w.pointer(array.place, array.dtype));
        let of = type_name(to.dtype);
        w.line(format!(
            "copy_box<decltype(team), {of}, 1>(team, {}, {}, Box<1>{{{{{}}}, {{1}}, {{1}}}});",
            names[0], names[1], to.len
        ));
        self.parts.push(Part::Piece(step::elementwise(w, to.len)));
        self.routine(Routine::Solve { n, columns, factor, x: to });
        self.parts
    }

    fn eigen(mut self, n: usize, vectors: bool) -> Vec<Part> {
        let ([state, info], to) = (self.state(), self.to);
        let (values, matrix) = (self.work(0, n), self.work(n, n * n));
        self.matrix(matrix, (n, n), false, true);
        self.routine(Routine::Eigen { n, vectors, matrix, values, info });
        let rows = if vectors { n + 1 } else { 1 };
        self.kernel(to.len, &[to, values, matrix, state], |names| {
            format!("eigen_end(team, {}, {rows}, {n}, {});", names[..3].join(", "), names[3])
        });
        self.parts
    }

    fn psd_sqrt(mut self, n: usize) -> Vec<Part> {
        let ([_, info], to) = (self.state(), self.to);
        let (values, matrix, scaled) = (self.work(0, n), self.work(n, n * n), self.work(n + n * n, n * n));
        self.matrix(matrix, (n, n), false, true);
        self.routine(Routine::Eigen { n, vectors: true, matrix, values, info });
        self.kernel(scaled.len, &[scaled, values, matrix], |names| {
            format!("psd_scale(team, {}, {n});", names.join(", "))
        });
        self.routine(Routine::Product(MatMul {
            rows: n,
            inner: n,
            columns: n,
            a: matrix.place,
            a_strides: (1, n),
            b: scaled.place,
            b_strides: (n, 1),
            to: to.place,
            dtype: to.dtype,
        }));
        self.end()
    }

    fn svd(mut self, rows: usize, columns: usize) -> Vec<Part> {
        let ([state, info], to) = (self.state(), self.to);
        let (many, few) = (rows.max(columns), rows.min(columns));
        let (values, matrix) = (self.work(0, few), self.work(few, rows * columns));
        let left = self.work(few + rows * columns, many * few);
        let right = self.work(few + rows * columns + many * few, few * few);
        // By rows, a matrix is its transpose by columns, which is what a wide one should be.
        self.matrix(matrix, (rows, columns), rows > columns, false);
        self.routine(Routine::Svd { many, few, matrix, values, left, right, info });
        self.kernel(to.len, &[to, values, left, right, state], |names| {
            format!("svd_end(team, {}, {rows}, {columns}, {});", names[..4].join(", "), names[4])
        });
        self.parts
    }
}
