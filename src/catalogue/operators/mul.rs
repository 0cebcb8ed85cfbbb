//! `a * b`, the product of linear algebra: of a number and anything, of matrices, of a matrix and a
//! vector. A matrix of one row times a vector is a number, so `x'*y` is the inner product; a vector
//! times a matrix of one row is a matrix, so `x*y'` is the outer product.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::tape::{Builder, Shape, Value};

pub const MEMBER: Member =
    Member::elementwise("product(a, b)", "product of linear algebra", lower).shape(shape).form(Form::Juxtapose);

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    let inner = |rule| Err(WrongArguments::Disagree { left: 0, right: 1, rule });
    const INNER: &str = "columns on the left must be rows on the right";
    Ok(match (&args[0].0[..], &args[1].0[..]) {
        ([], _) => args[1].clone(),
        (_, []) => args[0].clone(),
        ([1, n], [k]) if n == k => Shape::scalar(),
        ([m, n], [k]) if n == k => Shape::vector(*m),
        ([m, n], [k, p]) if n == k => Shape::matrix(*m, *p),
        ([m], [1, n]) => Shape::matrix(*m, *n),
        ([_], [_]) => return inner("`x'*y` is the inner product, `x.*y` the elementwise one"),
        _ => return inner(INNER),
    })
}

fn lower(b: &mut Builder, args: &[Value]) -> Value {
    let (left, right) = (args[0], args[1]);
    match (&b.shape(left).0[..], &b.shape(right).0[..]) {
        ([], _) | (_, []) => b.mul(left, right),
        (&[1, _], [_]) => {
            let one = b.matvec(left, right, false);
            b.reshape(one, Shape::scalar())
        }
        (_, [_]) => b.matvec(left, right, false),
        (&[m], _) => {
            let column = b.reshape(left, [m, 1]);
            b.matmul(column, right, false, false)
        }
        _ => b.matmul(left, right, false, false),
    }
}
