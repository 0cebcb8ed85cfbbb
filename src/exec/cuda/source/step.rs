//! The steps that have a header in `kernels/`: which function does them, how many blocks it takes, and what
//! it needs beside operand and result.

use super::routine::SMALL_PRODUCT;
use super::sweep::{TILE, reducer};
use super::writer::{Table, Writer, table_name, type_name};
use super::{Piece, THREADS, linear, routine};
use crate::exec::plan::{Array, Conv, Layout, MatMul, Move, Node, Place, Single, Step};
use crate::tape::ops::{ConvPart, Distribution, Reducer};
use crate::tape::{Dtype, Op};

/// Elements up to which one block does a step that touches each a few times as soon as many do.
pub(super) const SMALL: usize = 4096;

/// Elements of a reduction from which all blocks share its few results, and how many these may be.
const LONG: usize = 1 << 16;
const FEW: usize = 64;

/// Threads of a warp.
const WARP: usize = 32;

/// Elements of a row that a thread sorts, scans or looks through at a time where it is long.
const ROW: usize = THREADS;

/// Writes a step as one piece, or as several in order.
pub(super) fn write(step: &Step, tables: &mut Vec<Table>) -> Vec<Piece> {
    match step {
        Step::MatMul(product) => vec![small_product(product)],
        Step::Move(it) => vec![shift(it)],
        Step::Single { single, args, to, workspace } => {
            let call = Call { args, to: *to, workspace: *workspace };
            match single {
                Single::Reduce { reducer, layout } => reduce(*reducer, layout, &call, tables),
                single => linear::write(single, &call, tables).unwrap_or_else(|| vec![other(single, &call, tables)]),
            }
        }
        Step::Sweep(_) | Step::Iterate(_) => unreachable!("written by their own files"),
        Step::Conv(it) => vec![convolution(it)],
    }
}

/// Operands, result and workspace of a step.
pub(super) struct Call<'a> {
    pub args: &'a [Array],
    pub to: Array,
    pub workspace: Option<Array>,
}

impl Call<'_> {
    /// The pointer to operand `k`.
    pub fn arg(&self, k: usize, w: &mut Writer) -> String {
        w.pointer(self.args[k].place, self.args[k].dtype)
    }

    /// The pointer to the result.
    pub fn to(&self, w: &mut Writer) -> String {
        w.pointer(self.to.place, self.to.dtype)
    }
}

/// A piece of elements that are dealt out singly.
pub(super) fn elementwise(w: Writer, elements: usize) -> Piece {
    Piece { w, blocks: elements.div_ceil(THREADS), small: elements <= SMALL }
}

/// A piece of rows, each of which takes a block where it is long.
fn by_rows(w: Writer, rows: usize, row: usize) -> Piece {
    let blocks = if row > ROW / 4 { rows } else { rows.div_ceil(THREADS) };
    Piece { w, blocks, small: rows * row <= SMALL }
}

fn small_product(it: &MatMul) -> Piece {
    let mut w = Writer::default();
    w.header("matmul.cuh");
    let [a, b, to] = [it.a, it.b, it.to].map(|place| w.pointer(place, it.dtype));
    let ((a_row, a_column), (b_row, b_column)) = (it.a_strides, it.b_strides);
    let (rows, inner, columns) = (it.rows, it.inner, it.columns);
    // Elements along which both factors lie in one piece, and too few results for a thread each.
    let in_lanes = (a_column, b_row) == (1, 1) && inner >= WARP && (columns == 1 || rows * columns < THREADS);
    if in_lanes {
        w.line(format!("matmul_lanes(team, {to}, {a}, {b}, {rows}, {inner}, {columns}, {a_row}, {b_column});"));
        return Piece { w, blocks: (rows * columns).div_ceil(THREADS / WARP), small: true };
    }
    w.line(format!(
        "matmul(team, {to}, {a}, {b}, {rows}, {inner}, {columns}, {a_row}, {a_column}, {b_row}, {b_column});"
    ));
    Piece { w, blocks: (rows * columns).div_ceil(THREADS), small: true }
}

fn convolution(it: &Conv) -> Piece {
    let mut w = Writer::default();
    w.header("conv.cuh");
    let [x, kernel, y] = [it.x, it.w, it.y].map(|place| w.pointer(place, it.dtype));
    let pair = |[rows, columns]: [usize; 2]| format!("{{{rows}, {columns}}}");
    let shape = format!(
        "Convolution{{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}}",
        it.images,
        it.window.groups,
        it.inputs,
        it.outputs,
        pair(it.kernel),
        pair(it.image),
        pair(it.positions),
        pair(it.window.stride),
        pair(it.window.padding),
        pair(it.window.dilation)
    );
    let [inputs, outputs] = it.channels();
    let blocks = match it.part {
        ConvPart::Output => {
            w.line(format!("conv_output(team, {y}, {x}, {kernel}, {shape});"));
            (it.images * outputs * it.positions[0] * it.positions[1]).div_ceil(THREADS)
        }
        ConvPart::Input => {
            w.line(format!("conv_input(team, {x}, {y}, {kernel}, {shape});"));
            (it.images * inputs * it.image[0] * it.image[1]).div_ceil(THREADS)
        }
        ConvPart::Kernel => {
            w.line(format!("conv_kernel(team, shared, {kernel}, {x}, {y}, {shape});"));
            it.weights()
        }
    };
    Piece { w, blocks, small: it.multiplications() <= SMALL_PRODUCT }
}

/// A box from one layout into another.
fn shift(it: &Move) -> Piece {
    let mut w = Writer::default();
    w.header("move.cuh");
    let (from, to) = (w.pointer(it.from, it.dtype), w.pointer(it.to, it.dtype));
    let axes = if it.axes.is_empty() { vec![(1, 1, 1)] } else { it.axes.clone() };
    let ty = type_name(it.dtype);
    let rank = axes.len();
    let list = |of: fn(&(usize, usize, usize)) -> usize| {
        axes.iter().map(|axis| of(axis).to_string()).collect::<Vec<_>>().join(", ")
    };
    // A box without elements has an extent of 0.
    let extents = if it.empty { vec!["0"; rank].join(", ") } else { list(|axis| axis.0) };
    let shape = format!("Box<{rank}>{{{{{extents}}}, {{{}}}, {{{}}}}}", list(|axis| axis.1), list(|axis| axis.2));
    let elements: usize = axes.iter().map(|axis| axis.0).product();
    if let Some((whole, len)) = it.zero {
        let start = it.to.at - whole.at;
        let whole = w.pointer(whole, it.dtype);
        w.line(format!("place_box<decltype(team), {ty}, {rank}>(team, {whole}, {len}, {start}, {from}, {shape});"));
        return elementwise(w, len);
    }
    let turned = rank >= 2 && axes[rank - 1].2 == 1 && axes[rank - 1].1 != 1 && axes[rank - 2].1 == 1;
    if turned {
        w.line(format!("copy_turned<decltype(team), {ty}, {rank}>(team, shared, {to}, {from}, {shape});"));
    } else {
        w.line(format!("copy_box<decltype(team), {ty}, {rank}>(team, {to}, {from}, {shape});"));
    }
    elementwise(w, elements)
}

fn reduce(by: Reducer, layout: &Layout, call: &Call, tables: &mut Vec<Table>) -> Vec<Piece> {
    let results = call.to.len;
    let tag = reducer(by);
    let mut w = Writer::default();
    w.header("reduce.cuh");
    let (to, from) = (call.to(&mut w), call.arg(0, &mut w));
    match layout {
        Layout::Scattered { kept, reduced } => {
            let n = (kept.len(), reduced.len());
            let [kept, reduced] = [kept, reduced].map(|offsets| {
                let offsets =
                    offsets.iter().map(|&offset| u32::try_from(offset).expect("a tensor has fewer elements than 2³²"));
                w.table(Table::Offsets(offsets.collect()), tables)
            });
            let (kept, reduced) = (table_name(kept), table_name(reduced));
            w.line(format!(
                "reduce_scattered<{tag}>(team, shared, {to}, {from}, {kept}, {}, {reduced}, {});",
                n.0, n.1
            ));
            vec![Piece { w, blocks: n.0.div_ceil(32), small: n.0 * n.1 <= SMALL }]
        }
        &Layout::Regular { reduced, inner } => {
            let outer = results / inner.max(1);
            let shape = format!("{outer}, {reduced}, {inner}");
            let Some(parts) = call.workspace else {
                w.line(format!("reduce_regular<{tag}>(team, shared, {to}, {from}, {shape});"));
                let blocks = if inner > 1 { outer * inner.div_ceil(32) } else { outer };
                return vec![Piece { w, blocks, small: results * reduced <= SMALL }];
            };
            // All blocks share the few results.
            let blocks = results * reduced.div_ceil(TILE);
            let whole = w.pointer(parts.place, parts.dtype);
            let rest = Place { at: parts.place.at + results, ..parts.place };
            let rest = w.pointer(rest, parts.dtype);
            w.arrives = true;
            if matches!(by, Reducer::Sum | Reducer::Max | Reducer::Min) {
                w.line(format!("reduce_long<{tag}>(team, shared, {to}, {from}, {shape}, {rest}, arrived);"));
                return vec![Piece { w, blocks, small: false }];
            }
            let mut terms = w.clone();
            w.line(format!("reduce_long_extreme<{tag}>(team, shared, {whole}, {from}, {shape}, {rest}, arrived);"));
            terms.line(format!(
                "reduce_long_terms<{tag}>(team, shared, {to}, {from}, {shape}, {whole}, {rest}, arrived);"
            ));
            [w, terms].into_iter().map(|w| Piece { w, blocks, small: false }).collect()
        }
    }
}

/// The elements that a long reduction needs: the extreme of each result, and the parts.
fn long_workspace(results: usize, reduced: usize) -> Option<usize> {
    if reduced < LONG || results > FEW || results == 0 {
        return None;
    }
    // As `long_part` of kernels/reduce.cuh has it.
    let mut part = TILE;
    while part < reduced && results * reduced.div_ceil(part) > 4096 {
        part *= 2;
    }
    Some(results + results * reduced.div_ceil(part))
}

/// What a step needs beside operands and result: dtype and elements.
pub(in crate::exec::cuda) fn workspace(node: &Node) -> Option<(Dtype, usize)> {
    let dtype = node.ty.dtype;
    let results = node.ty.shape.numel();
    let row = node.ty.shape.0.last().copied().unwrap_or(1);
    match &node.op {
        _ if node.is_fold() => Some((dtype, node.arg_tys[0].shape.numel().div_ceil(TILE).max(1))),
        Op::Reduce { axes, .. } => {
            let adjacent = axes.last()? - axes.first()? + 1 == axes.len();
            let reduced = node.arg_tys[0].shape.numel() / results.max(1);
            let long = if adjacent { long_workspace(results, reduced) } else { None };
            long.map(|len| (dtype, len))
        }
        // As `argsort_workspace` of kernels/sort.cuh has it.
        Op::ArgSort => {
            let of = node.arg_tys[0].dtype;
            let fits = if of == Dtype::F32 { 2048 } else { 1024 };
            (row > fits).then_some((of, results))
        }
        _ => {
            // One block does what a routine does where it is part of a loop of one block.
            let kernels = linear::workspace(node).map_or(0, |(of, len)| of.bytes() * len);
            let routines = routine::workspace(node) * dtype.bytes();
            Some((dtype, kernels.max(routines).div_ceil(dtype.bytes()))).filter(|&(_, len)| len > 0)
        }
    }
}

/// The steps of one call.
fn other(single: &Single, call: &Call, tables: &mut Vec<Table>) -> Piece {
    let mut w = Writer::default();
    let to = call.to(&mut w);
    let rows = |row: usize| call.to.len / row.max(1);
    match *single {
        Single::ArgMax { row } => {
            w.header("argmax.cuh");
            let from = call.arg(0, &mut w);
            w.line(format!("argmax(team, shared, {to}, {from}, {}, {row});", call.to.len));
            by_rows(w, call.to.len, row)
        }
        Single::Sort { row } => {
            w.header("sort.cuh");
            let from = call.arg(0, &mut w);
            w.line(format!("sort(team, shared, {to}, {from}, {}, {row});", rows(row)));
            by_rows(w, rows(row), row)
        }
        Single::ArgSort { row } => {
            w.header("sort.cuh");
            let from = call.arg(0, &mut w);
            let workspace = match call.workspace {
                Some(array) => w.pointer(array.place, array.dtype),
                None => format!("({} *)nullptr", type_name(call.args[0].dtype)),
            };
            w.line(format!("argsort(team, shared, {to}, {from}, {workspace}, {}, {row});", rows(row)));
            by_rows(w, rows(row), row)
        }
        Single::CumSum { row, reverse } => {
            w.header("scan.cuh");
            let from = call.arg(0, &mut w);
            w.line(format!("cumsum(team, shared, {to}, {from}, {}, {row}, {reverse});", rows(row)));
            by_rows(w, rows(row), row)
        }
        Single::Iota { extent, inner } => {
            w.header("iota.cuh");
            w.line(format!("iota(team, {to}, {}, {extent}, {inner});", call.to.len));
            elementwise(w, call.to.len)
        }
        Single::Gather { width } => {
            w.header("gather.cuh");
            let (from, index) = (call.arg(0, &mut w), call.arg(1, &mut w));
            let there = call.args[0].len / width.max(1);
            w.line(format!("gather(team, {to}, {from}, {index}, {}, {there}, {width});", call.args[1].len));
            elementwise(w, call.to.len)
        }
        Single::ScatterAdd { width } => {
            w.header("gather.cuh");
            let (index, from) = (call.arg(0, &mut w), call.arg(1, &mut w));
            let count = call.args[0].len;
            w.line(format!("scatter_add(team, shared, {to}, {index}, {from}, {count}, {}, {width});", rows(width)));
            Piece { w, blocks: rows(width).div_ceil(32), small: call.to.len + count * width <= SMALL }
        }
        Single::Random { distribution, stream } => {
            w.header("random.cuh");
            let (key, step) = (call.arg(0, &mut w), call.arg(1, &mut w));
            let law = match distribution {
                Distribution::Normal => "Normal",
                Distribution::Uniform => "Uniform",
            };
            w.line(format!("random<{law}>(team, {to}, {}, {key}, {step}, {stream}u);", call.to.len));
            elementwise(w, call.to.len.div_ceil(4))
        }
        Single::SparseMatVec { transpose } => {
            w.header("sparse.cuh");
            let [starts, columns, values, x] = [0, 1, 2, 3].map(|k| call.arg(k, &mut w));
            let (rows, entries) = (call.args[0].len - 1, call.args[1].len);
            let results =
                if transpose { (call.to.len * rows).checked_div(call.args[3].len).unwrap_or(0) } else { rows };
            let width = call.to.len / results.max(1);
            if transpose {
                let [starts, rows, entries] = [0, 1, 2].map(|part| {
                    let by_columns =
                        Table::ByColumns { starts: call.args[0], columns: call.args[1], width: results, part };
                    table_name(w.table(by_columns, tables))
                });
                w.line(format!(
                    "sparse_multiply_transposed(team, shared, {to}, {starts}, {rows}, {entries}, {values}, {x}, {results}, {width});"
                ));
            } else {
                w.line(format!(
                    "sparse_multiply(team, shared, {to}, {starts}, {columns}, {values}, {x}, {results}, {width});"
                ));
            }
            Piece { w, blocks: call.to.len.div_ceil(32), small: call.to.len + entries * width <= SMALL }
        }
        _ => unreachable!("written by a file of its own"),
    }
}
