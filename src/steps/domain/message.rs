//! What is said of a function whose argument can leave its domain.

use super::faults::{self, Edge, Fault, Loss, Rounded};
use super::{Arithmetic, Run, Site};
use crate::diag::{Code, Diag, Fix, number};
use crate::model::Model;
use crate::source::Span;
use crate::tape::{Dtype, Hull};

/// All that is known of it.
pub(super) struct Said<'s> {
    pub model: &'s Model,
    pub site: &'s Site,
    pub how: Arithmetic,
    pub run: &'s Run,
    pub fault: &'s Fault,
    /// Whether it is so at the start, whatever happens later.
    pub starts: bool,
    /// Whether the stable form of the loss has no such fault.
    pub mended: bool,
}

/// The warning.
pub(super) fn of(it: &Said) -> Diag {
    let Said { fault, how, .. } = it;
    let rounded = if it.starts { None } else { faults::rounded(it.run, fault) };
    let (subject, domain) = subject(fault);
    let end = number(fault.end);
    let (can, here) = match fault.edge {
        _ if it.starts => (format!("starts at {}", shown(fault.hull)), "has no finite value at the start".to_string()),
        Edge::Beyond if fault.end == 0.0 => ("can be negative".to_string(), "no number there".to_string()),
        Edge::Beyond => (format!("can be below {end}"), "no number there".to_string()),
        Edge::Infinite if rounded.is_some() => {
            (format!("can round to {end} in {}", how.dtype), "infinite there".to_string())
        }
        Edge::Infinite => (format!("can be {end}"), "infinite there".to_string()),
        Edge::Steep => (format!("can be {end}, where the slope is infinite"), "infinite slope there".to_string()),
    };
    let mut diag = Diag::new(Code::Domain, fault.watched.span, format!("{subject} {can}")).here(here);
    if !it.starts {
        diag = diag.certify(format!("computed in {}, it lies in {}; {domain}", how.dtype, shown(fault.hull)));
    }
    if let Some(Rounded { name, origin, from }) = &rounded {
        diag = match origin.filter(|&origin| origin != fault.watched.span) {
            Some(origin) => diag.label(origin, "u"),
            None => diag,
        };
        let side = if *from > 0.0 { "≥" } else { "≤" };
        diag = diag.certify(format!("it is {end} for u {side} {}, by the rounding of {name}(u)", number(*from)));
    }
    for (var, hull) in it.site.kept.iter().filter(|(_, hull)| *hull != Hull::ANY) {
        let name = &it.model.vars[var.index()].name;
        diag = diag.certify(format!("the step keeps `{name}` in {}", shown(*hull)));
    }
    let diag = diag.help(help(it, rounded.is_some()));
    match fault.watched.loss.filter(|_| it.mended) {
        Some(loss) => Diag { fix: Some(stable(fault.watched.span, loss)), ..diag },
        None => diag,
    }
}

/// What the argument is called, and where the function has values.
fn subject(fault: &Fault) -> (String, String) {
    let name = fault.watched.name;
    match (fault.power, name) {
        (Some(-1.0), _) => ("a divisor".to_string(), "a quotient has a value where it is not 0".to_string()),
        (Some(p), _) if p.fract() == 0.0 => {
            (format!("the base of a power of {}", number(p)), "it has a value where the base is not 0".to_string())
        }
        (Some(p), _) => {
            let domain = if p < 0.0 { "above 0" } else { "from 0 on" };
            (format!("the base of a power of {}", number(p)), format!("it has values {domain}"))
        }
        (None, "quotient" | "elementwise quotient") => {
            ("a divisor".to_string(), "a quotient has a value where it is not 0".to_string())
        }
        (None, "sqrt") => ("the argument of `sqrt`".to_string(), "`sqrt` has values from 0 on".to_string()),
        (None, "power" | "elementwise power") => match fault.edge {
            Edge::Steep => ("the argument of a root".to_string(), "a root has values from 0 on".to_string()),
            _ => ("the base of a power".to_string(), "it has values above 0".to_string()),
        },
        (None, name) => {
            (format!("the argument of `{name}`"), format!("`{name}` has values above {}", number(fault.end)))
        }
    }
}

fn help(it: &Said, rounded: bool) -> String {
    let names: Vec<String> = it.site.vars.iter().map(|var| format!("`{}`", it.model.vars[var.index()].name)).collect();
    let why = format!(
        "the step of {} follows gradients, and one that is infinite or no number is never recovered from",
        names.join(", ")
    );
    let what = if it.mended {
        "`losses = stable`, the default, computes a form of this loss that is finite everywhere".to_string()
    } else if it.starts {
        "start inside the domain, with `init`".to_string()
    } else if rounded {
        let least = match it.how.dtype {
            Dtype::F32 => "6e-8",
            _ => "1.2e-16",
        };
        format!(
            "write a form that does not cancel, such as `softplus`, or keep a guard outside the difference; beside 1, {} loses what is below {least}",
            it.how.dtype
        )
    } else {
        match it.fault.edge {
            Edge::Steep => "add a positive number to the argument".to_string(),
            _ => "bound what it holds in the block of this step, or give it a variable of its own in the other block: a function of a variable alone has a closed-form step that keeps to its domain".to_string(),
        }
    };
    format!("{why}; {what}")
}

/// The loss in its stable form, everything but `u` replaced.
fn stable(span: Span, loss: Loss) -> Fix {
    let (before, after, title) = match loss.complement {
        true => ("(-softplus(", "))", "write `-softplus(u)` for `log(1 - sigmoid(u))`"),
        false => ("(-softplus(-(", ")))", "write `-softplus(-u)` for `log(sigmoid(u))`"),
    };
    let edits = vec![
        (Span { end: loss.u.start, ..span }, before.to_string()),
        (Span { start: loss.u.end, ..span }, after.to_string()),
    ];
    Fix { title: title.to_string(), edits }
}

/// `[0, ∞)`
fn shown(hull: Hull) -> String {
    if hull.low == hull.high {
        return number(hull.low);
    }
    let low = if hull.low == f64::NEG_INFINITY { "(−∞".to_string() } else { format!("[{}", number(hull.low)) };
    let high = if hull.high == f64::INFINITY { "∞)".to_string() } else { format!("{}]", number(hull.high)) };
    format!("{low}, {high}")
}
