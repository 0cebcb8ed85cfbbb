//! What is said of an objective without a least value.

use super::growth::Reader;
use super::network::Curve;
use super::quadratic::Direction;
use super::tail::Order;
use super::{Fall, Group, network_of, of_term, threshold};
use crate::catalogue::Function;
use crate::diag::{Code, Diag};
use crate::model::Model;
use crate::model::ir::{Activation, Expr, ExprKind, Leaf, PlayerId, VarId, VarKind};

/// Entries of a direction that are shown of each variable.
const SHOWN: usize = 4;

/// Entries below this share of the largest are left out.
const COUNTS: f64 = 1e-6;

/// A term that falls along a curve.
pub(super) fn of_fall(model: &Model, player: PlayerId, group: &Group, fall: &Fall) -> Diag {
    let (_, terms, _) = model.players[player.index()].source();
    let term = &terms[fall.term];
    let reader = Reader { model, moving: &group.vars, curve: fall.curve };
    let names = named(model, &group.vars);
    let mut diag = Diag::new(
        Code::UnboundedObjective,
        term.span,
        format!("{} falls to −∞ as a function of {}, and nothing stops it", term.quoted(), names.join(" = ")),
    )
    .here("has no least value");
    if let Some(limit) = limit(&reader, &term.expr) {
        diag = diag.certify(limit);
    }
    diag = match network_of(model, group) {
        Some(id) => {
            let net = &model.nets[id.index()];
            let layers = match net.weights().len() {
                1 => "1 layer".to_string(),
                count => format!("{count} layers"),
            };
            let outputs = outputs(&reader, &term.expr).unwrap_or(fall.order);
            let falls =
                if outputs == fall.order { String::new() } else { format!(", the term like −{}", fall.order) };
            let growth = format!(
                "`{}` has {layers} of weights: along tθ, t → ∞, its outputs can go like {outputs}{falls}",
                net.name
            );
            penalised(&reader, group, fall, diag.certify(growth), &term.expr)
        }
        None => {
            let place = match fall.curve {
                Curve::Elements { order: Order { power, .. }, .. } if power < 0.0 => "1/t",
                Curve::Elements { sign, .. } if sign < 0.0 => "−t",
                _ => "t",
            };
            let order = fall.order;
            diag.certify(format!(
                "with every element of {} at {place} it falls like −{order} as t → ∞",
                names.join(" and ")
            ))
        }
    };
    advised(model, player, &names, diag)
}

/// What the penalty of ADMM can do against it.
fn penalised(reader: &Reader, group: &Group, fall: &Fall, diag: Diag, term: &Expr) -> Diag {
    let (Some(var), [first, second, ..]) = (term_variable(term, &group.vars), &group.vars[..]) else { return diag };
    let name = |var: &VarId| &reader.model.vars[var.index()].name;
    let (step, first, second) = (name(&var), name(first), name(second));
    let penalty = format!("the penalty (ρ/2)‖{first} − {second}‖² rises like t^2");
    let gone = format!("with {first} = {second} there is no penalty at all");
    diag.certify(match fall.order.power {
        power if power > 2.0 => format!("{penalty}, so no ρ makes the step of `{step}` bounded"),
        2.0 => {
            let least = match threshold::least(reader, term) {
                Some((least, data)) => {
                    format!("a threshold that is at least {} (hidden units along the mean of `{data}`)", rounded(least))
                }
                None => "a threshold".to_string(),
            };
            format!("{penalty}, so the step of `{step}` is bounded only for ρ above {least}, and {gone}")
        }
        _ => format!("{penalty}, which bounds the step of `{step}`, but {gone}"),
    })
}

/// Why it matters, and what to do.
fn advised(model: &Model, player: PlayerId, names: &[String], diag: Diag) -> Diag {
    let this = &model.players[player.index()];
    let (_, terms, _) = this.source();
    // Bounded above everywhere: then the sign of all of it is the other one.
    let anywhere = Reader { model, moving: &this.vars, curve: Curve::Anywhere };
    let reversed = terms.iter().all(|term| of_term(&anywhere, term).is_bounded_above());
    let (is, other) = if this.maximize { ("maximize", "minimize") } else { ("minimize", "maximize") };
    let runs = "ADMM would follow it until its numbers overflow";
    if reversed && !this.sense.is_empty() {
        let network = this.vars.iter().any(|var| matches!(model.vars[var.index()].kind, VarKind::Params(_)));
        let example = if network && !this.maximize { ", as a discriminator does with its log-likelihood" } else { "" };
        return diag
            .label(this.sense, "the wrong way round")
            .help(format!("{runs}; all of this objective is bounded in the other direction, so {other} it{example}"))
            .fix(format!("write `{other}` for `{is}`"), this.sense, other);
    }
    diag.help(format!(
        "{runs}; bound {}, add a term that grows faster, or turn the sign of a term that is meant to be large",
        names.join(" and ")
    ))
}

/// A direction along which what is quadratic falls.
pub(super) fn of_direction(
    model: &Model,
    player: PlayerId,
    groups: &[Group],
    terms: &[usize],
    direction: &Direction,
) -> Diag {
    let (_, all, _) = model.players[player.index()].source();
    let largest = direction.parts.iter().flat_map(|(_, d)| d).fold(0.0f64, |largest, x| largest.max(x.abs()));
    let (mut moved, mut shown) = (Vec::new(), Vec::new());
    for (group, entries) in &direction.parts {
        let counts: Vec<(usize, f64)> =
            entries.iter().map(|x| x / largest).enumerate().filter(|(_, x)| x.abs() > COUNTS).collect();
        if counts.is_empty() {
            continue;
        }
        let names = named(model, &groups[*group].vars);
        let first = counts.iter().take(SHOWN).map(|(i, x)| match entries.len() {
            1 => rounded(*x),
            _ => format!("{} at {}", rounded(*x), i + 1),
        });
        let first: Vec<String> = first.collect();
        let more = if counts.len() > SHOWN { ", …" } else { "" };
        shown.push(format!("{}: {}{more}", names.join(" = "), first.join(", ")));
        moved.extend(names);
    }
    let (kind, speed) = match direction.curvature {
        0.0 => ("linear", format!("−{} t", rounded(direction.slope.abs() / largest))),
        c => ("concave", format!("−{} t²", rounded(c.abs() / 2.0 / (largest * largest)))),
    };
    let place = terms.first().map(|&at| all[at].span).unwrap_or_default();
    let mut diag = Diag::new(
        Code::UnboundedObjective,
        place,
        format!("the objective falls to −∞ along a direction of {}, and nothing stops it", moved.join(" and ")),
    )
    .here(format!("{kind} along that direction"));
    for &at in terms.iter().skip(1) {
        diag = diag.label(all[at].span, "does not stop it");
    }
    let diag = diag
        .certify(format!("the direction is {}", shown.join("; ")))
        .certify(format!("t times along it the objective changes like {speed}"));
    advised(model, player, &moved, diag)
}

/// A number to four digits.
fn rounded(x: f64) -> String {
    let text = format!("{x:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.trim_start_matches('-') == "0" { format!("{x:.1e}") } else { text.replace('-', "−") }
}

fn named(model: &Model, vars: &[VarId]) -> Vec<String> {
    vars.iter().map(|var| format!("`{}`", model.vars[var.index()].name)).collect()
}

fn term_variable(expr: &Expr, vars: &[VarId]) -> Option<VarId> {
    let mut found = None;
    expr.leaves(&mut |leaf| {
        if let Leaf::Var(var, _) = leaf
            && vars.contains(&var)
        {
            found = found.or(Some(var));
        }
    });
    found
}

/// How fast the outputs of the network go, before an activation that bounds them.
fn outputs(reader: &Reader, expr: &Expr) -> Option<Order> {
    if let ExprKind::Net { net, layers, .. } = &expr.kind {
        let last = reader.model.nets[net.index()].layers.get(layers.checked_sub(1)?)?.activations.last();
        let bounds = matches!(last, Some((Activation::Sigmoid | Activation::Tanh | Activation::Softmax, _)));
        let tail = reader.net(expr, usize::from(bounds));
        return tail.falls().or(tail.neg().falls());
    }
    expr.children().into_iter().find_map(|child| outputs(reader, child))
}

/// The logarithm inside that goes to −∞, in words.
fn limit(reader: &Reader, expr: &Expr) -> Option<String> {
    if let ExprKind::Apply(Function::Log, args) = &expr.kind
        && reader.tail(expr).falls().is_some()
    {
        let inner = &args[0];
        let text = match &inner.kind {
            ExprKind::Apply(Function::Sub, sides) if reader.logit(&sides[1]).is_some() => {
                "log(1 − sigmoid(u)) → −∞ as u → ∞, as fast as −u"
            }
            _ if reader.logit(inner).is_some() => "log(sigmoid(u)) → −∞ as u → −∞, as fast as u",
            _ => "log(u) → −∞ as u → 0",
        };
        return Some(text.to_string());
    }
    expr.children().into_iter().find_map(|child| limit(reader, child))
}
