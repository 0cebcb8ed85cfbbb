//! What is said of an objective without a least value.

use super::growth::{Ranges, Reader};
use super::network::Curve;
use super::quadratic::Direction;
use super::tail::Order;
use super::{Fall, Group, network_of, of_term, threshold};
use crate::catalogue::Function;
use crate::diag::{Code, Diag, number};
use crate::model::Model;
use crate::model::ir::{Activation, Expr, ExprKind, Leaf, PlayerId, VarId, VarKind};
use crate::split::direction;

/// A term that falls along a curve.
pub(super) fn of_fall(model: &Model, player: PlayerId, group: &Group, fall: &Fall) -> Diag {
    let (_, terms, _) = model.players[player.index()].source();
    let term = &terms[fall.term];
    let ranges = Ranges::new(model);
    let reader = Reader { model, moving: &group.vars, curve: fall.curve, ranges: &ranges };
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
                    format!("a threshold that is at least {} (hidden units along the mean of `{data}`)", number(least))
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
    let ranges = Ranges::new(model);
    let anywhere = Reader { model, moving: &this.vars, curve: Curve::Anywhere, ranges: &ranges };
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
pub(super) fn of_direction(model: &Model, player: PlayerId, groups: &[Group], fall: &Direction) -> Diag {
    let (_, all, _) = model.players[player.index()].source();
    let largest = fall.parts.iter().flat_map(|(_, d)| d).fold(0.0f64, |largest, x| largest.max(x.abs()));
    // Scaled to 1; a group that stays where it is goes without mention.
    let moved: Vec<(&Group, Vec<f64>)> = fall
        .parts
        .iter()
        .map(|(group, entries)| (&groups[*group], entries.iter().map(|x| x / largest).collect::<Vec<_>>()))
        .filter(|(_, entries)| entries.iter().any(|x| x.abs() > direction::COUNTS))
        .collect();
    let parts: Vec<_> = moved.iter().map(|(group, entries)| (group.vars[0], &entries[..])).collect();
    let mut shown = direction::words(model, &parts);
    for (group, _) in moved.iter().filter(|(group, _)| group.vars.len() > 1) {
        shown.push_str(&format!(", with {}", named(model, &group.vars).join(" = ")));
    }
    let names: Vec<String> = moved.iter().flat_map(|(group, _)| named(model, &group.vars)).collect();
    let (kind, speed) = match fall.curvature {
        0.0 => ("linear", format!("−{} t", number(fall.slope.abs() / largest))),
        c => ("concave", format!("−{} t²", number(c.abs() / 2.0 / (largest * largest)))),
    };
    let place = fall.terms.first().map(|&at| all[at].span).unwrap_or_default();
    let mut diag = Diag::new(
        Code::UnboundedObjective,
        place,
        format!("the objective falls to −∞ along a direction of {}, and nothing stops it", names.join(" and ")),
    )
    .here(format!("{kind} along that direction"));
    for &at in fall.terms.iter().skip(1) {
        diag = diag.label(all[at].span, "does not stop it");
    }
    for &at in &fall.slower {
        diag = diag.label(all[at].span, "rises more slowly");
    }
    let diag = diag
        .certify(format!("the direction is {shown}"))
        .certify(format!("t times along it the objective changes like {speed}"));
    advised(model, player, &names, diag)
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
