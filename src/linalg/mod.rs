//! Linear algebra of the host, in doubles: matrices, linear operators with their structure kept, and
//! factorisations. It knows nothing of optimisation.
//!
//! Matrices are plain row-major numbers and factorisations are faer's: a second matrix library beside it
//! (nalgebra) would serve for storage alone, so there is none.
//!
//! An [`Operator`] is what a constraint's `A` and `B` are made of: it is applied, its adjoint is
//! applied, and [`Operator::gram`] says what `MᵀM` looks like, which decides how a step is solved. A
//! [`Curvature`] is a symmetric matrix such as `MᵀM` itself: diagonal, sparse, a product kept as its
//! factor; [`Symbolic`] is the plan of a sparse one's factor, [`spectral`] finds those that a fast
//! transform diagonalises.
//! To add an operator: a variant, its line in `extents`, `accumulate`, `to_sparse` and `Display`, and,
//! where it has structure worth keeping, in `gram` and `norm_bound`.

mod csr;
mod curvature;
pub mod factor;
mod gram;
pub mod lanczos;
mod matrix;
mod operator;
mod residual;
mod rows;
mod shared;
pub mod spectral;
mod sum;
mod symbolic;
pub mod transform;

pub use csr::Csr;
pub use curvature::{Curvature, Factored, is_definite};
pub use gram::Gram;
pub use matrix::Matrix;
pub use operator::Operator;
pub use residual::{Unreached, unreached};
pub use rows::{Dependence, dependence, disagreement, independent_rows};
pub use shared::Shared;
pub use sum::Sum;
pub use symbolic::Symbolic;

#[cfg(test)]
mod tests;
