//! Random numbers by counter: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as
//! easy as 1, 2, 3; SC 2011). No state: element `j` of step `s` of a stream depends on
//! `(key, stream, s, j)` alone, so devices, threads and resumed runs draw the same.
//!
//! Element `j` is word `j mod 4` of the block with counter `(⌊j/4⌋, 0, s, stream)`. A word `w` gives
//!
//! - uniform on (0, 1): `(w + ½)/2³²` in doubles, `(⌊w/2⁹⌋ + ½)/2²³` in singles, both exact, so
//!   neither end is reached;
//! - normal (Box–Muller): elements `2i` and `2i + 1` are `√(−2 log u₁)` times `cos 2πu₂` and
//!   `sin 2πu₂`, where `u₁, u₂` are the uniforms `2i` and `2i + 1` of the same dtype.

use std::f64::consts::TAU;

use super::ir::Dtype;

/// What words are multiplied by in a round.
pub(crate) const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];

/// What is added to the key after a round.
pub(crate) const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The block of four words at a counter.
pub fn block(key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    let ([mut k0, mut k1], mut c) = (key, counter);
    for _ in 0..10 {
        let (a, b) = (u64::from(c[0]) * MULTIPLIERS[0], u64::from(c[2]) * MULTIPLIERS[1]);
        c = [(b >> 32) as u32 ^ c[1] ^ k0, b as u32, (a >> 32) as u32 ^ c[3] ^ k1, a as u32];
        k0 = k0.wrapping_add(KEY_STEPS[0]);
        k1 = k1.wrapping_add(KEY_STEPS[1]);
    }
    c
}

/// One of the independent streams of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    stream: u32,
}

/// The key of a seed: its low and its high half.
pub fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

impl Stream {
    /// The stream of that key and number.
    pub fn new(key: [u32; 2], stream: u32) -> Stream {
        Stream { key, stream }
    }

    /// Word `j` of a step, `j < 2³⁴`.
    pub fn word(&self, step: u32, j: u64) -> u32 {
        debug_assert!(j < 1 << 34, "a step has 2³⁴ words");
        block(self.key, [(j / 4) as u32, 0, step, self.stream])[(j % 4) as usize]
    }

    /// Element `j` of a step, uniform on (0, 1).
    pub fn uniform(&self, step: u32, j: u64, dtype: Dtype) -> f64 {
        let word = self.word(step, j);
        match dtype {
            Dtype::F32 => (f64::from(word >> 9) + 0.5) / f64::from(1 << 23),
            Dtype::F64 | Dtype::Index => (f64::from(word) + 0.5) / 4_294_967_296.0,
        }
    }

    /// Element `j` of a step, standard normal.
    pub fn normal(&self, step: u32, j: u64, dtype: Dtype) -> f64 {
        let first = j & !1;
        let radius = (-2.0 * self.uniform(step, first, dtype).ln()).sqrt();
        let angle = TAU * self.uniform(step, first + 1, dtype);
        radius * if j == first { angle.cos() } else { angle.sin() }
    }

    /// The numbers `0 … n−1` in random order, `n < 2³²` (Fisher–Yates from the end; the choice among
    /// `m` is `⌊m·w/2⁶⁴⌋` of two words, whose bias is under 2⁻³²).
    pub fn permutation(&self, step: u32, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        for last in (1..n).rev() {
            let (high, low) = (self.word(step, 2 * last as u64), self.word(step, 2 * last as u64 + 1));
            let word = u128::from(high) << 32 | u128::from(low);
            order.swap(last, ((word * (last as u128 + 1)) >> 64) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The authors' published vectors for philox4x32, 10 rounds.
    #[test]
    fn published_vectors() {
        let ones = u32::MAX;
        for (counter, k, words) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([ones; 4], [ones; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(block(k, counter), words);
        }
    }

    #[test]
    fn uniforms_stay_inside() {
        let stream = Stream::new(key(7), 0);
        for dtype in [Dtype::F32, Dtype::F64] {
            let sum: f64 = (0..100_000).map(|j| stream.uniform(3, j, dtype)).sum();
            // The mean of n uniforms has deviation 1/√(12n) = 9e-4.
            assert!((sum / 1e5 - 0.5).abs() < 4e-3, "{sum}");
        }
        let largest = (f64::from(u32::MAX >> 9) + 0.5) / f64::from(1 << 23);
        assert!((largest as f32) < 1.0 && f64::from(largest as f32) == largest);
    }

    #[test]
    fn normals_have_their_moments() {
        let stream = Stream::new(key(11), 2);
        let n = 100_000;
        let mut moments = [0.0; 4];
        for j in 0..n {
            let z = stream.normal(0, j, Dtype::F64);
            for (power, moment) in moments.iter_mut().enumerate() {
                *moment += z.powi(power as i32 + 1) / n as f64;
            }
        }
        for (moment, (expected, deviation)) in
            moments.into_iter().zip([(0.0, 1.0), (1.0, 1.5), (0.0, 4.0), (3.0, 10.0)])
        {
            assert!((moment - expected).abs() < 4.0 * deviation / (n as f64).sqrt(), "{moment} for {expected}");
        }
    }

    #[test]
    fn permutations_are_permutations_and_vary() {
        let stream = Stream::new(key(1), 5);
        let orders = [0, 1].map(|step| stream.permutation(step, 100));
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..100));
        }
        assert_ne!(orders[0], orders[1]);
        // All six orders of three appear equally often: 6000 draws, deviation 29.
        let mut counts = std::collections::BTreeMap::new();
        for step in 0..6000 {
            *counts.entry(stream.permutation(step, 3)).or_insert(0) += 1;
        }
        assert!(counts.len() == 6 && counts.values().all(|count: &i32| (count - 1000).abs() < 150), "{counts:?}");
        assert_eq!(stream.permutation(0, 0), Vec::<u32>::new());
    }
}
