//! Sets, written behind `in`. Each projection is exact; where several points are as near, the member says
//! which it takes. NaN goes through.

pub mod affine;
pub mod ball1;
pub mod ball2;
pub mod ball_inf;
pub mod binary;
pub mod capped_simplex;
pub mod correlation;
pub mod doubly_stochastic;
pub mod exponential_cone;
pub mod finite;
pub mod grid;
pub mod halfspace;
pub mod hyperplane;
pub mod integers;
pub mod interval;
pub mod monotone;
pub mod nonneg;
pub mod nonpos;
pub mod nuclear_ball;
pub mod orthogonal;
pub mod permutation;
pub mod power_cone;
pub mod probability;
pub mod psd;
pub mod rank;
pub mod rotated_soc;
pub mod simplex;
pub mod soc;
pub mod sparse;
pub mod sparse_nm;
pub mod spectral_ball;
pub mod sphere;
pub mod unit_diagonal;
pub mod zero;
