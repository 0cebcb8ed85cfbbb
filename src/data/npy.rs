//! NumPy's npy format, versions 1 to 3 (NEP 1).
//!
//! ```text
//! "\x93NUMPY" major minor | header length, u16 or u32 | header | entries
//! ```
//!
//! The header is a Python dictionary of three keys, `{'descr': '<f8', 'fortran_order': False,
//! 'shape': (200, 50), }`. It is read by a scanner that knows this much and no more of Python.

use super::element::{self, Element, Order};
use super::errors::Fault;
use crate::tape::{Elements, Shape, Tensor};

const MAGIC: &[u8] = b"\x93NUMPY";

/// The array of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Tensor, Fault> {
    let (header, entries) = cut(bytes)?;
    let Header { element, order, fortran, extents } = parse(header)?;
    element::entries(&extents, element, entries.len())?;
    let values = element.decode(entries, order);
    let values = if fortran { row_major(values, &extents) } else { values };
    Ok(Tensor::f64(Shape(extents), values))
}

/// The bytes of a file that holds this array.
pub(super) fn write(tensor: &Tensor) -> Vec<u8> {
    let descr = match tensor.elements {
        Elements::F32(_) => "<f4",
        Elements::F64(_) => "<f8",
        Elements::Index(_) => "<u4",
    };
    // A tuple of one needs its comma.
    let shape: String = tensor.shape.0.iter().map(|extent| format!("{extent}, ")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    // Entries start at a multiple of 64 bytes; the header's last byte is a line feed.
    let length = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64) - MAGIC.len() - 4;
    while header.len() + 1 < length {
        header.push(' ');
    }
    header.push('\n');

    let length = u16::try_from(header.len()).expect("a tensor of a few axes has a short header");
    let mut bytes = [MAGIC, &[1, 0], &length.to_le_bytes(), header.as_bytes()].concat();
    match &tensor.elements {
        Elements::F32(values) => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Elements::F64(values) => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Elements::Index(values) => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
    }
    bytes
}

/// Header text and entries.
fn cut(bytes: &[u8]) -> Result<(&str, &[u8]), Fault> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(Fault::malformed("it isn't an npy file: those begin with \\x93NUMPY"));
    };
    let (length, rest) = match *rest {
        [1, _, a, b, ref rest @ ..] => (u32::from(u16::from_le_bytes([a, b])), rest),
        [2 | 3, _, a, b, c, d, ref rest @ ..] => (u32::from_le_bytes([a, b, c, d]), rest),
        [major, minor, ..] => return Err(Fault::malformed(format!("npy has no version {major}.{minor}"))),
        _ => return Err(Fault::malformed("it ends within its header")),
    };
    let Some((header, entries)) = rest.split_at_checked(length as usize) else {
        return Err(Fault::malformed("it ends within its header"));
    };
    match str::from_utf8(header) {
        Ok(header) => Ok((header, entries)),
        Err(_) => Err(Fault::malformed("its header isn't text")),
    }
}

struct Header {
    element: Element,
    order: Order,
    fortran: bool,
    extents: Vec<usize>,
}

fn parse(header: &str) -> Result<Header, Fault> {
    let unclear = |key: &str| Fault::malformed(format!("its header states no `{key}` that can be read"));
    let descr = after(header, "descr").ok_or_else(|| unclear("descr"))?;
    if descr.starts_with('[') {
        return Err(Fault::malformed("it holds records, and numbers of one type are needed"));
    }
    let quote = descr.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
    let descr = quote.and_then(|quote| descr[1..].split_once(quote)).ok_or_else(|| unclear("descr"))?.0;
    let (element, order) = element_of(descr)?;

    let fortran = after(header, "fortran_order").ok_or_else(|| unclear("fortran_order"))?;
    let fortran = match fortran {
        text if text.starts_with("True") => true,
        text if text.starts_with("False") => false,
        _ => return Err(unclear("fortran_order")),
    };

    let shape = after(header, "shape").and_then(|text| text.strip_prefix('(')?.split_once(')'));
    let (shape, _) = shape.ok_or_else(|| unclear("shape"))?;
    let extents = shape.split(',').map(str::trim).filter(|extent| !extent.is_empty());
    let extents = extents.map(|extent| extent.trim_end_matches('L').parse()).collect::<Result<_, _>>();
    Ok(Header { element, order, fortran, extents: extents.map_err(|_| unclear("shape"))? })
}

/// The text behind `'key':`.
fn after<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let at = ['\'', '"'].iter().find_map(|quote| {
        let quoted = format!("{quote}{key}{quote}");
        header.find(&quoted).map(|at| at + quoted.len())
    })?;
    header[at..].trim_start().strip_prefix(':').map(str::trim_start)
}

/// `<f8` and its kin.
fn element_of(descr: &str) -> Result<(Element, Order), Fault> {
    let unknown = || Fault::malformed(format!("its entries are of type '{descr}', and real numbers are needed"));
    let (order, kind) = match descr.split_at_checked(1).ok_or_else(unknown)? {
        ("<" | "|" | "=", kind) => (Order::LittleFirst, kind),
        (">", kind) => (Order::BigFirst, kind),
        _ => (Order::LittleFirst, descr),
    };
    let element = match kind {
        "f8" => Element::F64,
        "f4" => Element::F32,
        "f2" => Element::F16,
        "i8" => Element::I64,
        "i4" => Element::I32,
        "i2" => Element::I16,
        "i1" => Element::I8,
        "u8" => Element::U64,
        "u4" => Element::U32,
        "u2" => Element::U16,
        "u1" => Element::U8,
        "b1" => Element::Bool,
        _ => return Err(unknown()),
    };
    Ok((element, order))
}

/// Entries in Fortran's order (first index fastest) brought into ours (last index fastest).
fn row_major(values: Vec<f64>, extents: &[usize]) -> Vec<f64> {
    let mut strides = vec![1; extents.len()];
    for axis in 1..extents.len() {
        strides[axis] = strides[axis - 1] * extents[axis - 1];
    }
    let mut index = vec![0; extents.len()];
    let mut ordered = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        ordered.push(values[index.iter().zip(&strides).map(|(i, stride)| i * stride).sum::<usize>()]);
        for axis in (0..extents.len()).rev() {
            index[axis] += 1;
            if index[axis] < extents[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    ordered
}
