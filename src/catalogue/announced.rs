//! Names that belong to the language and are not executed yet: known, so that they are answered by
//! `not-yet` and not by "there is no such name". A name leaves this table when its file arrives.

use super::Signature;

/// A function or a set that parses and is not executed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// How it will be written.
    pub signature: Signature,
    /// Whether it stands behind `in`.
    pub set: bool,
}

/// What is announced under that name.
pub fn announced(name: &str, set: bool) -> Option<Announced> {
    let table = if set { SETS } else { FUNCTIONS };
    let text = table.iter().copied().find(|&text| Signature(text).name() == name)?;
    Some(Announced { signature: Signature(text), set })
}

/// Every announced name.
pub fn announced_names(set: bool) -> impl Iterator<Item = &'static str> {
    let table = if set { SETS } else { FUNCTIONS };
    table.iter().map(|&text| Signature(text).name())
}

const FUNCTIONS: &[&str] = &[
    "cardinality(x)",
    "conv(x, kernel)",
    "diff(x)",
    "elastic_net(x, l1, l2)",
    "entropy(x)",
    "kl_div(x, y)",
    "lambda_max(X)",
    "log_barrier(x)",
    "log_sum_penalty(x, epsilon)",
    "mcp(x, lambda, gamma)",
    "neg_entropy(x)",
    "neg_log_det(X)",
    "norm0(x)",
    "norm_12(X)",
    "norm_half(x)",
    "norm_nuc(X)",
    "poisson(x, y)",
    "quantile(r, tau)",
    "rank(X)",
    "scad(x, lambda, a)",
    "sparse_group(x, l1, l2)",
    "square_hinge(y, u)",
    "sum_largest(x, k)",
    "sum_largest_eigs(X, k)",
    "trace(X)",
    "tv1d(x)",
    "tv2d(X)",
];

const SETS: &[&str] = &["permutation"];
