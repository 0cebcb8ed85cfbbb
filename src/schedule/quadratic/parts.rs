//! The matrices of a closed-form step as states and values.

use super::Quadratic;
use crate::linalg::Shared;
use crate::linalg::{Curvature, Factored, Operator};
use crate::schedule::admm::Iteration;
use crate::schedule::coder::{Coder, Draft};
use crate::schedule::ir::{Arg, StateId};
use crate::tape::ops::Range;
use crate::tape::{Dtype, Op, Shape, Type, Value};

/// Multiplications up to which a matrix kept as its factor is multiplied out here and not by the run.
const FEW: f64 = 1e7;

/// Constant numbers in the working precision: a scalar where all are equal.
pub(in crate::schedule) fn numbers(coder: &mut Coder, draft: &mut Draft, name: &str, members: &[Vec<f64>]) -> Value {
    numbers_in(coder.dtype, coder, draft, name, members)
}

/// The same in that precision, for what is checked in another than the working one.
pub(in crate::schedule) fn numbers_in(
    dtype: Dtype,
    coder: &mut Coder,
    draft: &mut Draft,
    name: &str,
    members: &[Vec<f64>],
) -> Value {
    let first = members[0].first().copied().unwrap_or(0.0);
    if members.iter().flatten().all(|&x| x == first) {
        return draft.number(first, dtype);
    }
    let own = (members.len() > 1).then_some(members.len());
    let state = coder.constant(name, Shape::vector(members[0].len()), own, members.concat());
    let value = draft.read(coder, Arg { state, member: own.is_some() });
    draft.b.cast(value, dtype)
}

/// `d + ρg + σ` of two diagonals: a number or a vector.
pub(super) fn denominator(
    it: &Iteration,
    coder: &mut Coder,
    draft: &mut Draft,
    q: Quadratic,
    d: &[Vec<f64>],
    g: &[f64],
) -> Value {
    let d = numbers(coder, draft, &format!("P.{}", q.tag), d);
    let penalty = penalty(it, coder, draft, q, g);
    draft.b.add(d, penalty)
}

/// `ρg + σ`
pub(super) fn penalty(it: &Iteration, coder: &mut Coder, draft: &mut Draft, q: Quadratic, g: &[f64]) -> Value {
    let rho = draft.read(coder, it.rho);
    let g = numbers(coder, draft, &format!("MᵀM.{}", q.tag), &[g.to_vec()]);
    let weighted = draft.b.mul(rho, g);
    if q.system.proximal > 0.0 { draft.b.offset(weighted, q.system.proximal) } else { weighted }
}

/// `x / d`, where `d` has an entry a row of `x`, or is one number.
pub(super) fn divide_rows(draft: &mut Draft, x: Value, d: Value) -> Value {
    let shape = draft.b.shape(x).clone();
    let d = if draft.b.shape(d).rank() == 1 && shape.rank() > 1 { draft.b.broadcast(d, vec![0], shape) } else { d };
    draft.b.div(x, d)
}

/// The matrix that is dense, of `P` or of what is repeated in it.
pub(super) fn curvature<'a>(q: Quadratic<'a>) -> Vec<&'a Curvature> {
    match crate::steps::repeated(q.curvature, &q.step.gram) {
        Some((_, inner, _)) => vec![inner],
        None => q.curvature.iter().collect(),
    }
}

/// `MᵀM` beside it: of a repeated matrix it is the same multiple of `I`.
pub(super) fn gram(q: Quadratic) -> Curvature {
    match q.step.gram.scale() {
        Some(s) => Curvature::scaled_identity(s, curvature(q)[0].n()),
        None => q.step.gram.clone(),
    }
}

/// `P` in full, an entry a member.
pub(super) fn dense(coder: &mut Coder, q: Quadratic) -> StateId {
    let members = curvature(q);
    let n = members[0].n();
    let name = format!("P.{}", q.tag);
    let factored: Option<Vec<&Factored>> = members
        .iter()
        .map(|p| match p {
            Curvature::Factored(it) => Some(it.as_ref()),
            _ => None,
        })
        .collect();
    let products = members.iter().map(|p| p.entries().1).fold(0.0, f64::max);
    let rows = |it: &Factored| it.factor.rows();
    match factored {
        Some(parts) if products > FEW && parts.iter().all(|part| rows(part) == rows(parts[0])) => {
            multiplied_out(coder, q, &parts, n)
        }
        _ => {
            let numbers = members.iter().flat_map(|p| p.to_dense().data).collect::<Shared<f64>>();
            coder.constant(&name, Shape::matrix(n, n), q.own(), numbers)
        }
    }
}

/// `B + Kᵀ diag(w) K`, once, by the run.
fn multiplied_out(coder: &mut Coder, q: Quadratic, parts: &[&Factored], n: usize) -> StateId {
    let state = coder.zeros(&format!("P.{}", q.tag), Shape::matrix(n, n), q.own());
    let k = rooted(coder, q, parts);
    let mut draft = coder.draft("product");
    let k = draft.read(coder, q.arg(k));
    let signs: Vec<Vec<f64>> = parts.iter().map(|part| part.weights.iter().map(|w| w.signum()).collect()).collect();
    let signed = if signs.iter().flatten().all(|&s| s == 1.0) {
        k
    } else {
        let signs = numbers(coder, &mut draft, &format!("sign.{}", q.tag), &signs);
        let shape = draft.b.shape(k).clone();
        let signs = if draft.b.shape(signs).rank() == 1 { draft.b.broadcast(signs, vec![0], shape) } else { signs };
        draft.b.mul(signs, k)
    };
    let product = draft.b.matmul(k, signed, true, false);
    let bases: Vec<Curvature> = parts.iter().map(|part| part.base.clone()).collect();
    let sum = match diagonals(&bases) {
        Some(d) if d.iter().flatten().all(|&x| x == 0.0) => product,
        Some(d) => {
            let d = numbers(coder, &mut draft, &format!("B.{}", q.tag), &d);
            add_diagonal(&mut draft, product, d)
        }
        None => {
            let full = bases.iter().flat_map(|base| base.to_dense().data).collect::<Shared<f64>>();
            let base = coder.constant(&format!("B.{}", q.tag), Shape::matrix(n, n), q.own(), full);
            let base = draft.read(coder, q.arg(base));
            draft.b.add(product, base)
        }
    };
    draft.write(coder, q.arg(state), sum);
    q.once(coder, draft);
    state
}

/// `|w|^{½} K`, an entry a member.
pub(super) fn rooted(coder: &mut Coder, q: Quadratic, parts: &[&Factored]) -> StateId {
    let (m, n) = parts[0].factor.extents();
    let mut full = Vec::with_capacity(parts.len() * m * n);
    for part in parts {
        let start = full.len();
        full.extend(part.factor.to_dense().data);
        for (row, w) in full[start..].chunks_exact_mut(n).zip(&part.weights) {
            let root = w.abs().sqrt();
            row.iter_mut().for_each(|x| *x *= root);
        }
    }
    coder.constant(&format!("K.{}", q.tag), Shape::matrix(m, n), q.own(), full)
}

/// The diagonals, where all are diagonal.
pub(super) fn diagonals(members: &[Curvature]) -> Option<Vec<Vec<f64>>> {
    members
        .iter()
        .map(|p| match p {
            Curvature::Diagonal(d) => Some(d.clone()),
            _ => None,
        })
        .collect()
}

/// `A + diag(d)`, `d` a vector or a number.
pub(in crate::schedule) fn add_diagonal(draft: &mut Draft, matrix: Value, d: Value) -> Value {
    let n = draft.b.shape(matrix).0[0];
    let d = if draft.b.shape(d).rank() == 0 { draft.b.broadcast_scalar(d, &Shape::vector(n)) } else { d };
    let placed = diagonal(draft, d, n);
    draft.b.add(matrix, placed)
}

/// `diag(d)` as a matrix: the vector placed at stride n + 1 of the flat matrix.
pub(in crate::schedule) fn diagonal(draft: &mut Draft, d: Value, n: usize) -> Value {
    let ty = Type::new(draft.b.dtype(d), [n * n]);
    let placed = draft.b.push(Op::Unslice(vec![Range { start: 0, len: n, step: n + 1 }]), vec![d], ty);
    draft.b.reshape(placed, [n, n])
}

/// `K v` or `Kᵀ y` with an operator whose entries are kept, dense or by compressed rows.
pub(super) fn product(
    coder: &mut Coder,
    draft: &mut Draft,
    name: &str,
    (operator, transpose): (&Operator, bool),
    x: Value,
) -> Value {
    let (rows, cols) = operator.extents();
    let dtype = draft.b.dtype(x);
    let entries: usize = operator.row_counts().iter().sum();
    let suffix = if dtype == coder.dtype { "" } else { " f64" };
    if 3 * entries >= rows * cols {
        let full = || operator.to_dense().data;
        let state = coder.constant_in(dtype, &format!("{name}{suffix}"), Shape::matrix(rows, cols), full);
        let matrix = draft.read(coder, state);
        return draft.b.matvec(matrix, x, transpose);
    }
    let sparse = operator.to_sparse();
    let index = |x: &usize| *x as u32;
    let nnz = sparse.nnz();
    let starts = coder.indices(&format!("{name} rows"), sparse.starts.iter().map(index).collect());
    let columns = coder.indices(&format!("{name} columns"), sparse.columns.iter().map(index).collect());
    let values = coder.constant_in(dtype, &format!("{name}{suffix}"), Shape::vector(nnz), || sparse.values.into());
    let args = [starts, columns, values].map(|state| draft.read(coder, state));
    let ty = Type::new(dtype, [if transpose { cols } else { rows }]);
    draft.b.push(Op::SparseMatVec { transpose }, vec![args[0], args[1], args[2], x], ty)
}

/// `C v` of a curvature.
pub(in crate::schedule) fn curved(
    coder: &mut Coder,
    draft: &mut Draft,
    name: &str,
    curvature: &Curvature,
    v: Value,
) -> Value {
    match curvature {
        Curvature::Diagonal(d) => {
            let d = numbers(coder, draft, name, std::slice::from_ref(d));
            draft.b.mul(d, v)
        }
        Curvature::Dense(m) => product(coder, draft, name, (&Operator::Dense(m.clone()), false), v),
        Curvature::Sparse(m) => product(coder, draft, name, (&Operator::Sparse(m.clone()), false), v),
        Curvature::Factored(it) => {
            let base = curved(coder, draft, &format!("{name} base"), &it.base, v);
            let image = product(coder, draft, &format!("{name} factor"), (&it.factor, false), v);
            let weights = numbers(coder, draft, &format!("{name} weights"), std::slice::from_ref(&it.weights));
            let image = draft.b.mul(weights, image);
            let back = product(coder, draft, &format!("{name} factor"), (&it.factor, true), image);
            draft.b.add(base, back)
        }
        Curvature::Repeated { .. } => {
            let sparse = Operator::from(curvature.to_sparse());
            product(coder, draft, name, (&sparse, false), v)
        }
    }
}

/// A vector of equal numbers.
pub(super) fn filled(draft: &mut Draft, x: f64, n: usize, dtype: Dtype) -> Value {
    let x = draft.number(x, dtype);
    draft.b.broadcast_scalar(x, &Shape::vector(n))
}
