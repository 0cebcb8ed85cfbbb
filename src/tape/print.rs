//! The text of a program: inputs in the header, a line an instruction, outputs in the footer.
//!
//! ```text
//! program shrink(%0 v: f64[3], %1 t: f64) {
//!   %2: f64[3] = broadcast %1 along []
//!   %3: f64[3] = min %0, %2
//!   return z = %3
//! }
//! ```
//!
//! A transposed operand carries a prime; a range of a slice is `start:stop`, or `start:stop:step`.

use std::fmt;

use super::ir::{Dtype, Inst, Op, Program, Value};
use super::ops::{ConvPart, Distribution, Range, Window};
use crate::linalg::transform::Transform;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "program {}(", self.name)?;
        for (position, input) in self.inputs.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}: {}", input.value, input.name, self.ty(input.value))?;
        }
        writeln!(f, ") {{")?;
        for (index, inst) in self.insts.iter().enumerate() {
            if !matches!(inst.op, Op::Input(_)) {
                writeln!(f, "  {}: {inst}", Value(index as u32))?;
            }
        }
        write!(f, "  return")?;
        for (position, output) in self.outputs.iter().enumerate() {
            write!(f, "{} {} = {}", if position > 0 { "," } else { "" }, output.name, output.value)?;
        }
        writeln!(f, "\n}}")
    }
}

/// Type, op, operands and attributes; what defines the value is for the program to say.
impl fmt::Display for Inst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.ty, self.op.name())?;
        let primes = match self.op {
            Op::MatMul { ta, tb } => [ta, tb],
            Op::SparseMatVec { transpose } => [transpose, false],
            _ => [false; 2],
        };
        for (position, arg) in self.args.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            let prime = if primes.get(position) == Some(&true) { "'" } else { "" };
            write!(f, "{comma} {arg}{prime}")?;
        }
        match &self.op {
            Op::Input(position) => write!(f, " {position}"),
            Op::Const(value) if self.ty.dtype == Dtype::Index => write!(f, " {value}"),
            Op::Const(value) => write!(f, " {value:?}"),
            Op::Broadcast { axes } => write!(f, " along {axes:?}"),
            Op::Reduce { axes, .. } => write!(f, " over {axes:?}"),
            Op::Transpose { perm } => write!(f, " by {perm:?}"),
            Op::Slice(ranges) | Op::Unslice(ranges) => write_ranges(f, ranges),
            Op::Concat { axis } | Op::Iota { axis } => write!(f, " along {axis}"),
            Op::CumSum { reverse } => write!(f, "{}", if *reverse { " from the end" } else { "" }),
            Op::Iterate(it) => {
                let body = it.body.to_string();
                write!(
                    f,
                    " carrying {} up to {} times\n    {}",
                    it.carried,
                    it.count,
                    body.trim_end().replace('\n', "\n    ")
                )
            }
            Op::Random { stream, .. } => write!(f, " stream {stream}"),
            Op::Conv { window, .. } => write_window(f, window),
            Op::SparseFactor(symbolic) | Op::SparseSolve(symbolic) => {
                write!(f, " of {symbolic:?}, #{:016x}", symbolic.fingerprint())
            }
            Op::Unary(_)
            | Op::Binary(_)
            | Op::Select
            | Op::ArgMax
            | Op::Sort
            | Op::ArgSort
            | Op::MatMul { .. }
            | Op::Reshape
            | Op::Gather
            | Op::ScatterAdd
            | Op::Cast
            | Op::Cholesky
            | Op::CholeskySolve
            | Op::SparseMatVec { .. }
            | Op::Grid { .. }
            | Op::SymmetricEigenvalues
            | Op::SymmetricEigen
            | Op::Svd
            | Op::Pav
            | Op::Assignment
            | Op::TautString
            | Op::PsdSqrt => Ok(()),
        }
    }
}

fn write_ranges(f: &mut fmt::Formatter<'_>, ranges: &[Range]) -> fmt::Result {
    write!(f, " [")?;
    for (axis, range) in ranges.iter().enumerate() {
        let comma = if axis > 0 { ", " } else { "" };
        write!(f, "{comma}{}:{}", range.start, range.stop())?;
        if range.step != 1 {
            write!(f, ":{}", range.step)?;
        }
    }
    write!(f, "]")
}

/// Strides, and what differs from a plain window.
fn write_window(f: &mut fmt::Formatter<'_>, window: &Window) -> fmt::Result {
    let [down, across] = window.stride;
    write!(f, " by {down}×{across}")?;
    if window.padding != [0, 0] {
        write!(f, " padding {}×{}", window.padding[0], window.padding[1])?;
    }
    if window.dilation != [1, 1] {
        write!(f, " dilation {}×{}", window.dilation[0], window.dilation[1])?;
    }
    if window.groups != 1 {
        write!(f, " groups {}", window.groups)?;
    }
    Ok(())
}

impl Op {
    /// The op's word in the text.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input(_) => "input",
            Op::Const(_) => "const",
            Op::Unary(f) => f.function().name,
            Op::Binary(f) => f.function().name,
            Op::Select => "select",
            Op::Broadcast { .. } => "broadcast",
            Op::Reduce { reducer, .. } => reducer.name(),
            Op::ArgMax => "argmax",
            Op::Sort => "sort",
            Op::ArgSort => "argsort",
            Op::CumSum { .. } => "cumsum",
            Op::Iota { .. } => "iota",
            Op::MatMul { .. } => "matmul",
            Op::Conv { part: ConvPart::Output, .. } => "conv",
            Op::Conv { part: ConvPart::Input, .. } => "conv_transpose",
            Op::Conv { part: ConvPart::Kernel, .. } => "conv_kernel",
            Op::Reshape => "reshape",
            Op::Transpose { .. } => "transpose",
            Op::Slice(_) => "slice",
            Op::Unslice(_) => "unslice",
            Op::Concat { .. } => "concat",
            Op::Gather => "gather",
            Op::ScatterAdd => "scatter_add",
            Op::Cast => "cast",
            Op::Random { distribution: Distribution::Normal, .. } => "normal",
            Op::Random { distribution: Distribution::Uniform, .. } => "uniform",
            Op::Cholesky => "cholesky",
            Op::CholeskySolve => "cholesky_solve",
            Op::SparseMatVec { .. } => "sparse_matvec",
            Op::SparseFactor(_) => "sparse_factor",
            Op::SparseSolve(_) => "sparse_solve",
            Op::Grid { transform: Transform::Cosine, inverse: false } => "dct",
            Op::Grid { transform: Transform::Cosine, inverse: true } => "idct",
            // It is its own inverse.
            Op::Grid { transform: Transform::Hartley, .. } => "hartley",
            Op::SymmetricEigenvalues => "symmetric_eigenvalues",
            Op::SymmetricEigen => "symmetric_eigen",
            Op::Svd => "svd",
            Op::Pav => "pav",
            Op::Assignment => "assignment",
            Op::TautString => "taut_string",
            Op::Iterate(_) => "iterate",
            Op::PsdSqrt => "psd_sqrt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ops::Range;
    use super::super::{Binary, Builder, Dtype, Type, Unary};
    use expect_test::expect;

    #[test]
    fn soft_threshold() {
        let mut b = Builder::new("shrink");
        let v = b.input("v", Type::new(Dtype::F64, [3]));
        let t = b.input("t", Type::new(Dtype::F64, []));
        let minus = b.neg(t);
        let inside = b.clamp(v, minus, t);
        let z = b.sub(v, inside);
        b.output("z", z);
        b.output("threshold", t);
        expect![[r#"
            program shrink(%0 v: f64[3], %1 t: f64) {
              %2: f64 = neg %1
              %3: f64[3] = broadcast %1 along []
              %4: f64[3] = min %0, %3
              %5: f64[3] = broadcast %2 along []
              %6: f64[3] = max %4, %5
              %7: f64[3] = sub %0, %6
              return z = %7, threshold = %1
            }
        "#]]
        .assert_eq(&b.finish().to_string());
    }

    #[test]
    fn attributes() {
        let mut b = Builder::new("layer");
        let theta = b.input("theta", Type::new(Dtype::F32, [12]));
        let w = b.segment(theta, 2, 6);
        let w = b.reshape(w, [2, 3]);
        let every_other = b.slice(w, vec![Range { start: 0, len: 2, step: 1 }, Range { start: 1, len: 1, step: 2 }]);
        let square = b.matmul(w, w, false, true);
        let sum = b.sum(square);
        let tiny = b.constant(1e-8, Dtype::F32);
        let y = b.binary(Binary::Pow, sum, tiny);
        let y = b.unary(Unary::Log1p, y);
        let y = b.cast(y, Dtype::F64);
        let row = b.iota([2, 2], 1);
        let joined = b.concat(vec![every_other, w], 1);
        let turned = b.transpose(joined);
        for (name, value) in [("y", y), ("row", row), ("turned", turned)] {
            b.output(name, value);
        }
        expect![[r#"
            program layer(%0 theta: f32[12]) {
              %1: f32[6] = slice %0 [2:8]
              %2: f32[2, 3] = reshape %1
              %3: f32[2, 1] = slice %2 [0:2, 1:2:2]
              %4: f32[2, 2] = matmul %2, %2'
              %5: f32 = sum %4 over [0, 1]
              %6: f32 = const 1e-8
              %7: f32 = pow %5, %6
              %8: f32 = log1p %7
              %9: f64 = cast %8
              %10: index[2, 2] = iota along 1
              %11: f32[2, 4] = concat %3, %2 along 1
              %12: f32[4, 2] = transpose %11 by [1, 0]
              return y = %9, row = %10, turned = %12
            }
        "#]]
        .assert_eq(&b.finish().to_string());
    }
}
