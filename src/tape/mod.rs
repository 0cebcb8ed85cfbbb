//! The tape: a small tensor IR in which everything numeric is said once — gradients, closed-form
//! steps, λ-updates, residual norms, Adam, metrics, image grids — and which runs on every device.

mod activations;
mod builder;
mod grad;
pub mod ir;
mod jvp;
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
pub use grad::{gradient, undifferentiable, vjp};
pub use ir::{Binary, Dtype, Input, Inst, Op, Output, Program, Shape, Type, Unary, Value};
pub use jvp::jvp;
pub use tensor::{Elements, Tensor};
pub use verify::verify;
