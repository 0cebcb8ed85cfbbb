//! Derivatives against central differences, both in doubles: of `⟨c, y(x)⟩` for a random cotangent
//! `c`, input by input, along a random direction `d` that is scaled to the size of each element.
//!
//! ```text
//! D(h) = ⟨c, y(x + hd) − y(x − hd)⟩ / 2h        against ⟨ȳ(c), d⟩ and ⟨c, ẏ(d)⟩
//! ```
//!
//! What a difference can show is known: its truncation is a third of `D(2h) − D(h)`, and rounding adds
//! `eps·⟨|c|, |y|⟩/h`, and `eps·⟨|ȳ|, |d|⟩` in the derivative itself. A comparison carries that as its
//! tolerance, three times the first and eight times the others. At a kink any slope between the one-sided ones will do, so half their jump is added: with
//! `g(h) = (y(x + hd) − 2y(x) + y(x − hd))/h` it is `2g(h) − g(2h)`, which vanishes where `y` is smooth.

use super::interpret::{Rounding, interpret};
use crate::tape::philox::{Stream, key};
use crate::tape::{Builder, Dtype, Program, Type, Value, jvp, vjp};

/// Relative step of the differences; about the cube root of eps, where the two errors meet.
const STEP: f64 = 1e-5;

/// The derivative of an output by an input, along one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Name of the input.
    pub input: String,
    /// By central differences.
    pub difference: f64,
    /// By reverse mode.
    pub reverse: f64,
    /// By forward mode.
    pub forward: f64,
    /// How far apart they may be: what is known of the difference's own error.
    pub tolerance: f64,
}

impl Comparison {
    /// Whether the output is finite at the point and around it; elsewhere there is nothing to compare.
    pub fn is_defined(&self) -> bool {
        self.difference.is_finite() && self.tolerance.is_finite()
    }

    /// Whether both modes agree with the difference. NaN does not.
    pub fn agrees(&self) -> bool {
        self.error() <= self.tolerance
    }

    /// How far the worse of the two modes is from the difference; NaN if either is one.
    pub fn error(&self) -> f64 {
        let [reverse, forward] = [self.reverse, self.forward].map(|mode| (mode - self.difference).abs());
        // `max` would drop a NaN.
        if reverse >= forward || reverse.is_nan() { reverse } else { forward }
    }
}

/// Compares the derivatives of the output at that position by each floating input, at a point given
/// by the elements of all inputs.
pub fn gradcheck(program: &Program, output: usize, at: &[Vec<f64>], seed: u64) -> Vec<Comparison> {
    let floats = program.inputs.iter().enumerate().filter(|(_, input)| program.ty(input.value).dtype.is_float());
    floats.map(|(position, _)| compare(program, output, at, position, seed)).collect()
}

/// Compares the derivatives of the output at that position by one floating input.
pub fn compare(program: &Program, output: usize, at: &[Vec<f64>], position: usize, seed: u64) -> Comparison {
    let y = program.outputs[output].value;
    let normals = |stream, n: usize| -> Vec<f64> {
        let stream = Stream::new(key(seed), stream);
        (0..n as u64).map(|j| stream.normal(position as u32, j, Dtype::F64)).collect()
    };
    let size = |x: f64| if x == 0.0 { 1.0 } else { x.abs() };
    let direction: Vec<f64> =
        normals(0, at[position].len()).iter().zip(&at[position]).map(|(d, &x)| d * size(x)).collect();
    let cotangent = normals(1, program.ty(y).shape.numel());

    let value = |h: f64| {
        let mut inputs = at.to_vec();
        inputs[position].iter_mut().zip(&direction).for_each(|(x, d)| *x += h * d);
        interpret(program, &inputs, Rounding::Outputs).swap_remove(y.index())
    };
    let here = value(0.0);
    let size_here = magnitude(&cotangent, &here);
    let here = dot(&cotangent, &here);
    // The central difference, what the slope gains across the point, and the size of the sums.
    let sides = |h: f64| {
        let [right, left] = [value(h), value(-h)];
        let size = size_here.max(magnitude(&cotangent, &right)).max(magnitude(&cotangent, &left));
        let [right, left] = [right, left].map(|y| dot(&cotangent, &y));
        ((right - left) / (2.0 * h), ((right - here) - (here - left)) / h, size)
    };
    let [(narrow, gain, _), (wide, wide_gain, size)] = [sides(STEP), sides(2.0 * STEP)];
    let jump = (2.0 * gain - wide_gain).abs();

    let (derivatives, [reverse, forward]) = derivatives(program, y, position);
    let mut inputs = at.to_vec();
    inputs.extend([cotangent.clone(), direction.clone()]);
    let values = interpret(&derivatives, &inputs, Rounding::Outputs);
    // Capped, so that a derivative that is no number is found wrong, not the point undefined.
    let rounding = size / STEP + magnitude(&values[reverse.index()], &direction).min(f64::MAX);
    Comparison {
        input: program.inputs[position].name.clone(),
        difference: narrow,
        reverse: dot(&values[reverse.index()], &direction),
        forward: dot(&cotangent, &values[forward.index()]),
        tolerance: (wide - narrow).abs() + jump / 2.0 + 8.0 * f64::EPSILON * rounding + f64::MIN_POSITIVE,
    }
}

/// The program followed by both derivatives, with a cotangent and a direction as further inputs.
fn derivatives(program: &Program, y: Value, position: usize) -> (Program, [Value; 2]) {
    let mut named = program.clone();
    named.outputs = vec![crate::tape::Output { name: "y".into(), value: y }];
    let mut b = Builder::new("derivatives");
    let ty = |value: Value| -> Type { program.ty(value).clone() };
    let inputs: Vec<Value> = program.inputs.iter().map(|input| b.input(input.name.clone(), ty(input.value))).collect();
    let pasted = b.inline(&named, &inputs)[0];
    let cotangent = b.input(" cotangent", ty(y));
    let direction = b.input(" direction", ty(program.inputs[position].value));
    let reverse = vjp(&mut b, pasted, cotangent, &inputs[position..=position])[0];
    let forward = jvp(&mut b, pasted, &inputs[position..=position], &[direction]);
    (b.finish(), [reverse, forward])
}

/// The size of what a dot product sums.
fn magnitude(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
