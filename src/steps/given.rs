//! `z_step = given(…)`: the update that a solve block states runs in the place of the derived one.
//!
//! ```text
//! v⁺ = c(v, x, λ, ρ)          and not   argmin_v h(v) + ⟨λ, r(v)⟩ + (ρ/2)‖r(v)‖²
//! ```
//!
//! The rule is chosen all the same: it says what the stated update leaves of the step's problem, iteration by
//! iteration and in the answer, so that a run which ends elsewhere never counts as solved.

use super::ir::Step;
use crate::diag::{Code, Diag, Diags};
use crate::model::Model;
use crate::model::ir::{ConstraintId, Expr, Leaf, Relation};
use crate::split::ir::PlayerSplit;
use crate::tape::Shape;

/// Puts a stated update into the step of a block; `option` is how the solve block names it. None where it can't be
/// run, with the reason in `diags`.
pub(super) fn put(
    model: &Model,
    split: &PlayerSplit,
    (option, value): (&str, &Expr),
    steps: &mut [Step],
    diags: &mut Diags,
) -> Option<()> {
    match refused(model, split, (option, value), steps) {
        Some(diag) => {
            diags.push(diag);
            None
        }
        None => {
            steps.iter_mut().for_each(|step| step.given = Some(value.clone()));
            Some(())
        }
    }
}

fn refused(model: &Model, split: &PlayerSplit, (option, value): (&str, &Expr), steps: &[Step]) -> Option<Diag> {
    let player = &model.players[split.player.index()];
    let block = option.trim_end_matches("_step");
    if !split.is_split() || player.written.is_some() {
        let why = match player.written {
            Some(_) => "the compiler has split the problem anew, and its blocks hold variables of its own",
            None => "there is one step, and no block to state the update of",
        };
        return Some(
            Diag::new(Code::NoStepRule, value.span, format!("`{option}` states an update, and no step is left as written"))
                .here("the update of no step")
                .certify(why)
                .help("a stated update is that of a variable in a split that the file writes and whose every step has a rule: give each function and set a variable of its own, tied by an equation such as `x - z = 0`"),
        );
    }
    let not_yet = |what: String, help: &str| {
        Some(
            Diag::new(Code::NotYet, value.span, format!("{what}, and a stated update is that of one, for now"))
                .here("one update")
                .help(help.to_string()),
        )
    };
    let [step] = steps else {
        return not_yet(
            format!("block {block} takes {} steps", steps.len()),
            "leave the update to the compiler, or hold it against the derived one by a `claim`",
        );
    };
    let names: Vec<String> =
        step.component.vars.iter().map(|var| format!("`{}`", model.vars[var.index()].name)).collect();
    let &[var] = &step.component.vars[..] else {
        return not_yet(
            format!("{} take one step together", names.join(" and ")),
            "leave the update to the compiler, which takes them together",
        );
    };
    if step.component.over.is_some() {
        return not_yet(format!("{} is a family", names[0]), "leave the update to the compiler, member by member");
    }
    if step.rule.keeps_equations() {
        return not_yet(
            format!("equations on {} are part of its step", names[0]),
            "leave the update to the compiler, which keeps to the equations",
        );
    }
    let mut sampled = None;
    value.leaves(&mut |leaf| {
        if let Leaf::Sample(id, ..) = leaf {
            sampled = Some(id);
        }
    });
    if let Some(id) = sampled {
        let sample = &model.samples[id.index()];
        return Some(
            Diag::new(Code::NotYet, value.span, "a stated update that reads a batch is not executed yet")
                .label(sample.span, "drawn by the run")
                .help("name an inner method, such as `gradient(rate = 0.1)`, which reads it through the objective"),
        );
    }
    let target = &model.vars[var.index()];
    if value.shape != target.shape {
        return Some(
            Diag::new(
                Code::ShapeMismatch,
                value.span,
                format!("{} is {}, and its stated update {}", names[0], words(&target.shape), words(&value.shape)),
            )
            .here(words(&value.shape))
            .label(target.span, words(&target.shape))
            .help("an update gives the variable itself: every operand has its shape or is a number"),
        );
    }
    let id = stray(split, value)?;
    let constraint = &player.constraints[id.index()];
    Some(
        Diag::new(
            Code::WrongKind,
            value.span,
            format!("`{}` ties no two blocks, so the step has no multiplier of it", constraint.name(id)),
        )
        .here("reads it")
        .label(
            constraint.span,
            if matches!(constraint.relation, Relation::Zero(_)) { "in one block" } else { "no equation" },
        )
        .help("λ is the multiplier of an equation that ties the blocks; write `dual(label)` of one"),
    )
}

fn words(shape: &Shape) -> String {
    if shape.is_scalar() { "a number".to_owned() } else { format!("of shape {shape}") }
}

/// A constraint whose multiplier an update reads, where it is none of the couplings.
pub(super) fn stray(split: &PlayerSplit, value: &Expr) -> Option<ConstraintId> {
    let mut stray = None;
    value.leaves(&mut |leaf| match leaf {
        Leaf::Dual(of, id, _)
            if of == split.player && split.couplings.iter().all(|coupling| coupling.constraint != id) =>
        {
            stray = Some(id);
        }
        _ => {}
    });
    stray
}
