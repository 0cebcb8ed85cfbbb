//! What is said of an update that is not the minimiser of its step, or that can't be compared with it.

use super::point::{self, Compiled, Reading};
use super::symbolic;
use super::{RHOS, Stated, Trial, radius};
use crate::diag::{Code, Diag, Severity};
use crate::model::Model;
use crate::model::ir::{Adapt, Expr, ExprKind, Leaf, Relation, Target};
use crate::steps::ir::AdmmPlan;
use crate::steps::update::{self, Script};

/// That no comparison is made, and why.
pub(super) fn unchecked(model: &Model, stated: Stated, why: &str) -> Diag {
    let name = &model.vars[stated.target.index()].name;
    let diag =
        Diag::new(Code::WrongClaim, stated.span, format!("{} of `{name}` is not checked: {why}", stated.words()))
            .severity(Severity::Note);
    match stated.runs {
        true => diag
            .here("runs as it stands")
            .help("it is not compared with the minimiser of its step; the end of the run says what it leaves"),
        false => diag
            .here("has no effect on the run")
            .help("a claim is compared with the minimiser of a step; it changes nothing else, so the run goes on"),
    }
}

/// Two digits: `27 %`, `0.3 %`.
pub(super) fn percent(part: f64) -> String {
    let percent = 100.0 * part;
    match percent {
        10.0.. => format!("{percent:.0} %"),
        0.1.. => format!("{percent:.1} %"),
        _ => format!("{percent:.1e} %"),
    }
}

/// The diagnostic of a claim that is not the minimiser.
pub(super) fn wrong(trial: &Trial, plan: &AdmmPlan, claimed: &Compiled, right: &[f64]) -> Diag {
    let Trial { model, split, claim, component, .. } = trial;
    let name = &model.vars[claim.target.index()].name;
    let player = &model.players[split.player.index()];
    let equations = player.constraints.iter().filter(|c| matches!(c.relation, Relation::Zero(_))).count();
    let (rho, plain) = spelt(claim.value, equations);
    let say = symbolic::Script { model, player: split.player, file: false, rho: "ρ", plain };
    let write = symbolic::Script { file: true, rho, ..say };
    let at = at_most(right);
    // A ρ that never moves from where the update is right is no trouble to this run.
    let stays = claim.runs && plan.settings.adapt == Adapt::Fixed && trial.right_at(claimed, plan.rho) == Some(true);
    let message = match stays {
        true => format!(
            "the stated update of `{name}` is the minimiser of its step at ρ = {}, where ρ stays, and not at every ρ",
            plan.rho
        ),
        false => format!("{} of `{name}` is not the minimiser of its step{}", claim.words(), unless(right)),
    };
    let severity = match (claim.runs, stays) {
        (false, _) => Severity::Error,
        (true, false) => Severity::Warning,
        (true, true) => Severity::Note,
    };
    let mut diag =
        Diag::new(Code::WrongClaim, claim.value.span, message).severity(severity).here(match right.is_empty() {
            true => "not the minimiser".to_string(),
            false => format!("right {at}"),
        });
    let gradient = trial.gradient();
    if let Some(gradient) = &gradient
        && let Some(stated) = symbolic::read(model, claim.value)
    {
        let left = gradient.at(&stated);
        if !left.is_zero()
            && trial.agrees(claimed, &left)
            && let (Some(left), Some(missed)) = (say.text(&left), say.text(&gradient.missed(&left)))
        {
            let what = if claim.runs { "the stated update" } else { "the claim" };
            diag = diag
                .certify(format!("substituted into the gradient of the step's problem it leaves {left}, not 0"))
                .certify(format!("the minimiser less {what} is {missed}"));
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
    let replaced = radius::Replaced { of: Target::Var(claim.target), by: claimed };
    if let Some(line) = radius::line(model, split, plan, &replaced) {
        diag = diag.certify(line);
    }
    diag = diag.certify(format!("derived: {}", derived(trial, plan)));
    for (_, coupling) in split.couplings_of(&component.vars) {
        let rows = player.constraints[coupling.constraint.index()].relation.expr();
        diag = diag.label(coupling.span, format!("λ multiplies {}", model.unicode(rows)));
    }
    let mut help = "ADMM ends at a solution only if each step is the minimiser; with another update it ends elsewhere, or not at all. ".to_owned();
    if claim.runs {
        help += "The run takes it as it stands, and its end says what it leaves. ";
    }
    help += &match reading(trial) {
        Some(Reading::Negated) => {
            "It is right for a λ of the other sign: here λ is that of f + g + ⟨λ, …⟩, updated by λ + ρ·(…); write -λ for it".to_string()
        }
        Some(Reading::Scaled) => {
            format!("It is right for a scaled multiplier, u = λ/ρ, as some papers have it: here λ is not scaled; write λ/{rho} for it")
        }
        _ => "Compare its source with the derived update, and the constraint's sign with it".to_string(),
    };
    diag = diag.help(help);
    // What a note is about is left as it is written: `check --fix` mends what is wrong.
    if severity > Severity::Note
        && let Some(text) = gradient.and_then(|gradient| {
            let minimiser = gradient.minimiser();
            let fits = claim.value.shape.is_scalar() || minimiser.has_tensor(model);
            fits.then(|| write.text(&minimiser)).flatten()
        })
    {
        diag = diag.fix(format!("write `{text}`"), claim.value.span, text);
    }
    diag
}

/// How a claim spells ρ, and whether it writes λ for the multiplier: `dual(label)` is longer.
pub(super) fn spelt(value: &Expr, equations: usize) -> (&'static str, bool) {
    let (mut rho, mut plain) = ("ρ", None);
    spelling(value, &mut |leaf, len| match leaf {
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
        let claimed = point::claimed(trial.model, trial.claim.value, *reading);
        trial.right(&claimed).is_ok_and(|right| right.len() == RHOS.len())
    };
    [Reading::Negated, Reading::Scaled].into_iter().find(|reading| named && right(reading))
}

/// The update that the plan derives for the claim's variable.
fn derived(trial: &Trial, plan: &AdmmPlan) -> String {
    let at = plan.steps().position(|step| step.component.vars.contains(&trial.claim.target));
    // What the rule takes, whether it runs or not.
    let mut plan = plan.clone();
    plan.x.iter_mut().chain(&mut plan.z).for_each(|step| step.given = None);
    let updates = update::updates(trial.model, trial.split, &plan, Script::Unicode);
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
