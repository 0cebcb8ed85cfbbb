//! Claims: an update that a file states beside the one that is derived.
//!
//! ```text
//! claim v = c(x, λ, ρ)          is right where c minimises   L(v) = h(v) + ⟨λ, r(v)⟩ + (ρ/2)‖r(v)‖²
//! ```
//!
//! with everything but v at random values, the new ones of the block before, and λ before its own update. It
//! is tried at several ρ, in doubles: a smooth step by the gradient at the claim, one that is a proximal map
//! by that map, any other by the values around. Where a misprint is right at one ρ that is said, and where
//! the gradient is a sum of named things with coefficients in ρ, what is left of it is written out. An update
//! that runs in the place of the derived one, `z_step = given(…)`, is judged likewise, in warnings.
//!
//! A claim of a multiplier is held against `λ + ρ·r` ([`multiplier`]). Where every step is quadratic, what the
//! iteration does with the stated update in it is told by a spectral radius ([`radius`]).

mod multiplier;
mod point;
mod radius;
mod symbolic;
#[cfg(test)]
mod tests;
mod words;

use super::given;
use super::ir::{AdmmPlan, MethodPlan, Plan, Rule, Step};
use crate::diag::{Diag, Diags};
use crate::model::Model;
use crate::model::ir::{Expr, Leaf, Player, Target, VarId};
use crate::source::Span;
use crate::split::Split;
use crate::split::atoms;
use crate::split::ir::{Component, Coupling, PlayerSplit};
use crate::split::proximal::{self, Proximal};
use crate::tape::philox::{Stream, key};
use crate::tape::{Dtype, Tensor};
use point::{Compiled, POINTS, Point, Problem, Reading, norm, relative};
use symbolic::Gradient;

/// The ρ that are tried. Those of misprints are 1 and small whole numbers.
const RHOS: [f64; 11] = [1e-3, 1e-2, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 100.0, 1e3];

/// Of its parts, what rounding leaves of a gradient. Claims of a misprint leave a tenth of the parts and more;
/// a solve of a badly conditioned system in the claim 1e-9.
const ROUNDED: f64 = 1e-7;

/// Of its length, what a map of many iterations is off by.
const MAPPED: f64 = 1e-6;

/// Of its parts, what a value may fall by around a minimiser.
const FALL: f64 = 1e-11;

/// Directions in which values around a claim are looked at, and how far, in lengths of the point.
const DIRECTIONS: u32 = 24;
const FAR: [f64; 4] = [1e-3, 1e-2, 0.1, 1.0];

/// Operations that a check may take, about a second; twenty times as many where each ρ is tried once.
const WORK: u64 = 1 << 29;

/// Members of a family that a step's problem is written out for.
const MOST_MEMBERS: usize = 256;

/// An update that is held against the derived one.
#[derive(Debug, Clone, Copy)]
struct Stated<'a> {
    target: VarId,
    value: &'a Expr,
    /// In the source.
    span: Span,
    /// Whether it runs in the place of the derived one; else it is a claim.
    runs: bool,
}

impl Stated<'_> {
    /// `the stated update`, `the claimed update`
    fn words(&self) -> &'static str {
        if self.runs { "the stated update" } else { "the claimed update" }
    }
}

/// Compares every claim of a model with the steps that its solve blocks take, and every update that runs in the
/// place of such a step.
pub fn check(model: &Model, split: &Split, plans: &[Plan], diags: &mut Diags) {
    for (player, own) in model.players.iter().zip(&split.players) {
        let admm = || {
            plans.iter().flat_map(|plan| &plan.methods).filter_map(|method| match method {
                MethodPlan::Admm(plan) if plan.player == own.player => Some(&**plan),
                _ => None,
            })
        };
        let mut judge = |stated: Stated, plan: Option<&AdmmPlan>| match one(model, player, own, plan, stated) {
            Ok(Some(diag)) => diags.push(diag),
            Ok(None) => {}
            Err(why) => diags.push(words::unchecked(model, stated, &why)),
        };
        for plan in admm() {
            for step in plan.steps() {
                if let (Some(value), &[target]) = (&step.given, &step.component.vars[..]) {
                    judge(Stated { target, value, span: value.span, runs: true }, Some(plan));
                }
            }
        }
        for claim in &player.claims {
            let Target::Var(target) = claim.target else { continue };
            judge(Stated { target, value: &claim.value, span: claim.span, runs: false }, admm().next());
        }
        for claim in &player.claims {
            let Target::Dual(id) = claim.target else { continue };
            if let Some(diag) = multiplier::check(model, own, admm().next(), (claim, id)) {
                diags.push(diag);
            }
        }
    }
}

/// What is wrong with a claim; an error where it can't be compared, with the reason.
fn one(
    model: &Model,
    player: &Player,
    split: &PlayerSplit,
    plan: Option<&AdmmPlan>,
    claim: Stated,
) -> Result<Option<Diag>, String> {
    let plan = plan.ok_or("no solve block takes `admm` on it")?;
    let step = plan.steps().find(|step| step.component.vars.contains(&claim.target));
    let step = step.ok_or("it is in no step")?;
    comparable(model, player, split, step, &claim)?;
    let trial = Trial::new(model, split, step, claim)?;
    let claimed = point::claimed(model, claim.value, Reading::Plain);
    let right = trial.right(&claimed)?;
    if right.len() == RHOS.len() {
        return Ok(None);
    }
    Ok(Some(words::wrong(&trial, plan, &claimed, &right)))
}

/// Whether a claim can be compared with a step at all.
fn comparable(model: &Model, player: &Player, split: &PlayerSplit, step: &Step, claim: &Stated) -> Result<(), String> {
    let name = &model.vars[claim.target.index()].name;
    let component = &step.component;
    if player.written.is_some() {
        return Err("the compiler has split the problem anew, and its steps are others than those of the \
                    constraints as written"
            .to_string());
    }
    if component.over.is_some() {
        return Err(format!("`{name}` is a family"));
    }
    if component.vars.len() > 1 {
        let names: Vec<String> =
            component.vars.iter().map(|var| format!("`{}`", model.vars[var.index()].name)).collect();
        return Err(format!("{} take one step together", names.join(" and ")));
    }
    let mut own = false;
    let mut sampled = false;
    let mut uneven = false;
    let mut looped = 0;
    let mut see = |expr: &Expr| {
        expr.leaves(&mut |leaf| match leaf {
            Leaf::Sample(..) => sampled = true,
            Leaf::Data(id, _) => uneven |= model.data[id.index()].rows.is_some(),
            _ => {}
        });
    };
    see(claim.value);
    component.terms.iter().for_each(|&at| see(&player.terms[at].expr));
    claim.value.leaves(&mut |leaf| own |= matches!(leaf, Leaf::Var(id, _) if id == claim.target));
    component.terms.iter().for_each(|&at| looped = player.terms[at].over.map_or(0, |over| over.count).max(looped));
    split.couplings_of(&component.vars).for_each(|(_, coupling)| looped = coupling.over.unwrap_or(0).max(looped));
    match given::stray(split, claim.value) {
        Some(id) => Err(format!(
            "`{}` ties no two blocks, so the step has no multiplier of it",
            player.constraints[id.index()].name(id)
        )),
        None if own => Err(format!("it begins at the last `{name}`, as a gradient step does, and states no minimiser")),
        None if sampled => Err("it depends on a sample, which a run draws".to_string()),
        None if uneven => Err("the members of a data family differ in their rows".to_string()),
        None if looped > MOST_MEMBERS => Err(format!("{looped} members are more than it is written out for")),
        None => Ok(()),
    }
}

/// How a claim is tested.
enum Test {
    /// By the gradient.
    Slope,
    /// By where the proximal map leads.
    Map(Box<Proximal>, Vec<Compiled>),
    /// By values around.
    Values,
}

/// A claim beside its step.
struct Trial<'a> {
    model: &'a Model,
    split: &'a PlayerSplit,
    component: &'a Component,
    claim: Stated<'a>,
    problem: Problem,
    test: Test,
    /// Points at each ρ.
    points: u32,
}

impl<'a> Trial<'a> {
    fn new(model: &'a Model, split: &'a PlayerSplit, step: &'a Step, claim: Stated<'a>) -> Result<Trial<'a>, String> {
        let component = &step.component;
        let player = &model.players[split.player.index()];
        let kinked =
            component.terms.iter().any(|&at| atoms::kink(model, split.player, &player.terms[at].expr).is_some());
        let test = match &step.rule {
            Rule::Quadratic { equalities: Some(_), .. } => {
                return Err("equations on the variable are part of its step".to_string());
            }
            Rule::Quadratic { .. } => Test::Slope,
            Rule::Prox(_) => {
                // A formula on paper weighs every row of a constraint alike.
                let plain = split.couplings.iter().cloned().map(|coupling| Coupling { weights: None, ..coupling });
                let plain: Vec<Coupling> = plain.collect();
                let form = proximal::form(model, split.player, component, &plain)?;
                let maps = point::maps(model, &form, claim.target);
                Test::Map(Box::new(form), maps)
            }
            _ if !component.constraints.is_empty() => {
                return Err("a constraint on the variable is part of its step".to_string());
            }
            _ if kinked => Test::Values,
            _ => Test::Slope,
        };
        let problem = Problem::new(model, split, component, claim.target);
        let each = if matches!(test, Test::Values) { u64::from(DIRECTIONS) * FAR.len() as u64 } else { 1 };
        let claimed = point::claimed(model, claim.value, Reading::Plain);
        let flops = (problem.flops() * each + claimed.flops()).max(1) * RHOS.len() as u64;
        if flops > 20 * WORK {
            return Err("its step is too large to be tried".to_string());
        }
        let points = (WORK / flops).clamp(1, u64::from(POINTS)) as u32;
        Ok(Trial { model, split, component, claim, problem, test, points })
    }

    fn points(&self, rho: f64) -> impl Iterator<Item = Point<'a>> {
        let model = self.model;
        // What is right at one size of the numbers, and wrong at another, is wrong.
        (0..self.points).map(move |seed| Point { model, rho, seed })
    }

    /// The ρ at which a claim is the minimiser.
    fn right(&self, claimed: &Compiled) -> Result<Vec<f64>, String> {
        let mut right = Vec::new();
        let mut seen = false;
        for rho in RHOS {
            let found = self.right_at(claimed, rho);
            seen |= found.is_some();
            if found == Some(true) {
                right.push(rho);
            }
        }
        if seen { Ok(right) } else { Err("nothing is finite at random points".to_string()) }
    }

    /// Whether a claim is the minimiser at one ρ; none where nothing is finite.
    fn right_at(&self, claimed: &Compiled, rho: f64) -> Option<bool> {
        let mut found = self.points(rho).filter_map(|point| self.holds(&point, &claimed.claim(&point)?)).peekable();
        found.peek()?;
        Some(found.all(|holds| holds))
    }

    /// Whether a value is the minimiser at a point; none where something is not finite.
    fn holds(&self, point: &Point, v: &Tensor) -> Option<bool> {
        match &self.test {
            Test::Slope => Some(self.problem.at(point, v)?.remainder() <= ROUNDED),
            Test::Map(form, maps) => {
                let next = self.problem.mapped(point, form, maps)?;
                let v = v.to_f64();
                let off: Vec<f64> = v.iter().zip(&next).map(|(v, next)| v - next).collect();
                let off = relative(norm(&off), norm(&v) + norm(&next));
                off.is_finite().then_some(off <= MAPPED)
            }
            Test::Values => Some(self.fall(point, v)? <= FALL),
        }
    }

    /// How far the value falls around a claim, of the size of its parts.
    fn fall(&self, point: &Point, v: &Tensor) -> Option<f64> {
        let here = self.problem.at(point, v)?;
        let numbers = v.to_f64();
        let length = norm(&numbers).max(1e-3);
        let mut most: f64 = 0.0;
        for direction in 0..DIRECTIONS {
            let stream = Stream::new(key(1), direction);
            let along: Vec<f64> = (0..numbers.len()).map(|j| stream.normal(point.seed, j as u64, Dtype::F64)).collect();
            for far in FAR {
                let step = far * length / norm(&along).max(f64::MIN_POSITIVE);
                let moved = numbers.iter().zip(&along).map(|(x, d)| x + step * d).collect();
                if let Some(there) = self.problem.at(point, &Tensor::f64(v.shape.clone(), moved)) {
                    most = most.max(relative(here.value() - there.value(), here.size() + there.size()));
                }
            }
        }
        Some(most)
    }

    /// The certificate's line of numbers: at a ρ where the claim is wrong, and by how much.
    fn measured(&self, claimed: &Compiled, right: &[f64]) -> Option<String> {
        // 2 is as good as any, and the first that people try.
        let rho = [2.0, 1.0].into_iter().chain(RHOS).find(|rho| !right.contains(rho))?;
        let of = |point: &Point| -> Option<f64> {
            let v = claimed.claim(point)?;
            Some(match &self.test {
                Test::Slope => self.problem.at(point, &v)?.remainder(),
                Test::Map(form, maps) => {
                    let next = self.problem.mapped(point, form, maps)?;
                    let v = v.to_f64();
                    let off: Vec<f64> = v.iter().zip(&next).map(|(v, next)| v - next).collect();
                    relative(norm(&off), norm(&v) + norm(&next))
                }
                Test::Values => self.fall(point, &v)?,
            })
        };
        let worst = self.points(rho).filter_map(|point| of(&point)).filter(|x| x.is_finite()).reduce(f64::max)?;
        let worst = words::percent(worst);
        Some(match &self.test {
            Test::Slope => format!(
                "tried at ρ = {rho} and random values of the rest: the gradient there is not 0, but up to {worst} of its parts"
            ),
            Test::Map(..) => format!(
                "tried at ρ = {rho} and random values of the rest: it differs from the minimiser by up to {worst} of their lengths"
            ),
            Test::Values => format!(
                "tried at ρ = {rho} and random values of the rest: points near it are lower by up to {worst} of the objective's parts"
            ),
        })
    }

    /// The gradient in names, where that agrees with the numbers.
    fn gradient(&self) -> Option<Gradient> {
        matches!(self.test, Test::Slope)
            .then(|| Gradient::of(self.model, self.split, self.component, self.claim.target))?
    }

    /// Whether a text's sum is what the numbers leave, at every point.
    fn agrees(&self, claimed: &Compiled, left: &symbolic::Linear) -> bool {
        let n = self.model.vars[self.claim.target.index()].shape.numel();
        self.points(2.0).all(|point| {
            let parts = claimed.claim(&point).and_then(|v| self.problem.at(&point, &v));
            let Some((parts, text)) = parts.zip(left.at(&point, n)) else { return false };
            let size: f64 = parts.gradients.iter().map(|part| norm(part)).sum();
            let off: Vec<f64> = parts.gradient().iter().zip(&text).map(|(a, b)| a - b).collect();
            norm(&off) <= ROUNDED * size
        })
    }
}
