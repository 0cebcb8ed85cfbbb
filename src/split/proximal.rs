//! A component whose step is one proximal map: the calculus that gets there.
//!
//! ```text
//! minimise  Σ w φ(Kv + k) + ½vᵀPv + pᵀv + ⟨pull, v⟩ + (ρ/2) vᵀGv      l ≤ v ≤ u
//!
//! D = P + ρG,  c = −(p + pull)/D,  u = Kc + k
//! v⁺ = c + Kᵀν⁻¹(prox_{(wν/D)φ}(u) − u),  cut to [l, u]
//! ```
//!
//! P and G diagonal, KKᵀ = diag(ν), the atoms on coordinates of their own. Completing the square, scaling,
//! shifting and orthogonal precomposition are all in that formula (Parikh & Boyd, Proximal Algorithms,
//! 2014, §2.2); a bound may lie on top of a separable convex φ, and of nothing else. Where φ is not
//! separable, ν and D are one number on its coordinates, unless its step takes weights.

use super::affine::{Affine, Lowered};
use super::atoms::{self, Atom, AtomShape, Piece};
use super::ir::{Component, Coupling, weighted};
use super::rows::Rows;
use super::scalar::Phi;
use crate::model::Model;
use crate::model::ir::{Expr, ExprKind, Leaf, PlayerId, Term};

/// The step of a component as one proximal map, its variables one behind another.
#[derive(Debug, Clone, PartialEq)]
pub struct Proximal {
    /// The diagonal of `G = MᵀM`.
    pub gram: Vec<f64>,
    /// The diagonal of `P`.
    pub curvature: Vec<f64>,
    /// `p`
    pub linear: Vec<f64>,
    /// The atoms.
    pub maps: Vec<Map>,
    /// `l`, −∞ where there is none.
    pub lower: Vec<f64>,
    /// `u`, +∞ where there is none.
    pub upper: Vec<f64>,
}

/// One atom `w φ(Kv + k)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// φ
    pub phi: Phi,
    /// Its arguments; at the subject's place, `Kv + k`.
    pub args: Vec<Expr>,
    /// Which argument the subject is.
    pub subject: usize,
    /// `w`
    pub weight: f64,
    /// `ν`, and the entries of `G` and `P` where a row reads: one number a row, or one for all.
    pub rows: Vec<Row>,
    /// The variable of the component that the subject is, where it is nothing else.
    pub whole: Option<usize>,
}

impl Map {
    /// Whether φ is the indicator of a set.
    pub fn is_set(&self) -> bool {
        self.phi.facts().indicator
    }
}

/// What a row of `K` meets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// `ν`
    pub nu: f64,
    /// `G` there.
    pub gram: f64,
    /// `P` there.
    pub curvature: f64,
}

impl Proximal {
    /// Whether anything but the bounds and the quadratic is there.
    pub fn is_bounded(&self) -> bool {
        self.lower.iter().any(|x| x.is_finite()) || self.upper.iter().any(|x| x.is_finite())
    }

    /// Whether the step minimises a convex function at every ρ.
    pub fn is_convex(&self) -> bool {
        self.curvature.iter().all(|&p| p >= 0.0) && self.maps.iter().all(|map| map.phi.facts().convex)
    }
}

/// The step of a component as a proximal map, or why it is none.
pub fn form(
    model: &Model,
    player: PlayerId,
    component: &Component,
    couplings: &[Coupling],
) -> Result<Proximal, String> {
    form_with(model, player, component, 0.0, |_| diagonal(model, component, couplings))
}

/// The same with `hold` added to the diagonal of `P`, and another diagonal in the place of that of `MᵀM`,
/// given the number of its entries.
pub fn form_with(
    model: &Model,
    player: PlayerId,
    component: &Component,
    hold: f64,
    gram: impl FnOnce(usize) -> Option<Vec<f64>>,
) -> Result<Proximal, String> {
    let lens: Vec<usize> = component.vars.iter().map(|var| model.vars[var.index()].shape.numel()).collect();
    let n = lens.iter().sum();
    let mut form = Proximal {
        gram: gram(n).ok_or("MᵀM is not diagonal")?,
        curvature: vec![hold; n],
        linear: vec![0.0; n],
        maps: Vec::new(),
        lower: vec![f64::NEG_INFINITY; n],
        upper: vec![f64::INFINITY; n],
    };
    let mut found = Vec::new();
    for &at in &component.terms {
        match atoms::of_term(model, player, at) {
            Piece::Quadratic => {
                quadratic(model, player, component, &model.players[player.index()].terms[at], &mut form)?;
            }
            Piece::Atom(atom) => found.push(*atom),
            Piece::Other { why, .. } => return Err(why),
        }
    }
    for &id in &component.constraints {
        match atoms::of_constraint(model, player, id) {
            Piece::Atom(atom) => found.push(*atom),
            Piece::Quadratic => {}
            Piece::Other { why, .. } => return Err(why),
        }
    }
    if found.iter().any(|atom| atom.over.is_some() != component.over.is_some()) {
        return Err("a sum over a family in a variable that is none".to_string());
    }
    // What each coordinate is already in: a function that no bound may lie on, or one that it may.
    let mut taken: Vec<Option<bool>> = vec![None; n];
    let (bounds, functions): (Vec<Atom>, Vec<Atom>) =
        found.into_iter().partition(|atom| matches!(atom.shape, AtomShape::Bounds { .. }));
    for atom in functions {
        map(model, component, &lens, atom, &mut form, &mut taken)?;
    }
    for atom in bounds {
        bound(model, component, &atom, &mut form, &taken)?;
    }
    // Without a coupling nothing but P holds a coordinate: it must curve upwards.
    if form.gram.iter().zip(&form.curvature).any(|(&g, &p)| g == 0.0 && p <= 0.0) {
        return Err("a coordinate is held by no curvature and no coupling".to_string());
    }
    Ok(form)
}

/// Adds a function's map.
fn map(
    model: &Model,
    component: &Component,
    lens: &[usize],
    atom: Atom,
    form: &mut Proximal,
    taken: &mut [Option<bool>],
) -> Result<(), String> {
    let AtomShape::Function { phi, args, weight } = atom.shape else {
        unreachable!("bounds were put aside (proximal::form)")
    };
    let (name, facts) = (phi.name(), phi.facts());
    if weight == 0.0 {
        return Ok(());
    }
    let operator = atom.affine.stacked(model, &component.vars).ok_or_else(|| not_affine(name))?;
    let rows = Rows::of(&operator).ok_or_else(|| format!("KKᵀ is not diagonal in {name}(Kv + k)"))?;
    let columns = rows.columns();
    if columns.iter().any(|&column| taken[column].is_some()) {
        return Err(format!("{name} meets another function on the same variables"));
    }
    let bounded = facts.convex && facts.separable && matches!(rows, Rows::Elements(_));
    columns.iter().for_each(|&column| taken[column] = Some(bounded));
    let mut own = rows.met(&form.gram, &form.curvature);
    if own.is_empty() {
        return Ok(());
    }
    if own.iter().all(|row| *row == own[0]) {
        own.truncate(1);
    } else if !facts.weighted || matches!(rows, Rows::Orthogonal { .. }) {
        return Err(format!("{name} needs one scale on all its variables, and they differ"));
    }
    let whole = whole(&args[facts.subject], component, lens);
    form.maps.push(Map { phi, args, subject: facts.subject, weight, rows: own, whole });
    Ok(())
}

fn not_affine(name: &str) -> String {
    format!("{name} of something that is not affine")
}

/// The variable of the component that the expression is.
fn whole(subject: &Expr, component: &Component, lens: &[usize]) -> Option<usize> {
    let ExprKind::Leaf(Leaf::Var(var, _)) = subject.kind else { return None };
    let at = component.vars.iter().position(|own| *own == var)?;
    (lens[at] == subject.shape.numel()).then_some(at)
}

/// Intersects the bounds with an atom's.
fn bound(
    model: &Model,
    component: &Component,
    atom: &Atom,
    form: &mut Proximal,
    taken: &[Option<bool>],
) -> Result<(), String> {
    let AtomShape::Bounds { lower, upper } = &atom.shape else {
        unreachable!("functions were put aside (proximal::form)")
    };
    let operator = atom.affine.stacked(model, &component.vars).ok_or_else(|| not_affine("bounds"))?;
    let Some(Rows::Elements(rows)) = Rows::of(&operator) else {
        return Err("a bound on a combination of variables".to_string());
    };
    let Affine { offset, .. } = &atom.affine;
    for (row, element) in rows.iter().enumerate() {
        let (low, high) = (lower[row] - offset[row], upper[row] - offset[row]);
        let Some((column, factor)) = *element else {
            if low > 0.0 || high < 0.0 {
                return Err(format!("row {} of a bound holds no variable and does not hold", row + 1));
            }
            continue;
        };
        if taken[column] == Some(false) {
            return Err("a bound on top of a function that is not separable and convex".to_string());
        }
        let (a, b) = (low / factor, high / factor);
        form.lower[column] = form.lower[column].max(a.min(b));
        form.upper[column] = form.upper[column].min(a.max(b));
    }
    if form.lower.iter().zip(&form.upper).any(|(low, high)| low > high) {
        return Err("its bounds leave no room".to_string());
    }
    Ok(())
}

/// Adds a quadratic term to `P` and `p`.
fn quadratic(
    model: &Model,
    player: PlayerId,
    component: &Component,
    term: &Term,
    form: &mut Proximal,
) -> Result<(), String> {
    let name = term.quoted();
    let hessian = Lowered::new(model, &term.expr).hessian(model, player, None, &component.vars, &name)?;
    let diagonal = hessian.diagonal().ok_or_else(|| format!("{name} is quadratic, and not diagonal"))?;
    let times = if component.over.is_none() { term.over.map_or(1, |over| over.count) as f64 } else { 1.0 };
    let add = |sum: &mut [f64], own: &[f64]| sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += times * own);
    add(&mut form.curvature, &diagonal);
    add(&mut form.linear, &hessian.linear);
    Ok(())
}

/// The diagonal of `MᵀWM` over the component's variables, where that is all of it.
pub fn diagonal(model: &Model, component: &Component, couplings: &[Coupling]) -> Option<Vec<f64>> {
    let n: usize = component.vars.iter().map(|var| model.vars[var.index()].shape.numel()).sum();
    let mut sum = vec![0.0; n];
    for (times, operator) in weighted(model, component, couplings)? {
        let own = operator.gram().diagonal(n).or_else(|| looked_at(&operator))?;
        sum.iter_mut().zip(&own).for_each(|(sum, own)| *sum += times * own);
    }
    Some(sum)
}

/// Columns up to which a dense `MᵀM` is multiplied out to see whether it is diagonal.
const COLUMNS_LOOKED_AT: usize = 512;

fn looked_at(operator: &crate::linalg::Operator) -> Option<Vec<f64>> {
    let n = operator.cols();
    if n > COLUMNS_LOOKED_AT {
        return None;
    }
    let gram = operator.to_dense().gram();
    let largest = (0..n).fold(0.0f64, |largest, i| largest.max(gram.data[i * n + i]));
    // A sum of `rows` products, each rounded once.
    let rounding = 4.0 * f64::EPSILON * operator.rows() as f64 * largest;
    let diagonal = (0..n).all(|i| (0..n).all(|j| i == j || gram.data[i * n + j].abs() <= rounding));
    diagonal.then(|| (0..n).map(|i| gram.data[i * n + i]).collect())
}
