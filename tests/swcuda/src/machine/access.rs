//! Loads, stores and atomics of a warp, with all their checks: bounds, alignment, life, having been written,
//! races.

use super::Launch;
use super::atomic::combine;
use super::bytes::{all_written, element, get, mark_written, put};
use super::counters::lanes;
use super::fault::{Fault, FaultKind};
use super::memory::{Unusable, Window};
use super::races::{Conflict, Touch};
use super::registers::ALL;
use super::shared::Who;
use super::warp::Warp;
use super::windows;
use crate::ptx::ir::{Access, AtomicOp, Op, Register, Space};

/// An access as the helpers need it.
#[derive(Clone, Copy)]
struct Lane {
    address: u64,
    /// Of one lane, all elements.
    bytes: usize,
    lane: usize,
    at: usize,
}

impl Launch<'_> {
    /// Operations that a lane does by itself, other than arithmetic.
    pub(super) fn simple(&mut self, warp: &mut Warp, op: &Op, mask: u32, at: usize) -> Result<(), Fault> {
        match op {
            Op::Load { access, d } => self.load(warp, access, d, mask, at)?,
            Op::Store { access, a } => self.store(warp, access, a, mask, at)?,
            Op::Atomic { access, op, d, b, c, releases } => {
                self.atomic(warp, access, (*op, *releases), (*d, *b, *c), mask, at)?;
            }
            Op::Pack { d, parts, bits } => {
                let mut out = [0u64; 32];
                for (i, part) in parts.iter().enumerate() {
                    let values = warp.registers.get(*part);
                    let keep = !0 >> (64 - bits);
                    for l in 0..32 {
                        out[l] |= (values[l] & keep) << (i as u32 * bits);
                    }
                }
                warp.registers.set(*d, mask, |l| out[l]);
            }
            Op::Unpack { a, parts, bits } => {
                let whole = *warp.registers.get(*a);
                for (i, part) in parts.iter().enumerate() {
                    let keep = !0 >> (64 - bits);
                    warp.registers.set(*part, mask, |l| whole[l] >> (i as u32 * bits) & keep);
                }
            }
            Op::ActiveMask { d } => warp.registers.set(*d, mask, |_| mask as u64),
            Op::Fence { beyond_block } => {
                if *beyond_block {
                    self.fence(warp.id);
                }
            }
            Op::Nothing => {}
            Op::Trap => return Err(self.fault_of(warp, mask, at, FaultKind::Trap, "a trap instruction")),
            Op::AssertFail => {
                return Err(self.fault_of(warp, mask, at, FaultKind::Assert, "an assertion does not hold"));
            }
            _ => unreachable!("control flow and warp operations are done elsewhere"),
        }
        Ok(())
    }

    fn fault_of(&self, warp: &Warp, mask: u32, at: usize, kind: FaultKind, text: &str) -> Fault {
        self.fault(kind, Some(warp.id * 32 + mask.trailing_zeros()), at, text)
    }

    /// A fence of a warp makes its writes visible, and those that other warps made before the last barrier.
    fn fence(&mut self, warp: u32) {
        let period = self.shared.period;
        for (id, write) in self.unfenced.iter_mut().enumerate() {
            if id == warp as usize || write.is_some_and(|p| p < period) {
                *write = None;
            }
        }
    }

    fn addresses(&self, warp: &Warp, access: &Access) -> [u64; 32] {
        let base = warp.registers.get(access.base);
        let offset = access.offset as u64;
        match access.space {
            // These spaces have 32-bit addresses; a register may hold more.
            Space::Shared | Space::Local | Space::Parameter => base.map(|b| b.wrapping_add(offset) & 0xffff_ffff),
            _ => base.map(|b| b.wrapping_add(offset)),
        }
    }

    /// The space of a generic access, where all lanes agree, with addresses in it.
    fn resolve(&self, space: Space, addresses: &mut [u64; 32], mask: u32) -> Option<Space> {
        if space == Space::Constant {
            return Some(Space::Global);
        }
        if space != Space::Generic {
            return Some(space);
        }
        let space = windows::locate(addresses[mask.trailing_zeros() as usize]).0;
        if lanes(mask).any(|l| windows::locate(addresses[l]).0 != space) {
            return None;
        }
        lanes(mask).for_each(|l| addresses[l] = windows::locate(addresses[l]).1);
        Some(space)
    }

    fn load(&mut self, warp: &mut Warp, access: &Access, d: &[Register], mask: u32, at: usize) -> Result<(), Fault> {
        let mut addresses = self.addresses(warp, access);
        let Some(space) = self.resolve(access.space, &mut addresses, mask) else {
            // Lanes in different spaces go one by one.
            return lanes(mask).try_for_each(|l| self.load(warp, access, d, 1 << l, at));
        };
        let bytes = access.kind.size() * d.len();
        self.count(space, &addresses, mask, bytes, false);
        let touch = Touch::Read { strong: access.strong };
        if space == Space::Global
            && let Some((window, same)) = self.together_window(warp, &addresses, mask, bytes, touch)
        {
            // SAFETY: the window holds what all lanes touch.
            unsafe { load_window(warp, access, d, mask, &addresses, &window, same) };
            return Ok(());
        }
        if space == Space::Parameter && lanes(mask).all(|l| addresses[l] == addresses[mask.trailing_zeros() as usize]) {
            // All lanes read one parameter: the usual case.
            let lane = mask.trailing_zeros() as usize;
            let pointer = self.resolve_lane(warp, space, Lane { address: addresses[lane], bytes, lane, at }, touch)?;
            for (i, register) in d.iter().enumerate() {
                // SAFETY: resolve_lane checked all elements.
                let value = unsafe { element(pointer, access, i) };
                warp.registers.set(*register, mask, |_| value);
            }
            return Ok(());
        }
        for l in lanes(mask) {
            let lane = Lane { address: addresses[l], bytes, lane: l, at };
            let pointer = self.resolve_lane(warp, space, lane, touch)?;
            for (i, register) in d.iter().enumerate() {
                // SAFETY: resolve_lane checked all elements.
                warp.registers.get_mut(*register)[l] = unsafe { element(pointer, access, i) };
            }
        }
        Ok(())
    }

    fn store(&mut self, warp: &mut Warp, access: &Access, a: &[Register], mask: u32, at: usize) -> Result<(), Fault> {
        let mut addresses = self.addresses(warp, access);
        let Some(space) = self.resolve(access.space, &mut addresses, mask) else {
            return lanes(mask).try_for_each(|l| self.store(warp, access, a, 1 << l, at));
        };
        if access.space == Space::Constant {
            return Err(self.fault_of(warp, mask, at, FaultKind::ConstantWrite, "a store to constant memory"));
        }
        let (size, bytes) = (access.kind.size(), access.kind.size() * a.len());
        self.count(space, &addresses, mask, bytes, true);
        let touch = Touch::Write { strong: access.strong };
        if space == Space::Global && !access.strong {
            self.unfenced[warp.id as usize] = Some(self.shared.period);
        }
        if space == Space::Global
            && let Some((window, same)) = self.together_window(warp, &addresses, mask, bytes, touch)
            && !same
        {
            for (i, register) in a.iter().enumerate() {
                let values = warp.registers.get(*register);
                // SAFETY: the window holds what all lanes touch.
                lanes(mask).for_each(|l| unsafe {
                    put(window.bytes.add((addresses[l] - window.first) as usize + i * size), values[l], size);
                });
            }
            // SAFETY: as above; the lanes are neighbours.
            unsafe { mark_written(&window, addresses[0], bytes * 32) };
            return Ok(());
        }
        for l in lanes(mask) {
            let lane = Lane { address: addresses[l], bytes, lane: l, at };
            let pointer = self.resolve_lane(warp, space, lane, touch)?;
            for (i, register) in a.iter().enumerate() {
                // SAFETY: resolve_lane checked that many bytes.
                unsafe { put(pointer.add(i * size), warp.registers.get(*register)[l], size) };
            }
        }
        Ok(())
    }

    fn atomic(
        &mut self,
        warp: &mut Warp,
        access: &Access,
        (op, releases): (AtomicOp, bool),
        (d, b, c): (Option<Register>, Register, Register),
        mask: u32,
        at: usize,
    ) -> Result<(), Fault> {
        self.counters.atomics += 1;
        let mut addresses = self.addresses(warp, access);
        let Some(space) = self.resolve(access.space, &mut addresses, mask) else {
            return lanes(mask).try_for_each(|l| self.atomic(warp, access, (op, releases), (d, b, c), 1 << l, at));
        };
        if releases && space == Space::Global {
            self.fence(warp.id);
        }
        let released = self.unfenced.iter().all(Option::is_none);
        let bytes = access.kind.size();
        let mut order: Vec<usize> = lanes(mask).collect();
        if self.settings.order == crate::config::Order::Reverse {
            order.reverse();
        }
        for l in order {
            let lane = Lane { address: addresses[l], bytes, lane: l, at };
            if space == Space::Global && self.several {
                self.order.atomic(addresses[l], released);
            }
            // An atomic reads before it writes.
            self.resolve_lane(warp, space, lane, Touch::Read { strong: true })?;
            let pointer = self.resolve_lane(warp, space, lane, Touch::Write { strong: true })?;
            // SAFETY: resolve_lane checked that many bytes.
            let old = unsafe { get(pointer, bytes, false) };
            let [b, c] = [b, c].map(|r| warp.registers.get(r)[l]);
            // SAFETY: as above.
            unsafe { put(pointer, combine(op, access.kind, old, b, c), bytes) };
            if let Some(d) = d {
                warp.registers.get_mut(d)[l] = old;
            }
        }
        Ok(())
    }

    fn count(&mut self, space: Space, addresses: &[u64; 32], mask: u32, bytes: usize, store: bool) {
        match space {
            Space::Global => self.counters.global(addresses, mask, bytes as u64, store),
            Space::Shared => self.counters.shared(addresses, mask, bytes as u64),
            _ => {}
        }
    }

    /// The window around an access of global memory where the lanes are all neighbours in order, or all at one
    /// address (then the second value is true), and nothing is wrong with it. Else each lane is looked at alone,
    /// which also finds who is to blame.
    fn together_window(
        &mut self,
        warp: &Warp,
        addresses: &[u64; 32],
        mask: u32,
        bytes: usize,
        touch: Touch,
    ) -> Option<(Window, bool)> {
        let step = bytes as u64;
        let first = addresses[mask.trailing_zeros() as usize];
        let neighbours = mask == ALL && (0..32).all(|l| addresses[l] == first.wrapping_add(l as u64 * step));
        let same = !neighbours && lanes(mask).all(|l| addresses[l] == first);
        if !neighbours && !same || !first.is_multiple_of(step) {
            return None;
        }
        let length = if neighbours { bytes * 32 } else { bytes };
        let window = self.window(first, length as u64).ok()?;
        // SAFETY: the window holds the range.
        unsafe {
            if matches!(touch, Touch::Read { .. }) && self.settings.unwritten && !all_written(&window, first, length) {
                return None;
            }
            for l in lanes(mask) {
                let who = Who { thread: warp.id * 32 + l as u32, warp_period: warp.period };
                if self.touch_global(&window, addresses[l], bytes, who, touch).is_some() {
                    return None;
                }
            }
        }
        Some((window, same))
    }

    /// Checks one lane's access, and says where its bytes are. A write marks them as written.
    fn resolve_lane(&mut self, warp: &mut Warp, space: Space, lane: Lane, touch: Touch) -> Result<*mut u8, Fault> {
        let Lane { address, bytes, lane: l, at } = lane;
        let thread = warp.id * 32 + l as u32;
        let writes = matches!(touch, Touch::Write { .. });
        let verb = if writes { "write" } else { "read" };
        let fail = |launch: &Self, kind, text: String| Err(launch.fault(kind, Some(thread), at, text));
        if !address.is_multiple_of(bytes as u64) && space != Space::Local && space != Space::Parameter {
            let text = format!("{verb} of {bytes} bytes at {address:#x}");
            return fail(self, FaultKind::Misaligned, text);
        }
        let inside = |size: usize| address.checked_add(bytes as u64).is_some_and(|end| end <= size as u64);
        let outside = |size: usize| format!("{verb} of {bytes} bytes at offset {address} of {size}");
        match space {
            Space::Global | Space::Constant | Space::Generic => {
                self.resolve_global(lane, Who { thread, warp_period: warp.period }, verb, touch)
            }
            Space::Shared => {
                let size = self.shared.bytes.len();
                if !inside(size) {
                    return fail(self, FaultKind::SharedOutOfBounds, outside(size));
                }
                let offset = address as usize;
                if self.settings.races {
                    let who = Who { thread, warp_period: warp.period };
                    if let Some((word, conflict)) = self.shared.touch(offset, bytes, who, touch) {
                        let text = format!("{verb} at byte {word}, which {}", met(conflict, "thread", "barrier"));
                        return fail(self, FaultKind::SharedRace, text);
                    }
                }
                let written = &mut self.shared.written[offset..offset + bytes];
                if writes {
                    written.fill(1);
                } else if self.settings.unwritten && self.unwritten_shared.is_none() && written.contains(&0) {
                    let text = format!("{verb} of {bytes} bytes at offset {offset} of shared memory");
                    self.unwritten_shared = Some(self.fault(FaultKind::Unwritten, Some(thread), at, text));
                }
                Ok(self.shared.bytes[offset..].as_mut_ptr())
            }
            Space::Local => {
                let size = self.job.kernel.local;
                if !inside(size) {
                    return fail(self, FaultKind::LocalOutOfBounds, outside(size));
                }
                Ok(warp.local[l * size + address as usize..].as_mut_ptr())
            }
            Space::Parameter => {
                let size = self.job.parameters.len();
                if !inside(size) || writes {
                    return fail(self, FaultKind::ParameterOutOfBounds, outside(size));
                }
                Ok(self.job.parameters[address as usize..].as_ptr().cast_mut())
            }
        }
    }

    fn resolve_global(&mut self, lane: Lane, who: Who, verb: &str, touch: Touch) -> Result<*mut u8, Fault> {
        let (Lane { address, bytes, at, .. }, thread) = (lane, who.thread);
        let fail = |launch: &Self, kind, text: String| Err(launch.fault(kind, Some(thread), at, text));
        let window = match self.window(address, bytes as u64) {
            Ok(window) => window,
            Err(why) => {
                let kind = match why {
                    Unusable::Freed { .. } => FaultKind::UseAfterFree,
                    _ => FaultKind::OutOfBounds,
                };
                return fail(self, kind, format!("{verb} of {bytes} bytes at {address:#x}, {why}"));
            }
        };
        let offset = address - window.first;
        // SAFETY: the window holds the range.
        unsafe {
            if let Some((kind, conflict)) = self.touch_global(&window, address, bytes, who, touch) {
                let (other, order) =
                    if kind == FaultKind::GlobalRace { ("block", "order") } else { ("thread", "barrier") };
                let text = format!("{verb} at {address:#x} (byte {offset}), which {}", met(conflict, other, order));
                return fail(self, kind, text);
            }
            if matches!(touch, Touch::Write { .. }) {
                mark_written(&window, address, bytes);
            } else if self.settings.unwritten
                && self.unwritten_global.is_none()
                && !all_written(&window, address, bytes)
            {
                let size = window.end - window.first;
                let text = format!("{verb} of {bytes} bytes at byte {offset} of an allocation of {size} bytes");
                self.unwritten_global = Some(self.fault(FaultKind::Unwritten, Some(thread), at, text));
            }
            Ok(window.bytes.add(offset as usize))
        }
    }

    /// The window that holds a range, from those at hand or from memory.
    #[inline]
    fn window(&mut self, first: u64, length: u64) -> Result<Window, Unusable> {
        if let Some(w) = self.windows.iter().find(|w| w.holds(first, first.wrapping_add(length))) {
            return Ok(*w);
        }
        let window = self.memory.window(first, length, self.settings.races)?;
        self.windows[self.next_window] = window;
        self.next_window = (self.next_window + 1) % self.windows.len();
        Ok(window)
    }

    /// Notes an access of a thread, and says with which it conflicts: of its block, or of another.
    ///
    /// # Safety
    /// The window holds the range.
    unsafe fn touch_global(
        &self,
        window: &Window,
        first: u64,
        length: usize,
        who: Who,
        touch: Touch,
    ) -> Option<(FaultKind, Conflict)> {
        if window.cells.is_null() {
            return None;
        }
        let offset = (first - window.first) as usize;
        let bytes = if length >= 4 { 15 } else { ((1u8 << length) - 1) << (offset % 4) };
        for word in offset / 4..(offset + length).div_ceil(4) {
            // SAFETY: a window has two cells for each four bytes.
            let (cell, thread) = unsafe { (&mut *window.cells.add(word), &mut *window.threads.add(word)) };
            if self.several
                && let Some(conflict) = self.order.touch(cell, bytes, touch)
            {
                return Some((FaultKind::GlobalRace, conflict));
            }
            if let Some(conflict) = thread.touch(self.shared.period, bytes, who, touch) {
                return Some((FaultKind::BlockRace, conflict));
            }
        }
        None
    }
}

/// What another thread or block did, for a message.
fn met(conflict: Conflict, who: &str, order: &str) -> String {
    let did = if conflict.wrote { "wrote" } else { "read" };
    match conflict.other {
        Some(n) => format!("{who} {n} {did} with no {order} between"),
        None => format!("several {who}s {did} with no {order} between"),
    }
}

/// # Safety
/// The window holds what the lanes of the mask touch.
unsafe fn load_window(
    warp: &mut Warp,
    access: &Access,
    d: &[Register],
    mask: u32,
    addresses: &[u64; 32],
    window: &Window,
    same: bool,
) {
    let size = access.kind.size();
    for (i, register) in d.iter().enumerate() {
        // SAFETY: given.
        let at = |l: usize| unsafe {
            get(window.bytes.add((addresses[l] - window.first) as usize + i * size), size, access.kind.is_signed())
        };
        if same {
            let value = at(mask.trailing_zeros() as usize);
            warp.registers.set(*register, mask, |_| value);
        } else {
            warp.registers.set(*register, mask, at);
        }
    }
}
