//! Grids of small images, as grey PNG.

use crate::tape::Tensor;

/// Every image is enlarged by a whole factor until its longer side has this many pixels.
const SIDE: usize = 40;

/// The grey between images and in empty places of the grid.
const GAP: u8 = 96;

/// A grey picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// From the top left, row by row; 0 is black.
    pub pixels: Vec<u8>,
}

/// Why a tensor can't be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPicture(pub String);

/// The first `rows × columns` images of a tensor `[n, h, w]`, or `[n, side²]`, with a pixel between
/// them. White is 1; black is −1 if any value is negative, else 0. Values outside [−1, 1] stretch
/// the scale to the least and the greatest of them. NaN is black.
pub fn grid(images: &Tensor, rows: usize, columns: usize) -> Result<Picture, NoPicture> {
    let (count, height, width) = match images.shape.0.as_slice() {
        &[count, height, width] | &[count, 1, height, width] => (count, height, width),
        &[count, size] => {
            let side = size.isqrt();
            if side * side != size {
                return Err(NoPicture(format!("{size} pixels are no square image; reshape to [n, height, width]")));
            }
            (count, side, side)
        }
        _ => {
            return Err(NoPicture(format!(
                "images are [n, height, width] or [n, side²], and this is {}",
                images.shape
            )));
        }
    };
    if count * height * width * rows * columns == 0 {
        return Err(NoPicture("there is nothing to draw".to_owned()));
    }
    let values = images.to_f64();
    let (black, white) = scale(&values);
    let factor = SIDE.div_ceil(height.max(width)).max(1);

    let mut picture = Picture {
        width: columns * (width * factor + 1) - 1,
        height: rows * (height * factor + 1) - 1,
        pixels: Vec::new(),
    };
    picture.pixels = vec![GAP; picture.width * picture.height];
    for (at, image) in values.chunks_exact(height * width).take(rows * columns).enumerate() {
        let (top, left) = (at / columns * (height * factor + 1), at % columns * (width * factor + 1));
        for y in 0..height * factor {
            for x in 0..width * factor {
                let value = image[y / factor * width + x / factor];
                let grey = ((value - black) / (white - black)).clamp(0.0, 1.0);
                picture.pixels[(top + y) * picture.width + left + x] = (255.0 * grey).round() as u8;
            }
        }
    }
    Ok(picture)
}

impl Picture {
    /// The bytes of a PNG file.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let side = |pixels: usize| u32::try_from(pixels).expect("a grid of small images has small sides");
        let mut encoder = ::png::Encoder::new(&mut bytes, side(self.width), side(self.height));
        encoder.set_color(::png::ColorType::Grayscale);
        encoder.set_depth(::png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&self.pixels)?;
            writer.finish()
        });
        written.expect("memory takes every byte, and there are width × height of them");
        bytes
    }
}

/// The values drawn black and white.
fn scale(values: &[f64]) -> (f64, f64) {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let (least, greatest) =
        finite.fold((0.0, 0.0), |(least, greatest): (f64, f64), value| (least.min(value), greatest.max(value)));
    match (least, greatest) {
        (least, greatest) if least < -1.0 || greatest > 1.0 => (least, greatest),
        (least, _) if least < 0.0 => (-1.0, 1.0),
        _ => (0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_stand_in_reading_order_with_a_pixel_between() {
        let images = Tensor::f64([3, 1, 2], vec![-1.0, 1.0, 0.0, 0.5, -1.0 / 3.0, f64::NAN]);
        let picture = grid(&images, 2, 2).expect("three images of 1 × 2");
        let factor = SIDE / 2;
        assert_eq!((picture.width, picture.height), (2 * 2 * factor + 1, 2 * factor + 1));
        let pixel = |y: usize, x: usize| picture.pixels[y * picture.width + x];
        assert_eq!([pixel(0, 0), pixel(factor - 1, factor - 1), pixel(0, factor)], [0, 0, 255]);
        assert_eq!([pixel(0, 2 * factor), pixel(factor, 0)], [GAP, GAP]);
        assert_eq!([pixel(0, 2 * factor + 1), pixel(0, 3 * factor + 1)], [128, 191]);
        assert_eq!([pixel(factor + 1, 0), pixel(factor + 1, factor)], [85, 0]);
        assert_eq!(pixel(2 * factor, 4 * factor), GAP, "the fourth place is empty");
    }

    #[test]
    fn the_scale_follows_the_values() {
        assert_eq!(scale(&[0.0, 0.5]), (0.0, 1.0));
        assert_eq!(scale(&[-0.1, 0.5]), (-1.0, 1.0));
        assert_eq!(scale(&[0.0, 16.0]), (0.0, 16.0));
        assert_eq!(scale(&[f64::NAN]), (0.0, 1.0));
    }

    #[test]
    fn what_is_no_image_is_said() {
        let words = |shape: &[usize]| {
            let shape = crate::tape::Shape(shape.to_vec());
            grid(&Tensor::f64(shape.clone(), vec![0.0; shape.numel()]), 1, 1).map(|_| ()).map_err(|error| error.0)
        };
        assert_eq!(words(&[2, 64]), Ok(()));
        assert_eq!(words(&[2, 1, 8, 8]), Ok(()));
        assert_eq!(words(&[2, 60]), Err("60 pixels are no square image; reshape to [n, height, width]".to_owned()));
        assert_eq!(words(&[64]), Err("images are [n, height, width] or [n, side²], and this is [64]".to_owned()));
        assert_eq!(words(&[0, 64]), Err("there is nothing to draw".to_owned()));
    }

    #[test]
    fn a_png_reader_sees_the_same_pixels() {
        let images = Tensor::f64([2, 4], vec![0.0, 0.25, 0.5, 1.0, 1.0, 0.0, 0.0, 1.0]);
        let picture = grid(&images, 1, 2).expect("two images of 2 × 2");
        let bytes = picture.encode();
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().expect("a PNG header");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
        let info = reader.next_frame(&mut pixels).expect("one frame");
        assert_eq!((info.width as usize, info.height as usize), (picture.width, picture.height));
        assert_eq!(pixels, picture.pixels);
        assert_eq!(bytes, picture.encode(), "the same picture gives the same bytes");
    }
}
