//! Races between the blocks of one launch.
//!
//! Blocks run one after the other here, so a race can't show in the numbers; it is found from who touched
//! a word. Two blocks may touch the same bytes if both only read, if both accesses are atomic (or
//! volatile, relaxed and so on), or if one is ordered before the other: the first block made its writes
//! visible (a fence beyond the block after them, or an atomic that releases) and then did an atomic
//! operation on an address on which the second did one later. That is the pattern of the last block,
//! which adds up what the others left. A block's clock counts its releases; an access is ordered before a
//! block that has seen a later clock of the one that made it.
//!
//! A cell stands for four bytes and remembers the last writer and the readers, with the bytes they touched:
//! accesses to different bytes of one word never conflict, but may push each other out of the cell.

/// Stands in `reader` for blocks of more than one number.
const MANY: u32 = u32::MAX;
const STRONG: u8 = 0x80;

#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Cell {
    launch: u32,
    /// Block number + 1; 0 is nobody.
    writer: u32,
    reader: u32,
    writer_clock: u8,
    reader_clock: u8,
    /// Which of the four bytes, and `STRONG` if no access was plain.
    writer_bytes: u8,
    reader_bytes: u8,
}

impl Cell {
    pub fn fresh(count: usize) -> Box<[Cell]> {
        // SAFETY: a cell of zeros is a cell that nobody touched. Zeroed pages cost nothing until they are touched.
        unsafe { Box::new_zeroed_slice(count).assume_init() }
    }
}

/// How an access meets others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Touch {
    Read { strong: bool },
    Write { strong: bool },
}

/// With whom an access conflicts: the other block if it is known, and whether it wrote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Conflict {
    pub other: Option<u32>,
    pub wrote: bool,
}

/// What is known of the order of blocks, as seen from the block that runs.
#[derive(Default)]
pub(crate) struct Order {
    launch: u32,
    me: u32,
    clock: u8,
    /// By block, the clocks that this block has seen; empty before it has seen any.
    seen: Vec<u8>,
    blocks: usize,
    /// By address of an atomic, the clocks that were released into it.
    released: std::collections::HashMap<u64, Vec<u8>>,
    /// The least clock seen of the other blocks.
    least: u8,
}

impl Order {
    pub fn new(launch: u32, blocks: usize) -> Order {
        Order { launch, blocks, ..Order::default() }
    }

    pub fn begin(&mut self, block: u32) {
        self.me = block + 1;
        self.clock = 0;
        self.seen.clear();
        self.least = 0;
    }

    fn is_ordered(&self, block: u32, clock: u8) -> bool {
        block == self.me || self.seen.get(block as usize - 1).is_some_and(|c| *c > clock)
    }

    /// An atomic operation at an address: takes in what others released there, and releases if it may.
    pub fn atomic(&mut self, address: u64, releases: bool) {
        if releases {
            let there = self.released.entry(address).or_insert_with(|| vec![0; self.blocks]);
            self.clock = self.clock.saturating_add(1).min(254);
            for (t, s) in there.iter_mut().zip(&self.seen) {
                *t = (*t).max(*s);
            }
            there[self.me as usize - 1] = self.clock;
        }
        if let Some(there) = self.released.get(&address) {
            self.seen.resize(self.blocks, 0);
            for (s, t) in self.seen.iter_mut().zip(there) {
                *s = (*s).max(*t);
            }
            let others = self.seen.iter().enumerate().filter(|(i, _)| *i as u32 + 1 != self.me);
            self.least = others.map(|(_, c)| *c).min().unwrap_or(u8::MAX);
        }
    }

    /// Notes an access to some bytes of a cell, and says with whom it conflicts.
    #[inline]
    pub fn touch(&self, cell: &mut Cell, bytes: u8, touch: Touch) -> Option<Conflict> {
        let (strong, writes) = match touch {
            Touch::Read { strong } => (strong, false),
            Touch::Write { strong } => (strong, true),
        };
        if cell.launch != self.launch {
            // The usual case: nobody was here yet.
            *cell = Cell { launch: self.launch, ..Cell::default() };
            let mark = bytes | if strong { STRONG } else { 0 };
            if writes {
                (cell.writer, cell.writer_clock, cell.writer_bytes) = (self.me, self.clock, mark);
            } else {
                (cell.reader, cell.reader_clock, cell.reader_bytes) = (self.me, self.clock, mark);
            }
            return None;
        }
        let meets = |other: u8| other & bytes != 0 && !(strong && other & STRONG != 0);
        if cell.writer != 0
            && cell.writer != self.me
            && meets(cell.writer_bytes)
            && !self.is_ordered(cell.writer, cell.writer_clock)
        {
            return Some(Conflict { other: Some(cell.writer - 1), wrote: true });
        }
        if writes {
            if cell.reader != 0 && cell.reader != self.me && meets(cell.reader_bytes) {
                let ordered = match cell.reader {
                    MANY => self.least > cell.reader_clock,
                    reader => self.is_ordered(reader, cell.reader_clock),
                };
                if !ordered {
                    let other = (cell.reader != MANY).then(|| cell.reader - 1);
                    return Some(Conflict { other, wrote: false });
                }
            }
            cell.note_write(self.me, self.clock, bytes, strong);
        } else {
            cell.note_read(self.me, self.clock, bytes, strong);
        }
        None
    }
}

impl Cell {
    fn note_write(&mut self, me: u32, clock: u8, bytes: u8, strong: bool) {
        let strong = if strong { STRONG } else { 0 };
        if self.writer == me {
            let both = self.writer_bytes & strong;
            self.writer_bytes = (self.writer_bytes | bytes) & !STRONG | both;
        } else {
            self.writer_bytes = bytes | strong;
            self.writer = me;
        }
        self.writer_clock = clock;
    }

    fn note_read(&mut self, me: u32, clock: u8, bytes: u8, strong: bool) {
        let strong = if strong { STRONG } else { 0 };
        if self.reader == 0 {
            (self.reader, self.reader_bytes, self.reader_clock) = (me, bytes | strong, clock);
            return;
        }
        if self.reader != me {
            self.reader = MANY;
        }
        let both = self.reader_bytes & strong;
        self.reader_bytes = (self.reader_bytes | bytes) & !STRONG | both;
        self.reader_clock = self.reader_clock.max(clock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Touch = Touch::Read { strong: false };
    const WRITE: Touch = Touch::Write { strong: false };

    /// Accesses of blocks to one cell, in order: the conflict of each.
    fn conflicts(accesses: &[(u32, u8, Touch)]) -> Vec<bool> {
        let (mut cell, mut order) = (Cell::default(), Order::new(1, 8));
        let run = |(block, bytes, touch): &(u32, u8, Touch)| {
            order.begin(*block);
            order.touch(&mut cell, *bytes, *touch).is_some()
        };
        accesses.iter().map(run).collect()
    }

    #[test]
    fn reads_share_and_writes_do_not() {
        assert_eq!(conflicts(&[(0, 15, READ), (1, 15, READ)]), [false, false]);
        assert_eq!(conflicts(&[(0, 15, WRITE), (1, 15, WRITE)]), [false, true]);
        assert_eq!(conflicts(&[(0, 15, WRITE), (1, 15, READ)]), [false, true]);
        assert_eq!(conflicts(&[(0, 15, READ), (1, 15, WRITE)]), [false, true]);
        assert_eq!(conflicts(&[(0, 15, READ), (1, 15, READ), (1, 15, WRITE)]), [false, false, true]);
        assert_eq!(conflicts(&[(0, 15, READ), (0, 15, WRITE)]), [false, false]);
    }

    #[test]
    fn different_bytes_of_a_word_do_not_conflict() {
        assert_eq!(conflicts(&[(0, 3, WRITE), (1, 12, WRITE)]), [false, false]);
    }

    #[test]
    fn atomics_meet_atomics() {
        let atomic = Touch::Write { strong: true };
        assert_eq!(conflicts(&[(0, 15, atomic), (1, 15, atomic)]), [false, false]);
        assert_eq!(conflicts(&[(0, 15, atomic), (1, 15, READ)]), [false, true]);
    }

    #[test]
    fn the_last_block_may_read_what_was_released() {
        for released in [true, false] {
            let (mut data, mut order) = (Cell::default(), Order::new(1, 2));
            order.begin(0);
            assert_eq!(order.touch(&mut data, 15, WRITE), None);
            order.atomic(64, released);
            order.begin(1);
            order.atomic(64, true);
            assert_eq!(order.touch(&mut data, 15, READ).is_none(), released);
        }
    }

    #[test]
    fn what_comes_after_a_release_is_not_ordered_by_it() {
        let (mut data, mut order) = (Cell::default(), Order::new(1, 2));
        order.begin(0);
        order.atomic(64, true);
        assert_eq!(order.touch(&mut data, 15, WRITE), None);
        order.begin(1);
        order.atomic(64, true);
        assert!(order.touch(&mut data, 15, READ).is_some());
    }
}
