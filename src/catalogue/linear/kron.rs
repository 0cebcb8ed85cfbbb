//! `kron(A, B) = A ⊗ B`, the Kronecker product: in place of every element of `A`, that times `B`.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::catalogue::shapes;
use crate::tape::Shape;

pub const MEMBER: Member = Member::total("kron(A, B)", "Kronecker product of matrices", |b, args| {
    let (a, c) = (b.shape(args[0]).0.clone(), b.shape(args[1]).0.clone());
    let blocks = Shape(vec![a[0], c[0], a[1], c[1]]);
    let left = b.broadcast(args[0], vec![0, 2], blocks.clone());
    let right = b.broadcast(args[1], vec![1, 3], blocks);
    let product = b.mul(left, right);
    b.reshape(product, [a[0] * c[0], a[1] * c[1]])
})
.shape(shape)
.form(Form::Infix { symbol: " ⊗ ", level: 2 });

fn shape(args: &[Shape]) -> Result<Shape, WrongArguments> {
    shapes::rank(args, 0, 2..=2, "a matrix")?;
    shapes::rank(args, 1, 2..=2, "a matrix")?;
    let (a, b) = (&args[0].0, &args[1].0);
    Ok(Shape::matrix(a[0] * b[0], a[1] * b[1]))
}
