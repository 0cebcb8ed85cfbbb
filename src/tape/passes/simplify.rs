//! Identities that are exact in floating point, for NaN and infinities too. No sum or product is
//! re-associated.
//!
//! | written | becomes |
//! |---|---|
//! | `x·1`, `x/1`, `x − 0`, `x + (−0)` | `x` |
//! | `x + 0` | `x`, where `x` is never −0 (which would become 0) |
//! | `x·(−1)`, `x/(−1)` | `−x` |
//! | `−(−x)`, `a + (−b)`, `(−a) + b`, `a − (−b)`, `(−a)·(−b)` | `x`, `a − b`, `b − a`, `a + b`, `a·b` |
//! | `x·x`, `x^2`; `x^1` | `x²`; `x` |
//! | `(−x)²`, `│−x│`, `│x│²` | `x²`, `│x│`, `x²` |
//! | `c ? x : x` | `x` |
//! | `+ − · /` and negation of two constants | the constant that a device would compute |
//! | a function of repeated values | the repeated value of the function |
//! | repeat of repeat, reshape of reshape, transpose of transpose, slice of slice | one, or none |
//! | reshape, transpose, slice of a repeated scalar | a repeated scalar |
//! | slice of concat; concat of adjacent slices | slice of the part; one slice |
//! | slice of unslice of the same ranges | `x` |
//! | double of single to single | `x` |

use super::pattern::{as_unary, inst, is};
use super::rewrite::rewrite;
use crate::tape::builder::Builder;
use crate::tape::ir::{Binary, Dtype, Inst, Op, Program, Shape, Type, Unary, Value};
use crate::tape::ops::{Operand, Range, Reducer};

pub(super) fn simplify(program: &Program) -> Program {
    rewrite(program, simplified)
}

/// The value that stands for an instruction, if an identity applies.
fn simplified(b: &mut Builder, inst: &Inst) -> Option<Value> {
    match &inst.op {
        Op::Unary(_) | Op::Binary(_) => folded(b, inst).or_else(|| hoisted(b, inst)).or_else(|| elementwise(b, inst)),
        Op::Select => (inst.args[1] == inst.args[2]).then(|| inst.args[1]),
        Op::Broadcast { axes } => broadcast(b, inst, axes),
        Op::Reshape => reshape(b, inst),
        Op::Transpose { perm } => transpose(b, inst, perm),
        Op::Slice(ranges) => slice(b, inst, ranges),
        Op::Concat { axis } => concat(b, inst, *axis),
        Op::Cast => cast(b, inst),
        _ => None,
    }
}

/// Adds an instruction, simplified in its turn.
fn emit(b: &mut Builder, op: Op, args: Vec<Value>, ty: Type) -> Value {
    let inst = Inst { op, args, ty, origin: None };
    simplified(b, &inst).unwrap_or_else(|| b.push(inst.op, inst.args, inst.ty))
}

fn elementwise(b: &mut Builder, inst: &Inst) -> Option<Value> {
    let negated = |b: &Builder, value| as_unary(b, value, Unary::Neg);
    let again = |b: &mut Builder, op, args| Some(emit(b, op, args, inst.ty.clone()));
    match (&inst.op, &inst.args[..]) {
        (Op::Unary(Unary::Neg), &[x]) => negated(b, x),
        (Op::Unary(f @ (Unary::Square | Unary::Abs)), &[x]) => {
            let inner = negated(b, x).or_else(|| as_unary(b, x, Unary::Abs))?;
            again(b, Op::Unary(*f), vec![inner])
        }
        (Op::Binary(Binary::Add), &[x, y]) => match (negated(b, x), negated(b, y)) {
            (_, Some(y)) => again(b, Op::Binary(Binary::Sub), vec![x, y]),
            (Some(x), _) => again(b, Op::Binary(Binary::Sub), vec![y, x]),
            _ if is(b, y, -0.0) || is(b, y, 0.0) && never_minus_zero(b, x) => Some(x),
            _ if is(b, x, -0.0) || is(b, x, 0.0) && never_minus_zero(b, y) => Some(y),
            _ => None,
        },
        (Op::Binary(Binary::Sub), &[x, y]) => match negated(b, y) {
            Some(y) => again(b, Op::Binary(Binary::Add), vec![x, y]),
            None => is(b, y, 0.0).then_some(x),
        },
        (Op::Binary(Binary::Mul), &[x, y]) => match (negated(b, x), negated(b, y)) {
            (Some(x), Some(y)) => again(b, Op::Binary(Binary::Mul), vec![x, y]),
            _ if is(b, y, 1.0) => Some(x),
            _ if is(b, x, 1.0) => Some(y),
            _ if !inst.ty.dtype.is_float() => None,
            _ if is(b, y, -1.0) => again(b, Op::Unary(Unary::Neg), vec![x]),
            _ if is(b, x, -1.0) => again(b, Op::Unary(Unary::Neg), vec![y]),
            _ => (x == y).then(|| emit(b, Op::Unary(Unary::Square), vec![x], inst.ty.clone())),
        },
        (Op::Binary(Binary::Div), &[x, _]) if is(b, inst.args[1], 1.0) => Some(x),
        (Op::Binary(Binary::Div), &[x, _]) if is(b, inst.args[1], -1.0) => again(b, Op::Unary(Unary::Neg), vec![x]),
        (Op::Binary(Binary::Pow), &[x, _]) if is(b, inst.args[1], 1.0) => Some(x),
        (Op::Binary(Binary::Pow), &[x, _]) if is(b, inst.args[1], 2.0) => again(b, Op::Unary(Unary::Square), vec![x]),
        _ => None,
    }
}

/// Whether no element can be −0, from the instruction alone.
fn never_minus_zero(b: &Builder, value: Value) -> bool {
    match inst(b, value) {
        Inst { ty: Type { dtype: Dtype::Index, .. }, .. } => true,
        Inst { op: Op::Const(number), .. } => number.to_bits() != (-0.0f64).to_bits(),
        // The tree of a sum starts at +0.
        Inst { op: Op::Reduce { reducer: Reducer::Sum, .. }, .. } => true,
        Inst { op: Op::Unary(f), .. } => {
            matches!(f, Unary::Abs | Unary::Square | Unary::Exp | Unary::Sigmoid | Unary::Softplus | Unary::Step)
        }
        Inst { op: Op::Broadcast { .. } | Op::Reshape | Op::Transpose { .. } | Op::Slice(_), args, .. } => {
            never_minus_zero(b, args[0])
        }
        _ => false,
    }
}

/// Arithmetic on constants, rounded as a device rounds it: for these operations, a double rounded to
/// single is the single's own result.
fn folded(b: &mut Builder, inst: &Inst) -> Option<Value> {
    let folds =
        matches!(inst.op, Op::Unary(Unary::Neg) | Op::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div));
    let constants = inst.args.iter().map(|&arg| match b.program().insts[arg.index()].op {
        Op::Const(number) => Some(if inst.ty.dtype == Dtype::F32 { f64::from(number as f32) } else { number }),
        _ => None,
    });
    let constants: Vec<f64> = constants.collect::<Option<_>>().filter(|_| folds)?;
    let operands: Vec<Operand> =
        constants.iter().map(|x| Operand { ty: &inst.ty, x: std::slice::from_ref(x) }).collect();
    let value = inst.op.rule().eval(&operands, &inst.ty)[0];
    Some(b.constant(if inst.ty.dtype == Dtype::F32 { f64::from(value as f32) } else { value }, inst.ty.dtype))
}

/// A function of operands that are all repeated in the same way: the function first.
fn hoisted(b: &mut Builder, outer: &Inst) -> Option<Value> {
    let repeats: Vec<(Vec<usize>, Value)> = outer
        .args
        .iter()
        .map(|&arg| match inst(b, arg) {
            Inst { op: Op::Broadcast { axes }, args, .. } => Some((axes.clone(), args[0])),
            _ => None,
        })
        .collect::<Option<_>>()?;
    // A scalar repeats in any way.
    let (axes, whole) = repeats.iter().max_by_key(|(axes, _)| axes.len())?.clone();
    let shape = b.shape(whole).clone();
    if !repeats.iter().all(|(other, value)| other.is_empty() || *other == axes && *b.shape(*value) == shape) {
        return None;
    }
    let args: Vec<Value> =
        repeats.into_iter().map(|(_, value)| repeat(b, value, &Type::new(outer.ty.dtype, shape.clone()))).collect();
    let value = emit(b, outer.op.clone(), args, Type { dtype: outer.ty.dtype, shape });
    Some(emit(b, Op::Broadcast { axes }, vec![value], outer.ty.clone()))
}

/// A scalar repeated to a type; anything of that shape as it is.
fn repeat(b: &mut Builder, value: Value, ty: &Type) -> Value {
    if *b.shape(value) == ty.shape {
        return value;
    }
    emit(b, Op::Broadcast { axes: Vec::new() }, vec![value], ty.clone())
}

/// The scalar that a value repeats.
fn scalar(b: &Builder, value: Value) -> Option<Value> {
    let inst = inst(b, value);
    let repeats = matches!(&inst.op, Op::Broadcast { axes } if axes.is_empty());
    repeats.then(|| inst.args[0])
}

fn broadcast(b: &mut Builder, outer: &Inst, axes: &[usize]) -> Option<Value> {
    let x = outer.args[0];
    let inner = inst(b, x);
    if inner.ty == outer.ty {
        return Some(x);
    }
    let Op::Broadcast { axes: first } = &inner.op else { return None };
    let (axes, x) = (first.iter().map(|&axis| axes[axis]).collect(), inner.args[0]);
    Some(emit(b, Op::Broadcast { axes }, vec![x], outer.ty.clone()))
}

fn reshape(b: &mut Builder, outer: &Inst) -> Option<Value> {
    let x = outer.args[0];
    if *b.ty(x) == outer.ty {
        return Some(x);
    }
    if let Some(scalar) = scalar(b, x) {
        return Some(repeat(b, scalar, &outer.ty));
    }
    let inner = inst(b, x);
    let x = inner.args.first().copied().filter(|_| inner.op == Op::Reshape)?;
    Some(emit(b, Op::Reshape, vec![x], outer.ty.clone()))
}

fn transpose(b: &mut Builder, outer: &Inst, perm: &[usize]) -> Option<Value> {
    let x = outer.args[0];
    if perm.is_sorted() {
        return Some(x);
    }
    if let Some(scalar) = scalar(b, x) {
        return Some(repeat(b, scalar, &outer.ty));
    }
    let Inst { op: Op::Transpose { perm: first }, args, .. } = inst(b, x) else { return None };
    let (perm, x) = (perm.iter().map(|&axis| first[axis]).collect(), args[0]);
    Some(emit(b, Op::Transpose { perm }, vec![x], outer.ty.clone()))
}

fn slice(b: &mut Builder, outer: &Inst, ranges: &[Range]) -> Option<Value> {
    let x = outer.args[0];
    if *b.ty(x) == outer.ty && ranges.iter().all(|range| range.step == 1) {
        return Some(x);
    }
    if let Some(scalar) = scalar(b, x) {
        return Some(repeat(b, scalar, &outer.ty));
    }
    let inner = inst(b, x).clone();
    match &inner.op {
        Op::Slice(first) => {
            let compose = |(second, first): (&Range, &Range)| Range {
                start: first.start + second.start * first.step,
                len: second.len,
                step: first.step * second.step,
            };
            let ranges = ranges.iter().zip(first).map(compose).collect();
            Some(emit(b, Op::Slice(ranges), vec![inner.args[0]], outer.ty.clone()))
        }
        Op::Unslice(placed) => (placed == ranges).then(|| inner.args[0]),
        Op::Concat { axis } => {
            let mut begin = 0;
            for &part in &inner.args {
                let end = begin + b.shape(part).0[*axis];
                if ranges[*axis].start >= begin && ranges[*axis].stop() <= end {
                    let mut ranges = ranges.to_vec();
                    ranges[*axis].start -= begin;
                    return Some(emit(b, Op::Slice(ranges), vec![part], outer.ty.clone()));
                }
                begin = end;
            }
            None
        }
        _ => None,
    }
}

/// Neighbours that are adjacent slices of one value become one slice.
fn concat(b: &mut Builder, outer: &Inst, axis: usize) -> Option<Value> {
    if let [only] = outer.args[..] {
        return Some(only);
    }
    let mut parts: Vec<Value> = Vec::new();
    for &part in &outer.args {
        match parts.last().and_then(|&last| adjacent(b, last, part, axis)) {
            Some((ranges, whole)) => {
                let last = parts.last_mut().expect("adjacent to the last part");
                let mut ty = outer.ty.clone();
                ty.shape = Shape(ranges.iter().map(|range| range.len).collect());
                *last = emit(b, Op::Slice(ranges), vec![whole], ty);
            }
            None => parts.push(part),
        }
    }
    (parts.len() < outer.args.len()).then(|| emit(b, Op::Concat { axis }, parts, outer.ty.clone()))
}

/// The ranges of two slices joined, if the second starts where the first stops.
fn adjacent(b: &Builder, first: Value, second: Value, axis: usize) -> Option<(Vec<Range>, Value)> {
    let (first, second) = (inst(b, first), inst(b, second));
    let (Op::Slice(left), Op::Slice(right)) = (&first.op, &second.op) else { return None };
    let mut joined = left.clone();
    joined[axis].len += right[axis].len;
    let same = |other: usize| other == axis || left[other] == right[other];
    let meets = left[axis].step == 1 && right[axis].step == 1 && left[axis].start + left[axis].len == right[axis].start;
    (first.args == second.args && meets && (0..left.len()).all(same)).then(|| (joined, first.args[0]))
}

/// Single to double and back.
fn cast(b: &mut Builder, outer: &Inst) -> Option<Value> {
    let inner = inst(b, outer.args[0]);
    if inner.ty == outer.ty {
        return Some(outer.args[0]);
    }
    let x = inner.args.first().copied().filter(|_| inner.op == Op::Cast && inner.ty.dtype == Dtype::F64)?;
    (*b.ty(x) == outer.ty && outer.ty.dtype == Dtype::F32).then_some(x)
}
