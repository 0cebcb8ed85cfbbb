//! Names and expressions in the letters of mathematics, for [`update`](super::update).

/// `θ1` as `θ₁`.
pub(super) fn subscripted(name: &str) -> String {
    let head = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let tail: String = name[head.len()..]
        .chars()
        .map(|c| char::from_u32('₀' as u32 + c.to_digit(10).unwrap_or(0)).unwrap_or(c))
        .collect();
    if head.is_empty() { name.to_string() } else { format!("{head}{tail}") }
}

/// Greek letters as names of functions and variables have them.
const GREEK: &[(char, &str)] = &[
    ('α', r"\alpha"),
    ('β', r"\beta"),
    ('γ', r"\gamma"),
    ('δ', r"\delta"),
    ('θ', r"\theta"),
    ('λ', r"\lambda"),
    ('μ', r"\mu"),
    ('ρ', r"\rho"),
    ('σ', r"\sigma"),
    ('φ', r"\varphi"),
    ('ψ', r"\psi"),
    ('ω', r"\omega"),
];

/// A name as LaTeX sets it: `θ1` as `\theta_1`, `rate` upright.
pub(super) fn latex_name(name: &str) -> String {
    let plain: String = subscripted(name)
        .chars()
        .map(|c| match c as u32 {
            code @ 0x2080..=0x2089 => format!("_{}", code - 0x2080),
            _ => GREEK.iter().find(|(greek, _)| *greek == c).map_or(c.to_string(), |(_, tex)| (*tex).to_string()),
        })
        .collect();
    if plain.starts_with('\\') || plain.chars().count() <= 3 {
        plain
    } else {
        format!(r"\mathrm{{{}}}", plain.replace('_', r"\_"))
    }
}

/// An expression in Unicode as LaTeX sets it: Greek letters, dots, subscripts.
pub(super) fn latex_text(text: &str) -> String {
    let each = text.chars().map(|c| match c {
        '₀'..='₉' => format!("_{}", c as u32 - '₀' as u32),
        '·' => r"\cdot ".to_string(),
        '−' => "-".to_string(),
        'ᵀ' => r"^\top ".to_string(),
        _ => GREEK.iter().find(|(greek, _)| *greek == c).map_or(c.to_string(), |(_, tex)| format!("{tex} ")),
    });
    each.collect()
}
