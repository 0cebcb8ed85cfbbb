//! What a member of the catalogue says about itself.

use crate::tape::ops::Unary;
use crate::tape::{Builder, Shape, Value};

use super::Function;
use super::curve::Curve;
use super::prox::Prox;
use super::set::{Reading, Set, ValueRule};
use super::shapes;

/// A member: the one place where it is described.
pub(super) struct Member {
    /// `huber(r, M = 1)`
    pub signature: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// A line for people.
    pub doc: &'static str,
    /// For `explain`.
    pub form: Form,
    /// See [`super::Function::is_elementwise`].
    pub elementwise: bool,
    /// Whether it lacks a derivative somewhere: at kinks, at ties, or where what it applies has a kink.
    pub kinked: bool,
    /// See [`super::Function::curve`].
    pub curve: Option<Curve>,
    /// The function of a linear member that it is: see [`super::Function::composed`].
    pub composed: Option<(Function, Function)>,
    /// Shape of the result.
    pub shape: ShapeRule,
    /// Value, as a program.
    pub lower: LowerRule,
    /// What the values of its arguments must be, where not every one will do.
    pub values: Option<ValueRule>,
    /// Its proximal step, where it has one.
    pub prox: Option<Prox>,
    /// Its own facts, where it is a set.
    pub set: Option<Set>,
}

/// Shapes of the arguments → shape of the result.
pub(super) type ShapeRule = fn(&[Shape]) -> Result<Shape, WrongArguments>;

/// Arguments → result, on the tape.
pub(super) type LowerRule = fn(&mut Builder, &[Value]) -> Value;

/// How mathematics writes a member. In a template, `{0}` stands between brackets of its own and
/// `{0!}` is put in parentheses unless it is a single symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `name(a, b)`
    Call,
    /// `a + b`, binding as tightly as `level` says.
    Infix {
        /// With the spaces around it.
        symbol: &'static str,
        /// 1 for sums, 2 for products.
        level: u8,
    },
    /// `a b`, a product
    Juxtapose,
    /// `a/b`
    Fraction,
    /// `aᵇ`
    Power,
    /// `−a`
    Prefix(&'static str),
    /// `‖{0}‖₁`
    Template(&'static str),
}

/// Why arguments don't fit a signature, by position from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongArguments {
    /// Two of them don't fit together.
    Disagree {
        /// One.
        left: usize,
        /// The other.
        right: usize,
        /// What must agree.
        rule: &'static str,
    },
    /// One is of another kind than wanted: `a vector`.
    Argument {
        /// Which.
        at: usize,
        /// What it should be.
        wanted: &'static str,
    },
}

impl Member {
    /// A smooth function of each element.
    pub const fn elementwise(signature: &'static str, doc: &'static str, lower: LowerRule) -> Member {
        Member {
            signature,
            aliases: &[],
            doc,
            form: Form::Call,
            elementwise: true,
            kinked: false,
            curve: None,
            composed: None,
            shape: shapes::same,
            lower,
            values: None,
            prox: None,
            set: None,
        }
    }

    /// A function of a whole tensor that gives one number.
    pub const fn total(signature: &'static str, doc: &'static str, lower: LowerRule) -> Member {
        Member { elementwise: false, shape: shapes::number, ..Member::elementwise(signature, doc, lower) }
    }

    /// The same, written so in mathematics.
    pub const fn form(self, form: Form) -> Member {
        Member { form, ..self }
    }

    /// The same, under other names too.
    pub const fn aliases(self, aliases: &'static [&'static str]) -> Member {
        Member { aliases, ..self }
    }

    /// The same, without a derivative at kinks, at ties, or where what it applies has a kink.
    pub const fn kinked(self) -> Member {
        Member { kinked: true, ..self }
    }

    /// The same, of such a curve in each argument.
    pub const fn curve(self, curve: Curve) -> Member {
        Member { curve: Some(curve), ..self }
    }

    /// The same, being `outer` of the linear `inner` of its argument.
    pub const fn composed(self, outer: Function, inner: Function) -> Member {
        Member { composed: Some((outer, inner)), ..self }
    }

    /// A set, written behind `in`: `simplex`, `box(lower, upper)`. The signature leaves the element
    /// out; shape rule and programs take it first. Its value is how far the element is outside, which
    /// is 0 inside.
    pub const fn set(signature: &'static str, doc: &'static str, shape: ShapeRule, prox: Prox) -> Member {
        let member = Member::total(signature, doc, super::prox::distance_unlowered);
        Member { shape, prox: Some(prox.indicator()), set: Some(Set::PLAIN), ..member }
    }

    /// A set that a problem reads as something else, and that needs no projection.
    pub const fn read_as(signature: &'static str, doc: &'static str, shape: ShapeRule, reading: Reading) -> Member {
        let member = Member::total(signature, doc, super::prox::distance_unlowered);
        Member { shape, set: Some(Set { reading, ..Set::PLAIN }), ..member }
    }

    /// The same, whose arguments keep a rule.
    pub const fn values(self, values: ValueRule) -> Member {
        Member { values: Some(values), ..self }
    }

    /// The same set, of which these arguments shape the programs.
    pub const fn structural(self, structural: &'static [usize]) -> Member {
        match self.set {
            Some(set) => Member { set: Some(Set { structural, ..set }), ..self },
            None => self,
        }
    }

    /// The same, with a proximal step.
    pub const fn prox(self, prox: Prox) -> Member {
        Member { prox: Some(prox), ..self }
    }

    /// The same, with a shape rule of its own.
    pub const fn shape(self, shape: ShapeRule) -> Member {
        Member { shape, elementwise: false, ..self }
    }
}

/// `f(x)` of the first argument.
pub(super) fn unary(b: &mut Builder, f: Unary, args: &[Value]) -> Value {
    b.unary(f, args[0])
}

/// The number a value always is, where it is a constant, repeated or not.
pub(super) fn constant(b: &Builder, value: Value) -> Option<f64> {
    use crate::tape::Op;
    let inst = &b.program().insts[value.index()];
    match inst.op {
        Op::Const(number) => Some(number),
        Op::Broadcast { .. } => constant(b, inst.args[0]),
        _ => None,
    }
}
