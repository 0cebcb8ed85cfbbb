//! What is known of a value far out on a curve `v(t)`, `t → ∞`: how it may fall and how it may rise.
//!
//! ```text
//! low(t) ≤ value ≤ high(t) from some t on,      each a number or ±c·t^p (log t)^q with some c > 0
//! ```
//!
//! The constants c are not known, so of two orders that are equal neither outweighs the other; a bound that
//! [`Bound::Falls`] as an upper one is a proof that the value goes to −∞. This is interval arithmetic (Moore,
//! Interval Analysis, 1966) on growth orders (Hardy, Orders of Infinity, 1910) in the place of numbers.

/// `t^power (log t)^log`
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Order {
    /// ∞: faster than every power. As an outer bound: nothing is known.
    pub power: f64,
    /// Of the logarithm.
    pub log: f64,
}

impl Order {
    /// `1`
    pub const ONE: Order = Order { power: 0.0, log: 0.0 };
    /// `t`
    pub const LINEAR: Order = Order { power: 1.0, log: 0.0 };
    /// `log t`
    pub const LOG: Order = Order { power: 0.0, log: 1.0 };
    /// Beyond every power.
    pub const INFINITE: Order = Order { power: f64::INFINITY, log: 0.0 };

    fn times(self, other: Order) -> Order {
        let power = self.power + other.power;
        Order { power, log: if power.is_finite() { self.log + other.log } else { 0.0 } }
    }

    fn to_the(self, p: f64) -> Order {
        Order { power: self.power * p, log: self.log * p }
    }

    fn max(self, other: Order) -> Order {
        if other > self { other } else { self }
    }
}

/// One side of what is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// `−c` times the order.
    Falls(Order),
    /// That number.
    Number(f64),
    /// `c` times the order.
    Rises(Order),
}

use Bound::{Falls, Number, Rises};

/// What a sum with something that vanishes exceeds a number by, at the most, from some t on.
const SLACK: f64 = 1e-9;

impl Bound {
    fn neg(self) -> Bound {
        match self {
            Falls(order) => Rises(order),
            Number(x) => Number(-x),
            Rises(order) => Falls(order),
        }
    }

    /// A number that is one, else no bound at all in that direction.
    pub(super) fn number_or(x: f64, otherwise: Bound) -> Bound {
        if x.is_finite() { Number(x) } else { otherwise }
    }

    /// An upper bound of a sum of two that have these.
    fn plus(self, other: Bound) -> Bound {
        match (self, other) {
            (Number(a), Number(b)) => Bound::number_or(a + b, Rises(Order::INFINITE)),
            (Rises(p), Rises(q)) => Rises(p.max(q)),
            (Falls(p), Falls(q)) => Falls(p.max(q)),
            (Rises(p), Falls(q)) | (Falls(q), Rises(p)) => {
                if q > p {
                    Falls(q)
                } else {
                    Rises(p)
                }
            }
            (Rises(p), Number(b)) | (Number(b), Rises(p)) => match b {
                _ if p >= Order::ONE => Rises(p),
                0.0 => Rises(p),
                _ => Number(b + SLACK * (1.0 + b.abs())),
            },
            (Falls(p), Number(b)) | (Number(b), Falls(p)) => match b {
                _ if p > Order::ONE => Falls(p),
                0.0 => Falls(p),
                _ if b < 0.0 && p == Order::ONE => Falls(p),
                _ => Number(b),
            },
        }
    }

    /// An upper bound of both that have these.
    fn or(self, other: Bound) -> Bound {
        match (self, other) {
            (Number(a), Number(b)) => Number(a.max(b)),
            (Rises(p), Rises(q)) => Rises(p.max(q)),
            (Falls(p), Falls(q)) => Falls(if p < q { p } else { q }),
            (Rises(p), Falls(_)) | (Falls(_), Rises(p)) => Rises(p),
            (Rises(p), Number(b)) | (Number(b), Rises(p)) => match b {
                _ if p > Order::ONE || b <= 0.0 => Rises(p),
                _ if p == Order::ONE => Rises(p),
                _ => Number(b),
            },
            (Falls(p), Number(b)) | (Number(b), Falls(p)) => match b {
                _ if b >= 0.0 || p > Order::ONE => Number(b),
                _ if p == Order::ONE => Number(0.0),
                _ => Falls(p),
            },
        }
    }

    /// The product of two ends.
    fn times(self, other: Bound) -> Bound {
        let order = |bound: Bound| match bound {
            Falls(order) => Some((-1.0, order)),
            Rises(order) => Some((1.0, order)),
            Number(_) => None,
        };
        let signed = |sign: f64, order| match sign {
            0.0 => Number(0.0),
            _ if sign > 0.0 => Rises(order),
            _ => Falls(order),
        };
        match (self, other) {
            (Number(a), Number(b)) => match a * b {
                x if x.is_finite() => Number(x),
                x => signed(x.signum(), Order::ONE),
            },
            (Number(a), bound) | (bound, Number(a)) => {
                order(bound).map_or(Number(0.0), |(sign, order)| signed(a * sign, order))
            }
            (a, b) => match (order(a), order(b)) {
                (Some((s, p)), Some((t, q))) => signed(s * t, p.times(q)),
                _ => Number(0.0),
            },
        }
    }
}

/// What is known of every element of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// None of them is below.
    pub low: Bound,
    /// None of them is above.
    pub high: Bound,
}

impl Tail {
    /// Nothing is known.
    pub const ANY: Tail = Tail { low: Falls(Order::INFINITE), high: Rises(Order::INFINITE) };
    /// It does not change with t; how large it is is not known.
    pub const FIXED: Tail = Tail { low: Falls(Order::ONE), high: Rises(Order::ONE) };

    /// Numbers between these.
    pub fn between(low: f64, high: f64) -> Tail {
        Tail { low: Bound::number_or(low, Falls(Order::ONE)), high: Bound::number_or(high, Rises(Order::ONE)) }
    }

    /// `c` times the order, of that sign.
    pub fn like(sign: f64, order: Order) -> Tail {
        let bound = if sign < 0.0 { Falls(order) } else { Rises(order) };
        Tail { low: bound, high: bound }
    }

    /// Of either sign, at most of that order.
    pub fn within(order: Order) -> Tail {
        Tail { low: Falls(order), high: Rises(order) }
    }

    /// At least 0, at most of that order.
    pub fn nonnegative(order: Order) -> Tail {
        Tail { low: Number(0.0), high: Rises(order) }
    }

    /// `−x`
    pub fn neg(self) -> Tail {
        Tail { low: self.high.neg(), high: self.low.neg() }
    }

    /// `x + y`
    pub fn plus(self, other: Tail) -> Tail {
        Tail { low: self.low.neg().plus(other.low.neg()).neg(), high: self.high.plus(other.high) }
    }

    /// One or the other.
    pub fn or(self, other: Tail) -> Tail {
        Tail { low: self.low.neg().or(other.low.neg()).neg(), high: self.high.or(other.high) }
    }

    /// `x y`
    pub fn times(self, other: Tail) -> Tail {
        let ends = [(self.low, other.low), (self.low, other.high), (self.high, other.low), (self.high, other.high)];
        let corners = ends.map(|(a, b)| a.times(b)).map(|corner| Tail { low: corner, high: corner });
        corners[1..].iter().fold(corners[0], |all, corner| all.or(*corner))
    }

    /// The sum of `n` such.
    pub fn sum(self, n: usize) -> Tail {
        if n == 0 { Tail::between(0.0, 0.0) } else { self.times(Tail::between(n as f64, n as f64)) }
    }

    /// `|x|`
    pub fn abs(self) -> Tail {
        if self.is_nonnegative() {
            self
        } else if self.neg().is_nonnegative() {
            self.neg()
        } else {
            Tail { low: Number(0.0), high: self.high.or(self.low.neg()).or(Number(0.0)) }
        }
    }

    /// `x²`
    pub fn square(self) -> Tail {
        let size = self.abs();
        Tail { low: size.low.times(size.low), high: size.high.times(size.high) }
    }

    /// `1/x`; nothing is known of it where x may be 0.
    pub fn reciprocal(self) -> Tail {
        if self.neg().is_positive() {
            return self.neg().reciprocal().neg();
        }
        if !self.is_positive() {
            return Tail::ANY;
        }
        let inverse = |bound: Bound, otherwise: f64| match bound {
            Rises(order) if order.power.is_finite() => Rises(order.to_the(-1.0)),
            Number(x) if x.recip().is_finite() => Number(x.recip()),
            _ => Number(otherwise),
        };
        Tail { low: inverse(self.high, 0.0), high: inverse(self.low, f64::MAX) }
    }

    /// `x^p` of what is not negative, for p > 0.
    pub fn root(self, p: f64) -> Tail {
        let power = |bound: Bound| match bound {
            Rises(order) => Rises(order.to_the(p)),
            Number(x) => Bound::number_or(x.max(0.0).powf(p), Rises(Order::ONE)),
            falls => falls,
        };
        if self.is_nonnegative() { Tail { low: power(self.low), high: power(self.high) } } else { Tail::ANY }
    }

    /// Both ends under a function that does not fall.
    pub fn rising(self, low: impl Fn(Bound) -> Bound, high: impl Fn(Bound) -> Bound) -> Tail {
        Tail { low: low(self.low), high: high(self.high) }
    }

    /// Whether it is at least 0.
    pub fn is_nonnegative(self) -> bool {
        matches!(self.low, Rises(_)) || matches!(self.low, Number(x) if x >= 0.0)
    }

    /// Whether it is more than 0.
    pub fn is_positive(self) -> bool {
        matches!(self.low, Rises(_)) || matches!(self.low, Number(x) if x > 0.0)
    }

    /// Whether it stays below some number.
    pub fn is_bounded_above(self) -> bool {
        match self.high {
            Rises(order) => order <= Order::ONE,
            Number(_) | Falls(_) => true,
        }
    }

    /// How fast it goes to −∞, where it is sure to.
    pub fn falls(self) -> Option<Order> {
        match self.high {
            Falls(order) if order > Order::ONE => Some(order),
            _ => None,
        }
    }

    /// The least order that its magnitude is known to stay within; that of a constant where it shrinks.
    pub fn size(self) -> Order {
        match self.abs().high {
            Rises(order) => order.max(Order::ONE),
            Number(_) | Falls(_) => Order::ONE,
        }
    }
}

/// `t^3`, `t`, `log t`; `exp(t)` for what is beyond every power.
impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let power = match self.power {
            p if p == f64::INFINITY => return f.write_str("exp(t)"),
            0.0 => "",
            1.0 => "t",
            p => &format!("t^{p}"),
        };
        let log = match self.log {
            0.0 => "",
            1.0 => "log t",
            q => &format!("(log t)^{q}"),
        };
        match (power, log) {
            ("", "") => f.write_str("1"),
            ("", one) | (one, "") => f.write_str(one),
            (power, log) => write!(f, "{power} {log}"),
        }
    }
}
