//! Expressions as mathematics writes them, on one line: `‖A x − b‖²/2 + λ‖z‖₁`, `−E[log σ(D(x; θ₁))]`.

use super::ir::{Expr, ExprKind, Leaf, Member, Model};
use crate::catalogue::{Form, Function};

/// How tightly a text holds together; looser ones are put in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Sum,
    Product,
    Power,
    Symbol,
}

impl Model {
    /// An expression in Unicode mathematics.
    pub fn unicode(&self, expr: &Expr) -> String {
        self.text(expr).0
    }

    /// A set with its arguments: `simplex`, `box(0, ∞)`.
    pub fn set_text(&self, set: Function, args: &[Expr]) -> String {
        let args: Vec<String> = args.iter().map(|arg| self.unicode(arg)).collect();
        if args.is_empty() { set.name().to_owned() } else { format!("{}({})", set.name(), args.join(", ")) }
    }

    /// A leaf as mathematics writes it: `θ₁`, `wᵢ`, `w₃`, `λ`, `ρ`.
    pub fn unicode_leaf(&self, leaf: Leaf) -> String {
        let (name, member) = match leaf {
            Leaf::Var(id, member) => (self.vars[id.index()].name.clone(), member),
            Leaf::Data(id, member) => (self.data[id.index()].name.clone(), member),
            Leaf::Sample(id, part, member) => (self.samples[id.index()].names[part as usize].clone(), member),
            Leaf::Dual(_, _, member) => ("λ".to_owned(), member),
            Leaf::Rho(_) => ("ρ".to_owned(), Member::None),
        };
        // Digits behind a name are an index.
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let mut text = if stem.is_empty() { name.clone() } else { format!("{stem}{}", subscript(&name[stem.len()..])) };
        match member {
            Member::None => {}
            Member::Loop => text.push('ᵢ'),
            Member::At(k) => text.push_str(&subscript(&(k + 1).to_string())),
        }
        text
    }

    fn text(&self, expr: &Expr) -> (String, Level) {
        let symbol = |text: String| (text, Level::Symbol);
        match &expr.kind {
            ExprKind::Number(value) => number(*value),
            ExprKind::Leaf(leaf) => symbol(self.unicode_leaf(*leaf)),
            ExprKind::Sparse(parts) => self.text(&parts[2]),
            ExprKind::Apply(function, args) => self.application(*function, args),
            ExprKind::Net { net, input, params, layers, .. } => {
                let net = &self.nets[net.index()];
                let hidden =
                    if *layers < net.layers.len() { superscript(&format!("({layers})")) } else { String::new() };
                symbol(format!("{}{hidden}({}; {})", net.name, self.unicode(input), self.unicode(params)))
            }
            ExprKind::Slice(base, ranges) => {
                let place = |(range, &extent): (&crate::tape::ops::Range, &usize)| match (range.start, range.len) {
                    (0, len) if len == extent => ":".to_owned(),
                    (start, 1) => (start + 1).to_string(),
                    (start, len) => format!("{} to {}", start + 1, start + len),
                };
                let places: Vec<String> = ranges.iter().zip(&base.shape.0).map(place).collect();
                symbol(format!("{}[{}]", self.at_least(base, Level::Symbol), places.join(", ")))
            }
            ExprKind::Reshape(base) => self.text(base),
            ExprKind::Concat(parts, _) => match weights(parts) {
                Some(params) => symbol(format!("weights({})", self.unicode(params))),
                None => {
                    let parts: Vec<String> = parts.iter().map(|part| self.unicode(part)).collect();
                    symbol(format!("[{}]", parts.join("; ")))
                }
            },
            ExprKind::Over(_, body) => (format!("Σᵢ {}", self.at_least(body, Level::Product)), Level::Sum),
        }
    }

    fn application(&self, function: Function, args: &[Expr]) -> (String, Level) {
        match (function.form(), args) {
            (Form::Infix { symbol, level }, [a, b]) => {
                let own = if level == 1 { Level::Sum } else { Level::Product };
                let right = if function == Function::Add { own } else { tighter(own) };
                let (mut symbol, mut b) = (symbol, self.at_least(b, right));
                if function == Function::Add
                    && let Some(rest) = b.strip_prefix('−')
                {
                    (symbol, b) = (" − ", rest.to_owned());
                }
                (format!("{}{symbol}{b}", self.at_least(a, own)), own)
            }
            (Form::Juxtapose, [a, b]) => {
                let (a, b) = (self.at_least(a, Level::Product), self.at_least(b, Level::Product));
                (format!("{a}{}{b}", between(&a, &b)), Level::Product)
            }
            (Form::Fraction, [a, b]) => {
                (format!("{}/{}", self.at_least(a, Level::Product), self.at_least(b, Level::Power)), Level::Product)
            }
            (Form::Power, [a, p]) => {
                let base = self.at_least(a, Level::Symbol);
                match p.kind {
                    ExprKind::Number(p) if p.fract() == 0.0 => {
                        (format!("{base}{}", superscript(&number(p).0)), Level::Power)
                    }
                    _ => (format!("{base}^({})", self.unicode(p)), Level::Power),
                }
            }
            (Form::Prefix(sign), [a]) => (format!("{sign}{}", self.at_least(a, Level::Product)), Level::Sum),
            (Form::Template(template), _) => self.template(template, args),
            _ => {
                let args: Vec<String> = args.iter().map(|arg| self.unicode(arg)).collect();
                (format!("{}({})", function.name(), args.join(", ")), Level::Symbol)
            }
        }
    }

    /// `{0}` is put in as it is, `{0!}` as a symbol.
    fn template(&self, template: &str, args: &[Expr]) -> (String, Level) {
        let mut text = template.to_owned();
        for (at, arg) in args.iter().enumerate() {
            text = text.replace(&format!("{{{at}!}}"), &self.at_least(arg, Level::Symbol));
            text = text.replace(&format!("{{{at}}}"), &self.unicode(arg));
        }
        // A template that begins or ends with a bare operand is no symbol any more.
        let bare = template.starts_with('{') || template.ends_with('}');
        (text, if bare { Level::Power } else { Level::Symbol })
    }

    /// The text of an operand, in parentheses where it would fall apart.
    fn at_least(&self, expr: &Expr, level: Level) -> String {
        let (text, own) = self.text(expr);
        if own >= level { text } else { format!("({text})") }
    }
}

/// The vector whose pieces these are, where they are pieces of one.
fn weights(parts: &[Expr]) -> Option<&Expr> {
    let base = |part: &Expr| match &part.kind {
        ExprKind::Slice(base, _) => Some((**base).clone()),
        _ => None,
    };
    let first = parts.first()?;
    let ExprKind::Slice(params, _) = &first.kind else { return None };
    parts.iter().all(|part| base(part).as_ref() == Some(params)).then_some(params)
}

fn tighter(level: Level) -> Level {
    match level {
        Level::Sum => Level::Product,
        Level::Product => Level::Power,
        Level::Power | Level::Symbol => Level::Symbol,
    }
}

/// What stands between factors: nothing where both are plain, a dot between names of several letters
/// and between numbers.
fn between(a: &str, b: &str) -> &'static str {
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic() && !is_script(*c)).count();
    let begins_plain = !b.starts_with(|c: char| c.is_ascii_digit());
    if (is_number(a) && begins_plain)
        || b.starts_with(['(', '‖'])
        || (begins_plain && letters(a) <= 1 && letters(b) <= 1)
    {
        ""
    } else {
        "·"
    }
}

/// A number as a person writes it, and whether its sign makes it fall apart.
fn number(value: f64) -> (String, Level) {
    let size = value.abs();
    let text = if size.is_infinite() {
        "∞".to_owned()
    } else if size != 0.0 && !(1e-3..1e6).contains(&size) {
        format!("{size:e}")
    } else {
        size.to_string()
    };
    if value.is_sign_negative() && size != 0.0 { (format!("−{text}"), Level::Sum) } else { (text, Level::Symbol) }
}

const DIGITS: &str = "0123456789()−";

fn subscript(text: &str) -> String {
    raised(text, ['₀', '₁', '₂', '₃', '₄', '₅', '₆', '₇', '₈', '₉', '₍', '₎', '₋'])
}

fn superscript(text: &str) -> String {
    raised(text, ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹', '⁽', '⁾', '⁻'])
}

fn raised(text: &str, to: [char; 13]) -> String {
    text.chars().map(|c| DIGITS.chars().position(|digit| digit == c).map_or(c, |at| to[at])).collect()
}

fn is_script(c: char) -> bool {
    "ᵢᵀ".contains(c)
}
