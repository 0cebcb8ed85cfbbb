//! Numbers and times for people.

pub use crate::diag::number;
use crate::diag::trimmed;

/// Three significant digits: enough to hold a residual against its bound.
pub fn brief(value: f64) -> String {
    // Rounded by its text; the second time, to nothing.
    format!("{value:.2e}").parse().map_or_else(|_| number(value), number)
}

/// A duration: `0.31 s`, `12 s`, `4 min 05 s`, `2 h 10 min`.
pub fn seconds(duration: f64) -> String {
    // Rounded first, so that 59.7 s is a minute and not `60 s`.
    let whole = duration.round() as u64;
    match whole {
        _ if duration < 0.1 => format!("{} ms", trimmed(&format!("{:.1}", duration * 1e3))),
        _ if duration < 9.95 => format!("{duration:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        let cases =
            [(0.0, "0"), (2.543_84e-16, "2.54e-16"), (-0.019_99, "-0.02"), (123_456.0, "123000"), (f64::NAN, "NaN")];
        for (value, text) in cases {
            assert_eq!(brief(value), text);
        }
    }

    #[test]
    fn durations() {
        let cases = [
            (0.0, "0 ms"),
            (0.0123, "12.3 ms"),
            (0.31, "0.3 s"),
            (9.97, "10 s"),
            (59.7, "1 min 00 s"),
            (245.0, "4 min 05 s"),
            (7800.0, "2 h 10 min"),
        ];
        for (duration, text) in cases {
            assert_eq!(seconds(duration), text);
        }
    }
}
