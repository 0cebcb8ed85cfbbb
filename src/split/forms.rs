//! What a tape value is as a function of the variables: constant, affine, quadratic, or something
//! else — found by running the program on forms instead of numbers.
//!
//! Every spelling of a quadratic is seen alike, because the tape has forgotten the spelling:
//! `0.5*sum_squares(z)`, `z'*z/2`, `norm2(z)^2/2`, `sum(z.^2)/2`, `quad_form(z, P)`.
//!
//! Tensors are row-major vectors here; a linear op is an [`Operator`] between them.

use std::collections::BTreeMap;

use super::foreseen::{End, foreseen};
use super::movement;
use crate::linalg::{Csr, Curvature, Matrix, Operator, Shared, Sum};
use crate::source::Span;
use crate::tape::ir::{Binary, Unary};
use crate::tape::ops::{Operand, Range, Reducer};
use crate::tape::{Inst, Op, Program, Shape, Value};

/// A form in the program's inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// Does not depend on any variable.
    Constant(Shared<f64>),
    /// `Σ K v + offset`
    Affine(Affine),
    /// `Σ L (a ∘ b) + affine`
    Quadratic(Quadratic),
    /// `√q` of a scalar quadratic that is a sum of squares: its square is quadratic again.
    Root(Box<Quadratic>),
    /// Anything else: where it stopped being one of the above.
    Other(Stopped),
}

/// Where a value stopped being a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    /// The source expression.
    pub origin: Option<Span>,
    /// What did it, as text.
    pub op: String,
}

/// `Σ K v + offset`, by input position.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// The operator of each variable that occurs.
    pub parts: BTreeMap<usize, Operator>,
    /// The constant part.
    pub offset: Vec<f64>,
}

/// One product `L (a ∘ b)` of a quadratic.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// `L`
    pub post: Operator,
    /// `a`
    pub left: Affine,
    /// `b`
    pub right: Affine,
}

/// `Σ L (a ∘ b) + affine`
#[derive(Debug, Clone, PartialEq)]
pub struct Quadratic {
    /// The products.
    pub products: Vec<Product>,
    /// The rest.
    pub rest: Affine,
}

/// What an input of the program is.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// A variable the form is in.
    Variable,
    /// Numbers known now.
    Constant(Shared<f64>),
    /// Changes from call to call: a sample, a multiplier, another player's variable.
    Unknown,
}

/// The forms of a program's outputs; `inputs` says what each input is, in order.
pub fn outputs(program: &Program, inputs: &[Known]) -> Vec<Form> {
    let (needed, ends) = foreseen(program, inputs);
    let mut forms: Vec<Form> = Vec::with_capacity(program.insts.len());
    for (at, inst) in program.insts.iter().enumerate() {
        let form = match &inst.op {
            _ if !needed[at] => stopped(inst),
            Op::Input(at) => match &inputs[*at as usize] {
                Known::Variable => Form::Affine(Affine::variable(*at as usize, inst.ty.shape.numel())),
                Known::Constant(numbers) => Form::Constant(numbers.clone()),
                Known::Unknown => stopped(inst),
            },
            _ => apply(program, inst, &forms),
        };
        forms.push(form);
    }
    let of = |value: Value| match ends[value.index()] {
        End::At(at) => stopped(&program.insts[at]),
        _ => forms[value.index()].clone(),
    };
    program.outputs.iter().map(|output| of(output.value)).collect()
}

fn stopped(inst: &Inst) -> Form {
    Form::Other(Stopped { origin: inst.origin, op: inst.op.name().to_string() })
}

fn apply(program: &Program, inst: &Inst, forms: &[Form]) -> Form {
    let arg = |k: usize| &forms[inst.args[k].index()];
    // The first thing that is no form explains all that follows.
    if let Some(Form::Other(why)) = inst.args.iter().map(|v| &forms[v.index()]).find(|f| matches!(f, Form::Other(_))) {
        return Form::Other(why.clone());
    }
    if inst.args.iter().all(|v| matches!(forms[v.index()], Form::Constant(_))) {
        return evaluate(program, inst, forms);
    }
    let shape = |k: usize| &program.ty(inst.args[k]).shape;
    let n = inst.ty.shape.numel();
    let form = match &inst.op {
        Op::Unary(Unary::Neg) => linear(Operator::Scale(-1.0, n), arg(0)),
        Op::Unary(Unary::Square) => multiply(arg(0), arg(0), n),
        Op::Unary(Unary::Sqrt) if n == 1 => match arg(0) {
            Form::Quadratic(q) if q.is_sum_of_squares() => Some(Form::Root(Box::new(q.clone()))),
            _ => None,
        },
        Op::Binary(Binary::Add) => add(arg(0), arg(1)),
        Op::Binary(Binary::Sub) => linear(Operator::Scale(-1.0, n), arg(1)).and_then(|minus| add(arg(0), &minus)),
        Op::Binary(Binary::Mul) => multiply(arg(0), arg(1), n),
        Op::Binary(Binary::Div) => match arg(1) {
            Form::Constant(by) => linear(diagonal(by.iter().map(|x| 1.0 / x).collect()), arg(0)),
            _ => None,
        },
        Op::Binary(Binary::Pow) => match arg(1) {
            Form::Constant(power) if power.iter().all(|&p| p == 2.0) => multiply(arg(0), arg(0), n),
            Form::Constant(power) if power.iter().all(|&p| p == 1.0) => Some(arg(0).clone()),
            _ => None,
        },
        Op::Reduce { reducer: Reducer::Norm2, axes } if axes.len() == shape(0).rank() => {
            let m = shape(0).numel();
            multiply(arg(0), arg(0), m).and_then(|squares| match linear(Operator::ones(m), &squares) {
                Some(Form::Quadratic(q)) => Some(Form::Root(Box::new(q))),
                _ => None,
            })
        }
        Op::SparseMatVec { transpose } => match (arg(0), arg(1), arg(2)) {
            (Form::Constant(starts), Form::Constant(columns), Form::Constant(values)) => {
                linear(sparse([starts, columns, values], *transpose, &inst.ty.shape, shape(3)), arg(3))
            }
            _ => None,
        },
        Op::MatMul { ta, tb } => product(inst, arg(0), arg(1), shape(0), shape(1), *ta, *tb),
        Op::Concat { axis } => concat(program, inst, forms, *axis),
        op => movement::of(op, &inst.ty, shape(0)).and_then(|operator| linear(operator, arg(0))),
    };
    form.unwrap_or_else(|| stopped(inst))
}

/// The reference evaluation of an instruction whose operands are all known.
fn evaluate(program: &Program, inst: &Inst, forms: &[Form]) -> Form {
    let operands: Vec<Operand> = inst
        .args
        .iter()
        .map(|value: &Value| match &forms[value.index()] {
            Form::Constant(x) => Operand { ty: program.ty(*value), x },
            _ => unreachable!("the caller saw constants only"),
        })
        .collect();
    Form::Constant(inst.op.rule().eval(&operands, &inst.ty).into())
}

fn concat(program: &Program, inst: &Inst, forms: &[Form], axis: usize) -> Option<Form> {
    let mut total: Option<Form> = None;
    let mut start = 0;
    for &arg in &inst.args {
        let from = &program.ty(arg).shape;
        let ranges: Vec<Range> = from
            .0
            .iter()
            .enumerate()
            .map(|(at, &len)| Range { start: if at == axis { start } else { 0 }, len, step: 1 })
            .collect();
        start += from.0[axis];
        let place = Operator::selection(&movement::slice(&ranges, &inst.ty.shape), inst.ty.shape.numel()).adjoint();
        let placed = linear(place, &forms[arg.index()])?;
        total = Some(match total {
            None => placed,
            Some(sum) => add(&sum, &placed)?,
        });
    }
    total
}

/// A matrix product with one constant side, or of two vectors.
fn product(inst: &Inst, a: &Form, b: &Form, sa: &Shape, sb: &Shape, ta: bool, tb: bool) -> Option<Form> {
    let (rows, columns) = (inst.ty.shape.0[0], inst.ty.shape.0[1]);
    match (a, b) {
        (Form::Constant(a), b) => {
            let a = oriented(Matrix::new(sa.0[0], sa.0[1], a.clone()), ta);
            // vec(A X) = (A ⊗ I) vec(X), X as the product sees it.
            let b = linear(orientation(sb, tb), b)?;
            linear(Operator::kronecker(a, Operator::Identity(columns)), &b)
        }
        (a, Form::Constant(b)) => {
            let b = oriented(Matrix::new(sb.0[0], sb.0[1], b.clone()), !tb);
            let a = linear(orientation(sa, ta), a)?;
            linear(Operator::kronecker(Operator::Identity(rows), b), &a)
        }
        (Form::Affine(_), Form::Affine(_)) if rows == 1 && columns == 1 => {
            let inner = sa.numel();
            multiply(a, b, inner).and_then(|product| linear(Operator::ones(inner), &product))
        }
        _ => None,
    }
}

/// A matrix by compressed rows, on a vector or on each column of a matrix.
fn sparse([starts, columns, values]: [&[f64]; 3], transpose: bool, to: &Shape, from: &Shape) -> Operator {
    let whole = |numbers: &[f64]| numbers.iter().map(|&x| x as usize).collect();
    let (rows, cols) = if transpose { (from.0[0], to.0[0]) } else { (to.0[0], from.0[0]) };
    let matrix = Csr { rows, cols, starts: whole(starts), columns: whole(columns), values: values.to_vec() };
    let matrix: Operator = if transpose { matrix.transpose().into() } else { matrix.into() };
    match from.0[1..] {
        [width] if width != 1 => Operator::kronecker(matrix, Operator::Identity(width)),
        _ => matrix,
    }
}

/// Entries from which a matrix is looked at for zeros, and the share of entries that are not zero up to
/// which it counts as sparse.
const LOOKED_AT: usize = 1 << 10;
const SPARSE: f64 = 0.2;

fn oriented(matrix: Matrix, transpose: bool) -> Operator {
    let entries = matrix.data.len();
    let filled = matrix.data.iter().filter(|&&x| x != 0.0).count();
    if entries >= LOOKED_AT && filled as f64 <= SPARSE * entries as f64 {
        let sparse = Csr::from_dense(&matrix);
        return if transpose { sparse.transpose().into() } else { sparse.into() };
    }
    if transpose { matrix.transpose().into() } else { matrix.into() }
}

fn orientation(shape: &Shape, transpose: bool) -> Operator {
    if transpose && shape.0[0] > 1 && shape.0[1] > 1 {
        Operator::selection(&movement::transpose(&[1, 0], shape), shape.numel())
    } else {
        Operator::Identity(shape.numel())
    }
}

fn diagonal(entries: Vec<f64>) -> Operator {
    Operator::diagonal_of(entries)
}

/// `L f`
fn linear(operator: Operator, form: &Form) -> Option<Form> {
    Some(match form {
        Form::Constant(x) if matches!(operator, Operator::Identity(_)) => Form::Constant(x.clone()),
        Form::Constant(x) => Form::Constant(operator.apply(x).into()),
        Form::Affine(a) => Form::Affine(a.mapped(&operator)),
        Form::Quadratic(q) => Form::Quadratic(q.mapped(&operator)),
        Form::Root(q) => match operator {
            Operator::Identity(_) => Form::Root(q.clone()),
            // s√q = √(s²q) for s ≥ 0.
            Operator::Scale(s, _) if s >= 0.0 => Form::Root(Box::new(q.mapped(&Operator::Scale(s * s, 1)))),
            Operator::Diagonal(d) if d.len() == 1 && d[0] >= 0.0 => {
                Form::Root(Box::new(q.mapped(&Operator::Scale(d[0] * d[0], 1))))
            }
            _ => return None,
        },
        Form::Other(_) => return None,
    })
}

fn add(a: &Form, b: &Form) -> Option<Form> {
    let quadratic = |form: &Form| match form {
        Form::Constant(x) => Some(Quadratic { products: Vec::new(), rest: Affine::constant(x.to_vec()) }),
        Form::Affine(a) => Some(Quadratic { products: Vec::new(), rest: a.clone() }),
        Form::Quadratic(q) => Some(q.clone()),
        Form::Root(_) | Form::Other(_) => None,
    };
    if let (Form::Constant(x), Form::Constant(y)) = (a, b) {
        return Some(Form::Constant(x.iter().zip(y).map(|(x, y)| x + y).collect()));
    }
    let (mut a, b) = (quadratic(a)?, quadratic(b)?);
    a.products.extend(b.products);
    a.rest = a.rest.plus(&b.rest);
    Some(if a.products.is_empty() { Form::Affine(a.rest) } else { Form::Quadratic(a) })
}

/// The elementwise product of two forms of `n` elements.
fn multiply(a: &Form, b: &Form, n: usize) -> Option<Form> {
    match (a, b) {
        (Form::Constant(d), f) | (f, Form::Constant(d)) => linear(diagonal(d.to_vec()), f),
        (Form::Affine(left), Form::Affine(right)) => Some(Form::Quadratic(Quadratic {
            products: vec![Product { post: Operator::Identity(n), left: left.clone(), right: right.clone() }],
            rest: Affine::constant(vec![0.0; n]),
        })),
        (Form::Root(p), Form::Root(q)) if p == q => Some(Form::Quadratic((**p).clone())),
        _ => None,
    }
}

impl Affine {
    fn variable(input: usize, n: usize) -> Affine {
        Affine { parts: BTreeMap::from([(input, Operator::Identity(n))]), offset: vec![0.0; n] }
    }

    fn constant(offset: Vec<f64>) -> Affine {
        Affine { parts: BTreeMap::new(), offset }
    }

    fn mapped(&self, by: &Operator) -> Affine {
        let parts =
            self.parts.iter().map(|(&input, part)| (input, Operator::compose(by.clone(), part.clone()))).collect();
        Affine { parts, offset: by.apply(&self.offset) }
    }

    fn plus(&self, other: &Affine) -> Affine {
        let mut parts = self.parts.clone();
        for (&input, part) in &other.parts {
            let sum = match parts.remove(&input) {
                Some(mine) => Operator::sum(vec![mine, part.clone()]),
                None => part.clone(),
            };
            parts.insert(input, sum);
        }
        Affine { parts, offset: self.offset.iter().zip(&other.offset).map(|(x, y)| x + y).collect() }
    }
}

impl Quadratic {
    fn mapped(&self, by: &Operator) -> Quadratic {
        let products = self
            .products
            .iter()
            .map(|product| Product { post: Operator::compose(by.clone(), product.post.clone()), ..product.clone() })
            .collect();
        Quadratic { products, rest: self.rest.mapped(by) }
    }

    /// Whether it is `Σ w a²` with `w ≥ 0` and nothing else, so that its root is a norm.
    pub(super) fn is_sum_of_squares(&self) -> bool {
        self.rest.parts.is_empty()
            && self.rest.offset.iter().all(|&x| x == 0.0)
            && self.products.iter().all(|p| p.left == p.right && p.weights().iter().all(|&w| w >= 0.0))
    }

    /// `½ vᵀPv + pᵀv + constant` of a scalar form, `v` being the given inputs one behind another,
    /// each `(input, length)`.
    pub fn assemble(&self, inputs: &[(usize, usize)]) -> Hessian {
        let n: usize = inputs.iter().map(|&(_, len)| len).sum();
        let mut linear = vec![0.0; n];
        let mut constant = self.rest.offset[0];
        self.rest.stacked(inputs).accumulate(1.0, &[1.0], &mut linear, true);
        let mut parts: Vec<Part> = Vec::new();
        for product in &self.products {
            let w = product.weights();
            let (a, b) = (product.left.stacked(inputs), product.right.stacked(inputs));
            let weighted = |x: &[f64]| -> Vec<f64> { x.iter().zip(&w).map(|(x, w)| x * w).collect() };
            a.accumulate(1.0, &weighted(&product.right.offset), &mut linear, true);
            b.accumulate(1.0, &weighted(&product.left.offset), &mut linear, true);
            constant +=
                product.left.offset.iter().zip(&product.right.offset).zip(&w).map(|((a, b), w)| a * b * w).sum::<f64>();
            parts.push(Part { left: a, right: b, weights: w });
        }
        Hessian { n, parts, linear, constant }
    }
}

impl Product {
    /// The weights of a scalar form's product: the one row of `post`.
    fn weights(&self) -> Vec<f64> {
        self.post.apply_adjoint(&[1.0])
    }
}

impl Affine {
    /// `[K₁ K₂ …]` over the given inputs, zero where one does not occur.
    pub fn stacked(&self, inputs: &[(usize, usize)]) -> Operator {
        let rows = self.offset.len();
        let parts = inputs
            .iter()
            .map(|&(input, cols)| self.parts.get(&input).cloned().unwrap_or(Operator::Zero { rows, cols }))
            .collect();
        Operator::hstack(parts)
    }
}

/// `½ vᵀPv + pᵀv + constant` with `P = Σ aᵀ diag(w) b + bᵀ diag(w) a`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hessian {
    /// Length of `v`.
    pub n: usize,
    parts: Vec<Part>,
    /// `p`
    pub linear: Vec<f64>,
    /// The constant.
    pub constant: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    left: Operator,
    right: Operator,
    weights: Vec<f64>,
}

impl Hessian {
    /// No term at all, `P = 0`.
    pub fn zero(n: usize) -> Hessian {
        Hessian { n, parts: Vec::new(), linear: vec![0.0; n], constant: 0.0 }
    }

    /// The sum of two.
    pub fn plus(mut self, other: Hessian) -> Hessian {
        self.parts.extend(other.parts);
        self.linear.iter_mut().zip(&other.linear).for_each(|(x, y)| *x += y);
        self.constant += other.constant;
        self
    }

    /// `s` times all of it.
    pub fn times(mut self, s: f64) -> Hessian {
        self.parts.iter_mut().for_each(|part| part.weights.iter_mut().for_each(|w| *w *= s));
        self.linear.iter_mut().for_each(|x| *x *= s);
        self.constant *= s;
        self
    }

    /// `P`, in the cheapest structure that it has.
    pub fn curvature(&self) -> Curvature {
        let mut sum = Sum::new(self.n);
        self.parts.iter().for_each(|part| sum.product(&part.left, &part.right, &part.weights));
        sum.finish()
    }

    /// The diagonal of `P`, where `P` is diagonal.
    pub fn diagonal(&self) -> Option<Vec<f64>> {
        match self.curvature() {
            Curvature::Diagonal(d) => Some(d),
            _ => None,
        }
    }
}
