//! One statement to one instruction: control, memory and what the lanes of a warp do together.
//! Operations that are a function of their operands are in `decode_alu`.

use super::builder::{Builder, Frame, Symbol};
use super::decode_alu::decode_alu;
use super::ir::*;
use super::lexer::{Lexeme, Token};
use super::operand::{Operand, operands};

/// A statement whose opcode is cut at its dots.
pub(crate) struct Statement<'a> {
    pub opcode: &'a str,
    pub modifiers: Vec<&'a str>,
    pub types: Vec<Type>,
    pub operands: Vec<Operand<'a>>,
    pub guard: Option<Guard>,
}

impl<'a> Statement<'a> {
    pub fn has(&self, modifier: &str) -> bool {
        self.modifiers.contains(&modifier)
    }

    /// The type of the operation, the last of those that stand.
    pub fn kind(&self) -> Result<Type, String> {
        self.types.last().copied().ok_or_else(|| "a type is missing".into())
    }

    pub fn operand(&self, index: usize) -> Result<&Operand<'a>, String> {
        self.operands.get(index).ok_or_else(|| format!("operand {} is missing", index + 1))
    }

    /// Refuses modifiers that would be passed over in silence.
    pub fn only(&self, known: &[&str]) -> Result<(), String> {
        match self.modifiers.iter().find(|m| !known.contains(m) && !m.starts_with("L1::") && !m.starts_with("L2::")) {
            Some(m) => Err(format!("the modifier `.{m}` is not supported here")),
            None => Ok(()),
        }
    }
}

const SCOPES: [&str; 4] = ["cta", "cluster", "gpu", "sys"];
const ORDERS: [&str; 7] = ["weak", "volatile", "relaxed", "acquire", "release", "acq_rel", "sc"];
const SPACES: [&str; 7] = ["global", "shared", "shared::cta", "local", "const", "param", "param::entry"];
const CACHES: [&str; 11] = ["ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "v2", "v4", "v8"];
const ATOMICS: [(&str, AtomicOp); 10] = [
    ("add", AtomicOp::Add),
    ("min", AtomicOp::Min),
    ("max", AtomicOp::Max),
    ("and", AtomicOp::And),
    ("or", AtomicOp::Or),
    ("xor", AtomicOp::Xor),
    ("exch", AtomicOp::Exchange),
    ("cas", AtomicOp::CompareAndSwap),
    ("inc", AtomicOp::Increment),
    ("dec", AtomicOp::Decrement),
];

pub(crate) fn decode<'a>(b: &mut Builder<'a, '_>, frame: &mut Frame<'a>, tokens: &[Lexeme<'a>]) -> Result<(), String> {
    let (guard, tokens) = guard(b, tokens)?;
    let Some(Token::Word(word)) = tokens.first().map(|t| t.token) else { return Err("an opcode is missing".into()) };
    let mut parts = word.split('.');
    let opcode = parts.next().unwrap_or_default();
    let (mut modifiers, mut types) = (Vec::new(), Vec::new());
    for part in parts {
        match Type::parse(part) {
            Some(kind) => types.push(kind),
            None => modifiers.push(part),
        }
    }
    let s = Statement { opcode, modifiers, types, operands: operands(&tokens[1..])?, guard };
    statement(b, frame, &s).map_err(|text| format!("`{word}`: {text}"))
}

fn guard<'a, 't>(
    b: &mut Builder<'a, '_>,
    tokens: &'t [Lexeme<'a>],
) -> Result<(Option<Guard>, &'t [Lexeme<'a>]), String> {
    if tokens[0].token != Token::Mark('@') {
        return Ok((None, tokens));
    }
    let inverted = tokens.get(1).is_some_and(|t| t.token == Token::Mark('!'));
    let at = 1 + inverted as usize;
    let Some(Token::Word(name)) = tokens.get(at).map(|t| t.token) else { return Err("a guard without a name".into()) };
    Ok((Some(Guard { predicate: register(b, name)?, inverted }), &tokens[at + 1..]))
}

fn statement<'a>(b: &mut Builder<'a, '_>, frame: &mut Frame<'a>, s: &Statement<'a>) -> Result<(), String> {
    match s.opcode {
        "ret" | "exit" => {
            s.only(&["uni"])?;
            if s.opcode == "ret" {
                frame.returns.push(b.kernel.code.len());
            }
            b.emit(Op::Exit, s.guard);
        }
        "trap" | "brkpt" => b.emit(Op::Trap, s.guard),
        "nanosleep" | "prefetch" | "prefetchu" | "discard" | "applypriority" => b.emit(Op::Nothing, s.guard),
        "bra" => {
            s.only(&["uni"])?;
            let Operand::Name(label, 0) = s.operand(0)? else { return Err("a label was expected".into()) };
            frame.branches.push((b.kernel.code.len(), label));
            b.emit(Op::Branch(0), s.guard);
        }
        "brx" => {
            s.only(&["idx", "uni"])?;
            let index = source(b, s.operand(0)?)?;
            let Operand::Name(table, 0) = s.operand(1)? else { return Err("a table was expected".into()) };
            frame.indexed.push((b.kernel.code.len(), table));
            b.emit(Op::BranchIndexed { index, targets: Box::new([]) }, s.guard);
        }
        "call" => return call(b, s),
        "membar" => {
            s.only(&["cta", "gl", "sys", "level"])?;
            b.emit(Op::Fence { beyond_block: !s.has("cta") }, s.guard);
        }
        "fence" => {
            s.only(&["sc", "acq_rel", "acquire", "release", "cta", "cluster", "gpu", "sys"])?;
            b.emit(Op::Fence { beyond_block: s.has("gpu") || s.has("sys") }, s.guard);
        }
        "ld" | "ldu" | "st" => return load_or_store(b, s),
        "atom" | "red" => return atomic(b, s),
        "bar" | "barrier" => return barrier(b, s),
        "shfl" | "vote" | "redux" | "match" | "activemask" => return together(b, s),
        _ => return decode_alu(b, s),
    }
    Ok(())
}

pub(crate) fn register<'a>(b: &mut Builder<'a, '_>, name: &'a str) -> Result<Register, String> {
    if name == "_" {
        return Ok(b.fresh());
    }
    match b.symbol(name) {
        Some(Symbol::Register(r)) => Ok(r),
        _ => Err(format!("`{name}` is no register")),
    }
}

/// Where a result goes.
pub(crate) fn target<'a>(b: &mut Builder<'a, '_>, operand: &Operand<'a>) -> Result<Register, String> {
    match operand {
        Operand::Name(name, 0) => register(b, name),
        other => Err(format!("{other:?} can't take a result")),
    }
}

/// A target with an optional second one, `d|p`.
pub(crate) fn targets<'a>(
    b: &mut Builder<'a, '_>,
    operand: &Operand<'a>,
) -> Result<(Register, Option<Register>), String> {
    match operand {
        Operand::Pair(d, p) => Ok((register(b, d)?, Some(register(b, p)?))),
        other => Ok((target(b, other)?, None)),
    }
}

pub(crate) fn source<'a>(b: &mut Builder<'a, '_>, operand: &Operand<'a>) -> Result<Register, String> {
    match operand {
        Operand::Number(n) => Ok(b.constant(*n, Base::None)),
        Operand::Name(name, offset) => {
            if let Some(special) = special(name) {
                return Ok(b.special(special));
            }
            match b.symbol(name) {
                Some(Symbol::Register(r)) if *offset == 0 => Ok(r),
                Some(Symbol::Memory(_, address, base)) => Ok(b.constant(address.wrapping_add(*offset as u64), base)),
                _ => Err(format!("`{name}` is not known")),
            }
        }
        other => Err(format!("{other:?} can't be read")),
    }
}

/// A predicate that may be inverted.
pub(crate) fn predicate<'a>(b: &mut Builder<'a, '_>, operand: &Operand<'a>) -> Result<(Register, bool), String> {
    match operand {
        Operand::Inverted(name) => Ok((register(b, name)?, true)),
        other => Ok((source(b, other)?, false)),
    }
}

fn special(name: &str) -> Option<Special> {
    let axis = |name: &str| match name {
        "x" => Some(0),
        "y" => Some(1),
        "z" => Some(2),
        _ => None,
    };
    Some(match name.strip_prefix('%')? {
        "laneid" => Special::Lane,
        "warpid" => Special::WarpId,
        "lanemask_lt" => Special::LaneMaskLt,
        "lanemask_le" => Special::LaneMaskLe,
        "lanemask_gt" => Special::LaneMaskGt,
        "lanemask_ge" => Special::LaneMaskGe,
        "lanemask_eq" => Special::LaneMaskEq,
        "clock" | "clock64" | "globaltimer" | "clock_hi" => Special::Clock,
        "smid" => Special::Zero,
        other => {
            let (stem, at) = other.split_once('.')?;
            let at = axis(at)?;
            match stem {
                "tid" => Special::ThreadId(at),
                "ntid" => Special::BlockSize(at),
                "ctaid" => Special::BlockId(at),
                "nctaid" => Special::GridSize(at),
                _ => return None,
            }
        }
    })
}

fn call<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>) -> Result<(), String> {
    s.only(&["uni"])?;
    if s.guard.is_some() {
        return Err("a call under a guard is not supported".into());
    }
    let names = |operand: Option<&Operand<'a>>| -> Result<Vec<&'a str>, String> {
        match operand {
            None => Ok(Vec::new()),
            Some(Operand::List(parts)) => parts
                .iter()
                .map(|p| match p {
                    Operand::Name(name, 0) => Ok(*name),
                    other => Err(format!("the argument {other:?}")),
                })
                .collect(),
            Some(other) => Err(format!("{other:?} where arguments were expected")),
        }
    };
    let (results, at) =
        if let Operand::List(_) = s.operand(0)? { (names(s.operands.first())?, 1) } else { (Vec::new(), 0) };
    let Operand::Name(name, 0) = s.operand(at)? else { return Err("a function was expected".into()) };
    if *name == "__assertfail" {
        b.emit(Op::AssertFail, None);
        return Ok(());
    }
    let arguments = names(s.operands.get(at + 1))?;
    b.call(name, &results, &arguments)
}

fn space(s: &Statement) -> Space {
    let any = |names: &[&str]| names.iter().any(|n| s.has(n));
    if any(&["global"]) {
        Space::Global
    } else if any(&["shared", "shared::cta"]) {
        Space::Shared
    } else if any(&["local"]) {
        Space::Local
    } else if any(&["const"]) {
        Space::Constant
    } else if any(&["param", "param::entry"]) {
        Space::Parameter
    } else {
        Space::Generic
    }
}

fn access<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>, operand: &Operand<'a>) -> Result<Access, String> {
    let Operand::Memory(inner) = operand else { return Err("an address was expected".into()) };
    let (mut space, kind) = (space(s), s.kind()?);
    let strong = ["volatile", "relaxed", "acquire", "release", "mmio"].iter().any(|m| s.has(m));
    let (base, offset) = match &**inner {
        Operand::Number(n) => (b.constant(*n, Base::None), 0),
        Operand::Name(name, offset) => match b.symbol(name) {
            Some(Symbol::Register(r)) => (r, *offset),
            Some(Symbol::Memory(at, address, base)) => {
                // A parameter of a function lies in its caller's memory.
                space = at;
                (b.constant(address, base), *offset)
            }
            None => return Err(format!("`{name}` is not known")),
        },
        other => return Err(format!("{other:?} is no address")),
    };
    Ok(Access { space, kind, base, offset, strong })
}

fn load_or_store<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>) -> Result<(), String> {
    s.only(&[&SCOPES[..], &ORDERS[..], &SPACES[..], &CACHES[..]].concat())?;
    let store = s.opcode == "st";
    let access = access(b, s, s.operand(store as usize ^ 1)?)?;
    let values = s.operand(store as usize)?;
    let values = match values {
        Operand::List(parts) => parts.clone(),
        one => vec![one.clone()],
    };
    let lanes = [("v2", 2), ("v4", 4), ("v8", 8)].iter().find(|(m, _)| s.has(m)).map_or(1, |v| v.1);
    if values.len() != lanes {
        return Err(format!("{} values where {lanes} were expected", values.len()));
    }
    if store {
        let a: Result<Box<[_]>, String> = values.iter().map(|v| source(b, v)).collect();
        let a = a?;
        b.emit(Op::Store { access, a }, s.guard);
    } else {
        let d: Result<Box<[_]>, String> = values.iter().map(|v| target(b, v)).collect();
        let d = d?;
        b.emit(Op::Load { access, d }, s.guard);
    }
    Ok(())
}

fn atomic<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>) -> Result<(), String> {
    let names: Vec<&str> = ATOMICS.iter().map(|a| a.0).collect();
    s.only(&[&SCOPES[..], &ORDERS[..], &SPACES[..], &names[..], &["noftz"]].concat())?;
    let op = ATOMICS.iter().find(|(name, _)| s.has(name)).ok_or("the operation is missing")?.1;
    let kind = s.kind()?;
    if kind.size() < 4 || (kind.is_float() && op != AtomicOp::Add) {
        return Err("an atomic of this type is not supported".into());
    }
    let (d, at) = if s.opcode == "atom" { (Some(target(b, s.operand(0)?)?), 1) } else { (None, 0) };
    let access = Access { strong: true, ..access(b, s, s.operand(at)?)? };
    let first = source(b, s.operand(at + 1)?)?;
    let second = if op == AtomicOp::CompareAndSwap { source(b, s.operand(at + 2)?)? } else { 0 };
    let releases = ["acq_rel", "release"].iter().any(|m| s.has(m)) && !s.has("cta");
    b.emit(Op::Atomic { access, op, d, b: first, c: second, releases }, s.guard);
    Ok(())
}

fn barrier<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>) -> Result<(), String> {
    s.only(&["sync", "warp", "red", "popc", "and", "or", "aligned", "cta"])?;
    if s.has("warp") {
        let members = source(b, s.operand(0)?)?;
        b.emit(Op::WarpBarrier { members }, s.guard);
        return Ok(());
    }
    let red = s.has("red");
    let id = match s.operands.get(red as usize) {
        None => 0,
        Some(Operand::Number(n)) => *n as u32,
        Some(_) => return Err("a barrier that is chosen at run time is not supported".into()),
    };
    let value = if red {
        let d = target(b, s.operand(0)?)?;
        let (a, inverted) = predicate(b, s.operand(2)?)?;
        let reduction = match (s.has("or"), s.has("and")) {
            (true, _) => BarrierReduction::Or,
            (_, true) => BarrierReduction::And,
            _ => BarrierReduction::Count,
        };
        Some(BarrierValue { reduction, d, a, inverted })
    } else {
        None
    };
    if s.operands.len() > if red { 3 } else { 1 } {
        return Err("a barrier of some of the threads is not supported".into());
    }
    b.emit(Op::Barrier { id, value }, s.guard);
    Ok(())
}

/// What the lanes of a warp do together.
fn together<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>) -> Result<(), String> {
    if s.opcode == "activemask" {
        let d = target(b, s.operand(0)?)?;
        b.emit(Op::ActiveMask { d }, s.guard);
        return Ok(());
    }
    if !s.has("sync") {
        return Err("only the `.sync` form is supported".into());
    }
    let (d, valid) = targets(b, s.operand(0)?)?;
    let (a, inverted) = predicate(b, s.operand(1)?)?;
    let members = source(b, s.operands.last().ok_or("the members are missing")?)?;
    let op = match s.opcode {
        "shfl" => {
            s.only(&["sync", "up", "down", "bfly", "idx"])?;
            let modes = [
                ("up", ShuffleMode::Up),
                ("down", ShuffleMode::Down),
                ("bfly", ShuffleMode::Butterfly),
                ("idx", ShuffleMode::Index),
            ];
            let mode = modes.iter().find(|m| s.has(m.0)).ok_or("the mode is missing")?.1;
            let (by, clamp) = (source(b, s.operand(2)?)?, source(b, s.operand(3)?)?);
            Op::Shuffle { mode, d, valid, a, b: by, c: clamp, members }
        }
        "vote" => {
            s.only(&["sync", "all", "any", "uni", "ballot"])?;
            let modes = [
                ("all", VoteMode::All),
                ("any", VoteMode::Any),
                ("uni", VoteMode::Uniform),
                ("ballot", VoteMode::Ballot),
            ];
            let mode = modes.iter().find(|m| s.has(m.0)).ok_or("the mode is missing")?.1;
            Op::Vote { mode, d, a, inverted, members }
        }
        "redux" => {
            s.only(&["sync", "add", "min", "max", "and", "or", "xor"])?;
            let op = ATOMICS.iter().find(|(name, _)| s.has(name)).ok_or("the operation is missing")?.1;
            Op::Reduce { op, kind: s.kind()?, d, a, members }
        }
        _ => {
            s.only(&["sync", "all", "any"])?;
            Op::Match { all: s.has("all"), kind: s.kind()?, d, valid, a, members }
        }
    };
    b.emit(op, s.guard);
    Ok(())
}
