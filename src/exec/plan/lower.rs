//! Graph and layout → plan: each unit's instructions with every operand placed.

use std::sync::Arc;

use super::Device;
use super::boxes::coalesce;
use super::graph::{Class, Graph, Unit};
use super::grid::GridPlan;
use super::ir::{
    Array, Axis, Conv, Fold, Inst, Iterate, Kernel, Layout as Reduced, MatMul, Move, Operand, Place, Plan,
};
use super::ir::{Single, Step, Store, Sweep, Target};
use super::layout::Layout;
use crate::exec::Slot;
use crate::tape::ops::{Iteration, Range, Reducer};
use crate::tape::{Op, Program, Shape, Type};

/// The plan of a verified program on these slots.
pub(super) fn plan(program: &Program, inputs: &[Slot], outputs: &[Slot], device: &dyn Device) -> Plan {
    let graph = Graph::new(program);
    let layout = Layout::new(&graph, inputs, outputs, device);
    let lowering = Lowering { graph: &graph, layout: &layout, device };
    let mut steps = Vec::new();
    for unit in &graph.units {
        match unit.sweep {
            Some(0) if unit.nodes.iter().all(|&node| graph.nodes[node].class != Class::Fold) => {}
            Some(len) => steps.push(Step::Sweep(lowering.sweep(unit, len))),
            None => unit.nodes.iter().for_each(|&node| lowering.step(node, &mut steps)),
        }
    }
    for &(node, to) in &layout.copies {
        let ty = &graph.nodes[node].ty;
        let axes = coalesce([(ty.shape.numel(), 1, 1)]);
        lowering.push_move(&mut steps, ty, layout.place(&graph, node), to, axes, None);
    }
    Plan { arena: layout.arena, steps }
}

struct Lowering<'a> {
    graph: &'a Graph,
    layout: &'a Layout,
    device: &'a dyn Device,
}

impl Lowering<'_> {
    fn place(&self, node: usize) -> Place {
        self.layout.place(self.graph, node)
    }

    fn array(&self, node: usize) -> Array {
        let ty = &self.graph.nodes[node].ty;
        Array { place: self.place(node), len: ty.shape.numel(), dtype: ty.dtype }
    }

    fn sweep(&self, unit: &Unit, len: usize) -> Sweep {
        let mut sweep = Sweep { len, ..Sweep::default() };
        // Registers are numbered by their instruction at first, and given out at the end.
        let mut local: Vec<(usize, Operand)> = Vec::new();
        for &node in &unit.nodes {
            let it = &self.graph.nodes[node];
            let register = |sweep: &Sweep| sweep.insts.len() as u32;
            let mut args = [Operand::None; 3];
            for (k, &arg) in it.args.iter().enumerate().take(3) {
                args[k] = self.operand(&mut sweep, &mut local, arg);
            }
            let (kernel, dtype) = match (&it.op, it.class) {
                (Op::Const(number), _) => {
                    args[0] = Operand::Number(*number);
                    (Kernel::Fill, it.ty.dtype)
                }
                (_, Class::Repeat) => {
                    let (kernel, operand) = self.repeat(node);
                    args = [operand, Operand::None, Operand::None];
                    (kernel, it.ty.dtype)
                }
                (Op::Unary(f), _) => (Kernel::Unary(*f), it.ty.dtype),
                (Op::Binary(f), _) => (Kernel::Binary(*f), it.ty.dtype),
                (Op::Select, _) => (Kernel::Select(it.arg_tys[0].dtype), it.ty.dtype),
                (Op::Cast, _) => (Kernel::Cast(it.ty.dtype), it.arg_tys[0].dtype),
                (Op::Reduce { reducer, .. }, _) => {
                    let parts = self.layout.workspace(node).expect("a fold has parts").place;
                    let fold = Fold { reducer: *reducer, parts, to: self.place(node), dtype: it.ty.dtype };
                    sweep.folds.push(fold);
                    (Kernel::Fold { reducer: *reducer, parts }, it.ty.dtype)
                }
                (op, _) => unreachable!("{op:?} is not swept"),
            };
            let takes_tile =
                matches!(kernel, Kernel::Unary(_) | Kernel::Select(_) | Kernel::Cast(_) | Kernel::Fold { .. });
            if takes_tile && matches!(args[0], Operand::Number(_) | Operand::Splat(_)) {
                let dtype = it.arg_tys[0].dtype;
                let to = register(&sweep);
                let fill = [args[0], Operand::None, Operand::None];
                sweep.insts.push(Inst { kernel: Kernel::Fill, dtype, args: fill, to: Target::Register(to) });
                args[0] = Operand::Register(to);
            }
            let deferred = self.layout.deferred[node];
            let to = match it.class {
                Class::Fold => Target::None,
                _ if it.stored && !deferred => Target::Tile(self.place(node)),
                _ => Target::Register(register(&sweep)),
            };
            match to {
                Target::Register(r) => {
                    local.push((node, Operand::Register(r)));
                    if deferred {
                        sweep.stores.push(Store { register: r, to: self.place(node), dtype: it.ty.dtype });
                    }
                }
                Target::Tile(place) => local.push((node, Operand::Tile(place))),
                Target::None => {}
            }
            sweep.insts.push(Inst { kernel, dtype, args, to });
        }
        give_out_registers(&mut sweep);
        sweep
    }

    /// An operand of a sweep; a repeated one is repeated into a register at its first use.
    fn operand(&self, sweep: &mut Sweep, local: &mut Vec<(usize, Operand)>, arg: usize) -> Operand {
        if let Some(&(_, operand)) = local.iter().rev().find(|(node, _)| *node == arg) {
            return operand;
        }
        match self.graph.nodes[arg].class {
            Class::Const(number) => Operand::Number(number),
            Class::Repeat => {
                let (kernel, operand) = self.repeat(arg);
                if kernel == Kernel::Fill {
                    return operand;
                }
                let to = sweep.insts.len() as u32;
                let dtype = self.graph.nodes[arg].ty.dtype;
                sweep.insts.push(Inst { kernel, dtype, args: [Operand::None; 3], to: Target::Register(to) });
                local.push((arg, Operand::Register(to)));
                Operand::Register(to)
            }
            _ => Operand::Tile(self.place(arg)),
        }
    }

    /// How a repeated operand is made: filled with one element or number, or repeated along axes.
    fn repeat(&self, node: usize) -> (Kernel, Operand) {
        let it = &self.graph.nodes[node];
        let Some(from) = self.graph.repeated(node) else {
            let mut number = node;
            while self.graph.nodes[number].class == Class::Repeat {
                number = self.graph.nodes[number].args[0];
            }
            let Class::Const(number) = self.graph.nodes[number].class else {
                unreachable!("what is repeated from no memory is a number")
            };
            return (Kernel::Fill, Operand::Number(number));
        };
        let place = self.place(from);
        if self.graph.nodes[from].ty.shape.numel() == 1 {
            return (Kernel::Fill, Operand::Splat(place));
        }
        let Op::Broadcast { axes: kept } = &it.op else { unreachable!("only a broadcast repeats") };
        let strides = it.arg_tys[0].shape.strides();
        let mut axes: Vec<Axis> = Vec::new();
        for (axis, &extent) in it.ty.shape.0.iter().enumerate() {
            let stride = kept.iter().position(|&to| to == axis).map_or(0, |of| strides[of]);
            match axes.last_mut() {
                _ if extent == 1 => {}
                Some(last) if last.stride == extent * stride => *last = Axis { extent: last.extent * extent, stride },
                _ => axes.push(Axis { extent, stride }),
            }
        }
        (Kernel::Repeat { from: place, axes }, Operand::None)
    }

    fn step(&self, node: usize, steps: &mut Vec<Step>) {
        let it = &self.graph.nodes[node];
        let (ty, extents) = (&it.ty, &it.ty.shape.0);
        let single = match &it.op {
            Op::MatMul { ta, tb } => {
                steps.push(Step::MatMul(self.matmul(node, *ta, *tb)));
                return;
            }
            Op::Iterate(iteration) => {
                steps.push(Step::Iterate(Box::new(self.iterate(node, iteration))));
                return;
            }
            Op::Conv { .. } => {
                steps.push(Step::Conv(self.conv(node)));
                return;
            }
            Op::Transpose { perm } => {
                let (read, written) = (it.arg_tys[0].shape.strides(), ty.shape.strides());
                let axes = perm.iter().zip(extents).zip(written).map(|((&of, &extent), to)| (extent, read[of], to));
                let axes = coalesce(axes);
                self.push_move(steps, ty, self.place(it.args[0]), self.place(node), axes, None);
                return;
            }
            Op::Slice(ranges) => {
                let (start, strides) = inside(ranges, &it.arg_tys[0].shape);
                let axes = extents.iter().zip(strides).zip(ty.shape.strides()).map(|((&n, read), to)| (n, read, to));
                let from = self.place(it.args[0]);
                let from = Place { at: from.at + start, ..from };
                self.push_move(steps, ty, from, self.place(node), coalesce(axes), None);
                return;
            }
            Op::Unslice(ranges) => {
                let (start, strides) = inside(ranges, &ty.shape);
                let part = &it.arg_tys[0];
                let read = part.shape.strides();
                let axes = part.shape.0.iter().zip(read).zip(strides).map(|((&n, read), to)| (n, read, to));
                let whole = self.place(node);
                let to = Place { at: whole.at + start, ..whole };
                let zero = Some((whole, ty.shape.numel()));
                self.push_move(steps, part, self.place(it.args[0]), to, coalesce(axes), zero);
                return;
            }
            Op::Concat { axis } => {
                self.concat(node, *axis, steps);
                return;
            }
            Op::Reduce { reducer, axes } => self.reduce(*reducer, axes, &it.arg_tys[0]),
            Op::ArgMax => Single::ArgMax { row: *it.arg_tys[0].shape.0.last().expect("checked by the verifier") },
            Op::Sort => Single::Sort { row: *extents.last().expect("checked by the verifier") },
            Op::ArgSort => Single::ArgSort { row: *extents.last().expect("checked by the verifier") },
            Op::CumSum { reverse } => {
                Single::CumSum { row: *extents.last().expect("checked by the verifier"), reverse: *reverse }
            }
            Op::Iota { axis } => Single::Iota { extent: extents[*axis], inner: extents[axis + 1..].iter().product() },
            Op::Gather => Single::Gather { width: extents[1..].iter().product() },
            Op::ScatterAdd => Single::ScatterAdd { width: extents[1..].iter().product() },
            Op::Random { distribution, stream } => Single::Random { distribution: *distribution, stream: *stream },
            Op::Cholesky => Single::Cholesky { n: extents[0] },
            Op::CholeskySolve => Single::CholeskySolve { n: extents[0] },
            Op::SparseMatVec { transpose } => Single::SparseMatVec { transpose: *transpose },
            Op::SparseFactor(symbolic) => Single::SparseFactor(symbolic.clone()),
            Op::SparseSolve(symbolic) => Single::SparseSolve(symbolic.clone()),
            Op::Grid { transform, inverse } => {
                let plan = Arc::new(GridPlan::new(*transform, ty));
                Single::Grid { plan, transform: *transform, extents: extents.clone(), inverse: *inverse }
            }
            Op::SymmetricEigenvalues => Single::SymmetricEigenvalues { n: extents[0] },
            Op::SymmetricEigen => Single::SymmetricEigen { n: extents[1] },
            Op::Svd => {
                let [rows, columns] = it.arg_tys[0].shape.0[..] else { unreachable!("checked by the verifier") };
                Single::Svd { rows, columns }
            }
            Op::Assignment => Single::Assignment { n: extents[0] },
            Op::Pav => Single::Isotonic { row: *extents.last().expect("checked by the verifier") },
            Op::TautString => Single::TautString { row: *extents.last().expect("checked by the verifier") },
            Op::PsdSqrt => Single::PsdSqrt { n: extents[0] },
            Op::Input(_)
            | Op::Const(_)
            | Op::Unary(_)
            | Op::Binary(_)
            | Op::Select
            | Op::Broadcast { .. }
            | Op::Reshape
            | Op::Cast => unreachable!("{:?} is not a step", it.op),
        };
        let args = it.args.iter().map(|&arg| self.array(arg)).collect();
        steps.push(Step::Single { single, args, to: self.array(node), workspace: self.layout.workspace(node) });
    }

    fn matmul(&self, node: usize, ta: bool, tb: bool) -> MatMul {
        let it = &self.graph.nodes[node];
        let [rows, columns] = it.ty.shape.0[..] else { unreachable!("a product is a matrix") };
        let [a, b] = [0, 1].map(|k| &it.arg_tys[k].shape.0);
        let strides = |width: usize, transposed| if transposed { (1, width) } else { (width, 1) };
        MatMul {
            rows,
            inner: a[usize::from(!ta)],
            columns,
            a: self.place(it.args[0]),
            a_strides: strides(a[1], ta),
            b: self.place(it.args[1]),
            b_strides: strides(b[1], tb),
            to: self.place(node),
            dtype: it.ty.dtype,
        }
    }

    fn iterate(&self, node: usize, iteration: &Iteration) -> Iterate {
        let it = &self.graph.nodes[node];
        let turns = self.device.turns(iteration, &it.arg_tys, it.ty.shape.numel());
        let args = it.args.iter().map(|&arg| self.place(arg)).collect();
        let workspace = self.layout.workspace(node);
        Iterate { args, to: self.place(node), workspace, ..Iterate::new(iteration, &it.arg_tys, &it.ty, turns) }
    }

    fn conv(&self, node: usize) -> Conv {
        let it = &self.graph.nodes[node];
        let conv = it.conv().expect("the step is a convolution");
        let [a, b, result] = [self.place(it.args[0]), self.place(it.args[1]), self.place(node)];
        let [x, w, y] = conv.part.roles([a, b, result]);
        Conv { x, w, y, workspace: self.layout.workspace(node), ..conv }
    }

    fn reduce(&self, reducer: Reducer, axes: &[usize], ty: &Type) -> Single {
        let extents = &ty.shape.0;
        let (first, last) = (axes[0], axes[axes.len() - 1]);
        let layout = if last - first + 1 == axes.len() {
            let reduced = extents[first..=last].iter().product();
            Reduced::Regular { reduced, inner: extents[last + 1..].iter().product() }
        } else {
            let strides = ty.shape.strides();
            let offsets = |reduced: bool| {
                let mut all = vec![0];
                for axis in (0..extents.len()).filter(|axis| axes.contains(axis) == reduced) {
                    let extend = |at: &usize| {
                        let at = *at;
                        let stride = strides[axis];
                        (0..extents[axis]).map(move |i| at + i * stride)
                    };
                    all = all.iter().flat_map(extend).collect();
                }
                all
            };
            Reduced::Scattered { kept: offsets(false), reduced: offsets(true) }
        };
        Single::Reduce { reducer, layout }
    }

    /// Copies those parts that were not made in place.
    fn concat(&self, node: usize, axis: usize, steps: &mut Vec<Step>) {
        let it = &self.graph.nodes[node];
        let outer: usize = it.ty.shape.0[..axis].iter().product();
        let inner: usize = it.ty.shape.0[axis + 1..].iter().product();
        let row = it.ty.shape.0[axis] * inner;
        let whole = self.place(node);
        let mut start = 0;
        for (&arg, ty) in it.args.iter().zip(&it.arg_tys) {
            let width = ty.shape.0[axis] * inner;
            let to = Place { at: whole.at + start, ..whole };
            if self.place(arg) != to {
                let axes = coalesce([(outer, width, row), (width, 1, 1)]);
                self.push_move(steps, ty, self.place(arg), to, axes, None);
            }
            start += width;
        }
    }

    fn push_move(
        &self,
        steps: &mut Vec<Step>,
        ty: &Type,
        from: Place,
        to: Place,
        axes: Vec<(usize, usize, usize)>,
        zero: Option<(Place, usize)>,
    ) {
        let empty = ty.shape.numel() == 0;
        if !empty || zero.is_some() {
            steps.push(Step::Move(Move { from, to, dtype: ty.dtype, axes, zero, empty }));
        }
    }
}

/// Where a box starts in its whole, and its strides there.
fn inside(ranges: &[Range], whole: &Shape) -> (usize, Vec<usize>) {
    let strides = whole.strides();
    let start = ranges.iter().zip(&strides).map(|(range, stride)| range.start * stride).sum();
    (start, ranges.iter().zip(&strides).map(|(range, stride)| range.step * stride).collect())
}

/// Replaces registers numbered by instruction by as few as their lives allow. A register is free again
/// after the last instruction that reads it, and is not given to that one.
fn give_out_registers(sweep: &mut Sweep) {
    let end = sweep.insts.len();
    let mut last = vec![0; end];
    for (at, inst) in sweep.insts.iter().enumerate() {
        for arg in inst.args {
            if let Operand::Register(r) = arg {
                last[r as usize] = at;
            }
        }
    }
    sweep.stores.iter().for_each(|store| last[store.register as usize] = end);
    let mut given = vec![0; end];
    let mut free: Vec<u32> = Vec::new();
    for (at, inst) in sweep.insts.iter_mut().enumerate() {
        let read = inst.args.map(|arg| match arg {
            Operand::Register(r) => Some(r as usize),
            _ => None,
        });
        for (arg, r) in inst.args.iter_mut().zip(read) {
            if let Some(r) = r {
                *arg = Operand::Register(given[r]);
            }
        }
        let mut released: Vec<usize> = read.into_iter().flatten().filter(|&r| last[r] == at).collect();
        if let Target::Register(r) = inst.to {
            given[r as usize] = free.pop().unwrap_or_else(|| {
                sweep.registers += 1;
                sweep.registers - 1
            });
            inst.to = Target::Register(given[r as usize]);
            // A result that nobody reads is never released; there is none, since dead code is dropped.
        }
        released.sort_unstable();
        released.dedup();
        free.extend(released.into_iter().map(|r| given[r]));
    }
    sweep.stores.iter_mut().for_each(|store| store.register = given[store.register as usize]);
}
