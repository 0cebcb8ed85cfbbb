//! What a program costs: flops and the bytes of what it reads and writes outside.

use super::ir::{Op, Program, Shape};
use super::ops::ConvPart;

/// A count of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Floating operations; an elementary function counts as one.
    pub flops: u64,
    /// Bytes of inputs and outputs, each once.
    pub bytes: u64,
}

impl Cost {
    /// The cost of running a program once.
    pub fn of(program: &Program) -> Cost {
        let flops = program
            .insts
            .iter()
            .map(|inst| {
                let n = inst.ty.shape.numel() as u64;
                let arg = |k: usize| &program.ty(inst.args[k]).shape;
                match &inst.op {
                    Op::Input(_) | Op::Const(_) | Op::Broadcast { .. } | Op::Reshape | Op::Transpose { .. } => 0,
                    Op::Slice(_) | Op::Unslice(_) | Op::Concat { .. } | Op::Gather | Op::Cast | Op::Iota { .. } => 0,
                    Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Random { .. } => n,
                    // A comparison counts as an operation.
                    Op::Sort | Op::ArgSort => {
                        let extent = arg(0).0.last().copied().unwrap_or(1).max(2) as u64;
                        n * u64::from(extent.ilog2())
                    }
                    Op::CumSum { .. } => n,
                    // Newton's takes some half a dozen turns.
                    Op::Iterate(it) => {
                        let lanes = if it.is_lanewise() { n } else { 1 };
                        lanes * Cost::of(&it.body).flops * it.count.min(6) as u64
                    }
                    // By trial: each element is pushed on a stack once, and taken from it at most once.
                    Op::Pav => 8 * n,
                    // A path for every row, each of up to as many searches of a row.
                    Op::Assignment => n * arg(0).0[0] as u64,
                    Op::TautString => 16 * n,
                    Op::Reduce { .. } | Op::ArgMax => arg(0).numel() as u64,
                    Op::ScatterAdd => arg(1).numel() as u64,
                    Op::MatMul { ta, .. } => 2 * n * arg(0).0[usize::from(!ta)] as u64,
                    Op::Conv { part, .. } => conv_flops(*part, [arg(0), arg(1), &inst.ty.shape]),
                    Op::Cholesky => n * arg(0).0[0] as u64 / 3,
                    Op::CholeskySolve => 2 * n * arg(0).0[0] as u64,
                    Op::SparseMatVec { .. } => {
                        2 * arg(2).numel() as u64 * inst.ty.shape.0[1..].iter().product::<usize>() as u64
                    }
                    Op::SparseFactor(symbolic) => 2 * symbolic.flops().0 as u64,
                    Op::SparseSolve(symbolic) => {
                        let columns = n / symbolic.n.max(1) as u64;
                        4 * columns * symbolic.factor_len() as u64
                    }
                    // Frigo & Johnson 2005: about 2.5 n log₂ n of a real transform.
                    Op::Grid { .. } => 5 * n * u64::from(n.max(2).ilog2()) / 2,
                    // Tridiagonal reduction and iteration (Golub & Van Loan 2013, §8.3).
                    Op::SymmetricEigenvalues => 4 * (arg(0).0[0] as u64).pow(3) / 3,
                    Op::SymmetricEigen | Op::PsdSqrt => 9 * (arg(0).0[0] as u64).pow(3),
                    // Golub & Van Loan 2013, Figure 8.6.1.
                    Op::Svd => {
                        let (long, short) = (arg(0).0[0].max(arg(0).0[1]) as u64, inst.ty.shape.0[1] as u64);
                        14 * long * short * short + 8 * short.pow(3)
                    }
                }
            })
            .sum();
        let outside = program.inputs.iter().map(|i| i.value).chain(program.outputs.iter().map(|o| o.value));
        let bytes = outside.map(|value| program.ty(value).bytes() as u64).sum();
        Cost { flops, bytes }
    }

    /// So many times.
    pub fn times(self, count: usize) -> Cost {
        Cost { flops: self.flops * count as u64, bytes: self.bytes * count as u64 }
    }
}

impl std::ops::Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost { flops: self.flops + other.flops, bytes: self.bytes + other.bytes }
    }
}

/// A multiplication and an addition for each tap of each output, margins counted.
fn conv_flops(part: ConvPart, shapes: [&Shape; 3]) -> u64 {
    let [_, kernel, output] = part.roles(shapes);
    2 * output.numel() as u64 * kernel.0[1..].iter().product::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Builder, Dtype, Type};

    #[test]
    fn a_product_and_a_sum() {
        let mut b = Builder::new("cost");
        let a = b.input("a", Type::new(Dtype::F32, [3, 4]));
        let x = b.input("x", Type::new(Dtype::F32, [5, 4]));
        let product = b.matmul(a, x, false, true);
        let sum = b.sum(product);
        b.output("sum", sum);
        // 2·3·4·5 for the product, 15 for the sum; 12 + 20 + 1 singles.
        assert_eq!(Cost::of(&b.finish()), Cost { flops: 120 + 15, bytes: 4 * 33 });
    }
}
