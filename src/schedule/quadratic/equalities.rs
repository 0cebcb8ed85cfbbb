//! Equations `Ev = e` on top of a step that is solved without them, by their Schur complement:
//!
//! ```text
//! W = F⁻¹Eᵀ,  LLᵀ = EW,  ν = (LLᵀ)⁻¹(Et − e),  v = t − Wν        with t = F⁻¹r
//! ```

use super::{Factor, Quadratic, dense};
use crate::schedule::admm::Iteration;
use crate::schedule::coder::{Coder, Draft};
use crate::schedule::ir::StateId;
use crate::steps::ir::Equalities;
use crate::tape::{Shape, Value};

/// The states of `E`, `e`, `W` and `L`.
pub(super) struct Schur {
    e: StateId,
    right: StateId,
    w: StateId,
    l: StateId,
}

/// The multiplier of the equations, a state of every member.
pub(super) fn multiplier(coder: &mut Coder, q: Quadratic) -> StateId {
    let rows = q.equalities.map_or(0, |equalities| equalities.right.len());
    coder.zeros(&format!("ν.{}", q.tag), Shape::vector(rows), q.step.component.over)
}

impl Schur {
    pub fn new(it: &mut Iteration, coder: &mut Coder, q: Quadratic, factor: &Factor, equalities: &Equalities) -> Schur {
        let (n, rows) = (q.n, equalities.right.len());
        let e =
            coder.constant(&format!("E.{}", q.tag), Shape::matrix(rows, n), None, equalities.operator.to_dense().data);
        let right = coder.constant(&format!("e.{}", q.tag), Shape::vector(rows), None, equalities.right.clone());
        let w = coder.zeros(&format!("W.{}", q.tag), Shape::matrix(n, rows), q.own());
        let l = coder.zeros(&format!("LE.{}", q.tag), Shape::matrix(rows, rows), q.own());
        // After the factor: what it is made of is in place then.
        let mut draft = coder.draft("equations");
        let e_value = draft.read(coder, e);
        let turned = draft.b.transpose(e_value);
        let solved = factor.solve(it, coder, &mut draft, q, turned);
        let complement = draft.b.matmul(e_value, solved, false, false);
        let made = dense::factor(&mut draft, complement);
        draft.write(coder, q.arg(w), solved);
        draft.write(coder, q.arg(l), made);
        q.remake(it, coder, draft);
        Schur { e, right, w, l }
    }

    /// The step with the equations from the one without; the multiplier is kept.
    pub fn correct(&self, coder: &mut Coder, draft: &mut Draft, q: Quadratic, t: Value) -> Value {
        let (e, right) = (draft.read(coder, self.e), draft.read(coder, self.right));
        let (w, l) = (draft.read(coder, q.arg(self.w)), draft.read(coder, q.arg(self.l)));
        let image = draft.b.matvec(e, t, false);
        let off = draft.b.sub(image, right);
        let nu = dense::solve(draft, l, off);
        let state = multiplier(coder, q);
        draft.write(coder, q.over(state), nu);
        let by = draft.b.matvec(w, nu, false);
        draft.b.sub(t, by)
    }
}
