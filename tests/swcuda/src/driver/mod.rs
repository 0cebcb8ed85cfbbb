//! The driver API: state, and the gate through which every call goes.
//!
//! `errors` has the codes, `abi` reads and writes for the caller, `queue` runs work; the rest are the calls by subject:
//! `context`, `memory`, `module`, `launch`, `stream`, `event`, `graph`.

pub(crate) mod abi;
mod context;
pub(crate) mod errors;
mod event;
mod graph;
mod launch;
mod memory;
mod module;
pub(crate) mod queue;
mod stream;

#[cfg(test)]
pub(crate) use {context::*, event::*, graph::*, launch::*, memory::*, module::*, stream::*};

use crate::config::Config;
use crate::log::Log;
use crate::machine::Random;
use crate::machine::counters::Counters;
use crate::machine::fault::Fault;
use crate::machine::memory::Memory;
use context::Contexts;
use errors::{Code, NOT_INITIALIZED, Outcome, SUCCESS};
use event::Event;
use graph::{Capture, Graph};
use module::{Function, Module};
use queue::Stream;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

/// What the driver hands out; never reused.
pub(crate) type Handle = usize;

/// What is told at the end.
#[derive(Default)]
pub(crate) struct Record {
    pub calls: BTreeMap<&'static str, u64>,
    pub kernels: BTreeMap<String, Counters>,
    pub faults: Vec<Fault>,
    pub synchronisations: u64,
    pub peak_memory: usize,
}

pub(crate) struct State {
    pub config: Config,
    pub initialised: bool,
    pub contexts: Contexts,
    last_handle: Handle,
    pub streams: BTreeMap<Handle, Stream>,
    pub events: BTreeMap<Handle, Event>,
    pub memory: Memory,
    pub modules: BTreeMap<Handle, Arc<Module>>,
    pub functions: BTreeMap<Handle, Function>,
    pub captures: BTreeMap<Handle, Capture>,
    pub graphs: BTreeMap<Handle, Graph>,
    pub executables: BTreeMap<Handle, Graph>,
    pub library_handles: BTreeMap<Handle, crate::blas::LibraryHandle>,
    /// The code of the first fault: all later calls return it.
    pub broken: Option<Code>,
    pub record: Record,
    pub log: Log,
    pub random: Random,
    pub launches: u32,
    /// Of the call that runs, for the log.
    details: String,
    waited: bool,
}

impl State {
    pub fn new(config: Config) -> State {
        let log = Log::open(config.log.as_deref());
        let random = Random(config.machine.seed | 1);
        State {
            config,
            initialised: false,
            contexts: Contexts::default(),
            last_handle: 0x10000,
            streams: BTreeMap::from([(0, Stream::new(0))]),
            events: BTreeMap::new(),
            memory: Memory::default(),
            modules: BTreeMap::new(),
            functions: BTreeMap::new(),
            captures: BTreeMap::new(),
            graphs: BTreeMap::new(),
            executables: BTreeMap::new(),
            library_handles: BTreeMap::new(),
            broken: None,
            record: Record::default(),
            log,
            random,
            launches: 0,
            details: String::new(),
            waited: false,
        }
    }

    pub fn handle(&mut self) -> Handle {
        self.last_handle += 0x10;
        self.last_handle
    }

    /// Adds to the log's line of this call.
    pub fn note(&mut self, details: impl AsRef<str>) {
        if !self.details.is_empty() {
            self.details.push(' ');
        }
        self.details.push_str(details.as_ref());
    }

    /// Marks this call as one that waits for the device.
    pub fn waits(&mut self) {
        self.waited = true;
    }

    /// Keeps a fault; from now on the device is broken.
    pub fn fail(&mut self, fault: Fault) -> Code {
        let code = fault.kind.code();
        if !self.config.quiet {
            eprintln!("swcuda: {fault}");
        }
        self.record.faults.push(fault);
        self.broken = Some(code);
        code
    }
}

static STATE: OnceLock<Mutex<State>> = OnceLock::new();

thread_local! {
    /// The context of a thread; 0 is none.
    pub(crate) static CURRENT: Cell<Handle> = const { Cell::new(0) };
    /// The contexts that it had before, as they were pushed over.
    pub(crate) static PUSHED: RefCell<Vec<Handle>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" {
    /// Of the C library.
    safe fn atexit(function: extern "C" fn()) -> i32;
}

pub(crate) fn state() -> MutexGuard<'static, State> {
    let state = STATE.get_or_init(|| {
        atexit(at_exit);
        Mutex::new(State::new(Config::from_environment()))
    });
    // A panic elsewhere leaves counters at worst half done.
    state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Runs what is still queued, as a device would, and writes the report.
extern "C" fn at_exit() {
    let mut s = state();
    if s.broken.is_none() {
        // Faults are kept in the report.
        let _ = s.drain_all();
    }
    if let Some(path) = &s.config.report
        && let Err(error) = std::fs::write(path, crate::report::report(&s))
    {
        eprintln!("swcuda: the report {path} can't be written: {error}");
    }
}

/// Marks a code as the status of a library, which has numbers of its own.
pub(crate) const LIBRARY: Code = 1 << 20;

/// Calls that give something back are carried out on a broken device too, so that leaks are told from faults.
fn gives_back(name: &str) -> bool {
    ["Free", "Destroy", "Unload", "Release"].iter().any(|part| name.contains(part))
}

/// Every call goes through here: it is counted and logged, may be made to fail, and needs a device that works.
pub(crate) fn call(name: &'static str, f: impl FnOnce(&mut State) -> Outcome) -> Code {
    let mut s = state();
    let count = {
        let count = s.record.calls.entry(name).or_insert(0);
        *count += 1;
        *count
    };
    s.details.clear();
    s.waited = false;
    let injected = s.config.failures.iter().find(|x| x.name == name && x.nth == count).map(|x| x.code);
    let early = matches!(name, "cuInit" | "cuDriverGetVersion");
    let refused = match (injected, s.broken) {
        (Some(code), _) => Some(code),
        _ if !early && !s.initialised => Some(NOT_INITIALIZED),
        (_, Some(code)) if !early => Some(code),
        _ => None,
    };
    let code = match refused {
        Some(code) => {
            if gives_back(name) && s.initialised {
                let _ = f(&mut s);
            }
            code
        }
        None => f(&mut s).err().unwrap_or(SUCCESS),
    };
    let (details, waited) = (std::mem::take(&mut s.details), s.waited);
    s.record.synchronisations += waited as u64;
    s.record.peak_memory = s.record.peak_memory.max(s.memory.used);
    s.log.line(name, &details, waited, code & !LIBRARY);
    code
}
