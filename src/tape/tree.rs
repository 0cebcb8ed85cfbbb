//! The fixed tree by which every sum on the tape is taken, so that a run repeats bit for bit at any
//! number of threads, on any device and however the loop is tiled.
//!
//! The elements of one sum, `x[0] … x[n−1]` (row-major order of the reduced axes), are cut into
//! blocks of [`BLOCK`] = 256.
//!
//! 1. A block is summed in [`LANES`] = 32 interleaved lanes. Each starts at +0, and lane `l` adds
//!    `x[l], x[l + 32], x[l + 64], …` of its block, in that order. The last block may be short;
//!    since a lane never holds −0, leaving its missing elements out or adding +0 is the same.
//! 2. The lanes fold in halves: `l += l + 16` for `l < 16`, then 8, 4, 2, 1. Lane 0 is the block.
//! 3. Blocks combine pairwise: the sum of `m` blocks is the sum of the first `p` plus the sum of the
//!    rest, `p` the greatest power of two below `m`. [`Carry`] does it in one pass, and a range of
//!    `2ᵏ` blocks that starts at a multiple of `2ᵏ` is one node, so threads may take such ranges.
//!
//! The sum of no elements is +0. 32 lanes are four AVX registers of singles, or one warp. The error
//! grows as `8 + 5 + log₂(n/256)` roundings, not as `n`.

use std::ops::Add;

/// Lanes of a block.
pub const LANES: usize = 32;

/// Elements of a block.
pub const BLOCK: usize = 256;

/// The sum of `n` elements, element `i` being `x(i)`.
pub fn sum<T: Copy + Default + Add<Output = T>>(n: usize, x: impl Fn(usize) -> T) -> T {
    let mut carry = Carry::default();
    for start in (0..n).step_by(BLOCK) {
        let mut lanes = [T::default(); LANES];
        for i in start..n.min(start + BLOCK) {
            lanes[(i - start) % LANES] = lanes[(i - start) % LANES] + x(i);
        }
        carry.push(fold(lanes));
    }
    carry.finish()
}

/// The lanes of a block, folded in halves.
pub fn fold<T: Copy + Add<Output = T>>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] = lanes[l] + lanes[l + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// Combines nodes of one size as they come (blocks, or ranges of equally many blocks). Holds one
/// number for each set bit of their count.
#[derive(Debug, Clone, Copy)]
pub struct Carry<T> {
    nodes: [T; 64],
    count: u64,
}

impl<T: Copy + Default> Default for Carry<T> {
    fn default() -> Carry<T> {
        Carry { nodes: [T::default(); 64], count: 0 }
    }
}

impl<T: Copy + Default + Add<Output = T>> Carry<T> {
    /// Adds the next node.
    pub fn push(&mut self, node: T) {
        let mut node = node;
        let merges = self.count.trailing_ones() as usize;
        let top = self.count.count_ones() as usize;
        for merged in 1..=merges {
            node = self.nodes[top - merged] + node;
        }
        self.nodes[top - merges] = node;
        self.count += 1;
    }

    /// The sum of all nodes.
    pub fn finish(&self) -> T {
        let top = self.count.count_ones() as usize;
        let Some(last) = top.checked_sub(1) else { return T::default() };
        self.nodes[..last].iter().rev().fold(self.nodes[last], |sum, &node| node + sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Step 3 as the header says it.
    fn by_definition(blocks: &[f64]) -> f64 {
        match blocks {
            [] => 0.0,
            [block] => *block,
            _ => {
                let (left, right) = blocks.split_at(blocks.len().next_power_of_two() / 2);
                by_definition(left) + by_definition(right)
            }
        }
    }

    #[test]
    fn carry_is_the_recursive_tree() {
        let x: Vec<f64> = (0..300).map(|i| 1.0 / (1.0 + i as f64)).collect();
        for m in 0..x.len() {
            let mut carry = Carry::default();
            x[..m].iter().for_each(|&block| carry.push(block));
            assert_eq!(carry.finish().to_bits(), by_definition(&x[..m]).to_bits(), "{m} blocks");
        }
    }

    #[test]
    fn ranges_of_blocks_are_nodes() {
        let x: Vec<f64> = (0..3000).map(|i| (i as f64).sin()).collect();
        let mut carry = Carry::default();
        for range in x.chunks(2 * BLOCK) {
            carry.push(sum(range.len(), |i| range[i]));
        }
        assert_eq!(carry.finish().to_bits(), sum(x.len(), |i| x[i]).to_bits());
    }

    #[test]
    fn lanes_are_interleaved() {
        let mut lanes = [0.0f32; LANES];
        let x: Vec<f32> = (0..100).map(|i| 0.1 + i as f32).collect();
        for row in x.chunks(LANES) {
            row.iter().zip(&mut lanes).for_each(|(x, lane)| *lane += x);
        }
        assert_eq!(sum(100, |i| x[i]), fold(lanes));
        assert_eq!(sum(0, |_| -> f32 { unreachable!("no element is read") }).to_bits(), 0);
    }

    #[test]
    fn singles_do_not_drift() {
        let n = 1 << 22;
        let relative = (sum(n, |_| 0.1f32) as f64 / (0.1f32 as f64 * n as f64) - 1.0).abs();
        assert!(relative < 4.0 * f32::EPSILON as f64, "{relative}");
    }
}
