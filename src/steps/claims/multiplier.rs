//! A claim of a multiplier's update, `claim λ = λ + ρ*(z - x)`, held against the one that the run takes,
//!
//! ```text
//! λ⁺ = λ + ρ·r          r = the constraint's left side less its right, at the new x and z
//! ```
//!
//! which is what the sign of λ in `L = f + g + ⟨λ, r⟩` asks for. An update that moves by γρ·r is told by its γ: −1
//! is the sign of another Lagrangian; from 0 to (1 + √5)/2 it converges as well (Fortin & Glowinski 1983).

use super::point::{self, Compiled, POINTS, Point, Reading, norm, relative};
use super::radius::{self, Replaced};
use super::words::{percent, spelt};
use super::{RHOS, ROUNDED, WORK, symbolic};
use crate::catalogue::Function;
use crate::diag::{Code, Diag, Severity, digits};
use crate::model::Model;
use crate::model::ir::{Claim, ConstraintId, Expr, ExprKind, Leaf, Member, Relation, Target};
use crate::split::ir::{Coupling, PlayerSplit};
use crate::steps::ir::AdmmPlan;
use crate::steps::update::{self, Script};
use crate::tape::Shape;

/// Longest step along the residual with a proof: the golden ratio.
const LONGEST: f64 = 1.618_033_988_749_895;

/// What is wrong with a claim of the multiplier of a constraint.
pub(super) fn check(
    model: &Model,
    split: &PlayerSplit,
    plan: Option<&AdmmPlan>,
    (claim, id): (&Claim, ConstraintId),
) -> Option<Diag> {
    let player = &model.players[split.player.index()];
    let equations = player.constraints.iter().filter(|c| matches!(c.relation, Relation::Zero(_))).count();
    let name = match equations {
        1 => "λ".to_owned(),
        _ => format!("dual({})", player.constraints[id.index()].name(id)),
    };
    let coupling = split.couplings.iter().find(|coupling| coupling.constraint == id);
    let mut sampled = false;
    claim.value.leaves(&mut |leaf| sampled |= matches!(leaf, Leaf::Sample(..)));
    let unchecked = |why: String| {
        Some(
            Diag::new(Code::WrongClaim, claim.span, format!("the claimed update of `{name}` is not checked: {why}"))
                .severity(Severity::Note)
                .here("has no effect on the run")
                .help("a claim is compared with the update that the run takes; it changes nothing else, so the run goes on"),
        )
    };
    match (plan, coupling) {
        (None, _) => unchecked("no solve block takes `admm` on it".to_owned()),
        _ if player.written.is_some() => unchecked(
            "the compiler has split the problem anew, and its multipliers are others than those of the constraints as written".to_owned(),
        ),
        (_, None) => unchecked("the constraint ties no two blocks".to_owned()),
        (_, Some(coupling)) if coupling.over.is_some() => unchecked("its constraint is a family".to_owned()),
        _ if sampled => unchecked("it depends on a sample, which a run draws".to_owned()),
        (Some(plan), Some(coupling)) => {
            let trial = Trial::new(model, split, claim, coupling);
            match trial.steps() {
                Err(why) => unchecked(why),
                Ok(found) if found.right.len() == RHOS.len() => None,
                Ok(found) => Some(wrong(&trial, plan, &found, &name, equations)),
            }
        }
    }
}

/// A claim beside the update of the run.
struct Trial<'a> {
    model: &'a Model,
    split: &'a PlayerSplit,
    claim: &'a Claim,
    coupling: &'a Coupling,
    claimed: Compiled,
    /// `λ`, `ρ·r` and `r`
    lambda: Leaf,
    step: Compiled,
}

/// How a claim moves λ.
struct Found {
    /// The ρ at which it is the update.
    right: Vec<f64>,
    /// γ, where it moves by γρ·r at every ρ.
    length: Option<f64>,
    /// Whether it moves by r itself.
    unscaled: bool,
    /// How far it is off at a ρ where it is wrong, of the lengths of both.
    worst: Option<(f64, f64)>,
}

impl<'a> Trial<'a> {
    fn new(model: &'a Model, split: &'a PlayerSplit, claim: &'a Claim, coupling: &'a Coupling) -> Trial<'a> {
        let player = split.player;
        let rows = model.players[player.index()].constraints[coupling.constraint.index()].relation.expr();
        let rho = Expr { kind: ExprKind::Leaf(Leaf::Rho(player)), shape: Shape::scalar(), span: rows.span };
        let step = Expr {
            kind: ExprKind::Apply(Function::ElemMul, vec![rho, rows.clone()]),
            shape: rows.shape.clone(),
            span: rows.span,
        };
        let compiled = |value: &Expr| point::claimed(model, value, Reading::Plain);
        let lambda = Leaf::Dual(player, coupling.constraint, Member::None);
        Trial { model, split, claim, coupling, claimed: compiled(&claim.value), lambda, step: compiled(&step) }
    }

    /// By how much of ρ·r the claim moves λ, at the ρ and random values of the rest.
    fn steps(&self) -> Result<Found, String> {
        let flops = (self.claimed.flops() + self.step.flops()).max(1) * RHOS.len() as u64;
        if flops > 20 * WORK {
            return Err("it is too large to be tried".to_string());
        }
        let points = (WORK / flops).clamp(1, u64::from(POINTS)) as u32;
        let mut found = Found { right: Vec::new(), length: None, unscaled: true, worst: None };
        let mut lengths: Vec<Option<f64>> = Vec::new();
        let mut seen = false;
        for rho in RHOS {
            let mut right = true;
            for seed in 0..points {
                let point = Point { model: self.model, rho, seed };
                let Some((off, length)) = self.at(&point) else { continue };
                seen = true;
                right &= off <= ROUNDED;
                found.unscaled &= length.is_some_and(|length| (length * rho - 1.0).abs() <= ROUNDED);
                lengths.push(length);
                // 2 is as good as any, and the first that people try.
                if off > ROUNDED && (found.worst.is_none() || rho == 2.0) {
                    let most = found.worst.filter(|(at, _)| *at == rho).map_or(0.0, |(_, most)| most);
                    found.worst = Some((rho, off.max(most)));
                }
            }
            if right {
                found.right.push(rho);
            }
        }
        let first = lengths.first().copied().flatten();
        let same = |first: &f64| {
            lengths
                .iter()
                .all(|length| length.is_some_and(|length| (length - first).abs() <= ROUNDED * (1.0 + first.abs())))
        };
        found.length = first.filter(same);
        if seen { Ok(found) } else { Err("nothing is finite at random points".to_string()) }
    }

    /// How far a claim is off, of the lengths of both; and γ, where it moves along ρ·r.
    fn at(&self, point: &Point) -> Option<(f64, Option<f64>)> {
        let lambda = point.value(self.lambda)?.to_f64();
        let (claimed, step) = (self.claimed.claim(point)?.to_f64(), self.step.claim(point)?.to_f64());
        if !claimed.iter().chain(step.iter()).all(|x| x.is_finite()) {
            return None;
        }
        let moved: Vec<f64> = claimed.iter().zip(lambda.iter()).map(|(claimed, lambda)| claimed - lambda).collect();
        let off: Vec<f64> = moved.iter().zip(step.iter()).map(|(moved, step)| moved - step).collect();
        let square: f64 = step.iter().map(|x| x * x).sum();
        let length = moved.iter().zip(step.iter()).map(|(a, b)| a * b).sum::<f64>() / square;
        let aside: Vec<f64> = moved.iter().zip(step.iter()).map(|(moved, step)| moved - length * step).collect();
        // What subtracting λ rounds by counts as along.
        let along =
            length.is_finite() && norm(&aside) <= ROUNDED * (norm(&moved) + norm(&lambda) * f64::EPSILON / ROUNDED);
        let whole = norm(&moved) + square.sqrt();
        Some((relative(norm(&off), whole), along.then_some(length)))
    }
}

/// The diagnostic of a claim that is not the update of the run.
fn wrong(trial: &Trial, plan: &AdmmPlan, found: &Found, name: &str, equations: usize) -> Diag {
    let Trial { model, split, claim, coupling, .. } = trial;
    let player = &model.players[split.player.index()];
    let rows = player.constraints[coupling.constraint.index()].relation.expr();
    let residual = model.unicode(rows);
    let harmless = found.length.is_some_and(|length| length > 0.0 && length < LONGEST);
    let (what, here) = match found {
        Found { right, .. } if !right.is_empty() => {
            let all: Vec<String> = right.iter().map(|rho| rho.to_string()).collect();
            let unless = if let [one] = &all[..] { format!(" unless ρ = {one}") } else { String::new() };
            (format!("is not the one that ADMM takes{unless}"), format!("right at ρ = {} only", all.join(", ")))
        }
        Found { length: Some(length), .. } if *length < 0.0 => {
            ("goes against the constraint".to_owned(), "lowers λ where it should rise".to_owned())
        }
        Found { length: Some(length), .. } => {
            (format!("takes {} times the step", digits(*length, 4)), "along the residual, of another length".to_owned())
        }
        _ => ("is not the one that ADMM takes".to_owned(), "another update".to_owned()),
    };
    let mut diag =
        Diag::new(Code::WrongClaim, claim.value.span, format!("the claimed update of `{name}` {what}")).here(here);
    if let Some(length) = found.length {
        diag = diag.certify(format!("it moves λ by {} times ρ·r, r = {residual}", digits(length, 4)));
    }
    let (rho, plain) = spelt(&claim.value, equations);
    let say = symbolic::Script { model, player: split.player, file: false, rho: "ρ", plain };
    let read = symbolic::multiplier(model, split.player, coupling.constraint);
    if let Some((_, update)) = &read
        && let Some(stated) = symbolic::read(model, &claim.value)
        && let Some(text) = say.text(&stated.less(update))
    {
        diag = diag.certify(format!("the claim less the update is {text}, not 0"));
    }
    if let Some((rho, worst)) = found.worst {
        diag = diag.certify(format!(
            "tried at ρ = {rho} and random values of the rest: the two moves of λ differ by up to {} of their lengths",
            percent(worst)
        ));
    }
    if let Some(line) =
        radius::line(model, split, plan, &Replaced { of: Target::Dual(coupling.constraint), by: &trial.claimed })
    {
        diag = diag.certify(line);
    }
    diag = diag
        .certify(format!("derived: {}", derived(trial, plan)))
        .label(coupling.span, format!("λ multiplies {residual}"));
    diag = diag.help(match found {
        _ if harmless => "a step from 0 to 1.618 times ρ·r converges for convex problems as well, a step of 1 is what the run takes".to_owned(),
        Found { length: Some(length), .. } if *length < 0.0 => "λ rises along what the constraint is off by, as in L = f + g + ⟨λ, …⟩; the claim is right for a Lagrangian with −⟨λ, …⟩, or for the constraint with its sides exchanged, and then every λ in the other updates has the other sign too".to_owned(),
        Found { unscaled: true, .. } => format!("λ is measured in ρ times the constraint; the claim is right for a scaled multiplier, u = λ/ρ, as some papers have it, whose other updates read u: here λ is not scaled, so write λ + {rho}*(…)"),
        _ => "the multiplier of L = f + g + ⟨λ, …⟩ adds up ρ times what the constraint is off by, at the new values of both blocks; with another update ADMM ends elsewhere, or not at all".to_owned(),
    });
    // What a note is about is left as it is written.
    if harmless {
        return diag.severity(Severity::Note);
    }
    let write = symbolic::Script { file: true, rho, ..say };
    match read.and_then(|(rows, _)| write.text(&rows)) {
        Some(rows) => {
            let text = format!("{} + {rho}*({rows})", write.multiplier(coupling.constraint));
            diag.fix(format!("write `{text}`"), claim.value.span, text)
        }
        None => diag,
    }
}

/// The update that the run takes.
fn derived(trial: &Trial, plan: &AdmmPlan) -> String {
    let at = trial.split.couplings.iter().position(|coupling| coupling.constraint == trial.coupling.constraint);
    let mut lines = update::updates(trial.model, trial.split, plan, Script::Unicode).lines;
    let first = lines.len() - trial.split.couplings.len();
    at.map_or_else(String::new, |at| lines.swap_remove(first + at).1)
}
