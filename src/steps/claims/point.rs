//! Random points, and the programs that are evaluated at them: a claim, and the problem of its step
//!
//! ```text
//! L(v) = h(v) + Σ ⟨λ, r(v)⟩ + (ρ/2) Σ ‖r(v)‖²        r = the coupling's left side minus its right
//! ```

use crate::catalogue::Function;
use crate::model::ir::{Expr, ExprKind, Leaf, Loop, Member, VarId, VarKind};
use crate::model::{Lower, Model, evaluate};
use crate::source::Span;
use crate::split::ir::{Component, PlayerSplit};
use crate::split::proximal::Proximal;
use crate::tape::philox::{Stream, key};
use crate::tape::{Cost, Dtype, Program, Shape, Tensor, Value, gradient};

/// Points that are tried at each ρ, where they are cheap.
pub(super) const POINTS: u32 = 8;

/// How large their numbers are, in turn: what is only right where a threshold cuts everything, or nothing,
/// is seen at another size.
const SIZES: [f64; 4] = [1.0, 10.0, 0.1, 100.0];

/// Values of everything but the claimed variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'m> {
    pub model: &'m Model,
    pub rho: f64,
    /// Which of the points.
    pub seed: u32,
}

/// How the λ of a claim is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    /// As the language has it.
    Plain,
    /// −λ: the Lagrangian has the other sign.
    Negated,
    /// λ/ρ, a scaled multiplier.
    Scaled,
}

impl Point<'_> {
    /// The value of a leaf; none of a sample or of a member that no loop picks.
    pub fn value(&self, leaf: Leaf) -> Option<Tensor> {
        match leaf {
            Leaf::Rho(_) => Some(Tensor::scalar(self.rho)),
            Leaf::Data(id, member) => {
                let tensor = &self.model.data[id.index()].tensor;
                match member {
                    Member::None => Some((**tensor).clone()),
                    Member::At(k) => Some(tensor.member(k as usize)),
                    Member::Loop => None,
                }
            }
            Leaf::Sample(..) => None,
            Leaf::Var(id, member) => self.random(2 * id.0, leaf, member),
            Leaf::Dual(_, id, member) => self.random(2 * id.0 + 1, leaf, member),
        }
    }

    fn random(&self, stream: u32, leaf: Leaf, member: Member) -> Option<Tensor> {
        let shape = self.model.leaf_shape(leaf);
        let n = shape.numel();
        let first = match member {
            Member::None => 0,
            Member::At(k) => k as usize * n,
            Member::Loop => return None,
        };
        let stream = Stream::new(key(0), stream);
        let size = SIZES[self.seed as usize % SIZES.len()];
        let mut all: Vec<f64> =
            (0..n).map(|j| size * stream.normal(self.seed, (first + j) as u64, Dtype::F64)).collect();
        if self.is_symmetric(leaf) {
            symmetrise(&shape, &mut all);
        }
        Some(Tensor::f64(shape, all))
    }

    /// Symmetric variables, and multipliers of square rows beside them.
    fn is_symmetric(&self, leaf: Leaf) -> bool {
        let symmetric = |id: VarId| self.model.vars[id.index()].kind == VarKind::Symmetric;
        match leaf {
            Leaf::Var(id, _) => symmetric(id),
            Leaf::Dual(player, ..) => {
                let shape = self.model.leaf_shape(leaf);
                let vars = &self.model.players[player.index()].vars;
                shape.rank() == 2 && shape.0[0] == shape.0[1] && vars.iter().any(|&id| symmetric(id))
            }
            _ => false,
        }
    }
}

/// `(A + Aᵀ)/2` of a square matrix.
pub(super) fn symmetrise(shape: &Shape, all: &mut [f64]) {
    let &[n, m] = &shape.0[..] else { return };
    if n == m {
        for i in 0..n {
            for j in 0..i {
                let mean = (all[i * n + j] + all[j * n + i]) / 2.0;
                (all[i * n + j], all[j * n + i]) = (mean, mean);
            }
        }
    }
}

/// A program and the leaves that are its inputs.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    program: Program,
    leaves: Vec<Leaf>,
}

impl Compiled {
    fn of(lower: Lower) -> Compiled {
        let (program, leaves) = lower.finish();
        Compiled { program, leaves }
    }

    /// Its only output, with leaves of those values.
    pub fn with(&self, value: impl Fn(Leaf) -> Option<Tensor>) -> Option<Tensor> {
        let inputs: Vec<Tensor> = self.leaves.iter().map(|&leaf| value(leaf)).collect::<Option<_>>()?;
        evaluate(&self.program, &inputs).pop()
    }

    /// Its outputs; the variable, where it is given, has that value, and inputs that are no leaves follow.
    fn at(&self, point: &Point, own: Option<(VarId, &Tensor)>, more: &[Tensor]) -> Option<Vec<Tensor>> {
        let value = |&leaf: &Leaf| match (leaf, own) {
            (Leaf::Var(id, _), Some((target, value))) if id == target => Some(value.clone()),
            _ => point.value(leaf),
        };
        let mut inputs: Vec<Tensor> = self.leaves.iter().map(value).collect::<Option<_>>()?;
        inputs.extend_from_slice(more);
        Some(evaluate(&self.program, &inputs))
    }
}

/// What a claim says the variable becomes.
pub(super) fn claimed(model: &Model, value: &Expr, reading: Reading) -> Compiled {
    let mut lower = Lower::new(model, "claim", Dtype::F64);
    let mut duals = Vec::new();
    let mut penalty = None;
    value.leaves(&mut |leaf| match leaf {
        Leaf::Dual(player, id, Member::Loop) => {
            let over = model.players[player.index()].constraints[id.index()].over;
            duals.extend((0..over.map_or(0, |over| over.count)).map(|k| Leaf::Dual(player, id, Member::At(k as u32))));
        }
        Leaf::Dual(player, ..) => {
            penalty = Some(Leaf::Rho(player));
            duals.push(leaf);
        }
        _ => {}
    });
    duals.sort_unstable();
    duals.dedup();
    for leaf in duals {
        let Leaf::Dual(player, ..) = leaf else { continue };
        let read = match reading {
            Reading::Plain => continue,
            Reading::Negated => {
                let lambda = lower.leaf(leaf);
                lower.b.neg(lambda)
            }
            Reading::Scaled => {
                let lambda = lower.leaf(leaf);
                let rho = lower.leaf(penalty.unwrap_or(Leaf::Rho(player)));
                lower.b.div(lambda, rho)
            }
        };
        lower.bind(leaf, read);
    }
    let value = lower.expr(value);
    lower.b.output("v", value);
    Compiled::of(lower)
}

impl Compiled {
    /// What an evaluation costs.
    pub fn flops(&self) -> u64 {
        Cost::of(&self.program).flops
    }

    /// The claimed value.
    pub fn claim(&self, point: &Point) -> Option<Tensor> {
        self.with(|leaf| point.value(leaf))
    }
}

/// The problem of a step.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    target: VarId,
    shape: Shape,
    symmetric: bool,
    program: Compiled,
}

/// The parts of the problem's gradient, and of its value.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// `∇h`, `Mᵀλ`, `ρMᵀr`
    pub gradients: [Vec<f64>; 3],
    /// `h`, `⟨λ, r⟩`, `(ρ/2)‖r‖²`
    pub values: [f64; 3],
}

impl Parts {
    /// The gradient.
    pub fn gradient(&self) -> Vec<f64> {
        let [h, dual, penalty] = &self.gradients;
        h.iter().zip(dual).zip(penalty).map(|((h, dual), penalty)| h + dual + penalty).collect()
    }

    /// The gradient's length over the lengths of its parts: 0 up to rounding at a minimiser.
    pub fn remainder(&self) -> f64 {
        relative(norm(&self.gradient()), self.gradients.iter().map(|part| norm(part)).sum())
    }

    /// `L`
    pub fn value(&self) -> f64 {
        self.values.iter().sum()
    }

    /// What `L` is rounded by.
    pub fn size(&self) -> f64 {
        self.values.iter().map(|part| part.abs()).sum()
    }
}

pub(super) fn norm(all: &[f64]) -> f64 {
    all.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// A part of a whole, 0 of nothing.
pub(super) fn relative(part: f64, whole: f64) -> f64 {
    if part == 0.0 { 0.0 } else { part / whole }
}

fn made(function: Function, args: Vec<Expr>) -> Expr {
    Expr { kind: ExprKind::Apply(function, args), shape: Shape::scalar(), span: Span::default() }
}

/// A sum over a family, written out.
fn over(family: Option<Loop>, body: Expr) -> Expr {
    match family {
        Some(family) => {
            Expr { kind: ExprKind::Over(family, Box::new(body)), shape: Shape::scalar(), span: Span::default() }
        }
        None => body,
    }
}

impl Problem {
    /// What an evaluation costs.
    pub fn flops(&self) -> u64 {
        self.program.flops()
    }

    /// The problem of a component of one variable.
    pub fn new(model: &Model, split: &PlayerSplit, component: &Component, target: VarId) -> Problem {
        let player = &model.players[split.player.index()];
        let mut lower = Lower::new(model, "step", Dtype::F64);
        let v = lower.leaf(Leaf::Var(target, Member::None));
        let mut sums: [Option<Value>; 3] = [None; 3];
        let mut add = |lower: &mut Lower, at: usize, expr: &Expr| {
            let value = lower.expr(expr);
            sums[at] = Some(match sums[at] {
                Some(sum) => lower.b.add(sum, value),
                None => value,
            });
        };
        for &at in &component.terms {
            let term = &player.terms[at];
            add(&mut lower, 0, &over(term.over, term.expr.clone()));
        }
        for (_, coupling) in split.couplings_of(&component.vars) {
            let constraint = &player.constraints[coupling.constraint.index()];
            let rows = constraint.relation.expr();
            let member = if constraint.over.is_some() { Member::Loop } else { Member::None };
            let leaf = Leaf::Dual(split.player, coupling.constraint, member);
            let lambda = Expr { kind: ExprKind::Leaf(leaf), shape: rows.shape.clone(), span: rows.span };
            // Of matrices the sum of all products of entries.
            let products = Expr {
                kind: ExprKind::Apply(Function::ElemMul, vec![lambda, rows.clone()]),
                shape: rows.shape.clone(),
                span: rows.span,
            };
            add(&mut lower, 1, &over(constraint.over, made(Function::Sum, vec![products])));
            add(&mut lower, 2, &over(constraint.over, made(Function::SumSquares, vec![rows.clone()])));
        }
        let rho = lower.leaf(Leaf::Rho(split.player));
        let values = sums.map(|sum| sum.unwrap_or_else(|| lower.b.constant(0.0, Dtype::F64)));
        let half = lower.b.scale(0.5, rho);
        let values = [values[0], values[1], lower.b.mul(half, values[2])];
        for (name, value) in ["h", "dual", "penalty"].into_iter().zip(values) {
            let slope = gradient(&mut lower.b, value, &[v])[0];
            lower.b.output(name, value);
            lower.b.output(format!("d{name}"), slope);
        }
        let var = &model.vars[target.index()];
        let symmetric = var.kind == VarKind::Symmetric;
        Problem { target, shape: var.shape.clone(), symmetric, program: Compiled::of(lower) }
    }

    /// Value and gradient at `v`; none where a value is not finite.
    pub fn at(&self, point: &Point, v: &Tensor) -> Option<Parts> {
        let out = self.program.at(point, Some((self.target, v)), &[])?;
        if !v.is_finite() || !out.iter().all(Tensor::is_finite) {
            return None;
        }
        let values = [out[0].item()?, out[2].item()?, out[4].item()?];
        let slope = |tensor: &Tensor| {
            let mut all = tensor.to_f64().into_vec();
            if self.symmetric {
                symmetrise(&self.shape, &mut all);
            }
            all
        };
        Some(Parts { gradients: [slope(&out[1]), slope(&out[3]), slope(&out[5])], values })
    }

    /// Where the proximal map of the step leads.
    pub fn mapped(&self, point: &Point, form: &Proximal, maps: &[Compiled]) -> Option<Vec<f64>> {
        let zero = Tensor::f64(self.shape.clone(), vec![0.0; self.shape.numel()]);
        let out = self.program.at(point, Some((self.target, &zero)), &[])?;
        let (dual, penalty) = (out[3].to_f64(), out[5].to_f64());
        let pull = dual.iter().zip(penalty.iter()).zip(&form.linear).map(|((dual, penalty), p)| dual + penalty + p);
        let metric = form.curvature.iter().zip(&form.gram).map(|(p, g)| p + point.rho * g);
        let mut v: Vec<f64> = pull.zip(metric).map(|(pull, metric)| -pull / metric).collect();
        for (map, program) in form.maps.iter().zip(maps) {
            let numbers =
                |of: &dyn Fn(&crate::split::proximal::Row) -> f64| -> Vec<f64> { map.rows.iter().map(of).collect() };
            let nu = numbers(&|row| row.nu);
            let t = numbers(&|row| map.weight * row.nu / (row.curvature + point.rho * row.gram));
            let more = [t, nu].map(|all| match all[..] {
                [one] => Tensor::scalar(one),
                _ => Tensor::f64(map.args[map.subject].shape.clone(), all),
            });
            let center = Tensor::f64(self.shape.clone(), v);
            v = program.at(point, Some((self.target, &center)), &more)?.pop()?.to_f64().into_vec();
        }
        for (x, (low, high)) in v.iter_mut().zip(form.lower.iter().zip(&form.upper)) {
            *x = x.max(*low).min(*high);
        }
        v.iter().all(|x| x.is_finite()).then_some(v)
    }
}

/// The maps of a form, each from the variable to the variable; the formula is that of
/// [`proximal`](crate::split::proximal).
pub(super) fn maps(model: &Model, form: &Proximal, target: VarId) -> Vec<Compiled> {
    let one = |map: &crate::split::proximal::Map| {
        let mut lower = Lower::new(model, "map", Dtype::F64);
        let v = lower.leaf(Leaf::Var(target, Member::None));
        let args: Vec<Value> = map.args.iter().map(|arg| lower.expr(arg)).collect();
        let u = args[map.subject];
        let shape = if map.rows.len() == 1 { Shape::scalar() } else { lower.b.shape(u).clone() };
        let ty = |shape: &Shape| crate::tape::Type { dtype: Dtype::F64, shape: shape.clone() };
        // No name of a file has a space.
        let (t, nu) = (lower.b.input("the t", ty(&shape)), lower.b.input("the ν", ty(&shape)));
        let next = map.phi.prox(&mut lower.b, u, t, &args);
        let out = match map.whole {
            Some(_) => next,
            None => {
                let moved = lower.b.sub(next, u);
                let moved = lower.b.div(moved, nu);
                let back = crate::tape::vjp(&mut lower.b, u, moved, &[v])[0];
                lower.b.add(v, back)
            }
        };
        lower.b.output("v", out);
        Compiled::of(lower)
    };
    form.maps.iter().map(one).collect()
}
