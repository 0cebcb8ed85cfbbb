//! Statements whose result is a function of their operands, lane by lane.

use super::builder::Builder;
use super::decode::{Statement, predicate, source, target, targets};
use super::ir::*;
use super::operand::Operand;

const ROUNDINGS: [&str; 8] = ["rn", "rz", "rm", "rp", "rni", "rzi", "rmi", "rpi"];
/// What a float operation may carry; `approx` and `full` are computed as exactly as `rn`.
const FLOAT: [&str; 11] = ["rn", "rz", "rm", "rp", "ftz", "sat", "approx", "full", "NaN", "rna", "noftz"];

const COMPARISONS: [(&str, Comparison); 18] = [
    ("eq", Comparison::Eq),
    ("ne", Comparison::Ne),
    ("lt", Comparison::Lt),
    ("le", Comparison::Le),
    ("gt", Comparison::Gt),
    ("ge", Comparison::Ge),
    ("lo", Comparison::Lt),
    ("ls", Comparison::Le),
    ("hi", Comparison::Gt),
    ("hs", Comparison::Ge),
    ("equ", Comparison::EqUnordered),
    ("neu", Comparison::NeUnordered),
    ("ltu", Comparison::LtUnordered),
    ("leu", Comparison::LeUnordered),
    ("gtu", Comparison::GtUnordered),
    ("geu", Comparison::GeUnordered),
    ("num", Comparison::BothNumbers),
    ("nan", Comparison::EitherNan),
];

const PROPERTIES: [(&str, Property); 6] = [
    ("finite", Property::Finite),
    ("infinite", Property::Infinite),
    ("number", Property::Number),
    ("notanumber", Property::NotANumber),
    ("normal", Property::Normal),
    ("subnormal", Property::Subnormal),
];

fn mode(s: &Statement) -> Mode {
    let any = |names: [&str; 2]| names.iter().any(|n| s.has(n));
    let rounding = if any(["rz", "rzi"]) {
        Rounding::Zero
    } else if any(["rm", "rmi"]) {
        Rounding::Down
    } else if any(["rp", "rpi"]) {
        Rounding::Up
    } else {
        Rounding::Nearest
    };
    Mode { rounding, flush: s.has("ftz"), saturate: s.has("sat") }
}

pub(crate) fn decode_alu<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>) -> Result<(), String> {
    if s.opcode == "mov" && s.operands.iter().any(|o| matches!(o, Operand::List(_))) {
        return pack(b, s);
    }
    let function = match s.opcode {
        "mov" => {
            s.only(&[])?;
            Function::Move
        }
        "selp" => Function::Select,
        "slct" => Function::SelectBySign { float: s.kind()?.is_float() },
        "setp" => return compare(b, s),
        "testp" => {
            let property = PROPERTIES.iter().find(|p| s.has(p.0)).ok_or("the property is missing")?.1;
            Function::Test(property, s.kind()?)
        }
        "cvt" => convert(s)?,
        "cvta" => {
            s.only(&["to", "global", "shared", "shared::cta", "local", "const", "param", "param::entry"])?;
            let space = address_space(s).ok_or("the space is missing")?;
            if s.has("to") { Function::FromGeneric(space) } else { Function::ToGeneric(space) }
        }
        "isspacep" => Function::IsSpace(address_space(s).ok_or("the space is missing")?),
        _ => {
            let kind = s.kind()?;
            if kind.is_float() { float(s, kind)? } else { integer(s, kind)? }
        }
    };
    emit(b, s, function)
}

fn emit<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>, function: Function) -> Result<(), String> {
    let d = target(b, s.operand(0)?)?;
    let mut from = [0; 4];
    if s.operands.len() > 5 {
        return Err("more operands than expected".into());
    }
    if s.operands.len() - 1 < arity(function) {
        return Err(format!("operand {} is missing", s.operands.len() + 1));
    }
    for (register, operand) in from.iter_mut().zip(&s.operands[1..]) {
        *register = source(b, operand)?;
    }
    let [a, second, c, e] = from;
    b.emit(Op::Alu(Alu { function, d, d2: None, a, b: second, c, e }), s.guard);
    Ok(())
}

/// How many operands a function has.
fn arity(function: Function) -> usize {
    match function {
        Function::Select | Function::SelectBySign { .. } => 3,
        Function::Integer(op, _) => match op {
            Integer::Neg
            | Integer::Abs
            | Integer::Not
            | Integer::PopulationCount
            | Integer::LeadingZeros
            | Integer::Reverse
            | Integer::FindHighest(_) => 1,
            Integer::Mad
            | Integer::MadHigh
            | Integer::MadWide
            | Integer::FieldExtract
            | Integer::Permute
            | Integer::Logic(_)
            | Integer::FunnelLeft { .. }
            | Integer::FunnelRight { .. }
            | Integer::MadCarry { .. } => 3,
            Integer::FieldInsert => 4,
            _ => 2,
        },
        Function::Float(op, ..) => match op {
            Float::Fma => 3,
            Float::Add
            | Float::Sub
            | Float::Mul
            | Float::Div
            | Float::Min { .. }
            | Float::Max { .. }
            | Float::CopySign => 2,
            _ => 1,
        },
        _ => 1,
    }
}

fn address_space(s: &Statement) -> Option<Space> {
    Some(if s.has("global") {
        Space::Global
    } else if s.has("shared") || s.has("shared::cta") {
        Space::Shared
    } else if s.has("local") {
        Space::Local
    } else if s.has("const") {
        Space::Constant
    } else if s.has("param") || s.has("param::entry") {
        Space::Parameter
    } else {
        return None;
    })
}

fn float(s: &Statement, kind: Type) -> Result<Function, String> {
    s.only(&FLOAT)?;
    let mode = mode(s);
    let nan = s.has("NaN");
    if nan && !matches!(s.opcode, "min" | "max") {
        return Err("the modifier `.NaN` is not supported here".into());
    }
    let op = match s.opcode {
        "add" => Float::Add,
        "sub" => Float::Sub,
        "mul" => Float::Mul,
        "fma" | "mad" => Float::Fma,
        "div" => Float::Div,
        "min" => Float::Min { nan },
        "max" => Float::Max { nan },
        "neg" => Float::Neg,
        "abs" => Float::Abs,
        "copysign" => Float::CopySign,
        // In double precision the coarse forms give 20 bits.
        "rcp" => Float::Reciprocal { coarse: s.has("approx") && kind == Type::F64 },
        "sqrt" => Float::Sqrt,
        "rsqrt" => Float::ReciprocalSqrt { coarse: s.has("approx") && s.has("ftz") && kind == Type::F64 },
        "ex2" => Float::Exp2,
        "lg2" => Float::Log2,
        "sin" => Float::Sin,
        "cos" => Float::Cos,
        "tanh" => Float::Tanh,
        _ => return Err("the opcode is not supported".into()),
    };
    let directed = matches!(op, Float::Add | Float::Sub | Float::Mul | Float::Fma);
    if mode.rounding != Rounding::Nearest && !directed {
        return Err("this rounding is not supported here".into());
    }
    Ok(Function::Float(op, kind, mode))
}

fn integer(s: &Statement, kind: Type) -> Result<Function, String> {
    let (takes, gives) = (matches!(s.opcode, "addc" | "subc" | "madc"), s.has("cc"));
    let known: &[&str] = match s.opcode {
        "add" | "sub" => &["cc", "sat"],
        "addc" | "subc" => &["cc"],
        "mul" | "mad" | "madc" => &["lo", "hi", "wide", "cc"],
        "shf" => &["l", "r", "wrap", "clamp"],
        "bfind" => &["shiftamt"],
        _ => &[],
    };
    s.only(known)?;
    let op = match s.opcode {
        "add" | "addc" if takes || gives => Integer::AddCarry { takes, gives },
        "sub" | "subc" if takes || gives => Integer::SubCarry { takes, gives },
        "mad" | "madc" if takes || gives => Integer::MadCarry { high: s.has("hi"), takes, gives },
        "add" if s.has("sat") => Integer::AddSaturated,
        "sub" if s.has("sat") => Integer::SubSaturated,
        "add" => Integer::Add,
        "sub" => Integer::Sub,
        "mul" if s.has("wide") => Integer::MulWide,
        "mul" if s.has("hi") => Integer::MulHigh,
        "mul" => Integer::Mul,
        "mad" if s.has("wide") => Integer::MadWide,
        "mad" if s.has("hi") => Integer::MadHigh,
        "mad" => Integer::Mad,
        "div" => Integer::Div,
        "rem" => Integer::Rem,
        "min" => Integer::Min,
        "max" => Integer::Max,
        "neg" => Integer::Neg,
        "abs" => Integer::Abs,
        "not" => Integer::Not,
        "and" => Integer::And,
        "or" => Integer::Or,
        "xor" => Integer::Xor,
        "shl" => Integer::ShiftLeft,
        "shr" => Integer::ShiftRight,
        "popc" => Integer::PopulationCount,
        "clz" => Integer::LeadingZeros,
        "brev" => Integer::Reverse,
        "bfind" => Integer::FindHighest(s.has("shiftamt")),
        "bfe" => Integer::FieldExtract,
        "bfi" => Integer::FieldInsert,
        "prmt" => Integer::Permute,
        "lop3" => match s.operand(4)? {
            Operand::Number(table) => Integer::Logic(*table as u8),
            _ => return Err("the table must be a number".into()),
        },
        "shf" if s.has("l") => Integer::FunnelLeft { wrap: s.has("wrap") },
        "shf" => Integer::FunnelRight { wrap: s.has("wrap") },
        _ => return Err("the opcode is not supported".into()),
    };
    Ok(Function::Integer(op, kind))
}

fn convert(s: &Statement) -> Result<Function, String> {
    s.only(&[&ROUNDINGS[..], &["ftz", "sat"]].concat())?;
    let [to, from] = s.types[..] else { return Err("two types were expected".into()) };
    let to_integral = ["rni", "rzi", "rmi", "rpi"].iter().any(|m| s.has(m));
    Ok(Function::Convert { to, from, mode: mode(s), to_integral })
}

fn compare<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>) -> Result<(), String> {
    let kind = s.kind()?;
    // `and`, `or` and `xor` combine; the rest compares.
    let (combines, rest): (Vec<&str>, Vec<&str>) =
        s.modifiers.iter().partition(|m| matches!(**m, "and" | "or" | "xor"));
    let comparison = match rest.iter().filter(|m| **m != "ftz").collect::<Vec<_>>()[..] {
        [name] => COMPARISONS.iter().find(|c| c.0 == *name).ok_or("the comparison is not supported")?.1,
        _ => return Err("one comparison was expected".into()),
    };
    let combine = match combines[..] {
        [] => Combine::None,
        ["and"] => Combine::And,
        ["or"] => Combine::Or,
        _ => Combine::Xor,
    };
    let (d, d2) = targets(b, s.operand(0)?)?;
    let (first, second) = (source(b, s.operand(1)?)?, source(b, s.operand(2)?)?);
    let (c, inverted) = if combine == Combine::None { (0, false) } else { predicate(b, s.operand(3)?)? };
    let function = Function::Compare { comparison, kind, combine, inverted, flush: s.has("ftz") };
    b.emit(Op::Alu(Alu { function, d, d2, a: first, b: second, c, e: 0 }), s.guard);
    Ok(())
}

/// `mov.b64 d, {a, b}` and `mov.b64 {d, e}, a`.
fn pack<'a>(b: &mut Builder<'a, '_>, s: &Statement<'a>) -> Result<(), String> {
    let bits = s.kind()?.bits() as u32;
    let op = match (s.operand(0)?, s.operand(1)?) {
        (Operand::List(parts), whole) => {
            let a = source(b, whole)?;
            let parts: Result<Box<[_]>, String> = parts.iter().map(|p| target(b, p)).collect();
            let parts = parts?;
            Op::Unpack { a, bits: bits / parts.len() as u32, parts }
        }
        (whole, Operand::List(parts)) => {
            let d = target(b, whole)?;
            let parts: Result<Box<[_]>, String> = parts.iter().map(|p| source(b, p)).collect();
            let parts = parts?;
            Op::Pack { d, bits: bits / parts.len() as u32, parts }
        }
        _ => return Err("a list was expected".into()),
    };
    b.emit(op, s.guard);
    Ok(())
}
