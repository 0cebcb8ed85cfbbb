//! Heads and lines of `player` and `solve` blocks.

use super::{Build, Children, Pair};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::grammar::Rule;

/// A line of a game that opens a block, all but the block.
pub struct Opening {
    /// What it opens.
    pub kind: OpeningKind,
    /// `every 10 epochs`, … before it, outermost first.
    pub whens: Vec<(When, Span)>,
    /// Where it begins.
    pub span: Span,
}

/// What a line of a game may open.
pub enum OpeningKind {
    /// `repeat 250 epochs of digit`
    RepeatEpochs { count: Expr, sample: Expr },
    /// `repeat 10 times`
    RepeatTimes { count: Expr },
    /// `each batch`
    EachBatch,
    /// `admm discriminator`
    Method { method: Ident, player: Ident },
}

/// A step that is due at times only, wrapped in the words that say when.
pub fn wrap(whens: Vec<(When, Span)>, step: Step) -> Step {
    whens.into_iter().rev().fold(step, |inner, (when, span)| {
        let span = span.to(inner.span);
        Step { kind: StepKind::When { when, body: Box::new(inner) }, span }
    })
}

impl Build<'_> {
    /// `player_head`
    pub fn player_head(&mut self, pair: Pair<'_>) -> Ident {
        self.ident(&Children::of(pair).expect())
    }

    /// `solve_head`: the name, if any, and the method.
    pub fn solve_head(&mut self, pair: Pair<'_>) -> (Option<Ident>, Ident) {
        let mut children = Children::of(pair);
        let first = self.ident(&children.expect());
        match children.next() {
            Some(method) => (Some(first), self.ident(&method)),
            None => (None, first),
        }
    }

    /// `settings`
    pub fn settings(&mut self, pair: Pair<'_>) -> Vec<Setting> {
        Children::of(pair).map(|setting| self.setting(setting)).collect()
    }

    /// `steps`
    pub fn steps(&mut self, pair: Pair<'_>) -> Vec<Step> {
        Children::of(pair).map(|step| self.step(step)).collect()
    }

    /// `step_head`: the steps before it on its line, and what it opens.
    pub fn step_head(&mut self, pair: Pair<'_>) -> (Vec<Step>, Opening) {
        let mut children = Children::of(pair);
        let mut steps = Vec::new();
        while let Some(step) = children.optional(Rule::step) {
            steps.push(self.step(step));
        }
        (steps, self.opening(children.expect()))
    }

    fn setting(&mut self, pair: Pair<'_>) -> Setting {
        let mut children = Children::of(pair);
        let name = self.ident(&children.expect());
        Setting { name, value: self.expr(children.expect()) }
    }

    fn step(&mut self, pair: Pair<'_>) -> Step {
        let mut children = Children::of(pair);
        let whens = self.whens(&mut children);
        let pair = children.expect();
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let kind = if rule == Rule::setting {
            StepKind::Setting(self.setting(pair))
        } else {
            let mut children = Children::of(pair);
            match rule {
                Rule::restart => StepKind::Restart { player: self.ident(&children.expect()) },
                Rule::track => self.track(children, span),
                _ => {
                    let value = self.expr(children.expect());
                    let grid = self.expr(children.expect());
                    StepKind::SaveImages { value, grid, name: self.text(&children.expect()) }
                }
            }
        };
        wrap(whens, Step { kind, span })
    }

    /// `track loss = …`; `track frechet(…)` takes its function's name.
    fn track(&mut self, mut children: Children<'_>, span: Span) -> StepKind {
        let name = children.optional(Rule::name).map(|name| self.ident(&name));
        let value = self.expr(children.expect());
        let name = name.or_else(|| match &value.kind {
            ExprKind::Call { callee, .. } => Some(callee.clone()),
            ExprKind::Name(name) => Some(name.clone()),
            _ => None,
        });
        match name {
            Some(name) => StepKind::Track { name, value },
            None => {
                self.error(span, "what is tracked needs a name".into(), "write `track loss = …`");
                StepKind::Track { name: Ident { text: String::new(), key: String::new(), span }, value }
            }
        }
    }

    fn whens(&mut self, children: &mut Children<'_>) -> Vec<(When, Span)> {
        let mut whens = Vec::new();
        while let Some(when) = children.optional(Rule::every).or_else(|| children.optional(Rule::at)) {
            let span = self.span(&when);
            let rule = when.as_rule();
            let mut parts = Children::of(when);
            let first = parts.expect();
            let when = match (rule, first.as_rule()) {
                (Rule::at, _) => {
                    let unit = self.ident(&first);
                    When::At { points: parts.map(|point| self.expr(point)).collect(), unit }
                }
                (_, Rule::unit) => When::Every { count: None, unit: self.ident(&first) },
                _ => {
                    let count = Some(self.expr(first));
                    When::Every { count, unit: self.ident(&parts.expect()) }
                }
            };
            whens.push((when, span));
        }
        whens
    }

    fn opening(&mut self, pair: Pair<'_>) -> Opening {
        let span = self.span(&pair);
        let mut children = Children::of(pair);
        let whens = self.whens(&mut children);
        let pair = children.expect();
        let rule = pair.as_rule();
        let mut children = Children::of(pair);
        let kind = match rule {
            Rule::repeat_epochs => {
                let count = self.expr(children.expect());
                OpeningKind::RepeatEpochs { count, sample: self.expr(children.expect()) }
            }
            Rule::repeat_times => OpeningKind::RepeatTimes { count: self.expr(children.expect()) },
            Rule::each_batch => OpeningKind::EachBatch,
            _ => {
                let method = self.ident(&children.expect());
                OpeningKind::Method { method, player: self.ident(&children.expect()) }
            }
        };
        Opening { kind, whens, span }
    }
}
