//! Whether an expression rises or falls, from wherever one stands, as some variables are shifted.
//!
//! ```text
//! h(v + td) strictly falling in t at every v   ⟹   no v is a minimiser of h
//! ```
//!
//! The shift is the last bias of a network, all of its entries by the same amount, or every element of other
//! variables. What goes through functions that rise keeps its trend; of a sum of a rise and a fall, and of what
//! no rule is known of, nothing is known.

use super::spellings::softplus_of;
use crate::catalogue::Function;
use crate::model::fold::{fold_cheap, is_constant};
use crate::model::ir::{Activation, Expr, ExprKind, Leaf, Model, Net, VarId, VarKind};

/// How every element of a value moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// It stays.
    Flat,
    /// It rises, strictly.
    Rises,
    /// It falls, strictly.
    Falls,
    /// It does not fall.
    Up,
    /// It does not rise.
    Down,
    /// Nothing is known.
    Unknown,
}

use Trend::{Down, Falls, Flat, Rises, Unknown, Up};

impl Trend {
    /// That of `−x`.
    pub fn opposite(self) -> Trend {
        match self {
            Rises => Falls,
            Falls => Rises,
            Up => Down,
            Down => Up,
            other => other,
        }
    }

    /// That of a sum.
    pub fn plus(self, other: Trend) -> Trend {
        match (self, other) {
            (Flat, any) | (any, Flat) => any,
            (Rises, Rises | Up) | (Up, Rises) => Rises,
            (Falls, Falls | Down) | (Down, Falls) => Falls,
            (Up, Up) => Up,
            (Down, Down) => Down,
            _ => Unknown,
        }
    }

    /// That of one of two.
    fn or(self, other: Trend) -> Trend {
        match (self, other) {
            (a, b) if a == b => a,
            (Rises | Up | Flat, Rises | Up | Flat) => Up,
            (Falls | Down | Flat, Falls | Down | Flat) => Down,
            _ => Unknown,
        }
    }

    /// Behind a function that rises and has flat parts.
    fn weak(self) -> Trend {
        match self {
            Rises => Up,
            Falls => Down,
            other => other,
        }
    }
}

/// The trend of an expression as `moving` are shifted together.
pub fn of(model: &Model, moving: &[VarId], expr: &Expr) -> Trend {
    let mut moves = false;
    expr.leaves(&mut |leaf| moves |= matches!(leaf, Leaf::Var(var, _) if moving.contains(&var)));
    if !moves {
        return Flat;
    }
    let of = |expr: &Expr| self::of(model, moving, expr);
    match &expr.kind {
        // Of parameters a few move, and the others stay.
        ExprKind::Leaf(Leaf::Var(var, _)) => match model.vars[var.index()].kind {
            VarKind::Params(_) => Up,
            VarKind::Real | VarKind::Symmetric => Rises,
        },
        ExprKind::Net { net, input, params, layers, .. } => {
            let net = &model.nets[net.index()];
            let whole = *layers == net.layers.len() && is_moving(params, moving) && of(input) == Flat;
            if whole { last_bias(net) } else { Unknown }
        }
        ExprKind::Slice(base, _) | ExprKind::Reshape(base) | ExprKind::Over(_, base) => of(base),
        ExprKind::Concat(parts, _) => parts.iter().map(of).reduce(Trend::or).unwrap_or(Unknown),
        ExprKind::Apply(function, args) => applied(model, moving, *function, args, expr),
        ExprKind::Number(_) | ExprKind::Leaf(_) | ExprKind::Sparse(_) => Unknown,
    }
}

/// The variables themselves, or the mean of them.
fn is_moving(expr: &Expr, moving: &[VarId]) -> bool {
    match &expr.kind {
        ExprKind::Leaf(Leaf::Var(var, _)) => moving.contains(var),
        ExprKind::Apply(Function::Average, args) => args.iter().all(|arg| is_moving(arg, moving)),
        _ => false,
    }
}

/// A network's outputs as its last bias rises.
fn last_bias(net: &Net) -> Trend {
    let (Some(last), Some(_)) = (net.layers.last(), net.last_bias()) else { return Unknown };
    last.activations.iter().fold(Rises, |trend, &(activation, s)| match activation {
        Activation::Sigmoid | Activation::Tanh | Activation::Softplus | Activation::Selu => trend,
        Activation::LeakyRelu | Activation::Elu if s > 0.0 => trend,
        Activation::Relu => trend.weak(),
        _ => Unknown,
    })
}

fn applied(model: &Model, moving: &[VarId], function: Function, args: &[Expr], expr: &Expr) -> Trend {
    use Function::*;
    let of = |expr: &Expr| self::of(model, moving, expr);
    if let Some(u) = softplus_of(model, expr) {
        return of(u);
    }
    let Some(first) = args.first() else { return Unknown };
    let second = || args.get(1).map_or(Flat, of);
    match function {
        Add => of(first).plus(second()),
        Sub => of(first).plus(second().opposite()),
        Neg => of(first).opposite(),
        Mul | ElemMul | Dot => match (is_constant(first), args.get(1)) {
            (true, Some(other)) => times(sign(model, first), of(other)),
            (false, Some(factor)) if is_constant(factor) => times(sign(model, factor), of(first)),
            _ => Unknown,
        },
        Div | ElemDiv => match args.get(1).filter(|divisor| is_constant(divisor)) {
            Some(divisor) => times(sign(model, divisor), of(first)),
            None => Unknown,
        },
        Average => args.iter().map(of).reduce(Trend::or).unwrap_or(Unknown),
        Sum | Mean | Transpose | Vectorise | Max | Min | LogSumExp => of(first),
        Exp | Expm1 | Log | Log1p | Sqrt | Sigmoid | Tanh | Erf | Softplus => of(first),
        Relu | Pos => of(first).weak(),
        NegPart => of(first).opposite().weak(),
        Maximum | Minimum => args.iter().map(of).reduce(Trend::or).unwrap_or(Unknown).weak(),
        NegLog => of(first).opposite(),
        Logistic => times(sign(model, first), second()).opposite(),
        Hinge | SquareHinge => times(sign(model, first), second()).opposite().weak(),
        _ => Unknown,
    }
}

/// The sign that all of some numbers have, where they are all above 0 or all below; 0 where all are 0.
fn sign(model: &Model, expr: &Expr) -> Option<f64> {
    let tensor = fold_cheap(model, expr, None)?;
    let numbers = tensor.to_f64();
    let first = numbers.first()?.signum() * f64::from(u8::from(*numbers.first()? != 0.0));
    numbers.iter().all(|x| x.partial_cmp(&0.0) == first.partial_cmp(&0.0)).then_some(first)
}

fn times(sign: Option<f64>, trend: Trend) -> Trend {
    match sign {
        Some(0.0) => Flat,
        Some(s) if s > 0.0 => trend,
        Some(_) => trend.opposite(),
        None => Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::Trend::{self, Down, Falls, Flat, Rises, Unknown, Up};

    #[test]
    fn a_sum_keeps_what_its_parts_agree_on() {
        let cases = [
            (Flat, Falls, Falls),
            (Rises, Up, Rises),
            (Down, Falls, Falls),
            (Up, Up, Up),
            (Rises, Falls, Unknown),
            (Up, Down, Unknown),
            (Unknown, Rises, Unknown),
        ];
        for (a, b, sum) in cases {
            assert_eq!(a.plus(b), sum, "{a:?} {b:?}");
            assert_eq!(b.plus(a), sum, "{b:?} {a:?}");
            assert_eq!(a.opposite().plus(b.opposite()), sum.opposite(), "{a:?} {b:?}");
        }
        assert_eq!([Rises.or(Flat), Falls.or(Down), Up.or(Down)], [Up, Down, Unknown]);
        assert_eq!([Rises, Falls, Flat].map(Trend::weak), [Up, Down, Flat]);
    }
}
