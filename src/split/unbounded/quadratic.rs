//! Quadratics that nothing constrains: `½vᵀPv + pᵀv` has a least value where P has no negative eigenvalue and
//! p lies in its range.
//!
//! ```text
//! d with dᵀPd < 0:          falls like −t² along td
//! d with Pd = 0, pᵀd < 0:   falls like −t
//! ```
//!
//! (Boyd & Vandenberghe, Convex Optimization, 2004, §A.5.) Terms beside it stop that only where they may rise
//! as fast, which [`growth`](super::growth) says: a norm does not stop −t². Copies, `x − z = 0`, are one
//! variable. What is near the limit passes: a run will tell.

use super::super::affine::Lowered;
use super::super::forms::Form;
use super::growth::{Ranges, Reader};
use super::network::Curve;
use super::tail::{Bound, Order};
use super::{Group, of_term};
use crate::linalg::{Matrix, factor};
use crate::model::Model;
use crate::model::ir::{ExprKind, Leaf, Member, PlayerId, VarId, VarKind};

/// Order up to which a matrix is looked at.
const LARGEST: usize = 500;

/// Numbers of data in a term up to which it is multiplied out.
const MOST_NUMBERS: usize = 1 << 20;

/// Share of the largest eigenvalue from which a negative one counts.
const NEGATIVE: f64 = 1e-6;

/// Share up to which an eigenvalue is none, and what p must have along its direction, relative to p and to what
/// a sum of squares of that constant could have there: 50 times what rounding leaves in a least-squares problem.
const ZERO: f64 = 1e-12;
const ALONG: f64 = 1e-4;

/// A direction along which an objective falls.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Direction {
    /// Entries of each group's variable, by group.
    pub parts: Vec<(usize, Vec<f64>)>,
    /// `dᵀPd` of the direction of length 1, or 0.
    pub curvature: f64,
    /// `pᵀd`
    pub slope: f64,
    /// The terms that fall, by position.
    pub terms: Vec<usize>,
    /// Those that rise more slowly.
    pub slower: Vec<usize>,
}

/// A direction of the groups `own`, which terms join, along which the terms `terms` fall; none where there is
/// none or it can't be told.
pub(super) fn falls(
    model: &Model,
    player: PlayerId,
    ranges: &Ranges,
    groups: &[Group],
    own: &[usize],
    terms: &[usize],
) -> Option<Direction> {
    let len = |group: usize| model.vars[groups[group].vars[0].index()].shape.numel();
    let total: usize = own.iter().map(|&group| len(group)).sum();
    let plain = own.iter().flat_map(|&group| &groups[group].vars).all(|var| {
        let var = &model.vars[var.index()];
        var.kind == VarKind::Real && var.family.is_none()
    });
    if total == 0 || total > LARGEST || !plain {
        return None;
    }
    let vars: Vec<VarId> = own.iter().flat_map(|&group| &groups[group].vars).copied().collect();
    let all = model.players[player.index()].source().1;
    let mut bounded = true;
    let (mut quadratics, mut slower) = (Vec::new(), Vec::new());
    for &at in terms {
        let form = (all[at].over.is_none() && is_small(model, &all[at].expr))
            .then(|| Lowered::new(model, &all[at].expr).form(model, player, None));
        match form {
            Some(Form::Quadratic(q)) => {
                bounded &= q.is_sum_of_squares();
                quadratics.push(at);
            }
            Some(Form::Affine(_) | Form::Constant(_)) => {
                bounded = false;
                quadratics.push(at);
            }
            _ => slower.push(at),
        }
    }
    if bounded {
        return None;
    }
    let (mut p, mut linear, mut constant) = (Matrix::zeros(total, total), vec![0.0; total], 0.0);
    for &at in &quadratics {
        let hessian = Lowered::new(model, &all[at].expr).hessian(model, player, None, &vars, "").ok()?;
        let dense = hessian.curvature().to_dense();
        // Rows of copies fall on those of their group.
        let mut rows = Vec::with_capacity(hessian.n);
        let mut start = 0;
        for &group in own {
            for _ in &groups[group].vars {
                rows.extend(start..start + len(group));
            }
            start += len(group);
        }
        for (i, &row) in rows.iter().enumerate() {
            linear[row] += hessian.linear[i];
            for (&column, x) in rows.iter().zip(dense.row(i)) {
                p[(row, column)] += x;
            }
        }
        constant += hessian.constant;
    }
    let (curvature, direction) = steepest(&p, &linear, constant)?;
    let order = if curvature < 0.0 { Order { power: 2.0, log: 0.0 } } else { Order::LINEAR };
    let line = Reader { model, moving: &vars, curve: Curve::Line, ranges };
    let is_slower = |at: &usize| match of_term(&line, &all[*at]).high {
        Bound::Rises(rise) => rise < order,
        Bound::Number(_) | Bound::Falls(_) => true,
    };
    if !slower.iter().all(is_slower) {
        return None;
    }
    let mut start = 0;
    let parts = own.iter().map(|&group| {
        start += len(group);
        (group, direction[start - len(group)..start].to_vec())
    });
    let slope = linear.iter().zip(&direction).map(|(p, d)| p * d).sum();
    Some(Direction { parts: parts.collect(), curvature, slope, terms: quadratics, slower })
}

fn is_small(model: &Model, expr: &crate::model::ir::Expr) -> bool {
    let (mut numbers, mut known) = (0, !matches!(expr.kind, ExprKind::Over(..)));
    expr.leaves(&mut |leaf| match leaf {
        Leaf::Data(id, Member::None) => numbers += model.data[id.index()].tensor.numel(),
        Leaf::Var(..) => {}
        _ => known = false,
    });
    known && numbers <= MOST_NUMBERS
}

/// A direction of length 1 along which `½vᵀPv + pᵀv + c` falls for ever, and `dᵀPd`.
pub(super) fn steepest(p: &Matrix, linear: &[f64], constant: f64) -> Option<(f64, Vec<f64>)> {
    if !p.is_finite() || linear.iter().any(|x| !x.is_finite()) || !constant.is_finite() {
        return None;
    }
    let n = p.rows;
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let size = norm(linear);
    let eigen = factor::eigen(p)?;
    let column = |at: usize| -> Vec<f64> { (0..n).map(|i| eigen.vectors[(i, at)]).collect() };
    let largest = eigen.values.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let (least, value) = eigen
        .values
        .iter()
        .copied()
        .enumerate()
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .filter(|(_, x)| !x.is_nan())?;
    if value < -NEGATIVE * largest {
        let mut d = column(least);
        // Of the two ways along it, the one that p does not rise.
        if d.iter().zip(linear).map(|(d, p)| d * p).sum::<f64>() > 0.0 {
            d.iter_mut().for_each(|x| *x = -*x);
        }
        return Some((value, d));
    }
    let mut d = vec![0.0; n];
    for (at, _) in eigen.values.iter().enumerate().filter(|(_, value)| value.abs() <= ZERO * largest) {
        let own = column(at);
        let along: f64 = own.iter().zip(linear).map(|(d, p)| d * p).sum();
        d.iter_mut().zip(&own).for_each(|(d, x)| *d -= along * x);
    }
    let along = norm(&d);
    let falls = along > ALONG * (size + (largest * constant.abs()).sqrt());
    falls.then(|| (0.0, d.iter().map(|x| x / along).collect()))
}
