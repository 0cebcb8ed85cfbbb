//! Functions of the eigenvalues of a symmetric matrix, and of rank. A matrix that is not symmetric counts as
//! its symmetric part; steps give symmetric ones.

pub mod lambda_max;
pub mod neg_log_det;
pub mod rank;
pub mod sum_largest_eigs;

use super::member::WrongArguments;
use super::sets::psd;
use crate::tape::{Builder, Op, Shape, Type, Value};

/// A square matrix, the other arguments numbers.
pub fn square(args: &[Shape]) -> Result<Shape, WrongArguments> {
    super::shapes::number(args)?;
    psd::square(args)
}

/// `(X + Xᵀ)/2`
pub fn symmetric_part(b: &mut Builder, x: Value) -> Value {
    let turned = b.transpose(x);
    let twice = b.add(x, turned);
    b.scale(0.5, twice)
}

/// The eigenvalues, ascending.
pub fn eigenvalues(b: &mut Builder, x: Value) -> Value {
    let symmetric = symmetric_part(b, x);
    let ty = Type::new(b.dtype(x), [b.shape(x).0[0]]);
    b.push(Op::SymmetricEigenvalues, vec![symmetric], ty)
}

/// The step of a function of the eigenvalues alone: its step at these, with the same eigenvectors (Parikh &
/// Boyd, Proximal Algorithms, 2014, §6.7).
pub fn step(b: &mut Builder, v: Value, of: impl FnOnce(&mut Builder, Value) -> Value) -> Value {
    let symmetric = symmetric_part(b, v);
    let (values, vectors) = b.symmetric_eigen(symmetric);
    let values = of(b, values);
    let scaled = psd::scale_columns(b, vectors, values);
    let product = b.matmul(scaled, vectors, false, true);
    symmetric_part(b, product)
}
