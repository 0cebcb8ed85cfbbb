//! Steps that have no kernel: the host does them on the processor. Each is a program of one op, whose
//! operands come over and whose result goes back, so it waits for the device.

use crate::exec::plan::{Array, Single, Step};
use crate::tape::{Dtype, Input, Inst, Op, Output, Program, Shape, Type, Value};

/// A step of the host.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec::cuda) struct Host {
    /// Its op alone.
    pub program: Program,
    /// Where the operands lie.
    pub args: Vec<Array>,
    /// Where the result goes.
    pub to: Array,
}

/// Order of the matrices whose factors one block makes, at most: beyond, one block takes longer than the
/// processor and the way to it.
const DENSE: usize = 512;

/// Whether the host does an op with a result of that type.
pub(super) fn is_hosts(op: &Op, ty: &Type) -> bool {
    match op {
        Op::Cholesky | Op::CholeskySolve => ty.shape.0[0] > DENSE,
        op => has_no_kernel(op),
    }
}

fn has_no_kernel(op: &Op) -> bool {
    matches!(
        op,
        Op::SparseFactor(_)
            | Op::SparseSolve(_)
            | Op::Grid { .. }
            | Op::SymmetricEigenvalues
            | Op::SymmetricEigen
            | Op::Svd
            | Op::Pav
            | Op::Assignment
            | Op::TautString
            | Op::PsdSqrt
    )
}

/// The step as one of the host; `None` where it has a kernel.
pub(super) fn host(step: &Step) -> Option<Host> {
    match step {
        Step::Single { single, args, to, .. } => {
            let (op, shapes, shape) = shapes(single, args, to.len)?;
            let of = |dtype, shape: &Shape| Type { dtype, shape: shape.clone() };
            let types: Vec<Type> = args.iter().zip(&shapes).map(|(array, shape)| of(array.dtype, shape)).collect();
            Some(Host { program: alone(op, types, of(to.dtype, &shape)), args: args.clone(), to: *to })
        }
        _ => None,
    }
}

/// The op of a step, with the shapes of its operands and of its result.
fn shapes(single: &Single, args: &[Array], len: usize) -> Option<(Op, Vec<Shape>, Shape)> {
    let square = |n| Shape::matrix(n, n);
    let rows = |row: usize| Shape::matrix(len / row.max(1), row);
    // A vector, or a matrix of that many rows.
    let tall = |n: usize| if len == n { Shape::vector(n) } else { Shape::matrix(n, len / n.max(1)) };
    Some(match *single {
        Single::Cholesky { n } | Single::CholeskySolve { n } if n <= DENSE => return None,
        Single::Cholesky { n } => (Op::Cholesky, vec![square(n)], square(n)),
        Single::CholeskySolve { n } => (Op::CholeskySolve, vec![square(n), tall(n)], tall(n)),
        Single::SparseFactor(ref symbolic) => {
            (Op::SparseFactor(symbolic.clone()), vec![Shape::vector(args[0].len)], Shape::vector(len))
        }
        Single::SparseSolve(ref symbolic) => {
            let x = tall(symbolic.n);
            (Op::SparseSolve(symbolic.clone()), vec![Shape::vector(args[0].len), x.clone()], x)
        }
        Single::Grid { transform, ref extents, inverse, .. } => {
            let grid = Shape(extents.clone());
            (Op::Grid { transform, inverse }, vec![grid.clone()], grid)
        }
        Single::SymmetricEigenvalues { n } => (Op::SymmetricEigenvalues, vec![square(n)], Shape::vector(n)),
        Single::SymmetricEigen { n } => (Op::SymmetricEigen, vec![square(n)], Shape::matrix(n + 1, n)),
        Single::Svd { rows, columns } => {
            let least = rows.min(columns);
            (Op::Svd, vec![Shape::matrix(rows, columns)], Shape::matrix(1 + rows + columns, least))
        }
        Single::Isotonic { row } => (Op::Pav, vec![rows(row), rows(row)], rows(row)),
        Single::Assignment { n } => (Op::Assignment, vec![square(n)], square(n)),
        Single::TautString { row } => (Op::TautString, vec![rows(row), Shape::scalar()], rows(row)),
        Single::PsdSqrt { n } => (Op::PsdSqrt, vec![square(n)], square(n)),
        _ => return None,
    })
}

/// An op as a program.
fn alone(op: Op, types: Vec<Type>, ty: Type) -> Program {
    let mut program = Program { name: op.name().to_owned(), ..Program::default() };
    let args: Vec<Value> = (0..types.len() as u32).map(Value).collect();
    for (&value, ty) in args.iter().zip(types) {
        program.insts.push(Inst { op: Op::Input(value.0), args: Vec::new(), ty, origin: None });
        program.inputs.push(Input { name: value.to_string(), value });
    }
    let value = Value(args.len() as u32);
    program.insts.push(Inst { op, args, ty, origin: None });
    program.outputs.push(Output { name: "y".to_owned(), value });
    debug_assert_eq!(program.ty(value).dtype.is_float(), program.ty(value).dtype != Dtype::Index);
    program
}
