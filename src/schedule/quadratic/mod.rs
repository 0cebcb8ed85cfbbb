//! The closed-form step: `v⁺ = F⁻¹(σv − p − pull)` with `F = P + ρMᵀM + σI`, in the way that the plan
//! chose: [`diagonal`] (by division, on a grid after a transform), [`dense`] (factors, eigenvectors, the
//! matrix-inversion lemma), [`sparse`], [`conjugate`] gradients. What holds ρ is made again when ρ
//! changes. [`equalities`] stand on top of any way but the sparse one, which has them as rows.

mod conjugate;
mod dense;
mod diagonal;
mod equalities;
pub(super) mod parts;
mod sparse;
#[cfg(test)]
mod tests;

use super::FACTORISE;
use super::admm::{Cotangent, Iteration, Point, Side, point};
use super::coder::{Coder, Draft};
use super::ir::{Arg, StateId, Stmt};
use crate::linalg::Operator;
use crate::model::ir::{Leaf, Member};
use crate::steps::ir::{Curvature, Equalities, Rule, Solver, Step, System};
use crate::steps::repeated;
use crate::tape::{Op, Shape, Type, Value};

pub(super) use parts::numbers;

/// A closed-form step being written.
#[derive(Clone, Copy)]
struct Quadratic<'a> {
    step: &'a Step,
    curvature: &'a [Curvature],
    linear: &'a [Vec<f64>],
    equalities: Option<&'a Equalities>,
    system: &'a System,
    /// A name for what belongs to the step.
    tag: &'a str,
    n: usize,
}

impl<'a> Quadratic<'a> {
    /// The step of that name, where it is one.
    fn of(step: &'a Step, tag: &'a str) -> Option<Quadratic<'a>> {
        let Rule::Quadratic { curvature, linear, equalities, system } = &step.rule else { return None };
        let equalities = equalities.as_ref();
        Some(Quadratic { step, curvature, linear, equalities, system, tag, n: step.gram.n() })
    }

    /// Members that have a factor of their own.
    fn own(&self) -> Option<usize> {
        (self.curvature.len() > 1).then_some(self.curvature.len())
    }

    /// A state of the members.
    fn arg(&self, state: StateId) -> Arg {
        Arg { state, member: self.own().is_some() }
    }

    /// A state of a family of steps.
    fn over(&self, state: StateId) -> Arg {
        Arg { state, member: self.step.component.over.is_some() }
    }

    /// A program that makes what ρ is part of: at the start, and whenever ρ changes.
    fn remake(&self, it: &mut Iteration, coder: &mut Coder, draft: Draft) {
        let make = coder.call(draft, self.own(), FACTORISE);
        coder.setup.push(make.clone());
        it.refactor.push(make);
    }

    /// A program that is run once.
    fn once(&self, coder: &mut Coder, draft: Draft) {
        let make = coder.call(draft, self.own(), FACTORISE);
        coder.setup.push(make);
    }
}

/// What is kept to solve with.
enum Factor {
    Divide,
    Spectral,
    Inversion(dense::Inversion),
    Cholesky(dense::Cholesky),
    Eigen(dense::Eigen),
}

impl Factor {
    /// Writes what makes it.
    fn new(it: &mut Iteration, coder: &mut Coder, q: Quadratic) -> Factor {
        match &q.system.solver {
            Solver::Divide => Factor::Divide,
            Solver::Spectral { .. } => Factor::Spectral,
            Solver::Inversion => Factor::Inversion(dense::Inversion::new(it, coder, q)),
            Solver::Cholesky => Factor::Cholesky(dense::Cholesky::new(it, coder, q)),
            Solver::Eigen => Factor::Eigen(dense::Eigen::new(it, coder, q)),
            Solver::Sparse(_) | Solver::ConjugateGradients => unreachable!("they are steps of their own (`step`)"),
        }
    }

    /// `F⁻¹` of a vector, or of the columns of a matrix.
    fn solve(&self, it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, right: Value) -> Value {
        let around = repeated(q.curvature, &q.step.gram).map(|(left, inner, right)| (left, inner.n(), right));
        match self {
            Factor::Divide => diagonal::divide(it, coder, draft, q, right),
            Factor::Spectral => diagonal::spectral(it, coder, draft, q, right),
            Factor::Inversion(by) => columns(draft, around, right, |draft, right| by.solve(it, coder, draft, q, right)),
            Factor::Cholesky(by) => columns(draft, around, right, |draft, right| by.solve(coder, draft, q, right)),
            Factor::Eigen(by) => columns(draft, around, right, |draft, right| by.solve(it, coder, draft, q, right)),
        }
    }
}

/// A vector as one column, a matrix as it is; of `I ⊗ S ⊗ I` every copy of what S acts on is a column.
fn columns(
    draft: &mut Draft,
    around: Option<(usize, usize, usize)>,
    right: Value,
    solve: impl FnOnce(&mut Draft, Value) -> Value,
) -> Value {
    let shape = draft.b.shape(right).clone();
    let several: usize = shape.0[1..].iter().product();
    let (left, n, columns) = match around {
        Some((left, n, right)) => (left, n, right * several),
        None => (1, shape.0[0], several),
    };
    let turn = |draft: &mut Draft, x: Value, shape: [usize; 3]| {
        if left == 1 {
            return x;
        }
        let x = draft.b.reshape(x, shape);
        let ty = Type::new(draft.b.dtype(x), [shape[1], shape[0], shape[2]]);
        draft.b.push(Op::Transpose { perm: vec![1, 0, 2] }, vec![x], ty)
    };
    let turned = turn(draft, right, [left, n, columns]);
    let turned = draft.b.reshape(turned, [n, left * columns]);
    let solved = solve(draft, turned);
    let solved = turn(draft, solved, [n, left, columns]);
    draft.b.reshape(solved, shape)
}

/// The statements of the step.
pub(super) fn step(it: &mut Iteration, coder: &mut Coder, step: &Step, side: Side, body: &mut Vec<Stmt>) {
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, step));
    let q = Quadratic::of(step, &tag).expect("the rule of a closed-form step is quadratic (admm::step)");
    match &q.system.solver {
        Solver::ConjugateGradients => conjugate::step(it, coder, q, side, body),
        Solver::Sparse(system) => {
            let factor = sparse::Sparse::new(it, coder, q, system);
            let mut draft = coder.draft(Iteration::what(side));
            let (point, right) = right(it, coder, &mut draft, q, side, body);
            let solved = factor.solve(coder, &mut draft, q, system, right);
            finish(it, coder, draft, q, side, (&point, solved), body);
        }
        _ => {
            let factor = Factor::new(it, coder, q);
            let schur = q.equalities.map(|equalities| equalities::Schur::new(it, coder, q, &factor, equalities));
            let mut draft = coder.draft(Iteration::what(side));
            let (point, right) = right(it, coder, &mut draft, q, side, body);
            let mut solved = factor.solve(it, coder, &mut draft, q, right);
            if let Some(schur) = schur {
                solved = schur.correct(coder, &mut draft, q, solved);
            }
            finish(it, coder, draft, q, side, (&point, solved), body);
        }
    }
}

/// `σv − p − pull`, and the variables.
fn right(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    q: Quadratic,
    side: Side,
    body: &mut Vec<Stmt>,
) -> (Point, Value) {
    let point = point(coder, draft, &q.step.component.vars, q.step.component.over);
    let mut force = it.adjoint(coder, draft, q.step, Cotangent::Pull(side), coder.dtype, body);
    if q.linear.iter().flatten().any(|&x| x != 0.0) {
        let own = (q.linear.len() > 1).then_some(q.linear.len());
        let state = coder.constant(&format!("p.{}", q.tag), Shape::vector(q.n), own, q.linear.concat());
        let p = draft.read(coder, Arg { state, member: own.is_some() });
        force = draft.b.add(force, p);
    }
    let mut right = draft.b.neg(force);
    if q.system.proximal > 0.0 {
        let v = draft.flat(&point.values);
        let held = draft.b.scale(q.system.proximal, v);
        right = draft.b.add(held, right);
    }
    (point, right)
}

/// Writes the new variables, and what an inexact step leaves.
fn finish(
    it: &Iteration,
    coder: &mut Coder,
    mut draft: Draft,
    q: Quadratic,
    side: Side,
    (point, solved): (&Point, Value),
    body: &mut Vec<Stmt>,
) {
    if let Some(left) = left(it, coder, q.step) {
        let before = draft.flat(&point.values);
        let moved = draft.b.sub(before, solved);
        let slope = draft.b.scale(q.system.proximal, moved);
        draft.write(coder, left, slope);
    }
    let values = draft.unflat(solved, &point.shapes);
    point.write(coder, &mut draft, &values);
    body.push(coder.call(draft, q.step.component.over, Iteration::what(side)));
}

/// Where a step that is not exact leaves the gradient at its result, `∇h(v⁺) + pull + ρMᵀMv⁺`: the
/// proximal term's, or what conjugate gradients did not remove.
pub(super) fn left(it: &Iteration, coder: &mut Coder, step: &Step) -> Option<Arg> {
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, step));
    let q = Quadratic::of(step, &tag)?;
    if q.system.proximal == 0.0 && q.system.solver != Solver::ConjugateGradients {
        return None;
    }
    let state = coder.zeros(&format!("left.{tag}"), Shape::vector(q.n), step.component.over);
    Some(q.over(state))
}

/// The statement that hands the multipliers of a step's equations to those of the constraints: rows that
/// follow from others have 0.
pub(super) fn multipliers(it: &Iteration, coder: &mut Coder, step: &Step) -> Option<Stmt> {
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, step));
    let q = Quadratic::of(step, &tag)?;
    let equalities = q.equalities?;
    let constraints = &coder.model.players[it.plan.player.index()].constraints;
    let shapes: Vec<Shape> =
        step.component.constraints.iter().map(|id| constraints[id.index()].relation.expr().shape.clone()).collect();
    let mut draft = coder.draft("multipliers");
    let nu = equalities::multiplier(coder, q);
    let mut nu = draft.read(coder, nu);
    let rows = shapes.iter().map(Shape::numel).sum();
    if rows != equalities.rows.len() {
        let picked = Operator::selection(&equalities.rows, rows);
        nu = parts::product(coder, &mut draft, &format!("rows of E.{tag}"), (&picked, true), nu);
    }
    let values = draft.unflat(nu, &shapes);
    for (&id, value) in step.component.constraints.iter().zip(values) {
        let state = coder.leaf(Leaf::Dual(it.plan.player, id, Member::None));
        draft.write(coder, state, value);
    }
    Some(coder.call(draft, None, "multipliers"))
}
