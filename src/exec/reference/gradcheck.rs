//! Derivatives against central differences, both in doubles: of `⟨c, y(x)⟩` for a random cotangent
//! `c`, input by input, along a random direction `d` that is scaled to the size of each element.
//!
//! ```text
//! D(h) = ⟨c, y(x + hd) − y(x − hd)⟩ / 2h        against ⟨ȳ(c), d⟩ and ⟨c, ẏ(d)⟩
//! ```
//!
//! What a difference can show is known: its truncation is a third of `D(2h) − D(h)`, and rounding adds
//! `eps·⟨|c|, |y|⟩/h`. A comparison carries that as its tolerance, three times the one and eight times
//! the other.

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
    /// Whether both modes agree with the difference. NaN does not.
    pub fn agrees(&self) -> bool {
        [self.reverse, self.forward].iter().all(|mode| (mode - self.difference).abs() <= self.tolerance)
    }
}

/// Compares the derivatives of the output at that position by each floating input, at a point given
/// by the elements of all inputs.
pub fn gradcheck(program: &Program, output: usize, at: &[Vec<f64>], seed: u64) -> Vec<Comparison> {
    let floats = program.inputs.iter().enumerate().filter(|(_, input)| program.ty(input.value).dtype.is_float());
    floats.map(|(position, _)| compare(program, output, at, position, seed)).collect()
}

fn compare(program: &Program, output: usize, at: &[Vec<f64>], position: usize, seed: u64) -> Comparison {
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
    let difference = |h: f64| (dot(&cotangent, &value(h)) - dot(&cotangent, &value(-h))) / (2.0 * h);
    let [narrow, wide] = [difference(STEP), difference(2.0 * STEP)];
    let magnitude: f64 = cotangent.iter().zip(value(0.0)).map(|(c, y)| (c * y).abs()).sum();

    let (derivatives, [reverse, forward]) = derivatives(program, y, position);
    let mut inputs = at.to_vec();
    inputs.extend([cotangent.clone(), direction.clone()]);
    let values = interpret(&derivatives, &inputs, Rounding::Outputs);
    Comparison {
        input: program.inputs[position].name.clone(),
        difference: narrow,
        reverse: dot(&values[reverse.index()], &direction),
        forward: dot(&cotangent, &values[forward.index()]),
        tolerance: (wide - narrow).abs() + 8.0 * f64::EPSILON * magnitude / STEP + f64::MIN_POSITIVE,
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

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
