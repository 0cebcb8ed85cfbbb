//! Random numbers of the tape's [streams](crate::tape::philox), a tile at a time: the loops vectorise.
//!
//! The angle of a normal is `2πu`; with `q` the nearest quarter turn, its cosine and sine are those of
//! `2π(u − q/4)`, within `π/4` of zero, swapped and negated by `q`. Everything is in doubles, so a
//! single is the rounded truth but for rare neighbours.

use std::f64::consts::TAU;

use super::isa::versions;
use super::math::{self, Real};
use crate::tape::Dtype;
use crate::tape::ops::Distribution;
use crate::tape::philox;

/// Words made together; a multiple of four.
const TILE: usize = 256;

versions! {
    /// Elements `start …` of a step of a stream; `start` is a multiple of four.
    fill<T: Real>(distribution: Distribution, key: [u32; 2], counter: [u32; 2], start: usize, y: &mut [T]), fill_body
}

#[inline(always)]
fn fill_body<T: Real>(distribution: Distribution, key: [u32; 2], counter: [u32; 2], start: usize, y: &mut [T]) {
    for (k, y) in y.chunks_mut(TILE).enumerate() {
        let mut words = [0; TILE];
        blocks(key, counter, (start + k * TILE) / 4, &mut words);
        let mut uniforms = [0.0; TILE];
        for (u, word) in uniforms.iter_mut().zip(words) {
            *u = match T::DTYPE {
                Dtype::F32 => (f64::from(word >> 9) + 0.5) / f64::from(1 << 23),
                _ => (f64::from(word) + 0.5) / 4_294_967_296.0,
            };
        }
        let numbers = match distribution {
            Distribution::Uniform => uniforms,
            Distribution::Normal => normals(&uniforms),
        };
        y.iter_mut().zip(numbers).for_each(|(y, number)| *y = T::of(number));
    }
}

/// Philox blocks with counters `first …`, their words in order.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "one lane of four arrays at a time")]
fn blocks(key: [u32; 2], [step, stream]: [u32; 2], first: usize, words: &mut [u32; TILE]) {
    let mut c = [[0u32; TILE / 4]; 4];
    c[0].iter_mut().enumerate().for_each(|(i, word)| *word = (first + i) as u32);
    c[2].fill(step);
    c[3].fill(stream);
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        let [c0, c1, c2, c3] = &mut c;
        for (((c0, c1), c2), c3) in c0.iter_mut().zip(c1).zip(c2).zip(c3) {
            let a = u64::from(*c0) * philox::MULTIPLIERS[0];
            let b = u64::from(*c2) * philox::MULTIPLIERS[1];
            [*c0, *c1, *c2, *c3] = [(b >> 32) as u32 ^ *c1 ^ k0, b as u32, (a >> 32) as u32 ^ *c3 ^ k1, a as u32];
        }
        k0 = k0.wrapping_add(philox::KEY_STEPS[0]);
        k1 = k1.wrapping_add(philox::KEY_STEPS[1]);
    }
    for i in 0..TILE {
        words[i] = c[i % 4][i / 4];
    }
}

#[inline(always)]
fn normals(uniforms: &[f64; TILE]) -> [f64; TILE] {
    let mut radius = [0.0; TILE / 2];
    let mut cosine = [0.0; TILE / 2];
    let mut sine = [0.0; TILE / 2];
    for i in 0..TILE / 2 {
        radius[i] = (-2.0 * math::log(uniforms[2 * i])).sqrt();
        (cosine[i], sine[i]) = turn(uniforms[2 * i + 1]);
    }
    let mut numbers = [0.0; TILE];
    for i in 0..TILE / 2 {
        numbers[2 * i] = radius[i] * cosine[i];
        numbers[2 * i + 1] = radius[i] * sine[i];
    }
    numbers
}

/// `cos 2πu` and `sin 2πu` for `0 ≤ u < 1`.
#[inline(always)]
fn turn(u: f64) -> (f64, f64) {
    let q = 4.0 * u + f64::ROUND - f64::ROUND;
    let x = TAU * (u - 0.25 * q);
    let z = x * x;
    let (mut c, mut s) = (0.0, 0.0);
    for k in (1..9).rev() {
        // 1 − z/(1·2)·(1 − z/(3·4)·(…)), and x·(1 − z/(2·3)·(1 − z/(4·5)·(…))).
        let k = k as f64;
        c = (1.0 - c) * z / ((2.0 * k - 1.0) * (2.0 * k));
        s = (1.0 - s) * z / ((2.0 * k) * (2.0 * k + 1.0));
    }
    let (c, s) = (1.0 - c, x * (1.0 - s));
    let (cosine, sine) = if q == 1.0 || q == 3.0 { (-s, c) } else { (c, s) };
    let flip = if q == 2.0 || q == 3.0 { -1.0 } else { 1.0 };
    (flip * cosine, flip * sine)
}

#[cfg(test)]
mod tests {
    use super::super::isa::Isa;
    use super::*;
    use crate::tape::philox::Stream;

    #[test]
    fn follows_the_stream() {
        fn check<T: Real>(tolerance: f64) {
            let (key, number, step) = ([7, 1 << 31], 3, 9);
            let stream = Stream::new(key, number);
            for isa in Isa::all() {
                for distribution in [Distribution::Uniform, Distribution::Normal] {
                    let mut y = vec![T::ZERO; 1003];
                    fill(isa, distribution, key, [step, number], 8, &mut y);
                    for (j, y) in y.iter().enumerate() {
                        let truth = match distribution {
                            Distribution::Uniform => stream.uniform(step, j as u64 + 8, T::DTYPE),
                            Distribution::Normal => stream.normal(step, j as u64 + 8, T::DTYPE),
                        };
                        assert!((y.wide() - truth).abs() <= tolerance, "{distribution:?} {j}: {} {truth}", y.wide());
                    }
                }
            }
        }
        // Normals are below 7; their angle carries a rounding of a number below 2π.
        check::<f32>(8.0 * f32::EPSILON as f64);
        check::<f64>(64.0 * f64::EPSILON);
    }
}
