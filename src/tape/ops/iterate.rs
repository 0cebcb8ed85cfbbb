//! A loop whose turn is a program: Newton's and bisection in every element, or a scalar root over a
//! vector.
//!
//! The turn maps the carried values and the constants, in this order, to the next carried values and to
//! a number that is not 0 when they are the last. Where all of it is scalars, every element is a *lane*
//! of its own that stops by itself, whatever its neighbours do; a constant that is a number serves all
//! lanes. Otherwise the turn is of the whole tensors. After `count` turns a loop stops in any case; its
//! result is the first carried value.
//!
//! Not differentiable here: a derivative is NaN.

use super::rule::{Operand, Rule, ensure, ensure_float, ensure_type};
use super::{Op, Unary};
use crate::tape::{Builder, Inst, Program, Shape, Type, Value, verify};

/// A loop, see [`Op::Iterate`].
#[derive(Debug, Clone, PartialEq)]
pub struct Iteration {
    /// A turn.
    pub body: Program,
    /// How many of its inputs are carried from turn to turn.
    pub carried: usize,
    /// Turns after which it stops.
    pub count: usize,
}

impl Iteration {
    /// Whether every element is a lane of its own.
    pub fn is_lanewise(&self) -> bool {
        self.body.insts.iter().all(|inst| inst.ty.shape.is_scalar())
    }
}

pub(crate) struct Iterate<'a>(pub &'a Iteration);

impl Rule for Iterate<'_> {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let Iteration { body, carried, .. } = self.0;
        verify(body)?;
        let ty_of = |value: Value| body.ty(value);
        ensure(args.len() == body.inputs.len(), || format!("{} operands for {}", args.len(), body.inputs.len()))?;
        ensure(*carried >= 1 && *carried <= args.len(), || format!("{carried} carried of {}", args.len()))?;
        ensure(body.outputs.len() == carried + 1, || format!("{} results for {carried} carried", body.outputs.len()))?;
        for (input, output) in body.inputs[..*carried].iter().zip(&body.outputs) {
            ensure_type(ty_of(output.value), ty_of(input.value))?;
        }
        let done = ty_of(body.outputs[*carried].value);
        ensure(done.shape.is_scalar(), || format!("{done} is not one number"))?;
        ensure_float(args[0])?;
        ensure_type(ty, args[0])?;
        let lanes = self.0.is_lanewise();
        if lanes {
            let elementwise = |inst: &Inst| {
                matches!(inst.op, Op::Input(_) | Op::Const(_) | Op::Unary(_) | Op::Binary(_) | Op::Select)
            };
            let other = body.insts.iter().find(|inst| !elementwise(inst));
            ensure(other.is_none(), || format!("{} in a lane", other.map_or("", |inst| inst.op.name())))?;
        }
        for (k, (arg, input)) in args.iter().zip(&body.inputs).enumerate() {
            let inside = ty_of(input.value);
            let fits = if lanes {
                arg.dtype == inside.dtype && (arg.shape == ty.shape || k >= *carried && arg.shape.is_scalar())
            } else {
                *arg == inside
            };
            ensure(fits, || format!("{arg} is no {}: {inside}", input.name))?;
        }
        Ok(())
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let Iteration { body, carried, count } = self.0;
        let n = ty.shape.numel();
        let lanes = self.0.is_lanewise().then_some(n);
        let all = |x: &[f64]| if lanes.is_some() && x.len() != n { vec![x[0]; n] } else { x.to_vec() };
        let mut state: Vec<Vec<f64>> = args.iter().map(|arg| all(arg.x)).collect();
        let mut stopped = vec![false; if lanes.is_some() { n } else { 1 }];
        for _ in 0..*count {
            let next = turn(body, &state, lanes);
            for (state, next) in state.iter_mut().zip(&next[..*carried]) {
                for (i, (x, &next)) in state.iter_mut().zip(next).enumerate() {
                    let lane = if lanes.is_some() { i } else { 0 };
                    *x = if stopped[lane] { *x } else { next };
                }
            }
            stopped.iter_mut().zip(&next[*carried]).for_each(|(stopped, &done)| *stopped |= done != 0.0);
            if stopped.iter().all(|&stopped| stopped) {
                break;
            }
        }
        state.swap_remove(0)
    }

    fn differentiable(&self, _: usize) -> bool {
        false
    }
}

/// The outputs of a turn; of lanes, all at once.
fn turn(body: &Program, state: &[Vec<f64>], lanes: Option<usize>) -> Vec<Vec<f64>> {
    let ty = |ty: &Type| match lanes {
        Some(n) => Type { dtype: ty.dtype, shape: Shape::vector(n) },
        None => ty.clone(),
    };
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(body.insts.len());
    for inst in &body.insts {
        let value = match (&inst.op, lanes) {
            (Op::Input(position), _) => state[*position as usize].clone(),
            (Op::Const(_), Some(n)) => vec![inst.op.rule().eval(&[], &inst.ty)[0]; n],
            _ => {
                let types: Vec<Type> = inst.args.iter().map(|&arg| ty(body.ty(arg))).collect();
                let operand = |(ty, arg): (_, &Value)| Operand { ty, x: &values[arg.index()] };
                let operands: Vec<Operand> = types.iter().zip(&inst.args).map(operand).collect();
                inst.op.rule().eval(&operands, &ty(&inst.ty))
            }
        };
        values.push(value);
    }
    body.outputs.iter().map(|output| values[output.value.index()].clone()).collect()
}

impl Builder {
    /// The first of the `carried` values after a loop over a turn that `body` builds: from the carried
    /// values and the constants to the next carried ones and what is not 0 when they are the last. The
    /// turn is of lanes, see [`Iteration`].
    pub fn iterate_lanes(
        &mut self,
        name: &str,
        carried: &[Value],
        constants: &[Value],
        count: usize,
        body: impl FnOnce(&mut Builder, &[Value], &[Value]) -> (Vec<Value>, Value),
    ) -> Value {
        self.iterate(name, carried, constants, count, true, body)
    }

    /// The same with a turn of the whole tensors.
    pub fn iterate_whole(
        &mut self,
        name: &str,
        carried: &[Value],
        constants: &[Value],
        count: usize,
        body: impl FnOnce(&mut Builder, &[Value], &[Value]) -> (Vec<Value>, Value),
    ) -> Value {
        self.iterate(name, carried, constants, count, false, body)
    }

    fn iterate(
        &mut self,
        name: &str,
        carried: &[Value],
        constants: &[Value],
        count: usize,
        lanes: bool,
        body: impl FnOnce(&mut Builder, &[Value], &[Value]) -> (Vec<Value>, Value),
    ) -> Value {
        let args: Vec<Value> = carried.iter().chain(constants).copied().collect();
        let ty = self.ty(carried[0]).clone();
        let mut turn = Builder::new(name);
        let inputs: Vec<Value> = args
            .iter()
            .enumerate()
            .map(|(k, &arg)| {
                let shape = if lanes { Shape::scalar() } else { self.shape(arg).clone() };
                turn.input(
                    format!("{}{k}", if k < carried.len() { "x" } else { "c" }),
                    Type { dtype: self.dtype(arg), shape },
                )
            })
            .collect();
        let (state, fixed) = inputs.split_at(carried.len());
        let (next, done) = body(&mut turn, state, fixed);
        debug_assert_eq!(next.len(), carried.len(), "a turn gives what is carried");
        for (k, &value) in next.iter().enumerate() {
            turn.output(format!("x{k}"), value);
        }
        turn.output("done", done);
        let body = super::super::passes::optimise(&turn.finish());
        let iteration = Iteration { body, carried: carried.len(), count };
        debug_assert!(!lanes || iteration.is_lanewise(), "lanes are scalars");
        self.push(Op::Iterate(Box::new(iteration)), args, ty)
    }

    /// `1` where `x` is 0 or NaN, else `0`: what stops a loop once nothing moves, or nothing can.
    pub fn is_still(&mut self, x: Value) -> Value {
        let zero = self.constant_like(0.0, x);
        let size = self.unary(Unary::Abs, x);
        let moves = self.binary(super::Binary::Less, zero, size);
        self.binary(super::Binary::Equal, moves, zero)
    }
}
