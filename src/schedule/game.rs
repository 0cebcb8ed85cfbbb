//! A game's program: epochs, batches, methods in turn, what is tracked and drawn.
//!
//! A batch is drawn once a pass of `each batch` and shared by every method inside; outside of one,
//! each iteration of a method draws what it reads. A sample that a track or a picture reads is drawn
//! for it.

use super::admm::Iteration;
use super::coder::{Coder, as_is};
use super::descent::{self, Unsplit};
use super::ir::{Due, LoopStmt, LoopUnit, RecordStmt, SaveStmt, StateId, Stmt};
use super::{adapt, noise, sample};
use crate::model::ir::{Expr, PlayerId, SampleId, Step, StepKind, Unit, When};
use crate::steps::ir::{AdmmPlan, MethodPlan, Plan};
use crate::tape::{Dtype, Type};

/// Writes the statements of a game.
pub(super) fn body<'a>(coder: &mut Coder<'a>, steps: &[Step], plan: &'a Plan) -> Vec<Stmt> {
    let mut game = Game { coder, plan, next: 0, tracks: 0 };
    game.steps(steps, &Around { epochs_of: None, in_batch: false })
}

/// The loops around a statement.
#[derive(Clone, Copy)]
struct Around {
    epochs_of: Option<SampleId>,
    in_batch: bool,
}

struct Game<'g, 'a> {
    coder: &'g mut Coder<'a>,
    plan: &'a Plan,
    /// The next method of the plan, which lists them in source order.
    next: usize,
    /// Tracks and pictures so far: their states are told apart by number.
    tracks: usize,
}

impl<'a> Game<'_, 'a> {
    fn steps(&mut self, steps: &[Step], around: &Around) -> Vec<Stmt> {
        let mut body = Vec::new();
        let mut at = 0;
        while at < steps.len() {
            // Tracks that are due together make one row.
            if let Some((when, _)) = as_track(&steps[at]) {
                let together =
                    steps[at..].iter().take_while(|step| as_track(step).is_some_and(|(w, _)| w == when)).count();
                let tracks: Vec<(&String, &Expr)> =
                    steps[at..at + together].iter().filter_map(|step| as_track(step).map(|(_, track)| track)).collect();
                let statements = self.record(&tracks);
                match when {
                    Some(when) => body.push(Stmt::When { when: due(when), body: statements }),
                    None => body.extend(statements),
                }
                at += together;
                continue;
            }
            body.extend(self.step(&steps[at], around));
            at += 1;
        }
        body
    }

    fn step(&mut self, step: &Step, around: &Around) -> Vec<Stmt> {
        match &step.kind {
            StepKind::Epochs { count, sample, body } => {
                let body = self.steps(body, &Around { epochs_of: Some(*sample), ..*around });
                vec![Stmt::Loop(LoopStmt { count: *count, unit: LoopUnit::Epoch, body })]
            }
            StepKind::Times { count, body } => {
                let body = self.steps(body, around);
                vec![Stmt::Loop(LoopStmt { count: *count, unit: LoopUnit::Step, body })]
            }
            StepKind::EachBatch { body: inner } => {
                let mut exprs = Vec::new();
                self.method_terms(inner, &mut exprs);
                let mut samples = sample::redrawn(self.coder, &exprs);
                let count = match around.epochs_of {
                    Some(id) => {
                        if !samples.contains(&id) {
                            samples.push(id);
                        }
                        sample::batches(self.coder, id)
                    }
                    None => 1,
                };
                let mut body = sample::draws(self.coder, &samples);
                body.extend(self.steps(inner, &Around { in_batch: true, ..*around }));
                vec![Stmt::Loop(LoopStmt { count, unit: LoopUnit::Batch, body })]
            }
            StepKind::Method { .. } => {
                let method = &self.plan.methods[self.next];
                self.next += 1;
                match method {
                    MethodPlan::Admm(plan) => self.admm(plan, around),
                    MethodPlan::Descent { player, descent } => {
                        let split = &self.coder.split.players[player.index()];
                        descent::in_game(self.coder, split, descent, !around.in_batch)
                    }
                }
            }
            StepKind::Restart { player } => {
                let split = &self.coder.split.players[player.index()];
                match &split.whole {
                    Ok(_) => {
                        let unsplit = Unsplit::new(split);
                        let mut body: Vec<Stmt> = unsplit.gather(self.coder).into_iter().collect();
                        body.extend(unsplit.scatter(self.coder));
                        body.extend(unsplit.reset_multipliers(self.coder));
                        body
                    }
                    Err(_) => Vec::new(),
                }
            }
            StepKind::Track { name, value } => self.record(&[(name, value)]),
            StepKind::SaveImages { value, rows, columns, name } => {
                let (mut body, images) = self.value(value, Dtype::F32);
                body.push(Stmt::Save(SaveStmt { name: name.clone(), images, rows: *rows, columns: *columns }));
                body
            }
            StepKind::When { when, body } => {
                let body = self.steps(std::slice::from_ref(body), around);
                vec![Stmt::When { when: due(when), body }]
            }
        }
    }

    fn admm(&mut self, plan: &'a AdmmPlan, around: &Around) -> Vec<Stmt> {
        let split = &self.coder.split.players[plan.player.index()];
        let mut it = Iteration::new(self.coder, split, plan);
        let mut body = Vec::new();
        if !around.in_batch {
            let exprs = terms(self.coder, plan.player);
            let samples = sample::redrawn(self.coder, &exprs);
            body.extend(sample::draws(self.coder, &samples));
        }
        body.extend(it.body(self.coder));
        body.extend(adapt::statements(&it, self.coder, false));
        match plan.settings.iterations {
            1 if around.in_batch => body,
            count => vec![Stmt::Loop(LoopStmt { count, unit: LoopUnit::Iteration, body })],
        }
    }

    /// The terms of every player that has a method in these statements.
    fn method_terms(&self, steps: &[Step], exprs: &mut Vec<Expr>) {
        for step in steps {
            match &step.kind {
                StepKind::Epochs { body, .. } | StepKind::Times { body, .. } | StepKind::EachBatch { body } => {
                    self.method_terms(body, exprs);
                }
                StepKind::When { body, .. } => self.method_terms(std::slice::from_ref(body), exprs),
                StepKind::Method { player, .. } => exprs.extend(terms(self.coder, *player)),
                StepKind::Restart { .. } | StepKind::Track { .. } | StepKind::SaveImages { .. } => {}
            }
        }
    }

    /// One row: the tracked values, and of every split player ρ and how much of λ is noise.
    fn record(&mut self, tracks: &[(&String, &Expr)]) -> Vec<Stmt> {
        let mut body = Vec::new();
        let mut values = Vec::new();
        for (name, expr) in tracks {
            // Metrics are small and judged by their digits: they are computed in doubles.
            let (statements, state) = self.value(expr, Dtype::F64);
            body.extend(statements);
            values.push(((*name).clone(), state));
        }
        for method in &self.plan.methods {
            if let MethodPlan::Admm(plan) = method {
                let name = self.coder.prefixed(plan.player.index(), "ρ");
                let rho = Some(self.coder.scalar(&name, plan.rho));
                let noise = noise::shown(self.coder, plan);
                for (name, state) in [("rho", rho), (noise::NAME, noise)] {
                    let Some(state) = state else { continue };
                    if !values.iter().any(|(_, known)| *known == state) {
                        let column = match &self.coder.model.players[plan.player.index()].name {
                            Some(player) => format!("{name}.{player}"),
                            None => name.to_string(),
                        };
                        values.push((column, state));
                    }
                }
            }
        }
        body.push(Stmt::Record(RecordStmt { values }));
        body
    }

    /// Statements that evaluate an expression into a state of its own.
    fn value(&mut self, expr: &Expr, dtype: Dtype) -> (Vec<Stmt>, StateId) {
        self.tracks += 1;
        let samples = sample::redrawn(self.coder, [expr]);
        let mut body = sample::draws(self.coder, &samples);
        let ty = Type { dtype, shape: expr.shape.clone() };
        let name = format!("shown {}", self.tracks);
        let state = self.coder.state(&name, ty, None, super::ir::Start::Zeros);
        let mut draft = self.coder.draft("show");
        let (values, _) = self.coder.lower(&mut draft, std::slice::from_ref(expr), dtype, &mut as_is);
        draft.write(self.coder, state, values[0]);
        body.push(self.coder.call(draft, None, "record"));
        (body, state)
    }
}

fn terms(coder: &Coder, player: PlayerId) -> Vec<Expr> {
    coder.model.players[player.index()].terms.iter().map(|term| term.expr.clone()).collect()
}

/// A track, bare or due.
fn as_track(step: &Step) -> Option<(Option<&When>, (&String, &Expr))> {
    match &step.kind {
        StepKind::Track { name, value } => Some((None, (name, value))),
        StepKind::When { when, body } => match &body.kind {
            StepKind::Track { name, value } => Some((Some(when), (name, value))),
            _ => None,
        },
        _ => None,
    }
}

fn due(when: &When) -> Due {
    let unit = |unit: &Unit| match unit {
        Unit::Epochs => LoopUnit::Epoch,
        Unit::Iterations => LoopUnit::Iteration,
    };
    match when {
        When::Every { count, unit: of } => Due::Every(*count, unit(of)),
        When::At { points, unit: of } => Due::At(points.clone(), unit(of)),
    }
}
