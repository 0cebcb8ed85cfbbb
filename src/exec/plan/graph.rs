//! A program as the planner sees it: what is a view, what is repeated on the fly, and which
//! instructions run together as one sweep.
//!
//! Elementwise instructions of one size join a *unit* by level. A value's level is the least that
//! keeps every operand either in the same unit or in one of a lower level, so that units depend on
//! each other without a circle. An instruction whose users all sit in one later unit then sinks into
//! it: it is computed where it is used and never stored. Every other instruction is a unit of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::ir::Conv;
use crate::tape::ops::{Range, Reducer};
use crate::tape::{Op, Program, Type, Unary};

/// What a node is to the planner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::exec) enum Class {
    /// The input of that position.
    Input(u32),
    /// A number; stored only where a step reads it.
    Const(f64),
    /// The same elements as another node.
    Alias(usize),
    /// Elements of another node, from `at` on.
    View {
        of: usize,
        at: usize,
    },
    /// A smaller operand, repeated where it is used; stored only where a step reads it.
    Repeat,
    Elementwise,
    /// A sum or extreme of all elements, taken while they are swept.
    Fold,
    /// A unit of its own.
    Step,
}

/// An instruction. Operands are never aliases.
#[derive(Debug, Clone)]
pub(in crate::exec) struct Node {
    pub op: Op,
    pub args: Vec<usize>,
    /// Types of the operands as the instruction sees them (an alias may reshape).
    pub arg_tys: Vec<Type>,
    pub ty: Type,
    pub class: Class,
    /// Whether it lies in memory.
    pub stored: bool,
    /// Position of its unit in the order.
    pub unit: Option<usize>,
    level: usize,
}

impl Node {
    /// Whether it is a sum or extreme that is taken while its elements are swept.
    pub fn is_fold(&self) -> bool {
        self.class == Class::Fold
    }

    /// The convolution that it is, without places.
    pub fn conv(&self) -> Option<Conv> {
        let Op::Conv { part, window } = self.op else { return None };
        let shapes = part.roles([&self.arg_tys[0], &self.arg_tys[1], &self.ty]).map(|ty| &ty.shape);
        Some(Conv::new(part, window, shapes, self.ty.dtype))
    }
}

/// Instructions that run together.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// In the order of the program.
    pub nodes: Vec<usize>,
    /// Elements of the sweep; `None` for a step.
    pub sweep: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    /// In an order in which they can run.
    pub units: Vec<Unit>,
    /// The node of each output: an owner of memory, of that output alone.
    pub outputs: Vec<usize>,
}

impl Graph {
    /// The graph of a verified program.
    pub fn new(program: &Program) -> Graph {
        let mut graph =
            Graph { nodes: Vec::with_capacity(program.insts.len()), units: Vec::new(), outputs: Vec::new() };
        for inst in &program.insts {
            let arg_tys = inst.args.iter().map(|&arg| program.ty(arg).clone()).collect();
            let args = inst.args.iter().map(|arg| graph.canonical(arg.index())).collect();
            graph.push(inst.op.clone(), args, arg_tys, inst.ty.clone());
        }
        for output in &program.outputs {
            let node = graph.canonical(output.value.index());
            let owner = matches!(graph.nodes[node].class, Class::Elementwise | Class::Fold | Class::Step);
            let output = if owner && !graph.outputs.contains(&node) { node } else { graph.copy_of(node) };
            graph.outputs.push(output);
        }
        let live = graph.live();
        graph.assign_levels(&live);
        graph.sink(&live);
        let keys = graph.unit_keys(&live);
        graph.order(keys);
        graph
    }

    /// The node whose elements these are.
    fn canonical(&self, node: usize) -> usize {
        match self.nodes[node].class {
            Class::Alias(of) => of,
            _ => node,
        }
    }

    fn push(&mut self, op: Op, args: Vec<usize>, arg_tys: Vec<Type>, ty: Type) {
        let mut node = Node { op, args, arg_tys, ty, class: Class::Step, stored: false, unit: None, level: 0 };
        if let Op::MatMul { ta, tb } = &mut node.op {
            // A transposed operand is the operand with its strides exchanged.
            for (k, transpose) in [ta, tb].into_iter().enumerate() {
                let arg = &self.nodes[node.args[k]];
                if matches!(&arg.op, Op::Transpose { perm } if perm[..] == [1, 0]) && arg.ty == node.arg_tys[k] {
                    *transpose = !*transpose;
                    node.arg_tys[k] = arg.arg_tys[0].clone();
                    node.args[k] = arg.args[0];
                }
            }
        }
        node.class = self.classify(&node);
        self.nodes.push(node);
    }

    /// An identical node that owns its memory.
    fn copy_of(&mut self, node: usize) -> usize {
        let ty = self.nodes[node].ty.clone();
        self.push(Op::Cast, vec![node], vec![ty.clone()], ty);
        let copy = self.nodes.len() - 1;
        self.nodes[copy].class = Class::Elementwise;
        copy
    }

    fn classify(&self, node: &Node) -> Class {
        let n = node.ty.shape.numel();
        let same_size = || node.arg_tys[0].shape.numel() == n;
        match &node.op {
            Op::Input(position) => Class::Input(*position),
            Op::Const(number) => Class::Const(*number),
            Op::Reshape | Op::Unary(Unary::Hold) => Class::Alias(node.args[0]),
            Op::Broadcast { .. } | Op::Slice(_) | Op::Unslice(_) | Op::Concat { .. } if same_size() => {
                Class::Alias(node.args[0])
            }
            Op::Transpose { perm } if moves_units_only(perm, &node.arg_tys[0]) => Class::Alias(node.args[0]),
            Op::Cast if node.ty.dtype == node.arg_tys[0].dtype => Class::Alias(node.args[0]),
            Op::Broadcast { .. } => Class::Repeat,
            Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Cast => Class::Elementwise,
            Op::Reduce { reducer: Reducer::Sum | Reducer::Max | Reducer::Min, axes }
                if axes.len() == node.arg_tys[0].shape.rank() && node.ty.dtype.is_float() =>
            {
                Class::Fold
            }
            Op::Slice(ranges) => {
                let Some(at) = contiguous(ranges, &node.arg_tys[0]) else { return Class::Step };
                let of = node.args[0];
                match self.nodes[of].class {
                    Class::View { of, at: before } => Class::View { of, at: before + at },
                    Class::Const(_) | Class::Repeat => Class::Step,
                    _ => Class::View { of, at },
                }
            }
            _ => Class::Step,
        }
    }

    /// What outputs depend on.
    fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        let mut pending = self.outputs.clone();
        while let Some(node) = pending.pop() {
            if !std::mem::replace(&mut live[node], true) {
                pending.extend(&self.nodes[node].args);
                if let Class::View { of, .. } = self.nodes[node].class {
                    pending.push(of);
                }
            }
        }
        live
    }

    /// Elements that a node of a sweep runs over.
    fn span(&self, node: usize) -> usize {
        match self.nodes[node].class {
            Class::Fold => self.nodes[node].arg_tys[0].shape.numel(),
            _ => self.nodes[node].ty.shape.numel(),
        }
    }

    /// The level from which it can be read in memory.
    fn ready(&self, node: usize) -> usize {
        match self.nodes[node].class {
            Class::Input(_) => 0,
            Class::View { of, .. } => self.ready(of),
            _ => self.nodes[node].level + 1,
        }
    }

    /// The level from which a sweep of `span` elements can use it.
    fn usable(&self, node: usize, span: usize) -> usize {
        let it = &self.nodes[node];
        match it.class {
            Class::Const(_) => 0,
            Class::Repeat => it.level,
            Class::Elementwise if self.span(node) == span => it.level,
            _ => self.ready(node),
        }
    }

    fn assign_levels(&mut self, live: &[bool]) {
        for node in (0..self.nodes.len()).filter(|&node| live[node]) {
            let args = self.nodes[node].args.iter();
            let level = match self.nodes[node].class {
                Class::Elementwise | Class::Fold => args.map(|&arg| self.usable(arg, self.span(node))).max(),
                Class::Repeat => self.repeated(node).map(|source| self.ready(source)),
                Class::Step => args.map(|&arg| self.ready(arg)).max(),
                _ => None,
            };
            self.nodes[node].level = level.unwrap_or(0);
        }
    }

    /// The node in memory whose elements a `Repeat` repeats; `None` for a number.
    pub fn repeated(&self, node: usize) -> Option<usize> {
        let arg = self.nodes[node].args[0];
        match self.nodes[arg].class {
            Class::Const(_) => None,
            // One element repeated and repeated again is that element.
            Class::Repeat if self.nodes[arg].arg_tys[0].shape.numel() == 1 => self.repeated(arg),
            _ => Some(arg),
        }
    }

    /// Nodes in memory, or views of such, that a node reads.
    pub fn reads(&self, node: usize) -> Vec<usize> {
        let it = &self.nodes[node];
        match it.class {
            Class::Repeat => self.repeated(node).into_iter().collect(),
            Class::Elementwise | Class::Fold => {
                let read = |&arg: &usize| match self.nodes[arg].class {
                    Class::Const(_) => None,
                    Class::Repeat => self.repeated(arg),
                    _ => Some(arg),
                };
                it.args.iter().filter_map(read).collect()
            }
            Class::Step => it.args.clone(),
            Class::Input(_) | Class::Const(_) | Class::Alias(_) | Class::View { .. } => Vec::new(),
        }
    }

    /// The node in whose memory a node's elements lie.
    pub fn owner(&self, node: usize) -> usize {
        match self.nodes[node].class {
            Class::View { of, .. } => of,
            _ => node,
        }
    }

    fn sink(&mut self, live: &[bool]) {
        // The one level at which all users seen so far sit, per node; `Err` where there is none.
        let mut users: Vec<Option<Result<usize, ()>>> = vec![None; self.nodes.len()];
        for &output in &self.outputs {
            users[output] = Some(Err(()));
        }
        for node in (0..self.nodes.len()).rev().filter(|&node| live[node]) {
            if let (Class::Elementwise, Some(Ok(level))) = (self.nodes[node].class, users[node]) {
                self.nodes[node].level = level;
            }
            let fused = matches!(self.nodes[node].class, Class::Elementwise | Class::Fold);
            let of = match self.nodes[node].class {
                Class::View { of, .. } => Some(of),
                _ => None,
            };
            for arg in self.nodes[node].args.clone().into_iter().chain(of) {
                let level = self.nodes[node].level;
                let joins = fused && self.span(node) == self.span(arg);
                users[arg] = match users[arg] {
                    None if joins => Some(Ok(level)),
                    Some(Ok(other)) if joins && other == level => Some(Ok(level)),
                    _ => Some(Err(())),
                };
            }
        }
    }

    /// Says what is stored, and to which unit each node belongs: level, elements of the sweep, and the
    /// node itself for a step.
    fn unit_keys(&mut self, live: &[bool]) -> BTreeMap<(usize, Option<usize>, usize), Vec<usize>> {
        self.outputs.iter().for_each(|&output| self.nodes[output].stored = true);
        for node in (0..self.nodes.len()).filter(|&node| live[node]) {
            self.nodes[node].stored |= matches!(self.nodes[node].class, Class::Step | Class::Fold);
            for read in self.reads(node) {
                let (user, owner) = (&self.nodes[node], self.owner(read));
                let fused = matches!(user.class, Class::Elementwise | Class::Fold);
                let passed = self.nodes[read].class == Class::Elementwise
                    && self.span(read) == self.span(node)
                    && self.nodes[read].level == user.level;
                self.nodes[owner].stored |= !(fused && passed);
            }
        }
        let mut keys: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for node in (0..self.nodes.len()).filter(|&node| live[node]) {
            let it = &self.nodes[node];
            let key = match it.class {
                Class::Elementwise | Class::Fold => (it.level, Some(self.span(node)), 0),
                Class::Const(_) | Class::Repeat if it.stored => (it.level, Some(self.span(node)), 0),
                Class::Step => (it.level, None, node),
                _ => continue,
            };
            keys.entry(key).or_default().push(node);
        }
        keys
    }

    /// Orders the units: of those whose operands are there, the one that ends first in the program.
    fn order(&mut self, keys: BTreeMap<(usize, Option<usize>, usize), Vec<usize>>) {
        let units: Vec<Unit> = keys.into_iter().map(|((_, sweep, _), nodes)| Unit { nodes, sweep }).collect();
        for (index, unit) in units.iter().enumerate() {
            unit.nodes.iter().for_each(|&node| self.nodes[node].unit = Some(index));
        }
        let unit_of = |node: usize| self.nodes[self.owner(node)].unit;
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
        let mut waiting = vec![0; units.len()];
        for (index, unit) in units.iter().enumerate() {
            let mut before: Vec<usize> =
                unit.nodes.iter().flat_map(|&node| self.reads(node)).filter_map(unit_of).collect();
            before.retain(|&other| other != index);
            before.sort_unstable();
            before.dedup();
            waiting[index] = before.len();
            before.into_iter().for_each(|other| followers[other].push(index));
        }
        let rank = |index: usize| (*units[index].nodes.last().expect("a unit has a node"), index);
        let mut ready: BTreeSet<_> = (0..units.len()).filter(|&index| waiting[index] == 0).map(rank).collect();
        let mut order = Vec::with_capacity(units.len());
        while let Some((_, index)) = ready.pop_first() {
            order.push(index);
            for &follower in &followers[index] {
                waiting[follower] -= 1;
                if waiting[follower] == 0 {
                    ready.insert(rank(follower));
                }
            }
        }
        debug_assert_eq!(order.len(), units.len(), "levels keep units free of circles");
        self.units = order.iter().map(|&index| units[index].clone()).collect();
        for (index, unit) in self.units.iter().enumerate() {
            unit.nodes.iter().for_each(|&node| self.nodes[node].unit = Some(index));
        }
    }
}

/// Whether only axes of one element change place.
fn moves_units_only(perm: &[usize], ty: &Type) -> bool {
    perm.iter().filter(|&&axis| ty.shape.0[axis] != 1).is_sorted()
}

/// Where a box starts whose elements lie together.
fn contiguous(ranges: &[Range], ty: &Type) -> Option<usize> {
    let strides = ty.shape.strides();
    // From the last axis: whole axes, then one part of an axis, then single elements.
    let mut whole = true;
    for (range, &extent) in ranges.iter().zip(&ty.shape.0).rev() {
        let fits = if whole { range.step == 1 || range.len <= 1 } else { range.len == 1 };
        if !fits {
            return None;
        }
        whole &= range.len == extent;
    }
    Some(ranges.iter().zip(strides).map(|(range, stride)| range.start * stride).sum())
}
