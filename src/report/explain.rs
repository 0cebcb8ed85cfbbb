//! `admmc explain FILE`: the derived iteration in mathematics — blocks, the step of each component and
//! why, the multiplier, where ρ starts and how it moves, and what one iteration costs.

use std::fmt::Write;

use crate::model::Model;
use crate::model::ir::{Adapt, Descent, DescentKind, VarId};
use crate::schedule::ir::{Schedule, Stmt};
use crate::split::Split;
use crate::split::atoms::{self, AtomShape, Piece};
use crate::split::ir::PlayerSplit;
use crate::steps::Plan;
use crate::steps::ir::{AdmmPlan, Curvature, MethodPlan, Penalty, Rule, Solver, Step, System};
use crate::steps::{Script, updates};
use crate::tape::Cost;

use super::brief;
use super::load::grouped;
use super::number;

/// What an explanation is of.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Names, shapes, terms.
    pub model: &'a Model,
    /// Blocks and couplings.
    pub split: &'a Split,
    /// A rule for every step.
    pub plan: &'a Plan,
    /// The algorithm.
    pub schedule: &'a Schedule,
}

/// The explanation as text.
pub fn explain(subject: Subject, script: Script) -> String {
    let mut text = String::new();
    let mut seen = Vec::new();
    for method in &subject.plan.methods {
        let part = match method {
            MethodPlan::Admm(plan) => admm(subject, plan, script),
            MethodPlan::Descent { player, descent } => {
                let name = subject.model.players[player.index()].name.as_deref();
                let kept =
                    subject.split.players[player.index()].whole.as_ref().map(|whole| names(subject, &whole.kept));
                format!(
                    "{}  on the unsplit objective over {}, {}\n",
                    heading(name, method_name(descent)),
                    kept.unwrap_or_default(),
                    settings(descent)
                )
            }
        };
        // A method that stands twice in a game is explained once.
        if !seen.contains(&part) {
            text += &part;
            text.push('\n');
            seen.push(part);
        }
    }
    text += &cost(subject.schedule);
    text
}

fn admm(subject: Subject, plan: &AdmmPlan, script: Script) -> String {
    let split = &subject.split.players[plan.player.index()];
    let name = subject.model.players[plan.player.index()].name.as_deref();
    let mut text = heading(name, if split.is_split() { "ADMM" } else { "one step" });
    if split.is_split() {
        let _ = writeln!(text, "  block x: {}", names(subject, &split.x.vars));
        let _ = writeln!(text, "  block z: {}", names(subject, &split.z.vars));
        text += &introduced(subject, split);
        text.push('\n');
    }
    let derived = updates(subject.model, split, plan, script);
    let reasons = plan.steps().map(|step| reason(subject, plan, step)).chain(std::iter::repeat(String::new()));
    for ((step, formula), why) in derived.lines.iter().zip(reasons) {
        let _ = writeln!(text, "  {step}   {formula}");
        if !why.is_empty() {
            let _ = writeln!(text, "           {why}");
        }
    }
    if !split.is_split() {
        text.push_str("\n  nothing is split: the step is the answer\n");
        return text;
    }
    let _ = writeln!(text, "\n  ρ starts at {} ({}) and {}", number(plan.rho), plan.rho_why, adaptation(plan));
    if let Some(rate) = plan.rate() {
        let kappa = plan.rho * rate;
        let _ = write!(text, "  κ = ρη = {}", number(kappa));
        match effective(plan, rate) {
            Some((formula, effective)) => {
                let _ = writeln!(
                    text,
                    ": the coupled pair moves at the effective rate {formula} = {}, at which the unsplit method is the\n  fair comparison",
                    number(effective)
                );
            }
            None => text.push('\n'),
        }
    }
    if let Some(memory) = plan.memory() {
        let _ = writeln!(
            text,
            "  accelerated: every {} iterations the best combination of the last {memory} stands for the last one, and is\n  taken back where it makes matters worse (Anderson, type II)",
            crate::schedule::ACCELERATED_EVERY
        );
    }
    for coupling in &split.couplings {
        if let Some(weights) = &coupling.weights {
            let least = weights.iter().fold(f64::INFINITY, |least, &w| least.min(w));
            let most = weights.iter().fold(0.0f64, |most, &w| most.max(w));
            let _ = writeln!(
                text,
                "  rows of `{}` are weighed by W from {} to {}, which makes them alike: ρ stands for ρW",
                coupling.name,
                number(least),
                number(most)
            );
        }
    }
    text += &curved(subject, split);
    if plan.relax != 1.0 {
        let _ = writeln!(
            text,
            "  over-relaxed by α = {}: Ax⁺ stands for αAx⁺ − (1 − α)(Bz − c) in the z- and λ-steps",
            plan.relax
        );
    }
    text
}

/// Which couplings are not linear, and in what.
fn curved(subject: Subject, split: &PlayerSplit) -> String {
    let own = split.couplings.iter().filter(|coupling| coupling.curved().next().is_some());
    let names: Vec<String> = own.map(|coupling| format!("`{}`", coupling.name)).collect();
    let mut vars: Vec<VarId> = split.couplings.iter().flat_map(|coupling| coupling.curved()).collect();
    vars.sort_unstable();
    vars.dedup();
    let vars: Vec<&str> = vars.iter().map(|var| subject.model.vars[var.index()].name.as_str()).collect();
    match &names[..] {
        [] => String::new(),
        [one] => format!("  {one} is not linear in {}: where it ends is a stationary point\n", vars.join(", ")),
        all => {
            format!("  {} are not linear in {}: where it ends is a stationary point\n", all.join(", "), vars.join(", "))
        }
    }
}

/// What the variables stand for that the compiler split off.
fn introduced(subject: Subject, split: &PlayerSplit) -> String {
    let mut text = String::new();
    for (var, _, stands_for) in split.introduced(subject.model) {
        let name = &subject.model.vars[var.index()].name;
        let _ = writeln!(text, "  split by the compiler: {name} = {}", subject.model.unicode(stands_for));
    }
    text
}

fn reason(subject: Subject, plan: &AdmmPlan, step: &Step) -> String {
    let terms = &subject.model.players[plan.player.index()].terms;
    let mut labels: Vec<String> = step.component.terms.iter().map(|&at| terms[at].name.clone()).collect();
    labels.dedup();
    let constraints = &subject.model.players[plan.player.index()].constraints;
    let held = step.component.constraints.iter().map(|&id| constraints[id.index()].name(id));
    let labels: Vec<String> = labels.into_iter().chain(held).collect();
    let of = if labels.is_empty() { "0".to_string() } else { labels.join(" + ") };
    let members = step.component.over.map_or(String::new(), |count| format!(", for each of {count}"));
    match &step.rule {
        _ if step.given.is_some() => {
            let own = AdmmPlan { x: vec![Step { given: None, ..step.clone() }], z: Vec::new(), ..plan.clone() };
            let split = &subject.split.players[plan.player.index()];
            let derived = updates(subject.model, split, &own, Script::Unicode).lines.swap_remove(0).1;
            format!("as stated, in the place of what is derived from h = {of}: {derived}")
        }
        Rule::Quadratic { system, curvature, .. } => {
            let way = system_text(step.gram.n(), factor_rows(curvature), system);
            format!("closed form: h = {of} is quadratic, P = {}, MᵀM = {}{members}{way}", p(step), step.gram)
        }
        Rule::Prox(form) => {
            let kinds = if form.maps.is_empty() { "bounds" } else { "a proximal map" };
            let rest = match form.curvature.iter().any(|&p| p != 0.0) || form.linear.iter().any(|&p| p != 0.0) {
                true => " over a diagonal quadratic",
                false => "",
            };
            format!("closed form: h = {of} is {kinds}{rest}, MᵀM = {}{members}", step.gram)
        }
        Rule::Linearised(form) => {
            let kappa = form.gram.first().copied().unwrap_or(0.0);
            let why = step.tried.first().map_or(String::new(), |why| format!("; not {why}"));
            format!(
                "linearised: h = {of} has a proximal map, κ = {} bounds ‖M‖²{members}{why}; it costs iterations, which a variable of its own for the term would save",
                number(kappa)
            )
        }
        Rule::Descent(descent) => {
            let members = match descent.kind {
                DescentKind::Newton => format!("{members}, {} variables", step.gram.n() * step.members()),
                _ => members,
            };
            // What keeps a smooth step from a closed form is that it is not quadratic.
            let reason = step.tried.iter().find(|why| why.starts_with("quadratic")).or(step.tried.last());
            let why = reason.map_or(String::new(), |why| format!("; not {why}"));
            let change = change(subject, plan, step);
            format!("{}: h = {of}, {}{members}{why}{change}", method_name(descent), settings(descent))
        }
        Rule::Composite(it) => {
            let named = |at: &usize| terms[*at].name.clone();
            let (smooth, rest): (Vec<usize>, Vec<usize>) =
                step.component.terms.iter().partition(|at| it.smooth.contains(at));
            let held = step.component.constraints.iter().map(|&id| constraints[id.index()].name(id));
            let mut smooth: Vec<String> = smooth.iter().map(named).collect();
            smooth.dedup();
            let rest: Vec<String> = rest.iter().map(named).chain(held).collect();
            let why = step.tried.first().map_or(String::new(), |why| format!("; not {why}"));
            format!(
                "{} on s = {}, each step ended by the map of φ = {}: {}, {}{members}{why}{}",
                method_name(&it.descent),
                if smooth.is_empty() { "0".to_string() } else { smooth.join(" + ") },
                rest.join(" + "),
                settings(&it.descent),
                penalty(step, it.penalty),
                change(subject, plan, step)
            )
        }
    }
}

/// What one change of the model would make the step a closed form: a variable of its own for the argument of
/// a function of the catalogue.
fn change(subject: Subject, plan: &AdmmPlan, step: &Step) -> String {
    let pieces = step.component.terms.iter().map(|&at| atoms::of_term(subject.model, plan.player, at));
    let mut atoms = pieces.filter_map(|piece| match piece {
        Piece::Atom(atom) => Some(atom),
        _ => None,
    });
    let Some(atom) = atoms.find(|atom| matches!(&atom.shape, AtomShape::Function { phi, .. } if phi.facts().convex))
    else {
        return String::new();
    };
    let AtomShape::Function { phi, .. } = &atom.shape else { return String::new() };
    format!(
        "\n           a variable of its own for {}, tied by an equation, would give `{}` a closed form",
        subject.model.unicode(&atom.subject),
        phi.name()
    )
}

/// How a composite step takes the penalty.
fn penalty(step: &Step, penalty: Penalty) -> String {
    match penalty {
        Penalty::Exact => format!("the penalty in the metric of the map, MᵀM = {}", step.gram),
        Penalty::Linearised(kappa) => format!("the penalty linearised, κ = {} bounds ‖M‖²", number(kappa)),
        Penalty::Smooth => format!("the penalty a part of s, MᵀM = {}", step.gram),
    }
}

/// Rows of the factor that P is a product of.
fn factor_rows(curvature: &[Curvature]) -> Option<usize> {
    match curvature.first()? {
        Curvature::Factored(it) => Some(it.factor.rows()),
        Curvature::Repeated { inner, .. } => factor_rows(std::slice::from_ref(inner)),
        _ => None,
    }
}

/// How the systems of a closed-form step of n variables are solved, at what cost, and at what the others would;
/// where they are more than a division. `rows` are those of P's factor.
fn system_text(n: usize, rows: Option<usize>, system: &System) -> String {
    let mut text = String::new();
    if system.solver != Solver::Divide {
        let work = &system.work;
        let way = match &system.solver {
            Solver::Spectral { p, .. } => {
                let grid: Vec<String> = p.grid.iter().map(usize::to_string).collect();
                format!("the {} transform of the grid {}", p.transform.name(), grid.join("×"))
            }
            Solver::Sparse(it) => {
                let beside = it.symbolic.n - n;
                let beside = if beside > 0 { format!(", {beside} multipliers among them") } else { String::new() };
                format!(
                    "a sparse factor of order {}{beside}, {} entries, {} in the factor",
                    it.symbolic.n,
                    grouped(it.symbolic.nnz() as u64),
                    grouped(it.symbolic.factor_len() as u64)
                )
            }
            Solver::Inversion => format!("the matrix-inversion lemma, order {}", rows.unwrap_or(n)),
            Solver::ConjugateGradients => "conjugate gradients".to_string(),
            other => format!("{} of order {n}", other.name()),
        };
        let _ = write!(
            text,
            "\n           by {way}: {} flops once, {} when ρ changes, {} an iteration, {} bytes",
            amount(work.setup.flops),
            amount(work.change.flops),
            amount(work.iteration.flops),
            amount(work.bytes)
        );
        for (name, other) in &system.others {
            let _ = write!(
                text,
                "\n           {name} would take {}, {}, {}, {}",
                amount(other.setup.flops),
                amount(other.change.flops),
                amount(other.iteration.flops),
                amount(other.bytes)
            );
        }
    }
    if system.proximal > 0.0 {
        let _ = write!(
            text,
            "\n           nothing determines it along some direction: (σ/2)‖v − v_k‖² with σ = {} holds it there",
            number(system.proximal)
        );
    }
    text
}

/// Three digits and a power of a thousand: `12.3 M`.
fn amount(x: f64) -> String {
    let (scale, unit) = match x {
        _ if x >= 1e12 => (1e12, " T"),
        _ if x >= 1e9 => (1e9, " G"),
        _ if x >= 1e6 => (1e6, " M"),
        _ if x >= 1e3 => (1e3, " k"),
        _ => (1.0, ""),
    };
    format!("{}{unit}", brief(x / scale))
}

fn p(step: &Step) -> String {
    match &step.rule {
        Rule::Quadratic { curvature, .. } => curvature[0].to_string(),
        Rule::Prox(_) | Rule::Linearised(_) | Rule::Descent(_) | Rule::Composite(_) => String::new(),
    }
}

/// The rate at which two copies move together, where each takes one plain gradient step, or one does and
/// the other is exact: where both move by v an iteration, adding their steps up gives (2 + κ)v = −η∇h, and
/// (1 + κ)v with an exact one.
fn effective(plan: &AdmmPlan, rate: f64) -> Option<(&'static str, f64)> {
    let kappa = plan.rho * rate;
    let mut one_step = 0;
    let mut exact = 0;
    for step in plan.steps() {
        match &step.rule {
            Rule::Descent(descent)
                if descent.steps == 1
                    && descent.kind == (DescentKind::Gradient { momentum: 0.0 })
                    && descent.rate == rate
                    && step.gram.scale() == Some(1.0) =>
            {
                one_step += 1;
            }
            _ if step.is_exact() && step.gram.scale() == Some(1.0) => exact += 1,
            _ => return None,
        }
    }
    match (one_step, exact) {
        (2, 0) => Some(("η/(2 + κ)", rate / (2.0 + kappa))),
        (1, 1) => Some(("η/(1 + κ)", rate / (1.0 + kappa))),
        _ => None,
    }
}

fn adaptation(plan: &AdmmPlan) -> String {
    let every = match plan.settings.adapt_every {
        0 | 1 => "every iteration".to_string(),
        count => format!("every {count} iterations"),
    };
    match (plan.settings.adapt, plan.is_tested()) {
        (Adapt::Fixed, _) => "stays".to_string(),
        (Adapt::Balanced, false) => {
            format!("is balanced {every}: smoothed ‖r‖ against κ‖B(z⁺ − z)‖, both in the variables' units")
        }
        (Adapt::Balanced, true) => {
            let far = "is balanced where the\n  relative primal and dual residuals lie far apart";
            format!("{far}, looked at {every}, each time after a longer wait")
        }
    }
}

fn heading(player: Option<&str>, method: &str) -> String {
    match player {
        Some(player) => format!("{player}: {method}\n"),
        None => format!("{method}\n"),
    }
}

fn method_name(descent: &Descent) -> &'static str {
    match descent.kind {
        DescentKind::Gradient { momentum: 0.0 } => "gradient descent",
        DescentKind::Gradient { .. } => "gradient descent with momentum",
        DescentKind::Adam { .. } => "Adam",
        DescentKind::Lbfgs { .. } => "L-BFGS",
        DescentKind::Newton => "Newton's method",
        DescentKind::Fista => "FISTA",
    }
}

fn settings(descent: &Descent) -> String {
    let steps = match descent.steps {
        1 => "one step".to_string(),
        count => format!("{count} steps"),
    };
    match descent.kind {
        DescentKind::Lbfgs { memory } => format!("at most {steps}, {memory} pairs"),
        DescentKind::Newton | DescentKind::Fista => format!("at most {steps}"),
        _ => format!("{steps} of η = {}", number(descent.rate)),
    }
}

fn names(subject: Subject, vars: &[VarId]) -> String {
    let named = vars.iter().map(|var| {
        let var = &subject.model.vars[var.index()];
        let family = var.family.map_or(String::new(), |count| format!("[1 to {count}]"));
        format!("{}{family} ({})", var.name, var.shape.numel())
    });
    named.collect::<Vec<_>>().join(", ")
}

/// Flops and bytes of one pass of the innermost repeated work: an iteration, or a batch of a game.
fn cost(schedule: &Schedule) -> String {
    match schedule.innermost() {
        None => String::new(),
        Some((unit, body)) => {
            let cost = total(schedule, body);
            format!(
                "one {}: {} flops, {} bytes read and written by its programs\n",
                unit.word(),
                grouped(cost.flops),
                grouped(cost.bytes)
            )
        }
    }
}

/// The statements run every time, inner loops at their full count; what is due only sometimes is left
/// out.
fn total(schedule: &Schedule, body: &[Stmt]) -> Cost {
    let once =
        |call: &crate::schedule::ir::CallStmt| Cost::of(schedule.program(call.program)).times(call.over.unwrap_or(1));
    body.iter().fold(Cost::default(), |sum, stmt| {
        sum + match stmt {
            Stmt::Call(call) => once(call),
            Stmt::Loop(inner) => total(schedule, &inner.body).times(inner.count),
            Stmt::LineSearch(search) => once(&search.trial),
            _ => Cost::default(),
        }
    })
}
