//! A block: its warps take turns, each until it waits; a barrier opens when every thread has come to it.

use super::counters::lanes;
use super::fault::{Fault, FaultKind};
use super::registers::{Lanes, Registers};
use super::warp::{Group, Wait, Warp};
use super::{Job, Launch};
use crate::config::Order;
use crate::ptx::ir::{BarrierReduction, Base, Op, Special};

/// What registers hold before they are set: a pattern that is no useful number.
const POISON: u64 = 0xdead_beef_dead_beef;

pub(super) fn warps(job: &Job, threads: u32) -> Vec<Warp> {
    (0..threads.div_ceil(32))
        .map(|id| Warp {
            id,
            all: mask_of(threads - id * 32),
            live: 0,
            groups: Vec::new(),
            registers: Registers(vec![Lanes([POISON; 32]); job.kernel.registers]),
            carry: 0,
            local: vec![0xff; job.kernel.local * 32],
            period: 1,
            votes: 0,
        })
        .collect()
}

/// The first lanes, at most 32.
fn mask_of(count: u32) -> u32 {
    if count >= 32 { !0 } else { (1 << count) - 1 }
}

impl Launch<'_> {
    pub(super) fn run_block(&mut self, warps: &mut [Warp]) -> Result<(), Fault> {
        self.shared.begin();
        self.unfenced.clear();
        self.unfenced.resize(warps.len(), None);
        for warp in warps.iter_mut() {
            self.begin_warp(warp);
        }
        let mut order: Vec<usize> = (0..warps.len()).collect();
        match self.settings.order {
            Order::Forward => {}
            Order::Reverse => order.reverse(),
            Order::Random => self.random.shuffle(&mut order),
        }
        loop {
            let mut progress = false;
            for i in &order {
                if warps[*i].groups.iter().any(|g| g.wait == Wait::No) {
                    self.run_warp(&mut warps[*i])?;
                    progress = true;
                }
            }
            if warps.iter().all(|w| w.groups.is_empty()) {
                return self.unwritten_shared.take().map_or(Ok(()), Err);
            }
            if warps.iter().flat_map(|w| &w.groups).all(|g| matches!(g.wait, Wait::Barrier(_))) {
                self.open_barrier(warps)?;
            } else if !progress {
                return Err(self.deadlock(warps));
            }
        }
    }

    fn begin_warp(&self, warp: &mut Warp) {
        warp.live = warp.all;
        warp.period = 1;
        warp.votes = 0;
        warp.groups.clear();
        warp.groups.push(Group { at: 0, mask: warp.live, wait: Wait::No });
        warp.registers.0.fill(Lanes([POISON; 32]));
        warp.local.fill(0xff);
        let kernel = self.job.kernel;
        for c in &kernel.constants {
            let base = match c.base {
                Base::None => 0,
                Base::DynamicShared => kernel.shared as u64,
                Base::Variable(v) => self.job.variables[v as usize],
            };
            *warp.registers.get_mut(c.register) = [c.value.wrapping_add(base); 32];
        }
        for (register, special) in &kernel.specials {
            *warp.registers.get_mut(*register) = std::array::from_fn(|l| self.special(*special, warp.id, l as u32));
        }
    }

    fn special(&self, special: Special, warp: u32, lane: u32) -> u64 {
        let (thread, [x, y, _]) = (warp * 32 + lane, self.job.block);
        let below = (1u64 << lane) - 1;
        let value = match special {
            Special::ThreadId(0) => thread % x,
            Special::ThreadId(1) => thread / x % y,
            Special::ThreadId(_) => thread / x / y,
            Special::BlockSize(axis) => self.job.block[axis as usize],
            Special::BlockId(axis) => self.block_id[axis as usize],
            Special::GridSize(axis) => self.job.grid[axis as usize],
            Special::Lane => lane,
            Special::WarpId => warp,
            Special::LaneMaskLt => below as u32,
            Special::LaneMaskLe => (below << 1 | 1) as u32,
            Special::LaneMaskGt => !(below << 1 | 1) as u32,
            Special::LaneMaskGe => !below as u32,
            Special::LaneMaskEq => 1 << lane,
            Special::Clock => return self.steps,
            Special::Zero => 0,
        };
        value as u64
    }

    /// All threads that live wait at barriers: it must be one barrier, and all threads of the block.
    fn open_barrier(&mut self, warps: &mut [Warp]) -> Result<(), Fault> {
        let groups = || warps.iter().flat_map(|w| w.groups.iter().map(move |g| (w, g)));
        let Some((_, first)) = groups().next() else { return Ok(()) };
        let (at, wait) = (first.at, first.wait);
        if self.settings.strict_barriers {
            if let Some((w, g)) = groups().find(|(_, g)| g.at != at || g.wait != wait) {
                let lines = [at, g.at].map(|at| self.job.kernel.code[at].line);
                let text = format!("threads of one block wait at barriers of PTX lines {} and {}", lines[0], lines[1]);
                let thread = w.id * 32 + g.mask.trailing_zeros();
                return Err(self.fault(FaultKind::DivergentBarrier, Some(thread), g.at, text));
            }
            if let Some(w) = warps.iter().find(|w| w.live != w.all) {
                let gone = w.id * 32 + (w.all & !w.live).trailing_zeros();
                let text = format!("thread {gone} has left the kernel, the others wait at a barrier");
                return Err(self.fault(FaultKind::DivergentBarrier, None, at, text));
            }
        }
        if let Some(fault) = self.unwritten_shared.take() {
            return Err(fault);
        }
        self.shared.barrier();
        self.counters.barriers += 1;
        let Op::Barrier { value, .. } = self.job.kernel.code[at].op else { unreachable!("groups wait at barriers") };
        let result = value.map(|v| {
            let count: u32 = warps.iter().map(|w| (w.votes & w.live).count_ones()).sum();
            let live: u32 = warps.iter().map(|w| w.live.count_ones()).sum();
            let result = match v.reduction {
                BarrierReduction::Or => (count > 0) as u64,
                BarrierReduction::And => (count == live) as u64,
                BarrierReduction::Count => count as u64,
            };
            (v.d, result)
        });
        for warp in warps.iter_mut() {
            for index in 0..warp.groups.len() {
                let mask = warp.groups[index].mask;
                if let Some((d, result)) = result {
                    let out = warp.registers.get_mut(d);
                    lanes(mask).for_each(|l| out[l] = result);
                }
                warp.groups[index].at += 1;
                warp.groups[index].wait = Wait::No;
            }
            warp.votes = 0;
            warp.merge();
        }
        Ok(())
    }

    fn deadlock(&self, warps: &[Warp]) -> Fault {
        let stuck = warps.iter().flat_map(|w| w.groups.iter().map(move |g| (w, g)));
        let warp_waits = |(_, g): &(&Warp, &Group)| matches!(g.wait, Wait::Members(_));
        let Some((w, g)) = stuck.clone().find(warp_waits).or(stuck.clone().next()) else {
            unreachable!("a block without groups has ended")
        };
        let text = format!("lanes {:#x} of warp {} wait for lanes that never come", g.mask, w.id);
        self.fault(FaultKind::Deadlock, Some(w.id * 32 + g.mask.trailing_zeros()), g.at, text)
    }
}
