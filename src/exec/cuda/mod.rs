//! The GPU: kernels made from the same plans as the processor's, through CUDA that is found at run time.
//!
//! [`Cuda::bind`] makes the `plan` and its device code (`source`); [`Cuda::ready`] compiles
//! it, for the device that is there, and takes the memory; [`Cuda::run`] enqueues launches on one stream
//! and waits for nothing. Only [`Cuda::read`] and [`Cuda::item`] wait.
//!
//! | file | what it does |
//! |---|---|
//! | `library` | finds CUDA's libraries and makes sure of what is needed of them, before cudarc is asked |
//! | `device`, `transfer` | the devices there are, one of them opened: a context, a stream, memory, copies |
//! | `needs`, `source`, `written` | a program → its plan, device code and launches |
//! | `kernels`, `nvrtc`, `compile`, `cache` | device code → what a device loads, compiled once and kept |
//! | `launch`, `routines` with `blas` and `solver` | what is enqueued: kernels, and calls of the libraries |
//! | `load` | what an iteration asks of a device, counted from the plans |
//! | `levels`, `pattern` | tables that kernels read: of sparse factors, of transposed products |
//! | `ahead`, `graphs`, `lanes` | iterations that wait for nobody: conditions and halts on the device, replayed graphs, in which independent launches run at once |
//! | `refusal` | why there is no device, or what went wrong with it |
//!
//! The same program on the same device gives the same bits: sums follow the tape's fixed
//! [tree](crate::tape::tree), no atomic adds floats, and nothing is contracted to fused operations, so
//! that elementwise work and sums give the processor's bits too. Products are cuBLAS's.
#![allow(unsafe_code)]

mod ahead;
mod blas;
mod cache;
mod compile;
mod device;
mod graphs;
mod kernels;
mod lanes;
mod launch;
mod levels;
mod library;
mod load;
mod needs;
mod nvrtc;
mod pattern;
mod refusal;
mod routines;
mod solver;
mod source;
mod transfer;
mod written;

pub use cache::{Cache, Uncached};
pub use compile::{Compiler, Module};
pub use device::{About, Device, Number, open, probe};
pub use kernels::HEADERS;
pub use library::{Library, Places, need};
pub use load::{Load, PassLoad};
pub use nvrtc::{Compiled, Nvrtc, Target, targets};
pub use refusal::{Refusal, Version};
pub use written::device_code;

use std::cell::OnceCell;

use cudarc::driver::CudaSlice;

use self::ahead::Control;
use self::graphs::{Forks, Graphs};
use self::lanes::{Lanes, lanes};
use self::launch::{Kernel, Told};
use self::routines::Routines;
use self::source::{Launch, Source, Table};
use self::transfer::{fetch, send};
use self::written::{Written, written};
use super::executor::{Ahead, Buffer, Call, Executor, Fault, NonFinite, Slot};
use super::plan::{Array, Base, Place};
use crate::tape::{Dtype, Program, Tensor, Type};

/// Bytes of the arena that members of one launch take together, at most, where one alone takes less.
const ARENA: usize = 64 << 20;

/// Members of one launch, at most: the second extent of a grid.
const MEMBERS: usize = 65_535;

/// A GPU as a device.
pub struct Cuda {
    device: Device,
    compiler: Compiler,
    /// Where the libraries are looked for that a plan needs.
    places: Places,
    buffers: Vec<(Type, Option<CudaSlice<u8>>)>,
    calls: Vec<Bound>,
    /// Shared by all calls: nothing in it outlives a run.
    arena: Option<CudaSlice<u8>>,
    /// Where blocks count their arrivals, a counter a member and a launch of a program; all zero between launches.
    arrived: Option<CudaSlice<u8>>,
    control: Option<Control>,
    graphs: Graphs,
    /// The streams of the lanes beside the first, and while a graph is captured what its launches wait for.
    forks: Forks,
    routines: Routines,
    /// The first buffer for which there was no memory.
    short: Option<Refusal>,
    fault: OnceCell<Fault>,
}

/// A bound program.
struct Bound {
    /// For tracing.
    program: Program,
    /// Buffer, and bytes from one member to the next, for each input and then each output.
    slots: Vec<(Slot, usize)>,
    inputs: usize,
    source: Source,
    /// By how many bytes each base moves from a member to the next: the arena, then the slots.
    strides: Vec<usize>,
    /// Members that one launch takes.
    together: usize,
    lanes: Lanes,
    /// For each launch that is a kernel.
    kernels: Vec<Option<Kernel>>,
    /// The tables that its kernels read.
    tables: Vec<CudaSlice<u8>>,
}

impl Cuda {
    /// The device, with nothing on it yet.
    pub fn new(device: Device, compiler: Compiler, places: Places) -> Cuda {
        Cuda {
            device,
            compiler,
            places,
            buffers: Vec::new(),
            calls: Vec::new(),
            arena: None,
            arrived: None,
            control: None,
            graphs: Graphs::default(),
            forks: Forks::default(),
            routines: Routines::default(),
            short: None,
            fault: OnceCell::new(),
        }
    }

    /// Keeps the first thing that went wrong.
    fn held<T>(&self, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.fault.get_or_init(|| refusal.into())).ok()
    }

    fn works(&self) -> bool {
        self.fault.get().is_none()
    }

    /// A buffer's tensor, or one member of it.
    fn fetch(&self, slot: Slot, member: usize) -> Tensor {
        let whole = self.read(slot.buffer);
        if slot.member { whole.member(member) } else { whole }
    }

    /// Takes memory and compiles.
    fn prepare(&mut self) -> Result<(), Refusal> {
        let arena = self.calls.iter().map(|bound| bound.strides[0] * bound.together).max().unwrap_or(0);
        // All of it at once, so that what is missing is known before anything runs.
        let needed = self.buffers.iter().map(|(ty, _)| ty.bytes()).sum::<usize>() + arena;
        if let Some(Refusal::OutOfMemory { total, .. }) = self.short {
            return Err(Refusal::OutOfMemory { needed, free: self.device.about().free, total });
        }
        self.arena = Some(self.device.memory(arena)?);
        let arrives = |launch: &&Launch| matches!(launch, Launch::Kernel { arrives: true, .. });
        let arrivals = |bound: &Bound| bound.source.launches.iter().filter(arrives).count() * bound.together;
        let arrivals = self.calls.iter().map(arrivals).max().unwrap_or(0);
        self.arrived = Some(self.device.zeros(arrivals * size_of::<u32>())?);
        let lanes = self.calls.iter().map(|bound| bound.lanes.count).max().unwrap_or(0);
        self.forks.open(&self.device, lanes)?;
        self.control = Some(Control::new(&self.device, &self.compiler)?);
        let mut routines = std::mem::take(&mut self.routines);
        for bound in &self.calls {
            for launch in &bound.source.launches {
                if let Launch::Routine(routine) = launch {
                    let address = |array: &Array| self.member(bound, array.place, array.dtype, 0).0;
                    routines.prepare(&self.device, &self.places, &self.forks, routine, address)?;
                    // A kernel that is left undone leaves its result unwritten, and a routine reads it still.
                    for (read, member) in routine
                        .reads_unwritten()
                        .iter()
                        .flat_map(|read| (0..bound.together).map(move |member| (read, member)))
                    {
                        let start = self.start(self.arena.as_ref()) + (member * bound.strides[0] + read.start) as u64;
                        // SAFETY: the arena has room for as many members.
                        unsafe { self.device.enqueue_zeros(start, read.len())? };
                    }
                }
            }
        }
        self.routines = routines;
        for at in 0..self.calls.len() {
            self.calls[at].tables = self.tables(&self.calls[at])?;
            self.calls[at].kernels = self.kernels(&self.calls[at])?;
        }
        self.device.wait()
    }

    /// The tables of a bound program's kernels.
    fn tables(&self, bound: &Bound) -> Result<Vec<CudaSlice<u8>>, Refusal> {
        let of = |table: &Table| match table {
            Table::Offsets(offsets) => self.device.table(offsets.as_slice()),
            Table::ByColumns { starts, columns, width, part } => {
                let numbers = |array: &Array| self.indices(bound, array.place, array.len);
                let by_columns = pattern::by_columns(&numbers(starts)?, &numbers(columns)?, *width);
                self.device.table(by_columns[*part].as_slice())
            }
        };
        bound.source.tables.iter().map(of).collect()
    }

    /// Indices that an input holds before the first run.
    fn indices(&self, bound: &Bound, place: Place, len: usize) -> Result<Vec<u32>, Refusal> {
        let input = (place.base.0 as usize).checked_sub(1).filter(|&at| at < bound.inputs);
        let (slot, _) = bound.slots[input.expect("a sparse pattern is an input")];
        let mut all = vec![0u32; place.at + len];
        let memory = self.buffers[slot.buffer.0 as usize].1.as_ref().expect("taken before what reads it is bound");
        // SAFETY: the place lies in the buffer.
        unsafe { self.device.fetch(self.device.address(memory), &mut all)? };
        Ok(all.split_off(place.at))
    }

    /// Compiles a bound program's kernels.
    fn kernels(&self, bound: &Bound) -> Result<Vec<Option<Kernel>>, Refusal> {
        if bound.source.text.is_empty() {
            return Ok(bound.source.launches.iter().map(|_| None).collect());
        }
        let module = self.compiler.module(&bound.program.name, &bound.source.text)?;
        let mut arrived = self.start(self.arrived.as_ref());
        let mut kernels = Vec::with_capacity(bound.source.launches.len());
        for launch in &bound.source.launches {
            kernels.push(match launch {
                Launch::Kernel { name, bases, tables, arrives, blocks } => {
                    let mut addresses: Vec<u64> = bases.iter().map(|&base| self.address(bound, Base(base))).collect();
                    addresses.extend(tables.iter().map(|&table| self.start(Some(&bound.tables[table]))));
                    if *arrives {
                        addresses.push(arrived);
                        arrived += (bound.together * size_of::<u32>()) as u64;
                    }
                    Some(Kernel::new(module.function(name)?, addresses, *blocks))
                }
                Launch::Routine(_) => None,
            });
        }
        Ok(kernels)
    }

    /// Where a base starts.
    fn address(&self, bound: &Bound, base: Base) -> u64 {
        match base {
            Base::ARENA => self.start(self.arena.as_ref()),
            Base(slot) => {
                let (slot, _) = bound.slots[slot as usize - 1];
                self.start(self.buffers[slot.buffer.0 as usize].1.as_ref())
            }
        }
    }

    fn start(&self, memory: Option<&CudaSlice<u8>>) -> u64 {
        memory.map_or(0, |memory| self.device.address(memory))
    }

    /// What a launch is told without a condition.
    fn told(&self) -> Told {
        Told { halted: self.control().halted(&self.device), ..Told::default() }
    }

    fn control(&self) -> &Control {
        self.control.as_ref().expect("made before the first run")
    }

    fn control_mut(&mut self) -> &mut Control {
        self.control.as_mut().expect("made before the first run")
    }

    /// Enqueues a call for its first so many members.
    fn launch_each(&self, call: Call, members: usize, told: &Told) -> Result<(), Refusal> {
        let together = self.calls[call.0 as usize].together;
        for first in (0..members).step_by(together) {
            let told = Told { first: first as u32, ..*told };
            self.launch(call, together.min(members - first), &told)?;
        }
        Ok(())
    }

    /// Enqueues a call for as many members as one launch takes, from the first that the launches are told.
    fn launch(&self, call: Call, members: usize, told: &Told) -> Result<(), Refusal> {
        let bound = &self.calls[call.0 as usize];
        let first = told.first as usize;
        let forked = self.forks.fork(&self.device, &bound.lanes)?;
        for (k, (launch, kernel)) in bound.source.launches.iter().zip(&bound.kernels).enumerate() {
            let (lane, stream) = forked.enter(k)?;
            // SAFETY: `bind` checked that every slot has the elements its value has, for every member;
            // `prepare` gave the arena and the counters room for as many members as a launch takes. The
            // stream keeps the order of the calls, and lanes that of the launches that touch the same.
            match (launch, kernel) {
                (_, Some(kernel)) => unsafe { kernel.launch(stream, told, members)? },
                (Launch::Routine(routine), _) => {
                    let at = |array: &Array| self.member(bound, array.place, array.dtype, first);
                    unsafe { self.routines.run(&self.device, lane, routine, members, at)? };
                }
                (Launch::Kernel { .. }, None) => unreachable!("every kernel was compiled before the first run"),
            }
            forked.leave(k)?;
        }
        forked.join()?;
        Ok(())
    }

    /// The address of a place of a member, and the bytes from there to the next member's. The arena has its
    /// first member where the launch has it.
    fn member(&self, bound: &Bound, place: Place, dtype: Dtype, first: usize) -> (u64, usize) {
        let stride = bound.strides[place.base.0 as usize];
        let skipped = if place.base == Base::ARENA { 0 } else { first * stride };
        (self.address(bound, place.base) + (skipped + place.at * dtype.bytes()) as u64, stride)
    }
}

impl Executor for Cuda {
    fn name(&self) -> &'static str {
        "cuda"
    }

    fn buffer(&mut self, ty: &Type) -> Buffer {
        // Once there is too little memory it is no use to take more: `ready` says how much there should be.
        let taken = if self.works() && self.short.is_none() { Some(self.device.zeros(ty.bytes())) } else { None };
        let memory = match taken {
            Some(Err(refusal @ Refusal::OutOfMemory { .. })) => {
                self.short = Some(refusal);
                None
            }
            taken => taken.and_then(|taken| self.held(taken)),
        };
        self.buffers.push((ty.clone(), memory));
        Buffer(self.buffers.len() as u32 - 1)
    }

    fn write(&mut self, buffer: Buffer, tensor: &Tensor) {
        let (ty, memory) = &self.buffers[buffer.0 as usize];
        assert!(ty.dtype == tensor.dtype() && ty.shape == tensor.shape, "a tensor has its buffer's type");
        let Some(memory) = memory else { return };
        let to = self.device.address(memory);
        // SAFETY: a buffer has memory for a tensor of its type.
        let copied = unsafe { send(&self.device, to, tensor) };
        self.held(copied);
    }

    fn read(&self, buffer: Buffer) -> Tensor {
        let (ty, memory) = &self.buffers[buffer.0 as usize];
        let Some(memory) = memory.as_ref().filter(|_| self.works()) else { return Tensor::zeros(ty) };
        // SAFETY: a buffer has memory with a tensor of its type.
        let tensor = unsafe { fetch(&self.device, self.device.address(memory), ty) };
        self.held(tensor).unwrap_or_else(|| Tensor::zeros(ty))
    }

    fn item(&self, buffer: Buffer) -> f64 {
        let (ty, _) = &self.buffers[buffer.0 as usize];
        assert_eq!(ty.shape.numel(), 1, "the buffer has one element");
        self.read(buffer).to_f64()[0]
    }

    fn copy(&mut self, from: Buffer, to: Buffer) {
        assert_eq!(self.buffers[from.0 as usize].0, self.buffers[to.0 as usize].0, "buffers have one type");
        let Ok([from, to]) = self.buffers.get_disjoint_mut([from.0 as usize, to.0 as usize]) else { return };
        if let (Some(from), Some(to)) = (&from.1, &mut to.1) {
            let copied = self.device.copy(from, to);
            self.held(copied);
        }
    }

    fn bind(&mut self, program: &Program, inputs: &[Slot], outputs: &[Slot]) -> Call {
        let Written { plan, source, slots, strides } = written(program, inputs, outputs);
        let lanes = lanes(&plan, &source, &[inputs, outputs].concat());
        let mut members = MEMBERS;
        for (k, (slot, bytes)) in slots.iter().enumerate() {
            let ty = &self.buffers[slot.buffer.0 as usize].0;
            let of = if slot.member { ty.shape.0[0] } else { 1 };
            assert_eq!(ty.bytes(), of * bytes, "slot {k} of {} has the type of what it stands for", program.name);
            members = if slot.member { members.min(of) } else { members };
        }
        let together = if apart(inputs, outputs) { members.min(ARENA / strides[0].max(1)).max(1) } else { 1 };
        self.calls.push(Bound {
            program: program.clone(),
            slots,
            inputs: inputs.len(),
            source,
            strides,
            together,
            lanes,
            kernels: Vec::new(),
            tables: Vec::new(),
        });
        Call(self.calls.len() as u32 - 1)
    }

    fn ready(&mut self) -> Result<(), Fault> {
        let prepared = if self.works() { self.prepare() } else { Ok(()) };
        self.held(prepared);
        self.fault.get().map_or(Ok(()), |fault| Err(fault.clone()))
    }

    fn run(&mut self, call: Call, member: usize) {
        if self.works() {
            let told = Told { first: member as u32, ..self.told() };
            self.held(self.launch(call, 1, &told));
        }
    }

    fn run_each(&mut self, call: Call, members: usize) {
        if self.works() {
            self.held(self.launch_each(call, members, &self.told()));
        }
    }

    fn ahead(&self) -> Option<&dyn Ahead> {
        Some(self)
    }

    fn ahead_mut(&mut self) -> Option<&mut dyn Ahead> {
        Some(self)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn fault(&self) -> Option<&Fault> {
        self.fault.get()
    }

    fn trace(&mut self, call: Call, member: usize) -> Option<NonFinite> {
        let bound = &self.calls[call.0 as usize];
        let inputs = bound.slots[..bound.inputs].iter().map(|&(slot, _)| self.fetch(slot, member)).collect();
        super::cpu::trace(&bound.program, inputs)
    }
}

/// Whether members can run at once: none writes what another reads or writes.
fn apart(inputs: &[Slot], outputs: &[Slot]) -> bool {
    let shared = |slot: &Slot| !slot.member && outputs.iter().any(|output| output.buffer == slot.buffer);
    outputs.iter().all(|output| output.member) && !inputs.iter().any(shared)
}
