//! Sets, written behind `in`.

pub mod ball2;
pub mod ball_inf;
pub mod interval;
pub mod nonneg;
pub mod nonpos;
pub mod zero;
