//! What the device finds wrong with a program.

/// Kinds of faults; each has the name that reports use and the code that the driver returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    OutOfBounds,
    UseAfterFree,
    Misaligned,
    SharedOutOfBounds,
    LocalOutOfBounds,
    ParameterOutOfBounds,
    SharedRace,
    GlobalRace,
    /// In global memory, between threads of one block.
    BlockRace,
    DivergentBarrier,
    WarpMembers,
    Deadlock,
    EndlessLoop,
    Unwritten,
    Assert,
    Trap,
    Unsupported,
    ConstantWrite,
    /// A copy or a library call that leaves its memory.
    Copy,
}

impl FaultKind {
    pub fn name(self) -> &'static str {
        use FaultKind::*;
        match self {
            OutOfBounds => "global memory out of bounds",
            UseAfterFree => "use after free",
            Misaligned => "misaligned address",
            SharedOutOfBounds => "shared memory out of bounds",
            LocalOutOfBounds => "local memory out of bounds",
            ParameterOutOfBounds => "parameters out of bounds",
            SharedRace => "race in shared memory",
            GlobalRace => "race between blocks",
            BlockRace => "race between threads of a block",
            DivergentBarrier => "divergent barrier",
            WarpMembers => "wrong members of a warp operation",
            Deadlock => "deadlock",
            EndlessLoop => "endless loop",
            Unwritten => "read of memory that nobody wrote",
            Assert => "assertion",
            Trap => "trap",
            Unsupported => "not supported by the software device",
            ConstantWrite => "write to constant memory",
            Copy => "copy out of bounds",
        }
    }

    /// The driver's code: 700 illegal address, 702 timeout, 710 assertion, 716 misaligned, 719 launch failed,
    /// 801 not supported.
    pub fn code(self) -> u32 {
        use FaultKind::*;
        match self {
            OutOfBounds | UseAfterFree | SharedOutOfBounds | LocalOutOfBounds | ParameterOutOfBounds => 700,
            ConstantWrite | Copy => 700,
            Misaligned => 716,
            EndlessLoop => 702,
            Assert => 710,
            Unsupported => 801,
            SharedRace | GlobalRace | BlockRace | DivergentBarrier | WarpMembers | Deadlock | Unwritten | Trap => 719,
        }
    }
}

/// Where in a program a fault is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Location {
    pub kernel: String,
    pub block: [u32; 3],
    pub thread: Option<[u32; 3]>,
    pub ptx_line: u32,
    /// File and line of the CUDA source, where the module was compiled with line information.
    pub source: Option<(String, u32)>,
    /// Where the function with that line was expanded.
    pub inlined_at: Option<(String, u32)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub kind: FaultKind,
    pub text: String,
    pub location: Option<Box<Location>>,
}

impl Fault {
    /// Of a call rather than of a kernel.
    pub fn outside(kind: FaultKind, text: impl Into<String>) -> Fault {
        Fault { kind, text: text.into(), location: None }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.text)?;
        let Some(l) = &self.location else { return Ok(()) };
        let [bx, by, bz] = l.block;
        write!(f, " (kernel {}, block ({bx},{by},{bz})", l.kernel)?;
        if let Some([x, y, z]) = l.thread {
            write!(f, ", thread ({x},{y},{z})")?;
        }
        write!(f, ", PTX line {}", l.ptx_line)?;
        if let Some((file, line)) = &l.source {
            write!(f, ", {file}:{line}")?;
        }
        if let Some((file, line)) = &l.inlined_at {
            write!(f, " inlined at {file}:{line}")?;
        }
        write!(f, ")")
    }
}
