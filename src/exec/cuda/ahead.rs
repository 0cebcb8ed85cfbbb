//! Running ahead: conditions, members, halts and kept numbers are the device's, and the host looks once.
#![allow(unsafe_code)]

use cudarc::driver::{CudaFunction, CudaSlice, DeviceRepr, LaunchConfig, PinnedHostSlice, PushKernelArg};

use super::launch::Told;
use super::refusal::Refusal;
use super::source::Launch;
use super::{Compiler, Cuda, Device};
use crate::exec::{Ahead, Buffer, Call, Work};
use crate::tape::{Dtype, Type};

/// The kernels of `kernels/control.cu`.
const SOURCE: &str = include_str!("../../../kernels/control.cu");

/// Numbers that one launch keeps; the source says the same.
const MOST: usize = 16;

/// Numbers that are kept between two looks, and indices that are sent, at most.
const LOG: usize = crate::exec::ahead::MOST_KEPT;
const SENT: usize = crate::exec::ahead::MOST_SENT;

/// What stands between device and host while the one is ahead of the other.
pub(super) struct Control {
    keep: CudaFunction,
    halt: CudaFunction,
    /// What the host looks at in one copy: the word that stops everything once it is not 0 (which halt it was,
    /// from 1), in the room of a number, and the numbers kept.
    seen: CudaSlice<u8>,
    /// The host's copy of it.
    looked: PinnedHostSlice<f64>,
    /// What work fills buffers with, and the host's copy, from which it is sent. Nothing is under way from there
    /// when the host writes it: it has looked since.
    sent: CudaSlice<u8>,
    sending: PinnedHostSlice<u32>,
    /// How many of them since the host looked last, and how many pieces of work.
    kept: usize,
    done: usize,
}

/// `Number` of the source.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct Number {
    at: u64,
    is_double: u32,
    padding: u32,
}

/// `Row` of the source.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct Row {
    numbers: [Number; MOST],
    count: u32,
    padding: u32,
}

// SAFETY: plain numbers in the layout of the device's structures.
unsafe impl DeviceRepr for Number {}
unsafe impl DeviceRepr for Row {}

impl Control {
    /// Compiles the kernels and takes the memory.
    pub fn new(device: &Device, compiler: &Compiler) -> Result<Control, Refusal> {
        let module = compiler.module("control", SOURCE)?;
        Ok(Control {
            keep: module.function("keep")?,
            halt: module.function("halt")?,
            seen: device.zeros((1 + LOG) * size_of::<f64>())?,
            looked: device.pinned(1 + LOG)?,
            sent: device.zeros(SENT * size_of::<u32>())?,
            sending: device.pinned(SENT)?,
            kept: 0,
            done: 0,
        })
    }

    /// Address of the word that stops everything.
    pub fn halted(&self, device: &Device) -> u64 {
        device.address(&self.seen)
    }

    /// Whether nothing was enqueued since the host looked last.
    pub fn is_fresh(&self) -> bool {
        (self.kept, self.done) == (0, 0)
    }

    /// Counts work that is enqueued as a whole.
    pub fn count(&mut self, work: &[Work]) {
        self.kept += work.iter().filter(|piece| matches!(piece, Work::Keep { .. })).count();
        self.done += work.len();
    }

    /// Enqueues that indices are sent.
    fn send(&mut self, device: &Device, indices: &[u32]) -> Result<(), Refusal> {
        assert!(indices.len() <= SENT, "the host sends no more than there is room for");
        let failed = |error| Refusal::driver("cuMemcpyHtoDAsync", error);
        let sending = &mut self.sending.as_mut_slice().map_err(failed)?[..indices.len()];
        sending.copy_from_slice(indices);
        // SAFETY: both have room for them, and what is sent stays as it is until the host has looked.
        unsafe { device.send(device.address(&self.sent), sending) }
    }

    /// Enqueues that a row of at most [`MOST`] numbers is kept.
    fn keep(&mut self, device: &Device, row: &Row) -> Result<(), Refusal> {
        assert!(self.kept + row.count as usize <= LOG, "the host looks before the log is full");
        let halted = self.halted(device);
        let log = halted + ((1 + self.kept) * size_of::<f64>()) as u64;
        self.kept += row.count as usize;
        let mut launch = device.stream().launch_builder(&self.keep);
        launch.arg(&halted).arg(&log).arg(row);
        // SAFETY: the arguments are the kernel's; the log has room, and the numbers lie in buffers.
        unsafe { launch.launch(ONE_WARP) }.map(|_| ()).map_err(|error| Refusal::driver("cuLaunchKernel", error))
    }

    fn halt(&self, device: &Device, when: Number) -> Result<(), Refusal> {
        let (halted, which) = (self.halted(device), self.done as u32 + 1);
        let mut launch = device.stream().launch_builder(&self.halt);
        launch.arg(&halted).arg(&when).arg(&which);
        // SAFETY: the arguments are the kernel's; the number lies in a buffer.
        unsafe { launch.launch(ONE_WARP) }.map(|_| ()).map_err(|error| Refusal::driver("cuLaunchKernel", error))
    }
}

const ONE_WARP: LaunchConfig = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (32, 1, 1), shared_mem_bytes: 0 };

impl Cuda {
    /// A scalar buffer as the device's kernels read it.
    fn number(&self, buffer: Buffer) -> Number {
        let (ty, memory): &(Type, _) = &self.buffers[buffer.0 as usize];
        assert_eq!(ty.shape.numel(), 1, "the buffer has one element");
        let is_double = u32::from(ty.dtype == Dtype::F64);
        Number { at: self.start(memory.as_ref()), is_double, padding: 0 }
    }

    /// What a launch is told under a condition.
    fn told_when(&self, when: Option<Buffer>) -> Told {
        let number = when.map(|when| self.number(when)).unwrap_or_default();
        Told { when: number.at, when_is_double: number.is_double, ..self.told() }
    }

    /// Enqueues work, piece by piece.
    pub(super) fn work(&mut self, work: &[Work]) -> Result<(), Refusal> {
        let mut row = Row::default();
        for piece in work {
            if !matches!(piece, Work::Keep { .. }) || row.count as usize == MOST {
                self.keep_row(&mut row)?;
            }
            match *piece {
                Work::Run { call, members, when } => self.launch_each(call, members, &self.told_when(when))?,
                Work::Pick { call, member, members, when } => {
                    let number = self.number(member);
                    let told = Told {
                        member: number.at,
                        member_is_double: number.is_double,
                        members: members as u32,
                        ..self.told_when(when)
                    };
                    self.launch(call, 1, &told)?;
                }
                Work::Fill { buffer, from, len } => {
                    let control = self.control();
                    let element = size_of::<u32>();
                    let from = self.device.address(&control.sent) + (from * element) as u64;
                    let to = self.start(self.buffers[buffer.0 as usize].1.as_ref());
                    // SAFETY: what was sent lies there, and the buffer is of so many indices.
                    unsafe { self.device.enqueue_copy(from, to, len * element)? };
                }
                Work::Keep { value } => {
                    row.numbers[row.count as usize] = self.number(value);
                    row.count += 1;
                }
                Work::Halt { when } => self.control().halt(&self.device, self.number(when))?,
            }
            self.control_mut().done += 1;
        }
        self.keep_row(&mut row)
    }

    fn keep_row(&mut self, row: &mut Row) -> Result<(), Refusal> {
        if row.count > 0 {
            let Cuda { control, device, .. } = self;
            control.as_mut().expect("made before the first run").keep(device, row)?;
            row.count = 0;
        }
        Ok(())
    }

    /// Waits and looks.
    fn look(&mut self, kept: &mut Vec<f64>) -> Result<Option<usize>, Refusal> {
        let Cuda { control, device, .. } = self;
        let control = control.as_mut().expect("made before the first run");
        let failed = |error| Refusal::driver("cuMemcpyDtoHAsync", error);
        let seen = &mut control.looked.as_mut_slice().map_err(failed)?[..1 + control.kept];
        // SAFETY: the memory is larger than what is read. What was not kept, because a halt came before it, is
        // cut off by the host, which knows the order.
        unsafe { device.fetch(device.address(&control.seen), seen)? };
        (control.kept, control.done) = (0, 0);
        kept.extend_from_slice(&seen[1..]);
        let halted = seen[0].to_bits() as u32;
        if halted == 0 {
            return Ok(None);
        }
        // SAFETY: the word lies in the memory.
        unsafe { device.send(control.halted(device), &[0u32])? };
        Ok(Some(halted as usize - 1))
    }
}

impl Ahead for Cuda {
    fn can_skip(&self, call: Call) -> bool {
        let launches = &self.calls[call.0 as usize].source.launches;
        launches.iter().all(|launch| match launch {
            Launch::Kernel { .. } => true,
            Launch::Routine(routine) => routine.is_harmless(),
        })
    }

    fn writes(&self, call: Call, buffer: Buffer) -> bool {
        let bound = &self.calls[call.0 as usize];
        bound.slots[bound.inputs..].iter().any(|(slot, _)| slot.buffer == buffer)
    }

    fn enqueue(&mut self, work: &[Work], sent: &[u32]) {
        if self.works() {
            let Cuda { control, device, .. } = self;
            let control = control.as_mut().expect("made before the first run");
            let done = if sent.is_empty() { Ok(()) } else { control.send(device, sent) };
            let done = done.and_then(|()| self.enqueue_work(work));
            self.held(done);
        }
    }

    fn settle(&mut self, kept: &mut Vec<f64>) -> Option<usize> {
        if !self.works() {
            return None;
        }
        let found = self.look(kept);
        self.held(found).flatten()
    }
}
