//! The data that the examples ship with.

use std::path::Path;

use admmc::data::{self, Column, Disk, Format, Options};

fn digits() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv.gz"))
}

#[test]
fn the_digits_are_whole() {
    let loaded = data::read(&Disk, Format::Csv, digits(), &Options::default()).expect("it ships with the examples");
    assert_eq!(loaded.tensor.shape.0, [1797, 65]);
    assert_eq!(loaded.header, "1797 rows, 65 columns");
    let values = loaded.tensor.to_f64();
    let rows = || values.chunks_exact(65);
    assert!(rows().all(|row| row[..64].iter().all(|&pixel| (0.0..=16.0).contains(&pixel) && pixel.fract() == 0.0)));
    // How often each digit occurs, as the data set's own description counts them.
    let counts: Vec<usize> = (0..10).map(|digit| rows().filter(|row| row[64] == f64::from(digit)).count()).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
}

#[test]
fn the_labels_are_a_column() {
    let options = Options { column: Some(Column::Position(65)), ..Options::default() };
    let loaded = data::read(&Disk, Format::Csv, digits(), &options).expect("it ships with the examples");
    assert_eq!(loaded.tensor.shape.0, [1797]);
    assert_eq!(loaded.tensor.to_f64()[..10], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
}
