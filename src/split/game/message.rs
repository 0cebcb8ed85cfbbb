//! What is said of a game that is written as one objective, with the players it could be written as.

use super::{Call, Contest, Groups, Made};
use crate::catalogue::Function;
use crate::diag::{Code, Diag, Severity};
use crate::model::Model;
use crate::model::ir::{Expr, ExprKind, PlayerId, Term, VarId, VarKind};
use crate::split::variables;

/// Why it matters.
const CYCLES: &str = "a game has no Lagrangian that both sides minimise, so steps over blocks of one objective \
                      have nothing to converge to; on the smallest game, `θ*φ`, they circle for ever";

/// A network that is asked for opposite things.
pub(super) fn of_contest(model: &Model, player: PlayerId, groups: &Groups, found: &Contest) -> Diag {
    let this = &model.players[player.index()];
    let Contest { made, other } = found;
    let Some(maker) = made.made else { unreachable!("a contest is about what is made (contest)") };
    let net = |call: &Call| &model.nets[call.net.index()].name;
    let [theta, phi] = [made.params, maker.params].map(|var| quoted(model, groups, var));
    let message = format!("this is a game of {theta} against {phi}, written as one objective");
    let wants = |call: &Call| {
        let way = if call.slope.rises() { "low" } else { "high" };
        format!("wants `{}` to be {way} on {}", net(call), what(model, call))
    };
    let mut diag = Diag::new(Code::GameAsMinimise, this.terms[made.term].span, message).here(wants(made));
    if other.term != made.term {
        diag = diag.label(this.terms[other.term].span, wants(other));
    }
    for call in [made, other] {
        let (term, u) = (this.terms[call.term].quoted(), text(model, &call.expr));
        let slope = if this.maximize { call.slope.neg() } else { call.slope };
        diag = diag.certify(format!("the derivative of {term} in u = {u} {slope}"));
    }
    let together = match other.made {
        Some(_) => format!("minimised together, {theta} and {phi} each work for what the other wants too"),
        None => format!("{phi}, minimised along with {theta}, helps `{}` instead of opposing it", net(made)),
    };
    let help = match players(model, player, groups, found, maker) {
        Some(players) => format!("{together}; {CYCLES}. Give each a player:\n{players}"),
        None => format!(
            "{together}; {CYCLES}. Write a `player` block with {theta} and one with {phi}, each with an objective of its own"
        ),
    };
    let severity = if maker.of_noise { Severity::Error } else { Severity::Warning };
    diag.help(help).severity(severity)
}

/// A variable and its copies: `θ1` = `θ2`.
fn quoted(model: &Model, groups: &Groups, var: VarId) -> String {
    let group = groups.0.iter().find(|group| group.contains(&var)).cloned().unwrap_or(vec![var]);
    let names: Vec<String> = group.iter().map(|var| format!("`{}`", model.vars[var.index()].name)).collect();
    names.join(" = ")
}

/// An expression as it is written, where that is known.
fn text(model: &Model, expr: &Expr) -> String {
    let written = model.layout.as_ref().map(|layout| layout.text(expr.span)).unwrap_or_default();
    if written.is_empty() || written.contains('\n') { model.unicode(expr) } else { written.to_string() }
}

/// Two terms that undo each other.
pub(super) fn of_undone(model: &Model, player: PlayerId, [a, b]: [usize; 2]) -> Diag {
    let terms = &model.players[player.index()].terms;
    let names: Vec<String> =
        variables(&terms[a].expr).iter().map(|var| format!("`{}`", model.vars[var.index()].name)).collect();
    let names = names.join(" and ");
    let quoted = [a, b].map(|at| terms[at].quoted());
    Diag::new(
        Code::GameAsMinimise,
        terms[b].span,
        format!("{} and {} are one function of {names} with opposite signs", quoted[0], quoted[1]),
    )
    .here("undoes the other")
    .label(terms[a].span, "the same, with the other sign")
    .certify(format!("{} = {}", quoted[0], model.unicode(&terms[a].expr)))
    .certify(format!("{} = {}", quoted[1], model.unicode(&terms[b].expr)))
    .help(format!(
        "added up they say nothing of what either wants; {CYCLES}. If two sides are meant, write a `player` block for each, with its variables and its own sign, and `solve play as game {{ … }}`"
    ))
}

/// What a network is applied to.
fn what(model: &Model, call: &Call) -> String {
    match (&call.expr.kind, call.made) {
        (_, Some(made)) => format!("what `{}` makes", model.nets[made.net.index()].name),
        (ExprKind::Net { input, .. }, None) => format!("`{}`", text(model, input)),
        _ => "its input".to_string(),
    }
}

/// The two players, in the user's names; none where the text does not say all of what is theirs.
fn players(model: &Model, player: PlayerId, groups: &Groups, found: &Contest, maker: Made) -> Option<String> {
    let layout = model.layout.as_ref()?;
    let this = &model.players[player.index()];
    if this.name.is_some() || ["discriminator", "generator"].iter().any(|word| layout.holds(word)) {
        return None;
    }
    let sides = [found.made.params, maker.params];
    let firsts = |vars: Vec<VarId>| vars.into_iter().map(|var| groups.first(var)).collect::<Vec<VarId>>();
    if firsts(this.vars.clone()).iter().any(|var| !sides.contains(var)) {
        return None;
    }
    // What is wanted of the data is what D wants, and the opposite of the samples.
    let fools = match found.other.made {
        Some(_) => Some(of_data(model, player, groups, found)?),
        None => None,
    };
    let (mut terms, mut constraints) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for (at, term) in this.terms.iter().enumerate() {
        let is_makers = !firsts(variables(&term.expr)).contains(&sides[0]) || fools == Some(at);
        terms[usize::from(is_makers)].push(written(layout.text(term.span), term)?);
    }
    if terms[1].is_empty() {
        terms[1].push(format!("-mean(log(sigmoid({})))", layout.text(found.made.expr.span)));
    }
    for constraint in &this.constraints {
        let side = sides
            .iter()
            .position(|side| firsts(variables(constraint.relation.expr())).iter().all(|var| var == side))?;
        let text = layout.text(constraint.span).to_string();
        if !constraints[side].contains(&text) {
            constraints[side].push(text);
        }
    }
    let block = |name: &str, side: usize| {
        let group = groups.0.iter().find(|group| group.contains(&sides[side]))?;
        let names: Vec<&str> = group.iter().map(|var| model.vars[var.index()].name.as_str()).collect();
        let VarKind::Params(net) = model.vars[sides[side].index()].kind else { return None };
        let (names, net) = (names.join(", "), &model.nets[net.index()].name);
        let terms = terms[side].join(" + ").replace("+ -", "- ");
        let ties = match &constraints[side][..] {
            [] => String::new(),
            all => format!("    subject to {}\n", all.join(", ")),
        };
        Some(format!("player {name} {{\n    var {names}: params({net})\n    minimize {terms}\n{ties}}}\n"))
    };
    Some(format!(
        "{}{}solve play as game {{\n    repeat 1000 times {{\n        adam discriminator {{ rate = 1e-3 }}\n        adam generator {{ rate = 1e-3 }}\n    }}\n}}",
        block("discriminator", 0)?,
        block("generator", 1)?,
    ))
}

/// Of the two terms on the samples, the one that wants of them what another term wants of the data.
fn of_data(model: &Model, player: PlayerId, groups: &Groups, found: &Contest) -> Option<usize> {
    let mut calls = Vec::new();
    for (at, term) in model.players[player.index()].terms.iter().enumerate() {
        let expr = groups.canonical(&term.expr);
        super::collect(model, player, at, &expr, &expr, &mut calls);
    }
    let real = calls.iter().find(|call| call.made.is_none() && call.params == found.made.params)?;
    [&found.made, &found.other].into_iter().find(|call| !call.slope.opposes(real.slope)).map(|call| call.term)
}

/// A term with its sign, minimised; none where a factor of it is written elsewhere.
fn written(text: &str, term: &Term) -> Option<String> {
    let (sign, expr) = match &term.expr.kind {
        ExprKind::Apply(Function::Neg, args) if args[0].span == term.span => ("-", &args[0]),
        _ => ("", &term.expr),
    };
    let whole = expr.span == term.span && expr.children().iter().all(|child| child.span != term.span);
    (whole && term.over.is_none() && !text.is_empty()).then(|| format!("{sign}{text}"))
}
