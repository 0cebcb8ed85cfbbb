//! Functions that belong to the language and are not executed yet: known, so that they are answered by
//! `not-yet` and not by "there is no such name". A function leaves this table when its file arrives.

use super::Signature;

/// How the function announced under that name will be written.
pub fn announced(name: &str) -> Option<Signature> {
    FUNCTIONS.iter().map(|&text| Signature(text)).find(|signature| signature.name() == name)
}

/// Every announced name.
pub fn announced_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|&text| Signature(text).name())
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
