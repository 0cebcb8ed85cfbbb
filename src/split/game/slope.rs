//! Between which numbers the derivative of a term lies, in the output u of a network that it reads:
//!
//! ```text
//! (f ∘ g)′ ∈ f′·g′ as intervals         (log σ(u))′ = σ(−u) ∈ (0, 1),   (log(1 − σ(u)))′ = −σ(u) ∈ (−1, 0)
//! ```
//!
//! of every element for itself; sums and means count as one. None where no rule tells.

use crate::catalogue::Function;
use crate::diag::number;
use crate::model::Model;
use crate::model::fold::{fold, is_constant};
use crate::model::ir::{Expr, ExprKind};
use crate::split::spellings::softplus_of;

/// `(low, high)`, an end that is 0 is not reached on an open set of u.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slope {
    pub low: f64,
    pub high: f64,
}

impl Slope {
    const ZERO: Slope = Slope { low: 0.0, high: 0.0 };

    fn of(low: f64, high: f64) -> Slope {
        Slope { low, high }
    }

    /// Whether one only rises and the other only falls.
    pub fn opposes(self, other: Slope) -> bool {
        let (rises, falls) = (|s: Slope| s.low >= 0.0 && s.high > 0.0, |s: Slope| s.high <= 0.0 && s.low < 0.0);
        rises(self) && falls(other) || falls(self) && rises(other)
    }

    /// Whether it rises, where it has a sign.
    pub fn rises(self) -> bool {
        self.low >= 0.0
    }

    fn times(self, other: Slope) -> Slope {
        // 0·∞ is a slope that is 0.
        let product = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b };
        let all = [
            product(self.low, other.low),
            product(self.low, other.high),
            product(self.high, other.low),
            product(self.high, other.high),
        ];
        Slope::of(all.into_iter().fold(f64::INFINITY, f64::min), all.into_iter().fold(f64::NEG_INFINITY, f64::max))
    }

    fn plus(self, other: Slope) -> Slope {
        Slope::of(self.low + other.low, self.high + other.high)
    }

    pub fn neg(self) -> Slope {
        // No −0.
        Slope::of(0.0 - self.high, 0.0 - self.low)
    }
}

impl std::fmt::Display for Slope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = |x: f64| match x {
            f64::INFINITY => "∞".to_string(),
            f64::NEG_INFINITY => "−∞".to_string(),
            x if x < 0.0 => format!("−{}", number(-x)),
            x => number(x),
        };
        if self.low == self.high {
            return write!(f, "is {}", end(self.low));
        }
        write!(f, "lies between {} and {}", end(self.low), end(self.high))
    }
}

/// The derivative of `expr` in `u`, which it reads.
pub(super) fn slope(model: &Model, expr: &Expr, u: &Expr) -> Option<Slope> {
    if expr.same(u) {
        return Some(Slope::of(1.0, 1.0));
    }
    if !reads(expr, u) {
        return Some(Slope::ZERO);
    }
    let inner = |expr: &Expr| slope(model, expr, u);
    let (function, args) = match &expr.kind {
        ExprKind::Apply(function, args) => (*function, args),
        ExprKind::Slice(base, _) | ExprKind::Reshape(base) | ExprKind::Over(_, base) => return inner(base),
        _ => return None,
    };
    if let Some(exponent) = softplus_of(model, expr) {
        return Some(inner(exponent)?.times(Slope::of(0.0, 1.0)));
    }
    let first = args.first()?;
    use Function::*;
    Some(match function {
        Add => inner(first)?.plus(inner(&args[1])?),
        Sub => inner(first)?.plus(inner(&args[1])?.neg()),
        Neg => inner(first)?.neg(),
        Sum | Mean => inner(first)?,
        Mul | ElemMul => match (factor(model, first), factor(model, &args[1])) {
            (Some(factor), _) => inner(&args[1])?.times(factor),
            (_, Some(factor)) => inner(first)?.times(factor),
            _ => return None,
        },
        Div | ElemDiv => {
            let by = factor(model, &args[1]).filter(|by| by.low != 0.0)?.low;
            inner(first)?.times(Slope::of(1.0 / by, 1.0 / by))
        }
        Log => match logit(first) {
            Some((sign, argument)) => {
                inner(argument)?.times(if sign { Slope::of(0.0, 1.0) } else { Slope::of(-1.0, 0.0) })
            }
            None => inner(first)?.times(Slope::of(0.0, f64::INFINITY)),
        },
        Log1p | Exp | Expm1 | Sqrt => inner(first)?.times(Slope::of(0.0, f64::INFINITY)),
        Sigmoid => inner(first)?.times(Slope::of(0.0, 0.25)),
        Tanh | Softplus | Relu | Pos => inner(first)?.times(Slope::of(0.0, 1.0)),
        NegPart => inner(first)?.times(Slope::of(-1.0, 0.0)),
        Maximum | Minimum if args.iter().filter(|arg| reads(arg, u)).count() == 1 => {
            let own = args.iter().find(|arg| reads(arg, u))?;
            inner(own)?.times(Slope::of(0.0, 1.0))
        }
        _ => return None,
    })
}

/// `u` of `sigmoid(u)`, and of `1 − sigmoid(u)` with false.
fn logit(expr: &Expr) -> Option<(bool, &Expr)> {
    match &expr.kind {
        ExprKind::Apply(Function::Sigmoid, args) => Some((true, args.first()?)),
        ExprKind::Apply(Function::Sub, sides) if matches!(sides[0].kind, ExprKind::Number(1.0)) => {
            let (sign, u) = logit(&sides[1])?;
            Some((!sign, u))
        }
        _ => None,
    }
}

/// A known number.
fn factor(model: &Model, expr: &Expr) -> Option<Slope> {
    let known = (expr.shape.is_scalar() && is_constant(expr)).then(|| fold(model, expr)).flatten()?;
    let number = known.item().filter(|number| number.is_finite())?;
    Some(Slope::of(number, number))
}

fn reads(expr: &Expr, u: &Expr) -> bool {
    expr.same(u) || expr.children().into_iter().any(|child| reads(child, u))
}
