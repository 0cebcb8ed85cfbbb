//! Steps whose matrices are diagonal, as they stand or after a transform of the grid.

use super::Quadratic;
use super::parts::{denominator, diagonals, divide_rows};
use crate::schedule::admm::Iteration;
use crate::schedule::coder::{Coder, Draft};
use crate::steps::ir::Solver;
use crate::tape::{Op, Shape, Value};

/// `(P + ρMᵀM + σI)⁻¹` of a vector or of the columns of a matrix, entry by entry.
pub(super) fn divide(it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, right: Value) -> Value {
    let p = diagonals(q.curvature).expect("a step that is divided has a diagonal P (steps::system)");
    let denominator = denominator(it, coder, draft, q, &p, &q.step.gram.diagonal());
    divide_rows(draft, right, denominator)
}

/// `T⁻¹ (Λ_P + ρΛ_M + σ)⁻¹ T` of a vector.
pub(super) fn spectral(it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, right: Value) -> Value {
    let Solver::Spectral { p, g } = &q.system.solver else { unreachable!("the caller saw the solver") };
    let denominator = denominator(it, coder, draft, q, std::slice::from_ref(&p.values), &g.values);
    let transform = p.transform;
    let shape = draft.b.shape(right).clone();
    let grid = draft.b.reshape(right, Shape(p.grid.clone()));
    let ty = draft.b.ty(grid).clone();
    let turned = draft.b.push(Op::Grid { transform, inverse: false }, vec![grid], ty.clone());
    let turned = draft.b.reshape(turned, shape.clone());
    let divided = divide_rows(draft, turned, denominator);
    let divided = draft.b.reshape(divided, ty.shape.clone());
    let solved = draft.b.push(Op::Grid { transform, inverse: true }, vec![divided], ty);
    draft.b.reshape(solved, shape)
}
