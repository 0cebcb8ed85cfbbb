//! Reductions along axes. With `p` the slope of the result by each element, the reverse derivative is
//! `p · t̄` repeated and the forward one `Σ p · t`:
//!
//! | reducer | value | of nothing | slope p |
//! |---|---|---|---|
//! | sum | `Σx`, by the [tree](crate::tape::tree) | 0 | 1 |
//! | max, min | the extreme; NaN if any is | ∓∞ | 1, shared equally at a tie |
//! | logsumexp | `m + log Σ e^(x − m)`, `m = max x` | −∞ | `e^(x − y)` |
//! | norm2 | `m √Σ(x/m)²`, `m = max │x│` | 0 | `x/y`, and 0 at 0 |

use super::rule::{Operand, Rule, Site, ensure, ensure_float, ensure_type, linear, offsets, operands};
use super::{Binary, Reducer, Unary};
use crate::tape::{Builder, Dtype, Shape, Type, Value, tree};

pub(crate) struct Reduce<'a> {
    pub reducer: Reducer,
    pub axes: &'a [usize],
}

impl Rule for Reduce<'_> {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [x] = operands(args)?;
        ensure(!self.axes.is_empty(), || "reduces along no axis".into())?;
        ensure(self.axes.is_sorted_by(|a, b| a < b), || format!("axes {:?} do not ascend", self.axes))?;
        ensure(self.axes.iter().all(|&axis| axis < x.shape.rank()), || {
            format!("{x} lacks an axis of {:?}", self.axes)
        })?;
        if self.reducer != Reducer::Sum {
            ensure_float(x)?;
        }
        let shape = Shape(self.kept(x).iter().map(|&axis| x.shape.0[axis]).collect());
        ensure_type(ty, &Type { dtype: x.dtype, shape })
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let Operand { ty: operand, x } = args[0];
        let strides = operand.shape.strides();
        let pick = |axes: &[usize]| {
            let (extents, strides): (Vec<_>, Vec<_>) = axes.iter().map(|&a| (operand.shape.0[a], strides[a])).unzip();
            offsets(&extents, &strides, 0)
        };
        let inner = pick(self.axes);
        let reduce = |start: usize| {
            let elements: Vec<f64> = inner.iter().map(|offset| x[start + offset]).collect();
            combine(self.reducer, &elements)
        };
        let values = pick(&self.kept(operand)).into_iter().map(reduce);
        match ty.dtype {
            Dtype::Index => values.map(|sum| (sum as u64 as u32).into()).collect(),
            Dtype::F32 | Dtype::F64 => values.collect(),
        }
    }

    fn vjp(&self, b: &mut Builder, at: Site, _: usize, cotangent: Value) -> Option<Value> {
        let spread = self.spread(b, at, cotangent);
        Some(match self.slope(b, at) {
            None => spread,
            Some(slope) => b.mul(slope, spread),
        })
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let tangent = tangents[0]?;
        Some(match self.slope(b, at) {
            None => linear(b, at, 0, tangent),
            Some(slope) => {
                let part = b.mul(slope, tangent);
                b.reduce(Reducer::Sum, part, self.axes.to_vec())
            }
        })
    }
}

impl Reduce<'_> {
    fn kept(&self, operand: &Type) -> Vec<usize> {
        (0..operand.shape.rank()).filter(|axis| !self.axes.contains(axis)).collect()
    }

    /// A value of the result's shape, repeated to the operand's.
    fn spread(&self, b: &mut Builder, at: Site, value: Value) -> Value {
        let ty = b.ty(at.args[0]).clone();
        b.broadcast(value, self.kept(&ty), ty.shape)
    }

    /// The slope by each element; `None` where it is 1.
    fn slope(&self, b: &mut Builder, at: Site) -> Option<Value> {
        let x = at.args[0];
        Some(match self.reducer {
            Reducer::Sum => return None,
            Reducer::Max | Reducer::Min => {
                let extreme = self.spread(b, at, at.y);
                let attained = b.binary(Binary::Equal, x, extreme);
                let count = b.reduce(Reducer::Sum, attained, self.axes.to_vec());
                let count = self.spread(b, at, count);
                b.div(attained, count)
            }
            Reducer::LogSumExp => {
                let total = self.spread(b, at, at.y);
                let log = b.sub(x, total);
                b.unary(Unary::Exp, log)
            }
            Reducer::Norm2 => {
                let one = b.constant_like(1.0, at.y);
                let norm = b.select(at.y, at.y, one);
                let norm = self.spread(b, at, norm);
                b.div(x, norm)
            }
        })
    }
}

fn combine(reducer: Reducer, x: &[f64]) -> f64 {
    let sum = |f: &dyn Fn(f64) -> f64| tree::sum(x.len(), |i| f(x[i]));
    let extreme = |start: f64, f: Binary, g: fn(f64) -> f64| {
        x.iter().fold(start, |extreme, &x| (f.function().eval)(extreme, g(x)))
    };
    match reducer {
        Reducer::Sum => sum(&|x| x),
        Reducer::Max => extreme(f64::NEG_INFINITY, Binary::Max, |x| x),
        Reducer::Min => extreme(f64::INFINITY, Binary::Min, |x| x),
        Reducer::LogSumExp => {
            let most = extreme(f64::NEG_INFINITY, Binary::Max, |x| x);
            if most.is_finite() { most + sum(&|x| (x - most).exp()).ln() } else { most }
        }
        Reducer::Norm2 => {
            let most = extreme(0.0, Binary::Max, f64::abs);
            let scaled = most.is_finite() && most > 0.0;
            if scaled { most * sum(&|x| (x / most) * (x / most)).sqrt() } else { most }
        }
    }
}
