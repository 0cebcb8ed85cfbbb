//! Numbers in messages and tables.

/// Six significant digits, with an exponent where zeros would have to be counted: `0.001`, `1.5`,
/// `-12034.2`, `3.2e-7`, `1e12`.
pub fn number(value: f64) -> String {
    digits(value, 6)
}

/// As [`number`], with so many digits.
pub fn digits(value: f64, count: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    // Rounded first: 999999.7 is 1e6, and 9.9999999e-5 is 0.0001.
    let places = count.saturating_sub(1);
    let scientific = format!("{value:.places$e}");
    let (digits, exponent) = scientific.split_once('e').expect("LowerExp writes an exponent");
    let exponent: i32 = exponent.parse().expect("LowerExp writes a decimal exponent");
    if (-4..=places as i32).contains(&exponent) {
        let decimals = (places as i32 - exponent) as usize;
        return trimmed(&format!("{value:.decimals$}")).to_owned();
    }
    format!("{}e{exponent}", trimmed(digits))
}

/// Without zeros at the end of the decimals.
pub fn trimmed(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits() {
        let cases = [
            (0.0, "0"),
            (1.0, "1"),
            (-12034.26, "-12034.3"),
            (0.001, "0.001"),
            (0.1 + 0.2, "0.3"),
            (999_999.7, "1e6"),
            (9.999_999_9e-5, "0.0001"),
            (3.2e-7, "3.2e-7"),
            (-1e12, "-1e12"),
            (123_456.0, "123456"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (f64::MIN_POSITIVE, "2.22507e-308"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn other_counts() {
        for (value, count, text) in [(2.0 / 3.0, 7, "0.6666667"), (1234.5, 2, "1.2e3"), (96.0, 1, "1e2")] {
            assert_eq!(digits(value, count), text);
        }
    }
}
