//! Files of numbers → tensors. One format a file; `.gz` is recognised by its first bytes, whatever
//! the name.
//!
//! Nothing here trusts a header: what a file claims is compared with the bytes it holds before
//! anything is allocated for it. Every fault is data ([`DataError`]), placed where a person can find
//! it. A new format is a file with `read(&[u8], …) -> Result<Loaded, Fault>`, a variant of [`Format`]
//! and a line in [`read`].

mod csv;
mod element;
mod errors;
mod files;
mod gzip;
mod idx;
mod mtx;
mod npy;
pub mod npz;
mod parquet;
mod pgm;
mod png;
pub mod safetensors;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::linalg::Csr;
use crate::tape::{Shape, Tensor};

pub use errors::{DataError, Fault, Place};
pub use files::{Disk, Files, Memory};

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Rows of numbers in text, with or without a line of names.
    Csv,
    /// One NumPy array.
    Npy,
    /// A zip archive of NumPy arrays.
    Npz,
    /// The format of the MNIST files.
    Idx,
    /// Named tensors behind a JSON header.
    Safetensors,
    /// A matrix in text, sparse or dense.
    Mtx,
    /// A table by columns.
    Parquet,
    /// An image, packed.
    Png,
    /// An image in plain bytes or text.
    Pgm,
}

impl Format {
    /// All of them.
    pub const ALL: &'static [Format] = &[
        Format::Csv,
        Format::Npy,
        Format::Npz,
        Format::Idx,
        Format::Safetensors,
        Format::Mtx,
        Format::Parquet,
        Format::Png,
        Format::Pgm,
    ];

    /// The name of the function that reads it in an `.admm` file.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Npy => "npy",
            Format::Npz => "npz",
            Format::Idx => "idx",
            Format::Safetensors => "safetensors",
            Format::Mtx => "mtx",
            Format::Parquet => "parquet",
            Format::Png => "png",
            Format::Pgm => "pgm",
        }
    }

    /// The endings of files that say their format, for messages: `.csv, .npy, …`.
    pub fn endings() -> String {
        let endings: Vec<String> = Format::ALL.iter().map(|format| format!(".{}", format.name())).collect();
        endings.join(", ")
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// The format that a file's name suggests, with or without `.gz`: `b.npy`, `digits.csv.gz`.
    pub fn of_path(path: &Path) -> Option<Format> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let (_, extension) = name.rsplit_once('.')?;
        match extension {
            "tsv" | "txt" => Some(Format::Csv),
            "ppm" | "pnm" => Some(Format::Pgm),
            extension if extension.ends_with("-ubyte") => Some(Format::Idx),
            extension => Format::from_name(extension),
        }
    }
}

/// A column of a table, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// By the name in the first line.
    Name(String),
    /// By its position, counted from 1.
    Position(usize),
}

/// What to take from a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Only this column of a csv or parquet file, as a vector.
    pub column: Option<Column>,
    /// The array of an npz or safetensors file; may be left out where there is one only.
    pub key: Option<String>,
    /// The text of a cell without a value. In binary files only `nan` has a meaning, in parquet any text
    /// says that cells may be empty. Without it, every cell must hold a finite number.
    pub missing: Option<String>,
}

impl Options {
    /// Whether NaN stands for a missing value.
    fn nan_is_missing(&self) -> bool {
        self.missing.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("nan"))
    }
}

/// What a file held.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The numbers, as doubles; 0 where a value is missing. Of a sparse matrix, its entries row by row.
    pub tensor: Tensor,
    /// Where the entries of a sparse matrix stand.
    pub pattern: Option<Pattern>,
    /// 1 where a value is known and 0 where it is missing; `None` unless [`Options::missing`] was
    /// given.
    pub known: Option<Tensor>,
    /// Names of the columns, where the file has them.
    pub columns: Option<Vec<String>>,
    /// The shape in words, for messages about shapes: `200 rows, 50 columns`.
    pub header: String,
}

/// Where the entries of a sparse matrix stand, by compressed rows: columns ascend in a row, and a place
/// occurs once.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Of the matrix.
    pub shape: Shape,
    /// Where each row starts among the entries, and where the last one ends.
    pub starts: Tensor,
    /// The column of each entry.
    pub columns: Tensor,
}

impl Pattern {
    /// A sparse matrix as data: where its entries stand, and the entries.
    pub fn of(matrix: &Csr) -> (Pattern, Tensor) {
        let index = |positions: &[usize]| {
            Tensor::index([positions.len()], positions.iter().map(|&position| position as u32).collect())
        };
        let pattern = Pattern {
            shape: Shape::matrix(matrix.rows, matrix.cols),
            starts: index(&matrix.starts),
            columns: index(&matrix.columns),
        };
        (pattern, Tensor::f64([matrix.nnz()], matrix.values.clone()))
    }
}

/// Reads one tensor from the file at `path`.
pub fn read(files: &dyn Files, format: Format, path: &Path, options: &Options) -> Result<Loaded, DataError> {
    let bytes = bytes(files, path)?;
    let loaded = match format {
        Format::Csv => csv::read(&bytes, options),
        Format::Npy => npy::read(&bytes).and_then(|tensor| Loaded::from_array(tensor, options)),
        Format::Npz => npz::read(&bytes, options.key.as_deref()).and_then(|tensor| Loaded::from_array(tensor, options)),
        Format::Mtx => mtx::read(&bytes),
        Format::Parquet => parquet::read(bytes, options),
        Format::Png => png::read(&bytes).and_then(|tensor| Loaded::from_array(tensor, options)),
        Format::Pgm => pgm::read(&bytes).and_then(|tensor| Loaded::from_array(tensor, options)),
        Format::Idx => idx::read(&bytes).and_then(|tensor| Loaded::from_array(tensor, options)),
        Format::Safetensors => {
            safetensors::read(&bytes, options.key.as_deref()).and_then(|tensor| Loaded::from_array(tensor, options))
        }
    };
    loaded.map_err(|fault| DataError::new(path, fault))
}

/// Reads every tensor of a safetensors or npz file, in order of name: a trained network, a solution.
pub fn read_named(files: &dyn Files, path: &Path) -> Result<Vec<(String, Tensor)>, DataError> {
    let bytes = bytes(files, path)?;
    let named = if bytes.starts_with(b"PK") { npz::read_all(&bytes) } else { safetensors::read_all(&bytes) };
    let named = named.map_err(|fault| DataError::new(path, fault))?;
    for (name, tensor) in &named {
        if let Some(fault) = not_finite(tensor) {
            return Err(DataError::new(path, fault.inside(name)));
        }
    }
    Ok(named)
}

/// All bytes of a file, unpacked if it is a gzip stream.
fn bytes(files: &dyn Files, path: &Path) -> Result<Vec<u8>, DataError> {
    files::read_all(files, path)
        .and_then(|bytes| if gzip::is_gzip(&bytes) { gzip::unpack(&bytes) } else { Ok(bytes) })
        .map_err(|fault| DataError::new(path, fault))
}

impl Loaded {
    /// An array from a binary file, its values checked and the missing ones set apart.
    fn from_array(tensor: Tensor, options: &Options) -> Result<Loaded, Fault> {
        let header = match tensor.shape.0.as_slice() {
            [] => "one number".to_owned(),
            [n] => format!("a vector of {n}"),
            [rows, columns] => format!("{}, {}", counted(*rows, "row"), counted(*columns, "column")),
            _ => format!("an array {}", tensor.shape),
        };
        if options.nan_is_missing() {
            let values = tensor.to_f64();
            let known = values.iter().map(|value| if value.is_nan() { 0.0 } else { 1.0 }).collect();
            let values = values.into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect();
            let known = Tensor::f64(tensor.shape.clone(), known);
            let tensor = Tensor::f64(tensor.shape, values);
            return match not_finite(&tensor) {
                Some(fault) => Err(fault),
                None => Ok(Loaded { tensor, pattern: None, known: Some(known), columns: None, header }),
            };
        }
        if let Some(fault) = not_finite(&tensor) {
            return Err(fault);
        }
        let known = options.missing.is_some().then(|| Tensor::f64(tensor.shape.clone(), vec![1.0; tensor.numel()]));
        Ok(Loaded { tensor, pattern: None, known, columns: None, header })
    }
}

/// A picture of so many rows and columns: `[rows, columns]` in grey, `[rows, columns, 3]` in colour.
fn picture(rows: usize, columns: usize, samples: usize, values: Vec<f64>) -> Tensor {
    let shape = if samples == 1 { Shape::matrix(rows, columns) } else { Shape::from([rows, columns, samples]) };
    Tensor::f64(shape, values)
}

/// The first entry that is NaN or infinite, as a fault.
fn not_finite(tensor: &Tensor) -> Option<Fault> {
    let values = tensor.to_f64();
    let at = values.iter().position(|value| !value.is_finite())?;
    let entry =
        tensor.shape.strides().into_iter().zip(&tensor.shape.0).map(|(stride, extent)| at / stride % extent + 1);
    Some(Fault::NotFinite { place: Place::Entry(entry.collect()), text: values[at].to_string() })
}

/// `1 row`, `2 rows`.
fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
