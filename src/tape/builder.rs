//! Building programs. Every method states the instruction it adds; scalars broadcast, nothing else
//! does unless asked.

use super::ir::{Binary, Dtype, Input, Inst, Op, Output, Program, Shape, Type, Unary, Value};
use super::ops::{Range, Reducer};
use crate::source::Span;

/// A program under construction.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    program: Program,
    origin: Option<Span>,
}

impl Builder {
    /// An empty program of that name.
    pub fn new(name: impl Into<String>) -> Builder {
        Builder { program: Program { name: name.into(), ..Program::default() }, origin: None }
    }

    /// The program so far.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Sets the source expression that instructions added from here on come from; returns the one
    /// before, for the caller to restore.
    pub fn set_origin(&mut self, origin: Option<Span>) -> Option<Span> {
        std::mem::replace(&mut self.origin, origin)
    }

    /// Adds an instruction as it is.
    pub fn push(&mut self, op: Op, args: Vec<Value>, ty: Type) -> Value {
        let value = Value(self.program.insts.len() as u32);
        self.program.insts.push(Inst { op, args, ty, origin: self.origin });
        value
    }

    /// Declares an input; one of the same name and type is shared.
    pub fn input(&mut self, name: impl Into<String>, ty: Type) -> Value {
        let name = name.into();
        if let Some(at) = self.program.input(&name) {
            let value = self.program.inputs[at].value;
            assert_eq!(*self.program.ty(value), ty, "input {name} has one type");
            return value;
        }
        let value = self.push(Op::Input(self.program.inputs.len() as u32), Vec::new(), ty);
        self.program.inputs.push(Input { name, value });
        value
    }

    /// Names a result.
    pub fn output(&mut self, name: impl Into<String>, value: Value) {
        self.program.outputs.push(Output { name: name.into(), value });
    }

    /// The finished program.
    pub fn finish(self) -> Program {
        self.program
    }

    /// Type of a value.
    pub fn ty(&self, value: Value) -> &Type {
        self.program.ty(value)
    }

    /// Shape of a value.
    pub fn shape(&self, value: Value) -> &Shape {
        &self.program.ty(value).shape
    }

    /// Element type of a value.
    pub fn dtype(&self, value: Value) -> Dtype {
        self.program.ty(value).dtype
    }

    /// A scalar constant.
    pub fn constant(&mut self, value: f64, dtype: Dtype) -> Value {
        self.push(Op::Const(value), Vec::new(), Type::new(dtype, []))
    }

    /// A constant of the type of `like`.
    pub fn constant_like(&mut self, value: f64, like: Value) -> Value {
        let ty = self.ty(like).clone();
        let scalar = self.constant(value, ty.dtype);
        self.broadcast_scalar(scalar, &ty.shape)
    }

    /// A scalar repeated to a shape.
    pub fn broadcast_scalar(&mut self, scalar: Value, shape: &Shape) -> Value {
        if shape.is_scalar() {
            return scalar;
        }
        self.broadcast(scalar, Vec::new(), shape.clone())
    }

    /// Operand axis `i` becomes result axis `axes[i]`.
    pub fn broadcast(&mut self, value: Value, axes: Vec<usize>, shape: Shape) -> Value {
        if *self.shape(value) == shape {
            return value;
        }
        let ty = Type { dtype: self.dtype(value), shape };
        self.push(Op::Broadcast { axes }, vec![value], ty)
    }

    /// An elementwise function.
    pub fn unary(&mut self, f: Unary, x: Value) -> Value {
        let ty = self.ty(x).clone();
        self.push(Op::Unary(f), vec![x], ty)
    }

    /// An elementwise function of two operands; a scalar operand is repeated.
    pub fn binary(&mut self, f: Binary, a: Value, b: Value) -> Value {
        let (a, b) = self.same_shape(a, b);
        debug_assert_eq!(self.dtype(a), self.dtype(b), "operands share a dtype");
        let ty = self.ty(a).clone();
        self.push(Op::Binary(f), vec![a, b], ty)
    }

    fn same_shape(&mut self, a: Value, b: Value) -> (Value, Value) {
        let (sa, sb) = (self.shape(a).clone(), self.shape(b).clone());
        if sa == sb {
            (a, b)
        } else if sa.is_scalar() {
            (self.broadcast_scalar(a, &sb), b)
        } else if sb.is_scalar() {
            (a, self.broadcast_scalar(b, &sa))
        } else {
            unreachable!("operands of an elementwise op agree: {sa} and {sb}")
        }
    }

    /// `a + b`
    pub fn add(&mut self, a: Value, b: Value) -> Value {
        self.binary(Binary::Add, a, b)
    }

    /// `a − b`
    pub fn sub(&mut self, a: Value, b: Value) -> Value {
        self.binary(Binary::Sub, a, b)
    }

    /// `a · b`, elementwise
    pub fn mul(&mut self, a: Value, b: Value) -> Value {
        self.binary(Binary::Mul, a, b)
    }

    /// `a / b`, elementwise
    pub fn div(&mut self, a: Value, b: Value) -> Value {
        self.binary(Binary::Div, a, b)
    }

    /// `−x`
    pub fn neg(&mut self, x: Value) -> Value {
        self.unary(Unary::Neg, x)
    }

    /// `s · x` with a number
    pub fn scale(&mut self, s: f64, x: Value) -> Value {
        let s = self.constant(s, self.dtype(x));
        self.mul(s, x)
    }

    /// `x + s` with a number
    pub fn offset(&mut self, x: Value, s: f64) -> Value {
        let s = self.constant(s, self.dtype(x));
        self.add(x, s)
    }

    /// `c ≠ 0 ? a : b`; the condition may have another dtype.
    pub fn select(&mut self, c: Value, a: Value, b: Value) -> Value {
        let (a, b) = self.same_shape(a, b);
        let (c, a) = self.same_shape(c, a);
        let (a, b) = self.same_shape(a, b);
        let ty = self.ty(a).clone();
        self.push(Op::Select, vec![c, a, b], ty)
    }

    /// `max(lower, min(x, upper))`, NaN kept
    pub fn clamp(&mut self, x: Value, lower: Value, upper: Value) -> Value {
        let below = self.binary(Binary::Min, x, upper);
        self.binary(Binary::Max, below, lower)
    }

    /// Reduction along `axes`; along none, the operand itself.
    pub fn reduce(&mut self, reducer: Reducer, x: Value, axes: Vec<usize>) -> Value {
        if axes.is_empty() {
            return x;
        }
        let ty = self.ty(x);
        let kept = ty.shape.0.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, &n)| n).collect();
        let ty = Type { dtype: ty.dtype, shape: Shape(kept) };
        self.push(Op::Reduce { reducer, axes }, vec![x], ty)
    }

    /// Sum of all elements.
    pub fn sum(&mut self, x: Value) -> Value {
        let axes = (0..self.shape(x).rank()).collect();
        self.reduce(Reducer::Sum, x, axes)
    }

    /// `‖x‖²` over all elements.
    pub fn sum_squares(&mut self, x: Value) -> Value {
        let square = self.unary(Unary::Square, x);
        self.sum(square)
    }

    /// `⟨a, b⟩` over all elements.
    pub fn dot(&mut self, a: Value, b: Value) -> Value {
        let product = self.mul(a, b);
        self.sum(product)
    }

    /// `op(a) · op(b)` of matrices.
    pub fn matmul(&mut self, a: Value, b: Value, ta: bool, tb: bool) -> Value {
        let (sa, sb) = (self.shape(a), self.shape(b));
        let rows = sa.0[usize::from(ta)];
        let columns = sb.0[usize::from(!tb)];
        debug_assert_eq!(sa.0[usize::from(!ta)], sb.0[usize::from(tb)], "inner extents agree: {sa} {sb}");
        let ty = Type::new(self.dtype(a), [rows, columns]);
        self.push(Op::MatMul { ta, tb }, vec![a, b], ty)
    }

    /// `op(a) · x` of a matrix and a vector.
    pub fn matvec(&mut self, a: Value, x: Value, ta: bool) -> Value {
        let n = self.shape(x).numel();
        let column = self.reshape(x, [n, 1]);
        let product = self.matmul(a, column, ta, false);
        let m = self.shape(product).0[0];
        self.reshape(product, [m])
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, x: Value, shape: impl Into<Shape>) -> Value {
        let shape = shape.into();
        if *self.shape(x) == shape {
            return x;
        }
        let ty = Type { dtype: self.dtype(x), shape };
        self.push(Op::Reshape, vec![x], ty)
    }

    /// Matrix transpose.
    pub fn transpose(&mut self, x: Value) -> Value {
        let ty = self.ty(x);
        let ty = Type::new(ty.dtype, [ty.shape.0[1], ty.shape.0[0]]);
        self.push(Op::Transpose { perm: vec![1, 0] }, vec![x], ty)
    }

    /// A strided box.
    pub fn slice(&mut self, x: Value, ranges: Vec<Range>) -> Value {
        let ty = Type { dtype: self.dtype(x), shape: Shape(ranges.iter().map(|range| range.len).collect()) };
        if ty.shape == *self.shape(x) && ranges.iter().all(|range| range.step == 1) {
            return x;
        }
        self.push(Op::Slice(ranges), vec![x], ty)
    }

    /// Elements `start .. start + len` of a vector.
    pub fn segment(&mut self, x: Value, start: usize, len: usize) -> Value {
        self.slice(x, vec![Range { start, len, step: 1 }])
    }

    /// Operands joined along `axis`; a single one is the operand itself.
    pub fn concat(&mut self, parts: Vec<Value>, axis: usize) -> Value {
        if let [only] = parts[..] {
            return only;
        }
        let mut ty = self.ty(*parts.first().expect("something is joined")).clone();
        ty.shape.0[axis] = parts.iter().map(|&part| self.shape(part).0[axis]).sum();
        self.push(Op::Concat { axis }, parts, ty)
    }

    /// `op(A) · x` of a sparse matrix, its row starts, columns and values, and a vector or a matrix.
    /// `extent` is the number of rows of `op(A)`.
    pub fn sparse(&mut self, matrix: [Value; 3], x: Value, transpose: bool, extent: usize) -> Value {
        let mut ty = self.ty(x).clone();
        ty.shape.0[0] = extent;
        let [starts, columns, values] = matrix;
        self.push(Op::SparseMatVec { transpose }, vec![starts, columns, values, x], ty)
    }

    /// Rows by index.
    pub fn gather(&mut self, x: Value, index: Value) -> Value {
        let mut ty = self.ty(x).clone();
        ty.shape.0[0] = self.shape(index).numel();
        self.push(Op::Gather, vec![x, index], ty)
    }

    /// The elements of the last axis in ascending order.
    pub fn sort(&mut self, x: Value) -> Value {
        let ty = self.ty(x).clone();
        self.push(Op::Sort, vec![x], ty)
    }

    /// Where each sorted element of the last axis stood.
    pub fn argsort(&mut self, x: Value) -> Value {
        let ty = Type { dtype: Dtype::Index, shape: self.shape(x).clone() };
        self.push(Op::ArgSort, vec![x], ty)
    }

    /// Running sums along the last axis.
    pub fn cumsum(&mut self, x: Value) -> Value {
        let ty = self.ty(x).clone();
        self.push(Op::CumSum { reverse: false }, vec![x], ty)
    }

    /// Eigenvalues, ascending, and the matrix whose columns are the eigenvectors, of a symmetric matrix.
    pub fn symmetric_eigen(&mut self, a: Value) -> (Value, Value) {
        let n = self.shape(a).0[0];
        let ty = Type::new(self.dtype(a), [n + 1, n]);
        let both = self.push(Op::SymmetricEigen, vec![a], ty);
        let values = self.rows(both, 0, 1);
        (self.reshape(values, [n]), self.rows(both, 1, n))
    }

    /// `U`, `σ` (descending) and `V` with `A = U diag(σ) Vᵀ`, thin.
    pub fn svd(&mut self, a: Value) -> (Value, Value, Value) {
        let (m, n) = (self.shape(a).0[0], self.shape(a).0[1]);
        let k = m.min(n);
        let ty = Type::new(self.dtype(a), [1 + m + n, k]);
        let all = self.push(Op::Svd, vec![a], ty);
        let values = self.rows(all, 0, 1);
        (self.rows(all, 1, m), self.reshape(values, [k]), self.rows(all, 1 + m, n))
    }

    /// Rows `start .. start + len` of a matrix.
    pub fn rows(&mut self, x: Value, start: usize, len: usize) -> Value {
        let columns = self.shape(x).0[1];
        self.slice(x, vec![Range { start, len, step: 1 }, Range { start: 0, len: columns, step: 1 }])
    }

    /// Along the last axis, the ascending elements nearest to `v` in squares weighted by `w`.
    pub fn isotonic(&mut self, v: Value, w: Value) -> Value {
        let ty = self.ty(v).clone();
        self.push(Op::Pav, vec![v, w], ty)
    }

    /// Along the last axis, the proximal step of `t` times the total variation.
    pub fn taut_string(&mut self, v: Value, t: Value) -> Value {
        let ty = self.ty(v).clone();
        self.push(Op::TautString, vec![v, t], ty)
    }

    /// The position along `axis` in a tensor of that shape, as indices.
    pub fn iota(&mut self, shape: impl Into<Shape>, axis: usize) -> Value {
        self.push(Op::Iota { axis }, Vec::new(), Type::new(Dtype::Index, shape))
    }

    /// Pastes a program: its inputs become `args`, its outputs are returned, in order.
    pub fn inline(&mut self, program: &Program, args: &[Value]) -> Vec<Value> {
        debug_assert_eq!(program.inputs.len(), args.len(), "an argument an input of {}", program.name);
        let mut pasted: Vec<Value> = Vec::with_capacity(program.insts.len());
        for inst in &program.insts {
            let value = match inst.op {
                Op::Input(position) => {
                    let arg = args[position as usize];
                    debug_assert_eq!(*self.ty(arg), inst.ty, "input {position} of {} has one type", program.name);
                    arg
                }
                _ => {
                    let mut inst = inst.clone();
                    inst.args.iter_mut().for_each(|arg| *arg = pasted[arg.index()]);
                    inst.origin = inst.origin.or(self.origin);
                    self.program.insts.push(inst);
                    Value(self.program.insts.len() as u32 - 1)
                }
            };
            pasted.push(value);
        }
        program.outputs.iter().map(|output| pasted[output.value.index()]).collect()
    }

    /// Conversion of dtype.
    pub fn cast(&mut self, x: Value, dtype: Dtype) -> Value {
        if self.dtype(x) == dtype {
            return x;
        }
        let ty = Type { dtype, shape: self.shape(x).clone() };
        self.push(Op::Cast, vec![x], ty)
    }
}
