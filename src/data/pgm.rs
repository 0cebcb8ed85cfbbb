//! Portable grey maps and pixel maps (Netpbm's PGM and PPM), in text or in bytes: `[rows, columns]`, in
//! colour `[rows, columns, 3]`, divided by the greatest value that the file announces.
//!
//! ```text
//! P2 | P5 | P3 | P6   columns rows greatest   then the values, row by row; # begins a comment
//! ```

use super::errors::Fault;
use super::picture;
use crate::tape::Tensor;

pub(super) fn read(bytes: &[u8]) -> Result<Tensor, Fault> {
    let (text, samples) = match bytes.get(..2) {
        Some(b"P2") => (true, 1),
        Some(b"P5") => (false, 1),
        Some(b"P3") => (true, 3),
        Some(b"P6") => (false, 3),
        _ => return Err(Fault::malformed("it is no grey map or pixel map: those begin with P2, P5, P3 or P6")),
    };
    let mut rest = &bytes[2..];
    let mut header = |what: &str| {
        let word = word(&mut rest);
        if word.is_empty() {
            return Err(Fault::malformed(format!("it ends before the {what} of its image")));
        }
        let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<usize>().ok());
        number.filter(|&number| number > 0).ok_or_else(|| {
            let text = String::from_utf8_lossy(word).into_owned();
            Fault::Malformed { place: None, text: Some(text), reason: format!("is no {what} of an image") }
        })
    };
    let (width, height, most) = (header("width")?, header("height")?, header("greatest value")?);
    if most > usize::from(u16::MAX) {
        return Err(Fault::malformed(format!("its greatest value is {most}, and 65535 is allowed")));
    }
    let wanted = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(samples));
    // A value takes a byte at least.
    let Some(wanted) = wanted.filter(|&wanted| wanted <= bytes.len()) else {
        return Err(Fault::malformed(format!(
            "its header says {height} × {width}, which {} bytes can't hold",
            bytes.len()
        )));
    };
    let values = match text {
        true => in_text(rest, wanted, most)?,
        false => in_bytes(rest, wanted, most)?,
    };
    let elements = values.into_iter().map(|value| value as f64 / most as f64).collect();
    Ok(picture(height, width, samples, elements))
}

/// The next word, behind spaces and comments.
fn word<'b>(rest: &mut &'b [u8]) -> &'b [u8] {
    loop {
        *rest = rest.trim_ascii_start();
        if !rest.starts_with(b"#") {
            break;
        }
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        *rest = &rest[end..];
    }
    let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'#').unwrap_or(rest.len());
    let (word, left) = rest.split_at(end);
    *rest = left;
    word
}

fn in_text(mut rest: &[u8], wanted: usize, most: usize) -> Result<Vec<usize>, Fault> {
    let mut values = Vec::with_capacity(wanted);
    while values.len() < wanted {
        let word = word(&mut rest);
        if word.is_empty() {
            break;
        }
        match std::str::from_utf8(word).ok().and_then(|word| word.parse().ok()) {
            Some(value) if value <= most => values.push(value),
            _ => {
                let (text, at) = (String::from_utf8_lossy(word).into_owned(), values.len() + 1);
                let reason = format!("is no value from 0 to {most} (value {at} of the image)");
                return Err(Fault::Malformed { place: None, text: Some(text), reason });
            }
        }
    }
    enough(values.len(), wanted)?;
    Ok(values)
}

/// A byte a value, or two, the greater one first, where the greatest takes two.
fn in_bytes(rest: &[u8], wanted: usize, most: usize) -> Result<Vec<usize>, Fault> {
    // One space, and no more, ends the header.
    let rest = rest.get(1..).unwrap_or(&[]);
    let values: Vec<usize> = match most {
        0..=255 => rest.iter().take(wanted).map(|&byte| usize::from(byte)).collect(),
        _ => {
            let pairs = rest.as_chunks::<2>().0.iter().take(wanted);
            pairs.map(|&pair| usize::from(u16::from_be_bytes(pair))).collect()
        }
    };
    enough(values.len(), wanted)?;
    match values.iter().position(|&value| value > most) {
        None => Ok(values),
        Some(at) => Err(Fault::malformed(format!("value {} of the image is {}, above {most}", at + 1, values[at]))),
    }
}

/// More than one image may follow another; less than one is a fault.
fn enough(found: usize, wanted: usize) -> Result<(), Fault> {
    if found >= wanted {
        return Ok(());
    }
    Err(Fault::malformed(format!("its header asks for {wanted} values, and {found} follow")))
}
