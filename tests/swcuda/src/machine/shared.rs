//! Shared memory of a block: bytes, which of them were written, and races between threads.
//!
//! Two threads may touch the same bytes between two barriers of the block if both read, if both accesses are
//! atomic, or if they belong to one warp and a warp barrier stands between them. A cell stands for four
//! bytes; accesses to different bytes of a word never conflict, but may push each other out of the cell.

use super::races::{Conflict, Touch};

const STRONG: u8 = 0x80;
const MANY: u32 = u32::MAX;

/// Thread numbers + 1 (0 is nobody), the period of the block's barriers and that of the warp's.
#[derive(Clone, Copy, Default)]
struct Toucher {
    thread: u32,
    period: u32,
    warp_period: u32,
    /// Of `thread` or, where that is `MANY`, of all of them, or `MANY`.
    warp: u32,
    bytes: u8,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    writer: Toucher,
    reader: Toucher,
}

pub(super) struct Shared {
    pub bytes: Vec<u8>,
    pub written: Vec<u8>,
    cells: Vec<Cell>,
    /// Counts barriers and blocks, so that cells need not be cleared.
    pub period: u32,
}

/// Who touches: the number of a thread in its block, and its warp's period.
#[derive(Clone, Copy)]
pub(super) struct Who {
    pub thread: u32,
    pub warp_period: u32,
}

impl Shared {
    pub fn new(size: usize) -> Shared {
        Shared {
            bytes: vec![0xff; size],
            written: vec![0; size],
            cells: vec![Cell::default(); size.div_ceil(4)],
            period: 1,
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
        let (strong, writes) = match touch {
            Touch::Read { strong } => (strong, false),
            Touch::Write { strong } => (strong, true),
        };
        let period = self.period;
        for word in at / 4..(at + length).div_ceil(4) {
            let bytes = if length >= 4 { 15 } else { ((1u8 << length) - 1) << (at % 4) };
            let cell = &mut self.cells[word];
            let meets = |o: &Toucher| {
                o.thread != 0
                    && o.period == period
                    && o.thread != who.thread + 1
                    && o.bytes & bytes != 0
                    && !(strong && o.bytes & STRONG != 0)
                    && !(o.warp == who.thread / 32 && o.warp_period < who.warp_period)
            };
            let conflict = |o: &Toucher, wrote| {
                Some((word * 4, Conflict { other: (o.thread != MANY).then(|| o.thread - 1), wrote }))
            };
            if meets(&cell.writer) {
                return conflict(&cell.writer, true);
            }
            if writes && meets(&cell.reader) {
                return conflict(&cell.reader, false);
            }
            let note = if writes { &mut cell.writer } else { &mut cell.reader };
            let mark = bytes | if strong { STRONG } else { 0 };
            let me = Toucher {
                thread: who.thread + 1,
                period,
                warp_period: who.warp_period,
                warp: who.thread / 32,
                bytes: mark,
            };
            let earlier = note.thread != 0 && note.period == period;
            if earlier && note.thread == me.thread {
                let both = note.bytes & mark & STRONG;
                *note = Toucher { bytes: (note.bytes | mark) & !STRONG | both, ..me };
            } else if earlier && !writes {
                // Readers are kept together, so that a later writer meets any of them.
                let both = note.bytes & mark & STRONG;
                note.bytes = (note.bytes | mark) & !STRONG | both;
                note.warp = if note.warp == me.warp { me.warp } else { MANY };
                note.thread = MANY;
                note.warp_period = note.warp_period.max(me.warp_period);
            } else {
                *note = me;
            }
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
            let mut s = Shared::new(64);
            assert_eq!(s.touch(8, 8, thread(3, 1), WRITE), None);
            if barrier {
                s.barrier();
            }
            assert_eq!(s.touch(8, 8, thread(40, 1), READ).is_none(), barrier);
        }
    }

    #[test]
    fn a_write_after_reads_of_many_is_a_race() {
        let mut s = Shared::new(64);
        assert_eq!(s.touch(0, 4, thread(0, 1), READ), None);
        assert_eq!(s.touch(0, 4, thread(1, 1), READ), None);
        assert!(s.touch(0, 4, thread(1, 1), WRITE).is_some());
    }

    #[test]
    fn a_warp_barrier_orders_its_warp_alone() {
        for (other, ordered) in [(1, true), (33, false)] {
            let mut s = Shared::new(64);
            assert_eq!(s.touch(0, 4, thread(0, 1), WRITE), None);
            assert_eq!(s.touch(0, 4, thread(other, 2), READ).is_none(), ordered);
        }
    }

    #[test]
    fn bytes_of_one_word_are_apart() {
        let mut s = Shared::new(64);
        assert_eq!(s.touch(0, 1, thread(0, 1), WRITE), None);
        assert_eq!(s.touch(1, 1, thread(1, 1), WRITE), None);
    }
}
