//! E0701: at the expression that first made a number that is not finite.

use super::{Ran, causes};
use crate::diag::{Code, Diag, number};
use crate::exec::NonFinite;

/// Expressions up to this length, in bytes, are quoted in a message; longer ones are only pointed at.
const LONGEST: usize = 40;

pub(super) fn remark(ran: &Ran, found: &NonFinite) -> Diag {
    let outcome = ran.outcome;
    let what = found.origin.map(|span| ran.sources.text(span)).filter(|text| (1..=LONGEST).contains(&text.len()));
    let what = what.map_or("a value".to_owned(), |text| format!("`{text}`"));
    let place = match outcome.epochs {
        Some(epoch) => format!("iteration {}, epoch {epoch}", outcome.iterations),
        None => format!("iteration {}", outcome.iterations),
    };
    let message = format!("{what} became {} in {place}", found.value);
    let mut diag = Diag::new(Code::NonFinite, found.origin.unwrap_or(ran.solve.span), message);
    if found.origin.is_none() {
        diag = diag.here("in a step of this");
    }
    if !found.operands.is_empty() {
        let operands: Vec<String> = found.operands.iter().map(|&operand| number(operand)).collect();
        diag = diag.certify(format!("it was computed from {}", operands.join(" and ")));
    }
    diag = match outcome.notes.finite {
        Some(0) => diag.certify("`solution.npz` holds where the run began: there every number was finite"),
        Some(at) => diag.certify(format!(
            "`solution.npz` holds the state after iteration {at}, the last in which every number was finite"
        )),
        None => diag,
    };
    match causes::likely(ran) {
        Some(cause) => diag
            .certify(cause.shown)
            .help(format!("every number that depends on it is lost, so the run stops here; {}", cause.instead)),
        None => diag.help(
            "every number that depends on it is lost, so the run stops here; a smaller `rate`, or `rho = auto`, keeps \
             the iterates bounded",
        ),
    }
}
