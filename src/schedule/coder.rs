//! Writing a schedule: states by name, programs whose inputs and outputs are states.
//!
//! A [`Draft`] is a program being written: [`Draft::read`] makes a state an input, [`Draft::write`] a
//! value an output, and [`Coder::call`] turns it into a statement.

use std::sync::Arc;

use super::ir::{Arg, CallStmt, ProgramId, SamplerId, Schedule, Start, State, StateId, Stmt};
use crate::linalg::Shared;
use crate::model::Lower;
use crate::model::Model;
use crate::model::ir::{ConstraintId, Expr, ExprKind, Leaf, Loop, Member, PlayerId, VarId};
use crate::split::Split;
use crate::tape::ops::Range;
use crate::tape::{Builder, Dtype, Elements, Program, Shape, Tensor, Type, Value, passes};

/// A schedule being written.
pub(super) struct Coder<'a> {
    pub model: &'a Model,
    pub split: &'a Split,
    /// Working precision.
    pub dtype: Dtype,
    /// Whether losses are rewritten to stable forms.
    pub stable: bool,
    pub out: Schedule,
    /// What stands before the body: factorisations and the like.
    pub setup: Vec<Stmt>,
    /// The sampler of each of the model's samples that is used.
    pub samplers: Vec<Option<SamplerId>>,
}

/// A program being written.
pub(super) struct Draft {
    pub b: Builder,
    inputs: Vec<Arg>,
    outputs: Vec<Arg>,
    read: Vec<(Arg, Value)>,
}

/// What a leaf is replaced by while an expression is lowered.
pub(super) type Substitute<'s> = &'s mut dyn FnMut(&mut Coder, &mut Draft, Leaf) -> Option<Value>;

impl<'a> Coder<'a> {
    /// An empty schedule.
    pub fn new(model: &'a Model, split: &'a Split, name: &str, dtype: Dtype, stable: bool) -> Coder<'a> {
        Coder {
            model,
            split,
            dtype,
            stable,
            out: Schedule { name: name.to_string(), ..Schedule::default() },
            setup: Vec::new(),
            samplers: vec![None; model.samples.len()],
        }
    }

    /// The state of that name, made on first use.
    pub fn state(&mut self, name: &str, ty: Type, family: Option<usize>, init: Start) -> StateId {
        if let Some(id) = self.out.find(name) {
            debug_assert_eq!(
                (&self.out.state(id).ty, self.out.state(id).family),
                (&ty, family),
                "`{name}` is one state"
            );
            return id;
        }
        self.out.states.push(State { name: name.to_string(), ty, family, init, constant: false });
        StateId(self.out.states.len() as u32 - 1)
    }

    /// A number of the working precision, of the algorithm's own: its name is one that no user can
    /// give.
    pub fn scalar(&mut self, name: &str, init: f64) -> StateId {
        let start = if init == 0.0 { Start::Zeros } else { Start::Fill(init) };
        let own = if name.contains(['.', ' ']) { name.to_string() } else { format!("·{name}") };
        self.state(&own, Type::new(self.dtype, []), None, start)
    }

    /// A tensor of the working precision that starts at zero.
    pub fn zeros(&mut self, name: &str, shape: Shape, family: Option<usize>) -> StateId {
        self.state(name, Type { dtype: self.dtype, shape }, family, Start::Zeros)
    }

    /// A tensor that never changes. Data that stand in several places are one state.
    fn given(&mut self, name: &str, ty: Type, family: Option<usize>, tensor: Arc<Tensor>) -> StateId {
        let same = |known: &State| {
            let alike = known.constant && (&known.ty, known.family) == (&ty, family);
            alike && matches!(&known.init, Start::Given(own) if is_same(own, &tensor))
        };
        if let Some(at) = self.out.states.iter().position(same) {
            return StateId(at as u32);
        }
        let id = self.state(name, ty, family, Start::Given(tensor));
        self.out.states[id.0 as usize].constant = true;
        id
    }

    /// Numbers that never change.
    pub fn constant(
        &mut self,
        name: &str,
        shape: Shape,
        family: Option<usize>,
        numbers: impl Into<Shared<f64>>,
    ) -> StateId {
        let numbers = numbers.into();
        let ty = Type { dtype: self.dtype, shape };
        self.given(name, ty, family, Arc::new(Tensor::shared([numbers.len()], numbers)))
    }

    /// Numbers that never change, of a given precision.
    pub fn constant_in(
        &mut self,
        dtype: Dtype,
        name: &str,
        shape: Shape,
        numbers: impl FnOnce() -> Shared<f64>,
    ) -> StateId {
        if let Some(id) = self.out.find(name) {
            return id;
        }
        let tensor = Tensor::shared([shape.numel()], numbers());
        self.given(name, Type { dtype, shape }, None, Arc::new(tensor))
    }

    /// Indices that never change.
    pub fn indices(&mut self, name: &str, numbers: Vec<u32>) -> StateId {
        let tensor = Tensor::index([numbers.len()], numbers);
        self.given(name, tensor.ty(), None, Arc::new(tensor))
    }

    /// The state of a leaf of the model.
    pub fn leaf(&mut self, leaf: Leaf) -> StateId {
        let dtype = self.dtype;
        match leaf {
            Leaf::Var(var, _) => {
                let var = &self.model.vars[var.index()];
                let ty = Type { dtype, shape: var.shape.clone() };
                let name = self.unique(&var.name, var.player.index());
                self.state(&name, ty, var.family, super::start::of(self.model, var))
            }
            Leaf::Data(id, _) => {
                let data = &self.model.data[id.index()];
                let name = format!("data.{} {}", id.0 + 1, data.name);
                let dtype = if data.tensor.dtype().is_float() { dtype } else { Dtype::Index };
                let mut shape = data.tensor.shape.clone();
                if data.family.is_some() {
                    shape.0.remove(0);
                }
                self.given(&name, Type { dtype, shape }, data.family, data.tensor.clone())
            }
            Leaf::Sample(sample, part, _) => super::sample::state(self, sample, part as usize),
            Leaf::Dual(player, constraint, _) => {
                let (name, shape, over) = self.multiplier(player, constraint);
                let name = self.prefixed(player.index(), &format!("λ.{name}"));
                self.zeros(&name, shape, over)
            }
            Leaf::Rho(player) => {
                let name = self.prefixed(player.index(), "ρ");
                self.scalar(&name, 1.0)
            }
        }
    }

    /// Name, shape and members of a constraint's multiplier: the coupling's, also of what the compiler split
    /// off for it; else that of an equation that a step keeps.
    fn multiplier(&self, player: PlayerId, id: ConstraintId) -> (String, Shape, Option<usize>) {
        let constraints = &self.model.players[player.index()].constraints;
        let constraint = &constraints[id.index()];
        let mut name = constraint.name(id);
        let couplings = &self.split.players[player.index()].couplings;
        let own = couplings.iter().find(|coupling| coupling.constraint == id);
        if let Some(coupling) = own.or_else(|| couplings.iter().find(|coupling| coupling.name == name)) {
            return (coupling.name.clone(), coupling.shape.clone(), coupling.over);
        }
        let earlier = (0..id.0).filter(|&at| constraints[at as usize].name(ConstraintId(at)) == name).count();
        name.push_str(&"'".repeat(earlier));
        (name, constraint.relation.expr().shape.clone(), constraint.over.map(|over| over.count))
    }

    /// The name, told apart from another player's of the same name.
    fn unique(&self, name: &str, player: usize) -> String {
        let shared = self.model.vars.iter().any(|var| var.name == name && var.player.index() != player);
        if shared { self.prefixed(player, name) } else { name.to_string() }
    }

    /// `discriminator.name` in a game.
    pub fn prefixed(&self, player: usize, name: &str) -> String {
        match &self.model.players[player].name {
            Some(player) => format!("{player}.{name}"),
            None => name.to_string(),
        }
    }

    /// Starts a program.
    pub fn draft(&self, name: impl Into<String>) -> Draft {
        Draft { b: Builder::new(name), inputs: Vec::new(), outputs: Vec::new(), read: Vec::new() }
    }

    /// Finishes a program and makes the statement that runs it, once for each member where `over` is
    /// given.
    pub fn call(&mut self, draft: Draft, over: Option<usize>, what: impl Into<String>) -> Stmt {
        Stmt::Call(self.call_stmt(draft, over, what))
    }

    /// As [`Coder::call`], for statements that hold a call.
    pub fn call_stmt(&mut self, draft: Draft, over: Option<usize>, what: impl Into<String>) -> CallStmt {
        let program = passes::optimise(&draft.b.finish());
        self.out.programs.push(program);
        let program = ProgramId(self.out.programs.len() as u32 - 1);
        CallStmt { program, inputs: draft.inputs, outputs: draft.outputs, over, what: what.into() }
    }

    /// The values of expressions in a draft, their leaves read from states (or replaced), their losses
    /// in stable form. Also gives the value that every leaf got.
    pub fn lower(
        &mut self,
        draft: &mut Draft,
        exprs: &[Expr],
        dtype: Dtype,
        substitute: Substitute<'_>,
    ) -> (Vec<Value>, Vec<(Leaf, Value)>) {
        let mut lower = Lower::new(self.model, "term", dtype);
        for (at, expr) in exprs.iter().enumerate() {
            let value = lower.expr(expr);
            lower.b.output(format!("{at}"), value);
        }
        let (program, leaves) = lower.finish();
        let program = if self.stable { passes::stabilise(&program).0 } else { program };
        let args: Vec<Value> = leaves
            .iter()
            .map(|&leaf| match substitute(self, draft, leaf) {
                Some(value) => value,
                None => draft.leaf(self, leaf, dtype),
            })
            .collect();
        let values = draft.b.inline(&program, &args);
        (values, leaves.into_iter().zip(args).collect())
    }
}

/// Whether both are the same numbers in memory.
fn is_same(a: &Tensor, b: &Tensor) -> bool {
    match (&a.elements, &b.elements) {
        (Elements::F64(a), Elements::F64(b)) => a.is(b),
        _ => false,
    }
}

/// No leaf is replaced.
pub(super) fn as_is(_: &mut Coder, _: &mut Draft, _: Leaf) -> Option<Value> {
    None
}

/// The term, or the sum of it over its family.
pub(super) fn summed(expr: &Expr, over: Option<Loop>) -> Expr {
    match over {
        None => expr.clone(),
        Some(over) => {
            Expr { kind: ExprKind::Over(over, Box::new(expr.clone())), shape: expr.shape.clone(), span: expr.span }
        }
    }
}

impl Draft {
    /// A state as an input: one member of it where the call runs over a family.
    pub fn read(&mut self, coder: &Coder, arg: impl Into<Arg>) -> Value {
        let arg = arg.into();
        if let Some(&(_, value)) = self.read.iter().find(|(seen, _)| *seen == arg) {
            return value;
        }
        let state = coder.out.state(arg.state);
        let (name, ty) = match arg.member {
            true => (format!("{}[i]", state.name), state.ty.clone()),
            false => (state.name.clone(), state.buffer()),
        };
        let value = self.b.input(name, ty);
        self.inputs.push(arg);
        self.read.push((arg, value));
        value
    }

    /// A value as an output.
    pub fn write(&mut self, coder: &Coder, arg: impl Into<Arg>, value: Value) {
        let arg = arg.into();
        let state = coder.out.state(arg.state);
        let name = if arg.member { format!("{}[i]", state.name) } else { state.name.clone() };
        let value = self.b.cast(value, state.ty.dtype);
        self.b.output(name, value);
        self.outputs.push(arg);
    }

    /// The value of a leaf in the dtype of the computation.
    pub fn leaf(&mut self, coder: &mut Coder, leaf: Leaf, dtype: Dtype) -> Value {
        let state = coder.leaf(leaf);
        let family = coder.out.state(state).family;
        let member = leaf.member();
        let arg = Arg { state, member: member == Member::Loop && family.is_some() };
        let value = self.read(coder, arg);
        let value = match (member, family) {
            (Member::At(k), Some(_)) => self.member(value, k),
            _ => value,
        };
        if self.b.dtype(value).is_float() { self.b.cast(value, dtype) } else { value }
    }

    /// Member `k` of a whole family.
    pub fn member(&mut self, family: Value, k: u32) -> Value {
        let shape = self.b.shape(family).clone();
        let mut ranges: Vec<Range> = shape.0.iter().map(|&len| Range { start: 0, len, step: 1 }).collect();
        ranges[0] = Range { start: k as usize, len: 1, step: 1 };
        let slice = self.b.slice(family, ranges);
        self.b.reshape(slice, Shape(shape.0[1..].to_vec()))
    }

    /// The finished program and its inputs, for what is no statement.
    pub fn into_parts(self) -> (Program, Vec<Arg>) {
        (passes::optimise(&self.b.finish()), self.inputs)
    }

    /// A number.
    pub fn number(&mut self, value: f64, dtype: Dtype) -> Value {
        self.b.constant(value, dtype)
    }

    /// `a/b`, and 0 where b is.
    pub fn quotient(&mut self, a: Value, b: Value) -> Value {
        let (zero, one) = (self.b.constant_like(0.0, b), self.b.constant_like(1.0, b));
        let divisor = self.b.select(b, b, one);
        let ratio = self.b.div(a, divisor);
        self.b.select(b, ratio, zero)
    }

    /// Vectors one behind another, flat.
    pub fn flat(&mut self, parts: &[Value]) -> Value {
        let flat: Vec<Value> = parts
            .iter()
            .map(|&part| {
                let n = self.b.shape(part).numel();
                self.b.reshape(part, [n])
            })
            .collect();
        if let [one] = flat[..] { one } else { self.b.concat(flat, 0) }
    }

    /// The reverse of [`Draft::flat`].
    pub fn unflat(&mut self, flat: Value, shapes: &[Shape]) -> Vec<Value> {
        let mut start = 0;
        shapes
            .iter()
            .map(|shape| {
                let piece = self.b.segment(flat, start, shape.numel());
                start += shape.numel();
                self.b.reshape(piece, shape.clone())
            })
            .collect()
    }
}

impl Leaf {
    /// Which member it reads.
    pub(super) fn member(self) -> Member {
        match self {
            Leaf::Var(_, member) | Leaf::Data(_, member) | Leaf::Sample(_, _, member) | Leaf::Dual(_, _, member) => {
                member
            }
            Leaf::Rho(_) => Member::None,
        }
    }

    /// The variable it reads, if it reads one.
    pub(super) fn var(self) -> Option<VarId> {
        match self {
            Leaf::Var(var, _) => Some(var),
            _ => None,
        }
    }
}
