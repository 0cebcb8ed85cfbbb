//! The penalty above which a step is convex that is not by itself: `ρ* = inf {ρ : P + ρG ≻ 0}`, `G = MᵀM`.
//!
//! 1. Of a matrix that is small, or sparse with cheap factors, by trial factors: doubled until one succeeds, then
//!    halved to ten digits.
//! 2. Of a larger one against a positive diagonal G, `ρ* = −λ_min(G^{−½} P G^{−½})`, from below by Lanczos's method; then
//!    by trial factors from there upwards, where these are cheap, else what the residual leaves is added.
//! 3. Of a larger sparse one against another G by trial factors, where these are cheap.
//!
//! What is larger than that is not known.

use super::ir::Rule;
use super::system::Shape;
use crate::linalg::{Curvature, Symbolic, lanczos};

/// Order up to which factors are so cheap that a hundred don't matter, and multiplications of those that are.
const SMALL: usize = 200;
const CHEAP: f64 = 1e5;

/// Multiplications of all trial factors, and of Lanczos's method: half a second each.
const MOST_FACTORS: f64 = 1e10;
const MOST_PRODUCTS: f64 = 1e9;

/// Trial factors from a lower bound upwards, most often two, and of a search that begins anywhere.
const FEW: f64 = 12.0;
const MANY: f64 = 120.0;

/// Turns of Lanczos's method.
const TURNS: usize = 300;

/// Share of the largest eigenvalue that ends it, and share of the threshold that may be left open.
const ENOUGH: f64 = 1e-10;
const OPEN: f64 = 1e-3;

/// Where the search begins, how often it doubles (to 1e12) and halves (to ten digits).
const LEAST: f64 = 1e-12;
const DOUBLINGS: i32 = 80;
const HALVINGS: usize = 34;

/// Digits of the threshold.
const DIGITS: f64 = 1e-10;

/// The threshold of a rule's step, where it is above 0, finite and known.
pub(super) fn threshold(rule: &Rule, gram: &Curvature) -> Option<f64> {
    match rule {
        Rule::Quadratic { curvature, system, .. } if !system.convex => {
            let all: Option<Vec<f64>> = curvature.iter().map(|p| of(p, gram)).collect();
            all?.into_iter().reduce(f64::max).filter(|&rho| rho > 0.0)
        }
        Rule::Prox(form) if form.curvature.iter().any(|&p| p < 0.0) => {
            let (p, g) = (Curvature::Diagonal(form.curvature.clone()), Curvature::Diagonal(form.gram.clone()));
            of(&p, &g)
        }
        _ => None,
    }
}

/// That of one member: 0 where it is convex by itself.
fn of(p: &Curvature, gram: &Curvature) -> Option<f64> {
    let holds = |rho: f64| Shape::of(&Curvature::sum(&[(1.0, p), (rho, gram)])).is_some_and(|sum| sum.is_definite(0.0));
    if let (Curvature::Diagonal(p), Curvature::Diagonal(g)) = (p, gram) {
        let all = p.iter().zip(g).filter(|(p, _)| **p <= 0.0).map(|(p, g)| if *p == 0.0 { 0.0 } else { -p / g });
        return Some(all.fold(0.0, f64::max)).filter(|rho| rho.is_finite());
    }
    if p.n() <= SMALL {
        return anywhere(holds);
    }
    let effort = effort(&Curvature::sum(&[(1.0, p), (1.0, gram)]));
    if effort <= CHEAP {
        return anywhere(holds);
    }
    match from_below(p, gram) {
        Some((low, _)) if low <= 0.0 => Some(0.0),
        Some((low, _)) if FEW * effort <= MOST_FACTORS => upwards(low, holds),
        Some((low, open)) => (open <= OPEN * low).then_some(low + open),
        None if MANY * effort <= MOST_FACTORS => anywhere(holds),
        None => None,
    }
}

/// By doubling, then by halving the interval.
fn anywhere(holds: impl Fn(f64) -> bool) -> Option<f64> {
    let high = (0..DOUBLINGS).map(|k| LEAST * 2.0f64.powi(k)).find(|&rho| holds(rho))?;
    Some(halved(high / 2.0, high, holds))
}

/// From a bound below that most often is the threshold to rounding.
fn upwards(low: f64, holds: impl Fn(f64) -> bool) -> Option<f64> {
    let (mut low, mut gap) = (low, DIGITS * low);
    while gap < 1e3 * low {
        if holds(low + gap) {
            return Some(halved(low, low + gap, holds));
        }
        (low, gap) = (low + gap, 10.0 * gap);
    }
    None
}

fn halved(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        if high - low <= DIGITS * high {
            break;
        }
        let middle = 0.5 * (low + high);
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

/// `−λ_min(G^{−½} P G^{−½})` from below, and by how much it may be more.
fn from_below(p: &Curvature, gram: &Curvature) -> Option<(f64, f64)> {
    let Curvature::Diagonal(g) = gram else { return None };
    let roots: Vec<f64> = g.iter().map(|g| 1.0 / g.sqrt()).collect();
    let n = p.n();
    let product = 2.0 * p.entries().0.min((n * n) as f64);
    let turns = TURNS.min(lanczos::turns(n, product, MOST_PRODUCTS));
    if turns < 10 || roots.iter().any(|root| !root.is_finite()) {
        return None;
    }
    let scaled = |x: &[f64]| x.iter().zip(&roots).map(|(x, root)| x * root).collect::<Vec<f64>>();
    let apply = |x: &[f64]| {
        let mut y = vec![0.0; n];
        p.accumulate(1.0, &scaled(x), &mut y);
        scaled(&y)
    };
    let ends = lanczos::ends(n, apply, turns, ENOUGH)?;
    Some((-ends.least, ends.residual))
}

/// Multiplications of a factor.
fn effort(sum: &Curvature) -> f64 {
    let n = sum.n() as f64;
    match sum {
        Curvature::Diagonal(_) => n,
        Curvature::Sparse(_) | Curvature::Repeated { .. } => Symbolic::new(&sum.to_sparse().lower(), 0).flops().0,
        // With the product that makes it.
        Curvature::Dense(_) | Curvature::Factored(_) => n.powi(3) / 3.0 + sum.entries().1.min(n.powi(3)),
    }
}
