//! What is written for people, from real data.

use std::path::Path;

use admmc::data::{self, Disk, Format, Options};
use admmc::report::png;
use admmc::tape::Tensor;

/// The first images of the digits, as a run's `save images … as grid(4, 8)` draws them.
#[test]
fn a_grid_of_digits() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv.gz"));
    let table = data::read(&Disk, Format::Csv, path, &Options::default()).expect("it ships with the examples").tensor;
    let images: Vec<f64> =
        table.to_f64().chunks_exact(65).take(32).flat_map(|row| row[..64].iter().map(|v| v / 8.0 - 1.0)).collect();
    let picture = png::grid(&Tensor::f64([32, 64], images.clone()), 4, 8).expect("images of 8 × 8");
    assert_eq!((picture.width, picture.height), (8 * 41 - 1, 4 * 41 - 1));
    // The middle of an enlarged pixel has the pixel's grey: (v + 1)/2 of 255.
    let (digit, y, x) = (9, 3, 4);
    let (row, column) = (digit / 8 * 41 + 5 * y + 2, digit % 8 * 41 + 5 * x + 2);
    let grey = (255.0 * (images[64 * digit + 8 * y + x] + 1.0) / 2.0).round() as u8;
    assert_eq!(picture.pixels[row * picture.width + column], grey);
}
