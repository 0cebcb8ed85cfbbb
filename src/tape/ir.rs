//! The tensor IR: SSA values with static shape and dtype. Plain data, printed by `Display`, checked
//! by [`verify`](super::verify).
//!
//! A [`Program`] is a list of instructions; instruction `i` defines value `%i`. Arguments are
//! defined before they are used. Nothing broadcasts by itself: [`Op::Broadcast`] is explicit, so
//! every elementwise op has operands of exactly its own shape.

use std::fmt;

use crate::source::Span;

pub use super::ops::{Binary, Op, Unary};

/// Element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dtype {
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
    /// Unsigned 32-bit index or counter.
    Index,
}

impl Dtype {
    /// Bytes an element takes.
    pub fn bytes(self) -> usize {
        match self {
            Dtype::F32 | Dtype::Index => 4,
            Dtype::F64 => 8,
        }
    }

    /// Whether it is a floating type.
    pub fn is_float(self) -> bool {
        self != Dtype::Index
    }

    /// Distance from 1 to the next number; 0 for indices.
    pub fn eps(self) -> f64 {
        match self {
            Dtype::F32 => f32::EPSILON as f64,
            Dtype::F64 => f64::EPSILON,
            Dtype::Index => 0.0,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
            Dtype::Index => "index",
        })
    }
}

/// Extents, row-major; `[]` is a scalar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Shape(pub Vec<usize>);

impl Shape {
    /// The shape of one number.
    pub fn scalar() -> Shape {
        Shape(Vec::new())
    }

    /// The shape of a vector.
    pub fn vector(n: usize) -> Shape {
        Shape(vec![n])
    }

    /// The shape of a matrix.
    pub fn matrix(rows: usize, columns: usize) -> Shape {
        Shape(vec![rows, columns])
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.0.iter().product()
    }

    /// Whether it is one number.
    pub fn is_scalar(&self) -> bool {
        self.0.is_empty()
    }

    /// Elements between neighbours along each axis, row-major.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.rank()];
        for axis in (1..self.rank()).rev() {
            strides[axis - 1] = strides[axis] * self.0[axis];
        }
        strides
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(extents: [usize; N]) -> Shape {
        Shape(extents.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[")?;
        for (axis, extent) in self.0.iter().enumerate() {
            write!(f, "{}{extent}", if axis > 0 { ", " } else { "" })?;
        }
        write!(f, "]")
    }
}

/// Dtype and shape of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Type {
    /// Element type.
    pub dtype: Dtype,
    /// Extents.
    pub shape: Shape,
}

impl Type {
    /// That dtype and shape.
    pub fn new(dtype: Dtype, shape: impl Into<Shape>) -> Type {
        Type { dtype, shape: shape.into() }
    }

    /// Bytes a value takes.
    pub fn bytes(&self) -> usize {
        self.dtype.bytes() * self.shape.numel()
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, if self.shape.is_scalar() { String::new() } else { self.shape.to_string() })
    }
}

/// A value of a program: the result of instruction `.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub u32);

impl Value {
    /// Position of its instruction.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Inst {
    /// What is computed.
    pub op: Op,
    /// From which values, in the op's order.
    pub args: Vec<Value>,
    /// Type of the result.
    pub ty: Type,
    /// The source expression it came from, if any: what a NaN is reported against. Not part of the
    /// value's identity (two instructions that differ only here are the same computation).
    pub origin: Option<Span>,
}

/// An input of a program: a variable, data, a sample, a parameter, a scalar such as `rho`.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Name, unique among the inputs.
    pub name: String,
    /// The value (its instruction is `Op::Input(position)`).
    pub value: Value,
}

/// A named result.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Name, unique among the outputs.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// A straight-line program over tensors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program {
    /// For text and error messages.
    pub name: String,
    /// Inputs in binding order.
    pub inputs: Vec<Input>,
    /// Instructions in an order in which they can be run.
    pub insts: Vec<Inst>,
    /// Outputs in binding order. Two outputs may be the same value; an output may be an input.
    pub outputs: Vec<Output>,
}

impl Program {
    /// Type of a value.
    pub fn ty(&self, value: Value) -> &Type {
        &self.insts[value.index()].ty
    }

    /// Position of the input of that name.
    pub fn input(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|input| input.name == name)
    }

    /// Position of the output of that name.
    pub fn output(&self, name: &str) -> Option<usize> {
        self.outputs.iter().position(|output| output.name == name)
    }
}
