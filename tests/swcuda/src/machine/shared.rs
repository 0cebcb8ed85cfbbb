//! Shared memory of a block: bytes, which of them were written, and races between its threads.
//!
//! Two threads may touch the same bytes between two barriers of the block if both read, if both accesses are
//! atomic, or if they belong to one warp and a warp barrier stands between them. A cell stands for four
//! bytes; accesses to different bytes of a word never conflict, but may push each other out of the cell.

use super::races::{Conflict, Touch};

const STRONG: u8 = 0x80;
const MANY: u32 = u32::MAX;

/// Thread numbers + 1 (0 is nobody), the period of the block's barriers and that of the warp's.
#[derive(Clone, Copy, Default, PartialEq)]
struct Toucher {
    thread: u32,
    period: u32,
    warp_period: u32,
    /// Of `thread` or, where that is `MANY`, of all of them, or `MANY`.
    warp: u32,
    bytes: u8,
}

/// Who touched four bytes. Global memory has such cells too: within a block it has the same rules.
#[derive(Clone, Copy, Default)]
pub(crate) struct ThreadCell {
    writer: Toucher,
    reader: Toucher,
}

pub(super) struct Shared {
    pub bytes: Vec<u8>,
    pub written: Vec<u8>,
    cells: Vec<ThreadCell>,
    /// Counts barriers and blocks, so that cells need not be cleared.
    pub period: u32,
}

/// Who touches: the number of a thread in its block, and its warp's period.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    pub thread: u32,
    pub warp_period: u32,
}

impl Shared {
    /// Periods are counted on from that of an earlier launch, which global memory may remember.
    pub fn new(size: usize, period: u32) -> Shared {
        Shared {
            bytes: vec![0xff; size],
            written: vec![0; size],
            cells: vec![ThreadCell::default(); size.div_ceil(4)],
            period,
        }
    }

    pub fn begin(&mut self) {
        self.bytes.fill(0xff);
        self.written.fill(0);
        self.period += 1;
    }

    pub fn barrier(&mut self) {
        self.period += 1;
    }

    /// Notes an access to a range, and says with whom it conflicts and where.
    #[inline]
    pub fn touch(&mut self, at: usize, length: usize, who: Who, touch: Touch) -> Option<(usize, Conflict)> {
        let bytes = if length >= 4 { 15 } else { ((1u8 << length) - 1) << (at % 4) };
        for word in at / 4..(at + length).div_ceil(4) {
            if let Some(conflict) = self.cells[word].touch(self.period, bytes, who, touch) {
                return Some((word * 4, conflict));
            }
        }
        None
    }
}

impl ThreadCell {
    pub fn fresh(count: usize) -> Box<[ThreadCell]> {
        // SAFETY: a cell of zeros is a cell that nobody touched. Zeroed pages cost nothing until they are touched.
        unsafe { Box::new_zeroed_slice(count).assume_init() }
    }

    /// Notes an access to some of the bytes in a period of the block, and says with whom it conflicts.
    #[inline]
    pub fn touch(&mut self, period: u32, bytes: u8, who: Who, touch: Touch) -> Option<Conflict> {
        let (strong, writes) = match touch {
            Touch::Read { strong } => (strong, false),
            Touch::Write { strong } => (strong, true),
        };
        let mark = bytes | if strong { STRONG } else { 0 };
        // What most reads meet: a word that several warps read, and nobody wrote since the barrier.
        let read_by_all = Toucher { thread: MANY, period, warp: MANY, bytes: mark, ..self.reader };
        if !writes && self.writer.period != period && self.reader == read_by_all {
            return None;
        }
        let meets = |o: &Toucher| {
            o.thread != 0
                && o.period == period
                && o.thread != who.thread + 1
                && o.bytes & bytes != 0
                && !(strong && o.bytes & STRONG != 0)
                && !(o.warp == who.thread / 32 && o.warp_period < who.warp_period)
        };
        let conflict = |o: &Toucher, wrote| Some(Conflict { other: (o.thread != MANY).then(|| o.thread - 1), wrote });
        if meets(&self.writer) {
            return conflict(&self.writer, true);
        }
        if writes && meets(&self.reader) {
            return conflict(&self.reader, false);
        }
        let note = if writes { &mut self.writer } else { &mut self.reader };
        let me = Toucher {
            thread: who.thread + 1,
            period,
            warp_period: who.warp_period,
            warp: who.thread / 32,
            bytes: mark,
        };
        let earlier = note.thread != 0 && note.period == period;
        let both = note.bytes & mark & STRONG;
        if earlier && note.thread == me.thread {
            *note = Toucher { bytes: (note.bytes | mark) & !STRONG | both, ..me };
        } else if earlier && !writes {
            // Readers are kept together, so that a later writer meets any of them.
            note.bytes = (note.bytes | mark) & !STRONG | both;
            note.warp = if note.warp == me.warp { me.warp } else { MANY };
            note.thread = MANY;
            note.warp_period = note.warp_period.max(me.warp_period);
        } else {
            *note = me;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Touch = Touch::Read { strong: false };
    const WRITE: Touch = Touch::Write { strong: false };

    fn thread(thread: u32, warp_period: u32) -> Who {
        Who { thread, warp_period }
    }

    #[test]
    fn a_barrier_orders_a_write_and_a_read() {
        for barrier in [false, true] {
            let mut s = Shared::new(64, 1);
            assert_eq!(s.touch(8, 8, thread(3, 1), WRITE), None);
            if barrier {
                s.barrier();
            }
            assert_eq!(s.touch(8, 8, thread(40, 1), READ).is_none(), barrier);
        }
    }

    #[test]
    fn a_write_after_reads_of_many_is_a_race() {
        let mut s = Shared::new(64, 1);
        assert_eq!(s.touch(0, 4, thread(0, 1), READ), None);
        assert_eq!(s.touch(0, 4, thread(1, 1), READ), None);
        assert!(s.touch(0, 4, thread(1, 1), WRITE).is_some());
    }

    #[test]
    fn a_warp_barrier_orders_its_warp_alone() {
        for (other, ordered) in [(1, true), (33, false)] {
            let mut s = Shared::new(64, 1);
            assert_eq!(s.touch(0, 4, thread(0, 1), WRITE), None);
            assert_eq!(s.touch(0, 4, thread(other, 2), READ).is_none(), ordered);
        }
    }

    #[test]
    fn bytes_of_one_word_are_apart() {
        let mut s = Shared::new(64, 1);
        assert_eq!(s.touch(0, 1, thread(0, 1), WRITE), None);
        assert_eq!(s.touch(1, 1, thread(1, 1), WRITE), None);
    }
}
