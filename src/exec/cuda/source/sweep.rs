//! A sweep as device code: a thread takes an element, and everything between the first read and the last
//! write stays in its registers.
//!
//! A sweep with folds goes through tiles of [`TILE`] elements, 256 of them to a warp, so that a warp's
//! part is a block of the tape's [tree](crate::tape::tree) and a tile's part a node of it.

use super::writer::{Writer, literal, type_name};
use crate::exec::plan::{Axis, Inst, Kernel, Operand, Place, Sweep, Target};
use crate::tape::Dtype;
use crate::tape::ops::Reducer;

/// Elements that a block takes at a time where there are folds: a block of the tree to each of its warps.
pub(in crate::exec::cuda) const TILE: usize = 2048;

/// Elements that one block sweeps as soon as many do, the launch included.
pub(super) const SMALL: usize = 4096;

/// Writes a sweep.
pub(super) fn write(sweep: &Sweep, w: &mut Writer) {
    w.header("math.cuh");
    if sweep.folds.is_empty() {
        w.line(format!("for (i64 i = first_element(team); i < {}; i += element_stride(team)) {{", sweep.len));
        element(sweep, w, &[]);
        w.line("}");
        return;
    }
    w.header("fold.cuh");
    w.arrives = true;
    let tiles = sweep.len.div_ceil(TILE);
    w.line(format!("for (i64 tile = team.block(); tile < {tiles}; tile += team.blocks()) {{"));
    let lanes: Vec<String> = sweep.folds.iter().map(|_| w.name("lane")).collect();
    for (fold, lane) in sweep.folds.iter().zip(&lanes) {
        let ty = type_name(fold.dtype);
        w.line(format!("{ty} {lane} = {}::start<{ty}>();", reducer(fold.reducer)));
    }
    w.line(format!("const i64 start = tile * {TILE} + threadIdx.x / WARP * BLOCK + threadIdx.x % WARP;"));
    w.line(format!("for (i64 i = start; i < start + BLOCK && i < {}; i += WARP) {{", sweep.len));
    element(sweep, w, &lanes);
    w.line("}");
    for (fold, lane) in sweep.folds.iter().zip(&lanes) {
        let (parts, part) = (w.pointer(fold.parts, fold.dtype), w.name("part"));
        let (ty, reducer) = (type_name(fold.dtype), reducer(fold.reducer));
        w.line(format!("const {ty} {part} = tile_node<{reducer}>(shared, {lane});"));
        w.line(format!("if (threadIdx.x == 0) ({parts})[tile] = {part};"));
    }
    w.line("}");
    w.line("if (arrive_last(team, shared, arrived)) {");
    for fold in &sweep.folds {
        let (parts, to) = (w.pointer(fold.parts, fold.dtype), w.pointer(fold.to, fold.dtype));
        w.line(format!("finish_fold<{}>({to}, {parts}, {tiles});", reducer(fold.reducer)));
    }
    w.line("}");
}

/// The tag of a reducer in device code.
pub(super) fn reducer(reducer: Reducer) -> &'static str {
    match reducer {
        Reducer::Sum => "Sum",
        Reducer::Max => "Max",
        Reducer::Min => "Min",
        Reducer::LogSumExp => "LogSumExp",
        Reducer::Norm2 => "Norm2",
    }
}

/// What is known by name at an element.
#[derive(Default)]
struct Names {
    /// What a register holds.
    registers: Vec<Option<String>>,
    /// What was read from or written to memory.
    memory: Vec<(Place, Dtype, String)>,
}

impl Names {
    fn hold(&mut self, register: u32, name: String) {
        let at = register as usize;
        if self.registers.len() <= at {
            self.registers.resize(at + 1, None);
        }
        self.registers[at] = Some(name);
    }
}

/// The instructions at element `i`; each fold's operand goes into its lane.
fn element(sweep: &Sweep, w: &mut Writer, lanes: &[String]) {
    let mut names = Names::default();
    for inst in &sweep.insts {
        let ty = type_name(inst.dtype);
        if let Kernel::Fold { reducer: of, parts } = &inst.kernel {
            let x = operand(inst.args[0], inst.dtype, &mut names, w);
            let fold = sweep.folds.iter().position(|fold| fold.parts == *parts).expect("a fold ends its sweep");
            let lane = &lanes[fold];
            w.line(format!("{lane} = {}::join({lane}, {x});", reducer(*of)));
            continue;
        }
        let value = value(inst, &mut names, w);
        let ty = match inst.kernel {
            Kernel::Cast(to) => type_name(to),
            _ => ty,
        };
        let name = w.name("x");
        w.line(format!("const {ty} {name} = {value};"));
        match inst.to {
            Target::Register(register) => names.hold(register, name),
            Target::Tile(place) => {
                let dtype = match inst.kernel {
                    Kernel::Cast(to) => to,
                    _ => inst.dtype,
                };
                let to = w.pointer(place, dtype);
                w.line(format!("({to})[i] = {name};"));
                names.memory.push((place, dtype, name));
            }
            Target::None => unreachable!("only a fold has no target"),
        }
    }
    for store in &sweep.stores {
        let name = names.registers[store.register as usize].clone().expect("what is stored was made");
        let to = w.pointer(store.to, store.dtype);
        w.line(format!("({to})[i] = {name};"));
    }
}

/// An instruction's value as an expression.
fn value(inst: &Inst, names: &mut Names, w: &mut Writer) -> String {
    let dtype = inst.dtype;
    let [a, b, c] = inst.args;
    match &inst.kernel {
        Kernel::Unary(f) => {
            let x = operand(a, dtype, names, w);
            format!("op_{}({x})", f.function().name)
        }
        Kernel::Binary(f) => {
            let (a, b) = (operand(a, dtype, names, w), operand(b, dtype, names, w));
            format!("op_{}({a}, {b})", f.function().name)
        }
        Kernel::Select(condition) => {
            let c_name = operand(a, *condition, names, w);
            let (a, b) = (operand(b, dtype, names, w), operand(c, dtype, names, w));
            format!("op_select({c_name}, {a}, {b})")
        }
        Kernel::Cast(to) => {
            let x = operand(a, dtype, names, w);
            format!("cast<{}>({x})", type_name(*to))
        }
        Kernel::Fill => operand(a, dtype, names, w),
        Kernel::Repeat { from, axes } => {
            let from = w.pointer(*from, dtype);
            format!("({from})[{}]", repeated(axes))
        }
        Kernel::Fold { .. } => unreachable!("a fold has no value at an element"),
    }
}

/// An operand; what lies in memory is read once.
fn operand(operand: Operand, dtype: Dtype, names: &mut Names, w: &mut Writer) -> String {
    match operand {
        Operand::Register(register) => names.registers[register as usize].clone().expect("made before it is used"),
        Operand::Number(number) => literal(number, dtype),
        Operand::Splat(place) => {
            let from = w.pointer(place, dtype);
            format!("*({from})")
        }
        Operand::Tile(place) => {
            let known = names.memory.iter().find(|(at, of, _)| *at == place && *of == dtype);
            if let Some((_, _, name)) = known {
                return name.clone();
            }
            let (name, from) = (w.name("x"), w.pointer(place, dtype));
            w.line(format!("const {} {name} = ({from})[i];", type_name(dtype)));
            names.memory.push((place, dtype, name.clone()));
            name
        }
        Operand::None => unreachable!("an instruction has its operands"),
    }
}

/// Where element `i` of a repeated operand lies, as an expression.
fn repeated(axes: &[Axis]) -> String {
    let mut terms = Vec::new();
    let mut inner = 1;
    for (k, axis) in axes.iter().enumerate().rev() {
        if axis.stride > 0 {
            let mut term = match inner {
                1 => "i".to_owned(),
                inner => format!("i / {inner}"),
            };
            // The outermost axis ends with the sweep.
            if k > 0 {
                term = format!("{term} % {}", axis.extent);
            }
            terms.push(match axis.stride {
                1 => term,
                stride => format!("({term}) * {stride}"),
            });
        }
        inner *= axis.extent;
    }
    if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_by_extents_and_strides() {
        let axis = |extent, stride| Axis { extent, stride };
        assert_eq!(repeated(&[axis(4, 0), axis(6, 1)]), "i % 6");
        assert_eq!(repeated(&[axis(6, 1), axis(5, 0)]), "i / 5");
        assert_eq!(repeated(&[axis(2, 3), axis(4, 0), axis(3, 1)]), "i % 3 + (i / 12) * 3");
        assert_eq!(repeated(&[axis(30, 0)]), "0");
    }
}
