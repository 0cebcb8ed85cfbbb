//! `conv(x, kernel)ᵢ = Σⱼ kernelⱼ xᵢ₋ⱼ`, the full convolution of two vectors, or of two matrices along both
//! axes: beyond its ends `x` is 0, and the result is longer by the kernel less one.
//!
//! A sum over the kernel's elements of shifted copies, each times a number.

use crate::catalogue::member::{Form, Member, WrongArguments};
use crate::tape::ops::Range;
use crate::tape::{Builder, Op, Shape, Type, Value};

pub const MEMBER: Member =
    Member::total("conv(x, kernel)", "convolution of vectors or of matrices; beyond its ends x is 0", |b, args| {
        let (x, kernel) = (b.shape(args[0]).clone(), b.shape(args[1]).clone());
        let ty = Type { dtype: b.dtype(args[0]), shape: full(&x, &kernel) };
        sum_over(b, args[0], args[1], |b, x, at| {
            let extents = b.shape(x).0.clone();
            let ranges = extents.iter().zip(at).map(|(&len, &start)| Range { start, len, step: 1 }).collect();
            b.push(Op::Unslice(ranges), vec![x], ty.clone())
        })
    })
    .shape(|args| ranks_fit(args).map(|()| full(&args[0], &args[1])))
    .form(Form::Infix { symbol: " ∗ ", level: 2 });

fn full(x: &Shape, kernel: &Shape) -> Shape {
    Shape(x.0.iter().zip(&kernel.0).map(|(n, k)| n + k - 1).collect())
}

/// A signal and a kernel of one rank, the latter with elements.
pub fn ranks_fit(args: &[Shape]) -> Result<(), WrongArguments> {
    crate::catalogue::shapes::rank(args, 0, 1..=2, "a vector or a matrix")?;
    if args[1].numel() == 0 || args[0].numel() == 0 {
        let at = usize::from(args[0].numel() > 0);
        return Err(WrongArguments::Argument { at, wanted: "something with elements" });
    }
    match args[0].rank() == args[1].rank() {
        true => Ok(()),
        false => Err(WrongArguments::Disagree { left: 0, right: 1, rule: "both must be vectors or both matrices" }),
    }
}

/// `Σⱼ kernelⱼ · shifted(x, j)` over the kernel's positions.
pub fn sum_over(
    b: &mut Builder,
    x: Value,
    kernel: Value,
    mut shifted: impl FnMut(&mut Builder, Value, &[usize]) -> Value,
) -> Value {
    let extents = b.shape(kernel).0.clone();
    let mut total: Option<Value> = None;
    for flat in 0..extents.iter().product::<usize>() {
        let at: Vec<usize> = match extents[..] {
            [_, columns] => vec![flat / columns, flat % columns],
            _ => vec![flat],
        };
        let tap = b.slice(kernel, at.iter().map(|&start| Range { start, len: 1, step: 1 }).collect());
        let tap = b.reshape(tap, Shape::scalar());
        let scaled = b.mul(tap, x);
        let moved = shifted(b, scaled, &at);
        total = Some(match total {
            None => moved,
            Some(sum) => b.add(sum, moved),
        });
    }
    total.expect("a kernel has elements (ranks_fit)")
}
