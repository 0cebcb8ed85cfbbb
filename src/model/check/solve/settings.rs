//! The settings of a method: read one by one, each checked; what is left over is unknown.

use crate::diag::{Code, Diag, closest};
use crate::model::check::Checker;
use crate::model::check::meaning::Scope;
use crate::model::check::names::suggest;
use crate::source::Span;
use crate::syntax::ast::{self, Ident, Setting};
use crate::tape::Dtype;

/// What is said about a whole solve, whatever its method.
#[derive(Debug, Clone, Copy)]
pub(super) struct General {
    pub precision: Option<Dtype>,
    pub stable: bool,
}

impl Default for General {
    fn default() -> General {
        General { precision: None, stable: true }
    }
}

/// Settings not read yet.
pub(super) struct Settings<'a> {
    pub method: &'a Ident,
    written: &'a [Setting],
    taken: Vec<&'static str>,
}

/// Settings that parse and are not executed yet.
const LATER: &[&str] = &["restart", "batch", "scale"];

const ADMM: &[&str] = &[
    "rho",
    "kappa",
    "relax",
    "tol",
    "iterations",
    "x_step",
    "z_step",
    "adapt",
    "adapt_every",
    "restart",
    "accelerate",
];
const GRADIENT: &[&str] = &["rate", "momentum", "iterations", "tol", "fresh"];
const ADAM: &[&str] = &["rate", "beta1", "beta2", "epsilon", "iterations", "tol", "fresh"];
const LBFGS: &[&str] = &["memory", "iterations", "tol", "fresh"];
const NEWTON: &[&str] = &["iterations", "tol"];

impl<'a> Settings<'a> {
    pub fn new(method: &'a Ident, written: &'a [Setting]) -> Settings<'a> {
        Settings { method, written, taken: Vec::new() }
    }

    /// The value of a setting, where it is written.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a ast::Expr> {
        self.taken.push(name);
        self.written.iter().find(|setting| setting.name.key == name).map(|setting| &setting.value)
    }

    /// Where a setting is written, name and value.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        let setting = self.written.iter().find(|setting| setting.name.key == name)?;
        Some(setting.name.span.to(setting.value.span))
    }

    /// `precision` and `losses`
    pub fn general(&mut self, checker: &mut Checker<'a>) -> General {
        let mut general = General::default();
        for name in ["precision", "losses"] {
            if let Some(value) = self.take(name) {
                checker.general(name, value, &mut general);
            }
        }
        general
    }

    /// Reports what is left: written twice, not executed yet, or unknown.
    pub fn finish(self, checker: &mut Checker<'a>, whole: bool) {
        let known: Vec<&'static str> = match self.method.key.as_str() {
            "admm" => ADMM,
            "adam" => ADAM,
            "lbfgs" => LBFGS,
            "newton" => NEWTON,
            _ => GRADIENT,
        }
        .iter()
        .copied()
        .chain(if whole { &["precision", "losses"][..] } else { &[] }.iter().copied())
        .collect();
        for (at, setting) in self.written.iter().enumerate() {
            let name = &setting.name;
            if let Some(first) = self.written[..at].iter().find(|other| other.name.key == name.key) {
                checker.report(
                    Diag::new(Code::DuplicateName, name.span, format!("`{}` is set twice", name.text))
                        .label(first.name.span, "first here"),
                );
            } else if LATER.contains(&name.key.as_str()) {
                checker.report(
                    Diag::new(Code::NotYet, name.span, format!("`{}` parses but is not executed yet", name.text))
                        .help("take it out, and the method runs without"),
                );
            } else if !self.taken.contains(&name.key.as_str()) {
                let diag = Diag::new(
                    Code::UnknownName,
                    name.span,
                    format!("`{}` has no setting `{}`", self.method.text, name.text),
                );
                let near = closest(&name.text, known.iter().copied()).map(str::to_owned);
                let names: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let help = format!("it has {}", names.join(", "));
                checker.report(suggest(diag, name.span, near, &help));
            }
        }
    }
}

/// A range of numbers, for messages.
pub(super) struct Allowed {
    least: f64,
    most: f64,
    /// Whether `least` itself is allowed.
    closed: bool,
    words: &'static str,
}

pub(super) const POSITIVE: Allowed = Allowed { least: 0.0, most: f64::INFINITY, closed: false, words: "above 0" };
pub(super) const RELAX: Allowed = Allowed { least: 1.0, most: 1.95, closed: true, words: "from 1 to 1.95" };
pub(super) const FRACTION: Allowed =
    Allowed { least: 0.0, most: 0.999_999_999, closed: true, words: "from 0 to below 1" };

impl<'a> Checker<'a> {
    /// `precision = f32`, `losses = literal`
    pub(super) fn general(&mut self, name: &str, value: &'a ast::Expr, general: &mut General) -> Option<()> {
        let word = match &value.bare().kind {
            ast::ExprKind::Name(word) => word.key.as_str(),
            _ => "",
        };
        match (name, word) {
            ("precision", "f32") => general.precision = Some(Dtype::F32),
            ("precision", "f64") => general.precision = Some(Dtype::F64),
            ("losses", "stable") => general.stable = true,
            ("losses", "literal") => general.stable = false,
            _ => {
                let text = self.text(value.span);
                let options: [&str; 2] = if name == "precision" { ["f32", "f64"] } else { ["stable", "literal"] };
                let near = closest(word, options).map(str::to_owned);
                let diag = Diag::new(Code::WrongKind, value.span, format!("`{name} = {text}` has no meaning"));
                let help = format!("`{name}` is `{}` or `{}`", options[0], options[1]);
                return self.fail(suggest(diag, value.span, near, &help));
            }
        }
        Some(())
    }

    pub(super) fn setting(
        &mut self,
        settings: &mut Settings<'a>,
        name: &'static str,
        default: f64,
        allowed: &Allowed,
        scope: &Scope,
    ) -> Option<f64> {
        match settings.take(name) {
            Some(value) => self.in_range(value, name, allowed, scope),
            None => Some(default),
        }
    }

    pub(super) fn optional(
        &mut self,
        settings: &mut Settings<'a>,
        name: &'static str,
        allowed: &Allowed,
        scope: &Scope,
    ) -> Option<Option<f64>> {
        match settings.take(name) {
            Some(value) if self.word(value, scope) == Some("none") => Some(None),
            Some(value) => self.in_range(value, name, allowed, scope).map(Some),
            None => Some(None),
        }
    }

    pub(super) fn times(
        &mut self,
        settings: &mut Settings<'a>,
        name: &'static str,
        default: usize,
        scope: &Scope,
    ) -> Option<usize> {
        match settings.take(name) {
            Some(value) => self.count(value, scope, 1, name),
            None => Some(default),
        }
    }

    pub(super) fn flag(&mut self, value: &'a ast::Expr, scope: &Scope) -> Option<bool> {
        match self.word(value, scope) {
            Some("true" | "yes") => Some(true),
            Some("false" | "no") => Some(false),
            _ => {
                let text = self.text(value.span);
                self.fail(Diag::new(Code::WrongKind, value.span, format!("`{text}` is neither `true` nor `false`")))
            }
        }
    }

    /// A word that is nobody's name.
    pub(super) fn word(&self, value: &'a ast::Expr, scope: &Scope) -> Option<&'a str> {
        match &value.bare().kind {
            ast::ExprKind::Name(name) if self.find(&name.key, scope).is_none() => Some(name.key.as_str()),
            _ => None,
        }
    }

    pub(super) fn in_range(
        &mut self,
        value: &'a ast::Expr,
        name: &str,
        allowed: &Allowed,
        scope: &Scope,
    ) -> Option<f64> {
        if let Some(word) = self.word(value, scope) {
            let diag = Diag::new(
                Code::WrongKind,
                value.span,
                format!("`{name} = {word}`: a number {} is needed here", allowed.words),
            );
            return self.fail(diag);
        }
        let number = self.known_number(value, scope)?;
        let low = if allowed.closed { number >= allowed.least } else { number > allowed.least };
        if low && number <= allowed.most && number.is_finite() {
            return Some(number);
        }
        let shown = self.text(value.span);
        let is = if shown == number.to_string() { String::new() } else { format!(", which is {number},") };
        self.fail(
            Diag::new(Code::WrongArguments, value.span, format!("`{name} = {shown}`{is} is out of range"))
                .here(allowed.words)
                .help(match name {
                    "relax" => {
                        "over-relaxation beyond 1.95 is not known to converge; 1.6 is usual, 1 is the plain method"
                            .to_owned()
                    }
                    "rho" | "kappa" => {
                        "the penalty must be above 0 for the constraint to matter; `auto` chooses one".to_owned()
                    }
                    "tol" => "a tolerance above 0 stops the run when it is met; 1e-6 is usual".to_owned(),
                    _ => format!("`{name}` is {}", allowed.words),
                }),
        )
    }

    pub(super) fn later<T>(&mut self, value: &ast::Expr, what: &str) -> Option<T> {
        self.fail(
            Diag::new(Code::NotYet, value.span, format!("{what} parses but is not executed yet"))
                .help("take it out, and the method chooses for itself"),
        )
    }
}
