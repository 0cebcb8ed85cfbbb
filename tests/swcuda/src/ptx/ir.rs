//! The code that the machine runs: PTX after names are resolved. What surrounds it is in `kernel`.
//!
//! Every operand is a register of one dense file; constants and special registers (`%tid.x`) are
//! registers that are filled before a block starts, so an instruction never asks what its operand is.
//! Registers hold 64 bits a lane. Bits above an operand's type may be anything: who reads masks.

pub(crate) use super::kernel::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Type {
    B8,
    B16,
    B32,
    B64,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F32,
    F64,
    Predicate,
}

impl Type {
    pub fn parse(word: &str) -> Option<Type> {
        use Type::*;
        Some(match word {
            "b8" => B8,
            "b16" => B16,
            "b32" => B32,
            "b64" => B64,
            "u8" => U8,
            "u16" => U16,
            "u32" => U32,
            "u64" => U64,
            "s8" => S8,
            "s16" => S16,
            "s32" => S32,
            "s64" => S64,
            "f32" => F32,
            "f64" => F64,
            "pred" => Predicate,
            _ => return None,
        })
    }

    /// In bytes.
    pub fn size(self) -> usize {
        use Type::*;
        match self {
            B8 | U8 | S8 | Predicate => 1,
            B16 | U16 | S16 => 2,
            B32 | U32 | S32 | F32 => 4,
            B64 | U64 | S64 | F64 => 8,
        }
    }

    pub fn bits(self) -> u64 {
        self.size() as u64 * 8
    }

    pub fn is_signed(self) -> bool {
        matches!(self, Type::S8 | Type::S16 | Type::S32 | Type::S64)
    }

    pub fn is_float(self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }

    /// The bits that a value of this type has.
    pub fn mask(self) -> u64 {
        !0 >> (64 - self.bits())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    Generic,
    Global,
    Shared,
    Local,
    Constant,
    Parameter,
}

/// A place in the register file.
pub(crate) type Register = u32;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rounding {
    Nearest,
    Zero,
    Down,
    Up,
}

/// How a float operation treats its operands and result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mode {
    pub rounding: Rounding,
    /// Subnormal operands and results become zeros.
    pub flush: bool,
    /// The result is held to [0, 1].
    pub saturate: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Integer {
    Add,
    AddSaturated,
    Sub,
    SubSaturated,
    Mul,
    MulHigh,
    MulWide,
    Mad,
    MadHigh,
    MadWide,
    Div,
    Rem,
    Min,
    Max,
    Neg,
    Abs,
    Not,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
    PopulationCount,
    LeadingZeros,
    Reverse,
    /// Position of the highest bit that differs from the sign; `true` counts from the top.
    FindHighest(bool),
    FieldExtract,
    FieldInsert,
    /// Bytes of a pair of words, chosen by the nibbles of a third.
    Permute,
    /// Any function of three bits, by its table of eight.
    Logic(u8),
    FunnelLeft {
        wrap: bool,
    },
    FunnelRight {
        wrap: bool,
    },
    /// With the carry flag taken in and given out.
    AddCarry {
        takes: bool,
        gives: bool,
    },
    SubCarry {
        takes: bool,
        gives: bool,
    },
    MadCarry {
        high: bool,
        takes: bool,
        gives: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Float {
    Add,
    Sub,
    Mul,
    Fma,
    Div,
    Min { nan: bool },
    Max { nan: bool },
    Neg,
    Abs,
    CopySign,
    Reciprocal { coarse: bool },
    Sqrt,
    ReciprocalSqrt { coarse: bool },
    Exp2,
    Log2,
    Sin,
    Cos,
    Tanh,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// The same, and true where an operand is a NaN.
    EqUnordered,
    NeUnordered,
    LtUnordered,
    LeUnordered,
    GtUnordered,
    GeUnordered,
    BothNumbers,
    EitherNan,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Combine {
    None,
    And,
    Or,
    Xor,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Property {
    Finite,
    Infinite,
    Number,
    NotANumber,
    Normal,
    Subnormal,
}

/// A result that is a function of its operands, lane by lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Move,
    Integer(Integer, Type),
    Float(Float, Type, Mode),
    /// `c` is combined with the comparison, inverted if `inverted`; `d2` takes the opposite of the comparison.
    Compare {
        comparison: Comparison,
        kind: Type,
        combine: Combine,
        inverted: bool,
        flush: bool,
    },
    /// `c ? a : b` by a predicate.
    Select,
    /// `c >= 0 ? a : b` by a number.
    SelectBySign {
        float: bool,
    },
    Test(Property, Type),
    Convert {
        to: Type,
        from: Type,
        mode: Mode,
        to_integral: bool,
    },
    ToGeneric(Space),
    FromGeneric(Space),
    IsSpace(Space),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Alu {
    pub function: Function,
    pub d: Register,
    pub d2: Option<Register>,
    pub a: Register,
    pub b: Register,
    pub c: Register,
    pub e: Register,
}

/// What a load, store or atomic touches: `kind` elements at `base + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Access {
    pub space: Space,
    pub kind: Type,
    pub base: Register,
    pub offset: i64,
    /// Volatile, relaxed, acquire or release: meant to meet other threads' accesses.
    pub strong: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AtomicOp {
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
    Exchange,
    CompareAndSwap,
    Increment,
    Decrement,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ShuffleMode {
    Up,
    Down,
    Butterfly,
    Index,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum VoteMode {
    All,
    Any,
    Uniform,
    Ballot,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum BarrierReduction {
    Or,
    And,
    Count,
}

/// A barrier that also reduces a predicate over the block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BarrierValue {
    pub reduction: BarrierReduction,
    pub d: Register,
    pub a: Register,
    pub inverted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Alu(Alu),
    /// A wide register from narrow ones, lowest first.
    Pack {
        d: Register,
        parts: Box<[Register]>,
        bits: u32,
    },
    Unpack {
        a: Register,
        parts: Box<[Register]>,
        bits: u32,
    },
    Load {
        access: Access,
        d: Box<[Register]>,
    },
    Store {
        access: Access,
        a: Box<[Register]>,
    },
    Atomic {
        access: Access,
        op: AtomicOp,
        d: Option<Register>,
        b: Register,
        c: Register,
        /// It orders what came before it, without a fence of its own.
        releases: bool,
    },
    Branch(usize),
    BranchIndexed {
        index: Register,
        targets: Box<[usize]>,
    },
    Exit,
    Barrier {
        id: u32,
        value: Option<BarrierValue>,
    },
    WarpBarrier {
        members: Register,
    },
    Shuffle {
        mode: ShuffleMode,
        d: Register,
        valid: Option<Register>,
        a: Register,
        b: Register,
        c: Register,
        members: Register,
    },
    Vote {
        mode: VoteMode,
        d: Register,
        a: Register,
        inverted: bool,
        members: Register,
    },
    Reduce {
        op: AtomicOp,
        kind: Type,
        d: Register,
        a: Register,
        members: Register,
    },
    Match {
        all: bool,
        kind: Type,
        d: Register,
        valid: Option<Register>,
        a: Register,
        members: Register,
    },
    ActiveMask {
        d: Register,
    },
    /// Orders memory; only one that reaches beyond the block counts between blocks.
    Fence {
        beyond_block: bool,
    },
    Nothing,
    Trap,
    AssertFail,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Guard {
    pub predicate: Register,
    pub inverted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Instruction {
    pub op: Op,
    pub guard: Option<Guard>,
    /// In the PTX text.
    pub line: u32,
    /// In `Module::places`; 0 is none.
    pub place: u32,
}
