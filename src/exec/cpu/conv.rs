//! Convolutions, as products of matrices: a *panel* holds, for every tap of a group's kernels, the
//! image's element under it at each position of the window (Chellapilla, Puri, Simard 2006). With W a
//! group's kernels, a row an output channel, Y its outputs and X̂ the panel,
//!
//! ```text
//! Y = W X̂          X = fold(Wᵀ Y)          W̄ = Y X̂ᵀ
//! ```
//!
//! Small images share a panel, large ones are taken in strips of rows, so that a panel stays near
//! [`COLUMNS`] wide. How work is cut depends on the extents alone, and a sum over images is taken in
//! at most [`PARTS`] parts that are added in order: bits do not depend on the number of threads. Panels
//! lie in the threads' scratch; the `gemm` crate allocates for its own packing.
#![allow(unsafe_code)]

use super::math::Real;
use super::memory::Memory;
use super::pool::Pool;
use super::sweep::Scratch;
use crate::exec::plan::{Conv, Place};
use crate::tape::ops::{ConvPart, Window};

/// Columns that a panel has about: wide enough for the product to run at full speed, narrow enough that
/// some hundred taps in singles stay in a second-level cache.
const COLUMNS: usize = 512;

/// Multiplications below which one thread takes it all, as for products.
const SHARED: usize = 1 << 21;

/// Parts of a sum over images, at most.
const PARTS: usize = 8;

/// How a convolution is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Images taken together.
    block: usize,
    /// Rows of positions taken together; all of them where a block has several images.
    strip: usize,
    /// Parts of the sum over images.
    parts: usize,
    /// Whether it is shared among threads.
    shared: bool,
}

impl Cut {
    /// How that one is cut.
    pub fn of(conv: &Conv) -> Cut {
        let [p, q] = conv.positions;
        let block = (COLUMNS / (p * q).max(1)).clamp(1, conv.images.max(1));
        let shared = conv.multiplications() >= SHARED;
        Cut {
            block,
            strip: if p * q > COLUMNS { (COLUMNS / q.max(1)).max(1) } else { p.max(1) },
            parts: if shared { conv.images.div_ceil(block).clamp(1, PARTS) } else { 1 },
            shared,
        }
    }

    /// Elements in memory that the parts of a sum need beside the result.
    pub fn sums(self, conv: &Conv) -> usize {
        if conv.part == ConvPart::Kernel { (self.parts - 1) * conv.weights() } else { 0 }
    }

    /// Elements of scratch that a thread needs: the panel, and the outputs of a block one channel after
    /// the other.
    pub fn scratch(self, conv: &Conv) -> usize {
        (conv.taps() + if self.block > 1 { conv.outputs } else { 0 }) * self.columns(conv)
    }

    /// Columns of the widest panel.
    fn columns(self, conv: &Conv) -> usize {
        self.block * self.strip * conv.positions[1]
    }
}

/// Runs a convolution.
///
/// SAFETY (of the callers): it is a step of the plan that the memory was made for, and nobody else uses
/// the scratch, which has what it asks for, for each thread.
pub(super) unsafe fn run<T: Real>(conv: &Conv, memory: Memory, scratch: Scratch, pool: &Pool) {
    let cut = Cut::of(conv);
    let blocks = conv.images.div_ceil(cut.block);
    if conv.part != ConvPart::Kernel {
        pool.each(blocks, cut.shared, |block, thread| {
            // SAFETY: blocks are disjoint parts of the result, and a thread has its own scratch.
            unsafe { Work::<T>::new(conv, cut, memory, scratch, thread).block(block) };
        });
        return;
    }
    let n = conv.weights();
    let sum = |part: usize| match part {
        0 => conv.w,
        part => at(conv.workspace.expect("several parts have sums").place, (part - 1) * n),
    };
    pool.each(cut.parts, cut.shared, |part, thread| {
        // SAFETY: each part has a sum of its own, and a thread its own scratch.
        unsafe {
            memory.write::<T>(sum(part), n).fill(T::ZERO);
            let work = Work::<T>::new(conv, cut, memory, scratch, thread);
            for block in part * blocks / cut.parts..(part + 1) * blocks / cut.parts {
                work.accumulate(block, sum(part));
            }
        }
    });
    // SAFETY: the parts are through, and the sums are apart from the result.
    let total = unsafe { memory.write::<T>(conv.w, n) };
    for part in 1..cut.parts {
        // SAFETY: as above.
        let part = unsafe { memory.read::<T>(sum(part), n) };
        total.iter_mut().zip(part).for_each(|(total, &part)| *total = *total + part);
    }
}

/// Images `first ..` of a group, at rows `top ..` of the window's positions.
#[derive(Clone, Copy)]
struct Piece {
    first: usize,
    images: usize,
    group: usize,
    top: usize,
    rows: usize,
}

/// A thread's share of a convolution.
struct Work<'a, T> {
    conv: &'a Conv,
    cut: Cut,
    memory: Memory<'a>,
    panel: *mut T,
    /// Outputs of several images, a channel after the other.
    side: *mut T,
}

/// In this block, SAFETY (of the callers): the work was made for a step under way, and nobody else
/// writes what it writes: the images of its block, or the sum that it is given.
impl<'a, T: Real> Work<'a, T> {
    unsafe fn new(conv: &'a Conv, cut: Cut, memory: Memory<'a>, scratch: Scratch, thread: usize) -> Work<'a, T> {
        // SAFETY: the scratch has `Cut::scratch` elements for each thread.
        unsafe {
            let panel: *mut T = scratch.of_thread(thread).cast();
            Work { conv, cut, memory, panel, side: panel.add(conv.taps() * cut.columns(conv)) }
        }
    }

    /// The pieces of a block, group by group, a strip after the other.
    fn pieces(&self, block: usize) -> impl Iterator<Item = Piece> + use<'a, T> {
        let Work { conv, cut, .. } = *self;
        let first = block * cut.block;
        let images = cut.block.min(conv.images - first);
        let strips = conv.positions[0].div_ceil(cut.strip);
        (0..conv.window.groups).flat_map(move |group| {
            (0..strips).map(move |strip| {
                let top = strip * cut.strip;
                Piece { first, images, group, top, rows: cut.strip.min(conv.positions[0] - top) }
            })
        })
    }

    /// The outputs, or the inputs, of a block of images.
    unsafe fn block(&self, block: usize) {
        let conv = self.conv;
        if conv.part == ConvPart::Input {
            let first = block * self.cut.block;
            let images = self.cut.block.min(conv.images - first);
            let image = conv.channels()[0] * conv.image[0] * conv.image[1];
            // SAFETY: see the block; the images lie in the result.
            unsafe { self.memory.write::<T>(at(conv.x, first * image), images * image).fill(T::ZERO) };
        }
        for piece in self.pieces(block) {
            let (taps, columns) = (conv.taps(), self.columns(piece));
            // SAFETY: see the block; extents and strides are those of kernel, panel and outputs.
            unsafe {
                let w = self.memory.pointer::<T>(at(conv.w, piece.group * conv.outputs * taps));
                if conv.part == ConvPart::Output {
                    self.unfold(piece);
                    let (to, stride) = self.outputs(piece);
                    let panel = (self.panel.cast_const(), columns, 1);
                    product([conv.outputs, taps, columns], (w, taps, 1), panel, (to, stride), false);
                    self.put_outputs(piece);
                } else {
                    self.take_outputs(piece);
                    let (y, stride) = self.outputs(piece);
                    product([taps, conv.outputs, columns], (w, 1, taps), (y, stride, 1), (self.panel, columns), false);
                    self.fold(piece);
                }
            }
        }
    }

    /// Adds a block's share of the kernels' derivative to a sum.
    unsafe fn accumulate(&self, block: usize, sum: Place) {
        let conv = self.conv;
        for piece in self.pieces(block) {
            let (taps, columns) = (conv.taps(), self.columns(piece));
            // SAFETY: see the block; extents and strides are those of outputs, panel and kernel.
            unsafe {
                self.unfold(piece);
                self.take_outputs(piece);
                let (y, stride) = self.outputs(piece);
                let sum = self.memory.pointer::<T>(at(sum, piece.group * conv.outputs * taps));
                let panel = (self.panel.cast_const(), 1, columns);
                product([conv.outputs, columns, taps], (y, stride, 1), panel, (sum, taps), true);
            }
        }
    }

    fn columns(&self, piece: Piece) -> usize {
        piece.images * piece.rows * self.conv.positions[1]
    }

    /// Where the outputs of a piece lie for a product, and from one channel to the next: in memory where
    /// it is one image, else side by side.
    unsafe fn outputs(&self, piece: Piece) -> (*mut T, usize) {
        if self.cut.block > 1 {
            return (self.side, self.columns(piece));
        }
        let [p, q] = self.conv.positions;
        // SAFETY: see the block; the piece lies in the outputs.
        (unsafe { self.memory.pointer(self.output(piece, 0, 0)) }, p * q)
    }

    /// Where a channel of an image of a piece starts among the outputs.
    fn output(&self, piece: Piece, image: usize, channel: usize) -> Place {
        let [p, q] = self.conv.positions;
        let channel = (piece.first + image) * self.conv.channels()[1] + piece.group * self.conv.outputs + channel;
        at(self.conv.y, (channel * p + piece.top) * q)
    }

    /// Outputs of several images from memory to the side.
    unsafe fn take_outputs(&self, piece: Piece) {
        if self.cut.block == 1 {
            return;
        }
        let run = piece.rows * self.conv.positions[1];
        for channel in 0..self.conv.outputs {
            for image in 0..piece.images {
                // SAFETY: see the block; the side has room for the outputs of a piece.
                unsafe {
                    let from = self.memory.pointer::<T>(self.output(piece, image, channel));
                    self.side.add((channel * piece.images + image) * run).copy_from_nonoverlapping(from, run);
                }
            }
        }
    }

    /// Outputs of several images from the side to memory.
    unsafe fn put_outputs(&self, piece: Piece) {
        if self.cut.block == 1 {
            return;
        }
        let run = piece.rows * self.conv.positions[1];
        for channel in 0..self.conv.outputs {
            for image in 0..piece.images {
                // SAFETY: see the block; the side has room for the outputs of a piece.
                unsafe {
                    let to = self.memory.pointer::<T>(self.output(piece, image, channel));
                    to.copy_from_nonoverlapping(self.side.add((channel * piece.images + image) * run), run);
                }
            }
        }
    }

    /// The panel of a piece, from the images.
    unsafe fn unfold(&self, piece: Piece) {
        let conv = self.conv;
        let plane = conv.image[0] * conv.image[1];
        let run = piece.rows * conv.positions[1];
        for tap in 0..conv.taps() {
            for image in 0..piece.images {
                // SAFETY: see the block; the channel lies in the images, the run in the panel.
                let (from, to) = unsafe {
                    let from = self.memory.read::<T>(self.channel(piece, image, tap), plane);
                    let to = self.panel.add((tap * piece.images + image) * run);
                    (from, std::slice::from_raw_parts_mut(to, run))
                };
                self.lines(piece, tap, |line, pixels| {
                    let to = &mut to[line * conv.positions[1]..][..conv.positions[1]];
                    let Some((start, inside)) = pixels else { return to.fill(T::ZERO) };
                    to[..inside.start].fill(T::ZERO);
                    to[inside.end..].fill(T::ZERO);
                    let to = &mut to[inside];
                    match conv.window.stride[1] {
                        1 => to.copy_from_slice(&from[start..][..to.len()]),
                        stride => to.iter_mut().zip(from[start..].iter().step_by(stride)).for_each(|(to, &x)| *to = x),
                    }
                });
            }
        }
    }

    /// Adds the panel of a piece to the images.
    unsafe fn fold(&self, piece: Piece) {
        let conv = self.conv;
        let plane = conv.image[0] * conv.image[1];
        let run = piece.rows * conv.positions[1];
        for tap in 0..conv.taps() {
            for image in 0..piece.images {
                // SAFETY: see the block; the channel lies in the images, the run in the panel.
                let (to, from) = unsafe {
                    let to = self.memory.write::<T>(self.channel(piece, image, tap), plane);
                    let from = self.panel.add((tap * piece.images + image) * run);
                    (to, std::slice::from_raw_parts(from.cast_const(), run))
                };
                self.lines(piece, tap, |line, pixels| {
                    let Some((start, inside)) = pixels else { return };
                    let from = &from[line * conv.positions[1]..][inside];
                    let to = to[start..].iter_mut().step_by(conv.window.stride[1]);
                    to.zip(from).for_each(|(to, &x)| *to = *to + x);
                });
            }
        }
    }

    /// Where the channel of an image that a tap reads starts.
    fn channel(&self, piece: Piece, image: usize, tap: usize) -> Place {
        let conv = self.conv;
        let channel = piece.group * conv.inputs + tap / (conv.kernel[0] * conv.kernel[1]);
        let channel = (piece.first + image) * conv.channels()[0] + channel;
        at(conv.x, channel * conv.image[0] * conv.image[1])
    }

    /// For each line of positions: the first pixel under the tap and at which positions there is one, or
    /// `None` where the line lies in the margin.
    fn lines(&self, piece: Piece, tap: usize, mut visit: impl FnMut(usize, Option<(usize, std::ops::Range<usize>)>)) {
        let Conv { window: Window { stride, padding, dilation, .. }, kernel, image, positions, .. } = *self.conv;
        let (i, j) = (tap / kernel[1] % kernel[0], tap % kernel[1]);
        // s·q + d·j − m lies in 0 .. extent.
        let first = padding[1].saturating_sub(dilation[1] * j).div_ceil(stride[1]).min(positions[1]);
        let end = (image[1] + padding[1]).saturating_sub(dilation[1] * j).div_ceil(stride[1]).min(positions[1]);
        for line in 0..piece.rows {
            let row = stride[0] * (piece.top + line) + dilation[0] * i;
            let row = row.checked_sub(padding[0]).filter(|&row| row < image[0]);
            visit(
                line,
                row.filter(|_| first < end).map(|row| {
                    let column = stride[1] * first + dilation[1] * j - padding[1];
                    (row * image[1] + column, first..end)
                }),
            );
        }
    }
}

fn at(place: Place, offset: usize) -> Place {
    Place { at: place.at + offset, ..place }
}

/// `to = a·b`, or `to += a·b`; operands with their strides of a row and of a column.
///
/// SAFETY (of the callers): extents and strides stay inside what the pointers point to, and the target
/// is apart from the operands.
unsafe fn product<T: Real>(
    [rows, inner, columns]: [usize; 3],
    (a, a_row, a_column): (*const T, usize, usize),
    (b, b_row, b_column): (*const T, usize, usize),
    (to, to_row): (*mut T, usize),
    accumulate: bool,
) {
    // SAFETY: the callers'.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            to,
            1,
            to_row as isize,
            accumulate,
            a,
            a_column as isize,
            a_row as isize,
            b,
            b_column as isize,
            b_row as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
