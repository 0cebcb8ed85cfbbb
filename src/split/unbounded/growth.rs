//! The [`Tail`] of every expression on a curve of the player's variables, by one rule a function.
//!
//! ```text
//! x ∈ [l, h]   ⟹   f(x) ∈ [f(l), f(h)]          f rising, e.g. exp, relu, log
//! log σ(u) = −softplus(−u) ∼ u,     log(1 − σ(u)) = −softplus(u) ∼ −u
//! ```
//!
//! Where no rule says more, nothing is known, and what nothing is known of proves nothing: the table may grow,
//! it can't be wrong by what it lacks.

use std::cell::OnceCell;

use super::super::spellings::softplus_of;
use super::network::{self, Curve};
use super::tail::Bound::{self, Falls, Number, Rises};
use super::tail::{Order, Tail};
use crate::catalogue::Function;
use crate::model::Model;
use crate::model::ir::{Activation, DataId, Expr, ExprKind, Leaf, SampleSource, VarId};

/// Numbers of a tensor that are looked at for their range.
const MOST_NUMBERS: usize = 1 << 24;

/// A curve of variables, along which expressions are read; what is not on it stays where it is.
pub(super) struct Reader<'m> {
    pub model: &'m Model,
    /// The variables that move.
    pub moving: &'m [VarId],
    /// How.
    pub curve: Curve,
    /// What is known of the data, whatever the curve.
    pub ranges: &'m Ranges,
}

/// From the least to the greatest number of every tensor, looked for once.
pub(super) struct Ranges(Vec<OnceCell<Tail>>);

impl Ranges {
    pub fn new(model: &Model) -> Ranges {
        Ranges(vec![OnceCell::new(); model.data.len()])
    }

    fn of(&self, model: &Model, id: DataId) -> Tail {
        let range = || {
            let tensor = &model.data[id.index()].tensor;
            if tensor.numel() == 0 || tensor.numel() > MOST_NUMBERS {
                return Tail::FIXED;
            }
            let ends = (f64::INFINITY, f64::NEG_INFINITY);
            let (low, high) = tensor.to_f64().iter().fold(ends, |(low, high), &x| (low.min(x), high.max(x)));
            Tail::between(low, high)
        };
        *self.0[id.index()].get_or_init(range)
    }
}

impl Reader<'_> {
    /// What is known of an expression.
    pub fn tail(&self, expr: &Expr) -> Tail {
        match &expr.kind {
            ExprKind::Number(x) => Tail::between(*x, *x),
            ExprKind::Leaf(leaf) => self.leaf(*leaf),
            ExprKind::Sparse(parts) => self.tail(&parts[2]).or(Tail::between(0.0, 0.0)),
            ExprKind::Apply(function, args) => self.apply(*function, args, expr),
            ExprKind::Net { .. } => self.net(expr, 0),
            ExprKind::Slice(base, _) | ExprKind::Reshape(base) => self.tail(base),
            ExprKind::Concat(parts, _) => {
                let mut all = parts.iter().map(|part| self.tail(part));
                let first = all.next().unwrap_or(Tail::ANY);
                all.fold(first, Tail::or)
            }
            ExprKind::Over(over, body) => self.tail(body).sum(over.count),
        }
    }

    fn leaf(&self, leaf: Leaf) -> Tail {
        match leaf {
            Leaf::Var(var, _) if self.moving.contains(&var) => self.curve.leaf(),
            Leaf::Var(..) | Leaf::Dual(..) | Leaf::Rho(_) => Tail::FIXED,
            Leaf::Data(id, _) => self.ranges.of(self.model, id),
            Leaf::Sample(sample, part, _) => match &self.model.samples[sample.index()].source {
                SampleSource::Rows(ids) => {
                    ids.get(part as usize).map_or(Tail::FIXED, |id| self.ranges.of(self.model, *id))
                }
                SampleSource::Normal => Tail::FIXED,
                SampleSource::Uniform { low, high } => Tail::between(*low, *high),
                SampleSource::Bernoulli { .. } => Tail::between(0.0, 1.0),
                SampleSource::Categorical { k } => Tail::between(0.0, *k as f64),
            },
        }
    }

    /// A network's values, or what goes into the last `undone` of its activations.
    pub fn net(&self, expr: &Expr, undone: usize) -> Tail {
        let ExprKind::Net { net, input, params, layers, .. } = &expr.kind else { return Tail::ANY };
        let net = &self.model.nets[net.index()];
        let moves = |expr: &Expr| {
            let mut moves = false;
            expr.leaves(&mut |leaf| moves |= matches!(leaf, Leaf::Var(var, _) if self.moving.contains(&var)));
            moves
        };
        if !moves(params) {
            // Weights that stay: at most as large as what goes in.
            return network::fixed(net, *layers, self.tail(input), undone);
        }
        // The mean of parameters that are equal is the parameters.
        let on_curve = match &params.kind {
            ExprKind::Apply(Function::Average, args) => args.iter().all(|arg| self.is_moving_leaf(arg)),
            _ => self.is_moving_leaf(params),
        };
        if on_curve { self.curve.net(net, *layers, undone) } else { network::unknown(net, *layers, undone) }
    }

    fn is_moving_leaf(&self, expr: &Expr) -> bool {
        matches!(expr.kind, ExprKind::Leaf(Leaf::Var(var, _)) if self.moving.contains(&var))
    }

    /// `u` of `sigmoid(u)`, also where the sigmoid is a network's last activation.
    pub fn logit(&self, expr: &Expr) -> Option<Tail> {
        match &expr.kind {
            ExprKind::Apply(Function::Sigmoid, args) => Some(self.tail(&args[0])),
            ExprKind::Net { net, layers, .. } => {
                let last = self.model.nets[net.index()].layers.get(layers.checked_sub(1)?)?;
                matches!(last.activations.last(), Some((Activation::Sigmoid, _))).then(|| self.net(expr, 1))
            }
            ExprKind::Reshape(base) | ExprKind::Slice(base, _) => self.logit(base),
            _ => None,
        }
    }

    /// `log e`
    fn log(&self, e: &Expr) -> Tail {
        if let Some(u) = self.logit(e) {
            return softplus(u.neg()).neg();
        }
        match &e.kind {
            ExprKind::Apply(Function::Sub, sides) if matches!(sides[0].kind, ExprKind::Number(1.0)) => {
                if let Some(u) = self.logit(&sides[1]) {
                    return softplus(u).neg();
                }
            }
            ExprKind::Apply(Function::Softmax, args) => return log_softmax(self.tail(&args[0])),
            _ => {}
        }
        log(self.tail(e))
    }

    fn apply(&self, function: Function, args: &[Expr], expr: &Expr) -> Tail {
        use Function::*;
        if let Some(u) = softplus_of(self.model, expr) {
            return softplus(self.tail(u));
        }
        let Some(first) = args.first() else { return Tail::ANY };
        let x = || self.tail(first);
        let second = || args.get(1).map_or(Tail::ANY, |arg| self.tail(arg));
        let n = first.shape.numel();
        // What of the arguments beside the first one is known to stay.
        let stays = || args[1..].iter().all(|arg| self.tail(arg).size() <= Order::ONE);
        let sized = |power: f64| {
            let size = args.iter().map(|arg| self.tail(arg).size()).fold(Order::ONE, |a, b| if b > a { b } else { a });
            Tail::nonnegative(Order { power: size.power * power, log: size.log * power })
        };
        match function {
            Add => x().plus(second()),
            Sub => x().plus(second().neg()),
            Neg => x().neg(),
            Transpose | Vectorise | Max | Min => x(),
            ElemMul if first.same(&args[1]) => x().square(),
            ElemMul => x().times(second()),
            Mul => self.product(first, &args[1]),
            Div | ElemDiv => x().times(second().reciprocal()),
            Pow | ElemPow => power(x(), second()),
            Abs => x().abs(),
            Square => x().square(),
            Relu | Pos => relu(x()),
            NegPart => relu(x().neg()),
            LeakyRelu | Elu | Selu | Gelu | Silu => match second() {
                // The slope, or what the negative side levels off at.
                Tail { low: Number(s), .. } => bent(function, x(), s),
                _ => bent(function, x(), 1.0),
            },
            Sigmoid => sigmoid(x()),
            Tanh | Erf => tanh(x()),
            Sin | Cos | Sign => Tail::between(-1.0, 1.0),
            Softmax => Tail::between(0.0, 1.0),
            LogSoftmax => log_softmax(x()),
            LogSumExp => x().plus(Tail::between(0.0, (n.max(1) as f64).ln())),
            Softplus => softplus(x()),
            Exp => exp(x()),
            Expm1 => exp(x()).plus(Tail::between(-1.0, -1.0)),
            Log => self.log(first),
            Log1p => log(x().plus(Tail::between(1.0, 1.0))),
            Sqrt => x().root(0.5),
            Maximum => maximum(args.iter().map(|arg| self.tail(arg))),
            Minimum => maximum(args.iter().map(|arg| self.tail(arg).neg())).neg(),
            Average => {
                let share = 1.0 / args.len() as f64;
                let sum = args[1..].iter().fold(x(), |sum, arg| sum.plus(self.tail(arg)));
                sum.times(Tail::between(share, share))
            }
            Sum => x().sum(n),
            Mean if n > 0 => x(),
            SumSquares => x().square().sum(n),
            Norm1 => x().abs().sum(n),
            Dot if first.same(&args[1]) => x().square().sum(n),
            Dot => x().times(second()).sum(n),
            NegLog => self.log(first).neg().sum(n),
            // At least 0, and no faster than their argument.
            Norm12 | Norm2 | NormFro | NormInf | NormNuc | NormSpec | NormHalf | Tv1d | Tv2d | Tv2dAniso => sized(1.0),
            Huber | Hinge | Logistic | Quantile | LogSumPenalty if stays() => sized(1.0),
            Hinge | Logistic => sized(2.0),
            Mse => x().plus(second().neg()).square(),
            SquareHinge if stays() => sized(2.0),
            SquareHinge => sized(4.0),
            ElasticNet if stays() => sized(2.0),
            Cardinality => Tail::nonnegative(Order::ONE),
            // Sums of elements, some of them counted negatively.
            ColSums | RowSums | CumSum | Trace | Diag | Diff | Grad2d | Grad2dPeriodic => Tail::within(x().size()),
            _ => Tail::ANY,
        }
    }

    /// `a b` of numbers, vectors, matrices.
    fn product(&self, a: &Expr, b: &Expr) -> Tail {
        let inner = if a.shape.is_scalar() { 1 } else { b.shape.0.first().copied().unwrap_or(1) };
        let bare = |expr: &Expr| match &expr.kind {
            ExprKind::Apply(Function::Transpose, args) => args.first().cloned(),
            _ => None,
        };
        // xᵀx
        if bare(a).is_some_and(|a| a.same(b)) && b.shape.rank() == 1 {
            return self.tail(b).square().sum(inner);
        }
        self.tail(a).times(self.tail(b)).sum(inner)
    }
}

/// `max(a, b, …)`
fn maximum(all: impl Iterator<Item = Tail>) -> Tail {
    // Above every one of them: so the greatest of the lower ends will do, which a tail tells of 0 alone.
    let mut greatest: Option<Tail> = None;
    for tail in all {
        greatest = Some(match greatest {
            None => tail,
            Some(other) => {
                let either = other.or(tail);
                let above = [other.low, tail.low].into_iter().find(|low| matches!(low, Rises(p) if *p > Order::ONE));
                let number = [other.low, tail.low].into_iter().fold(f64::NEG_INFINITY, |most, low| match low {
                    Number(x) => most.max(x),
                    Rises(_) => most.max(0.0),
                    Falls(_) => most,
                });
                let low = above.unwrap_or(if number.is_finite() { Number(number) } else { either.low });
                Tail { low, high: either.high }
            }
        });
    }
    greatest.unwrap_or(Tail::ANY)
}

/// `x^p` for a known p.
fn power(x: Tail, p: Tail) -> Tail {
    match p {
        Tail { low: Number(p), high: Number(q) } if p == q => match p {
            1.0 => x,
            2.0 => x.square(),
            p if p > 2.0 && p % 2.0 == 0.0 => x.square().root(p / 2.0),
            p if p > 0.0 => x.root(p),
            _ if p < 0.0 && x.is_positive() => x.root(-p).reciprocal(),
            _ => Tail::ANY,
        },
        _ => Tail::ANY,
    }
}

/// `max(x, 0)`
pub(super) fn relu(x: Tail) -> Tail {
    let end = |bound| match bound {
        Rises(order) => Rises(order),
        Number(x) => Number(x.max(0.0)),
        Falls(_) => Number(0.0),
    };
    x.rising(end, end)
}

/// Like relu above 0; below, in the limits of the function: `s` is the slope of a leaky one.
pub(super) fn bent(function: Function, x: Tail, s: f64) -> Tail {
    if function == Function::LeakyRelu {
        if !(s > 0.0 && s <= 1.0) {
            return Tail::within(x.size()).or(relu(x));
        }
        let end = |bound| match bound {
            Number(x) if x < 0.0 => Number(s * x),
            other => other,
        };
        return x.rising(end, end);
    }
    // Selu levels off at −1.76 and has slope 1.05, gelu and silu go down to −0.28, elu to −s.
    let floor = -(2.0f64.max(s.abs()));
    let low = |bound| match bound {
        Rises(order) if order > Order::ONE => Rises(order),
        Rises(_) => Number(0.0),
        Number(x) if x >= 0.0 => Number(0.0),
        _ => Number(floor),
    };
    let high = |bound| match bound {
        Rises(order) => Rises(order),
        Number(x) => Number(2.0 * x.max(0.0)),
        Falls(_) => Number(0.0),
    };
    x.rising(low, high)
}

/// `log(1 + eˣ)`
pub(super) fn softplus(x: Tail) -> Tail {
    let at = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    let low = |bound| match bound {
        Rises(order) if order > Order::ONE => Rises(order),
        Rises(_) => Number(at(0.0)),
        Number(x) => Number(at(x)),
        Falls(_) => Number(0.0),
    };
    let high = |bound| match bound {
        Rises(order) if order >= Order::ONE => Rises(order),
        Rises(_) => Number(1.0),
        Number(x) => Number(at(x)),
        Falls(_) => Number(at(0.0)),
    };
    x.rising(low, high)
}

/// `1/(1 + e⁻ˣ)`
pub(super) fn sigmoid(x: Tail) -> Tail {
    tanh(x).times(Tail::between(0.5, 0.5)).plus(Tail::between(0.5, 0.5))
}

/// Rising from −1 to 1, through 0; ±½ is passed by whatever grows.
pub(super) fn tanh(x: Tail) -> Tail {
    let low = |bound| match bound {
        Rises(order) if order > Order::ONE => Number(0.5),
        Rises(_) => Number(0.0),
        Number(x) if x >= 0.0 => Number(0.0),
        _ => Number(-1.0),
    };
    let high = |bound| match bound {
        Falls(order) if order > Order::ONE => Number(-0.5),
        Falls(_) => Number(0.0),
        Number(x) if x <= 0.0 => Number(0.0),
        _ => Number(1.0),
    };
    x.rising(low, high)
}

/// Logarithms of shares: at most 0, at least minus twice the largest magnitude and a constant.
pub(super) fn log_softmax(x: Tail) -> Tail {
    Tail { low: Falls(x.size()), high: Number(0.0) }
}

fn exp(x: Tail) -> Tail {
    let low = |bound| match bound {
        Rises(order) if order.power > 0.0 => Rises(Order::INFINITE),
        Rises(_) => Number(1.0),
        Number(x) => Bound::number_or(x.exp(), Number(f64::MAX)),
        Falls(_) => Number(0.0),
    };
    let high = |bound| match bound {
        Rises(order) if order > Order::ONE => Rises(Order::INFINITE),
        Rises(_) => Rises(Order::ONE),
        Number(x) => Bound::number_or(x.exp(), Rises(Order::ONE)),
        Falls(_) => Number(1.0),
    };
    x.rising(low, high)
}

fn log(x: Tail) -> Tail {
    // A curve that leaves the domain says nothing.
    if !x.is_nonnegative() {
        return Tail::ANY;
    }
    let end = |nothing: Bound| {
        move |bound| match bound {
            Rises(order) if order.power == f64::INFINITY => nothing,
            Rises(order) if order.power > 0.0 => Rises(Order::LOG),
            Rises(order) if order.power < 0.0 => Falls(Order::LOG),
            Rises(order) if order == Order::ONE => match nothing {
                Falls(_) => Falls(Order::ONE),
                _ => Rises(Order::ONE),
            },
            Number(x) if x > 0.0 => Number(x.ln()),
            _ => nothing,
        }
    };
    x.rising(end(Falls(Order::INFINITE)), end(Rises(Order::INFINITE)))
}

/// A function of layers.
pub(super) fn activation(activation: Activation, parameter: f64, x: Tail) -> Tail {
    match activation {
        Activation::Relu => relu(x),
        Activation::LeakyRelu => bent(Function::LeakyRelu, x, parameter),
        Activation::Elu => bent(Function::Elu, x, parameter),
        Activation::Selu => bent(Function::Selu, x, 1.0),
        Activation::Gelu => bent(Function::Gelu, x, 1.0),
        Activation::Silu => bent(Function::Silu, x, 1.0),
        Activation::Tanh => tanh(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Softplus => softplus(x),
        Activation::Sine => Tail::between(-1.0, 1.0),
        Activation::Softmax => Tail::between(0.0, 1.0),
        Activation::LogSoftmax => log_softmax(x),
    }
}
