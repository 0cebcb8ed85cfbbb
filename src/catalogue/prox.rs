//! The proximal step of a member, and what the calculus of steps may rely on.
//!
//! ```text
//! prox_{tφ}(v) = argmin_x  t φ(x) + ½‖x − v‖²
//! ```
//!
//! `x` is the member's *subject*, one of its parameters; the others are constants. A set is the function
//! that is 0 inside and +∞ outside, so that its proximal step is the projection at any `t`.
//! Parikh & Boyd, Proximal Algorithms (2014).

use crate::tape::{Builder, Value};

/// `v`, `t > 0`, and all arguments of the member (a set's behind the element) → `prox_{tφ}(v)`. The
/// subject stands among the arguments too and is not read. `t` is a number or, where the member is
/// [`Prox::weighted`], has the shape of `v`.
pub(super) type ProxRule = fn(&mut Builder, v: Value, t: Value, args: &[Value]) -> Value;

/// A proximal step and its facts.
#[derive(Clone, Copy)]
pub(super) struct Prox {
    /// The facts.
    pub facts: Proximal,
    /// The step.
    pub step: ProxRule,
}

/// What the calculus of steps may rely on; see [`super::Function::prox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proximal {
    /// Which parameter is the variable of the step; the others are constants.
    pub subject: usize,
    /// Whether the function is convex.
    pub convex: bool,
    /// Whether it is a sum of functions of one element each.
    pub separable: bool,
    /// Whether the step's `t` may differ from element to element. Whatever is separable allows it.
    pub weighted: bool,
    /// Whether it is the indicator of a set.
    pub indicator: bool,
    /// Whether it is a function that has no value at some points.
    pub domain: bool,
}

impl Prox {
    /// Of a convex function of all elements together, its subject first.
    pub const fn convex(step: ProxRule) -> Prox {
        let facts =
            Proximal { subject: 0, convex: true, separable: false, weighted: false, indicator: false, domain: false };
        Prox { facts, step }
    }

    /// Of a convex function that is a sum over the elements.
    pub const fn separable(step: ProxRule) -> Prox {
        let prox = Prox::convex(step);
        Prox { facts: Proximal { separable: true, weighted: true, ..prox.facts }, ..prox }
    }

    /// The same, `φ` not being convex: the step is a global minimiser, the first where there are several.
    pub const fn nonconvex(self) -> Prox {
        Prox { facts: Proximal { convex: false, ..self.facts }, ..self }
    }

    /// The same, with `t` allowed to differ from element to element.
    pub const fn weighted(self) -> Prox {
        Prox { facts: Proximal { weighted: true, ..self.facts }, ..self }
    }

    /// The same, with another parameter as `x`.
    pub const fn subject(self, subject: usize) -> Prox {
        Prox { facts: Proximal { subject, ..self.facts }, ..self }
    }

    /// The same, `φ` having no value at some points.
    pub const fn domain(self) -> Prox {
        Prox { facts: Proximal { domain: true, ..self.facts }, ..self }
    }

    /// The same, `φ` being the indicator of a set.
    pub const fn indicator(self) -> Prox {
        Prox { facts: Proximal { indicator: true, ..self.facts }, ..self }
    }
}

/// What stands in the place of a set's value: [`super::Function::lower`] takes the distance instead.
pub(super) fn distance_unlowered(_: &mut Builder, _: &[Value]) -> Value {
    unreachable!("the value of a set is its distance (Function::lower)")
}

/// `‖x − P(x)‖∞`, how far outside `x` is.
pub(super) fn distance(b: &mut Builder, prox: &Prox, args: &[Value]) -> Value {
    let x = args[0];
    let one = b.constant(1.0, b.dtype(x));
    let projected = (prox.step)(b, x, one, args);
    let off = b.sub(x, projected);
    super::set::largest(b, off)
}
