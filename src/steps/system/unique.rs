//! Whether a step has one minimiser at a penalty: by the sign of `P + ρMᵀM` shifted up and down a little.
//!
//! Where it is positive semidefinite and no more, the step stays near where it was along the directions that
//! nothing determines, `(σ/2)‖v − v_k‖²`, unless `p` falls along one of them: then it has no minimiser.

use crate::linalg::{Csr, Curvature, Operator, Sum, Symbolic, factor, is_definite};
use crate::steps::ir::Solver;

/// What a step is like.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::steps) enum Uniqueness {
    /// One minimiser.
    Unique,
    /// Several, by directions that nothing determines; what holds it to where it was: σ.
    Held(f64),
    /// None: a direction along which nothing rises and `p` falls.
    Unbounded(Vec<f64>),
    /// Concave along some direction.
    Concave,
    /// Not known: it is too large.
    Unseen,
}

/// Share of the largest entry that a curvature is told from zero by.
pub(super) const ZERO: f64 = 1e-10;

/// `σ` by the largest entry: small against what matters, large enough for a factor in singles.
const HELD: f64 = 1e-6;

/// Share of `p` that may lie along directions that nothing determines.
const FALLS: f64 = 1e-7;

/// Order up to which a matrix without a telling structure is looked at.
const LARGEST: usize = 6000;

/// Looks at one member of a step; `convex` says that `P` is known to be positive semidefinite.
pub(in crate::steps) fn uniqueness(
    p: &Curvature,
    gram: &Curvature,
    equalities: Option<&Operator>,
    linear: &[f64],
    rho: f64,
    (solver, convex): (&Solver, bool),
) -> Uniqueness {
    let diagonal = gram.diagonal();
    let (low, high) = extremes(&diagonal);
    if convex && matches!(gram, Curvature::Diagonal(_)) && low > ZERO * high {
        return Uniqueness::Unique;
    }
    if let Solver::Spectral { p, g } = solver {
        let sum: Vec<f64> = p.values.iter().zip(&g.values).map(|(p, g)| p + rho * g).collect();
        let (low, high) = extremes(&sum);
        if low > ZERO * high {
            return Uniqueness::Unique;
        }
        if low < -ZERO * high {
            return Uniqueness::Concave;
        }
    }
    let sum = Curvature::sum(&[(1.0, p), (rho, gram)]);
    let largest = extremes(&sum.diagonal()).1;
    let shift = if largest > 0.0 { ZERO * largest } else { 1.0 };
    // Of a matrix too large to be looked at, convexity is what is known.
    let Some(shape) = Shape::of(&sum) else {
        return if convex { Uniqueness::Unique } else { Uniqueness::Unseen };
    };
    if shape.is_definite(-shift) {
        return Uniqueness::Unique;
    }
    // Equations determine what they hold.
    if let Some(e) = equalities {
        let mut held = Sum::new(p.n());
        held.add(1.0, &sum);
        held.square(e, &vec![largest.max(1.0) / e.norm_bound().powi(2).max(f64::MIN_POSITIVE); e.rows()]);
        if Shape::of(&held.finish()).is_some_and(|held| held.is_definite(-shift)) && shape.is_definite(shift) {
            return Uniqueness::Held(HELD * largest.max(shift));
        }
    }
    if !shape.is_definite(shift) {
        return Uniqueness::Concave;
    }
    let sigma = HELD * largest.max(shift);
    match equalities {
        None => falls(&shape, linear, sigma).map_or(Uniqueness::Held(sigma), Uniqueness::Unbounded),
        Some(_) => Uniqueness::Held(sigma),
    }
}

/// A direction along which `pᵀv` falls and nothing rises: `p` against its own image,
/// `w = −(F + σI)⁻¹p`, `Fw + p = −σw`.
fn falls(shape: &Shape, linear: &[f64], sigma: f64) -> Option<Vec<f64>> {
    let size = length(linear);
    if size == 0.0 {
        return None;
    }
    let mut w: Vec<f64> = linear.iter().map(|x| -x).collect();
    shape.factor(sigma)?.solve(&mut w);
    let along = length(&w);
    (sigma * along > FALLS.max(1e3 * ZERO / HELD) * size).then(|| w.iter().map(|x| x / along).collect())
}

fn length(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn extremes(x: &[f64]) -> (f64, f64) {
    x.iter().fold((f64::INFINITY, 0.0f64), |(low, high), &x| (low.min(x), high.max(x.abs())))
}

/// A matrix in the form that its factor is made from.
pub(in crate::steps) enum Shape {
    Diagonal(Vec<f64>),
    Dense(crate::linalg::Matrix),
    Sparse(Csr),
}

impl Shape {
    /// `None` of a matrix that is too large to be looked at.
    pub(in crate::steps) fn of(sum: &Curvature) -> Option<Shape> {
        match sum {
            Curvature::Diagonal(d) => Some(Shape::Diagonal(d.clone())),
            Curvature::Sparse(m) => Some(Shape::Sparse(m.as_ref().clone())),
            // One of the repeated is as good as all, but p differs among them.
            Curvature::Repeated { .. } => Some(Shape::Sparse(sum.to_sparse())),
            other if other.n() <= LARGEST => Some(Shape::Dense(other.to_dense())),
            _ => None,
        }
    }

    /// Whether it has a factor once `shift` stands on its diagonal too.
    pub(in crate::steps) fn is_definite(&self, shift: f64) -> bool {
        match self {
            Shape::Diagonal(d) => d.iter().all(|x| x + shift > 0.0),
            Shape::Dense(m) => factor::cholesky(&m.clone().add_diagonal(shift)).is_some(),
            Shape::Sparse(m) => is_definite(&shifted(m, shift)),
        }
    }

    /// Its factor with `shift` on its diagonal, where there is one.
    pub(super) fn factor(&self, shift: f64) -> Option<Factor> {
        Some(match self {
            Shape::Diagonal(d) => Factor::Diagonal(d.iter().map(|d| d + shift).collect()),
            Shape::Dense(m) => Factor::Dense(factor::cholesky(&m.clone().add_diagonal(shift))?),
            Shape::Sparse(m) => {
                let lower = shifted(m, shift).lower();
                let symbolic = Symbolic::new(&lower, 0);
                let numbers = symbolic.factor_once(&lower.values)?;
                Factor::Sparse(Box::new(symbolic), numbers)
            }
        })
    }
}

/// A factor of a positive definite matrix.
pub(super) enum Factor {
    Diagonal(Vec<f64>),
    Dense(factor::Cholesky),
    Sparse(Box<Symbolic>, Vec<f64>),
}

impl Factor {
    /// Solves in place.
    pub(super) fn solve(&self, x: &mut [f64]) {
        match self {
            Factor::Diagonal(d) => x.iter_mut().zip(d).for_each(|(x, d)| *x /= d),
            Factor::Dense(factor) => factor.solve(x),
            Factor::Sparse(symbolic, numbers) => symbolic.solve_with(numbers, x),
        }
    }
}

fn shifted(m: &Csr, shift: f64) -> Csr {
    m.add(&Curvature::scaled_identity(shift, m.rows).to_sparse())
}
