//! PNG images, `[rows, columns]` where they are grey and `[rows, columns, 3]` in colour: red, green, blue.
//! 0 is black and 1 is the brightest that the file can say, as stored, without its gamma. Transparency is
//! left out.

use std::io::Cursor;

use ::png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::errors::Fault;
use super::picture;
use crate::tape::Tensor;

/// Bytes that an image may unpack to: a small file can claim a large one.
const MOST: usize = 1 << 30;

pub(super) fn read(bytes: &[u8]) -> Result<Tensor, Fault> {
    if !bytes.starts_with(b"\x89PNG") {
        return Err(Fault::malformed("it is no PNG image: those begin with the bytes 89 50 4E 47"));
    }
    let damaged = |error: ::png::DecodingError| {
        let text = error.to_string();
        // What follows is the decoder's own state.
        let reason = text.split(" while decoding").next().unwrap_or(&text);
        Fault::malformed(format!("the PNG image is damaged ({reason})"))
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MOST });
    // Palettes as colours, fewer bits than eight as eight.
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let size = reader.output_buffer_size().filter(|&size| size <= MOST);
    let Some(size) = size else {
        let info = reader.info();
        return Err(Fault::malformed(format!("it says {} × {}, more than 1 GiB of pixels", info.height, info.width)));
    };
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(damaged)?;
    pixels.truncate(frame.buffer_size());
    let values: Vec<f64> = match frame.bit_depth {
        BitDepth::Sixteen => {
            let (pairs, _) = pixels.as_chunks::<2>();
            pairs.iter().map(|&pair| f64::from(u16::from_be_bytes(pair)) / f64::from(u16::MAX)).collect()
        }
        _ => pixels.iter().map(|&byte| f64::from(byte) / f64::from(u8::MAX)).collect(),
    };
    let (samples, kept) = match frame.color_type {
        ColorType::Grayscale => (1, 1),
        ColorType::GrayscaleAlpha => (2, 1),
        ColorType::Rgb | ColorType::Indexed => (3, 3),
        ColorType::Rgba => (4, 3),
    };
    let opaque = values.chunks_exact(samples).flat_map(|pixel| &pixel[..kept]).copied().collect();
    Ok(picture(frame.height as usize, frame.width as usize, kept, opaque))
}
