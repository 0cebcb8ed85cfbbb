//! Claims: an update that a file states beside the one that is derived.
//!
//! ```text
//! claim v = c(x, λ, ρ)          is right where c minimises   L(v) = h(v) + ⟨λ, r(v)⟩ + (ρ/2)‖r(v)‖²
//! ```
//!
//! with everything but v at random values, the new ones of the block before, and λ before its own update. It
//! is tried at several ρ, in doubles: a smooth step by the gradient at the claim, one that is a proximal map
//! by that map, any other by the values around. Where a misprint is right at one ρ that is said, and where
//! the gradient is a sum of named things with coefficients in ρ, what is left of it is written out.

mod point;
mod symbolic;
#[cfg(test)]
mod tests;

use super::ir::{AdmmPlan, MethodPlan, Plan, Rule, Step};
use super::update::{self, Script};
use crate::diag::{Code, Diag, Diags, Severity};
use crate::model::Model;
use crate::model::ir::{Claim, Expr, ExprKind, Leaf, Player, Relation};
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

/// Compares every claim of a model with the steps that its solve blocks take.
pub fn check(model: &Model, split: &Split, plans: &[Plan], diags: &mut Diags) {
    for (player, own) in model.players.iter().zip(&split.players) {
        let plan = plans.iter().flat_map(|plan| &plan.methods).find_map(|method| match method {
            MethodPlan::Admm(plan) if plan.player == own.player => Some(&**plan),
            _ => None,
        });
        for claim in &player.claims {
            match one(model, player, own, plan, claim) {
                Ok(Some(diag)) => diags.push(diag),
                Ok(None) => {}
                Err(why) => diags.push(unchecked(model, claim, &why)),
            }
        }
    }
}

fn unchecked(model: &Model, claim: &Claim, why: &str) -> Diag {
    let name = &model.vars[claim.target.index()].name;
    Diag::new(Code::WrongClaim, claim.span, format!("the claimed update of `{name}` is not checked: {why}"))
        .severity(Severity::Note)
        .here("has no effect on the run")
        .help("a claim is compared with the minimiser of a step; it changes nothing else, so the run goes on")
}

/// What is wrong with a claim; an error where it can't be compared, with the reason.
fn one(
    model: &Model,
    player: &Player,
    split: &PlayerSplit,
    plan: Option<&AdmmPlan>,
    claim: &Claim,
) -> Result<Option<Diag>, String> {
    let plan = plan.ok_or("no solve block takes `admm` on it")?;
    let step = plan.steps().find(|step| step.component.vars.contains(&claim.target));
    let step = step.ok_or("it is in no step")?;
    comparable(model, player, split, step, claim)?;
    let trial = Trial::new(model, split, step, claim)?;
    let claimed = point::claimed(model, &claim.value, Reading::Plain);
    let right = trial.right(&claimed)?;
    if right.len() == RHOS.len() {
        return Ok(None);
    }
    Ok(Some(wrong(&trial, plan, &claimed, &right)))
}

/// Whether a claim can be compared with a step at all.
fn comparable(model: &Model, player: &Player, split: &PlayerSplit, step: &Step, claim: &Claim) -> Result<(), String> {
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
    let mut stray = None;
    let mut see = |expr: &Expr| {
        expr.leaves(&mut |leaf| match leaf {
            Leaf::Sample(..) => sampled = true,
            Leaf::Data(id, _) => uneven |= model.data[id.index()].rows.is_some(),
            _ => {}
        });
    };
    see(&claim.value);
    component.terms.iter().for_each(|&at| see(&player.terms[at].expr));
    claim.value.leaves(&mut |leaf| match leaf {
        Leaf::Var(id, _) => own |= id == claim.target,
        Leaf::Dual(of, id, _)
            if of == split.player && split.couplings.iter().all(|coupling| coupling.constraint != id) =>
        {
            stray = Some(player.constraints[id.index()].name(id));
        }
        _ => {}
    });
    component.terms.iter().for_each(|&at| looped = player.terms[at].over.map_or(0, |over| over.count).max(looped));
    split.couplings_of(&component.vars).for_each(|(_, coupling)| looped = coupling.over.unwrap_or(0).max(looped));
    match stray {
        Some(constraint) => Err(format!("`{constraint}` ties no two blocks, so the step has no multiplier of it")),
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
    claim: &'a Claim,
    problem: Problem,
    test: Test,
    /// Points at each ρ.
    points: u32,
}

impl<'a> Trial<'a> {
    fn new(model: &'a Model, split: &'a PlayerSplit, step: &'a Step, claim: &'a Claim) -> Result<Trial<'a>, String> {
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
        let claimed = point::claimed(model, &claim.value, Reading::Plain);
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
            let found: Vec<bool> =
                self.points(rho).filter_map(|point| self.holds(&point, &claimed.claim(&point)?)).collect();
            seen |= !found.is_empty();
            if !found.is_empty() && found.iter().all(|holds| *holds) {
                right.push(rho);
            }
        }
        if seen { Ok(right) } else { Err("nothing is finite at random points".to_string()) }
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
        let worst = percent(worst);
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

/// Two digits: `27 %`, `0.3 %`.
fn percent(part: f64) -> String {
    let percent = 100.0 * part;
    match percent {
        10.0.. => format!("{percent:.0} %"),
        0.1.. => format!("{percent:.1} %"),
        _ => format!("{percent:.1e} %"),
    }
}

/// The diagnostic of a claim that is not the minimiser.
fn wrong(trial: &Trial, plan: &AdmmPlan, claimed: &Compiled, right: &[f64]) -> Diag {
    let Trial { model, split, claim, component, .. } = trial;
    let name = &model.vars[claim.target.index()].name;
    let player = &model.players[split.player.index()];
    let equations = player.constraints.iter().filter(|c| matches!(c.relation, Relation::Zero(_))).count();
    let (rho, plain) = spelt(claim, equations);
    let say = symbolic::Script { model, player: split.player, file: false, rho: "ρ", plain };
    let write = symbolic::Script { file: true, rho, ..say };
    let at = at_most(right);
    let message = format!("the claimed update of `{name}` is not the minimiser of its step{}", unless(right));
    let mut diag = Diag::new(Code::WrongClaim, claim.value.span, message).here(match right.is_empty() {
        true => "not the minimiser".to_string(),
        false => format!("right {at}"),
    });
    let gradient = trial.gradient();
    if let Some(gradient) = &gradient
        && let Some(stated) = symbolic::read(model, &claim.value)
    {
        let left = gradient.at(&stated);
        if !left.is_zero()
            && trial.agrees(claimed, &left)
            && let (Some(left), Some(missed)) = (say.text(&left), say.text(&gradient.missed(&left)))
        {
            diag = diag
                .certify(format!("substituted into the gradient of the step's problem it leaves {left}, not 0"))
                .certify(format!("the minimiser less the claim is {missed}"));
        }
    }
    if let Some(measured) = trial.measured(claimed, right) {
        diag = diag.certify(measured);
    }
    let [first, .., last] = RHOS;
    diag = diag.certify(match right.is_empty() {
        true => format!("of {} values of ρ from {first} to {last} it is the minimiser at none", RHOS.len()),
        false => format!("of {} values of ρ from {first} to {last} it is the minimiser {at}", RHOS.len()),
    });
    diag = diag.certify(format!("derived: {}", derived(trial, plan)));
    for (_, coupling) in split.couplings_of(&component.vars) {
        let rows = player.constraints[coupling.constraint.index()].relation.expr();
        diag = diag.label(coupling.span, format!("λ multiplies {}", model.unicode(rows)));
    }
    let mut help = "ADMM ends at a solution only if each step is the minimiser; with another update it ends elsewhere, or not at all. ".to_owned();
    help += &match reading(trial) {
        Some(Reading::Negated) => {
            "The claim is right for a λ of the other sign: here λ is that of f + g + ⟨λ, …⟩, updated by λ + ρ·(…); write -λ for it".to_string()
        }
        Some(Reading::Scaled) => {
            format!("The claim is right for a scaled multiplier, u = λ/ρ, as some papers have it: here λ is not scaled; write λ/{rho} for it")
        }
        _ => "Compare the claim's source with the derived update, and the constraint's sign with it".to_string(),
    };
    diag = diag.help(help);
    if let Some(text) = gradient.and_then(|gradient| {
        let minimiser = gradient.minimiser();
        let fits = claim.value.shape.is_scalar() || minimiser.has_tensor(model);
        fits.then(|| write.text(&minimiser)).flatten()
    }) {
        diag = diag.fix(format!("write `{text}`"), claim.value.span, text);
    }
    diag
}

/// How a claim spells ρ, and whether it writes λ for the multiplier: `dual(label)` is longer.
fn spelt(claim: &Claim, equations: usize) -> (&'static str, bool) {
    let (mut rho, mut plain) = ("ρ", None);
    spelling(&claim.value, &mut |leaf, len| match leaf {
        Leaf::Rho(_) if len == "rho".len() => rho = "rho",
        Leaf::Dual(..) => plain = Some(len <= "lambda".len()),
        _ => {}
    });
    (rho, plain.unwrap_or(true) && equations == 1)
}

fn spelling(expr: &Expr, visit: &mut impl FnMut(Leaf, usize)) {
    if let ExprKind::Leaf(leaf) = expr.kind {
        visit(leaf, (expr.span.end - expr.span.start) as usize);
    }
    expr.children().into_iter().for_each(|child| spelling(child, visit));
}

/// The other meaning of λ for which a claim is right.
fn reading(trial: &Trial) -> Option<Reading> {
    let mut named = false;
    trial.claim.value.leaves(&mut |leaf| named |= matches!(leaf, Leaf::Dual(..)));
    let right = |reading: &Reading| {
        let claimed = point::claimed(trial.model, &trial.claim.value, *reading);
        trial.right(&claimed).is_ok_and(|right| right.len() == RHOS.len())
    };
    [Reading::Negated, Reading::Scaled].into_iter().find(|reading| named && right(reading))
}

/// The update that the plan derives for the claim's variable.
fn derived(trial: &Trial, plan: &AdmmPlan) -> String {
    let at = plan.steps().position(|step| step.component.vars.contains(&trial.claim.target));
    let updates = update::updates(trial.model, trial.split, plan, Script::Unicode);
    at.and_then(|at| updates.lines.into_iter().nth(at)).map_or_else(String::new, |(_, formula)| formula)
}

fn unless(right: &[f64]) -> String {
    match right {
        [one] => format!(" unless ρ = {one}"),
        _ => String::new(),
    }
}

/// `at ρ = 1 only`
fn at_most(right: &[f64]) -> String {
    let all: Vec<String> = right.iter().map(|rho| rho.to_string()).collect();
    format!("at ρ = {} only", all.join(", "))
}
