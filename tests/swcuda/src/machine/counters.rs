//! What launches of a kernel did, for tests that hold a program to its traffic.

/// Of all launches of a kernel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counters {
    pub launches: u64,
    pub blocks: u64,
    /// Instructions of warps, and of the lanes that took part.
    pub warp_instructions: u64,
    pub lane_instructions: u64,
    /// Loads and stores of global memory: instructions of warps, bytes asked for, 32-byte sectors touched.
    pub loads: u64,
    pub load_bytes: u64,
    pub load_sectors: u64,
    pub stores: u64,
    pub store_bytes: u64,
    pub store_sectors: u64,
    /// Instructions on shared memory, and the passes that banks of four bytes make of them.
    pub shared: u64,
    pub shared_passes: u64,
    pub atomics: u64,
    /// Branches at which a warp's lanes parted.
    pub divergent: u64,
    pub barriers: u64,
}

impl Counters {
    /// Names and values, in the order of the report.
    pub fn table(&self) -> [(&'static str, u64); 15] {
        [
            ("launches", self.launches),
            ("blocks", self.blocks),
            ("warp_instructions", self.warp_instructions),
            ("lane_instructions", self.lane_instructions),
            ("loads", self.loads),
            ("load_bytes", self.load_bytes),
            ("load_sectors", self.load_sectors),
            ("stores", self.stores),
            ("store_bytes", self.store_bytes),
            ("store_sectors", self.store_sectors),
            ("shared", self.shared),
            ("shared_passes", self.shared_passes),
            ("atomics", self.atomics),
            ("divergent", self.divergent),
            ("barriers", self.barriers),
        ]
    }

    /// An access of a warp to global memory: the lanes of `mask` touch `bytes` each.
    pub fn global(&mut self, addresses: &[u64; 32], mask: u32, bytes: u64, store: bool) {
        let sectors = sectors(addresses, mask, bytes);
        let asked = mask.count_ones() as u64 * bytes;
        if store {
            self.stores += 1;
            self.store_bytes += asked;
            self.store_sectors += sectors;
        } else {
            self.loads += 1;
            self.load_bytes += asked;
            self.load_sectors += sectors;
        }
    }

    /// An access of a warp to shared memory. Words of eight bytes and more go in halves of the warp.
    pub fn shared(&mut self, addresses: &[u64; 32], mask: u32, bytes: u64) {
        self.shared += 1;
        let words = bytes.div_ceil(4);
        let groups: &[u32] = match words {
            1 => &[!0],
            2 => &[0xffff, 0xffff_0000],
            _ => &[0xff, 0xff00, 0xff_0000, 0xff00_0000],
        };
        for group in groups.iter().map(|g| g & mask).filter(|g| *g != 0) {
            self.shared_passes += passes(addresses, group, words);
        }
    }
}

/// The 32-byte sectors that a warp touches.
fn sectors(addresses: &[u64; 32], mask: u32, bytes: u64) -> u64 {
    let (mut count, mut previous, mut sorted) = (0, None, true);
    for lane in lanes(mask) {
        let (first, last) = (addresses[lane] >> 5, (addresses[lane] + bytes - 1) >> 5);
        sorted &= previous.is_none_or(|p| first >= p);
        count += last - previous.map_or(first.wrapping_sub(1), |p: u64| p.max(first.saturating_sub(1)).min(last));
        previous = Some(last);
    }
    if sorted {
        return count;
    }
    let mut all: Vec<u64> = lanes(mask).flat_map(|l| addresses[l] >> 5..=(addresses[l] + bytes - 1) >> 5).collect();
    all.sort_unstable();
    all.dedup();
    all.len() as u64
}

/// How often the busiest of the 32 banks is asked for different words.
fn passes(addresses: &[u64; 32], mask: u32, words: u64) -> u64 {
    let first = addresses[mask.trailing_zeros() as usize];
    // Neighbours, or all the same: one pass.
    let step = words * 4;
    let mut expected = first;
    let mut neighbours = true;
    let mut same = true;
    for lane in lanes(mask) {
        neighbours &= addresses[lane] == expected;
        same &= addresses[lane] == first;
        expected += step;
    }
    if neighbours || same {
        return 1;
    }
    let mut all: Vec<u64> = lanes(mask).flat_map(|l| (0..words).map(move |w| addresses[l] / 4 + w)).collect();
    all.sort_unstable();
    all.dedup();
    let mut banks = [0; 32];
    for word in all {
        banks[word as usize % 32] += 1;
    }
    banks.into_iter().max().unwrap_or(1)
}

/// The lanes of a mask, in order.
pub(crate) fn lanes(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        (lane < 32).then_some(lane as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(f: impl Fn(u64) -> u64) -> [u64; 32] {
        std::array::from_fn(|l| 1024 + f(l as u64))
    }

    #[test]
    fn sectors_of_common_patterns() {
        assert_eq!(sectors(&addresses(|l| 4 * l), !0, 4), 4);
        assert_eq!(sectors(&addresses(|l| 8 * l), !0, 8), 8);
        assert_eq!(sectors(&addresses(|l| 8 * (31 - l)), !0, 8), 8);
        assert_eq!(sectors(&addresses(|_| 0), !0, 8), 1);
        assert_eq!(sectors(&addresses(|l| 64 * l), !0, 4), 32);
        assert_eq!(sectors(&addresses(|l| 16 * l), 1, 16), 1);
        assert_eq!(sectors(&addresses(|l| 4 + 4 * l), !0, 4), 5);
        assert_eq!(sectors(&addresses(|l| 32 * (l % 2)), !0, 4), 2);
    }

    #[test]
    fn passes_of_common_patterns() {
        assert_eq!(passes(&addresses(|l| 4 * l), !0, 1), 1);
        assert_eq!(passes(&addresses(|l| 8 * l), !0, 1), 2);
        assert_eq!(passes(&addresses(|l| 128 * l), !0, 1), 32);
        assert_eq!(passes(&addresses(|_| 0), !0, 1), 1);
        assert_eq!(passes(&addresses(|l| 132 * l), !0, 1), 1);
    }
}
