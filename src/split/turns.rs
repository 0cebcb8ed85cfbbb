//! What steps over three blocks or more, taken in turn, would do: the certificate of E0403.
//!
//! ```text
//! vᵢ⁺ = −(Pᵢ + ρAᵢᵀAᵢ)⁻¹ Aᵢᵀ(ρ Σ_{j<i} Aⱼvⱼ⁺ + ρ Σ_{j>i} Aⱼvⱼ + λ),      λ⁺ = λ + ρ Σ Aᵢvᵢ⁺
//! ```
//!
//! is how the distance to the solution of a quadratic problem goes on; its spectral radius is read off its growth
//! (power iteration). Chen, He, Ye and Yuan, Math. Program. 155 (2016), §3.

use super::affine::Lowered;
use super::ir::Coupling;
use super::variables;
use crate::linalg::{Curvature, Matrix, Operator, factor};
use crate::model::Model;
use crate::model::ir::{PlayerId, VarId};

/// Numbers in the variables, and rows, up to which it is tried: 30·30 a few times in each of [`STEPS`] is milliseconds.
const SIZE: usize = 30;

/// Iterations; the growth is that of the second half. By trial, on the matrix of the paper: 1.027839 to 1e-6.
const STEPS: usize = 2000;

/// Growth from which it is said to diverge: [`STEPS`] tell it from 1.
const GROWS: f64 = 1.001;

/// The penalty; without terms it has no influence.
const RHO: f64 = 1.0;

/// By how much the distance grows in an iteration, and whether it does so at every ρ. None where it does not, or the
/// problem is not quadratic, or not one coupling of these blocks alone.
pub(super) fn growth(
    model: &Model,
    player: PlayerId,
    coupling: &Coupling,
    blocks: &[Vec<VarId>],
) -> Option<(f64, bool)> {
    let this = &model.players[player.index()];
    let rows = coupling.offset.len();
    let others = this.constraints.iter().enumerate().filter(|(at, _)| *at != coupling.constraint.index());
    let held: Vec<VarId> = others.flat_map(|(_, other)| variables(other.relation.expr())).collect();
    let numbers: usize = blocks.iter().flatten().map(|var| model.vars[var.index()].shape.numel()).sum();
    let is_plain = coupling.over.is_none() && blocks.iter().flatten().all(|var| !held.contains(var));
    if !is_plain || numbers > SIZE || rows > SIZE {
        return None;
    }
    let mut free = true;
    let mut steps: Vec<(Operator, factor::Cholesky)> = Vec::new();
    for block in blocks {
        let operator = coupling.stacked(model, block)?;
        let mut system = Curvature::Dense(gram(&operator.to_dense()).into());
        for (at, term) in this.terms.iter().enumerate() {
            if variables(&term.expr).iter().any(|var| block.contains(var)) {
                let hessian = Lowered::new(model, &term.expr).hessian(model, player, None, block, &this.terms[at].name);
                let curvature = hessian.ok()?.curvature();
                free = false;
                system = Curvature::sum(&[(RHO, &system), (1.0, &curvature)]);
            }
        }
        steps.push((operator, factor::cholesky(&system.to_dense())?));
    }
    let growth = iterate(&steps, rows);
    (growth > GROWS).then_some((growth, free))
}

fn gram(a: &Matrix) -> Matrix {
    a.weighted_gram(&vec![1.0; a.rows])
}

/// The growth of an iteration in the long run.
fn iterate(steps: &[(Operator, factor::Cholesky)], rows: usize) -> f64 {
    let mut vars: Vec<Vec<f64>> = steps.iter().map(|(operator, _)| vec![1.0; operator.cols()]).collect();
    // No direction is left out: the rows differ.
    let mut lambda: Vec<f64> = (0..rows).map(|i| 1.0 + (i as f64).sin()).collect();
    let (mut grown, mut weights) = (0.0, 0.0);
    for step in 0..STEPS {
        for (at, (operator, system)) in steps.iter().enumerate() {
            let mut right = lambda.clone();
            for (other, (own, _)) in steps.iter().enumerate().filter(|(other, _)| *other != at) {
                own.accumulate(RHO, &vars[other], &mut right, false);
            }
            let mut next: Vec<f64> = operator.apply_adjoint(&right).iter().map(|x| -x).collect();
            system.solve(&mut next);
            vars[at] = next;
        }
        for ((operator, _), own) in steps.iter().zip(&vars) {
            operator.accumulate(RHO, own, &mut lambda, false);
        }
        let size = vars.iter().flatten().chain(&lambda).map(|x| x * x).sum::<f64>().sqrt();
        if size == 0.0 || !size.is_finite() {
            return 0.0;
        }
        vars.iter_mut().flatten().chain(&mut lambda).for_each(|x| *x /= size);
        // Complex eigenvalues make the growth swing about its mean; a window that ends softly takes that away.
        let place = step as f64 / STEPS as f64;
        let weight = 1.0 - (2.0 * std::f64::consts::TAU * (place - 0.5)).cos();
        if place >= 0.5 {
            grown += weight * size.ln();
            weights += weight;
        }
    }
    (grown / weights).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Radius 1.0278 at every ρ, as the paper has it.
    #[test]
    fn the_three_blocks_of_the_paper_diverge() {
        let column = |entries: [f64; 3]| {
            let operator: Operator = Operator::Dense(Matrix::new(3, 1, entries.to_vec()).into());
            let system = factor::cholesky(&gram(&operator.to_dense())).expect("a column that is not zero");
            (operator, system)
        };
        let steps = [column([1.0, 1.0, 1.0]), column([1.0, 1.0, 2.0]), column([1.0, 2.0, 2.0])];
        assert!((iterate(&steps, 3) - 1.027839).abs() < 1e-5, "{}", iterate(&steps, 3));
        assert!(iterate(&steps[..2], 3) <= GROWS, "two blocks converge: {}", iterate(&steps[..2], 3));
    }
}
