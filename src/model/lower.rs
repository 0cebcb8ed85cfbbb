//! Expressions → the tape.
//!
//! Every [`Leaf`] becomes an input of the program, numbers become constants, functions are lowered
//! by the catalogue, networks layer by layer ([`network`](super::network)). Each instruction remembers
//! the expression it came from.
//!
//! A leaf of [`Member::Loop`] is an input of one member's type, to be bound to a slot that picks the
//! member when the call runs. A sum over a family *inside* an expression is unrolled: member `k` of
//! each leaf is an input of its own, so such a family should be small; the split stage keeps the
//! sums of an objective as loops and never sends them here.

use std::collections::BTreeMap;

use super::ir::{Expr, ExprKind, Leaf, Member, Model};
use crate::tape::{Builder, Dtype, Op, Program, Shape, Type, Value};

/// A program under construction from expressions of a model.
pub struct Lower<'m> {
    model: &'m Model,
    /// The program so far; instructions of one's own may be added.
    pub b: Builder,
    /// Working precision.
    pub dtype: Dtype,
    /// The leaves met so far, in the order of the program's inputs.
    pub leaves: Vec<Leaf>,
    values: BTreeMap<Leaf, Value>,
    /// The member that a family's sum is at, while it is unrolled; or the one that is evaluated.
    pub(super) member: Option<u32>,
}

impl<'m> Lower<'m> {
    /// An empty program of that name and precision.
    pub fn new(model: &'m Model, name: impl Into<String>, dtype: Dtype) -> Lower<'m> {
        Lower { model, b: Builder::new(name), dtype, leaves: Vec::new(), values: BTreeMap::new(), member: None }
    }

    /// Puts `value` wherever `leaf` stands in what is lowered from here on: a copy for its original,
    /// zero for a block.
    pub fn bind(&mut self, leaf: Leaf, value: Value) {
        debug_assert_eq!(*self.b.shape(value), self.model.leaf_shape(leaf), "a substitute has the shape of {leaf:?}");
        self.values.insert(leaf, value);
    }

    /// The value of a leaf: its substitute, or an input of the program.
    pub fn leaf(&mut self, leaf: Leaf) -> Value {
        let leaf = match self.member {
            Some(k) => leaf.at(k),
            None => leaf,
        };
        if let Some(&value) = self.values.get(&leaf) {
            return value;
        }
        let dtype = match leaf {
            Leaf::Data(id, _) if !self.model.data[id.index()].tensor.dtype().is_float() => Dtype::Index,
            _ => self.dtype,
        };
        let name = self.name(leaf);
        let value = self.b.input(name, Type { dtype, shape: self.model.leaf_shape(leaf) });
        self.leaves.push(leaf);
        self.values.insert(leaf, value);
        value
    }

    /// The program, and the leaves that are its inputs.
    pub fn finish(self) -> (Program, Vec<Leaf>) {
        (self.b.finish(), self.leaves)
    }

    /// The value of an expression.
    pub fn expr(&mut self, expr: &Expr) -> Value {
        let outer = self.b.set_origin(Some(expr.span));
        let value = self.kind(expr);
        self.b.set_origin(outer);
        debug_assert_eq!(*self.b.shape(value), expr.shape, "an expression has the shape it was given");
        value
    }

    fn kind(&mut self, expr: &Expr) -> Value {
        if let Some(value) = self.sparse(expr) {
            return value;
        }
        match &expr.kind {
            ExprKind::Sparse(_) => unreachable!("a sparse matrix is lowered by `sparse`"),
            ExprKind::Number(number) => self.b.constant(*number, self.dtype),
            ExprKind::Leaf(leaf) => self.leaf(*leaf),
            ExprKind::Apply(function, args) => {
                let args: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
                function.lower(&mut self.b, &args, &expr.shape)
            }
            ExprKind::Net { net, input, params, layers, masks } => {
                let args = [self.expr(input), self.expr(params)];
                let net = &self.model.nets[net.index()];
                let batch = net.batch(*layers, &expr.shape);
                let value = self.net(net, args, *layers, masks, batch);
                self.b.reshape(value, expr.shape.clone())
            }
            ExprKind::Slice(base, ranges) => {
                let base = self.expr(base);
                let piece = self.b.slice(base, ranges.clone());
                self.b.reshape(piece, expr.shape.clone())
            }
            ExprKind::Reshape(base) => {
                let base = self.expr(base);
                self.b.reshape(base, expr.shape.clone())
            }
            ExprKind::Concat(parts, axis) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.expr(part)).collect();
                let ty = Type { dtype: self.dtype, shape: expr.shape.clone() };
                self.b.push(Op::Concat { axis: *axis }, parts, ty)
            }
            ExprKind::Over(over, body) => {
                let outer = self.member;
                let members: Vec<Value> = (0..over.count)
                    .map(|k| {
                        self.member = Some(k as u32);
                        self.expr(body)
                    })
                    .collect();
                self.member = outer;
                let sum = members.into_iter().reduce(|sum, member| self.b.add(sum, member));
                sum.unwrap_or_else(|| self.b.constant(0.0, self.dtype))
            }
        }
    }

    /// The leaf's name, told apart from another leaf's of the same name.
    fn name(&self, leaf: Leaf) -> String {
        let plain = self.model.leaf_name(leaf);
        let taken = |name: &str| self.b.program().input(name).is_some();
        if !taken(&plain) {
            return plain;
        }
        let qualified = match leaf {
            Leaf::Var(id, _) => self.model.player_name(self.model.vars[id.index()].player),
            Leaf::Dual(player, ..) | Leaf::Rho(player) => self.model.player_name(player),
            Leaf::Data(..) | Leaf::Sample(..) => None,
        };
        let plain = qualified.map_or(plain.clone(), |player| format!("{player}.{plain}"));
        let mut candidates = std::iter::once(plain.clone()).chain((2..).map(|k| format!("{plain}#{k}")));
        candidates.find(|name| !taken(name)).expect("there are finitely many inputs")
    }
}

impl Leaf {
    /// The same leaf, with the loop around it at member `k`.
    pub fn at(self, k: u32) -> Leaf {
        let at = |member| if member == Member::Loop { Member::At(k) } else { member };
        match self {
            Leaf::Var(id, member) => Leaf::Var(id, at(member)),
            Leaf::Data(id, member) => Leaf::Data(id, at(member)),
            Leaf::Sample(id, part, member) => Leaf::Sample(id, part, at(member)),
            Leaf::Dual(player, constraint, member) => Leaf::Dual(player, constraint, at(member)),
            Leaf::Rho(player) => Leaf::Rho(player),
        }
    }
}

impl Model {
    /// The shape of a leaf's value: of one member, where it is a family's.
    pub fn leaf_shape(&self, leaf: Leaf) -> Shape {
        match leaf {
            Leaf::Var(id, member) => member_of(&self.vars[id.index()].shape, self.vars[id.index()].family, member),
            Leaf::Data(id, member) => {
                let data = &self.data[id.index()];
                match member {
                    Member::None => data.tensor.shape.clone(),
                    Member::Loop | Member::At(_) => Shape(data.tensor.shape.0[1..].to_vec()),
                }
            }
            Leaf::Sample(id, part, member) => {
                let sample = &self.samples[id.index()];
                member_of(&sample.shapes[part as usize], sample.family, member)
            }
            Leaf::Dual(player, id, member) => {
                let constraint = &self.players[player.index()].constraints[id.index()];
                member_of(&constraint.relation.expr().shape, constraint.over.map(|over| over.count), member)
            }
            Leaf::Rho(_) => Shape::scalar(),
        }
    }

    /// A leaf in words: `θ1`, `w[i]`, `w[3]`, `λ.tie`, `ρ.discriminator`.
    pub fn leaf_name(&self, leaf: Leaf) -> String {
        let index = |name: &str, member| match member {
            Member::None => name.to_owned(),
            Member::Loop => format!("{name}[i]"),
            Member::At(k) => format!("{name}[{}]", k + 1),
        };
        match leaf {
            Leaf::Var(id, member) => index(&self.vars[id.index()].name, member),
            Leaf::Data(id, member) => index(&self.data[id.index()].name, member),
            Leaf::Sample(id, part, member) => index(&self.samples[id.index()].names[part as usize], member),
            Leaf::Dual(player, id, member) => {
                let label = &self.players[player.index()].constraints[id.index()].label;
                index(&label.as_ref().map_or_else(|| "λ".to_owned(), |label| format!("λ.{label}")), member)
            }
            Leaf::Rho(player) => self.player_name(player).map_or("ρ".to_owned(), |name| format!("ρ.{name}")),
        }
    }

    fn player_name(&self, player: super::ir::PlayerId) -> Option<&str> {
        self.players.get(player.index()).and_then(|player| player.name.as_deref())
    }
}

/// A whole family lies along a first axis.
fn member_of(shape: &Shape, family: Option<usize>, member: Member) -> Shape {
    match (member, family) {
        (Member::None, Some(count)) => Shape(std::iter::once(count).chain(shape.0.iter().copied()).collect()),
        _ => shape.clone(),
    }
}
