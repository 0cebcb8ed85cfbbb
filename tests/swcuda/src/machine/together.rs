//! What the lanes of a warp do together: shuffles, votes, reductions, matches.

use super::Launch;
use super::atomic::combine;
use super::counters::lanes;
use super::fault::{Fault, FaultKind};
use super::warp::Warp;
use crate::ptx::ir::{Op, ShuffleMode, VoteMode};

impl Launch<'_> {
    /// All members of `mask` have come.
    pub(super) fn together(&mut self, warp: &mut Warp, op: &Op, mask: u32, at: usize) -> Result<(), Fault> {
        match op {
            // Orders the memory accesses of the warp; the others don't.
            Op::WarpBarrier { .. } => warp.period += 1,
            Op::Shuffle { mode, d, valid, a, b, c, .. } => {
                let [values, by, clamp] = [*a, *b, *c].map(|r| *warp.registers.get(r));
                let (mut out, mut inside) = ([0; 32], 0u32);
                for l in lanes(mask) {
                    let (from, ok) = shuffle_source(*mode, l as i32, by[l], clamp[l]);
                    if mask >> from & 1 == 0 {
                        let text = format!("lane {l} reads from lane {from}, which does not take part");
                        return Err(self.fault(FaultKind::WarpMembers, Some(warp.id * 32 + l as u32), at, text));
                    }
                    out[l] = values[from] & 0xffff_ffff;
                    inside |= (ok as u32) << l;
                }
                warp.registers.set(*d, mask, |l| out[l]);
                if let Some(valid) = valid {
                    warp.registers.set(*valid, mask, |l| (inside >> l & 1) as u64);
                }
            }
            Op::Vote { mode, d, a, inverted, .. } => {
                let given = warp.registers.predicate(*a);
                let votes = mask & if *inverted { !given } else { given };
                let result = match mode {
                    VoteMode::All => (votes == mask) as u64,
                    VoteMode::Any => (votes != 0) as u64,
                    VoteMode::Uniform => (votes == mask || votes == 0) as u64,
                    VoteMode::Ballot => votes as u64,
                };
                warp.registers.set(*d, mask, |_| result);
            }
            Op::Reduce { op, kind, d, a, .. } => {
                let values = *warp.registers.get(*a);
                let all = lanes(mask).map(|l| values[l] & kind.mask());
                let result = all.reduce(|x, y| combine(*op, *kind, x, y, 0)).unwrap_or(0);
                warp.registers.set(*d, mask, |_| result);
            }
            Op::Match { all, kind, d, valid, a, .. } => {
                let values = *warp.registers.get(*a);
                let same = |l: usize| {
                    let equal = lanes(mask).filter(|o| (values[*o] ^ values[l]) & kind.mask() == 0);
                    equal.fold(0u32, |m, o| m | 1 << o)
                };
                if *all {
                    let agree = same(mask.trailing_zeros() as usize) == mask;
                    warp.registers.set(*d, mask, |_| if agree { mask as u64 } else { 0 });
                    if let Some(valid) = valid {
                        warp.registers.set(*valid, mask, |_| agree as u64);
                    }
                } else {
                    warp.registers.set(*d, mask, |l| same(l) as u64);
                }
            }
            _ => unreachable!("an operation without members"),
        }
        Ok(())
    }
}

/// The lane that a lane reads, itself where the one it asks for is outside its segment (PTX ISA, shfl.sync).
fn shuffle_source(mode: ShuffleMode, lane: i32, by: u64, clamp: u64) -> (usize, bool) {
    let (by, segment, clamp) = ((by & 31) as i32, (clamp >> 8 & 31) as i32, (clamp & 31) as i32);
    let (first, last) = (lane & segment, lane & segment | clamp & !segment);
    let (from, ok) = match mode {
        ShuffleMode::Up => (lane - by, lane - by >= last),
        ShuffleMode::Down => (lane + by, lane + by <= last),
        ShuffleMode::Butterfly => (lane ^ by, (lane ^ by) <= last),
        ShuffleMode::Index => (first | by & !segment, (first | by & !segment) <= last),
    };
    (if ok { from } else { lane } as usize, ok)
}
