//! Functions of each element; activations of networks among them. Numbers fit every shape.

pub mod abs;
pub mod average;
pub mod cos;
pub mod elu;
pub mod erf;
pub mod exp;
pub mod expm1;
pub mod gelu;
pub mod leaky_relu;
pub mod log;
pub mod log1p;
pub mod maximum;
pub mod minimum;
pub mod neg_part;
pub mod pos;
pub mod relu;
pub mod selu;
pub mod sigmoid;
pub mod sign;
pub mod silu;
pub mod sin;
pub mod softplus;
pub mod sqrt;
pub mod square;
pub mod tanh;
