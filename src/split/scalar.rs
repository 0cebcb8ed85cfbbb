//! Functions of one number that a user wrote out, summed over the elements of something affine: `ψ` of
//! `sum(w .* exp(u) + exp(-u))`. Where ψ is known to be convex its step is the root of `x − v + tψ′(x)` in
//! every element, by Newton's method on derivatives that the tape takes.
//!
//! What is known of ψ follows from how it is composed: [`bend`].

use std::sync::Arc;

use super::bend;
use super::spellings::softplus_of;
use crate::catalogue::{Function, Proximal};
use crate::model::Model;
use crate::model::fold::is_constant;
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
        let (curve, domain) = bend::of_number(model, summand, &subject)?;
        let fits = if negated { curve.concave } else { curve.convex };
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
pub(super) fn stabilise(model: &Model, expr: &mut Expr) {
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
