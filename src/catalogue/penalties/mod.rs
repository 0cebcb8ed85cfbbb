//! Regularisers beyond the norms: for sparsity, for groups, for differences.

pub mod cardinality;
pub mod elastic_net;
pub mod log_sum_penalty;
pub mod mcp;
pub mod norm_half;
pub mod scad;
pub mod sparse_group;
pub mod sparse_rows;
pub mod tv1d;
pub mod tv2d;
pub mod tv2d_aniso;
