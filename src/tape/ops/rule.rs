//! What every op says of itself, and which file says it for which op.

use super::Op;
use super::{
    argmax, assignment, broadcast, cast, cholesky, concat, constant, conv, cumsum, elementwise, gather, grid, input,
};
use super::{iota, iterate, matmul, pav, random, reduce, reshape, slice, sort, sparse, sparse_factor, svd, symmetric};
use super::{taut_string, transpose};
use crate::tape::{Builder, Type, Value};

/// An operand of the reference evaluation: every number as a double, which holds an index exactly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand<'a> {
    pub ty: &'a Type,
    pub x: &'a [f64],
}

/// Where a derivative is taken: an instruction's operands and its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    pub args: &'a [Value],
    pub y: Value,
}

/// An op: one file implements this.
pub(crate) trait Rule {
    /// The shape rule: why these operands don't give a value of this type.
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String>;

    /// The value, in doubles, written to be read. Operands and type have passed `check`.
    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64>;

    /// Reverse derivative: the part of operand `k`'s cotangent that comes from the result's, as ops.
    /// `None` where it is zero. Asked only for operands of a floating type. An op without a derivative leaves
    /// it as it is here.
    fn vjp(&self, b: &mut Builder, at: Site, k: usize, _cotangent: Value) -> Option<Value> {
        no_derivative(b, at.args[k])
    }

    /// Forward derivative: the result's tangent from the operands' (`None` is zero), as ops. An op without a
    /// derivative leaves it as it is here.
    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        tangents.iter().flatten().next().and_then(|_| no_derivative(b, at.y))
    }

    /// Whether it has a derivative by operand `k`; where not, both derivatives are NaN.
    fn differentiable(&self, _k: usize) -> bool {
        true
    }
}

impl Op {
    /// The op's file.
    pub(crate) fn rule(&self) -> Box<dyn Rule + '_> {
        match self {
            Op::Input(_) => Box::new(input::Input),
            Op::Const(value) => Box::new(constant::Const(*value)),
            Op::Unary(f) => Box::new(elementwise::Unary(*f)),
            Op::Binary(f) => Box::new(elementwise::Binary(*f)),
            Op::Select => Box::new(elementwise::Select),
            Op::Broadcast { axes } => Box::new(broadcast::Broadcast { axes }),
            Op::Reduce { reducer, axes } => Box::new(reduce::Reduce { reducer: *reducer, axes }),
            Op::ArgMax => Box::new(argmax::ArgMax),
            Op::Sort => Box::new(sort::Sort),
            Op::ArgSort => Box::new(sort::ArgSort),
            Op::CumSum { reverse } => Box::new(cumsum::CumSum { reverse: *reverse }),
            Op::Iota { axis } => Box::new(iota::Iota { axis: *axis }),
            Op::MatMul { ta, tb } => Box::new(matmul::MatMul { ta: *ta, tb: *tb }),
            Op::Conv { part, window } => Box::new(conv::Conv { part: *part, window: *window }),
            Op::Reshape => Box::new(reshape::Reshape),
            Op::Transpose { perm } => Box::new(transpose::Transpose { perm }),
            Op::Slice(ranges) => Box::new(slice::Slice { ranges }),
            Op::Unslice(ranges) => Box::new(slice::Unslice { ranges }),
            Op::Concat { axis } => Box::new(concat::Concat { axis: *axis }),
            Op::Gather => Box::new(gather::Gather),
            Op::ScatterAdd => Box::new(gather::ScatterAdd),
            Op::Cast => Box::new(cast::Cast),
            Op::Random { distribution, stream } => {
                Box::new(random::Random { distribution: *distribution, stream: *stream })
            }
            Op::Cholesky => Box::new(cholesky::Cholesky),
            Op::CholeskySolve => Box::new(cholesky::CholeskySolve),
            Op::SparseMatVec { transpose } => Box::new(sparse::SparseMatVec { transpose: *transpose }),
            Op::SparseFactor(symbolic) => Box::new(sparse_factor::SparseFactor(symbolic)),
            Op::SparseSolve(symbolic) => Box::new(sparse_factor::SparseSolve(symbolic)),
            Op::Grid { transform, inverse } => Box::new(grid::Grid { transform: *transform, inverse: *inverse }),
            Op::SymmetricEigenvalues => Box::new(symmetric::Eigenvalues),
            Op::SymmetricEigen => Box::new(symmetric::Eigen),
            Op::Svd => Box::new(svd::Svd),
            Op::Pav => Box::new(pav::Pav),
            Op::Assignment => Box::new(assignment::Assignment),
            Op::TautString => Box::new(taut_string::TautString),
            Op::Iterate(iteration) => Box::new(iterate::Iterate(iteration)),
            Op::PsdSqrt => Box::new(symmetric::PsdSqrt),
        }
    }
}

/// The op at `at` once more, with operand `k` replaced: the tangent of an op that is linear in it.
pub(crate) fn linear(b: &mut Builder, at: Site, k: usize, tangent: Value) -> Value {
    let inst = b.program().insts[at.y.index()].clone();
    let mut args = inst.args;
    args[k] = tangent;
    b.push(inst.op, args, inst.ty)
}

/// A tangent that is the sum of its parts.
pub(crate) fn total(b: &mut Builder, parts: impl IntoIterator<Item = Option<Value>>) -> Option<Value> {
    parts.into_iter().flatten().reduce(|sum, part| b.add(sum, part))
}

/// The cotangent or tangent that stands where an op has no derivative: NaN, which is seen.
pub(crate) fn no_derivative(b: &mut Builder, like: Value) -> Option<Value> {
    Some(b.constant_like(f64::NAN, like))
}

/// Fails with a sentence unless `holds`.
pub(crate) fn ensure(holds: bool, sentence: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(sentence()) }
}

/// Fails unless there are exactly `N` operands.
pub(crate) fn operands<'a, const N: usize>(args: &[&'a Type]) -> Result<[&'a Type; N], String> {
    args.try_into().map_err(|_| format!("takes {N} operands, has {}", args.len()))
}

/// Fails unless a type is what the rule says.
pub(crate) fn ensure_type(ty: &Type, rule: &Type) -> Result<(), String> {
    ensure(ty == rule, || format!("gives {rule}, not {ty}"))
}

/// Fails unless the type is floating.
pub(crate) fn ensure_float(ty: &Type) -> Result<(), String> {
    ensure(ty.dtype.is_float(), || format!("{ty} is not floating"))
}

/// Fails unless the type is a floating square matrix; gives its order.
pub(crate) fn square(ty: &Type) -> Result<usize, String> {
    ensure_float(ty)?;
    match ty.shape.0[..] {
        [rows, columns] if rows == columns => Ok(rows),
        _ => Err(format!("{ty} is not a square matrix")),
    }
}

/// Offsets of all elements of a box, row-major: element `i` lies at `start + Σ iₐ · strides[a]`.
pub(crate) fn offsets(extents: &[usize], strides: &[usize], start: usize) -> Vec<usize> {
    let mut all = vec![start];
    for (&extent, &stride) in extents.iter().zip(strides) {
        all = all.iter().flat_map(|&offset| (0..extent).map(move |i| offset + i * stride)).collect();
    }
    all
}
