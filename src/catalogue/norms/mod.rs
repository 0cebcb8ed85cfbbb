//! Norms of vectors and matrices.

pub mod group_norm;
pub mod norm1;
pub mod norm2;
pub mod norm_12;
pub mod norm_fro;
pub mod norm_inf;
pub mod norm_nuc;
pub mod norm_spec;
pub mod owl;
