//! The idx format of the MNIST files.
//!
//! ```text
//! 0 0 type rank | rank extents, u32, big end first | entries, big end first
//! ```

use super::element::{self, Element, Order};
use super::errors::Fault;
use crate::tape::{Shape, Tensor};

pub(super) fn read(bytes: &[u8]) -> Result<Tensor, Fault> {
    let &[0, 0, kind, rank, ref rest @ ..] = bytes else {
        return Err(Fault::malformed("it isn't an idx file: those begin with two zero bytes"));
    };
    let element = match kind {
        0x08 => Element::U8,
        0x09 => Element::I8,
        0x0b => Element::I16,
        0x0c => Element::I32,
        0x0d => Element::F32,
        0x0e => Element::F64,
        _ => return Err(Fault::malformed(format!("idx knows no type of entry numbered {kind:#04x}"))),
    };
    let (extents, _) = rest.as_chunks::<4>();
    let Some(extents) = extents.get(..usize::from(rank)) else {
        return Err(Fault::malformed(format!("it ends within its header, which announces {rank} extents")));
    };
    let extents: Vec<usize> = extents.iter().map(|&extent| u32::from_be_bytes(extent) as usize).collect();
    let entries = &rest[4 * extents.len()..];
    element::entries(&extents, element, entries.len())?;
    Ok(Tensor::f64(Shape(extents), element.decode(entries, Order::BigFirst)))
}
