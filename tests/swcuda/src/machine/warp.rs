//! A warp: groups of lanes that stand at one instruction; the group that is furthest behind goes on, so
//! lanes meet again where their paths do.

use super::Launch;
use super::fault::{Fault, FaultKind};
use super::registers::Registers;
use crate::ptx::ir::{Instruction, Op, Register};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wait {
    No,
    /// At a barrier of the block, by number.
    Barrier(u32),
    /// For the other members of a warp operation.
    Members(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub at: usize,
    pub mask: u32,
    pub wait: Wait,
}

pub(super) struct Warp {
    pub id: u32,
    /// Lanes that the block has, and those that have not left.
    pub all: u32,
    pub live: u32,
    pub groups: Vec<Group>,
    pub registers: Registers,
    pub carry: u32,
    /// Memory of its threads, one after the other.
    pub local: Vec<u8>,
    /// Counts warp barriers: accesses of different periods are ordered.
    pub period: u32,
    /// Predicates given to a barrier.
    pub votes: u32,
}

impl Warp {
    /// Joins groups that stand at one place.
    pub fn merge(&mut self) {
        let mut kept = 0;
        for i in 0..self.groups.len() {
            let g = self.groups[i];
            let meets = |o: &Group| {
                let barrier = |w: Wait| matches!(w, Wait::Barrier(_));
                o.at == g.at && (o.wait == g.wait || !barrier(o.wait) && !barrier(g.wait))
            };
            match self.groups[..kept].iter().position(meets) {
                Some(j) => {
                    let other = &mut self.groups[j];
                    other.mask |= g.mask;
                    if g.wait == Wait::No {
                        other.wait = Wait::No;
                    }
                }
                None => {
                    self.groups[kept] = g;
                    kept += 1;
                }
            }
        }
        self.groups.truncate(kept);
    }

    /// Lets groups go whose members have all come, or left.
    fn release(&mut self) {
        self.merge();
        for g in &mut self.groups {
            if let Wait::Members(members) = g.wait
                && members & self.live & !g.mask == 0
            {
                g.wait = Wait::No;
            }
        }
    }
}

impl<'a> Launch<'a> {
    /// Runs a warp until all its groups wait, or none is left.
    pub(super) fn run_warp(&mut self, warp: &mut Warp) -> Result<(), Fault> {
        while let Some(index) = furthest_behind(&warp.groups) {
            self.run_group(warp, index)?;
        }
        Ok(())
    }

    /// Runs a group until it waits, splits, ends, or meets another.
    fn run_group(&mut self, warp: &mut Warp, index: usize) -> Result<(), Fault> {
        let code: &'a [Instruction] = &self.job.kernel.code;
        let Group { mut at, mut mask, .. } = warp.groups[index];
        // The next group ahead: where it stands, this one stops to see whether they meet.
        let others = warp.groups.iter().enumerate().filter(|(i, g)| *i != index && g.at > at);
        let stop = others.map(|(_, g)| g.at).min().unwrap_or(usize::MAX);
        loop {
            let instruction = &code[at];
            self.steps += 1;
            self.counters.warp_instructions += 1;
            self.counters.lane_instructions += mask.count_ones() as u64;
            if self.steps > self.settings.limit {
                let text = format!("{} instructions of warps and no end", self.settings.limit);
                return Err(self.fault(FaultKind::EndlessLoop, None, at, text));
            }
            let active = match instruction.guard {
                None => mask,
                Some(g) if g.inverted => mask & !warp.registers.predicate(g.predicate),
                Some(g) => mask & warp.registers.predicate(g.predicate),
            };
            match &instruction.op {
                Op::Alu(alu) => {
                    if active != 0 {
                        (self.execute)(alu, &mut warp.registers, &mut warp.carry, active);
                    }
                    at += 1;
                }
                Op::Branch(target) => {
                    let before = at;
                    if active == mask {
                        at = *target;
                    } else if active == 0 {
                        at += 1;
                    } else {
                        self.counters.divergent += 1;
                        warp.groups[index] = Group { at: at + 1, mask: mask & !active, wait: Wait::No };
                        warp.groups.push(Group { at: *target, mask: active, wait: Wait::No });
                        warp.merge();
                        return Ok(());
                    }
                    // Going back may leave this group behind one that was behind it.
                    if at < before && warp.groups.len() > 1 {
                        warp.groups[index].at = at;
                        warp.merge();
                        return Ok(());
                    }
                }
                Op::BranchIndexed { index: register, targets } => {
                    self.branch_indexed(warp, index, (at, active, mask), *register, targets)?;
                    return Ok(());
                }
                Op::Exit => {
                    warp.live &= !active;
                    mask &= !active;
                    if mask == 0 {
                        warp.groups.swap_remove(index);
                        warp.release();
                        return Ok(());
                    }
                    at += 1;
                    warp.groups[index] = Group { at, mask, wait: Wait::No };
                    if active != 0 {
                        warp.release();
                        return Ok(());
                    }
                }
                Op::Barrier { id, value } => {
                    self.whole(active, mask, at)?;
                    if let Some(v) = value {
                        let given = warp.registers.predicate(v.a);
                        warp.votes |= mask & if v.inverted { !given } else { given };
                    }
                    warp.groups[index] = Group { at, mask, wait: Wait::Barrier(*id) };
                    warp.merge();
                    return Ok(());
                }
                op => {
                    if let Some(members) = members(op) {
                        self.whole(active, mask, at)?;
                        if !self.gather(warp, index, (at, mask), members)? {
                            return Ok(());
                        }
                        self.together(warp, op, mask, at)?;
                    } else if active != 0 {
                        self.simple(warp, op, active, at)?;
                    }
                    at += 1;
                }
            }
            warp.groups[index].at = at;
            if at >= stop {
                warp.merge();
                return Ok(());
            }
        }
    }

    /// Barriers and warp operations under a guard would need groups of their own; compilers don't write them.
    fn whole(&self, active: u32, mask: u32, at: usize) -> Result<(), Fault> {
        if active == mask {
            return Ok(());
        }
        Err(self.fault(FaultKind::Unsupported, None, at, "a barrier or warp operation under a guard that varies"))
    }

    /// Whether all members of a warp operation have come; else the group waits.
    fn gather(
        &mut self,
        warp: &mut Warp,
        index: usize,
        (at, mask): (usize, u32),
        members: Register,
    ) -> Result<bool, Fault> {
        let lane = mask.trailing_zeros();
        let wanted = warp.registers.get(members)[lane as usize] as u32;
        let thread = Some(warp.id * 32 + lane);
        if wanted & mask != mask {
            let text = format!("lanes {mask:#x} take part, but the members are {wanted:#x}");
            return Err(self.fault(FaultKind::WarpMembers, thread, at, text));
        }
        let wanted = wanted & warp.all;
        if wanted & !warp.live != 0 && self.settings.strict_barriers {
            let text = format!("the members {wanted:#x} include lanes that have left the kernel");
            return Err(self.fault(FaultKind::WarpMembers, thread, at, text));
        }
        if wanted & warp.live & !mask != 0 {
            warp.groups[index] = Group { at, mask, wait: Wait::Members(wanted) };
            warp.release();
            return Ok(false);
        }
        Ok(true)
    }

    fn branch_indexed(
        &mut self,
        warp: &mut Warp,
        index: usize,
        (at, active, mask): (usize, u32, u32),
        register: Register,
        targets: &[usize],
    ) -> Result<(), Fault> {
        let mut rest = active;
        let values = *warp.registers.get(register);
        warp.groups.swap_remove(index);
        if mask & !active != 0 {
            warp.groups.push(Group { at: at + 1, mask: mask & !active, wait: Wait::No });
        }
        while rest != 0 {
            let value = values[rest.trailing_zeros() as usize] as u32;
            let same = super::counters::lanes(rest).filter(|l| values[*l] as u32 == value);
            let group = same.fold(0, |m, l| m | 1u32 << l);
            let Some(target) = targets.get(value as usize) else {
                let thread = warp.id * 32 + rest.trailing_zeros();
                let text = format!("branch {value} of {}", targets.len());
                return Err(self.fault(FaultKind::Trap, Some(thread), at, text));
            };
            warp.groups.push(Group { at: *target, mask: group, wait: Wait::No });
            if group != rest {
                self.counters.divergent += 1;
            }
            rest &= !group;
        }
        warp.merge();
        Ok(())
    }
}

fn furthest_behind(groups: &[Group]) -> Option<usize> {
    let runnable = groups.iter().enumerate().filter(|(_, g)| g.wait == Wait::No);
    runnable.min_by_key(|(_, g)| g.at).map(|(i, _)| i)
}

/// The register with the members of an operation that lanes do together.
fn members(op: &Op) -> Option<Register> {
    match op {
        Op::WarpBarrier { members }
        | Op::Shuffle { members, .. }
        | Op::Vote { members, .. }
        | Op::Reduce { members, .. }
        | Op::Match { members, .. } => Some(*members),
        _ => None,
    }
}
