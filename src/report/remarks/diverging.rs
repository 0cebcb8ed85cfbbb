//! E0702: residuals, or the objective of a descent, that grow until nothing is left but the growth.

use super::{Ran, causes};
use crate::diag::{Code, Diag, digits, number};
use crate::exec::outcome::Growth;
use crate::schedule::ir::Watched;

pub(super) fn remark(ran: &Ran, growth: &Growth) -> Diag {
    let falls = ran.outcome.last("objective").is_some_and(|value| value < 0.0);
    let what = match (growth.what, falls) {
        (Watched::Residuals, _) => "the residuals grow",
        (Watched::Objective, false) => "the objective grows",
        (Watched::Objective, true) => "the objective falls, and faster all the time,",
    };
    let sizes = match growth.what {
        Watched::Residuals => {
            let last = |name| ran.outcome.last(name).map_or(String::new(), |value| digits(value, 4));
            format!("‖r‖ ends at {} and ‖s‖ at {}", last("primal"), last("dual"))
        }
        Watched::Objective => format!("it ends at {}", number(ran.outcome.last("objective").unwrap_or(f64::NAN))),
    };
    let mut diag = ran
        .at_solve(Code::Diverging, format!("{what} by a factor of {} an iteration", digits(growth.factor, 4)))
        .here(format!("stopped in iteration {}", growth.to.0))
        .certify(format!(
            "{sizes}: {} times the largest of the first iterations",
            digits(growth.to.1 / growth.from.1, 2)
        ));
    let causes = causes::all(ran);
    for cause in &causes {
        diag = diag.certify(cause.shown.clone());
    }
    for (at, words) in causes.iter().filter_map(|cause| cause.at.clone()) {
        diag = diag.label(at, words);
    }
    let lost = "more iterations make it worse";
    match causes.first() {
        Some(cause) => diag.help(format!("{lost}; {}", cause.instead)),
        None => {
            let bounded = "see that every term has a least value, or a bound that holds it";
            diag.help(match (growth.what, falls) {
                (Watched::Residuals, _) => format!("{lost}; write `rho = auto`, and {bounded}"),
                (Watched::Objective, true) => format!("more iterations only lead further; {bounded}"),
                (Watched::Objective, false) => format!("{lost}; write a smaller `rate`, and {bounded}"),
            })
        }
    }
}
