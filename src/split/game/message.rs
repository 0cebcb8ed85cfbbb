//! What is said of a game that is written as one objective, with the players it could be written as.

use super::{Call, Contest, Groups, Made};
use crate::catalogue::Function;
use crate::diag::{Code, Diag, Severity};
use crate::model::Model;
use crate::model::ir::{ExprKind, PlayerId, Term, VarId, VarKind};
use crate::split::variables;

/// Why it matters.
const CYCLES: &str = "a game has no Lagrangian that both sides minimise, so steps over blocks of one objective \
                      have nothing to converge to; on the smallest game, `θ*φ`, they circle for ever";

/// A network that is asked for opposite things.
pub(super) fn of_contest(model: &Model, player: PlayerId, groups: &Groups, found: &Contest) -> Diag {
    let terms = &model.players[player.index()].terms;
    let Contest { made, other } = found;
    let Some(maker) = made.made else { unreachable!("a contest is about what is made (contest)") };
    let name = |var: VarId| &model.vars[var.index()].name;
    let net = |call: &Call| &model.nets[call.net.index()].name;
    let (theta, phi) = (name(made.params), name(maker.params));
    let message = format!("this is a game of `{theta}` against `{phi}`, written as one objective");
    let wants = |call: &Call| {
        let way = if call.slope.rises() { "low" } else { "high" };
        format!("wants `{}` to be {way} on {}", net(call), what(model, call))
    };
    let mut diag = Diag::new(Code::GameAsMinimise, terms[made.term].span, message).here(wants(made));
    if other.term != made.term {
        diag = diag.label(terms[other.term].span, wants(other));
    }
    for call in [made, other] {
        let (term, u) = (terms[call.term].quoted(), model.unicode(&call.expr));
        diag = diag.certify(format!("the derivative of {term} in u = {u} {}", call.slope));
    }
    let helps = format!("`{phi}`, minimised along with `{theta}`, helps `{}` instead of opposing it", net(made));
    let players = players(model, player, groups, found, maker);
    let help = match players {
        Some(players) => format!("{helps}; {CYCLES}. Give each a player:\n{players}"),
        None => format!(
            "{helps}; {CYCLES}. Write `player` blocks, one with `{theta}` and one with `{phi}`, each with an objective of its own"
        ),
    };
    let severity = if maker.of_noise { Severity::Error } else { Severity::Warning };
    diag.help(help).severity(severity)
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
        (ExprKind::Net { input, .. }, None) => format!("`{}`", model.unicode(input)),
        _ => "its input".to_string(),
    }
}

/// The two players, in the user's names; none where the text does not say all of a term.
fn players(model: &Model, player: PlayerId, groups: &Groups, found: &Contest, maker: Made) -> Option<String> {
    let layout = model.layout.as_ref()?;
    let this = &model.players[player.index()];
    if this.name.is_some() || ["discriminator", "generator"].iter().any(|word| layout.holds(word)) {
        return None;
    }
    let theirs = |call: &Call| call.made.is_some();
    // What is wanted of the data is what D wants, and the opposite of the samples.
    let fools = theirs(&found.other).then(|| of_data(model, player, groups, found)).flatten();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for (at, term) in this.terms.iter().enumerate() {
        let vars: Vec<VarId> = variables(&term.expr).iter().map(|&var| groups.first(var)).collect();
        let is_makers = !vars.contains(&found.made.params) || fools == Some(at);
        let side = if is_makers { &mut right } else { &mut left };
        side.push(written(layout.text(term.span), term)?);
    }
    if theirs(&found.other) && fools.is_none() {
        return None;
    }
    let u = layout.text(found.made.expr.span);
    if right.is_empty() {
        right.push(format!("-mean(log(sigmoid({u})))"));
    }
    let block = |name: &str, var: VarId, terms: &[String]| {
        let Some(group) = groups.0.iter().find(|group| group.contains(&var)) else { return String::new() };
        let names: Vec<&str> = group.iter().map(|var| model.vars[var.index()].name.as_str()).collect();
        let kind = match model.vars[var.index()].kind {
            VarKind::Params(net) => format!("params({})", model.nets[net.index()].name),
            _ => format!("real{}", model.vars[var.index()].shape),
        };
        let terms = terms.join(" + ").replace("+ -", "- ");
        format!("player {name} {{\n    var {}: {kind}\n    minimize {terms}\n}}\n", names.join(", "))
    };
    let moves = "adam discriminator { rate = 1e-3 }, adam generator { rate = 1e-3 }";
    Some(format!(
        "{}{}solve play as game {{ repeat 1000 times {{ {moves} }} }}",
        block("discriminator", found.made.params, &left),
        block("generator", maker.params, &right),
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
