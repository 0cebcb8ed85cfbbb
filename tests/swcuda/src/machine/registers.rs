//! The register file of a warp: 64 bits by 32 lanes a register.

use crate::ptx::ir::Register;

pub(crate) const ALL: u32 = !0;

#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Lanes(pub [u64; 32]);

pub(crate) struct Registers(pub Vec<Lanes>);

impl Registers {
    #[inline(always)]
    pub fn get(&self, r: Register) -> &[u64; 32] {
        &self.0[r as usize].0
    }

    #[inline(always)]
    pub fn get_mut(&mut self, r: Register) -> &mut [u64; 32] {
        &mut self.0[r as usize].0
    }

    /// Sets the lanes of a mask.
    #[inline(always)]
    pub fn set(&mut self, r: Register, mask: u32, f: impl Fn(usize) -> u64) {
        let out = &mut self.0[r as usize].0;
        if mask == ALL {
            for (lane, value) in out.iter_mut().enumerate() {
                *value = f(lane);
            }
        } else {
            let mut rest = mask;
            while rest != 0 {
                let lane = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                out[lane] = f(lane);
            }
        }
    }

    #[inline(always)]
    pub fn map1(&mut self, mask: u32, d: Register, a: Register, f: impl Fn(u64) -> u64) {
        if mask == ALL {
            let a = self.get(a);
            let out = each(|l| f(a[l]));
            *self.get_mut(d) = out;
        } else {
            let a = *self.get(a);
            self.set(d, mask, |l| f(a[l]));
        }
    }

    #[inline(always)]
    pub fn map2(&mut self, mask: u32, d: Register, a: Register, b: Register, f: impl Fn(u64, u64) -> u64) {
        if mask == ALL {
            let (a, b) = (self.get(a), self.get(b));
            let out = each(|l| f(a[l], b[l]));
            *self.get_mut(d) = out;
        } else {
            let (a, b) = (*self.get(a), *self.get(b));
            self.set(d, mask, |l| f(a[l], b[l]));
        }
    }

    #[inline(always)]
    pub fn map3(&mut self, mask: u32, d: Register, from: [Register; 3], f: impl Fn(u64, u64, u64) -> u64) {
        if mask == ALL {
            let [a, b, c] = from.map(|r| self.get(r));
            let out = each(|l| f(a[l], b[l], c[l]));
            *self.get_mut(d) = out;
        } else {
            let [a, b, c] = from.map(|r| *self.get(r));
            self.set(d, mask, |l| f(a[l], b[l], c[l]));
        }
    }

    /// The lanes where bit 0 of a register is set.
    #[inline(always)]
    pub fn predicate(&self, r: Register) -> u32 {
        let a = self.get(r);
        gather(|l| a[l] & 1 == 1)
    }
}

/// A value for each lane. Written as a loop, so that it is compiled with the features of its caller.
#[inline(always)]
fn each(f: impl Fn(usize) -> u64) -> [u64; 32] {
    let mut out = [0; 32];
    for (lane, value) in out.iter_mut().enumerate() {
        *value = f(lane);
    }
    out
}

/// The lanes for which something holds.
#[inline(always)]
pub(crate) fn gather(f: impl Fn(usize) -> bool) -> u32 {
    let mut mask = 0;
    for lane in 0..32 {
        mask |= (f(lane) as u32) << lane;
    }
    mask
}
