//! How near a step's matrix is to a singular one, its units left aside.
//!
//! ```text
//! κ = λ_max/λ_min of D^{-½} F D^{-½},   D = diag F
//! ```
//!
//! A factor loses about log₁₀ κ digits of the step: to scale rows and columns changes neither a Cholesky factor's
//! rounding nor, but for a factor of n, the least condition that scaling can give (van der Sluis 1969; Higham 2002,
//! §10.1).

use super::unique::Shape;
use crate::linalg::Curvature;

/// Turns of the power method up, and of inverse iteration down: a digit of each is enough.
const TURNS_UP: usize = 20;
const TURNS_DOWN: usize = 5;

/// A condition number, and the direction that the matrix is nearest to 0 along.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::steps) struct Condition {
    /// `κ`
    pub number: f64,
    /// The direction, its largest entry 1.
    pub lowest: Vec<f64>,
}

/// The condition of a positive definite matrix, where it may reach `least`: an upper bound by the diagonal of the
/// penalty, `F ⪰ held`, is looked at first, and costs nothing.
pub(in crate::steps) fn condition(sum: &Curvature, held: &[f64], least: f64) -> Option<Condition> {
    let diagonal = sum.diagonal();
    let bound = diagonal.iter().zip(held).map(|(d, held)| if *held > 0.0 { d / held } else { f64::INFINITY });
    let n = diagonal.len();
    if matches!(sum, Curvature::Diagonal(_)) || n as f64 * bound.fold(0.0, f64::max) < least {
        return None;
    }
    let factor = Shape::of(sum)?.factor(0.0)?;
    let roots: Vec<f64> = diagonal.iter().map(|d| d.max(f64::MIN_POSITIVE).sqrt()).collect();
    let highest = power(start(n), TURNS_UP, |x| {
        let scaled: Vec<f64> = x.iter().zip(&roots).map(|(x, r)| x / r).collect();
        let mut y = vec![0.0; n];
        sum.accumulate(1.0, &scaled, &mut y);
        y.iter_mut().zip(&roots).for_each(|(y, r)| *y /= r);
        y
    });
    let lowest = power(start(n), TURNS_DOWN, |x| {
        let mut y: Vec<f64> = x.iter().zip(&roots).map(|(x, r)| x * r).collect();
        factor.solve(&mut y);
        y.iter_mut().zip(&roots).for_each(|(y, r)| *y *= r);
        y
    });
    let number = highest.0 * lowest.0;
    let mut direction: Vec<f64> = lowest.1.iter().zip(&roots).map(|(x, r)| x / r).collect();
    let largest = direction.iter().copied().fold(0.0f64, |a, b| if b.abs() > a.abs() { b } else { a });
    direction.iter_mut().for_each(|x| *x /= largest);
    (number >= least).then_some(Condition { number, lowest: direction })
}

/// Weyl's sequence: no start that a structure is at right angles to.
fn start(n: usize) -> Vec<f64> {
    (0..n).map(|i| ((i + 1) as f64 * 0.618_033_988_749_894_9).fract() - 0.5).collect()
}

/// The largest eigenvalue, nearly, and its vector.
fn power(mut x: Vec<f64>, turns: usize, apply: impl Fn(&[f64]) -> Vec<f64>) -> (f64, Vec<f64>) {
    let mut value = 0.0;
    for _ in 0..turns {
        let size = x.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        x.iter_mut().for_each(|x| *x /= size);
        x = apply(&x);
        value = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    }
    (value, x)
}
