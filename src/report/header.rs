//! The lines a run begins with: what is solved, by which blocks and steps.

use super::results::Origin;
use super::{Align, Look, Table, number};
use crate::model::Model;
use crate::model::ir::{Descent, DescentKind, PlayerId, Solve, VarKind};
use crate::steps::Plan;
use crate::steps::ir::{MethodPlan, Rule, Step};

/// A title and rows of two columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// The file and how it is solved: `lasso.admm · admm on cpu, seed 0`.
    pub title: String,
    /// What and how, a line each: (`minimize`, `fit + reg`), (`x`, `real[50], closed form`).
    pub rows: Vec<(String, String)>,
}

impl Header {
    /// What a compiled solve block is about to do.
    pub fn of(model: &Model, solve: &Solve, plan: &Plan, origin: &Origin) -> Header {
        let title =
            format!("{} · {} on {}, {}, seed {}", origin.file, solve.name, origin.device, solve.precision, origin.seed);
        let mut rows = Vec::new();
        for player in &model.players {
            let sense = if player.maximize { "maximize" } else { "minimize" };
            let head = player.name.as_ref().map_or(sense.to_owned(), |name| format!("{name}: {sense}"));
            let mut names: Vec<&str> = player.source().1.iter().map(|term| term.name.as_str()).collect();
            names.dedup();
            rows.push((head, names.join(" + ")));
        }
        for var in &model.vars {
            let family = var.family.map_or(String::new(), |count| format!("{count} of "));
            let kind = match var.kind {
                VarKind::Params(net) => format!("{} parameters of {}", var.shape.numel(), model.nets[net.index()].name),
                VarKind::Symmetric => format!("symmetric{}", var.shape),
                VarKind::Real => {
                    format!("real{}", if var.shape.is_scalar() { String::new() } else { var.shape.to_string() })
                }
            };
            rows.push((var.name.clone(), format!("{family}{kind}")));
        }
        for method in &plan.methods {
            let row = steps(model, method);
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        Header { title, rows }
    }

    /// As text, a line feed at the end of every line.
    pub fn render(&self, look: Look) -> String {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
        for (name, text) in &self.rows {
            table.row(["", name, text]);
        }
        format!("{}\n{}", look.paint(1, &self.title), table.render(look))
    }
}

/// One method in a line: `admm` and the step of each component.
fn steps(model: &Model, method: &MethodPlan) -> (String, String) {
    let named = |what: &str, player: PlayerId| match &model.players[player.index()].name {
        Some(name) => format!("{name}: {what}"),
        None => what.to_owned(),
    };
    match method {
        MethodPlan::Descent { player, descent } => (named("unsplit", *player), words(descent)),
        MethodPlan::Admm(plan) => {
            let step = |step: &Step| {
                let vars: Vec<&str> =
                    step.component.vars.iter().map(|var| model.vars[var.index()].name.as_str()).collect();
                let rule = match &step.rule {
                    _ if step.given.is_some() => "the update that is stated".to_owned(),
                    Rule::Quadratic { .. } | Rule::Prox(_) => "closed form".to_owned(),
                    Rule::Linearised(_) => "a linearised step".to_owned(),
                    Rule::Descent(descent) => words(descent),
                    Rule::Composite(it) => format!("{} and a proximal map", words(&it.descent)),
                };
                format!("{} by {rule}", vars.join(", "))
            };
            let steps: Vec<String> = plan.steps().map(step).collect();
            if plan.z.is_empty() {
                return (named("one step", plan.player), steps.join("; "));
            }
            (named("admm", plan.player), format!("{}; ρ = {}", steps.join("; "), number(plan.rho)))
        }
    }
}

fn words(descent: &Descent) -> String {
    match descent.kind {
        DescentKind::Gradient { .. } => format!("gradient steps at rate {}", number(descent.rate)),
        DescentKind::Adam { .. } => format!("Adam at rate {}", number(descent.rate)),
        DescentKind::Lbfgs { .. } => "L-BFGS".to_owned(),
        DescentKind::Newton => "Newton's method".to_owned(),
        DescentKind::Fista => "FISTA".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn names_in_one_column() {
        let row = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let header = Header {
            title: "lasso.admm · admm on cpu, seed 0".to_owned(),
            rows: vec![row("minimize", "fit + reg"), row("x", "real[50], quadratic: closed form")],
        };
        expect![[r"
            lasso.admm · admm on cpu, seed 0
              minimize  fit + reg
              x         real[50], quadratic: closed form
        "]]
        .assert_eq(&header.render(Look::default()));
    }
}
