//! Steps solved by dense matrices, for the columns of a right side.
//!
//! ```text
//! Cholesky        LLᵀ = P + ρMᵀM + σI
//! eigenvectors    P = VΛVᵀ, MᵀM = κI:       V (Λ + (ρκ + σ)I)⁻¹ Vᵀ
//! inversion       P = D + K̃ᵀK̃, Δ = D + ρ diag(g) + σI:
//!                 LLᵀ = I + K̃Δ⁻¹K̃ᵀ,         t − Δ⁻¹K̃ᵀ(LLᵀ)⁻¹K̃t    with t = Δ⁻¹r
//! ```

use super::Quadratic;
use super::parts::{self, add_diagonal, denominator, divide_rows};
use crate::linalg::{Curvature, Factored};
use crate::schedule::admm::Iteration;
use crate::schedule::coder::{Coder, Draft};
use crate::schedule::ir::StateId;
use crate::tape::{Op, Shape, Value};

/// The state of `L`.
pub(super) struct Cholesky(StateId);

impl Cholesky {
    pub fn new(it: &mut Iteration, coder: &mut Coder, q: Quadratic) -> Cholesky {
        let (members, gram) = (parts::curvature(q), parts::gram(q));
        let n = members[0].n();
        let state = coder.zeros(&format!("L.{}", q.tag), Shape::matrix(n, n), q.own());
        let p = parts::dense(coder, q);
        let mut draft = coder.draft("factorise");
        let p = draft.read(coder, q.arg(p));
        let matrix = match &gram {
            Curvature::Diagonal(g) => {
                let penalty = parts::penalty(it, coder, &mut draft, q, g);
                add_diagonal(&mut draft, p, penalty)
            }
            gram => {
                let full = gram.to_dense().data;
                let g = coder.constant(&format!("MᵀM.{}", q.tag), Shape::matrix(n, n), None, full);
                let (g, rho) = (draft.read(coder, g), draft.read(coder, it.rho));
                let weighted = draft.b.mul(rho, g);
                let matrix = draft.b.add(p, weighted);
                match q.system.proximal {
                    0.0 => matrix,
                    sigma => {
                        let sigma = draft.number(sigma, coder.dtype);
                        add_diagonal(&mut draft, matrix, sigma)
                    }
                }
            }
        };
        let factor = factor(&mut draft, matrix);
        draft.write(coder, q.arg(state), factor);
        q.remake(it, coder, draft);
        Cholesky(state)
    }

    pub fn solve(&self, coder: &Coder, draft: &mut Draft, q: Quadratic, right: Value) -> Value {
        let l = draft.read(coder, q.arg(self.0));
        solve(draft, l, right)
    }
}

/// `L` of a matrix.
pub(super) fn factor(draft: &mut Draft, matrix: Value) -> Value {
    let ty = draft.b.ty(matrix).clone();
    draft.b.push(Op::Cholesky, vec![matrix], ty)
}

/// `(LLᵀ)⁻¹ x`
pub(super) fn solve(draft: &mut Draft, l: Value, x: Value) -> Value {
    let ty = draft.b.ty(x).clone();
    draft.b.push(Op::CholeskySolve, vec![l, x], ty)
}

/// The states of `V` and `Λ`.
pub(super) struct Eigen(StateId, StateId);

impl Eigen {
    pub fn new(_: &mut Iteration, coder: &mut Coder, q: Quadratic) -> Eigen {
        let n = parts::curvature(q)[0].n();
        let vectors = coder.zeros(&format!("V.{}", q.tag), Shape::matrix(n, n), q.own());
        let values = coder.zeros(&format!("Λ.{}", q.tag), Shape::vector(n), q.own());
        let p = parts::dense(coder, q);
        let mut draft = coder.draft("eigenvectors");
        let p = draft.read(coder, q.arg(p));
        let (lambda, v) = draft.b.symmetric_eigen(p);
        draft.write(coder, q.arg(vectors), v);
        draft.write(coder, q.arg(values), lambda);
        q.once(coder, draft);
        Eigen(vectors, values)
    }

    pub fn solve(&self, it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, right: Value) -> Value {
        let (v, lambda) = (draft.read(coder, q.arg(self.0)), draft.read(coder, q.arg(self.1)));
        let penalty = parts::penalty(it, coder, draft, q, &parts::gram(q).diagonal());
        let denominator = draft.b.add(lambda, penalty);
        let turned = draft.b.matmul(v, right, true, false);
        let divided = divide_rows(draft, turned, denominator);
        draft.b.matmul(v, divided, false, false)
    }
}

/// The states of `K̃` and of `L`.
pub(super) struct Inversion {
    k: StateId,
    l: StateId,
}

impl Inversion {
    pub fn new(it: &mut Iteration, coder: &mut Coder, q: Quadratic) -> Inversion {
        let parts = factored(q);
        let m = parts[0].factor.rows();
        let k_state = parts::rooted(coder, q, &parts);
        let l = coder.zeros(&format!("L.{}", q.tag), Shape::matrix(m, m), q.own());
        let flat = parts.iter().all(|part| part.base.scale().is_some()) && q.step.gram.scale().is_some();
        // Where Δ is a multiple of I, one product of K̃ serves every ρ.
        let square = flat.then(|| {
            let square = coder.zeros(&format!("KKᵀ.{}", q.tag), Shape::matrix(m, m), q.own());
            let mut draft = coder.draft("product");
            let k = draft.read(coder, q.arg(k_state));
            let product = draft.b.matmul(k, k, false, true);
            draft.write(coder, q.arg(square), product);
            q.once(coder, draft);
            square
        });
        let mut draft = coder.draft("factorise");
        let delta = delta(it, coder, &mut draft, q, &parts);
        let product = match square {
            Some(square) => {
                let square = draft.read(coder, q.arg(square));
                // Members may differ in their multiple.
                divide_rows(&mut draft, square, delta)
            }
            None => {
                let k = draft.read(coder, q.arg(k_state));
                let shape = draft.b.shape(k).clone();
                let across = match draft.b.shape(delta).rank() {
                    0 => delta,
                    _ => draft.b.broadcast(delta, vec![1], shape),
                };
                let divided = draft.b.div(k, across);
                draft.b.matmul(divided, k, false, true)
            }
        };
        let one = draft.number(1.0, coder.dtype);
        let matrix = add_diagonal(&mut draft, product, one);
        let made = factor(&mut draft, matrix);
        draft.write(coder, q.arg(l), made);
        q.remake(it, coder, draft);
        Inversion { k: k_state, l }
    }

    pub fn solve(&self, it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, right: Value) -> Value {
        let parts = factored(q);
        let delta = delta(it, coder, draft, q, &parts);
        let (k, l) = (draft.read(coder, q.arg(self.k)), draft.read(coder, q.arg(self.l)));
        let t = divide_rows(draft, right, delta);
        let image = draft.b.matmul(k, t, false, false);
        let inner = solve(draft, l, image);
        let back = draft.b.matmul(k, inner, true, false);
        let back = divide_rows(draft, back, delta);
        draft.b.sub(t, back)
    }
}

/// `P` in its parts, an entry a member.
fn factored(q: Quadratic<'_>) -> Vec<&Factored> {
    fn part(p: &Curvature) -> &Factored {
        match p {
            Curvature::Factored(it) => it.as_ref(),
            _ => unreachable!("the lemma is for a P kept as its factor (steps::system)"),
        }
    }
    parts::curvature(q).into_iter().map(part).collect()
}

/// `D + ρ diag(g) + σ`: where it is a multiple of `I` for every member, a number each.
fn delta(it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, parts: &[&Factored]) -> Value {
    let d: Vec<Vec<f64>> = parts.iter().map(|part| part.base.diagonal()).collect();
    let g = parts::gram(q).diagonal();
    // One number a member is one too few for a vector of them.
    let scales: Option<Vec<Vec<f64>>> = parts.iter().map(|part| part.base.scale().map(|s| vec![s])).collect();
    match (scales, q.step.gram.scale()) {
        (Some(scales), Some(_)) if scales.len() > 1 => {
            let d = parts::numbers(coder, draft, &format!("P.{}", q.tag), &scales);
            let d = if draft.b.shape(d).rank() == 1 { draft.b.reshape(d, []) } else { d };
            let penalty = parts::penalty(it, coder, draft, q, &g);
            draft.b.add(d, penalty)
        }
        _ => denominator(it, coder, draft, q, &d, &g),
    }
}
