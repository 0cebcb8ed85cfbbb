//! Memory that plans run on: aligned blocks, and the typed slices that a plan's places stand for.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use crate::exec::plan::Place;
use crate::tape::Dtype;

/// A type of element.
pub(super) trait Element: Copy + Default + PartialEq + Send + Sync + 'static {
    const DTYPE: Dtype;
    /// The nearest one to a number (an index truncates and saturates).
    fn of(number: f64) -> Self;
    fn wide(self) -> f64;
}

macro_rules! element {
    ($type:ident, $dtype:ident) => {
        impl Element for $type {
            const DTYPE: Dtype = Dtype::$dtype;

            #[inline(always)]
            fn of(number: f64) -> $type {
                number as $type
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                self.into()
            }
        }
    };
}

element!(f32, F32);
element!(f64, F64);
element!(u32, Index);

/// Bytes of a cache line; also the alignment that any vector register asks for.
const LINE: usize = 64;

/// Words of a cache line.
const WORDS: usize = LINE / size_of::<u64>();

/// Bytes that start at a cache line.
#[derive(Debug)]
pub(super) struct Block {
    /// A line more than is used. (Zeros of a plain number are pages that the system clears when they are
    /// first touched: what is never used costs nothing.)
    words: Vec<u64>,
    /// Words before the first line.
    before: usize,
    /// Lines used.
    lines: usize,
}

impl Block {
    /// Zeros.
    pub fn zeros(bytes: usize) -> Block {
        let lines = bytes.div_ceil(LINE);
        let words = vec![0; (lines + 1) * WORDS];
        let before = words.as_ptr().align_offset(LINE);
        assert!(before < WORDS, "a line begins within the first line's length");
        Block { words, before, lines }
    }

    /// Grows to at least that many bytes; what it held is lost.
    pub fn reserve(&mut self, bytes: usize) {
        if self.bytes() < bytes {
            *self = Block::zeros(bytes);
        }
    }

    /// Takes over what another block of the same size holds.
    pub fn copy_from(&mut self, other: &Block) {
        let used = other.before..other.before + other.lines * WORDS;
        self.words[self.before..][..self.lines * WORDS].copy_from_slice(&other.words[used]);
    }

    pub fn bytes(&self) -> usize {
        self.lines * LINE
    }

    pub fn pointer(&mut self) -> *mut u8 {
        self.words[self.before..].as_mut_ptr().cast()
    }

    /// The first `len` elements.
    pub fn elements<T: Element>(&self, len: usize) -> &[T] {
        assert!(len * size_of::<T>() <= self.bytes(), "a block holds its elements");
        // SAFETY: the block is at least that long and aligned for every element type, all of which
        // have a value for every bit pattern.
        unsafe { std::slice::from_raw_parts(self.words[self.before..].as_ptr().cast(), len) }
    }

    /// The first `len` elements.
    pub fn elements_mut<T: Element>(&mut self, len: usize) -> &mut [T] {
        assert!(len * size_of::<T>() <= self.bytes(), "a block holds its elements");
        // SAFETY: as in `elements`, and the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.words[self.before..].as_mut_ptr().cast(), len) }
    }
}

/// Where each base of a plan lies during one run: the arena, then inputs, then outputs.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    bases: *const *mut u8,
    count: usize,
    held: PhantomData<&'a [*mut u8]>,
}

// SAFETY: a memory is only the addresses. What lies there is reached through the unsafe methods,
// whose callers see to it that threads write to disjoint elements.
unsafe impl Send for Memory<'_> {}
unsafe impl Sync for Memory<'_> {}

impl<'a> Memory<'a> {
    pub fn new(bases: &'a [*mut u8]) -> Memory<'a> {
        Memory { bases: bases.as_ptr(), count: bases.len(), held: PhantomData }
    }

    /// Address of an element.
    ///
    /// SAFETY (of the callers): the place is one of the plan that these bases were made for, whose
    /// layout keeps it inside its base's allocation.
    #[inline(always)]
    pub unsafe fn pointer<T: Element>(&self, place: Place) -> *mut T {
        debug_assert!((place.base.0 as usize) < self.count, "a place's base is one of the plan's");
        // SAFETY: the base exists, and the element lies in its allocation.
        unsafe { (*self.bases.add(place.base.0 as usize)).cast::<T>().add(place.at) }
    }

    /// Address of an element of so many bytes.
    ///
    /// SAFETY (of the callers): as for `pointer`.
    #[inline(always)]
    pub unsafe fn pointer_in_bytes(&self, place: Place, bytes: usize) -> *mut u8 {
        debug_assert!((place.base.0 as usize) < self.count, "a place's base is one of the plan's");
        // SAFETY: the base exists, and the element lies in its allocation.
        unsafe { (*self.bases.add(place.base.0 as usize)).add(place.at * bytes) }
    }

    /// Elements to read.
    ///
    /// SAFETY (of the callers): as for `pointer`; and no step that runs at the same time writes them.
    #[inline(always)]
    pub unsafe fn read<T: Element>(&self, place: Place, len: usize) -> &'a [T] {
        // SAFETY: inside the allocation, aligned (bases start at a cache line, places count whole
        // elements), and not written while the step runs.
        unsafe { std::slice::from_raw_parts(self.pointer::<T>(place), len) }
    }

    /// Elements to write.
    ///
    /// SAFETY (of the callers): as for `pointer`; and nobody else reads or writes them meanwhile.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // disjointness is the plan's, not the borrow checker's
    pub unsafe fn write<T: Element>(&self, place: Place, len: usize) -> &'a mut [T] {
        // SAFETY: as in `read`, and unique.
        unsafe { std::slice::from_raw_parts_mut(self.pointer::<T>(place), len) }
    }
}
