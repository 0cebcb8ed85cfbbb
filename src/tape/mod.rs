//! The tape: a small tensor IR in which everything numeric is said once — gradients, closed-form
//! steps, λ-updates, residual norms, Adam, metrics, image grids — and which runs on every device.

mod builder;
pub mod ir;
pub mod ops;
mod tensor;
pub mod tree;

pub use builder::Builder;
pub use ir::{Dtype, Input, Inst, Op, Output, Program, Shape, Type, Value};
pub use tensor::{Elements, Tensor};
