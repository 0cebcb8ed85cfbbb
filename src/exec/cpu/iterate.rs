//! Loops. A turn is a plan of its own that runs on memory of its own: the carried values, which it
//! overwrites, and its arena. Lanes are taken a tile at a time, so that a loop stays in the first
//! cache until all of the tile's lanes have stopped; threads share out the tiles.
#![allow(unsafe_code)]

use super::isa::Isa;
use super::memory::Memory;
use super::needs::Needs;
use super::pool::Pool;
use super::steps;
use super::sweep::{Scratch, TILE};
use crate::exec::plan::{Iterate, Turn};
use crate::tape::ops::{Iteration, Reducer};
use crate::tape::{Binary, Builder, Dtype, Op, Program, Type, Value};

/// Values that a turn may take and give, the arena among them.
const BASES: usize = 32;

/// Lanes times instructions from which threads pay: a turn is run some five times.
const SHARED: usize = 1 << 15;

/// The turns of a loop: of everything; or of a full tile of lanes, if there is one, then of what is left.
pub(super) fn turns(iteration: &Iteration, args: &[Type], n: usize) -> Vec<Turn> {
    let Iteration { body, carried, .. } = iteration;
    if !iteration.is_lanewise() {
        return vec![turn(body, *carried, n)];
    }
    let of = |lanes: usize| turn(&in_lanes(iteration, lanes, args), carried + 1, lanes);
    let full = (n >= TILE).then(|| of(TILE));
    let rest = (!n.is_multiple_of(TILE)).then(|| of(n % TILE));
    full.into_iter().chain(rest).collect()
}

fn turn(program: &Program, carried: usize, lanes: usize) -> Turn {
    assert!(1 + program.inputs.len() + program.outputs.len() <= BASES, "a loop has fewer than {BASES} operands");
    Turn::new(program, carried, lanes, &Needs)
}

/// Bytes that a turn's memory takes.
pub(super) fn memory(turns: &[Turn]) -> usize {
    turns.iter().map(|turn| turn.memory).max().unwrap_or(0)
}

/// The turn of so many lanes as a program of tensors. One value more is carried: which lanes have
/// stopped; they keep what they have.
fn in_lanes(iteration: &Iteration, n: usize, args: &[Type]) -> Program {
    let Iteration { body, carried, .. } = iteration;
    let mut b = Builder::new(body.name.clone());
    let dtype = args[0].dtype;
    let mut inputs: Vec<Value> = Vec::new();
    for (k, input) in body.inputs.iter().enumerate() {
        if k == *carried {
            b.input("stopped", Type::new(dtype, [n]));
        }
        let ty = Type::new(body.ty(input.value).dtype, [n]);
        inputs.push(if k >= *carried && args[k].shape.is_scalar() {
            let number = b.input(input.name.clone(), Type::new(ty.dtype, []));
            b.broadcast_scalar(number, &ty.shape)
        } else {
            b.input(input.name.clone(), ty)
        });
    }
    let stopped = b.input("stopped", Type::new(dtype, [n]));
    let mut values: Vec<Value> = Vec::with_capacity(body.insts.len());
    for inst in &body.insts {
        let ty = Type::new(inst.ty.dtype, [n]);
        values.push(match inst.op {
            Op::Input(position) => inputs[position as usize],
            Op::Const(number) => {
                let number = b.constant(number, ty.dtype);
                b.broadcast_scalar(number, &ty.shape)
            }
            _ => {
                let args = inst.args.iter().map(|arg| values[arg.index()]).collect();
                b.push(inst.op.clone(), args, ty)
            }
        });
    }
    let output = |k: usize| values[body.outputs[k].value.index()];
    for (k, &input) in inputs.iter().enumerate().take(*carried) {
        let kept = b.select(stopped, input, output(k));
        b.output(format!("x{k}"), kept);
    }
    let one = b.constant(1.0, dtype);
    let now = b.select(output(*carried), one, stopped);
    b.output("stopped", now);
    // A zero where a lane still runs.
    let ones = b.constant_like(1.0, now);
    let stops = b.binary(Binary::Equal, now, ones);
    let done = b.reduce(Reducer::Min, stops, vec![0]);
    b.output("done", done);
    b.finish()
}

/// Runs a loop.
///
/// SAFETY (of the callers): it is a step of the plan that the memory was made for, and nobody else uses
/// the scratch, which has what the loop asks for, for each thread.
pub(super) unsafe fn run(it: &Iterate, memory: Memory, scratch: Scratch, pool: &Pool, isa: Isa) {
    if !it.lanes {
        let own = it.workspace.map_or(std::ptr::null_mut(), |array| {
            // SAFETY: the loop's own memory beside its result.
            unsafe { memory.pointer::<f64>(array.place).cast() }
        });
        // SAFETY: passed on; the scratch has what the turn's plan asks for.
        unsafe { tile(it, 0, memory, own, scratch, pool, isa) };
        return;
    }
    let shared = it.len * it.iteration.body.insts.len() >= SHARED;
    pool.each(it.len.div_ceil(TILE), shared, |index, thread| {
        // SAFETY: tiles are disjoint parts of the result; a thread has its own scratch, of which the turn
        // takes its memory and then what its plan asks for.
        unsafe {
            let own = scratch.of_thread(thread);
            let inside = Scratch::new(own.add(self::memory(&it.turns)), 0);
            tile(it, index, memory, own, inside, &Pool::new(1), isa);
        }
    });
}

/// Runs the loop over a tile of lanes, or over everything, in its own memory.
///
/// SAFETY (of the callers): `own` has the memory that the turn takes, apart from all else, and nobody
/// else writes the tile's part of the result.
unsafe fn tile(it: &Iterate, index: usize, memory: Memory, own: *mut u8, scratch: Scratch, pool: &Pool, isa: Isa) {
    // The first turn is of a full tile, if there is one; the last of what is left.
    let start = index * TILE;
    let full = !it.lanes || start + TILE <= it.len;
    let turn = &it.turns[if full { 0 } else { it.turns.len() - 1 }];
    let bytes = |k: usize| if it.lanes && !it.repeated[k] { turn.lanes * it.element[k] } else { it.bytes[k] };
    let Iteration { carried, count, .. } = it.iteration;
    let mut bases = [std::ptr::null_mut::<u8>(); BASES];
    let states = turn.state.len();
    let constants = it.args.len() - carried;
    // SAFETY: operands and result lie in memory with all of their elements, of which the tile's start
    // at `start`; what is carried has room for the tile's elements in the turn's own memory.
    unsafe {
        let address = |k: usize| {
            let shift = if it.repeated[k] { 0 } else { start * it.element[k] };
            memory.pointer_in_bytes(it.args[k], it.element[k]).add(shift)
        };
        bases[0] = own;
        for k in 0..states {
            let state = own.add(turn.state[k]);
            if k < carried {
                std::ptr::copy_nonoverlapping(address(k).cast_const(), state, bytes(k));
            } else {
                // The lanes that have stopped: none yet.
                std::ptr::write_bytes(state, 0, turn.lanes * it.dtype.bytes());
            }
            bases[1 + k] = state;
            bases[1 + states + constants + k] = state;
        }
        for k in 0..constants {
            bases[1 + states + k] = address(carried + k);
        }
        let done = own.add(turn.done);
        bases[1 + 2 * states + constants] = done;
        let inside = Memory::new(&bases[..2 + 2 * states + constants]);
        for _ in 0..count {
            steps::run(&turn.plan, inside, scratch, pool, isa);
            let stops = match turn.done_dtype {
                Dtype::F32 => *done.cast::<f32>() != 0.0,
                Dtype::F64 => *done.cast::<f64>() != 0.0,
                Dtype::Index => *done.cast::<u32>() != 0,
            };
            if stops {
                break;
            }
        }
        let to = memory.pointer_in_bytes(it.to, it.dtype.bytes()).add(start * it.dtype.bytes());
        std::ptr::copy_nonoverlapping(own.add(turn.state[0]).cast_const(), to, bytes(0));
    }
}
