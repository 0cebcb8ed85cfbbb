//! What every value of a program lies between, whatever its inputs are within their own bounds: interval
//! arithmetic (Moore, Interval Analysis, 1966) in the working precision.
//!
//! ```text
//! x ∈ [l, h], f rising   ⟹   fl(f(x)) ∈ [fl(f(l)), fl(f(h))]
//! ```
//!
//! A rounding keeps the order of numbers, so ends that are rounded as the program rounds bound what it
//! computes and not what it means: σ ends at 1 in singles, and `1 − σ` at 0, though neither does over the
//! reals. Of point inputs the hull is the value that is computed, but for the order of sums. A value that may
//! not be a number has a hull of those results that are; what no rule is known of lies in [`Hull::ANY`].

mod elementwise;
#[cfg(test)]
mod tests;

use super::ir::{Binary, Dtype, Inst, Op, Program, Shape, Unary, Value};
use super::ops::{ConvPart, Distribution, Reducer};

/// All elements of a value lie between these, both included; ends may be infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hull {
    /// None is below.
    pub low: f64,
    /// None is above.
    pub high: f64,
}

impl Hull {
    /// Nothing is known.
    pub const ANY: Hull = Hull { low: f64::NEG_INFINITY, high: f64::INFINITY };
    /// `[0, 1]`
    pub const UNIT: Hull = Hull { low: 0.0, high: 1.0 };

    /// Between two numbers; an end that is none is no bound.
    pub fn new(low: f64, high: f64) -> Hull {
        let or = |x: f64, otherwise: f64| if x.is_nan() { otherwise } else { x };
        Hull { low: or(low, f64::NEG_INFINITY), high: or(high, f64::INFINITY) }
    }

    /// One number.
    pub fn point(x: f64) -> Hull {
        Hull::new(x, x)
    }

    /// From the least to the greatest of some numbers; none where there are none.
    pub fn of(numbers: &[f64]) -> Option<Hull> {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = numbers.iter().fold(ends, |(low, high), &x| (low.min(x), high.max(x)));
        (low <= high).then_some(Hull { low, high })
    }

    /// What lies in one of two.
    pub fn or(self, other: Hull) -> Hull {
        Hull { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// Whether a number lies in it.
    pub fn holds(self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    /// Both ends as numbers of that type.
    pub fn rounded(self, dtype: Dtype) -> Hull {
        Hull::new(round(self.low, dtype), round(self.high, dtype))
    }
}

/// The nearest number of that type.
pub(super) fn round(x: f64, dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F32 => f64::from(x as f32),
        Dtype::F64 | Dtype::Index => x,
    }
}

/// The hull of every value of a program; `inputs` are those of its inputs, in order.
pub fn hulls(program: &Program, inputs: &[Hull]) -> Vec<Hull> {
    hulls_where(program, inputs, None)
}

/// The same, one value being pinned to a hull instead of what its instruction gives.
pub fn hulls_where(program: &Program, inputs: &[Hull], pinned: Option<(Value, Hull)>) -> Vec<Hull> {
    let mut hulls: Vec<Hull> = Vec::with_capacity(program.insts.len());
    for (at, inst) in program.insts.iter().enumerate() {
        let hull = match (&inst.op, pinned) {
            (_, Some((value, hull))) if value.index() == at => hull,
            (Op::Input(input), _) => inputs.get(*input as usize).copied().unwrap_or(Hull::ANY),
            _ => applied(program, inst, &hulls),
        };
        hulls.push(hull.rounded(inst.ty.dtype));
    }
    hulls
}

fn applied(program: &Program, inst: &Inst, hulls: &[Hull]) -> Hull {
    let arg = |k: usize| hulls[inst.args[k].index()];
    let shape = |k: usize| &program.ty(inst.args[k]).shape;
    let all = || inst.args.iter().map(|arg| hulls[arg.index()]).reduce(Hull::or).unwrap_or(Hull::ANY);
    match &inst.op {
        Op::Const(x) => Hull::point(*x),
        Op::Unary(f) => elementwise::unary(*f, arg(0), inst.ty.dtype),
        Op::Binary(f) => binary(program, inst, *f, hulls),
        Op::Select => arg(1).or(arg(2)),
        Op::Broadcast { .. } | Op::Reshape | Op::Transpose { .. } | Op::Slice(_) | Op::Sort | Op::Concat { .. } => {
            all()
        }
        Op::Cast => arg(0),
        Op::Gather => arg(0),
        Op::Unslice(_) => arg(0).or(Hull::point(0.0)),
        Op::ScatterAdd => sum(arg(1), 0, shape(1).numel()),
        Op::Reduce { reducer, axes } => reduced(*reducer, arg(0), axes.iter().map(|&axis| shape(0).0[axis]).product()),
        Op::CumSum { .. } => sum(arg(0), 1, shape(0).0.last().copied().unwrap_or(1)),
        Op::MatMul { ta, .. } => {
            let inner = shape(0).0[usize::from(!ta)];
            // xᵀx of one column.
            let squares = inst.ty.shape.numel() == 1 && source(program, inst.args[0]) == source(program, inst.args[1]);
            let product = if squares { elementwise::square(arg(0)) } else { elementwise::times(arg(0), arg(1)) };
            sum(product, inner, inner)
        }
        Op::SparseMatVec { .. } => {
            // A row has from none of the entries to all of them.
            sum(elementwise::times(arg(2), arg(3)), 0, shape(2).numel().min(shape(3).numel()))
        }
        Op::Conv { part, .. } => sum(elementwise::times(arg(0), arg(1)), 0, taps(*part, shape(0), shape(1))),
        Op::Random { distribution: Distribution::Uniform, .. } => Hull::UNIT,
        Op::ArgMax | Op::ArgSort | Op::Iota { .. } => Hull::new(0.0, f64::INFINITY),
        _ => Hull::ANY,
    }
}

fn binary(program: &Program, inst: &Inst, f: Binary, hulls: &[Hull]) -> Hull {
    let [a, b] = [0, 1].map(|k| hulls[inst.args[k].index()]);
    let same = inst.args[0] == inst.args[1];
    match f {
        Binary::Mul if same => elementwise::square(a),
        Binary::Sub if same => Hull::point(0.0),
        Binary::Sub if is_log_sum(program, inst.args[1], inst.args[0]) => Hull::new(a.low - b.high, 0.0),
        _ => elementwise::binary(f, a, b),
    }
}

/// Whether a value is `log Σ eˣ` of `x`, repeated or not.
fn is_log_sum(program: &Program, value: Value, x: Value) -> bool {
    let inst = &program.insts[value.index()];
    match &inst.op {
        Op::Reduce { reducer: Reducer::LogSumExp, .. } => source(program, inst.args[0]) == source(program, x),
        Op::Broadcast { .. } | Op::Reshape => is_log_sum(program, inst.args[0], x),
        _ => false,
    }
}

/// What was moved, without a change of its numbers, to give a value.
fn source(program: &Program, value: Value) -> Value {
    let inst = &program.insts[value.index()];
    match &inst.op {
        Op::Reshape | Op::Transpose { .. } => source(program, inst.args[0]),
        _ => value,
    }
}

/// Sums of at least `least` and at most `most` such numbers.
fn sum(x: Hull, least: usize, most: usize) -> Hull {
    let of = |x: f64, times: usize| if times == 0 { 0.0 } else { x * times as f64 };
    let (few, many) = (Hull::new(of(x.low, least), of(x.high, least)), Hull::new(of(x.low, most), of(x.high, most)));
    few.or(many)
}

fn reduced(reducer: Reducer, x: Hull, n: usize) -> Hull {
    match reducer {
        Reducer::Sum => sum(x, n, n),
        Reducer::Max | Reducer::Min => x,
        Reducer::LogSumExp => Hull::new(x.low + (n as f64).ln(), x.high + (n as f64).ln()),
        Reducer::Norm2 => {
            let (size, root) = (elementwise::unary(Unary::Abs, x, Dtype::F64), (n as f64).sqrt());
            Hull::new(size.low * root, size.high * root)
        }
    }
}

/// Products that an element of a convolution adds up, at most.
fn taps(part: ConvPart, a: &Shape, b: &Shape) -> usize {
    match part {
        ConvPart::Output => b.0[1..].iter().product(),
        ConvPart::Input => b.numel(),
        ConvPart::Kernel => a.numel().min(b.numel()),
    }
}
