//! Loops as device code. Lanes: a thread takes an element, with its turn as an expression, until it stops.
//! Of whole tensors: one block, whose turn is a plan of its own on the loop's workspace.

use super::writer::{Table, Writer, base_name, literal, type_name};
use super::{Piece, THREADS, pieces};
use crate::exec::plan::{Array, Iterate, Place, Turn};
use crate::tape::{Dtype, Op};

/// Lanes that one block takes as soon as many do: a turn is run some five times.
const SMALL: usize = 1024;

/// Writes a loop.
pub(super) fn write(it: &Iterate, tables: &mut Vec<Table>) -> Piece {
    let mut w = Writer::default();
    if it.lanes {
        lanes(it, &mut w);
        return Piece { w, blocks: it.len.div_ceil(THREADS), small: it.len <= SMALL };
    }
    whole(it, &mut w, tables);
    Piece { w, blocks: 1, small: true }
}

/// Every element by itself.
fn lanes(it: &Iterate, w: &mut Writer) {
    w.header("math.cuh");
    let body = &it.iteration.body;
    let carried = it.iteration.carried;
    w.line(format!("for (i64 i = first_element(team); i < {}; i += element_stride(team)) {{", it.len));
    let inputs: Vec<String> = (0..it.args.len())
        .map(|k| {
            let dtype = body.ty(body.inputs[k].value).dtype;
            let (name, from) = (w.name("x"), w.pointer(it.args[k], dtype));
            let constant = if k < carried { "" } else { "const " };
            let at = if it.repeated[k] { "0" } else { "i" };
            w.line(format!("{constant}{} {name} = ({from})[{at}];", type_name(dtype)));
            name
        })
        .collect();
    let turn = w.name("turn");
    w.line(format!("for (u32 {turn} = 0; {turn} < {}; ++{turn}) {{", it.iteration.count));
    let mut values: Vec<String> = Vec::with_capacity(body.insts.len());
    for inst in &body.insts {
        let arg = |k: usize| values[inst.args[k].index()].as_str();
        let value = match &inst.op {
            Op::Input(position) => {
                values.push(inputs[*position as usize].clone());
                continue;
            }
            Op::Const(number) => literal(*number, inst.ty.dtype),
            Op::Unary(f) => format!("op_{}({})", f.function().name, arg(0)),
            Op::Binary(f) => format!("op_{}({}, {})", f.function().name, arg(0), arg(1)),
            Op::Select => format!("op_select({}, {}, {})", arg(0), arg(1), arg(2)),
            op => unreachable!("the verifier keeps {} out of lanes", op.name()),
        };
        let name = w.name("x");
        w.line(format!("const {} {name} = {value};", type_name(inst.ty.dtype)));
        values.push(name);
    }
    let output = |k: usize| values[body.outputs[k].value.index()].clone();
    // All are read before the first is overwritten.
    let next: Vec<String> = (0..carried)
        .map(|k| {
            let name = w.name("next");
            w.line(format!("const {} {name} = {};", type_name(body.ty(body.inputs[k].value).dtype), output(k)));
            name
        })
        .collect();
    next.iter().zip(&inputs).for_each(|(next, input)| w.line(format!("{input} = {next};")));
    w.line(format!("if ({} != 0) break;", output(carried)));
    w.line("}");
    let to = w.pointer(it.to, it.dtype);
    w.line(format!("({to})[i] = {};", inputs[0]));
    w.line("}");
}

/// Everything at once, by one block.
fn whole(it: &Iterate, w: &mut Writer, tables: &mut Vec<Table>) {
    let [turn] = &it.turns[..] else { unreachable!("a loop of everything has one turn") };
    let Array { place, dtype, .. } = it.workspace.expect("its turn has memory");
    let own = w.name("own");
    let memory = w.pointer(place, dtype);
    w.line("if (team.block() == 0) {");
    w.line(format!("u8 *{own} = (u8 *){memory};"));
    for (k, &at) in turn.state.iter().enumerate() {
        copy(w, &format!("{own} + {at}"), it.args[k], it.bytes[k], it.element[k], true);
    }
    w.line("__syncthreads();");
    let count = w.name("turn");
    w.line("{");
    w.line("const Alone team{};");
    name_bases(it, turn, &own, w);
    w.line(format!("for (u32 {count} = 0; {count} < {}; ++{count}) {{", it.iteration.count));
    for inner in turn.plan.steps.iter().flat_map(|step| pieces(step, tables)) {
        w.line("{");
        w.include(&inner.w);
        w.line("}");
        w.line("__syncthreads();");
    }
    w.line(format!("if (*({} *)({own} + {}) != 0) break;", type_name(turn.done_dtype), turn.done));
    w.line("__syncthreads();");
    w.line("}");
    w.line("}");
    w.line("}");
    w.line("__syncthreads();");
    copy(w, &format!("{own} + {}", turn.state[0]), it.to, it.bytes[0], it.element[0], false);
    w.line("}");
}

/// Copies an operand into the loop's memory, or its result out.
fn copy(w: &mut Writer, own: &str, place: Place, bytes: usize, element: usize, inwards: bool) {
    // The bits are moved, whatever they stand for.
    let dtype = if element == 8 { Dtype::F64 } else { Dtype::Index };
    let (ty, outside) = (type_name(dtype), w.pointer(place, dtype));
    let inside = format!("({ty} *)({own})");
    let (to, from) = if inwards { (inside, outside) } else { (outside, inside) };
    w.line(format!("for (i64 i = threadIdx.x; i < {}; i += THREADS) ({to})[i] = ({from})[i];", bytes / element));
}

/// Gives the bases of a turn's plan their names, which hide those of the program's: its arena, what is
/// carried, the constants, what is carried again, and where it says whether it was the last.
fn name_bases(it: &Iterate, turn: &Turn, own: &str, w: &mut Writer) {
    let state = |&at: &usize| format!("{own} + {at}");
    let mut bases = vec![own.to_owned()];
    bases.extend(turn.state.iter().map(state));
    for k in it.iteration.carried..it.args.len() {
        let dtype = it.iteration.body.ty(it.iteration.body.inputs[k].value).dtype;
        bases.push(format!("(u8 *){}", w.pointer(it.args[k], dtype)));
    }
    bases.extend(turn.state.iter().map(state));
    bases.push(state(&turn.done));
    // The old names are read before the new ones hide them.
    let held: Vec<String> = bases.iter().map(|_| w.name("base")).collect();
    held.iter().zip(bases).for_each(|(held, base)| w.line(format!("u8 *const {held} = {base};")));
    w.line("{");
    for (base, held) in held.iter().enumerate() {
        w.line(format!("u8 *const {} = {held};", base_name(base as u32)));
    }
}
