//! The tape: a small tensor IR in which everything numeric is said once — gradients, closed-form
//! steps, λ-updates, residual norms, Adam, metrics, image grids — and which runs on every device.
//!
//! - [`ir`] is the data, [`Builder`] writes it, `Display` prints it, [`verify`] states and checks what
//!   consumers assume.
//! - [`ops`] is what an instruction can be: an op a file, with shape rule, reference value and both
//!   derivatives as ops. Compositions are methods of [`Builder`]: activations, softmax and norms.
//! - [`gradient`], [`vjp`] and [`jvp`] append a derivative to the program that is being built; each may
//!   be taken of the other's result. [`passes`] rewrite programs: [`passes::stabilise`] before a
//!   derivative is taken, [`passes::optimise`] after.
//! - [`tree`] and [`philox`] fix, for all devices, the order of sums and the random numbers.
//!
//! ```
//! use admmc::tape::{Builder, Dtype, Type, gradient, passes::optimise};
//!
//! let mut b = Builder::new("half_square");
//! let x = b.input("x", Type::new(Dtype::F64, [3]));
//! let squares = b.sum_squares(x);
//! let y = b.scale(0.5, squares);
//! let slope = gradient(&mut b, y, &[x])[0];
//! b.output("value", y);
//! b.output("slope", slope);
//! println!("{}", optimise(&b.finish()));
//! ```

mod activations;
mod builder;
mod cost;
mod grad;
pub mod hulls;
pub mod ir;
mod jvp;
mod newton;
pub mod ops;
pub mod passes;
pub mod philox;
mod print;
mod stable;
mod tensor;
#[cfg(test)]
mod tests;
pub mod tree;
mod verify;

pub use builder::Builder;
pub use cost::Cost;
pub use grad::{gradient, undifferentiable, vjp};
pub use hulls::{Hull, hulls};
pub use ir::{Binary, Dtype, Input, Inst, Op, Output, Program, Shape, Type, Unary, Value};
pub use jvp::jvp;
pub use newton::Interval;
pub use tensor::{Elements, Tensor};
pub use verify::verify;
