//! Steps solved by a sparse factor of `P + ρMᵀM`, or of a system with multipliers beside `v`
//! ([`SparseSystem`]). The pattern and its plan are the op's; ρ changes numbers alone.
//!
//! Equations are rows with `−δ` on the diagonal, which the factor needs and the system has not: the
//! solution is refined once, `x ← x + K_δ⁻¹(b − Kx)`, which also takes back what small pivots round
//! away. An error of δ, relative to the size of `E F⁻¹Eᵀ`, becomes one of δ².

use super::Quadratic;
use super::parts::filled;
use crate::schedule::admm::Iteration;
use crate::schedule::coder::{Coder, Draft};
use crate::schedule::ir::StateId;
use crate::steps::ir::{Equalities, SchurSize, SparseSystem};
use crate::tape::{Op, Shape, Type, Value};

/// `δ` by the size of `E F⁻¹Eᵀ`, as a power of the rounding: small against it, large enough for the pivots of
/// the rows that stand for equations.
const DELTA: f64 = 0.5;

/// The state of the factor, and that of the entries where they are needed to refine.
pub(super) struct Sparse {
    factor: StateId,
    entries: Option<StateId>,
}

impl Sparse {
    pub fn new(it: &mut Iteration, coder: &mut Coder, q: Quadratic, system: &SparseSystem) -> Sparse {
        let symbolic = &system.symbolic;
        let state = coder.zeros(&format!("L.{}", q.tag), Shape::vector(symbolic.factor_len()), q.own());
        let nnz = Shape::vector(symbolic.nnz());
        let diagonal = |i: usize| symbolic.starts[i + 1] - 1;
        let mut fixed = Vec::with_capacity(system.fixed.len() * symbolic.nnz());
        for own in &system.fixed {
            let mut own = own.clone();
            (0..q.n).for_each(|i| own[diagonal(i)] += q.system.proximal);
            fixed.extend(own);
        }
        let fixed = coder.constant(&format!("P.{}", q.tag), nnz.clone(), q.own(), fixed);
        let mut draft = coder.draft("factorise");
        let mut values = draft.read(coder, q.arg(fixed));
        let rho = draft.read(coder, it.rho);
        if system.rho.iter().any(|&x| x != 0.0) {
            let g = coder.constant(&format!("MᵀM.{}", q.tag), nnz.clone(), None, system.rho.clone());
            let g = draft.read(coder, g);
            let weighted = draft.b.mul(rho, g);
            values = draft.b.add(values, weighted);
        }
        if let Some(reciprocal) = &system.reciprocal {
            let w = coder.constant(&format!("W⁻¹.{}", q.tag), nnz.clone(), None, reciprocal.clone());
            let w = draft.read(coder, w);
            let over = draft.b.div(w, rho);
            values = draft.b.add(values, over);
        }
        let ty = Type::new(coder.dtype, [symbolic.factor_len()]);
        let entries = q.equalities.map(|_| {
            let state = coder.zeros(&format!("K.{}", q.tag), nnz.clone(), q.own());
            draft.write(coder, q.arg(state), values);
            let mut places = vec![0.0; symbolic.nnz()];
            (symbolic.n - system.equalities..symbolic.n).for_each(|i| places[diagonal(i)] = -1.0);
            let places = coder.constant(&format!("δ.{}", q.tag), nnz.clone(), None, places);
            let places = draft.read(coder, places);
            let held = delta(coder, &mut draft, rho, &system.schur);
            let held = draft.b.mul(held, places);
            values = draft.b.add(values, held);
            state
        });
        let factor = draft.b.push(Op::SparseFactor(symbolic.clone()), vec![values], ty);
        draft.write(coder, q.arg(state), factor);
        q.remake(it, coder, draft);
        Sparse { factor: state, entries }
    }

    /// `v` of a right side; the multipliers of equations are kept.
    pub fn solve(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        q: Quadratic,
        system: &SparseSystem,
        right: Value,
    ) -> Value {
        let (order, rows) = (system.symbolic.n, system.equalities);
        let mut parts = vec![right];
        if order > q.n + rows {
            parts.push(filled(draft, 0.0, order - q.n - rows, coder.dtype));
        }
        if let Some(Equalities { right, .. }) = q.equalities {
            let e = coder.constant(&format!("e.{}", q.tag), Shape::vector(rows), None, right.clone());
            parts.push(draft.read(coder, e));
        }
        let whole = draft.b.concat(parts, 0);
        let factor = draft.read(coder, q.arg(self.factor));
        let solve = |draft: &mut Draft, right: Value| {
            let ty = draft.b.ty(right).clone();
            draft.b.push(Op::SparseSolve(system.symbolic.clone()), vec![factor, right], ty)
        };
        let mut solved = solve(draft, whole);
        if let Some(entries) = self.entries {
            let entries = draft.read(coder, q.arg(entries));
            let image = product(coder, draft, q, system, entries, solved);
            let off = draft.b.sub(whole, image);
            let correction = solve(draft, off);
            solved = draft.b.add(solved, correction);
            let nu = super::equalities::multiplier(coder, q);
            let own = draft.b.segment(solved, order - rows, rows);
            draft.write(coder, q.over(nu), own);
        }
        draft.b.segment(solved, 0, q.n)
    }
}

/// `K x` from the lower triangle: `Lx + Lᵀx − diag(L)x`.
fn product(
    coder: &mut Coder,
    draft: &mut Draft,
    q: Quadratic,
    system: &SparseSystem,
    entries: Value,
    x: Value,
) -> Value {
    let symbolic = &system.symbolic;
    let index = |x: &usize| *x as u32;
    let starts = coder.indices(&format!("K rows.{}", q.tag), symbolic.starts.iter().map(index).collect());
    let columns = coder.indices(&format!("K columns.{}", q.tag), symbolic.columns.iter().map(index).collect());
    let ends = symbolic.starts[1..].iter().map(|end| (end - 1) as u32).collect();
    let diagonal = coder.indices(&format!("K diagonal.{}", q.tag), ends);
    let [starts, columns, diagonal] = [starts, columns, diagonal].map(|state| draft.read(coder, state));
    let ty = draft.b.ty(x).clone();
    let [below, above] = [false, true]
        .map(|transpose| draft.b.push(Op::SparseMatVec { transpose }, vec![starts, columns, entries, x], ty.clone()));
    let pivots = draft.b.gather(entries, diagonal);
    let twice = draft.b.mul(pivots, x);
    let sum = draft.b.add(below, above);
    draft.b.sub(sum, twice)
}

/// `δ` at a ρ.
fn delta(coder: &Coder, draft: &mut Draft, rho: Value, size: &SchurSize) -> Value {
    let f = draft.b.scale(size.rho, rho);
    let f = draft.b.offset(f, size.fixed);
    let rows = draft.number(size.rows * coder.dtype.eps().powf(DELTA), coder.dtype);
    draft.b.div(rows, f)
}
