//! Memory that the device sees: allocations with exact bounds, which bytes were written, who touched them.
//!
//! Device addresses are numbers of their own far above any host address, so a host that follows one
//! crashes, and an address is never used twice, so what was freed stays known as freed. Pinned host
//! memory keeps its host address, as in CUDA's unified addressing, and counts as written: the host
//! writes it unseen. Device memory is filled with 0xff (a NaN) and starts with no byte written.

use super::races::Cell;
use super::shared::ThreadCell;
use std::collections::BTreeMap;

/// Addresses beyond 48 bits are no host's.
const FIRST: u64 = 1 << 52;
/// Between allocations, so that a small overrun meets nothing.
const GAP: u64 = 4096;
const ALIGN: u64 = 256;
/// Filling more than this with 0xff would cost more than it shows.
const FILL_LIMIT: usize = 64 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Device,
    /// Page-locked memory of the host.
    Pinned,
    /// A variable of a module.
    Variable,
}

pub(crate) struct Allocation {
    pub size: usize,
    pub kind: Kind,
    /// Between a stream-ordered allocation and its free, as they run.
    pub live: bool,
    /// The call that made it, for reports.
    pub origin: &'static str,
    bytes: Box<[u8]>,
    written: Box<[u8]>,
    cells: Box<[Cell]>,
    threads: Box<[ThreadCell]>,
}

/// Why a range of addresses can't be used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unusable {
    Nowhere,
    /// Bytes past the end of an allocation of `size`.
    Past {
        by: u64,
        size: usize,
    },
    Freed {
        size: usize,
    },
    /// A stream-ordered allocation that has not happened yet.
    NotYet {
        size: usize,
    },
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Unusable::Nowhere => write!(f, "in no allocation"),
            Unusable::Past { by, size } => write!(f, "{by} bytes past the end of an allocation of {size} bytes"),
            Unusable::Freed { size } => write!(f, "in {size} bytes that were freed"),
            Unusable::NotYet { size } => write!(f, "in {size} bytes that are not allocated yet"),
        }
    }
}

/// A usable allocation, as the interpreter reaches it: pointers to its first byte and its shadows.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub first: u64,
    pub end: u64,
    pub bytes: *mut u8,
    /// One byte a byte, 1 where it was written; null where all counts as written.
    pub written: *mut u8,
    /// One cell for four bytes; null where races are not looked for.
    pub cells: *mut Cell,
    /// The same for the threads of a block.
    pub threads: *mut ThreadCell,
}

impl Window {
    pub const NONE: Window = Window {
        first: 1,
        end: 0,
        bytes: std::ptr::null_mut(),
        written: std::ptr::null_mut(),
        cells: std::ptr::null_mut(),
        threads: std::ptr::null_mut(),
    };

    pub fn holds(&self, first: u64, end: u64) -> bool {
        first >= self.first && end <= self.end && first <= end
    }
}

#[derive(Default)]
pub(crate) struct Memory {
    allocations: BTreeMap<u64, Allocation>,
    next: u64,
    /// Bytes of live and promised device memory.
    pub used: usize,
    /// Periods between barriers that launches have counted.
    pub periods: u32,
}

// SAFETY: the pointers of a Window are only made and used while the Memory that they come from is borrowed.
unsafe impl Send for Memory {}

impl Memory {
    pub fn allocate(&mut self, size: usize, kind: Kind, live: bool, origin: &'static str) -> u64 {
        let poison = |n: usize| if n <= FILL_LIMIT { vec![0xff; n] } else { vec![0; n] }.into_boxed_slice();
        let (mut bytes, written) = match kind {
            Kind::Pinned => (poison(size + ALIGN as usize), Box::default()),
            _ => (poison(size), vec![0; size].into_boxed_slice()),
        };
        let at = match kind {
            Kind::Pinned => (bytes.as_mut_ptr() as u64).next_multiple_of(ALIGN),
            _ => {
                let at = self.next.max(FIRST);
                self.next = (at + size as u64 + GAP).next_multiple_of(ALIGN);
                at
            }
        };
        if kind == Kind::Device {
            self.used += size;
        }
        self.allocations.insert(
            at,
            Allocation { size, kind, live, origin, bytes, written, cells: Box::default(), threads: Box::default() },
        );
        at
    }

    /// The allocation that begins at an address, whether it is live or not.
    pub fn get(&self, at: u64) -> Option<&Allocation> {
        self.allocations.get(&at)
    }

    pub fn set_live(&mut self, at: u64) {
        if let Some(a) = self.allocations.get_mut(&at) {
            a.live = true;
        }
    }

    /// Gives the bytes back; the addresses stay known.
    pub fn free(&mut self, at: u64) {
        if let Some(a) = self.allocations.get_mut(&at) {
            if a.kind == Kind::Device && !a.bytes.is_empty() {
                self.used -= a.size;
            }
            a.live = false;
            (a.bytes, a.written, a.cells, a.threads) = Default::default();
            // Host addresses are the host's to use again.
            if a.kind == Kind::Pinned {
                self.allocations.remove(&at);
            }
        }
    }

    pub fn live(&self, kind: Kind) -> impl Iterator<Item = &Allocation> {
        self.allocations.values().filter(move |a| a.kind == kind && !a.is_gone())
    }

    /// Whether a range lies in pinned memory of the host.
    pub fn is_pinned(&self, at: u64) -> bool {
        self.around(at).is_some_and(|(first, a)| a.kind == Kind::Pinned && at < first + a.size as u64)
    }

    fn around(&self, at: u64) -> Option<(u64, &Allocation)> {
        self.allocations.range(..=at).next_back().map(|(first, a)| (*first, a))
    }

    /// Checks that a range lies in one live allocation.
    pub fn check(&self, at: u64, length: u64) -> Result<(), Unusable> {
        let Some((first, a)) = self.around(at) else { return Err(Unusable::Nowhere) };
        let (offset, size) = (at - first, a.size as u64);
        if offset >= size + GAP {
            Err(Unusable::Nowhere)
        } else if a.is_gone() {
            Err(Unusable::Freed { size: a.size })
        } else if offset.saturating_add(length) > size {
            Err(Unusable::Past { by: offset.saturating_add(length) - size, size: a.size })
        } else if !a.live {
            Err(Unusable::NotYet { size: a.size })
        } else {
            Ok(())
        }
    }

    /// Whether a range lies in an allocation that has been promised, live or not yet.
    pub fn is_promised(&self, at: u64, length: u64) -> bool {
        matches!(self.check(at, length), Ok(()) | Err(Unusable::NotYet { .. }))
    }

    /// The allocation around a range, with cells for races if asked for.
    pub fn window(&mut self, at: u64, length: u64, races: bool) -> Result<Window, Unusable> {
        self.check(at, length)?;
        let (first, a) = self.allocations.range_mut(..=at).next_back().ok_or(Unusable::Nowhere)?;
        if races && a.cells.is_empty() && a.kind != Kind::Pinned {
            a.cells = Cell::fresh(a.size.div_ceil(4));
            a.threads = ThreadCell::fresh(a.size.div_ceil(4));
        }
        let bytes = if a.kind == Kind::Pinned { *first as *mut u8 } else { a.bytes.as_mut_ptr() };
        let pointer = |empty: bool, p: *mut u8| if empty { std::ptr::null_mut() } else { p };
        Ok(Window {
            first: *first,
            end: *first + a.size as u64,
            bytes,
            written: pointer(a.written.is_empty(), a.written.as_mut_ptr()),
            cells: if races && !a.cells.is_empty() { a.cells.as_mut_ptr() } else { std::ptr::null_mut() },
            threads: if races && !a.cells.is_empty() { a.threads.as_mut_ptr() } else { std::ptr::null_mut() },
        })
    }

    /// The bytes of a range and their marks of having been written, none where all count as written.
    pub fn slices(&mut self, at: u64, length: usize) -> Result<(&mut [u8], Option<&mut [u8]>), Unusable> {
        let w = self.window(at, length as u64, false)?;
        let offset = (at - w.first) as usize;
        // SAFETY: the window holds the range, both shadows are as long as the allocation, and the borrow
        // of self keeps it from being freed or reached otherwise.
        unsafe {
            let bytes = std::slice::from_raw_parts_mut(w.bytes.add(offset), length);
            let written = (!w.written.is_null()).then(|| std::slice::from_raw_parts_mut(w.written.add(offset), length));
            Ok((bytes, written))
        }
    }

    /// Writes bytes that count as written.
    pub fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Unusable> {
        let (bytes, written) = self.slices(at, data.len())?;
        bytes.copy_from_slice(data);
        if let Some(written) = written {
            written.fill(1);
        }
        Ok(())
    }

    /// A copy within the device; bytes that nobody wrote stay so.
    pub fn copy(&mut self, to: u64, from: u64, length: usize) -> Result<(), Unusable> {
        let (bytes, written) = self.slices(from, length)?;
        let (bytes, written) = (bytes.to_vec(), written.map(|w| w.to_vec()));
        let (target, marks) = self.slices(to, length)?;
        target.copy_from_slice(&bytes);
        if let Some(marks) = marks {
            match written {
                Some(written) => marks.copy_from_slice(&written),
                None => marks.fill(1),
            }
        }
        Ok(())
    }

    /// The offset of the first byte of a range that nobody wrote.
    pub fn first_unwritten(&mut self, at: u64, length: usize) -> Result<Option<usize>, Unusable> {
        let (_, written) = self.slices(at, length)?;
        Ok(written.and_then(|w| w.iter().position(|b| *b == 0)))
    }
}

impl Allocation {
    fn is_gone(&self) -> bool {
        self.bytes.is_empty() && self.size > 0
    }
}
