//! The closed-form step: `v⁺ = −(P + ρMᵀM)⁻¹(p + pull)`, by division where both are diagonal, else by
//! a Cholesky factor that is kept while ρ stays.

use super::admm::{Cotangent, Iteration, Side, point};
use super::coder::Coder;
use super::ir::{Arg, Stmt};
use crate::steps::ir::{Curvature, Step};
use crate::tape::{Op, Shape, Value};

/// The statements of the step.
pub(super) fn step(
    it: &mut Iteration,
    coder: &mut Coder,
    step: &Step,
    curvature: &[Curvature],
    linear: &[Vec<f64>],
    side: Side,
    body: &mut Vec<Stmt>,
) {
    let over = step.component.over;
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, step));
    let n = step.gram.n();
    let mut draft = coder.draft(Iteration::what(side));
    let point = point(coder, &mut draft, &step.component.vars, over);
    let mut right = it.adjoint(coder, &mut draft, step, Cotangent::Pull(side), coder.dtype, body);
    if linear.iter().flatten().any(|&x| x != 0.0) {
        let own = (linear.len() > 1).then_some(linear.len());
        let state = coder.constant(&format!("p.{tag}"), Shape::vector(n), own, linear.concat());
        let p = draft.read(coder, Arg { state, member: own.is_some() });
        right = draft.b.add(right, p);
    }
    let right = draft.b.neg(right);
    let diagonals: Option<Vec<Vec<f64>>> = curvature
        .iter()
        .map(|p| match p {
            Curvature::Diagonal(d) => Some(d.clone()),
            _ => None,
        })
        .collect();
    let solved = match (diagonals, &step.gram) {
        (Some(p), Curvature::Diagonal(g)) => {
            let rho = draft.read(coder, it.rho);
            let p = numbers(coder, &mut draft, &format!("P.{tag}"), &p);
            let g = numbers(coder, &mut draft, &format!("MᵀM.{tag}"), std::slice::from_ref(g));
            let weighted = draft.b.mul(rho, g);
            let denominator = draft.b.add(p, weighted);
            draft.b.div(right, denominator)
        }
        _ => {
            let own = (curvature.len() > 1).then_some(curvature.len());
            let factor = coder.zeros(&format!("L.{tag}"), Shape::matrix(n, n), own);
            let make = factorise(it, coder, step, curvature, &tag);
            coder.setup.push(make.clone());
            it.refactor.push(make);
            let factor = draft.read(coder, Arg { state: factor, member: own.is_some() });
            let ty = draft.b.ty(right).clone();
            draft.b.push(Op::CholeskySolve, vec![factor, right], ty)
        }
    };
    let values = draft.unflat(solved, &point.shapes);
    point.write(coder, &mut draft, &values);
    body.push(coder.call(draft, over, Iteration::what(side)));
}

/// `L Lᵀ = P + ρMᵀM`
fn factorise(it: &Iteration, coder: &mut Coder, step: &Step, curvature: &[Curvature], tag: &str) -> Stmt {
    let n = step.gram.n();
    let own = (curvature.len() > 1).then_some(curvature.len());
    let dense: Vec<f64> = curvature.iter().flat_map(|p| p.to_dense().data).collect();
    let p = coder.constant(&format!("P.{tag}"), Shape::matrix(n, n), own, dense);
    let g = coder.constant(&format!("MᵀM.{tag}"), Shape::matrix(n, n), None, step.gram.to_dense().data);
    let mut draft = coder.draft("factorise");
    let (p, g) = (draft.read(coder, Arg { state: p, member: own.is_some() }), draft.read(coder, g));
    let rho = draft.read(coder, it.rho);
    let weighted = draft.b.mul(rho, g);
    let matrix = draft.b.add(p, weighted);
    let ty = draft.b.ty(matrix).clone();
    let factor = draft.b.push(Op::Cholesky, vec![matrix], ty);
    let state = coder.zeros(&format!("L.{tag}"), Shape::matrix(n, n), own);
    draft.write(coder, Arg { state, member: own.is_some() }, factor);
    coder.call(draft, own, "factorise")
}

/// Constant numbers: a scalar where all are equal.
pub(super) fn numbers(coder: &mut Coder, draft: &mut super::coder::Draft, name: &str, members: &[Vec<f64>]) -> Value {
    let first = members[0][0];
    if members.iter().flatten().all(|&x| x == first) {
        return draft.number(first, coder.dtype);
    }
    let own = (members.len() > 1).then_some(members.len());
    let state = coder.constant(name, Shape::vector(members[0].len()), own, members.concat());
    draft.read(coder, Arg { state, member: own.is_some() })
}
