//! Methods: the split iteration, descent on the unsplit objective, and inner steps.

use super::settings::{Allowed, FRACTION, POSITIVE, RELAX, Settings};
use super::{Defaults, METHODS};
use crate::catalogue::Signature;
use crate::diag::{Code, Diag, closest};
use crate::model::check::Checker;
use crate::model::check::call::argument;
use crate::model::check::meaning::Scope;
use crate::model::check::names::suggest;
use crate::model::ir::{Adapt, Admm, Descent, DescentKind, Inner, Method, Rho};
use crate::source::Span;
use crate::syntax::ast::{self, Applied, Ident, Setting};
use crate::tape::Dtype;

/// Inner steps, as they are written behind `x_step =`.
const STEPS: &[Signature] = &[
    Signature("gradient(rate, steps = 1, momentum = 0, tol = …)"),
    Signature("gd(rate, steps = 1, momentum = 0, tol = …)"),
    Signature("sgd(rate, steps = 1, momentum = 0, tol = …)"),
    Signature("adam(rate = 1e-3, steps = 1, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, tol = …)"),
    Signature("lbfgs(steps = 20, memory = 10, tol = …)"),
    Signature("newton(steps = 10, tol = …)"),
    Signature("fista(steps = 100, tol = …)"),
];

/// An update in the place of the derived one.
const GIVEN: Signature = Signature("given(update)");

/// The way to accelerate.
const ANDERSON: Signature = Signature("anderson(memory = 20)");

/// Adam with its usual settings.
pub(super) fn adam(steps: usize) -> Method {
    let kind = DescentKind::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    Method::Descent(Descent { kind, rate: 1e-3, steps, tol: None, fresh: false })
}

/// Iterations that acceleration looks back on where nothing is said. By trial: 20 needs three quarters of
/// the iterations of 10 on linear programs and least absolute deviations, and as many elsewhere.
pub(super) const ACCELERATE: usize = 20;

impl<'a> Checker<'a> {
    /// A method with its settings.
    pub(super) fn method(&mut self, settings: &mut Settings<'a>, defaults: Defaults, scope: &Scope) -> Option<Method> {
        match settings.method.key.as_str() {
            "admm" => self.admm(settings, defaults, scope).map(Method::Admm),
            _ => self.descent(settings, defaults, scope).map(Method::Descent),
        }
    }

    fn admm(&mut self, settings: &mut Settings<'a>, defaults: Defaults, scope: &Scope) -> Option<Admm> {
        let rho = self.rho(settings, scope);
        let rho_at = settings.span("rho").or(settings.span("kappa")).unwrap_or_default();
        let x_step = self.inner(settings.take("x_step"), scope);
        let z_step = self.inner(settings.take("z_step"), scope);
        let stated = z_step.as_ref().and_then(|step| step.as_ref()?.given());
        let relax = self.relax(settings, stated.map(|value| value.span), scope);
        let tol = self.optional(settings, "tol", &POSITIVE, scope);
        let iterations = self.times(settings, "iterations", defaults.iterations, scope);
        let adapt = self.adapt(settings.take("adapt"), scope);
        let adapt_every = self.times(settings, "adapt_every", 1, scope);
        let accelerate = self.accelerate(settings.take("accelerate"), scope);
        let tolerance = if defaults.precision == Dtype::F32 { 1e-4 } else { 1e-6 };
        let (rho, adapt) = (rho?, adapt?);
        let balanced = if rho == Rho::Auto { Adapt::Balanced } else { Adapt::Fixed };
        Some(Admm {
            rho,
            rho_at,
            relax: relax?,
            tol: tol?.or(defaults.whole.then_some(tolerance)),
            iterations: iterations?,
            x_step: x_step?,
            z_step: z_step?,
            adapt: adapt.unwrap_or(balanced),
            adapt_every: adapt_every?,
            accelerate: accelerate?,
        })
    }

    /// Over-relaxation, where it is written. A stated z-step reads x itself, where over-relaxation has the derived
    /// one read a mixture of that and what Bz says of it: beside one it is 1.
    fn relax(&mut self, settings: &mut Settings<'a>, stated: Option<Span>, scope: &Scope) -> Option<Option<f64>> {
        let Some(value) = settings.take("relax") else {
            return Some(stated.map(|_| 1.0));
        };
        let relax = self.in_range(value, "relax", &RELAX, scope)?;
        match stated {
            Some(stated) if relax != 1.0 => self.fail(
                Diag::new(Code::WrongArguments, value.span, format!("`relax` is {relax} beside a stated z-step"))
                    .label(stated, "reads the other block as it is")
                    .help("over-relaxation hands the z-step αAx⁺ − (1 − α)(Bz − c) in the place of Ax⁺, which a stated update knows nothing of; leave `relax` out, or write `relax = 1`")
                    .fix("write `1`", value.span, "1"),
            ),
            _ => Some(Some(relax)),
        }
    }

    /// `accelerate = anderson(10)`, `anderson`, `none`
    fn accelerate(&mut self, value: Option<&'a ast::Expr>, scope: &Scope) -> Option<usize> {
        let Some(value) = value else { return Some(ACCELERATE) };
        let applied = value.applied();
        let word = applied.map_or("", |applied| applied.name.key.as_str());
        match (word, applied) {
            ("anderson", Some(Applied { name, args, params })) => {
                self.no_parameters(name, params)?;
                match self.arranged(name, ANDERSON, args)?[0] {
                    Some(memory) => self.count(&memory.value, scope, 1, "anderson"),
                    None => Some(ACCELERATE),
                }
            }
            ("none", Some(Applied { args: [], .. })) => Some(0),
            _ => {
                let text = self.text(value.span);
                let near = closest(word, ["anderson", "none"]).map(str::to_owned);
                let diag = Diag::new(Code::UnknownName, value.span, format!("`{text}` is no way to accelerate"));
                self.fail(suggest(diag, value.span, near, "there are `anderson(20)` and `none`"))
            }
        }
    }

    /// `rho = auto`, `rho = 1`, `kappa = 1`
    fn rho(&mut self, settings: &mut Settings<'a>, scope: &Scope) -> Option<Rho> {
        let (rho, kappa) = (settings.take("rho"), settings.take("kappa"));
        match (rho, kappa) {
            (Some(rho), Some(kappa)) => self.fail(
                Diag::new(
                    Code::WrongArguments,
                    kappa.span,
                    "`kappa` is the penalty in natural units; `rho` is set too",
                )
                .label(rho.span, "the penalty is given here")
                .help("κ = ρ·rate: give one of the two"),
            ),
            (None, Some(kappa)) => self.in_range(kappa, "kappa", &POSITIVE, scope).map(Rho::Kappa),
            (Some(rho), None) if self.word(rho, scope).is_some_and(|word| word == "auto") => Some(Rho::Auto),
            (Some(rho), None) => match &rho.bare().kind {
                ast::ExprKind::Call { callee, .. } if callee.key == "schedule" => {
                    self.later(rho, "a schedule of `rho`")
                }
                _ => self.in_range(rho, "rho", &POSITIVE, scope).map(Rho::Value),
            },
            (None, None) => Some(Rho::Auto),
        }
    }

    fn adapt(&mut self, value: Option<&'a ast::Expr>, scope: &Scope) -> Option<Option<Adapt>> {
        let Some(value) = value else { return Some(None) };
        match self.word(value, scope) {
            Some("balanced") => Some(Some(Adapt::Balanced)),
            Some("fixed" | "none") => Some(Some(Adapt::Fixed)),
            Some("spectral") => self.later(value, "`adapt = spectral`"),
            word => {
                let text = self.text(value.span);
                let near = closest(word.unwrap_or(""), ["balanced", "fixed", "spectral"]).map(str::to_owned);
                let diag = Diag::new(Code::UnknownName, value.span, format!("`{text}` is no way to adapt ρ"));
                self.fail(suggest(diag, value.span, near, "there are `balanced` and `fixed`"))
            }
        }
    }

    /// A baseline on the unsplit objective, or a player's turn.
    fn descent(&mut self, settings: &mut Settings<'a>, defaults: Defaults, scope: &Scope) -> Option<Descent> {
        let kind = settings.method.key.as_str();
        let (rate, shape) = match kind {
            "adam" => {
                let rate = self.setting(settings, "rate", 1e-3, &POSITIVE, scope);
                let beta1 = self.setting(settings, "beta1", 0.9, &FRACTION, scope);
                let beta2 = self.setting(settings, "beta2", 0.999, &FRACTION, scope);
                let epsilon = self.setting(settings, "epsilon", 1e-8, &POSITIVE, scope);
                let betas = beta1.zip(beta2).zip(epsilon);
                (rate, betas.map(|((beta1, beta2), epsilon)| DescentKind::Adam { beta1, beta2, epsilon }))
            }
            "lbfgs" => {
                (Some(1.0), self.times(settings, "memory", 10, scope).map(|memory| DescentKind::Lbfgs { memory }))
            }
            "newton" => (Some(1.0), Some(DescentKind::Newton)),
            _ => {
                let rate = match settings.take("rate") {
                    Some(rate) => self.in_range(rate, "rate", &POSITIVE, scope),
                    None => self.fail(
                        Diag::new(
                            Code::WrongArguments,
                            settings.method.span,
                            format!("`{}` lacks its step size", settings.method.text),
                        )
                        .help("no step size fits every problem: write `rate = 1e-2`"),
                    ),
                };
                let momentum = self.setting(settings, "momentum", 0.0, &FRACTION, scope);
                (rate, momentum.map(|momentum| DescentKind::Gradient { momentum }))
            }
        };
        let steps = self.times(settings, "iterations", defaults.iterations, scope);
        let tol = self.optional(settings, "tol", &POSITIVE, scope);
        let fresh = match settings.take("fresh") {
            Some(value) => self.flag(value, scope),
            None => Some(false),
        };
        Some(Descent { kind: shape?, rate: rate?, steps: steps?, tol: tol?, fresh: fresh? })
    }

    /// `x_step = lbfgs(steps = 20)`, `z_step = given((rho*x - λ)/(1 + rho))`; `exact` and `auto` leave it to the
    /// ladder of rules.
    fn inner(&mut self, value: Option<&'a ast::Expr>, scope: &Scope) -> Option<Option<Inner>> {
        let Some(value) = value else { return Some(None) };
        if matches!(self.word(value, scope), Some("exact" | "auto")) {
            return Some(None);
        }
        let Some(Applied { name: callee, args, params }) = value.applied() else {
            let text = self.text(value.span);
            return self.fail(
                Diag::new(Code::WrongKind, value.span, format!("`{text}` is no step"))
                    .help("write `gradient(rate = 0.1)`, `adam(rate = 1e-3)`, `lbfgs(steps = 20)` or `exact`"),
            );
        };
        if callee.key == GIVEN.name() {
            self.no_parameters(callee, params)?;
            let slots = self.arranged(callee, GIVEN, args)?;
            return Some(Some(Inner::Given(Box::new(self.tensor(&argument(&slots, 0).value, scope)?))));
        }
        if matches!(callee.key.as_str(), "prox" | "linearised") {
            return self.later(value, &format!("the step `{}`", callee.text));
        }
        let Some(&signature) = STEPS.iter().find(|signature| signature.name() == callee.key) else {
            let names = STEPS.iter().map(|signature| signature.name()).chain(["exact", "auto", "given"]);
            let near = closest(&callee.text, names).map(str::to_owned);
            let diag = Diag::new(Code::UnknownName, callee.span, format!("there is no step `{}`", callee.text));
            let all = "there are `gradient`, `adam`, `lbfgs`, `newton`, `fista`, `exact`, and `given(…)`";
            return self.fail(suggest(diag, callee.span, near, all));
        };
        // `fresh` is a word by itself: the step draws a batch of its own.
        let is_fresh = |arg: &ast::Arg| {
            arg.name.is_none() && matches!(&arg.value.kind, ast::ExprKind::Name(name) if name.key == "fresh")
        };
        let fresh = args.iter().any(is_fresh);
        self.no_parameters(callee, params)?;
        let slots = self.arranged(callee, signature, args.iter().filter(|arg| !is_fresh(arg)))?;
        let parameters = signature.parameters();
        let slot = |name: &str| parameters.iter().position(|p| p.name == name).and_then(|at| slots[at]);
        let default = |name: &str| parameters.iter().find(|p| p.name == name).and_then(|p| p.default);
        let mut number = |name: &'static str, allowed: &Allowed| match slot(name) {
            Some(arg) => self.in_range(&arg.value, name, allowed, scope),
            None => Some(default(name).unwrap_or(0.0)),
        };
        let kind = match signature.name() {
            "adam" => DescentKind::Adam {
                beta1: number("beta1", &FRACTION)?,
                beta2: number("beta2", &FRACTION)?,
                epsilon: number("epsilon", &POSITIVE)?,
            },
            "lbfgs" => DescentKind::Lbfgs { memory: 0 },
            "newton" => DescentKind::Newton,
            "fista" => DescentKind::Fista,
            _ => DescentKind::Gradient { momentum: number("momentum", &FRACTION)? },
        };
        let has_rate = parameters.iter().any(|parameter| parameter.name == "rate");
        let rate = if has_rate { number("rate", &POSITIVE)? } else { 1.0 };
        let mut count = |name: &'static str| match slot(name) {
            Some(arg) => self.count(&arg.value, scope, 1, "steps"),
            None => Some(default(name).unwrap_or(1.0) as usize),
        };
        let steps = count("steps")?;
        let kind = match kind {
            DescentKind::Lbfgs { .. } => DescentKind::Lbfgs { memory: count("memory")? },
            kind => kind,
        };
        let tol = match slot("tol") {
            Some(arg) => Some(self.in_range(&arg.value, "tol", &POSITIVE, scope)?),
            None => None,
        };
        Some(Some(Inner::Descent(Box::new(Descent { kind, rate, steps, tol, fresh }))))
    }
    /// The settings of a player's turn.
    pub(super) fn turn(&mut self, method: &'a Ident, written: &'a [Setting], scope: &Scope) -> Option<Method> {
        if !METHODS.contains(&method.key.as_str()) {
            return self.no_method(method);
        }
        let mut settings = Settings::new(method, written);
        let defaults = Defaults { iterations: 1, whole: false, precision: Dtype::F32 };
        let typed = self.method(&mut settings, defaults, scope);
        settings.finish(self, false);
        typed
    }
}
