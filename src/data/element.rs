//! Numbers as binary formats store them.

use super::errors::Fault;

/// The type of an array's entries on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    Bf16,
    F32,
    F64,
}

impl Element {
    /// Bytes an entry takes.
    pub(super) fn bytes(self) -> usize {
        match self {
            Element::Bool | Element::U8 | Element::I8 => 1,
            Element::U16 | Element::I16 | Element::F16 | Element::Bf16 => 2,
            Element::U32 | Element::I32 | Element::F32 => 4,
            Element::U64 | Element::I64 | Element::F64 => 8,
        }
    }

    /// All entries as doubles. 64-bit integers are rounded to the nearest.
    pub(super) fn decode(self, bytes: &[u8], order: Order) -> Vec<f64> {
        match self {
            Element::Bool => bytes.iter().map(|&byte| f64::from(u8::from(byte != 0))).collect(),
            Element::U8 => bytes.iter().map(|&byte| f64::from(byte)).collect(),
            Element::I8 => bytes.iter().map(|&byte| f64::from(byte as i8)).collect(),
            Element::U16 => numbers(bytes, order, |b| f64::from(u16::from_le_bytes(b))),
            Element::I16 => numbers(bytes, order, |b| f64::from(i16::from_le_bytes(b))),
            Element::F16 => numbers(bytes, order, |b| half(u16::from_le_bytes(b))),
            Element::Bf16 => {
                numbers(bytes, order, |b| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)))
            }
            Element::U32 => numbers(bytes, order, |b| f64::from(u32::from_le_bytes(b))),
            Element::I32 => numbers(bytes, order, |b| f64::from(i32::from_le_bytes(b))),
            Element::F32 => numbers(bytes, order, |b| f64::from(f32::from_le_bytes(b))),
            Element::U64 => numbers(bytes, order, |b| u64::from_le_bytes(b) as f64),
            Element::I64 => numbers(bytes, order, |b| i64::from_le_bytes(b) as f64),
            Element::F64 => numbers(bytes, order, f64::from_le_bytes),
        }
    }
}

/// Which byte of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    LittleFirst,
    BigFirst,
}

fn numbers<const N: usize>(bytes: &[u8], order: Order, number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let (entries, _) = bytes.as_chunks::<N>();
    let entries = entries.iter().copied();
    match order {
        Order::LittleFirst => entries.map(number).collect(),
        Order::BigFirst => entries
            .map(|mut entry| {
                entry.reverse();
                number(entry)
            })
            .collect(),
    }
}

/// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    sign * match (bits >> 10) & 0x1f {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction) * 2f64.powi(i32::from(exponent) - 15),
    }
}

/// Number of entries of a claimed shape, once `held` bytes are known to be just as many.
pub(super) fn entries(extents: &[usize], element: Element, held: usize) -> Result<usize, Fault> {
    let shape = crate::tape::Shape(extents.to_vec());
    if extents.contains(&0) {
        return Err(Fault::malformed(format!("its shape is {shape}: it holds no numbers")));
    }
    let entries = extents.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
    let wanted = entries.and_then(|entries| entries.checked_mul(element.bytes()));
    match (entries, wanted) {
        (Some(entries), Some(wanted)) if wanted == held => Ok(entries),
        (_, Some(wanted)) => Err(Fault::malformed(format!(
            "its header says {shape}, which takes {wanted} bytes, and {held} bytes follow"
        ))),
        _ => Err(Fault::malformed(format!("its header says {shape}, more than any file can hold"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_by_its_landmarks() {
        let cases =
            [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333251953125), (0x7bff, 65504.0), (0x0001, 2f64.powi(-24))];
        for (bits, value) in cases {
            assert_eq!(half(bits), value, "{bits:#06x}");
        }
        assert_eq!(half(0xfc00), f64::NEG_INFINITY);
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn both_byte_orders() {
        assert_eq!(Element::I16.decode(&[0xfe, 0xff, 1, 0], Order::LittleFirst), [-2.0, 1.0]);
        assert_eq!(Element::I16.decode(&[0xff, 0xfe, 0, 1], Order::BigFirst), [-2.0, 1.0]);
        assert_eq!(Element::Bf16.decode(&[0x80, 0x3f], Order::LittleFirst), [1.0]);
    }

    #[test]
    fn a_claim_is_checked_before_it_is_believed() {
        assert_eq!(entries(&[2, 3], Element::F64, 48), Ok(6));
        assert!(entries(&[2, 3], Element::F64, 47).is_err());
        assert!(entries(&[usize::MAX, 2], Element::F64, 16).is_err());
        assert!(entries(&[usize::MAX / 2, 1], Element::F64, 16).is_err());
        assert!(entries(&[0, 4], Element::F64, 0).is_err());
    }
}
