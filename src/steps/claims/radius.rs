//! What an iteration does with a stated update in it, where every step is quadratic: it is then affine,
//!
//! ```text
//! (x, z, λ)⁺ = T(ρ)(x, z, λ) + t          converges from everywhere iff the spectral radius of T is below 1
//! ```
//!
//! and T is found column by column, one iteration without constants on each unit vector. The radius is the limit
//! of ‖Tᵏ‖^{1/k} (Gelfand 1941), k doubled by squaring.

use super::point::Compiled;
use super::{RHOS, WORK};
use crate::diag::digits;
use crate::linalg::{Matrix, factor};
use crate::model::Model;
use crate::model::ir::{ConstraintId, Leaf, Member, Target};
use crate::split::ir::PlayerSplit;
use crate::steps::ir::{AdmmPlan, Rule};
use crate::tape::{Shape, Tensor};

/// Numbers of the state up to which T is made: thirty products of such matrices for each ρ, some milliseconds.
const MOST: usize = 40;

/// Squarings: k = 2³⁰, so that a norm of T's powers that grows like k moves the radius by 1e-8.
const SQUARINGS: i32 = 30;

/// Digits of a radius: one of 1.001 is no 1.
const DIGITS: usize = 4;

/// How far from 1 a radius is told from 1.
const EDGE: f64 = 1e-6;

/// An update in the place of the derived one.
pub(super) struct Replaced<'a> {
    pub of: Target,
    pub by: &'a Compiled,
}

/// What the iteration does with an update in it, in a line; none where it is not affine, is large, or does not
/// converge by itself.
pub(super) fn line(model: &Model, split: &PlayerSplit, plan: &AdmmPlan, replaced: &Replaced) -> Option<String> {
    let system = System::of(model, split, plan)?;
    // Two systems at every ρ, a column at a time.
    let flops = replaced.by.flops() * (system.len() as u64 + 1) * RHOS.len() as u64;
    if flops > WORK || !system.is_affine(replaced) {
        return None;
    }
    let mut found = Vec::new();
    for rho in RHOS {
        if system.radius(rho, None)? >= 1.0 - EDGE {
            return None;
        }
        found.push((rho, system.radius(rho, Some(replaced))?));
    }
    let diverging: Vec<(f64, f64)> = found.iter().copied().filter(|(_, radius)| *radius > 1.0 + EDGE).collect();
    let least = diverging.iter().fold(f64::INFINITY, |least, (_, radius)| least.min(*radius));
    let most = diverging.iter().fold(0.0f64, |most, (_, radius)| most.max(*radius));
    let [least, most] = [least, most].map(|radius| digits(radius, DIGITS));
    let range = if least == most { most } else { format!("{least} to {most}") };
    let quadratic = "every step is quadratic here: with this update ADMM";
    Some(if diverging.is_empty() {
        format!("{quadratic} still settles at each of these ρ, so that ‖r‖ alone does not tell")
    } else if diverging.len() == RHOS.len() {
        format!("{quadratic} diverges at each of these ρ, by a factor of {range} an iteration")
    } else {
        let at: Vec<String> = diverging.iter().map(|(rho, _)| rho.to_string()).collect();
        format!("{quadratic} diverges at ρ = {}, by a factor of {range} an iteration", at.join(", "))
    })
}

/// A quadratic step: where its variables stand in the state, and `P`.
struct Own {
    vars: Vec<usize>,
    p: Matrix,
}

/// An iteration whose every step is quadratic, without its constants.
struct System<'a> {
    model: &'a Model,
    split: &'a PlayerSplit,
    /// Where each variable of the player begins in the state, by its number.
    places: Vec<(u32, usize)>,
    /// Steps in order: x, then z.
    steps: Vec<Own>,
    x: usize,
    /// `[A B]`, a coupling behind another.
    k: Matrix,
    /// Where each coupling's rows begin.
    rows: Vec<(ConstraintId, usize)>,
}

impl<'a> System<'a> {
    fn of(model: &'a Model, split: &'a PlayerSplit, plan: &AdmmPlan) -> Option<System<'a>> {
        let mut places = Vec::new();
        let mut steps = Vec::new();
        let mut vars = Vec::new();
        let mut n = 0;
        for step in plan.steps() {
            let Rule::Quadratic { curvature, equalities: None, .. } = &step.rule else { return None };
            let [curvature] = &curvature[..] else { return None };
            if step.component.over.is_some() || n + curvature.n() > MOST {
                return None;
            }
            let first = n;
            for &var in &step.component.vars {
                places.push((var.0, n));
                n += model.vars[var.index()].shape.numel();
                vars.push(var);
            }
            steps.push(Own { vars: (first..n).collect(), p: curvature.to_dense() });
        }
        let mut stacked = Vec::new();
        let mut rows = Vec::new();
        for coupling in &split.couplings {
            let first = rows.last().map_or(0, |&(_, end): &(ConstraintId, usize)| end);
            let count = coupling.offset.len();
            if coupling.over.is_some() || n + first + count > MOST {
                return None;
            }
            let own = coupling.stacked(model, &vars)?.to_dense();
            stacked.extend((0..count).map(|i| own.row(i).to_vec()));
            rows.push((coupling.constraint, first + count));
        }
        let k = Matrix::from_fn(stacked.len(), n, |i, j| stacked[i][j]);
        Some(System { model, split, places, steps, x: plan.x.len(), k, rows })
    }

    fn len(&self) -> usize {
        self.k.cols + self.k.rows
    }

    /// The spectral radius of T, with an update replaced.
    fn radius(&self, rho: f64, replaced: Option<&Replaced>) -> Option<f64> {
        let n = self.len();
        let factors: Vec<_> = self.steps.iter().map(|step| self.factor(step, rho)).collect::<Option<_>>()?;
        let origin = match replaced {
            Some(replaced) => Some(self.stated(replaced, rho, &vec![0.0; n])?),
            None => None,
        };
        let mut columns = Vec::new();
        for j in 0..n {
            let mut state = vec![0.0; n];
            state[j] = 1.0;
            columns.push(self.iterate(rho, &factors, replaced.zip(origin.as_deref()), state)?);
        }
        let t = Matrix::from_fn(n, n, |i, j| columns[j][i]);
        t.is_finite().then(|| radius(t))
    }

    /// The factor of `P + ρMᵀM`.
    fn factor(&self, step: &Own, rho: f64) -> Option<factor::Cholesky> {
        let m = Matrix::from_fn(self.k.rows, step.vars.len(), |i, j| self.k.row(i)[step.vars[j]]);
        factor::cholesky(&step.p.clone().add_scaled(rho, &m.gram()))
    }

    /// One iteration.
    fn iterate(
        &self,
        rho: f64,
        factors: &[factor::Cholesky],
        replaced: Option<(&Replaced, &[f64])>,
        mut state: Vec<f64>,
    ) -> Option<Vec<f64>> {
        let (n, p) = (self.k.cols, self.k.rows);
        let residual = |state: &[f64], without: &[usize]| -> Vec<f64> {
            let part = |i: usize| {
                self.k
                    .row(i)
                    .iter()
                    .zip(state)
                    .enumerate()
                    .filter(|(j, _)| !without.contains(j))
                    .map(|(_, (k, x))| k * x)
                    .sum()
            };
            (0..p).map(part).collect()
        };
        let affine = |of: &dyn Fn(Target) -> bool, state: &[f64]| -> Option<Option<Vec<f64>>> {
            let Some((replaced, origin)) = replaced.filter(|(replaced, _)| of(replaced.of)) else { return Some(None) };
            let value = self.stated(replaced, rho, state)?;
            Some(Some(value.iter().zip(origin).map(|(value, zero)| value - zero).collect()))
        };
        for block in [0..self.x, self.x..self.steps.len()] {
            // The steps of a block see each other's last values.
            let before = state.clone();
            for at in block {
                let step = &self.steps[at];
                let own =
                    |target: Target| matches!(target, Target::Var(var) if self.place(var.0) == Some(step.vars[0]));
                let next = match affine(&own, &before)? {
                    Some(next) => next,
                    None => {
                        let r = residual(&before, &step.vars);
                        let pull = |j: &usize| -> f64 {
                            (0..p).map(|i| self.k.row(i)[*j] * (before[n + i] + rho * r[i])).sum()
                        };
                        let mut next: Vec<f64> = step.vars.iter().map(|j| -pull(j)).collect();
                        factors[at].solve(&mut next);
                        next
                    }
                };
                step.vars.iter().zip(next).for_each(|(&j, next)| state[j] = next);
            }
        }
        let r = residual(&state, &[]);
        let before = state.clone();
        let mut first = 0;
        for &(id, end) in &self.rows {
            match affine(&|target| target == Target::Dual(id), &before)? {
                Some(next) => state[n + first..n + end].copy_from_slice(&next),
                None => (first..end).for_each(|i| state[n + i] += rho * r[i]),
            }
            first = end;
        }
        Some(state)
    }

    /// Whether an update is affine, tried along a line: `f(u) + f(−u) = 2f(0)` and `f(2u) + f(0) = 2f(u)`.
    fn is_affine(&self, replaced: &Replaced) -> bool {
        let along = |t: f64| -> Option<Vec<f64>> {
            let state: Vec<f64> = (0..self.len()).map(|i| t * ((i * i + 1) as f64).sin()).collect();
            self.stated(replaced, 2.0, &state)
        };
        let all: Option<Vec<Vec<f64>>> = [-1.0, 0.0, 1.0, 2.0].into_iter().map(along).collect();
        let Some([back, zero, once, twice]) = all.and_then(|all| <[Vec<f64>; 4]>::try_from(all).ok()) else {
            return false;
        };
        (0..zero.len()).all(|i| {
            let size = back[i].abs() + zero[i].abs() + once[i].abs() + twice[i].abs();
            let [even, odd] = [once[i] + back[i] - 2.0 * zero[i], twice[i] + zero[i] - 2.0 * once[i]];
            even.abs().max(odd.abs()) <= EDGE * size
        })
    }

    fn place(&self, var: u32) -> Option<usize> {
        self.places.iter().find(|(of, _)| *of == var).map(|&(_, place)| place)
    }

    /// A stated update at a state.
    fn stated(&self, replaced: &Replaced, rho: f64, state: &[f64]) -> Option<Vec<f64>> {
        let value = replaced.by.with(|leaf| match leaf {
            Leaf::Rho(_) => Some(Tensor::scalar(rho)),
            Leaf::Var(var, Member::None) => {
                let shape = self.model.vars[var.index()].shape.clone();
                Some(System::part(shape, &state[self.place(var.0)?..]))
            }
            Leaf::Dual(player, id, Member::None) if player == self.split.player => {
                let at = self.rows.iter().position(|(of, _)| *of == id)?;
                let first = if at == 0 { 0 } else { self.rows[at - 1].1 };
                Some(System::part(self.model.leaf_shape(leaf), &state[self.k.cols + first..]))
            }
            Leaf::Data(id, Member::None) => Some((*self.model.data[id.index()].tensor).clone()),
            _ => None,
        })?;
        value.is_finite().then(|| value.to_f64().into_vec())
    }

    fn part(shape: Shape, state: &[f64]) -> Tensor {
        let n = shape.numel();
        Tensor::f64(shape, state[..n].to_vec())
    }
}

/// The spectral radius of a matrix.
fn radius(mut t: Matrix) -> f64 {
    let mut log = 0.0;
    for k in 0..SQUARINGS {
        let size = t.data.iter().map(|x| x * x).sum::<f64>().sqrt();
        if size == 0.0 {
            return 0.0;
        }
        log += size.ln() / 2f64.powi(k);
        let scaled = Matrix::from_fn(t.rows, t.cols, |i, j| t.row(i)[j] / size);
        t = scaled.matmul(&scaled);
    }
    log.exp()
}
