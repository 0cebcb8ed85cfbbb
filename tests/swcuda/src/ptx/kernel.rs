//! Modules and kernels: what surrounds the code.

use super::ir::{Instruction, Register};

/// A line of the CUDA source, and where the function that it stands in was expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub file: u32,
    pub line: u32,
    pub inlined_at: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Special {
    ThreadId(u8),
    BlockSize(u8),
    BlockId(u8),
    GridSize(u8),
    Lane,
    WarpId,
    LaneMaskLt,
    LaneMaskLe,
    LaneMaskGt,
    LaneMaskGe,
    LaneMaskEq,
    Clock,
    Zero,
}

/// To what a constant is added once it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Base {
    None,
    /// The first byte after the kernel's own shared memory.
    DynamicShared,
    /// The address of a variable of the module.
    Variable(u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Constant {
    pub register: Register,
    pub value: u64,
    pub base: Base,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    pub offset: usize,
    pub size: usize,
    /// Declared as an address.
    pub pointer: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kernel {
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub parameter_bytes: usize,
    pub code: Vec<Instruction>,
    pub registers: usize,
    pub constants: Vec<Constant>,
    pub specials: Vec<(Register, Special)>,
    /// Bytes of static shared memory; dynamic shared memory follows.
    pub shared: usize,
    /// Bytes of memory of each thread.
    pub local: usize,
    /// Of `__launch_bounds__`; 0 is none.
    pub max_threads: u32,
}

/// A `__device__` or `__constant__` variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variable {
    pub name: String,
    pub align: usize,
    /// CUDA sets what isn't initialised to zeros.
    pub bytes: Vec<u8>,
    pub constant: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Module {
    /// Major, minor.
    pub version: (u32, u32),
    pub target: String,
    pub kernels: Vec<Kernel>,
    pub variables: Vec<Variable>,
    pub files: Vec<(u32, String)>,
    pub places: Vec<Place>,
}
