//! The passes on programs small enough to read, the written losses in singles, and random programs.

mod losses;
mod random;
mod text;

use crate::tape::{Builder, Dtype, Program, Type, Unary, Value, verify};

/// A program of one vector `u`.
pub(super) fn program(dtype: Dtype, n: usize, build: impl FnOnce(&mut Builder, Value) -> Value) -> Program {
    let mut b = Builder::new("p");
    let u = b.input("u", Type::new(dtype, [n]));
    let y = build(&mut b, u);
    b.output("y", y);
    let program = b.finish();
    verify(&program).expect("the program is well formed");
    program
}

/// `log`, `sigmoid`, … in few letters.
pub(super) fn log(b: &mut Builder, x: Value) -> Value {
    b.unary(Unary::Log, x)
}

pub(super) fn exp(b: &mut Builder, x: Value) -> Value {
    b.unary(Unary::Exp, x)
}

pub(super) fn sigmoid(b: &mut Builder, x: Value) -> Value {
    b.unary(Unary::Sigmoid, x)
}

/// `1 − x`
pub(super) fn complement(b: &mut Builder, x: Value) -> Value {
    let one = b.constant(1.0, b.dtype(x));
    b.sub(one, x)
}

/// `1/(1 + exp(−u))`
pub(super) fn written_sigmoid(b: &mut Builder, u: Value) -> Value {
    let minus = b.neg(u);
    let exp = exp(b, minus);
    let sum = b.offset(exp, 1.0);
    let one = b.constant(1.0, b.dtype(u));
    b.div(one, sum)
}

/// `exp(u)/Σ exp(u)`, with `exp(u)` written twice.
pub(super) fn written_softmax(b: &mut Builder, u: Value) -> Value {
    let (above, below) = (exp(b, u), exp(b, u));
    let sum = b.sum(below);
    b.div(above, sum)
}
