//! The derived updates as mathematics, in Unicode or LaTeX: what `explain` and the report show.
//!
//! Closed-form steps with scalar operators are written out; `z⁺ = (ρx − λ)/(μ + ρ)` is derived here
//! from `P`, `p` and the couplings, never looked up.

use super::ir::{AdmmPlan, Composite, Penalty, Rule, Step};
use super::letters::{latex_name, latex_text, subscripted};
use crate::model::Model;
use crate::model::ir::{DescentKind, Expr, Member, VarId};
use crate::split::ir::{Coupling, PlayerSplit};
use crate::split::proximal::Proximal;

/// The updates of one split iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct Updates {
    /// One line a step: heading and formula.
    pub lines: Vec<(String, String)>,
}

/// How mathematics is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// `(ρθ₁ − λ)/(1 + ρ)`
    Unicode,
    /// `\frac{\rho\theta_1 - \lambda}{1 + \rho}`
    Latex,
}

/// The updates that a plan derives.
pub fn updates(model: &Model, split: &PlayerSplit, plan: &AdmmPlan, script: Script) -> Updates {
    let w = Writer { model, split, script };
    let mut lines = Vec::new();
    for (block, steps) in [("x-step", &plan.x), ("z-step", &plan.z)] {
        for step in steps {
            lines.push((block.to_string(), w.step(step)));
        }
    }
    for coupling in &split.couplings {
        lines.push(("λ-step".to_string(), w.dual(coupling)));
    }
    Updates { lines }
}

struct Writer<'a> {
    model: &'a Model,
    split: &'a PlayerSplit,
    script: Script,
}

/// A signed sum: `(coefficient, whether ρ multiplies it, name)`.
#[derive(Debug, Clone, Default)]
struct Sum(Vec<(f64, bool, String)>);

impl Writer<'_> {
    fn step(&self, step: &Step) -> String {
        if let Some(value) = &step.given {
            return self.given(step, value);
        }
        match &step.rule {
            Rule::Quadratic { curvature, linear, .. } => {
                let p_is_zero = linear.iter().flatten().all(|&x| x == 0.0);
                let scalar = (curvature.len() == 1).then(|| curvature[0].scale()).flatten();
                match (scalar, step.gram.scale(), &step.component.vars[..]) {
                    (Some(mu), Some(gram), &[var]) => match self.scalar_numerator(var, p_is_zero) {
                        Some(numerator) => self.quotient(step, var, &numerator, mu, gram),
                        None => self.general(step, p_is_zero),
                    },
                    _ => self.general(step, p_is_zero),
                }
            }
            Rule::Prox(form) => self.prox(step, form),
            Rule::Linearised(form) => self.linearised(step, form),
            Rule::Descent(descent) => self.descent(step, descent),
            Rule::Composite(it) => self.composite(step, it),
        }
    }

    /// What a solve block states, as it stands there.
    fn given(&self, step: &Step, value: &Expr) -> String {
        let names: Vec<String> = step.component.vars.iter().map(|&var| self.name(var, Member::None)).collect();
        let text = self.model.unicode(value);
        match self.script {
            Script::Unicode => format!("{} ← {text}", names.join(", ")),
            Script::Latex => format!(r"{} \leftarrow {}", names.join(", "), latex_text(&text)),
        }
    }

    /// `v = prox_{(w/D)φ}(center)`: the map around the minimiser of the quadratic part.
    fn prox(&self, step: &Step, form: &Proximal) -> String {
        let member = if step.component.over.is_some() { Member::Loop } else { Member::None };
        let names: Vec<String> = step.component.vars.iter().map(|&var| self.next(var, member)).collect();
        let even = |all: &[f64]| all.iter().all(|&x| x == all[0]).then(|| all[0]);
        let p_is_zero = form.linear.iter().all(|&x| x == 0.0);
        let scalars = (even(&form.gram), even(&form.curvature), &step.component.vars[..]);
        let scalar = match scalars {
            (Some(gram), Some(mu), &[var]) => self.scalar_numerator(var, p_is_zero).map(|sums| (sums, mu, gram)),
            _ => None,
        };
        let (center, weight) = match &scalar {
            Some((numerator, mu, gram)) => {
                let var = step.component.vars[0];
                let whole = self.quotient(step, var, numerator, *mu, *gram);
                let center = whole.split_once(" = ").map_or(whole.clone(), |(_, right)| right.to_string());
                let mut denominator = Sum::default();
                if *mu != 0.0 {
                    denominator.0.push((*mu, false, String::new()));
                }
                if *gram != 0.0 {
                    denominator.0.push((*gram, true, String::new()));
                }
                (center, self.sum(&denominator))
            }
            None if self.script == Script::Latex => ("D^{-1}(\\rho M^\\top q - p)".to_string(), "D".to_string()),
            None => ("D⁻¹(ρMᵀq − p)".to_string(), "D".to_string()),
        };
        format!("{} = {}", names.join(", "), self.mapped(form, &center, &weight))
    }

    /// The map at a gradient step of the penalty.
    fn linearised(&self, step: &Step, form: &Proximal) -> String {
        let member = if step.component.over.is_some() { Member::Loop } else { Member::None };
        let names: Vec<String> = step.component.vars.iter().map(|&var| self.name(var, member)).collect();
        let name = names.join(", ");
        let (center, weight, arrow) = match self.script {
            Script::Unicode => (format!("{name} − Mᵀ(M{name} − q)/κ"), "ρκ", "←"),
            Script::Latex => (format!(r"{name} - M^\top(M{name} - q)/\kappa"), r"\rho\kappa", r"\leftarrow"),
        };
        format!("{name} {arrow} {}", self.mapped(form, &center, weight))
    }

    /// The map at a gradient step of the smooth part.
    fn composite(&self, step: &Step, it: &Composite) -> String {
        let member = if step.component.over.is_some() { Member::Loop } else { Member::None };
        let names: Vec<String> = step.component.vars.iter().map(|&var| self.name(var, member)).collect();
        let name = if let [one] = &names[..] { one.clone() } else { format!("({})", names.join(", ")) };
        let latex = self.script == Script::Latex;
        let [eta, rho, gram, kappa, pull, inverse, gradient, arrow] = match latex {
            true => [r"\eta", r"\rho ", "M^\\top M", r"\kappa", "M^\\top q", "F^{-1}", r"\nabla s", r"\leftarrow"],
            false => ["η", "ρ", "MᵀM", "κ", "Mᵀq", "F⁻¹", "∇s", "←"],
        };
        let minus = if latex { "-" } else { "−" };
        // The point that a step starts from, what it is held with, the gradient.
        let (from, held, held_at, slope) = match it.descent.kind {
            DescentKind::Fista => ("y", "L".to_string(), "Ly".to_string(), format!("{gradient}(y)")),
            DescentKind::Gradient { momentum } => {
                let slope = if momentum == 0.0 { format!("{gradient}({name})") } else { "m".to_string() };
                (name.as_str(), format!("1/{eta}"), format!("{name}/{eta}"), slope)
            }
            _ => (name.as_str(), format!("D/{eta}"), format!("D{name}/{eta}"), "m".to_string()),
        };
        let (metric, center) = match it.penalty {
            Penalty::Exact => {
                (format!("{held} + {rho}{gram}"), format!("{inverse}({held_at} {minus} {slope} + {rho}{pull})"))
            }
            Penalty::Linearised(_) => (
                format!("{held} + {rho}{kappa}"),
                format!("{from} {minus} {inverse}({slope} + {rho}{gram}{from} {minus} {rho}{pull})"),
            ),
            Penalty::Smooth => {
                (held.clone(), format!("{from} {minus} {inverse}({slope} + {rho}{gram}{from} {minus} {rho}{pull})"))
            }
        };
        let steps = match (it.descent.is_searched(), it.descent.steps) {
            (true, _) if latex => r",\quad y = \text{the last, extrapolated}".to_string(),
            (true, _) => ", y the last, extrapolated".to_string(),
            (false, 1) => String::new(),
            (false, count) => format!("   ({count} times)"),
        };
        let comma = if latex { r",\quad " } else { ", " };
        format!("{name} {arrow} {}{comma}F = {metric}{steps}", self.mapped(&it.form, &center, "F"))
    }

    /// The map applied to its centre: a projection, a cut to bounds, or `prox`.
    fn mapped(&self, form: &Proximal, center: &str, weight: &str) -> String {
        let latex = self.script == Script::Latex;
        let (project, cut, prox) = match latex {
            true => (r"\Pi", r"\operatorname{clip}", r"\operatorname{prox}"),
            false => ("Π", "clip", "prox"),
        };
        let subscript = |text: &str| if latex { format!("_{{{text}}}") } else { format!("[{text}]") };
        let of = match &form.maps[..] {
            [] => return format!("{cut}{}({center})", subscript("l, u")),
            [map] if map.is_set() => {
                return format!("{project}{}({center})", subscript(map.phi.name()));
            }
            [map] => {
                let share = if map.weight == 1.0 { "1".to_string() } else { format!("{}", map.weight) };
                format!("{share}/({weight}) {}", map.phi.name())
            }
            several => {
                let names: Vec<&str> = several.iter().map(|map| map.phi.name()).collect();
                format!("1/({weight}) ({})", names.join(" + "))
            }
        };
        let inside = format!("{prox}{}({center})", subscript(&of));
        if form.is_bounded() { format!("{cut}{}({inside})", subscript("l, u")) } else { inside }
    }

    /// `−p − Mᵀ(λ + ρ(other − c))`, where every operator is a number. Terms from a family of
    /// constraints, in a variable that is none, come under a sum over `i`.
    fn scalar_numerator(&self, var: VarId, p_is_zero: bool) -> Option<(Sum, Sum)> {
        let (mut plain, mut summed) = (Sum::default(), Sum::default());
        for (_, coupling) in self.split.couplings_of(&[var]) {
            let own = coupling.parts.iter().find(|part| part.var == var)?;
            let s = own.scalar()?;
            let sum = if coupling.over.is_some() && own.member == Member::None { &mut summed } else { &mut plain };
            for part in coupling.parts.iter().filter(|part| part.var != var && part.operator.is_some()) {
                sum.0.push((-s * part.scalar()?, true, self.name(part.var, part.member)));
            }
            if let Some(name) = self.curved(coupling) {
                sum.0.push((-s, true, name));
            }
            if coupling.offset.iter().any(|&c| c != 0.0) {
                sum.0.push((s, true, self.constant(coupling)));
            }
            sum.0.push((-s, false, self.lambda(coupling)));
        }
        if !p_is_zero {
            plain.0.push((-1.0, false, "p".to_string()));
        }
        Some((plain, summed))
    }

    fn quotient(&self, step: &Step, var: VarId, (plain, summed): &(Sum, Sum), mu: f64, gram: f64) -> String {
        let member = if step.component.over.is_some() { Member::Loop } else { Member::None };
        let mut numerator = self.sum(plain);
        if !summed.0.is_empty() {
            let over = match self.script {
                Script::Unicode => format!("Σᵢ({})", self.sum(summed)),
                Script::Latex => format!(r"\sum_i ({})", self.sum(summed)),
            };
            numerator = if plain.0.is_empty() { over } else { format!("{over} + {numerator}") };
        }
        let mut denominator = Sum::default();
        if mu != 0.0 {
            denominator.0.push((mu, false, String::new()));
        }
        denominator.0.push((gram, true, String::new()));
        self.fraction(&self.next(var, member), &numerator, &self.sum(&denominator))
    }

    fn fraction(&self, left: &str, numerator: &str, denominator: &str) -> String {
        match self.script {
            Script::Latex => format!(r"{left} = \frac{{{numerator}}}{{{denominator}}}"),
            Script::Unicode => {
                let bracketed = |text: &str, when: bool| if when { format!("({text})") } else { text.to_string() };
                // A sum under Σ already stands in brackets of its own.
                let top = if numerator.starts_with('Σ') && !numerator.contains(") ") {
                    numerator.to_string()
                } else {
                    bracketed(numerator, numerator.contains(' '))
                };
                // A product below the bar is bracketed as well: /(4ρ).
                format!("{left} = {top}/{}", bracketed(denominator, denominator.chars().count() > 1))
            }
        }
    }

    fn general(&self, step: &Step, p_is_zero: bool) -> String {
        let member = if step.component.over.is_some() { Member::Loop } else { Member::None };
        let names: Vec<String> = step.component.vars.iter().map(|&var| self.next(var, member)).collect();
        let right = if p_is_zero { "" } else { " − p" };
        match self.script {
            Script::Unicode => format!("{} = (P + ρMᵀM)⁻¹(ρMᵀq{right})", names.join(", ")),
            Script::Latex => {
                format!(r"{} = (P + \rho M^\top M)^{{-1}}(\rho M^\top q{})", names.join(", "), right.replace('−', "-"))
            }
        }
    }

    fn descent(&self, step: &Step, descent: &crate::model::ir::Descent) -> String {
        let member = if step.component.over.is_some() { Member::Loop } else { Member::None };
        let var = step.component.vars[0];
        let all = |name: &dyn Fn(VarId) -> String| {
            let names: Vec<String> = step.component.vars.iter().map(|&var| name(var)).collect();
            if let [one] = &names[..] { one.clone() } else { format!("({})", names.join(", ")) }
        };
        let name = all(&|var| self.name(var, member));
        let next = all(&|var| self.next(var, member));
        let (gradient, rho, eta) = match self.script {
            Script::Unicode => (format!("∇h({name})"), "ρ", "η"),
            Script::Latex => (format!(r"\nabla h({name})"), r"\rho ", r"\eta "),
        };
        // Several variables in one step have one gradient; the scalar form is for one.
        let numerator = if step.component.vars.len() == 1 { self.scalar_numerator(var, true) } else { None };
        let body = match (descent.kind, numerator, step.gram.scale()) {
            _ if step.curved => self.curved_step(step, descent, &name),
            (DescentKind::Lbfgs { .. }, _, _) => format!("argmin h({name}) + ({rho}/2)‖M{name} − q‖², by L-BFGS"),
            (DescentKind::Newton, _, _) => format!("argmin h({name}) + ({rho}/2)‖M{name} − q‖², by Newton's method"),
            (kind, Some((plain, summed)), Some(gram)) if summed.0.is_empty() => {
                // The pull without its ρ-terms joins the gradient; the ρ-terms are taken implicitly.
                let duals = Sum(plain.0.iter().filter(|t| !t.1).map(|t| (-t.0, t.1, t.2.clone())).collect());
                let pulls = Sum(plain.0.iter().filter(|t| t.1).cloned().collect());
                // Moments of the data gradient stand in its place.
                let g = match kind {
                    DescentKind::Gradient { momentum: 0.0 } => gradient,
                    _ => "m".to_string(),
                };
                let metric = if matches!(kind, DescentKind::Adam { .. }) { "D" } else { "" };
                let one = if metric.is_empty() { "1" } else { metric };
                let inner = join(&g, &self.sum(&duals));
                let pull = self.sum(&pulls);
                let several = [" + ", " − ", " - "].iter().any(|sign| pull.contains(sign));
                let pull = if several { format!("{eta}({pull})") } else { format!("{eta}{pull}") };
                let gram = if gram == 1.0 { String::new() } else { format!("{gram}") };
                match self.script {
                    Script::Unicode => format!("({metric}{name} − η({inner}) + {pull})/({one} + {gram}ηρ)"),
                    Script::Latex => {
                        format!(r"\frac{{{metric}{name} - \eta({inner}) + {pull}}}{{{one} + {gram}\eta\rho}}")
                    }
                }
            }
            _ => match self.script {
                Script::Unicode => format!("(D/η + ρMᵀM)⁻¹(D{name}/η − {gradient} + ρMᵀq)"),
                Script::Latex => {
                    format!(r"(D/\eta + \rho M^\top M)^{{-1}}(D{name}/\eta - {gradient} + \rho M^\top q)")
                }
            },
        };
        let steps = if descent.steps > 1 && !descent.is_searched() {
            format!("   ({} times)", descent.steps)
        } else {
            String::new()
        };
        let arrow = if self.script == Script::Latex { r"\leftarrow" } else { "←" };
        let next = if descent.is_searched() { next } else { name };
        format!("{next} {arrow} {body}{steps}")
    }

    fn dual(&self, coupling: &Coupling) -> String {
        let lambda = self.lambda(coupling);
        let residual = self.residual(coupling);
        match self.script {
            Script::Unicode => format!("{lambda} ← {lambda} + ρ({residual})"),
            Script::Latex => format!(r"{lambda} \leftarrow {lambda} + \rho({residual})"),
        }
    }

    /// `Ax + Bz − c`
    fn residual(&self, coupling: &Coupling) -> String {
        let mut residual = Sum::default();
        for part in coupling.parts.iter().filter(|part| part.operator.is_some()) {
            match part.scalar() {
                Some(s) => residual.0.push((s, false, self.name(part.var, part.member))),
                None => residual.0.push((1.0, false, format!("K{}", self.name(part.var, part.member)))),
            }
        }
        residual.0.extend(self.curved(coupling).map(|name| (1.0, false, name)));
        if coupling.offset.iter().any(|&c| c != 0.0) {
            residual.0.push((-1.0, false, self.constant(coupling)));
        }
        self.sum(&residual)
    }

    /// `e(θ)`, where the coupling has a part that is not linear.
    fn curved(&self, coupling: &Coupling) -> Option<String> {
        let names: Vec<String> = coupling.curved().map(|var| self.name(var, Member::None)).collect();
        if names.is_empty() {
            return None;
        }
        let which = match (self.split.couplings.len(), self.script) {
            (1, _) => String::new(),
            (_, Script::Unicode) => format!("[{}]", coupling.name),
            (_, Script::Latex) => format!(r"^{{\mathrm{{{}}}}}", coupling.name),
        };
        Some(format!("e{which}({})", names.join(", ")))
    }

    /// A step on the penalty itself, where a coupling is not linear.
    fn curved_step(&self, step: &Step, descent: &crate::model::ir::Descent, name: &str) -> String {
        let own = self.split.couplings_of(&step.component.vars);
        let parts = own.map(|(_, coupling)| (self.lambda(coupling), self.residual(coupling)));
        let latex = self.script == Script::Latex;
        match descent.kind {
            DescentKind::Lbfgs { .. } => {
                let penalties = parts.map(|(lambda, r)| match latex {
                    true => format!(r" + \langle {lambda}, {r}\rangle + \tfrac{{\rho}}{{2}}\|{r}\|^2"),
                    false => format!(" + ⟨{lambda}, {r}⟩ + (ρ/2)‖{r}‖²"),
                });
                format!("argmin h({name}){}, by L-BFGS", penalties.collect::<String>())
            }
            kind => {
                let pulls = parts.map(|(lambda, r)| match latex {
                    true => format!(r" + J^\top({lambda} + \rho({r}))"),
                    false => format!(" + Jᵀ({lambda} + ρ({r}))"),
                });
                let pulls: String = pulls.collect();
                let plain = kind == DescentKind::Gradient { momentum: 0.0 };
                match latex {
                    true => {
                        let g = if plain { format!(r"\nabla h({name})") } else { "m".to_string() };
                        format!(r"{name} - (D/\eta + \rho J^\top J)^{{-1}}({g}{pulls})")
                    }
                    false => {
                        let g = if plain { format!("∇h({name})") } else { "m".to_string() };
                        format!("{name} − (D/η + ρJᵀJ)⁻¹({g}{pulls})")
                    }
                }
            }
        }
    }

    fn sum(&self, sum: &Sum) -> String {
        let rho = if self.script == Script::Latex { r"\rho " } else { "ρ" };
        let minus = if self.script == Script::Latex { "-" } else { "−" };
        let mut text = String::new();
        // Positive terms first, each group in order.
        let ordered = sum.0.iter().filter(|t| t.0 > 0.0).chain(sum.0.iter().filter(|t| t.0 < 0.0));
        for (coefficient, with_rho, name) in ordered {
            let size = coefficient.abs();
            let alone = !with_rho && name.is_empty();
            let factor = if size == 1.0 && !alone { String::new() } else { format!("{size}") };
            let sign = match (text.is_empty(), *coefficient < 0.0) {
                (true, true) => minus.to_string(),
                (true, false) => String::new(),
                (false, true) => format!(" {minus} "),
                (false, false) => " + ".to_string(),
            };
            text += &format!("{sign}{factor}{}{name}", if *with_rho { rho } else { "" });
        }
        if text.is_empty() { "0".to_string() } else { text.trim_end().to_string() }
    }

    fn lambda(&self, coupling: &Coupling) -> String {
        let only = self.split.couplings.len() == 1;
        let index = match (coupling.over.is_some(), self.script) {
            (false, _) => "",
            (true, Script::Unicode) => "ᵢ",
            (true, Script::Latex) => "_i",
        };
        match (only, self.script) {
            (true, Script::Unicode) => format!("λ{index}"),
            (true, Script::Latex) => format!(r"\lambda{index}"),
            (false, Script::Unicode) => format!("λ[{}]{index}", coupling.name),
            (false, Script::Latex) => format!(r"\lambda^{{\mathrm{{{}}}}}{index}", coupling.name),
        }
    }

    fn constant(&self, coupling: &Coupling) -> String {
        if self.split.couplings.len() == 1 { "c".to_string() } else { format!("c[{}]", coupling.name) }
    }

    fn next(&self, var: VarId, member: Member) -> String {
        let name = self.name(var, member);
        match self.script {
            Script::Unicode => name,
            Script::Latex => format!("{name}^+"),
        }
    }

    fn name(&self, var: VarId, member: Member) -> String {
        let var = &self.model.vars[var.index()];
        let index = match member {
            Member::None => String::new(),
            Member::Loop if self.script == Script::Unicode => "ᵢ".to_string(),
            Member::Loop => "_i".to_string(),
            Member::At(k) => format!("[{}]", k + 1),
        };
        match self.script {
            Script::Unicode => format!("{}{index}", subscripted(&var.name)),
            Script::Latex => format!("{}{index}", latex_name(&var.name)),
        }
    }
}

fn join(gradient: &str, rest: &str) -> String {
    match rest {
        "0" => gradient.to_string(),
        rest if rest.starts_with('−') => format!("{gradient} − {}", rest.trim_start_matches('−')),
        rest if rest.starts_with('-') => format!("{gradient} - {}", rest.trim_start_matches('-')),
        rest => format!("{gradient} + {rest}"),
    }
}
