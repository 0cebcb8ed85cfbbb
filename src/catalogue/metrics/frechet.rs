//! `frechet(A, B)`: the squared Fréchet distance between the normal distributions fitted to the rows
//! of two matrices of features (Dowson & Landau 1982; covariances with n − 1):
//!
//! ```text
//! ‖m₁ − m₂‖² + tr(C₁ + C₂ − 2(C₁^{1/2} C₂ C₁^{1/2})^{1/2})
//! ```

use crate::catalogue::member::{Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::ops::{Reducer, Unary};
use crate::tape::{Builder, Op, Shape, Type, Value};

pub const MEMBER: Member =
    Member::total("frechet(A, B)", "squared Fréchet distance between the rows of two matrices", lower).shape(shape);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    for at in 0..2 {
        shapes::rank(args, at, 2..=2, "a matrix of two rows or more, one an example")?;
        if args[at].0[0] < 2 {
            return Err(WrongArguments::Argument { at, wanted: "a matrix of two rows or more, one an example" });
        }
    }
    if args[0].0[1] != args[1].0[1] {
        return Err(WrongArguments::Disagree { left: 0, right: 1, rule: "both must have the same columns" });
    }
    Ok(Shape::scalar())
}

fn lower(b: &mut Builder, args: &[Value]) -> Value {
    let (mean_a, centred_a) = centred(b, args[0]);
    let (mean_b, centred_b) = centred(b, args[1]);
    let apart = b.sub(mean_a, mean_b);
    let apart = b.sum_squares(apart);

    let cov_a = covariance(b, centred_a);
    let cov_b = covariance(b, centred_b);
    let ty = b.ty(cov_a).clone();
    let root = b.push(Op::PsdSqrt, vec![cov_a], ty.clone());
    let product = b.matmul(root, cov_b, false, false);
    let product = b.matmul(product, root, false, false);
    let spectrum = b.push(Op::SymmetricEigenvalues, vec![product], Type::new(ty.dtype, [ty.shape.0[0]]));
    // Rounding may leave an eigenvalue of a semidefinite matrix below 0.
    let spectrum = b.unary(Unary::Relu, spectrum);
    let roots = b.unary(Unary::Sqrt, spectrum);
    let common = b.sum(roots);
    let common = b.scale(2.0, common);

    let total_a = variance(b, centred_a);
    let total_b = variance(b, centred_b);
    let total = b.add(total_a, total_b);
    let spread = b.sub(total, common);
    b.add(apart, spread)
}

/// The mean of the rows, and the rows without it.
fn centred(b: &mut Builder, x: Value) -> (Value, Value) {
    let shape = b.shape(x).clone();
    let sum = b.reduce(Reducer::Sum, x, vec![0]);
    let mean = b.scale(1.0 / shape.0[0] as f64, sum);
    let repeated = b.broadcast(mean, vec![1], shape);
    (mean, b.sub(x, repeated))
}

fn covariance(b: &mut Builder, centred: Value) -> Value {
    let rows = b.shape(centred).0[0];
    let gram = b.matmul(centred, centred, true, false);
    b.scale(1.0 / (rows - 1) as f64, gram)
}

/// The trace of the covariance.
fn variance(b: &mut Builder, centred: Value) -> Value {
    let rows = b.shape(centred).0[0];
    let sum = b.sum_squares(centred);
    b.scale(1.0 / (rows - 1) as f64, sum)
}
