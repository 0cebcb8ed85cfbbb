//! Factors, spectra, transforms and the regressions along a row: steps whose kernels work in a workspace or
//! read a table of their own. All are one block's but where rows, columns or panels are dealt out.

use super::step::{Call, SMALL};
use super::writer::{Table, Writer, literal, table_name, type_name};
use super::{Piece, THREADS};
use crate::exec::cuda::levels::levels;
use crate::exec::plan::{Array, Node, Single};
use crate::linalg::Symbolic;
use crate::linalg::transform::Transform;
use crate::tape::{Dtype, Op};

/// The pieces of a step, in order; `None` where it is none of these.
pub(super) fn write(single: &Single, call: &Call, tables: &mut Vec<Table>) -> Option<Vec<Piece>> {
    let len = call.to.len;
    let rows = |row: usize| len / row.max(1);
    Some(vec![match *single {
        Single::Cholesky { n } => {
            one_block(call, "dense.cuh", |to, args, _| format!("cholesky(team, shared, {to}, {}, {n});", args[0]))
        }
        Single::CholeskySolve { n } => by_columns(call, "dense.cuh", rows(n), |to, args| {
            format!("cholesky_solve(team, {to}, {}, {}, {n}, {});", args[0], args[1], rows(n))
        }),
        Single::SparseFactor(ref symbolic) => {
            let (table, pattern) = pattern(symbolic, tables);
            let mut piece = one_block(call, "sparse_factor.cuh", |to, args, _| {
                format!("sparse_factor(team, {to}, {}, {pattern}, {}, {len});", args[0], symbolic.negative)
            });
            piece.w.tables.insert(table);
            piece
        }
        Single::SparseSolve(ref symbolic) => {
            let (table, pattern) = pattern(symbolic, tables);
            let columns = rows(symbolic.n);
            let mut piece = by_columns(call, "sparse_factor.cuh", columns, |to, args| {
                format!("sparse_solve(team, {to}, {}, {}, {pattern}, {columns});", args[0], args[1])
            });
            piece.w.tables.insert(table);
            piece
        }
        Single::Grid { transform, ref extents, inverse, .. } => return Some(grid(transform, extents, inverse, call)),
        Single::SymmetricEigenvalues { n } => in_workspace(call, "symmetric.cuh", "symmetric_eigenvalues", &[n]),
        Single::SymmetricEigen { n } => in_workspace(call, "symmetric.cuh", "symmetric_eigen", &[n]),
        Single::PsdSqrt { n } => in_workspace(call, "symmetric.cuh", "psd_sqrt", &[n]),
        Single::Svd { rows, columns } => in_workspace(call, "svd.cuh", "svd", &[rows, columns]),
        Single::Assignment { n } => in_workspace(call, "assignment.cuh", "assignment", &[n]),
        Single::Isotonic { row } => along_rows(call, "isotonic", row),
        Single::TautString { row } => along_rows(call, "taut_string", row),
        _ => return None,
    }])
}

/// What these need beside operands and result: dtype and elements.
pub(super) fn workspace(node: &Node) -> Option<(Dtype, usize)> {
    let extents = &node.ty.shape.0;
    let n = extents.last().copied().unwrap_or(1);
    let doubles = match &node.op {
        Op::SymmetricEigenvalues => (n + 1) * (n + 3),
        Op::SymmetricEigen | Op::PsdSqrt => 2 * (n + 1) * (n + 2),
        Op::Svd => {
            let [rows, columns] = node.arg_tys[0].shape.0[..] else { unreachable!("checked by the verifier") };
            rows.min(columns) * (rows + columns + 3) + rows.max(columns)
        }
        Op::Assignment => 7 * (n + 1),
        Op::Pav => 3 * node.ty.shape.numel(),
        Op::TautString => 4 * node.ty.shape.numel(),
        Op::Grid { transform, .. } => return Some((node.ty.dtype, grid_workspace(*transform, extents))),
        _ => return None,
    };
    Some((Dtype::F64, doubles))
}

/// A step of one block. `text` is given the result, the operands and the workspace.
fn one_block(call: &Call, header: &'static str, text: impl Fn(&str, &[String], &str) -> String) -> Piece {
    piece(call, header, 1, true, text)
}

/// A step that takes a block a column of its result; one of few columns is small.
fn by_columns(call: &Call, header: &'static str, columns: usize, text: impl Fn(&str, &[String]) -> String) -> Piece {
    piece(call, header, columns, columns <= 2, |to, args, _| text(to, args))
}

/// A call of the form `function(team, shared, to, from, workspace, extents…)`.
fn in_workspace(call: &Call, header: &'static str, function: &str, extents: &[usize]) -> Piece {
    let extents: String = extents.iter().map(|extent| format!(", {extent}")).collect();
    one_block(call, header, |to, args, work| {
        format!("{function}(team, shared, {to}, {}, (double *){work}{extents});", args[0])
    })
}

/// A regression along rows: a thread takes one.
fn along_rows(call: &Call, function: &str, row: usize) -> Piece {
    let rows = call.to.len / row.max(1);
    piece(call, "regression.cuh", rows.div_ceil(THREADS), rows <= THREADS, |to, args, work| {
        format!("{function}(team, {to}, {}, {}, (double *){work}, {rows}, {row});", args[0], args[1])
    })
}

fn piece(
    call: &Call,
    header: &'static str,
    blocks: usize,
    small: bool,
    text: impl Fn(&str, &[String], &str) -> String,
) -> Piece {
    let mut w = Writer::default();
    w.header(header);
    let to = call.to(&mut w);
    let args: Vec<String> = (0..call.args.len()).map(|k| call.arg(k, &mut w)).collect();
    let work = match call.workspace {
        Some(Array { place, dtype, .. }) => w.pointer(place, dtype),
        None => format!("({} *)nullptr", type_name(call.to.dtype)),
    };
    w.line(text(&to, &args, &work));
    Piece { w, blocks, small }
}

/// The table of a factor's pattern, and the pattern as an argument.
fn pattern(symbolic: &Symbolic, tables: &mut Vec<Table>) -> (usize, String) {
    let levels = levels(symbolic);
    let counts = format!("{}, {}, {}", symbolic.n, levels.entries, levels.levels);
    let table = Writer::default().table(Table::Offsets(levels.table), tables);
    (table, format!("SparsePattern{{{}, {counts}}}", table_name(table)))
}

/// Blocks that a transform takes at most: each has memory of its own.
const PANELS: usize = 256;

/// An axis of a grid that is transformed.
struct Axis {
    outer: usize,
    extent: usize,
    inner: usize,
    /// Lines that a block takes at a time: whole pieces of memory, and work for every thread.
    width: usize,
}

impl Axis {
    fn blocks(&self) -> usize {
        (self.outer * self.inner).div_ceil(self.width).min(PANELS)
    }

    /// Numbers that all blocks work in.
    fn workspace(&self) -> usize {
        2 * self.blocks() * (2 * self.width + 1) * self.extent
    }
}

/// The axes of a grid in the order in which they are transformed. One of one element is not; a grid that has no other
/// keeps its last.
fn axes(extents: &[usize]) -> Vec<Axis> {
    let mut inner = 1;
    let numel: usize = extents.iter().product();
    let mut axes = Vec::new();
    for (at, &extent) in extents.iter().enumerate().rev() {
        let lines = numel / extent.max(1);
        if extent > 1 || (at == 0 && axes.is_empty()) {
            let least = if inner == 1 { 1 } else { 8 };
            let width = THREADS.div_ceil(extent.max(1)).max(least).min(lines.max(1));
            axes.push(Axis { outer: lines / inner.max(1), extent, inner, width });
        }
        inner *= extent;
    }
    axes
}

fn grid_workspace(transform: Transform, extents: &[usize]) -> usize {
    let axes = axes(extents);
    let panels = axes.iter().map(Axis::workspace).max().unwrap_or(0);
    let whole = if transform == Transform::Hartley { 2 * extents.iter().product::<usize>() } else { 0 };
    whole + panels
}

fn grid(transform: Transform, extents: &[usize], inverse: bool, call: &Call) -> Vec<Piece> {
    let axes = axes(extents);
    let last = axes.len() - 1;
    let of = |(at, axis): (usize, &Axis)| {
        let shape = format!("{}, {}, {}, {}", axis.outer, axis.extent, axis.inner, axis.width);
        piece(call, "grid.cuh", axis.blocks(), call.to.len <= SMALL, |to, args, work| match transform {
            Transform::Cosine => {
                let from = if at == 0 { &args[0] } else { to };
                format!("grid_cosine(team, {to}, {from}, {work}, {shape}, {inverse});")
            }
            Transform::Hartley => {
                let scale = literal((call.to.len as f64).sqrt().recip(), Dtype::F64);
                let (is_first, is_last) = (at == 0, at == last);
                format!("grid_hartley(team, {to}, {}, {work}, {shape}, {is_first}, {is_last}, {scale});", args[0])
            }
        })
    };
    axes.iter().enumerate().map(of).collect()
}
