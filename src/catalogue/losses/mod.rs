//! Losses of fits and classifiers.

pub mod cross_entropy;
pub mod hinge;
pub mod huber;
pub mod logistic;
pub mod mse;
