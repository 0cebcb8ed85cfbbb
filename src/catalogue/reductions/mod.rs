//! Functions that combine elements: of a whole tensor into a number, or along its rows.

pub mod dot;
pub mod log_softmax;
pub mod logsumexp;
pub mod max;
pub mod mean;
pub mod min;
pub mod quad_form;
pub mod softmax;
pub mod sum;
pub mod sum_largest;
pub mod sum_squares;
