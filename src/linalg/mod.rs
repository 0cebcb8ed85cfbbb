//! Linear algebra of the host, in doubles: matrices, linear operators with their structure kept, and
//! factorisations. It knows nothing of optimisation.
//!
//! Matrices are plain row-major numbers and factorisations are faer's: a second matrix library beside it
//! (nalgebra) would serve for storage alone, so there is none.
//!
//! An [`Operator`] is what a constraint's `A` and `B` are made of: it is applied, its adjoint is
//! applied, and [`Operator::gram`] says what `MᵀM` looks like, which decides how a step is solved.
//! To add an operator: a variant, its line in `extents`, `accumulate`, `to_sparse` and `Display`, and,
//! where it has structure worth keeping, in `gram` and `norm_bound`.

mod csr;
pub mod factor;
mod gram;
mod matrix;
mod operator;

pub use csr::Csr;
pub use gram::Gram;
pub use matrix::Matrix;
pub use operator::Operator;

#[cfg(test)]
mod tests;
