//! Safetensors: named tensors behind a JSON header; what trained networks travel in.

use std::borrow::Cow;

use ::safetensors::{Dtype as Stored, SafeTensors, View, serialize, tensor::TensorView};

use super::element::{self, Element, Order};
use super::errors::Fault;
use crate::diag;
use crate::tape::{Elements, Shape, Tensor};

/// The tensor of that name, or the only one.
pub(super) fn read(bytes: &[u8], key: Option<&str>) -> Result<Tensor, Fault> {
    let named = read_all(bytes)?;
    let names = || named.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let found = match key {
        Some(key) => named.iter().position(|(name, _)| name == key),
        None => (named.len() == 1).then_some(0),
    };
    let Some(found) = found else {
        let near = key.and_then(|key| diag::closest(key, named.iter().map(|(name, _)| name.as_str())));
        let near = near.map(str::to_owned);
        return Err(Fault::Absent { what: "tensor", name: key.map(str::to_owned), near, available: names() });
    };
    Ok(named.into_iter().nth(found).expect("its position was just found").1)
}

/// Every tensor, in order of name.
pub(super) fn read_all(bytes: &[u8]) -> Result<Vec<(String, Tensor)>, Fault> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| Fault::malformed(format!("it isn't a safetensors file ({error})")))?;
    let mut named = file.tensors();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let tensor = |(name, view): (String, TensorView)| match decode(&view) {
        Ok(tensor) => Ok((name, tensor)),
        Err(fault) => Err(fault.inside(&name)),
    };
    named.into_iter().map(tensor).collect()
}

/// The bytes of a file of these tensors. The same tensors give the same bytes.
pub fn write<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>) -> Vec<u8> {
    serialize(tensors.into_iter().map(|(name, tensor)| (name, Outgoing(tensor))), None)
        .expect("the shape and the bytes come from one tensor")
}

fn decode(view: &TensorView) -> Result<Tensor, Fault> {
    let element = match view.dtype() {
        Stored::BOOL => Element::Bool,
        Stored::U8 => Element::U8,
        Stored::I8 => Element::I8,
        Stored::U16 => Element::U16,
        Stored::I16 => Element::I16,
        Stored::U32 => Element::U32,
        Stored::I32 => Element::I32,
        Stored::U64 => Element::U64,
        Stored::I64 => Element::I64,
        Stored::F16 => Element::F16,
        Stored::BF16 => Element::Bf16,
        Stored::F32 => Element::F32,
        Stored::F64 => Element::F64,
        other => return Err(Fault::malformed(format!("its entries are of type {other:?}, which can't be read"))),
    };
    element::entries(view.shape(), element, view.data().len())?;
    Ok(Tensor::f64(Shape(view.shape().to_vec()), element.decode(view.data(), Order::LittleFirst)))
}

/// A tensor as the library wants to see it.
struct Outgoing<'a>(&'a Tensor);

impl View for Outgoing<'_> {
    fn dtype(&self) -> Stored {
        match self.0.elements {
            Elements::F32(_) => Stored::F32,
            Elements::F64(_) => Stored::F64,
            Elements::Index(_) => Stored::U32,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape.0
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match &self.0.elements {
            Elements::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Elements::F64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Elements::Index(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    fn data_len(&self) -> usize {
        self.0.ty().bytes()
    }
}
