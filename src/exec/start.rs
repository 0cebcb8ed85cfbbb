//! Where states start: zeros, data, or random numbers that depend on the seed alone.

use crate::schedule::ir::{Law, Start, State};
use crate::tape::philox::{self, Stream};
use crate::tape::{Dtype, Elements, Tensor};

/// The starting value of a state; `None` for zeros.
pub fn tensor(state: &State, seed: u64) -> Option<Tensor> {
    let ty = state.buffer();
    match &state.init {
        Start::Zeros => None,
        Start::Fill(value) => Some(fill(&Tensor::zeros(&ty), *value)),
        Start::Given(tensor) => Some(repeated(tensor, state).cast(ty.dtype)),
        Start::Random { stream, segments } => {
            let one = state.ty.shape.numel();
            let mut values = vec![0.0; ty.shape.numel()];
            for member in 0..state.family.unwrap_or(1) {
                for (at, &(offset, len, law)) in segments.iter().enumerate() {
                    let target = &mut values[member * one + offset..][..len];
                    let step = (member * segments.len() + at) as u32;
                    draw(target, philox::key(seed), *stream, step, law);
                }
            }
            Some(Tensor::f64(ty.shape, values).cast(ty.dtype))
        }
    }
}

/// Numbers given for one member serve all.
fn repeated(tensor: &Tensor, state: &State) -> Tensor {
    let shape = state.buffer().shape;
    if tensor.numel() == shape.numel() {
        return tensor.clone().reshape(shape);
    }
    let one = tensor.to_f64();
    let all = one.iter().copied().cycle().take(shape.numel()).collect();
    Tensor::f64(shape, all)
}

fn fill(zeros: &Tensor, value: f64) -> Tensor {
    let n = zeros.numel();
    let elements = match zeros.dtype() {
        Dtype::F32 => Elements::F32(vec![value as f32; n].into()),
        Dtype::F64 => Elements::F64(vec![value; n].into()),
        Dtype::Index => Elements::Index(vec![value as u32; n].into()),
    };
    Tensor { shape: zeros.shape.clone(), elements }
}

fn draw(target: &mut [f64], key: [u32; 2], stream: u32, step: u32, law: Law) {
    let stream = Stream::new(key, stream);
    for (j, x) in target.iter_mut().enumerate() {
        *x = match law {
            Law::Normal { scale, shift } => shift + scale * stream.normal(step, j as u64, Dtype::F64),
            Law::Uniform { low, high } => low + (high - low) * stream.uniform(step, j as u64, Dtype::F64),
        };
    }
}
