//! A signature as a person reads it — `split(table, n, seed = 0)` — is also what arguments are
//! checked against, so the two can't disagree.
//!
//! `name = value` is optional (with `…` for a value there is no number for). A parameter `…` repeats
//! the one before it; those behind it are given by name.

/// Name and parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub &'static str);

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// By which an argument may name it.
    pub name: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it is then, where that is a number.
    pub default: Option<f64>,
}

/// Why arguments don't fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Misuse {
    /// No argument for this parameter.
    Lacking(&'static str),
    /// More arguments than parameters; the first one too many.
    TooMany(usize),
    /// The argument at this position names no parameter.
    Unknown(usize),
    /// The argument at this position names a parameter that has one already.
    Twice(usize),
}

impl Signature {
    /// What stands before the parenthesis.
    pub fn name(self) -> &'static str {
        self.0.split('(').next().unwrap_or(self.0)
    }

    /// The parameters in order, without the `…`.
    pub fn parameters(self) -> Vec<Parameter> {
        self.pieces()
            .filter(|&piece| piece != "…")
            .map(|piece| {
                let (name, default) =
                    piece.split_once('=').map_or((piece, None), |(name, default)| (name, Some(default)));
                Parameter {
                    name: name.trim(),
                    optional: default.is_some(),
                    default: default.and_then(|default| default.trim().parse().ok()),
                }
            })
            .collect()
    }

    /// Whether a parameter may be given any number of times.
    pub fn repeats(self) -> bool {
        self.pieces().any(|piece| piece == "…")
    }

    fn pieces(self) -> impl Iterator<Item = &'static str> {
        let inside = self.0.split_once('(').map_or("", |(_, rest)| rest.strip_suffix(')').unwrap_or(rest));
        inside.split(',').map(str::trim).filter(|piece| !piece.is_empty())
    }

    /// Brings arguments, given with or without a name, into the order of the parameters: `None`
    /// for an optional one left out. Repeated ones follow at the end.
    pub fn arrange<T>(self, args: Vec<(Option<&str>, T)>) -> Result<Vec<Option<T>>, Misuse> {
        let parameters = self.parameters();
        let positional = self.pieces().take_while(|&piece| piece != "…").count();
        let mut slots: Vec<Option<T>> = parameters.iter().map(|_| None).collect();
        let mut next = 0;
        for (at, (name, value)) in args.into_iter().enumerate() {
            let slot = match name {
                Some(name) => {
                    parameters.iter().position(|parameter| parameter.name == name).ok_or(Misuse::Unknown(at))?
                }
                None if next < positional => {
                    next += 1;
                    next - 1
                }
                None if self.repeats() => {
                    slots.push(Some(value));
                    continue;
                }
                None => return Err(Misuse::TooMany(at)),
            };
            if slots[slot].is_some() {
                return Err(Misuse::Twice(at));
            }
            slots[slot] = Some(value);
        }
        let lacking = parameters.iter().zip(&slots).find(|(parameter, slot)| !parameter.optional && slot.is_none());
        match lacking {
            Some((parameter, _)) => Err(Misuse::Lacking(parameter.name)),
            None => Ok(slots),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPLIT: Signature = Signature("split(table, n, seed = 0)");

    #[test]
    fn reads_as_it_is_written() {
        let names: Vec<_> = SPLIT.parameters().iter().map(|parameter| parameter.name).collect();
        assert_eq!((SPLIT.name(), names), ("split", vec!["table", "n", "seed"]));
        assert_eq!(SPLIT.parameters()[2].default, Some(0.0));
        assert!(!SPLIT.repeats() && Signature("average(a, b, …)").repeats());
    }

    #[test]
    fn names_and_positions_mix() {
        assert_eq!(SPLIT.arrange(vec![(Some("n"), 3), (None, 1)]), Ok(vec![Some(1), Some(3), None]));
        assert_eq!(SPLIT.arrange(vec![(None, 1)]), Err(Misuse::Lacking("n")));
        assert_eq!(SPLIT.arrange(vec![(None, 1), (Some("table"), 2)]), Err(Misuse::Twice(1)));
        assert_eq!(SPLIT.arrange(vec![(Some("sed"), 1)]), Err(Misuse::Unknown(0)));
        assert_eq!(SPLIT.arrange((0..4).map(|i| (None, i)).collect()), Err(Misuse::TooMany(3)));
        let many = Signature("average(a, b, …)").arrange((0..4).map(|i| (None, i)).collect());
        assert_eq!(many, Ok(vec![Some(0), Some(1), Some(2), Some(3)]));
        let seeded = Signature("normal(n, …, seed = 0)").arrange(vec![(None, 4), (None, 5), (Some("seed"), 1)]);
        assert_eq!(seeded, Ok(vec![Some(4), Some(1), Some(5)]));
    }
}
