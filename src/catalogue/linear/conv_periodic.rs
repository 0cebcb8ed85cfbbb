//! `conv_periodic(x, kernel)ᵢ = Σⱼ kernelⱼ xᵢ₊c₋ⱼ`, the convolution of a vector, or of a matrix along both
//! axes, that goes on at the front where it leaves at the end. `c` is the kernel's middle (of an even number
//! the one behind), so that a blur does not move the picture.

use super::conv::{ranks_fit, sum_over};
use super::turned;
use crate::catalogue::member::{Form, Member};

pub const MEMBER: Member = Member::total(
    "conv_periodic(x, kernel)",
    "convolution of vectors or of matrices, the kernel centred; behind the last element comes the first",
    |b, args| {
        let middle: Vec<usize> = b.shape(args[1]).0.iter().map(|n| n / 2).collect();
        sum_over(b, args[0], args[1], |b, x, at| {
            at.iter().zip(&middle).enumerate().fold(x, |x, (axis, (&j, &c))| {
                let n = b.shape(x).0[axis];
                // What stands at i + c − j comes to i.
                turned(b, x, axis, (c + n - j % n) % n)
            })
        })
    },
)
.shape(|args| ranks_fit(args).map(|()| args[0].clone()))
.form(Form::Infix { symbol: " ∗ ", level: 2 });
