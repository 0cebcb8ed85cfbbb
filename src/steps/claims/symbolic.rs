//! Sums of leaves with coefficients that are quotients of polynomials in ρ: enough to write the remainder of
//! a claim, and the minimiser itself, in the names of the file.
//!
//! ```text
//! ∇L(v) = a(ρ)·v + b,     v⁺ = −b/a,     ∇L(claim) = a·claim + b
//! ```
//!
//! Read are squares and linear terms of such sums, and couplings that hold the variable times a number;
//! of everything else there is no text, and what is said are numbers.

use std::collections::BTreeMap;

use crate::catalogue::Function;
use crate::model::Model;
use crate::model::fold::{fold, is_constant};
use crate::model::ir::{ConstraintId, Expr, ExprKind, Leaf, Member, PlayerId, VarId};
use crate::split::ir::{Component, PlayerSplit};

use super::point::Point;

/// A polynomial in ρ, the constant first, no zero last.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Poly(Vec<f64>);

/// Of the largest coefficient: below it one is what rounding left of zero.
const ROUNDING: f64 = 1e-12;

impl Poly {
    fn number(value: f64) -> Poly {
        Poly(vec![value]).trimmed(value.abs())
    }

    fn rho() -> Poly {
        Poly(vec![0.0, 1.0])
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn size(&self) -> f64 {
        self.0.iter().fold(0.0, |most, c| c.abs().max(most))
    }

    fn trimmed(mut self, size: f64) -> Poly {
        self.0.iter_mut().filter(|c| c.abs() <= ROUNDING * size).for_each(|c| *c = 0.0);
        while self.0.last().is_some_and(|c| *c == 0.0) {
            self.0.pop();
        }
        self
    }

    fn constant(&self) -> Option<f64> {
        match self.0[..] {
            [] => Some(0.0),
            [one] => Some(one),
            _ => None,
        }
    }

    fn plus(&self, other: &Poly) -> Poly {
        let at = |poly: &Poly, k: usize| poly.0.get(k).copied().unwrap_or(0.0);
        let n = self.0.len().max(other.0.len());
        Poly((0..n).map(|k| at(self, k) + at(other, k)).collect()).trimmed(self.size().max(other.size()))
    }

    fn times(&self, other: &Poly) -> Poly {
        if self.is_zero() || other.is_zero() {
            return Poly::default();
        }
        let mut product = vec![0.0; self.0.len() + other.0.len() - 1];
        for (i, a) in self.0.iter().enumerate() {
            other.0.iter().enumerate().for_each(|(j, b)| product[i + j] += a * b);
        }
        Poly(product).trimmed(self.size() * other.size())
    }

    /// The quotient, where nothing is left over.
    fn over(&self, divisor: &Poly) -> Option<Poly> {
        let lead = *divisor.0.last()?;
        let mut rest = self.0.clone();
        let mut quotient = vec![0.0; (self.0.len() + 1).saturating_sub(divisor.0.len())];
        for at in (0..quotient.len()).rev() {
            let factor = rest[at + divisor.0.len() - 1] / lead;
            quotient[at] = factor;
            divisor.0.iter().enumerate().for_each(|(j, c)| rest[at + j] -= factor * c);
        }
        let left = Poly(rest).trimmed(self.size().max(1e-300) * 1e3);
        left.is_zero().then(|| Poly(quotient).trimmed(self.size() / divisor.size().max(1e-300)))
    }

    fn at(&self, rho: f64) -> f64 {
        self.0.iter().rev().fold(0.0, |sum, c| sum * rho + c)
    }
}

/// `(Σ coefficient·leaf + one)/den`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    terms: BTreeMap<Leaf, Poly>,
    one: Poly,
    den: Poly,
}

impl Linear {
    fn of(one: Poly) -> Linear {
        Linear { terms: BTreeMap::new(), one, den: Poly::number(1.0) }
    }

    fn leaf(leaf: Leaf) -> Linear {
        Linear { terms: BTreeMap::from([(leaf, Poly::number(1.0))]), ..Linear::of(Poly::default()) }
    }

    /// A number or a quotient in ρ alone.
    fn is_factor(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether nothing is left.
    pub fn is_zero(&self) -> bool {
        self.terms.is_empty() && self.one.is_zero()
    }

    /// This less another.
    pub fn less(&self, other: &Linear) -> Linear {
        self.plus(&other.scaled(&Poly::number(-1.0), &Poly::number(1.0)))
    }

    fn scaled(&self, num: &Poly, den: &Poly) -> Linear {
        let terms = self.terms.iter().map(|(leaf, c)| (*leaf, c.times(num))).filter(|(_, c)| !c.is_zero()).collect();
        Linear { terms, one: self.one.times(num), den: self.den.times(den) }.reduced()
    }

    fn plus(&self, other: &Linear) -> Linear {
        let same = self.den == other.den;
        let (left, right) =
            if same { (Poly::number(1.0), Poly::number(1.0)) } else { (other.den.clone(), self.den.clone()) };
        let mut terms: BTreeMap<Leaf, Poly> = self.terms.iter().map(|(leaf, c)| (*leaf, c.times(&left))).collect();
        for (leaf, c) in &other.terms {
            let sum = terms.remove(leaf).unwrap_or_default().plus(&c.times(&right));
            if !sum.is_zero() {
                terms.insert(*leaf, sum);
            }
        }
        let den = if same { self.den.clone() } else { self.den.times(&other.den) };
        Linear { terms, one: self.one.times(&left).plus(&other.one.times(&right)), den }.reduced()
    }

    /// Without the denominator where that divides everything.
    fn reduced(self) -> Linear {
        let one = match (self.one.is_zero(), self.one.over(&self.den)) {
            (true, _) => Poly::default(),
            (false, Some(one)) => one,
            (false, None) => return self,
        };
        let terms: Option<BTreeMap<Leaf, Poly>> =
            self.terms.iter().map(|(leaf, c)| Some((*leaf, c.over(&self.den)?))).collect();
        match terms {
            Some(terms) => Linear { terms, one, den: Poly::number(1.0) },
            None => self,
        }
    }

    /// Its elements at a point, of a tensor of `n` elements; none where a leaf has another size.
    pub fn at(&self, point: &Point, n: usize) -> Option<Vec<f64>> {
        let den = self.den.at(point.rho);
        let mut sum = vec![self.one.at(point.rho) / den; n];
        for (leaf, c) in &self.terms {
            let c = c.at(point.rho) / den;
            let value = point.value(*leaf)?.to_f64();
            match value.len() {
                1 => sum.iter_mut().for_each(|sum| *sum += c * value[0]),
                len if len == n => sum.iter_mut().zip(value.iter()).for_each(|(sum, x)| *sum += c * x),
                _ => return None,
            }
        }
        Some(sum)
    }

    /// Whether it holds a tensor, and not numbers alone.
    pub fn has_tensor(&self, model: &Model) -> bool {
        self.terms.keys().any(|leaf| !model.leaf_shape(*leaf).is_scalar())
    }
}

/// Reads an expression.
pub(super) fn read(model: &Model, expr: &Expr) -> Option<Linear> {
    if expr.shape.is_scalar() && is_constant(expr) {
        return fold(model, expr)?.item().map(|value| Linear::of(Poly::number(value)));
    }
    let args = match &expr.kind {
        ExprKind::Number(value) => return Some(Linear::of(Poly::number(*value))),
        ExprKind::Leaf(Leaf::Rho(_)) => return Some(Linear::of(Poly::rho())),
        ExprKind::Leaf(leaf @ (Leaf::Var(_, Member::None) | Leaf::Dual(_, _, Member::None))) => {
            return Some(Linear::leaf(*leaf));
        }
        ExprKind::Leaf(leaf @ Leaf::Data(id, Member::None)) => {
            let data = &model.data[id.index()];
            return (data.family.is_none() && data.tensor.dtype().is_float()).then(|| Linear::leaf(*leaf));
        }
        ExprKind::Apply(_, args) => args,
        _ => return None,
    };
    let ExprKind::Apply(function, _) = &expr.kind else { return None };
    let parts: Vec<Linear> = args.iter().map(|arg| read(model, arg)).collect::<Option<_>>()?;
    let minus = Poly::number(-1.0);
    let plain = Poly::number(1.0);
    match (function, &parts[..]) {
        (Function::Add, [a, b]) => Some(a.plus(b)),
        (Function::Sub, [a, b]) => Some(a.plus(&b.scaled(&minus, &plain))),
        (Function::Neg, [a]) => Some(a.scaled(&minus, &plain)),
        (Function::Mul | Function::ElemMul, [a, b]) if a.is_factor() => Some(b.scaled(&a.one, &a.den)),
        (Function::Mul | Function::ElemMul, [a, b]) if b.is_factor() => Some(a.scaled(&b.one, &b.den)),
        (Function::Div | Function::ElemDiv, [a, b]) if b.is_factor() && !b.one.is_zero() => {
            Some(a.scaled(&b.den, &b.one))
        }
        _ => None,
    }
}

/// The rows of an equation, and the update of its multiplier, `λ + ρ·rows`, where they can be read.
pub(super) fn multiplier(model: &Model, player: PlayerId, id: ConstraintId) -> Option<(Linear, Linear)> {
    let rows = read(model, model.players[player.index()].constraints[id.index()].relation.expr())?;
    let lambda = Linear::leaf(Leaf::Dual(player, id, Member::None));
    let update = lambda.plus(&rows.scaled(&Poly::rho(), &Poly::number(1.0)));
    Some((rows, update))
}

/// The gradient of a step's problem, `a·v + b`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gradient {
    a: Poly,
    b: Linear,
}

impl Gradient {
    /// That of a component of one variable, where it can be read.
    pub fn of(model: &Model, split: &PlayerSplit, component: &Component, target: VarId) -> Option<Gradient> {
        let player = &model.players[split.player.index()];
        let reader = Reader { model, target };
        let mut sum = Linear::of(Poly::default());
        for &at in &component.terms {
            let term = &player.terms[at];
            if term.over.is_some() {
                return None;
            }
            sum = sum.plus(&reader.slope(&term.expr)?);
        }
        for (_, coupling) in split.couplings_of(&component.vars) {
            let (rows, s) = reader.inner(player.constraints[coupling.constraint.index()].relation.expr())?;
            if coupling.over.is_some() {
                return None;
            }
            let lambda = Linear::leaf(Leaf::Dual(split.player, coupling.constraint, Member::None));
            let pull = lambda.plus(&rows.scaled(&Poly::rho(), &Poly::number(1.0)));
            sum = sum.plus(&pull.scaled(&Poly::number(s), &Poly::number(1.0)));
        }
        let a = sum.terms.remove(&reader.leaf())?;
        (sum.den.constant() == Some(1.0)).then_some(Gradient { a, b: sum })
    }

    /// What a claim leaves of it.
    pub fn at(&self, claim: &Linear) -> Linear {
        claim.scaled(&self.a, &Poly::number(1.0)).plus(&self.b)
    }

    /// `v⁺`
    pub fn minimiser(&self) -> Linear {
        self.b.scaled(&Poly::number(-1.0), &self.a)
    }

    /// `v⁺ −` the claim, from what the claim leaves.
    pub fn missed(&self, left: &Linear) -> Linear {
        left.scaled(&Poly::number(-1.0), &self.a)
    }
}

struct Reader<'m> {
    model: &'m Model,
    target: VarId,
}

impl Reader<'_> {
    fn leaf(&self) -> Leaf {
        Leaf::Var(self.target, Member::None)
    }

    /// A sum, and the number that multiplies the variable in it, element by element.
    fn inner(&self, expr: &Expr) -> Option<(Linear, f64)> {
        let sum = read(self.model, expr)?;
        let s = match sum.terms.get(&self.leaf()) {
            Some(s) => s.constant()?,
            None => return None,
        };
        let same = expr.shape == self.model.vars[self.target.index()].shape;
        (same && sum.den.constant() == Some(1.0)).then_some((sum, s))
    }

    /// The gradient of a term.
    fn slope(&self, expr: &Expr) -> Option<Linear> {
        let ExprKind::Apply(function, args) = &expr.kind else {
            // The variable itself, a number.
            return (expr.kind == ExprKind::Leaf(self.leaf())).then(|| Linear::of(Poly::number(1.0)));
        };
        let plain = Poly::number(1.0);
        let squared = |sum: &Expr| {
            let (sum, s) = self.inner(sum)?;
            Some(sum.scaled(&Poly::number(2.0 * s), &plain))
        };
        match (function, &args[..]) {
            (Function::Add, [a, b]) => Some(self.slope(a)?.plus(&self.slope(b)?)),
            (Function::Sub, [a, b]) => Some(self.slope(a)?.plus(&self.slope(b)?.scaled(&Poly::number(-1.0), &plain))),
            (Function::Neg, [a]) => Some(self.slope(a)?.scaled(&Poly::number(-1.0), &plain)),
            (Function::Mul, [a, b]) => {
                let (factor, of) = if is_constant(a) { (a, b) } else { (b, a) };
                let factor = read(self.model, factor).filter(Linear::is_factor)?;
                Some(self.slope(of)?.scaled(&factor.one, &factor.den))
            }
            (Function::Div, [a, b]) => {
                let factor = read(self.model, b).filter(|factor| factor.is_factor() && !factor.one.is_zero())?;
                Some(self.slope(a)?.scaled(&factor.den, &factor.one))
            }
            (Function::SumSquares, [sum]) => squared(sum),
            (Function::Square, [sum]) if sum.shape.is_scalar() => squared(sum),
            (Function::Pow, [sum, p]) if p.kind == ExprKind::Number(2.0) => squared(sum),
            (Function::Sum, [sum]) => {
                let (_, s) = self.inner(sum)?;
                Some(Linear::of(Poly::number(s)))
            }
            _ => None,
        }
    }
}

/// How a sum is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script<'a> {
    pub model: &'a Model,
    pub player: PlayerId,
    /// Whether a file is to hold it: `*` and `-` in the place of `·` and `−`.
    pub file: bool,
    /// How the claim writes ρ.
    pub rho: &'a str,
    /// Whether the claim writes λ and not `dual(label)`.
    pub plain: bool,
}

impl Script<'_> {
    fn times(&self) -> &'static str {
        if self.file { "*" } else { "·" }
    }

    fn minus(&self) -> &'static str {
        if self.file { "-" } else { "−" }
    }

    /// A leaf; none where the file has no name for it.
    fn leaf(&self, leaf: Leaf) -> Option<String> {
        match leaf {
            Leaf::Var(id, _) => Some(self.model.vars[id.index()].name.clone()),
            Leaf::Data(id, _) => {
                let name = &self.model.data[id.index()].name;
                let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
                Some(if plain { name.clone() } else { format!("({name})") })
            }
            Leaf::Dual(_, id, _) => Some(self.multiplier(id)),
            Leaf::Sample(..) | Leaf::Rho(_) => None,
        }
    }

    /// The multiplier of a constraint.
    pub fn multiplier(&self, id: ConstraintId) -> String {
        let label = &self.model.players[self.player.index()].constraints[id.index()].label;
        match label {
            Some(label) if !self.plain => format!("dual({label})"),
            _ => "λ".to_owned(),
        }
    }

    /// `c·ρ^k` without its sign.
    fn power(&self, size: f64, k: usize) -> String {
        let rho = match k {
            0 => return format!("{size}"),
            1 => self.rho.to_owned(),
            k => format!("{}^{k}", self.rho),
        };
        if size == 1.0 { rho } else { format!("{size}{}{rho}", self.times()) }
    }

    /// A polynomial, what is positive first; whether it is a sum.
    fn poly(&self, poly: &Poly) -> (String, bool) {
        let terms =
            poly.0.iter().enumerate().filter(|(_, c)| **c != 0.0).map(|(k, c)| (*c < 0.0, self.power(c.abs(), k)));
        let terms: Vec<(bool, String)> = terms.collect();
        (self.signed(&terms), terms.len() > 1)
    }

    fn signed(&self, terms: &[(bool, String)]) -> String {
        let mut text = String::new();
        // Positive terms first, each group in order.
        let ordered = terms.iter().filter(|term| !term.0).chain(terms.iter().filter(|term| term.0));
        for (negative, term) in ordered {
            match (text.is_empty(), negative) {
                (true, true) => text += self.minus(),
                (true, false) => {}
                (false, true) => text += &format!(" {} ", self.minus()),
                (false, false) => text += " + ",
            }
            text += term;
        }
        text
    }

    /// A coefficient times a name, its sign apart.
    fn product(&self, c: &Poly, name: &str) -> (bool, String) {
        let alone = c.0.iter().filter(|c| **c != 0.0).count() == 1;
        let (k, lead) = c.0.iter().copied().enumerate().find(|(_, c)| *c != 0.0).unwrap_or((0, 1.0));
        match (alone, name) {
            (true, "") => (lead < 0.0, self.power(lead.abs(), k)),
            (true, _) if k == 0 && lead.abs() == 1.0 => (lead < 0.0, name.to_owned()),
            (true, _) => (lead < 0.0, format!("{}{}{name}", self.power(lead.abs(), k), self.times())),
            (false, "") => (false, format!("({})", self.poly(c).0)),
            (false, _) => (false, format!("({}){}{name}", self.poly(c).0, self.times())),
        }
    }

    /// A sum as text.
    pub fn text(&self, sum: &Linear) -> Option<String> {
        let mut terms = Vec::new();
        for (leaf, c) in &sum.terms {
            terms.push(self.product(c, &self.leaf(*leaf)?));
        }
        if !sum.one.is_zero() {
            terms.push(self.product(&sum.one, ""));
        }
        let top = if terms.is_empty() { "0".to_owned() } else { self.signed(&terms) };
        Some(match sum.den.constant() {
            Some(1.0) => top,
            _ => {
                let (below, several) = self.poly(&sum.den);
                let several = several || below.contains(self.times());
                let top = if terms.len() > 1 { format!("({top})") } else { top };
                if several { format!("{top}/({below})") } else { format!("{top}/{below}") }
            }
        })
    }
}
