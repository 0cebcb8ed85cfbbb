//! `norm_half(x) = Σᵢ √|xᵢ|`; kinks where an element is 0. Its step is half thresholding: 0 where
//! `|v| ≤ (3/2) t^⅔`, else with `r³ − r + q = 0`, `q = t/(2|v|^{3/2})`, and `r` its greatest root
//!
//! ```text
//! prox_{tφ}(v) = v r²
//! ```
//!
//! Xu, Chang, Xu & Zhang, L½ regularization: a thresholding representation theory and a fast solver (2012),
//! who give the root by a cosine; here Newton's method finds it from 1, from which it falls to at least
//! `√(2/3)`.

use crate::catalogue::member::{Form, Member};
use crate::catalogue::prox::Prox;
use crate::tape::ops::{Binary, Unary};
use crate::tape::{Builder, Value};

pub const MEMBER: Member = Member::total("norm_half(x)", "sum of the roots of the magnitudes", |b, args| {
    let size = b.unary(Unary::Abs, args[0]);
    let roots = b.unary(Unary::Sqrt, size);
    b.sum(roots)
})
.form(Form::Template("‖{0}‖½^½"))
.kinked()
.prox(Prox::separable(step).nonconvex());

fn step(b: &mut Builder, v: Value, t: Value, _: &[Value]) -> Value {
    let size = b.unary(Unary::Abs, v);
    let root = b.unary(Unary::Sqrt, size);
    let power = b.mul(size, root);
    let twice = b.scale(2.0, power);
    let q = b.div(t, twice);
    // At the threshold |v|^{3/2} = (3/2)^{3/2} t, and q = ½(2/3)^{3/2}.
    let most = b.constant_like(0.5 * (2.0f64 / 3.0).powf(1.5), q);
    let zero = b.constant_like(0.0, v);
    let above = b.binary(Binary::Less, q, most);
    let q = b.select(above, q, zero);
    let mut r = b.constant_like(1.0, v);
    // From the farthest start the fifth step is below a rounding.
    for _ in 0..6 {
        let square = b.unary(Unary::Square, r);
        let less = b.offset(square, -1.0);
        let cube = b.mul(less, r);
        let excess = b.add(cube, q);
        let triple = b.scale(3.0, square);
        let slope = b.offset(triple, -1.0);
        let step = b.div(excess, slope);
        r = b.sub(r, step);
    }
    let square = b.unary(Unary::Square, r);
    let x = b.mul(v, square);
    // Of v = 0 and t = 0 there is no q; a NaN is kept.
    let size = b.unary(Unary::Abs, x);
    let nothing = b.binary(Binary::LessEqual, size, zero);
    let kept = b.binary(Binary::Max, above, nothing);
    let is_number = b.binary(Binary::Equal, x, x);
    let kept = b.select(is_number, kept, is_number);
    let cut = b.select(kept, x, zero);
    b.select(is_number, cut, x)
}
