//! Running a plan, a step after the other.
#![allow(unsafe_code)]

use faer::traits::RealField;

use super::isa::Isa;
use super::math::Real;
use super::memory::{Element, Memory};
use super::pool::Pool;
use super::sweep::{self, Scratch};
use super::{conv, dense, factor, iterate, matching, matmul, movement, random, reduce, regression, scan, sparse};
use crate::exec::plan::{Array, Layout, Move, Plan, Single, Step};
use crate::tape::Dtype;
use crate::tape::ops::Reducer;

/// Elements from which a step is shared among threads.
const SHARED: usize = 1 << 18;

/// Results that a thread takes at a time: a multiple of a strip of columns, and of a block of random
/// words.
const CHUNK: usize = 256;

/// Runs a plan.
///
/// SAFETY (of the callers): the memory's bases are those the plan was made for, each with all of its
/// elements, and nobody else uses them or the scratch, which has what the plan asks for, for each thread.
pub(super) unsafe fn run(plan: &Plan, memory: Memory, scratch: Scratch, pool: &Pool, isa: Isa) {
    for step in &plan.steps {
        // SAFETY: the caller's, for every step of the plan.
        unsafe {
            match step {
                Step::Sweep(sweep) => sweep::run(sweep, memory, scratch, pool, isa),
                Step::MatMul(product) => match product.dtype {
                    Dtype::F32 => matmul::run::<f32>(product, memory, pool),
                    _ => matmul::run::<f64>(product, memory, pool),
                },
                Step::Conv(it) => match it.dtype {
                    Dtype::F32 => conv::run::<f32>(it, memory, scratch, pool),
                    _ => conv::run::<f64>(it, memory, scratch, pool),
                },
                Step::Iterate(it) => iterate::run(it, memory, scratch, pool, isa),
                Step::Move(it) => match it.dtype {
                    Dtype::F32 => shift::<f32>(it, memory),
                    Dtype::F64 => shift::<f64>(it, memory),
                    Dtype::Index => shift::<u32>(it, memory),
                },
                Step::Single { single, args, to, workspace } => match (single, to.dtype) {
                    (Single::ArgMax { row }, _) => {
                        let y = memory.write(to.place, to.len);
                        match args[0].dtype {
                            Dtype::F32 => movement::argmax(y, read::<f32>(memory, args[0]), *row),
                            _ => movement::argmax(y, read::<f64>(memory, args[0]), *row),
                        }
                    }
                    (Single::ArgSort { row }, _) => {
                        let y = memory.write(to.place, to.len);
                        match args[0].dtype {
                            Dtype::F32 => scan::argsort(y, read::<f32>(memory, args[0]), *row),
                            _ => scan::argsort(y, read::<f64>(memory, args[0]), *row),
                        }
                    }
                    (Single::Grid { plan, inverse, .. }, _) => plan.run(memory, args[0], *to, *workspace, *inverse),
                    (_, Dtype::F32) => float::<f32>(single, args, *to, *workspace, memory, pool, isa),
                    (_, Dtype::F64) => float::<f64>(single, args, *to, *workspace, memory, pool, isa),
                    (_, Dtype::Index) => index(single, args, *to, memory),
                },
            }
        }
    }
}

/// SAFETY (of the callers): the array is read by the step under way.
unsafe fn read<'a, T: Element>(memory: Memory<'a>, array: Array) -> &'a [T] {
    // SAFETY: passed on.
    unsafe { memory.read(array.place, array.len) }
}

/// SAFETY (of the callers): the move is a step of the memory's plan.
unsafe fn shift<T: Element>(it: &Move, memory: Memory) {
    // SAFETY: the move reads and writes within these extents, apart from each other.
    unsafe {
        if let Some((place, len)) = it.zero {
            memory.write::<T>(place, len).fill(T::default());
        }
        if !it.empty {
            let (mut read, mut written) = (1, 1);
            for &(n, from, to) in &it.axes {
                read += (n - 1) * from;
                written += (n - 1) * to;
            }
            movement::copy_box::<T>(memory.read(it.from, read), memory.write(it.to, written), &it.axes);
        }
    }
}

/// A step that makes floats.
///
/// SAFETY (of the callers): the step is one of the memory's plan.
unsafe fn float<T: Real + RealField>(
    single: &Single,
    args: &[Array],
    to: Array,
    workspace: Option<Array>,
    memory: Memory,
    pool: &Pool,
    isa: Isa,
) {
    // SAFETY: a step's target overlaps none of its operands.
    let (y, x) = unsafe { (memory.write::<T>(to.place, to.len), |k: usize| read::<T>(memory, args[k])) };
    // SAFETY: the verifier says which operands are indices.
    let indices = |k: usize| unsafe { read::<u32>(memory, args[k]) };
    // SAFETY: a workspace is the step's alone.
    let work: &mut [f64] = workspace.map_or(&mut [], |array| unsafe { memory.write(array.place, array.len) });
    match *single {
        Single::Reduce { reducer, layout: Layout::Regular { reduced, inner } } => {
            regular(reducer, y, x(0), reduced, inner, pool, isa);
        }
        Single::Reduce { reducer, layout: Layout::Scattered { ref kept, ref reduced } } => {
            let x = x(0);
            for (y, start) in y.iter_mut().zip(kept) {
                *y = reduce::scattered(reducer, reduced.len(), |r| x[start + reduced[r]]);
            }
        }
        Single::Gather { width } => movement::gather(y, x(0), indices(1), width, T::of(f64::NAN)),
        Single::ScatterAdd { width } => movement::scatter_add(y, indices(0), x(1), width),
        Single::Random { distribution, stream } => {
            let (key, step) = (indices(0), indices(1)[0]);
            let shared = y.len() >= SHARED / 8;
            pool.each_chunk(y, 16 * CHUNK, shared, |start, y| {
                random::fill(isa, distribution, [key[0], key[1]], [step, stream], start, y);
            });
        }
        Single::Cholesky { n } => dense::cholesky(y, x(0), n, factor::stack(work)),
        Single::CholeskySolve { n } => dense::cholesky_solve(y, x(0), x(1), n),
        Single::SparseMatVec { transpose } => {
            let matrix = sparse::Csr { starts: indices(0), columns: indices(1), values: x(2) };
            if transpose { matrix.multiply_transposed(y, x(3)) } else { matrix.multiply(y, x(3), pool) }
        }
        Single::SparseFactor(ref symbolic) => factor::factor(symbolic, y, x(0), work),
        Single::SparseSolve(ref symbolic) => factor::solve(symbolic, y, x(0), x(1), work),
        Single::SymmetricEigenvalues { n } => dense::symmetric_eigenvalues(y, x(0), n),
        Single::SymmetricEigen { n } => dense::symmetric_eigen(y, x(0), n),
        Single::Svd { rows, columns } => dense::svd(y, x(0), rows, columns),
        Single::Isotonic { row } => regression::isotonic(y, x(0), x(1), row, work),
        Single::Assignment { n } => matching::assignment(y, x(0), n, work),
        Single::TautString { row } => regression::taut_string(y, x(0), x(1)[0], row, work),
        Single::PsdSqrt { n } => dense::psd_sqrt(y, x(0), n),
        Single::Sort { row } => scan::sort(y, x(0), row),
        Single::CumSum { row, reverse } => scan::cumsum(y, x(0), row, reverse),
        Single::ArgMax { .. } | Single::ArgSort { .. } | Single::Iota { .. } => unreachable!("positions are indices"),
        Single::Grid { .. } => unreachable!("a grid's plan knows its type"),
    }
}

/// Rows or columns that lie regularly, shared among threads by blocks of results.
fn regular<T: Real>(reducer: Reducer, y: &mut [T], x: &[T], reduced: usize, inner: usize, pool: &Pool, isa: Isa) {
    let shared = x.len() >= SHARED;
    if inner == 1 {
        pool.each_chunk(y, CHUNK, shared, |start, y| {
            let rows = y.iter_mut().zip(start..);
            rows.for_each(|(y, row)| *y = reduce::row(isa, reducer, &x[row * reduced..][..reduced]));
        });
    } else if inner >= CHUNK {
        for (outer, y) in y.chunks_mut(inner).enumerate() {
            let x = &x[outer * reduced * inner..][..reduced * inner];
            let shared = x.len() >= SHARED;
            pool.each_chunk(y, CHUNK, shared, |first, y| reduce::columns(isa, reducer, y, x, inner, first));
        }
    } else if inner > 0 {
        let blocks = inner * (CHUNK / inner);
        pool.each_chunk(y, blocks, shared, |start, y| {
            for (outer, y) in y.chunks_mut(inner).enumerate() {
                let x = &x[(start + outer * inner) * reduced..][..reduced * inner];
                reduce::columns(isa, reducer, y, x, inner, 0);
            }
        });
    }
}

/// A step that makes indices.
///
/// SAFETY (of the callers): the step is one of the memory's plan.
unsafe fn index(single: &Single, args: &[Array], to: Array, memory: Memory) {
    // SAFETY: a step's target overlaps none of its operands.
    let (y, x) = unsafe { (memory.write::<u32>(to.place, to.len), |k: usize| read::<u32>(memory, args[k])) };
    let sum = |elements: &mut dyn Iterator<Item = u32>| elements.fold(0, u32::wrapping_add);
    match single {
        Single::Iota { extent, inner } => movement::iota(y, *extent, *inner),
        Single::Gather { width } => movement::gather(y, x(0), x(1), *width, 0),
        Single::Reduce { layout: Layout::Regular { reduced, inner }, .. } => {
            let x = x(0);
            for (k, y) in y.iter_mut().enumerate() {
                let (outer, column) = (k / inner, k % inner);
                *y = sum(&mut (0..*reduced).map(|r| x[(outer * reduced + r) * inner + column]));
            }
        }
        Single::Reduce { layout: Layout::Scattered { kept, reduced }, .. } => {
            let x = x(0);
            for (y, start) in y.iter_mut().zip(kept) {
                *y = sum(&mut reduced.iter().map(|r| x[start + r]));
            }
        }
        _ => unreachable!("{single:?} makes no indices"),
    }
}
