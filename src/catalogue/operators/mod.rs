//! Operators. `*` is the product of linear algebra, a dot before it makes it elementwise.

pub mod add;
pub mod div;
pub mod elem_div;
pub mod elem_mul;
pub mod elem_pow;
pub mod mul;
pub mod neg;
pub mod pow;
pub mod sub;
pub mod transpose;
