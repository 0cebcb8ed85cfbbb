//! E0705: a run without an answer whose ρ lies at the bound of its balance, or has gone a millionfold from where it
//! began and not come to rest.
//!
//! The balance multiplies ρ by `√(r/s)` of the relative residuals. ρ has the units of the objective over those of
//! the constraint squared: a constraint multiplied by k takes a ρ of k⁻² for the same iteration, an objective
//! multiplied by k one of k.

use super::Ran;
use crate::diag::{Code, Diag, digits, number};
use crate::exec::outcome::Balance;
use crate::schedule::ir::Penalty;

/// How far above the bound counts as at it.
const AT: f64 = 1e-9;

/// How far ρ goes before its start was in other units: a change is at most a hundredfold, so that is three in one
/// direction at least.
const FAR: f64 = 1e6;

/// Share of its parts from which a constraint counts as not met.
const UNMET: f64 = 1e-3;

pub(super) fn remark(ran: &Ran) -> Option<Diag> {
    let balance = ran.outcome.notes.balance?;
    let Balance { rho, start, least, primal, dual } = balance;
    // One of them may be 0 to the last digit.
    let wanted =
        if primal + dual > 0.0 { (primal / dual).sqrt().clamp(1.0 / Penalty::MOST, Penalty::MOST) } else { 1.0 };
    let residuals = format!(
        "at the end ‖r‖ is {} of what it is made of, and ρ‖B(z⁺ − z)‖ is {} of ‖λ‖; ρ is multiplied by √ of their ratio",
        digits(primal, 3),
        digits(dual, 3)
    );
    if least > 0.0 && rho <= least * (1.0 + AT) && wanted < 1.0 / Penalty::OFF {
        return Some(
            ran.at_solve(Code::PenaltyAtBound, format!("ρ rests at its bound, {}, where the residuals ask for {} times as much", number(rho), digits(wanted, 2)))
                .here(format!("ρ goes no lower than {}", number(least)))
                .certify(residuals)
                .certify("the bound is where an iteration with this concave step settles")
                .help(format!(
                    "with so large a ρ the copies agree long before the objective is least; raise `iterations`, or give what curves downwards {} of its weight, which the bound follows",
                    digits(wanted, 1)
                )),
        );
    }
    let ratio = rho / start;
    if !(ratio >= FAR || ratio <= 1.0 / FAR) {
        return None;
    }
    let still = if wanted > Penalty::OFF {
        ", and the residuals ask for more"
    } else if wanted < 1.0 / Penalty::OFF {
        ", and the residuals ask for less"
    } else {
        ""
    };
    let help = if ratio > 1.0 && primal > UNMET {
        format!(
            "so large a ρ leaves nothing but the constraint, and it is still off by {} of its parts: no point near meets it; loosen it, or start elsewhere",
            digits(primal, 2)
        )
    } else {
        format!(
            "on its way ρ was far off, and those iterations were lost: constraint and objective are in units that differ so much; multiply the constraint by {}, the objective by {}, or begin at `rho = {}`",
            digits(ratio.sqrt(), 1),
            digits(1.0 / ratio, 1),
            digits(rho, 1)
        )
    };
    Some(
        ran.at_solve(Code::PenaltyAtBound, format!("ρ went from {} to {}{still}", number(start), number(rho)))
            .here("the balance has not come to rest")
            .certify(residuals)
            .help(help),
    )
}
