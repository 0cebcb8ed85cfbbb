//! Functions of one number that a user wrote out, summed over the elements of something affine: `ψ` of
//! `sum(w .* exp(u) + exp(-u))`. Where ψ is known to be convex its step is the root of `x − v + tψ′(x)` in
//! every element, by Newton's method on derivatives that the tape takes.
//!
//! What is known of ψ follows from how it is composed (Grant, Boyd & Ye, Disciplined convex programming, 2006):
//! a sum of convex functions is convex, and so is a convex rising function of a convex one. Signs are
//! followed as intervals.

use std::sync::Arc;

use super::spellings::softplus_of;
use crate::catalogue::{Curve, Function, Proximal};
use crate::model::Model;
use crate::model::fold::{fold, is_constant};
use crate::model::ir::{Expr, ExprKind};
use crate::tape::{Builder, Interval, Shape, Value, gradient};

/// φ of an atom: a member of the catalogue, or what a user wrote out.
#[derive(Debug, Clone, PartialEq)]
pub enum Phi {
    /// A member.
    Member(Function),
    /// A sum over the elements of its argument.
    Scalar(Arc<Scalar>),
}

impl Phi {
    /// What the calculus of steps may rely on.
    pub fn facts(&self) -> Proximal {
        match self {
            Phi::Member(function) => function.proximal().expect("an atom has a proximal step"),
            Phi::Scalar(scalar) => Proximal {
                subject: 0,
                convex: true,
                separable: true,
                weighted: true,
                indicator: false,
                domain: scalar.domain != Interval::ALL,
            },
        }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Phi::Member(function) => function.name(),
            Phi::Scalar(_) => "ψ",
        }
    }

    /// Adds the instructions of `prox_{tφ}(v)`; the subject's place among `args` holds anything.
    pub fn prox(&self, b: &mut Builder, v: Value, t: Value, args: &[Value]) -> Value {
        match self {
            Phi::Member(function) => function.prox(b, v, t, args),
            Phi::Scalar(scalar) => scalar.prox(b, v, t, &args[1..]),
        }
    }
}

/// A convex function of one number, written out.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// The summand.
    pub summand: Expr,
    /// What it is a function of.
    pub subject: Expr,
    /// What else it holds, a number or an element for each of the subject's.
    pub constants: Vec<Expr>,
    /// Whether it is concave as written, and counted negatively.
    pub negated: bool,
    /// Where it has values.
    pub domain: Interval,
}

impl Scalar {
    /// Reads the summand of a sum that is counted with that sign.
    pub(super) fn read(model: &Model, summand: &Expr, negated: bool) -> Option<Scalar> {
        let mut summand = summand.clone();
        stabilise(model, &mut summand);
        let summand = &summand;
        let found = [false, true].into_iter().find_map(|whole| {
            let mut found = Found { whole, subject: None, constants: Vec::new() };
            let sound = found.walk(summand) && found.subject.as_ref()?.shape == summand.shape;
            sound.then_some(found)
        })?;
        // What has no parts is no function of a number.
        let subject = found.subject.filter(|subject| !subject.same(summand))?;
        let mut reader = Reader { model, subject: &subject, domain: Interval::ALL };
        let curve = reader.known(summand)?.curve;
        let fits = if negated { curve.concave } else { curve.convex };
        let domain = reader.domain;
        fits.then(|| Scalar {
            summand: summand.clone(),
            subject: subject.clone(),
            constants: found.constants,
            negated,
            domain,
        })
    }

    fn prox(&self, b: &mut Builder, v: Value, t: Value, constants: &[Value]) -> Value {
        b.newton(v, t, constants, self.domain, |b, x, constants| {
            let value = self.lower(b, &self.summand, x, constants);
            let value = if self.negated { b.neg(value) } else { value };
            let slope = gradient(b, value, &[x])[0];
            (slope, gradient(b, slope, &[x])[0])
        })
    }

    /// The summand at one number.
    fn lower(&self, b: &mut Builder, expr: &Expr, x: Value, constants: &[Value]) -> Value {
        if expr.same(&self.subject) {
            return x;
        }
        if let ExprKind::Number(number) = expr.kind {
            return b.constant(number, b.dtype(x));
        }
        if let Some(at) = self.constants.iter().position(|constant| constant.same(expr)) {
            return constants[at];
        }
        let ExprKind::Apply(function, args) = &expr.kind else {
            unreachable!("a summand is made of its subject, constants and functions of them (Scalar::read)")
        };
        let args: Vec<Value> = args.iter().map(|arg| self.lower(b, arg, x, constants)).collect();
        function.lower(b, &args, &Shape::scalar())
    }
}

/// `log(1 + exp(e))` as the one function that it is: its parts overflow, and do not show that it is convex.
fn stabilise(model: &Model, expr: &mut Expr) {
    if let Some(inner) = softplus_of(model, expr) {
        expr.kind = ExprKind::Apply(Function::Softplus, vec![inner.clone()]);
    }
    expr.children_mut().into_iter().for_each(|child| stabilise(model, child));
}

/// The one thing that a summand is a function of, and the constants beside it.
struct Found {
    /// Whether what is affine is taken as it stands, and not looked into for less: `A*x + v` instead of `A*x`.
    whole: bool,
    subject: Option<Expr>,
    constants: Vec<Expr>,
}

impl Found {
    /// Whether it is made of one subject and constants by functions of elements.
    fn walk(&mut self, expr: &Expr) -> bool {
        if matches!(expr.kind, ExprKind::Number(_)) {
            return true;
        }
        if is_constant(expr) {
            if !self.constants.iter().any(|known| known.same(expr)) {
                self.constants.push(expr.clone());
            }
            return true;
        }
        let stops = self.whole && is_affine(expr);
        match &expr.kind {
            ExprKind::Apply(function, args) if !stops && is_elementwise(*function, args) => {
                args.iter().all(|arg| self.walk(arg))
            }
            _ => match &self.subject {
                Some(subject) => subject.same(expr),
                None => {
                    self.subject = Some(expr.clone());
                    true
                }
            },
        }
    }
}

fn is_elementwise(function: Function, args: &[Expr]) -> bool {
    let number = |arg: &Expr| arg.shape.is_scalar();
    match function {
        Function::Mul => args.iter().any(number),
        Function::Div => number(&args[1]),
        function => function.is_elementwise(),
    }
}

/// Whether an expression is affine in what it holds, by how it is written.
fn is_affine(expr: &Expr) -> bool {
    let all = |args: &[Expr]| args.iter().all(is_affine);
    is_constant(expr)
        || match &expr.kind {
            ExprKind::Leaf(_) => true,
            ExprKind::Apply(Function::Add | Function::Sub | Function::Neg | Function::Transpose, args) => all(args),
            ExprKind::Apply(Function::Mul | Function::ElemMul, args) => args.iter().any(is_constant) && all(args),
            ExprKind::Apply(Function::Div | Function::ElemDiv, args) => is_constant(&args[1]) && is_affine(&args[0]),
            ExprKind::Slice(..) | ExprKind::Reshape(_) | ExprKind::Concat(..) => {
                expr.children().into_iter().all(is_affine)
            }
            _ => false,
        }
}

/// What is known of a value as a function of the subject.
#[derive(Debug, Clone, Copy)]
struct Known {
    curve: Bend,
    /// Between what it lies.
    low: f64,
    high: f64,
}

/// Both of what is affine.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bend {
    convex: bool,
    concave: bool,
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
    fn negated(self) -> Known {
        Known { curve: self.curve.flipped(), low: -self.high, high: -self.low }
    }

    fn plus(self, other: Known) -> Known {
        Known { curve: self.curve.and(other.curve), low: self.low + other.low, high: self.high + other.high }
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

struct Reader<'a> {
    model: &'a Model,
    subject: &'a Expr,
    domain: Interval,
}

impl Reader<'_> {
    /// What is known of an expression; `None` where it has no values at some points that the subject may take.
    fn known(&mut self, expr: &Expr) -> Option<Known> {
        if expr.same(self.subject) {
            return Some(Known { curve: Bend::AFFINE, low: f64::NEG_INFINITY, high: f64::INFINITY });
        }
        if is_constant(expr) {
            let (low, high) = self.range(expr);
            return Some(Known { curve: Bend::AFFINE, low, high });
        }
        let ExprKind::Apply(function, args) = &expr.kind else { return None };
        match (function, &args[..]) {
            (Function::Neg, [a]) => Some(self.known(a)?.negated()),
            (Function::Add, [a, b]) => Some(self.known(a)?.plus(self.known(b)?)),
            (Function::Sub, [a, b]) => Some(self.known(a)?.plus(self.known(b)?.negated())),
            (Function::Mul | Function::ElemMul, [a, b]) => {
                let (constant, other) = if is_constant(a) { (a, b) } else { (b, a) };
                is_constant(constant).then_some(())?;
                let (low, high) = self.range(constant);
                Some(self.known(other)?.times(low, high))
            }
            (Function::Div | Function::ElemDiv, [a, b]) => {
                is_constant(b).then_some(())?;
                let (low, high) = self.range(b);
                let of_one_sign = low > 0.0 || high < 0.0;
                of_one_sign.then_some(())?;
                Some(self.known(a)?.times(1.0 / high, 1.0 / low))
            }
            (Function::Pow | Function::ElemPow, [a, p]) => {
                is_constant(p).then_some(())?;
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
            (function, [a]) => {
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
            _ => None,
        }
    }

    /// The numbers of a constant lie between these.
    fn range(&self, expr: &Expr) -> (f64, f64) {
        let all = fold(self.model, expr).map(|tensor| tensor.to_f64());
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
        if inner.low > from || !open && inner.low == from {
            return Some(());
        }
        if !arg.same(self.subject) {
            return None;
        }
        self.domain.lower = self.domain.lower.max(from);
        Some(())
    }

    /// A function at a number; at an end of what its argument may be, where that is no number.
    fn at(&self, function: Function, x: f64) -> Option<f64> {
        let number = Expr { kind: ExprKind::Number(x), shape: Shape::scalar(), span: self.subject.span };
        let value =
            Expr { kind: ExprKind::Apply(function, vec![number]), shape: Shape::scalar(), span: self.subject.span };
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
