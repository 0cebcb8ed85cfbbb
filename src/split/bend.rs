//! Whether a value bends upwards or downwards, by how it is composed of functions whose curve is known (Grant,
//! Boyd & Ye, Disciplined convex programming, 2006): a sum of convex functions is convex, and so is a convex rising
//! function of a convex one. Signs are followed as intervals.
//!
//! Either of one number, the subject of a summand, with the interval that the functions keep it to; or of a player's
//! variables, where a function that is left outside of its domain counts as infinite there, as a barrier does.

use super::scalar::stabilise;
use crate::catalogue::{Curve, Function};
use crate::model::Model;
use crate::model::fold::{fold, is_constant};
use crate::model::ir::{Expr, ExprKind, Leaf, PlayerId};
use crate::source::Span;
use crate::tape::{Interval, Shape};

/// Of a summand as a function of its subject, which its functions keep to the interval.
pub(super) fn of_number(model: &Model, summand: &Expr, subject: &Expr) -> Option<(Bend, Interval)> {
    let mut reader = Reader { model, of: Of::Number(subject), domain: Interval::ALL };
    let curve = reader.known(summand)?.curve;
    Some((curve, reader.domain))
}

/// Whether an expression is known to be convex in the variables of a player.
pub(super) fn is_convex(model: &Model, player: PlayerId, expr: &Expr) -> bool {
    let mut expr = expr.clone();
    stabilise(model, &mut expr);
    let mut reader = Reader { model, of: Of::Variables(player), domain: Interval::ALL };
    reader.known(&expr).is_some_and(|known| known.curve.convex)
}

/// What is known of a value, or of each of its elements.
#[derive(Debug, Clone, Copy)]
struct Known {
    curve: Bend,
    /// Between what it lies.
    low: f64,
    high: f64,
}

/// Both of what is affine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bend {
    pub convex: bool,
    pub concave: bool,
}

impl Bend {
    const AFFINE: Bend = Bend { convex: true, concave: true };
    const NONE: Bend = Bend { convex: false, concave: false };

    fn flipped(self) -> Bend {
        Bend { convex: self.concave, concave: self.convex }
    }

    fn and(self, other: Bend) -> Bend {
        Bend { convex: self.convex && other.convex, concave: self.concave && other.concave }
    }
}

impl Known {
    /// What is affine, and may be any number.
    const ANY: Known = Known { curve: Bend::AFFINE, low: f64::NEG_INFINITY, high: f64::INFINITY };

    fn is_any(self) -> bool {
        self.curve == Bend::AFFINE && self.low == f64::NEG_INFINITY && self.high == f64::INFINITY
    }

    fn negated(self) -> Known {
        Known { curve: self.curve.flipped(), low: -self.high, high: -self.low }
    }

    fn plus(self, other: Known) -> Known {
        Known { curve: self.curve.and(other.curve), low: self.low + other.low, high: self.high + other.high }
    }

    /// A sum of some such.
    fn summed(self) -> Known {
        let low = if self.low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
        let high = if self.high <= 0.0 { 0.0 } else { f64::INFINITY };
        Known { low, high, ..self }
    }

    /// Times numbers between those.
    fn times(self, low: f64, high: f64) -> Known {
        let ends = [self.low * low, self.low * high, self.high * low, self.high * high];
        let sound = |x: f64| if x.is_nan() { 0.0 } else { x };
        let (least, most) = ends
            .into_iter()
            .map(sound)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (x.min(least), x.max(most)));
        let curve = match (low >= 0.0, high <= 0.0) {
            (true, _) => self.curve,
            (_, true) => self.curve.flipped(),
            _ if self.curve == Bend::AFFINE => Bend::AFFINE,
            _ => Bend::NONE,
        };
        Known { curve, low: least, high: most }
    }
}

/// What a value is looked at as a function of.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// Of one number, this.
    Number(&'a Expr),
    /// Of all variables of a player.
    Variables(PlayerId),
}

struct Reader<'a> {
    model: &'a Model,
    of: Of<'a>,
    domain: Interval,
}

impl Reader<'_> {
    /// What is known of an expression; `None` where nothing is, or where it has no values at some points that the
    /// subject may take.
    fn known(&mut self, expr: &Expr) -> Option<Known> {
        if self.is_fixed(expr) {
            let (low, high) = self.range(expr);
            return Some(Known { curve: Bend::AFFINE, low, high });
        }
        if self.is_free(expr) {
            return Some(Known::ANY);
        }
        let (function, args) = match &expr.kind {
            ExprKind::Apply(function, args) => (function, args),
            ExprKind::Slice(base, _) | ExprKind::Reshape(base) => return self.known(base),
            ExprKind::Concat(parts, _) => return self.all(parts),
            ExprKind::Over(_, body) => return Some(self.known(body)?.summed()),
            _ => return None,
        };
        match (function, &args[..]) {
            (Function::Neg, [a]) => Some(self.known(a)?.negated()),
            (Function::Add, [a, b]) => Some(self.known(a)?.plus(self.known(b)?)),
            (Function::Sub, [a, b]) => Some(self.known(a)?.plus(self.known(b)?.negated())),
            (Function::Mul | Function::ElemMul | Function::Dot, [a, b]) => {
                let (constant, other) = if self.is_fixed(a) { (a, b) } else { (b, a) };
                self.is_fixed(constant).then_some(())?;
                let other = self.known(other)?;
                // Of what is affine and anything, the product is too, whatever the numbers of a matrix are.
                if other.is_any() {
                    return Some(Known::ANY);
                }
                let (low, high) = self.range(constant);
                let product = other.times(low, high);
                let summed = *function != Function::ElemMul && !a.shape.is_scalar() && !b.shape.is_scalar();
                Some(if summed { product.summed() } else { product })
            }
            (Function::Div | Function::ElemDiv, [a, b]) => {
                self.is_fixed(b).then_some(())?;
                let (low, high) = self.range(b);
                let of_one_sign = low > 0.0 || high < 0.0;
                of_one_sign.then_some(())?;
                Some(self.known(a)?.times(1.0 / high, 1.0 / low))
            }
            (Function::Pow | Function::ElemPow, [a, p]) => {
                self.is_fixed(p).then_some(())?;
                let (low, high) = self.range(p);
                (low == high).then_some(())?;
                let base = self.known(a)?;
                self.power(base, low)
            }
            (Function::Maximum | Function::Minimum, args) => {
                let curve = function.curve()?;
                let all: Option<Vec<Known>> = args.iter().map(|arg| self.known(arg)).collect();
                let all = all?;
                let bend = all.iter().map(|known| composed(curve, *known)).reduce(Bend::and)?;
                let ends = |end: fn(&Known) -> f64, pick: fn(f64, f64) -> f64| all.iter().map(end).reduce(pick);
                let pick = if *function == Function::Maximum { f64::max } else { f64::min };
                Some(Known { curve: bend, low: ends(|known| known.low, pick)?, high: ends(|known| known.high, pick)? })
            }
            (Function::Sum | Function::Mean | Function::RowSums | Function::ColSums | Function::Trace, [a]) => {
                Some(self.known(a)?.summed())
            }
            (Function::Transpose | Function::Vectorise, [a]) => self.known(a),
            (Function::SumSquares | Function::Norm1 | Function::Norm2 | Function::NormFro | Function::NormInf, [a]) => {
                let curve = composed(Curve::ConvexEven, self.known(a)?);
                Some(Known { curve, low: 0.0, high: f64::INFINITY })
            }
            (Function::Max | Function::LogSumExp, [a]) => {
                let curve = composed(Curve::ConvexRising, self.known(a)?);
                Some(Known { curve, ..Known::ANY })
            }
            (Function::Min, [a]) => Some(Known { curve: composed(Curve::ConcaveRising, self.known(a)?), ..Known::ANY }),
            (Function::NegLog, [a]) => {
                Some(Known { curve: composed(Curve::ConvexFalling, self.known(a)?), ..Known::ANY })
            }
            (function, [a]) if function.curve().is_some() => {
                let curve = function.curve()?;
                let inner = self.known(a)?;
                self.within(*function, a, inner)?;
                let ends = [self.at(*function, inner.low)?, self.at(*function, inner.high)?];
                let least = match curve {
                    Curve::ConvexEven if inner.low <= 0.0 && inner.high >= 0.0 => self.at(*function, 0.0)?,
                    _ => ends[0].min(ends[1]),
                };
                Some(Known { curve: composed(curve, inner), low: least, high: ends[0].max(ends[1]) })
            }
            // A loss or a norm of the catalogue, with constants beside its subject.
            (function, args) => {
                let facts = function.proximal().filter(|facts| facts.convex && !facts.indicator)?;
                let mut others = args.iter().enumerate().filter(|(k, _)| *k != facts.subject);
                let affine = self.known(&args[facts.subject])?.curve == Bend::AFFINE;
                let sound = affine && others.all(|(_, arg)| self.is_fixed(arg));
                sound.then_some(Known { curve: Bend { convex: true, concave: false }, ..Known::ANY })
            }
        }
    }

    /// What all of them are.
    fn all(&mut self, parts: &[Expr]) -> Option<Known> {
        let all: Option<Vec<Known>> = parts.iter().map(|part| self.known(part)).collect();
        let join =
            |a: Known, b: Known| Known { curve: a.curve.and(b.curve), low: a.low.min(b.low), high: a.high.max(b.high) };
        all?.into_iter().reduce(join)
    }

    /// Whether an expression does not move.
    fn is_fixed(&self, expr: &Expr) -> bool {
        let Of::Variables(player) = self.of else { return is_constant(expr) };
        let mut fixed = true;
        expr.leaves(&mut |leaf| {
            fixed &= !matches!(leaf, Leaf::Var(var, _) if self.model.vars[var.index()].player == player);
        });
        fixed
    }

    /// Whether it is what moves, and anything.
    fn is_free(&self, expr: &Expr) -> bool {
        match self.of {
            Of::Number(subject) => expr.same(subject),
            Of::Variables(_) => matches!(expr.kind, ExprKind::Leaf(Leaf::Var(..))),
        }
    }

    /// The numbers of a constant lie between these.
    fn range(&self, expr: &Expr) -> (f64, f64) {
        let all = fold(self.model, expr).filter(|_| is_constant(expr)).map(|tensor| tensor.to_f64());
        match all {
            Some(all) if !all.is_empty() && all.iter().all(|x| !x.is_nan()) => {
                all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (x.min(low), x.max(high)))
            }
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// Whether a function has values where its argument lies; the subject itself is kept to where it has.
    fn within(&mut self, function: Function, arg: &Expr, inner: Known) -> Option<()> {
        let (from, open) = match function {
            Function::Log => (0.0, true),
            Function::Log1p => (-1.0, true),
            Function::Sqrt => (0.0, false),
            _ => return Some(()),
        };
        let stays = inner.low > from || !open && inner.low == from;
        if stays || matches!(self.of, Of::Variables(_)) {
            return Some(());
        }
        self.is_free(arg).then_some(())?;
        self.domain.lower = self.domain.lower.max(from);
        Some(())
    }

    /// A function at a number; at an end of what its argument may be, where that is no number.
    fn at(&self, function: Function, x: f64) -> Option<f64> {
        let scalar = |kind| Expr { kind, shape: Shape::scalar(), span: Span::default() };
        let value = scalar(ExprKind::Apply(function, vec![scalar(ExprKind::Number(x))]));
        let value = fold(self.model, &value)?.to_f64()[0];
        // Outside of its domain a function of one of these curves has no value: it has its least there.
        Some(if value.is_nan() { f64::NEG_INFINITY } else { value })
    }

    /// `aᵖ`
    fn power(&self, base: Known, p: f64) -> Option<Known> {
        let even = p > 0.0 && p % 2.0 == 0.0;
        let curve = match () {
            _ if p == 1.0 => return Some(base),
            _ if even => Curve::ConvexEven,
            _ if base.low < 0.0 => return None,
            _ if p > 1.0 => Curve::ConvexRising,
            _ if p > 0.0 => Curve::ConcaveRising,
            _ if base.low > 0.0 => Curve::ConvexFalling,
            _ => return None,
        };
        let ends = [base.low.powf(p), base.high.powf(p)];
        let least = if even && base.low <= 0.0 && base.high >= 0.0 { 0.0 } else { ends[0].min(ends[1]) };
        Some(Known { curve: composed(curve, base), low: least, high: ends[0].max(ends[1]) })
    }
}

/// A function of such a curve, of something of that bend.
fn composed(outer: Curve, inner: Known) -> Bend {
    let rises = match outer {
        Curve::ConvexRising | Curve::ConcaveRising => Some(true),
        Curve::ConvexFalling => Some(false),
        Curve::ConvexEven if inner.low >= 0.0 => Some(true),
        Curve::ConvexEven if inner.high <= 0.0 => Some(false),
        Curve::ConvexEven => None,
    };
    let Bend { convex, concave } = inner.curve;
    let affine = convex && concave;
    let (with, against) = match rises {
        Some(true) => (convex, concave),
        Some(false) => (concave, convex),
        None => (affine, affine),
    };
    match outer {
        Curve::ConcaveRising => Bend { convex: false, concave: affine || against },
        _ => Bend { convex: affine || with, concave: false },
    }
}
