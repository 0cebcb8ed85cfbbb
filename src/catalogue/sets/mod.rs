//! Sets, written behind `in`.

pub mod nonneg;
