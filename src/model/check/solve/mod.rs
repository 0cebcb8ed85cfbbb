//! `solve` blocks: methods with their settings, and the program of a game.

mod game;
mod methods;
mod settings;

use super::Checker;
use super::meaning::Scope;
use super::names::suggest;
use crate::diag::{Code, Diag, closest};
use crate::model::ir::{Adapt, Admm, Method, PlayerId, Rho, Solve, SolveBody, Step, StepKind, VarKind};
use crate::source::Span;
use crate::syntax::ast::{self, Ast, Ident, ItemKind};
use crate::tape::Dtype;
use settings::Settings;

/// Methods by name, those of inner steps included.
const METHODS: &[&str] = &["admm", "gd", "sgd", "adam", "lbfgs", "newton"];

/// Iterations of a method on a whole problem: of one with networks, whose every iteration is a pass over
/// the data, and of one without.
const ITERATIONS: [usize; 2] = [1000, 10_000];

impl<'a> Checker<'a> {
    /// All `solve` blocks, or the default one.
    pub(super) fn solves(&mut self, asts: &'a [Ast]) {
        let mut written = false;
        let mut names: Vec<(String, Span)> = Vec::new();
        for item in asts.iter().flat_map(|ast| &ast.items) {
            let ItemKind::Solve { name, method, body } = &item.kind else { continue };
            written = true;
            let called = name.as_ref().unwrap_or(method);
            if let Some((_, first)) = names.iter().find(|(other, _)| *other == called.key) {
                let first = *first;
                self.report(
                    Diag::new(
                        Code::DuplicateName,
                        called.span,
                        format!("two `solve` blocks are called `{}`", called.text),
                    )
                    .label(first, "the first")
                    .help(format!("name one: `solve again as {} {{ … }}`", method.text)),
                );
            }
            names.push((called.key.clone(), called.span));
            if let Some(solve) = self.solve(called, method, body, item.span) {
                self.model.solves.push(solve);
            }
        }
        if !written {
            self.default_solve();
        }
    }

    fn solve(&mut self, called: &'a Ident, method: &'a Ident, body: &'a ast::SolveBody, span: Span) -> Option<Solve> {
        let game = self.model.players.iter().any(|player| player.name.is_some());
        let networks = self.networks();
        let (body, precision, stable) = match body {
            ast::SolveBody::Game(steps) => {
                if !game {
                    return self.fail(
                        Diag::new(Code::WrongKind, method.span, "this problem has no players, so it is no game")
                            .help("write `solve admm { … }`, or give the problem to `player` blocks"),
                    );
                }
                let scope = Scope::default();
                let mut general = settings::General::default();
                let steps = self.steps(steps, &scope, &mut general)?;
                (SolveBody::Game(steps), general.precision.unwrap_or(Dtype::F32), general.stable)
            }
            ast::SolveBody::Options(settings) => {
                if !METHODS.contains(&method.key.as_str()) {
                    return self.no_method(method);
                }
                if game {
                    return self.fail(
                        Diag::new(
                            Code::WrongKind,
                            method.span,
                            format!("`{}` solves one problem; this file is a game of players", method.text),
                        )
                        .help("write `solve play as game { … }`, with a method for each player inside"),
                    );
                }
                let scope = self.top();
                let mut settings = Settings::new(method, settings);
                let general = settings.general(self);
                let precision = general.precision.unwrap_or(Dtype::F64);
                let defaults = Defaults { iterations: ITERATIONS[usize::from(!networks)], whole: true, precision };
                let method = self.method(&mut settings, defaults, &scope);
                settings.finish(self, true);
                (SolveBody::Method(method?), precision, general.stable)
            }
        };
        Some(Solve { name: called.text.clone(), span, precision, stable, body })
    }

    fn no_method<T>(&mut self, method: &Ident) -> Option<T> {
        let near = closest(&method.text, METHODS.iter().copied().chain(["game"])).map(str::to_owned);
        let diag = Diag::new(Code::UnknownName, method.span, format!("there is no method `{}`", method.text));
        self.fail(suggest(
            diag,
            method.span,
            near,
            "there are `admm`, `gd`, `sgd`, `adam`, `lbfgs`, `newton`, and `game` for players",
        ))
    }

    /// Whether a network's parameters are among the variables, whose every iteration is a pass over data.
    fn networks(&self) -> bool {
        self.model.vars.iter().any(|var| matches!(var.kind, VarKind::Params(_)))
    }

    /// What is done where nothing is said: the split iteration; in a game, one of each player in turn.
    fn default_solve(&mut self) {
        let networks = self.networks();
        let span = self.model.players.first().map_or(Span::default(), |player| player.span);
        let admm = |whole: bool, iterations: usize| {
            Method::Admm(Admm {
                rho: Rho::Auto,
                rho_at: Span::default(),
                relax: None,
                tol: whole.then_some(1e-6),
                iterations,
                x_step: None,
                z_step: None,
                adapt: Adapt::Balanced,
                adapt_every: 1,
                accelerate: methods::ACCELERATE,
            })
        };
        let players = self.model.players.iter().enumerate().filter(|(_, player)| player.name.is_some());
        let turns: Vec<Step> = players
            .map(|(at, player)| {
                let method = if player.constraints.is_empty() { methods::adam(1) } else { admm(false, 1) };
                Step { kind: StepKind::Method { player: PlayerId(at as u32), method }, span: player.span }
            })
            .collect();
        let (name, precision, body) = if turns.is_empty() {
            ("admm", Dtype::F64, SolveBody::Method(admm(true, ITERATIONS[usize::from(!networks)])))
        } else {
            let kind = StepKind::Times { count: ITERATIONS[0], body: turns };
            ("play", Dtype::F32, SolveBody::Game(vec![Step { kind, span }]))
        };
        self.model.solves.push(Solve { name: name.to_owned(), span, precision, stable: true, body });
    }
}

/// What settings are where they are not written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    pub iterations: usize,
    /// Whether it is the whole solve, with a tolerance, and not a turn of a game.
    pub whole: bool,
    pub precision: Dtype,
}
