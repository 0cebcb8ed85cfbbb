//! Convolution of images, as PyTorch defines it (a cross-correlation), and its two adjoints. All three
//! are derivatives of one form, linear in each of an input `x: [N, C, H, W]`, a kernel
//! `w: [O, C/G, h, v]` and an output `y: [N, O, P, Q]`:
//!
//! ```text
//! ⟨y, w ∗ x⟩ = Σ y[n,o,p,q] w[o,c,i,j] x[n, c + C/G·⌊o/(O/G)⌋, s₁p + d₁i − m₁, s₂q + d₂j − m₂]
//! ```
//!
//! with strides s, dilations d, margins m of zeros and G groups of channels. The derivative by `y` is the
//! convolution, by `x` the transposed convolution, by `w` what training a kernel needs. Derivatives of
//! each are the other two (Dumoulin & Visin, A guide to convolution arithmetic, 2016, §4).

use super::rule::{Operand, Rule, Site, ensure, ensure_float, linear, operands, total};
use super::{ConvPart, Op, Window};
use crate::tape::{Builder, Shape, Type, Value};

pub(crate) struct Conv {
    pub part: ConvPart,
    pub window: Window,
}

impl ConvPart {
    /// Input, kernel and output, of operands and result in this order.
    pub fn roles<T>(self, [a, b, result]: [T; 3]) -> [T; 3] {
        match self {
            ConvPart::Output => [a, b, result],
            ConvPart::Input => [result, b, a],
            ConvPart::Kernel => [a, result, b],
        }
    }
}

impl Window {
    /// Positions of the window along an axis (0 or 1) of `extent`, for a kernel of `taps`: none where it
    /// does not fit.
    pub fn positions(&self, axis: usize, extent: usize, taps: usize) -> usize {
        let reach = self.dilation[axis] * taps.saturating_sub(1) + 1;
        match (extent + 2 * self.padding[axis]).checked_sub(reach) {
            Some(room) if taps > 0 => room / self.stride[axis] + 1,
            _ => 0,
        }
    }

    /// The least extent along an axis that has so many positions: what a transposed convolution gives.
    pub fn extent(&self, axis: usize, positions: usize, taps: usize) -> Option<usize> {
        let reach = self.stride[axis] * positions.checked_sub(1)? + self.dilation[axis] * taps.checked_sub(1)? + 1;
        reach.checked_sub(2 * self.padding[axis]).filter(|&extent| extent > 0)
    }
}

impl Rule for Conv {
    fn check(&self, args: &[&Type], ty: &Type) -> Result<(), String> {
        let [a, b] = operands(args)?;
        ensure_float(ty)?;
        ensure(a.dtype == ty.dtype && b.dtype == ty.dtype, || format!("dtypes differ: {a}, {b} and {ty}"))?;
        let all = self.part.roles([a, b, ty]);
        let [x, w, y] = all.map(|ty| &ty.shape.0[..]);
        let (&[n, c, h, v], &[o, part, i, j], &[m, channels, p, q]) = (x, w, y) else {
            return Err(format!("{}, {} and {} are not all of four axes", all[0], all[1], all[2]));
        };
        let Window { stride, dilation, groups, .. } = self.window;
        ensure(stride.iter().chain(&dilation).all(|&step| step > 0) && groups > 0, || "a step is 0".into())?;
        ensure(n == m && o == channels && c == part * groups && o % groups == 0, || {
            format!("{}, {} and {} do not go together", all[0], all[1], all[2])
        })?;
        let expected = [self.window.positions(0, h, i), self.window.positions(1, v, j)];
        ensure([p, q] == expected, || {
            format!("the window has {} × {} positions, not {p} × {q}", expected[0], expected[1])
        })
    }

    fn eval(&self, args: &[Operand], ty: &Type) -> Vec<f64> {
        let [x, w, y] = self.part.roles([args[0].ty, args[1].ty, ty]);
        let mut result = vec![0.0; ty.shape.numel()];
        let (a, b) = (args[0].x, args[1].x);
        each(&self.window, [&x.shape, &w.shape, &y.shape], |x, w, y| match self.part {
            ConvPart::Output => result[y] += a[x] * b[w],
            ConvPart::Input => result[x] += a[y] * b[w],
            ConvPart::Kernel => result[w] += a[x] * b[y],
        });
        result
    }

    fn vjp(&self, b: &mut Builder, at: Site, k: usize, cotangent: Value) -> Option<Value> {
        let ty = b.ty(at.args[k]).clone();
        let other = at.args[1 - k];
        let (part, args) = match (self.part, k) {
            (ConvPart::Output, 0) => (ConvPart::Input, [cotangent, other]),
            (ConvPart::Output, _) => (ConvPart::Kernel, [other, cotangent]),
            (ConvPart::Input, 0) => (ConvPart::Output, [cotangent, other]),
            (ConvPart::Input, _) => (ConvPart::Kernel, [cotangent, other]),
            (ConvPart::Kernel, 0) => (ConvPart::Input, [other, cotangent]),
            (ConvPart::Kernel, _) => (ConvPart::Output, [other, cotangent]),
        };
        Some(b.push(Op::Conv { part, window: self.window }, args.to_vec(), ty))
    }

    fn jvp(&self, b: &mut Builder, at: Site, tangents: &[Option<Value>]) -> Option<Value> {
        let parts = [0, 1].map(|k| tangents[k].map(|tangent| linear(b, at, k, tangent)));
        total(b, parts)
    }
}

/// Visits the positions in input, kernel and output of every product of the form.
fn each(window: &Window, [x, w, y]: [&Shape; 3], mut visit: impl FnMut(usize, usize, usize)) {
    let (xs, ws, ys) = (x.strides(), w.strides(), y.strides());
    let outputs = y.0[1] / window.groups;
    let inside = |axis: usize, position: usize, tap: usize, extent: usize| {
        let at = window.stride[axis] * position + window.dilation[axis] * tap;
        at.checked_sub(window.padding[axis]).filter(|&at| at < extent)
    };
    for n in 0..y.0[0] {
        for o in 0..y.0[1] {
            for c in 0..w.0[1] {
                let channel = c + w.0[1] * (o / outputs);
                for i in 0..w.0[2] {
                    for j in 0..w.0[3] {
                        for p in 0..y.0[2] {
                            let Some(row) = inside(0, p, i, x.0[2]) else { continue };
                            for q in 0..y.0[3] {
                                let Some(column) = inside(1, q, j, x.0[3]) else { continue };
                                visit(
                                    n * xs[0] + channel * xs[1] + row * xs[2] + column,
                                    o * ws[0] + c * ws[1] + i * ws[2] + j,
                                    n * ys[0] + o * ys[1] + p * ys[2] + q,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}
