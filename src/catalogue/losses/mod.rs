//! Losses of fits and classifiers.

pub mod cross_entropy;
pub mod hinge;
pub mod huber;
pub mod logistic;
pub mod mse;
pub mod poisson;
pub mod quantile;
pub mod square_hinge;
