//! Norms of vectors and matrices.

pub mod norm1;
pub mod norm2;
pub mod norm_fro;
pub mod norm_inf;
