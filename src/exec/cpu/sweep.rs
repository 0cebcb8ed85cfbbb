//! Running a sweep: all its instructions on a tile, then the next tile, so that memory is read and
//! written once and everything between stays in registers of scratch that fit the first cache.
#![allow(unsafe_code)]

use super::elementwise::{self, Arg};
use super::isa::Isa;
use super::math::Real;
use super::memory::{Element, Memory};
use super::pool::Pool;
use super::reduce;
use crate::exec::plan::{Axis, Fold, Inst, Kernel, Operand, Place, Sweep, Target};
use crate::tape::Dtype;

/// Elements of a tile: a whole number of blocks of the tree of sums, a power of two, so that a tile's
/// sum is a node. By trial: 1024 gives the GAN step 1 %, and takes up to a third from sweeps over
/// vectors that no cache holds.
pub(super) const TILE: usize = 512;

/// Bytes of a register: a tile of the largest element.
pub(super) const REGISTER: usize = TILE * size_of::<f64>();

/// Tiles that a thread takes at a time.
const CHUNK: usize = 16;

/// Elements times instructions from which threads pay: about 50 µs.
const SHARED: usize = 1 << 18;

/// Runs a sweep. `scratch` has the sweep's registers once for each thread.
///
/// SAFETY (of the callers): the sweep is a step of the plan that the memory was made for, and nobody
/// else uses the scratch.
pub(super) unsafe fn run(sweep: &Sweep, memory: Memory, scratch: Scratch, pool: &Pool, isa: Isa) {
    let tiles = sweep.len.div_ceil(TILE);
    let shared = sweep.len * sweep.insts.len() >= SHARED;
    let chunk = if shared { CHUNK } else { tiles.max(1) };
    pool.each(tiles.div_ceil(chunk), shared, |part, thread| {
        for tile in part * chunk..tiles.min((part + 1) * chunk) {
            let start = tile * TILE;
            let tile = Tile {
                memory,
                // SAFETY: each thread has registers of its own.
                scratch: unsafe { scratch.of_thread(thread) },
                isa,
                index: tile,
                start,
                len: TILE.min(sweep.len - start),
            };
            // SAFETY: tiles are disjoint, so what this thread writes no other touches.
            unsafe { tile.run(sweep) };
        }
    });
    for fold in &sweep.folds {
        // SAFETY: the parts are written by now, and their places are the plan's.
        unsafe {
            match fold.dtype {
                Dtype::F32 => finish::<f32>(fold, tiles, memory),
                Dtype::F64 => finish::<f64>(fold, tiles, memory),
                Dtype::Index => unreachable!("sums of indices are steps of their own"),
            }
        }
    }
}

unsafe fn finish<T: Real>(fold: &Fold, tiles: usize, memory: Memory) {
    // SAFETY: passed on.
    unsafe { memory.write::<T>(fold.to, 1)[0] = reduce::finish(fold.reducer, memory.read(fold.parts, tiles)) };
}

/// Memory that each thread has to itself during a step.
#[derive(Clone, Copy)]
pub(super) struct Scratch {
    base: *mut u8,
    /// Bytes a thread has.
    stride: usize,
}

// SAFETY: it is an address; `of_thread` hands each thread its own part.
unsafe impl Send for Scratch {}
unsafe impl Sync for Scratch {}

impl Scratch {
    /// Memory from `base` on, `stride` bytes for each thread.
    pub fn new(base: *mut u8, stride: usize) -> Scratch {
        Scratch { base, stride }
    }

    /// A thread's part.
    ///
    /// SAFETY (of the callers): the thread is one of those that the memory was made for.
    pub unsafe fn of_thread(self, thread: usize) -> *mut u8 {
        // SAFETY: the caller's scratch has a part for each thread.
        unsafe { self.base.add(thread * self.stride) }
    }
}

/// A tile under way.
struct Tile<'a> {
    memory: Memory<'a>,
    scratch: *mut u8,
    isa: Isa,
    index: usize,
    start: usize,
    len: usize,
}

// In this block, SAFETY: an instruction's target overlaps no operand of it (rules 2 of `plan`; a
// register is handed out again only after the last instruction that reads it, and never to the one
// that does), so the slice written and the slices read are disjoint.
impl Tile<'_> {
    unsafe fn run(&self, sweep: &Sweep) {
        for inst in &sweep.insts {
            // SAFETY: see the block.
            unsafe {
                match inst.dtype {
                    Dtype::F32 => self.real::<f32>(inst),
                    Dtype::F64 => self.real::<f64>(inst),
                    Dtype::Index => self.index(inst),
                }
            }
        }
        for store in &sweep.stores {
            let (from, to) = (Operand::Register(store.register), Target::Tile(store.to));
            // SAFETY: all of the tile's reads are done; registers and memory are disjoint.
            unsafe {
                match store.dtype {
                    Dtype::F32 | Dtype::Index => self.target::<u32>(to).copy_from_slice(self.tile(from)),
                    Dtype::F64 => self.target::<f64>(to).copy_from_slice(self.tile(from)),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn real<T: Real>(&self, inst: &Inst) {
        let [a, b, c] = inst.args;
        // SAFETY: see the block.
        unsafe {
            match &inst.kernel {
                Kernel::Unary(f) => elementwise::unary::<T>(self.isa, *f, self.target(inst.to), self.tile(a)),
                Kernel::Binary(f) => {
                    elementwise::binary::<T>(self.isa, *f, self.target(inst.to), self.arg(a), self.arg(b));
                }
                Kernel::Fold { reducer, parts } => {
                    let part = Place { at: parts.at + self.index, ..*parts };
                    self.memory.write::<T>(part, 1)[0] = reduce::row(self.isa, *reducer, self.tile::<T>(a));
                }
                _ => self.any::<T>(inst, a, b, c),
            }
        }
    }

    unsafe fn index(&self, inst: &Inst) {
        let [a, b, c] = inst.args;
        // SAFETY: see the block.
        unsafe {
            match inst.kernel {
                Kernel::Binary(f) => {
                    elementwise::binary_index(f, self.target(inst.to), self.arg(a), self.arg(b));
                }
                _ => self.any::<u32>(inst, a, b, c),
            }
        }
    }

    /// The kernels that take any dtype.
    #[inline(always)]
    unsafe fn any<T: Element>(&self, inst: &Inst, a: Operand, b: Operand, c: Operand) {
        // SAFETY: see the block.
        unsafe {
            match &inst.kernel {
                Kernel::Select(condition) => {
                    let (y, b, c) = (self.target::<T>(inst.to), self.arg(b), self.arg(c));
                    match condition {
                        Dtype::F32 => elementwise::select::<f32, T>(self.isa, y, self.tile(a), b, c),
                        Dtype::F64 => elementwise::select::<f64, T>(self.isa, y, self.tile(a), b, c),
                        Dtype::Index => elementwise::select::<u32, T>(self.isa, y, self.tile(a), b, c),
                    }
                }
                Kernel::Cast(to) => {
                    let x = self.tile::<T>(a);
                    match to {
                        Dtype::F32 => elementwise::cast::<T, f32>(self.isa, self.target(inst.to), x),
                        Dtype::F64 => elementwise::cast::<T, f64>(self.isa, self.target(inst.to), x),
                        Dtype::Index => elementwise::cast::<T, u32>(self.isa, self.target(inst.to), x),
                    }
                }
                Kernel::Fill => self.target::<T>(inst.to).fill(self.number(a)),
                Kernel::Repeat { from, axes } => {
                    let extent = axes.iter().map(|axis| (axis.extent - 1) * axis.stride).sum::<usize>() + 1;
                    repeat(self.target::<T>(inst.to), self.memory.read(*from, extent), axes, self.start);
                }
                Kernel::Unary(_) | Kernel::Binary(_) | Kernel::Fold { .. } => {
                    unreachable!("the verifier keeps {:?} from {}", inst.kernel, inst.dtype)
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<T: Element>(&self, operand: Operand) -> &[T] {
        // SAFETY: see the block.
        unsafe {
            match operand {
                Operand::Register(r) => std::slice::from_raw_parts(self.register(r), self.len),
                Operand::Tile(place) => self.memory.read(self.inside(place), self.len),
                Operand::Splat(_) | Operand::Number(_) | Operand::None => {
                    unreachable!("lowering fills a register for an operand that must be a tile")
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn arg<T: Element>(&self, operand: Operand) -> Arg<'_, T> {
        // SAFETY: see the block.
        unsafe {
            match operand {
                Operand::Splat(_) | Operand::Number(_) => Arg::Splat(self.number(operand)),
                _ => Arg::Tile(self.tile(operand)),
            }
        }
    }

    #[inline(always)]
    unsafe fn number<T: Element>(&self, operand: Operand) -> T {
        match operand {
            // SAFETY: see the block.
            Operand::Splat(place) => unsafe { self.memory.read(place, 1)[0] },
            Operand::Number(number) => T::of(number),
            _ => unreachable!("a splat is one number"),
        }
    }

    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // disjointness is the plan's
    unsafe fn target<T: Element>(&self, target: Target) -> &mut [T] {
        // SAFETY: see the block.
        unsafe {
            match target {
                Target::Register(r) => std::slice::from_raw_parts_mut(self.register(r), self.len),
                Target::Tile(place) => self.memory.write(self.inside(place), self.len),
                Target::None => unreachable!("only a fold has no target"),
            }
        }
    }

    #[inline(always)]
    unsafe fn register<T>(&self, r: u32) -> *mut T {
        // SAFETY: the thread's scratch has all of the sweep's registers.
        unsafe { self.scratch.add(r as usize * REGISTER).cast() }
    }

    #[inline(always)]
    fn inside(&self, place: Place) -> Place {
        Place { at: place.at + self.start, ..place }
    }
}

/// Elements `start …` of an operand repeated along the axes of stride 0.
fn repeat<T: Element>(mut y: &mut [T], x: &[T], axes: &[Axis], start: usize) {
    let Some((inner, outer)) = axes.split_last() else {
        y.fill(x[0]);
        return;
    };
    // A run is what is left of the innermost axis; the outer position counts the runs.
    let (mut run, mut within) = (start / inner.extent, start % inner.extent);
    while !y.is_empty() {
        let (mut rest, mut at) = (run, 0);
        for axis in outer.iter().rev() {
            at += rest % axis.extent * axis.stride;
            rest /= axis.extent;
        }
        let len = y.len().min(inner.extent - within);
        let (now, later) = y.split_at_mut(len);
        if inner.stride == 0 {
            now.fill(x[at]);
        } else {
            now.copy_from_slice(&x[at + within..][..len]);
        }
        (y, run, within) = (later, run + 1, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_from_any_start() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let axis = |extent, stride| Axis { extent, stride };
        for axes in [
            vec![axis(2, 3), axis(4, 0), axis(3, 1)],
            vec![axis(4, 0), axis(6, 1)],
            vec![axis(6, 1), axis(5, 0)],
            vec![axis(30, 0)],
        ] {
            let n: usize = axes.iter().map(|axis| axis.extent).product();
            let truth: Vec<f64> = (0..n)
                .map(|mut i| {
                    let at = axes.iter().rev().map(|axis| {
                        let k = i % axis.extent;
                        i /= axis.extent;
                        k * axis.stride
                    });
                    x[at.sum::<usize>()]
                })
                .collect();
            for start in 0..n {
                let mut y = vec![0.0; n - start];
                repeat(&mut y, &x, &axes, start);
                assert_eq!(y, truth[start..], "{axes:?} from {start}");
            }
        }
    }
}
