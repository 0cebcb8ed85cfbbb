//! MatrixMarket files (Boisvert, Pozo, Remington, The Matrix Market Exchange Formats, 1996).
//!
//! ```text
//! %%MatrixMarket matrix coordinate|array real|integer|pattern general|symmetric|skew-symmetric
//! % comments
//! rows columns [entries]
//! row column [value]        a line an entry, counted from 1; or values alone, column by column
//! ```
//!
//! A list of coordinates stays sparse, by compressed rows; entries of one place are added and zeros
//! dropped. Of a symmetric matrix the file holds the lower triangle. A matrix of one column is a vector,
//! which is dense.

use std::num::ParseFloatError;

use super::errors::{Fault, Place};
use super::{Loaded, Pattern, counted};
use crate::linalg::Csr;
use crate::tape::{Shape, Tensor};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symmetry {
    General,
    Symmetric,
    Skew,
}

/// What the first line says.
#[derive(Debug, Clone, Copy)]
struct Head {
    coordinates: bool,
    pattern: bool,
    symmetry: Symmetry,
}

pub(super) fn read(bytes: &[u8]) -> Result<Loaded, Fault> {
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let mut lines = text.lines().enumerate().map(|(at, line)| (at as u64 + 1, line));
    let head = head(lines.next().map_or("", |(_, line)| line))?;
    let mut lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('%'));
    let Some((at, sizes)) = lines.next() else {
        return Err(Fault::malformed("it ends before the line with its numbers of rows and columns"));
    };
    let names: &[&str] = if head.coordinates { &["rows", "columns", "entries"] } else { &["rows", "columns"] };
    let sizes = numbers(at, sizes, names)?;
    let (rows, cols) = (sizes[0], sizes[1]);
    if head.symmetry != Symmetry::General && rows != cols {
        return Err(refused(at, format!("says {rows} × {cols}, which is not square as a symmetric matrix is")));
    }
    // A short file may have many empty rows, but not beyond all measure.
    let most = (64 * bytes.len()).max(1 << 20);
    if rows == 0 || cols == 0 || rows.max(cols) > most.min(u32::MAX as usize) {
        return Err(refused(at, format!("says {rows} × {cols}, which a file of {} bytes can't mean", bytes.len())));
    }
    match head.coordinates {
        true => coordinates(head, [rows, cols, sizes[2]], at, lines),
        false => array(head, [rows, cols], at, bytes.len(), lines),
    }
}

fn head(line: &str) -> Result<Head, Fault> {
    let words: Vec<String> = line.split_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let &["%%matrixmarket", "matrix", layout, field, symmetry] = &words[..] else {
        return Err(Fault::Malformed {
            place: Some(Place::Line(1)),
            text: Some(line.to_owned()),
            reason: "is no first line of a MatrixMarket file, `%%MatrixMarket matrix coordinate real general`".into(),
        });
    };
    let unknown = |word: &str, known: &str| {
        let (place, text) = (Some(Place::Line(1)), Some(word.to_owned()));
        Fault::Malformed { place, text, reason: format!("is not read; {known} are") }
    };
    let coordinates = match layout {
        "coordinate" => true,
        "array" => false,
        _ => return Err(unknown(layout, "`coordinate` and `array`")),
    };
    let pattern = match field {
        "real" | "double" | "integer" => false,
        "pattern" if coordinates => true,
        _ => return Err(unknown(field, "`real`, `integer`, and `pattern` of coordinates,")),
    };
    let symmetry = match symmetry {
        "general" => Symmetry::General,
        "symmetric" => Symmetry::Symmetric,
        "skew-symmetric" => Symmetry::Skew,
        _ => return Err(unknown(symmetry, "`general`, `symmetric` and `skew-symmetric`")),
    };
    Ok(Head { coordinates, pattern, symmetry })
}

/// A list of coordinates as compressed rows.
fn coordinates<'t>(
    head: Head,
    [rows, cols, claimed]: [usize; 3],
    sized: u64,
    lines: impl Iterator<Item = (u64, &'t str)>,
) -> Result<Loaded, Fault> {
    let mut entries: Vec<(usize, usize, f64)> = Vec::new();
    let mut found = 0;
    for (at, line) in lines {
        found += 1;
        let cells: Vec<&str> = line.split_whitespace().collect();
        let expected = if head.pattern { 2 } else { 3 };
        if cells.len() != expected {
            let names = if head.pattern { "row and column" } else { "row, column and value" };
            return Err(refused(at, format!("has {} where {names} stand", counted(cells.len(), "number"))));
        }
        let i = index(at, cells[0], rows, "rows")?;
        let j = index(at, cells[1], cols, "columns")?;
        let value = if head.pattern { 1.0 } else { value(at, 3, cells[2])? };
        entries.push((i, j, value));
        match head.symmetry {
            Symmetry::General => {}
            _ if i < j => return Err(refused(at, "lies above the diagonal of a symmetric matrix")),
            Symmetry::Skew if i == j => return Err(refused(at, "lies on the diagonal of a skew-symmetric matrix")),
            _ if i == j => {}
            Symmetry::Symmetric => entries.push((j, i, value)),
            Symmetry::Skew => entries.push((j, i, -value)),
        }
    }
    if found != claimed {
        return Err(refused(sized, format!("says {claimed} entries, and {found} follow")));
    }
    let matrix = Csr::from_triplets(rows, cols, entries);
    if cols == 1 {
        let mut vector = vec![0.0; rows];
        matrix.entries().for_each(|(i, _, value)| vector[i] = value);
        return Ok(dense(Tensor::f64([rows], vector), [rows, cols]));
    }
    let header = format!("{}, {}, {} entries", counted(rows, "row"), counted(cols, "column"), matrix.nnz());
    let (pattern, tensor) = Pattern::of(&matrix);
    Ok(Loaded { tensor, pattern: Some(pattern), known: None, columns: None, header })
}

/// Values column by column; of a symmetric matrix the lower triangle.
fn array<'t>(
    head: Head,
    [rows, cols]: [usize; 2],
    sized: u64,
    held: usize,
    lines: impl Iterator<Item = (u64, &'t str)>,
) -> Result<Loaded, Fault> {
    let places = rows * cols;
    let stored = match head.symmetry {
        Symmetry::General => places,
        Symmetry::Symmetric => rows * (rows + 1) / 2,
        Symmetry::Skew => rows * (rows - 1) / 2,
    };
    // A value takes a byte at least.
    if stored > held {
        return Err(refused(sized, format!("says {rows} × {cols}, which {held} bytes can't hold")));
    }
    let mut values = Vec::with_capacity(stored);
    for (at, line) in lines {
        for (column, cell) in line.split_whitespace().enumerate() {
            values.push(value(at, column + 1, cell)?);
        }
    }
    if values.len() != stored {
        return Err(refused(sized, format!("asks for {stored} values, and {} follow", values.len())));
    }
    let mut matrix = vec![0.0; places];
    let mut values = values.into_iter();
    for j in 0..cols {
        let first = match head.symmetry {
            Symmetry::General => 0,
            Symmetry::Symmetric => j,
            Symmetry::Skew => j + 1,
        };
        for (i, value) in (first..rows).zip(values.by_ref()) {
            matrix[i * cols + j] = value;
            match head.symmetry {
                Symmetry::General => {}
                Symmetry::Symmetric => matrix[j * cols + i] = value,
                Symmetry::Skew => matrix[j * cols + i] = -value,
            }
        }
    }
    let shape = if cols == 1 { Shape::vector(rows) } else { Shape::matrix(rows, cols) };
    Ok(dense(Tensor::f64(shape, matrix), [rows, cols]))
}

fn dense(tensor: Tensor, [rows, cols]: [usize; 2]) -> Loaded {
    let header = format!("{}, {}", counted(rows, "row"), counted(cols, "column"));
    Loaded { tensor, pattern: None, known: None, columns: None, header }
}

/// A line that says something which can't be.
fn refused(at: u64, reason: impl Into<String>) -> Fault {
    Fault::Malformed { place: Some(Place::Line(at)), text: None, reason: reason.into() }
}

/// A word of a line that can't be.
fn word(at: u64, text: &str, reason: impl Into<String>) -> Fault {
    Fault::Malformed { place: Some(Place::Line(at)), text: Some(text.to_owned()), reason: reason.into() }
}

/// The whole numbers of a line.
fn numbers(at: u64, line: &str, names: &[&str]) -> Result<Vec<usize>, Fault> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    if cells.len() != names.len() {
        let found = counted(cells.len(), "number");
        return Err(refused(at, format!("has {found} where its numbers of {} stand", names.join(", "))));
    }
    let number = |(column, text): (usize, &&str)| {
        text.parse().map_err(|_| word(at, text, format!("is no number of {}", names[column])))
    };
    cells.iter().enumerate().map(number).collect()
}

/// A row or a column, from 1 in the file and from 0 here.
fn index(at: u64, text: &str, extent: usize, what: &str) -> Result<usize, Fault> {
    match text.parse::<usize>() {
        Ok(i) if (1..=extent).contains(&i) => Ok(i - 1),
        Ok(_) => Err(word(at, text, format!("lies outside: there are {extent} {what}, counted from 1"))),
        Err(_) => Err(word(at, text, format!("is no whole number to count {what} by"))),
    }
}

/// A number; Fortran's `1.0D+3` too.
fn value(at: u64, column: usize, text: &str) -> Result<f64, Fault> {
    let parsed: Result<f64, ParseFloatError> = text.parse().or_else(|_| text.replace(['d', 'D'], "e").parse());
    match parsed {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(Fault::NotFinite { place: Place::Cell { line: at, column, name: None }, text: text.to_owned() }),
        Err(_) => Err(word(at, text, "is not a number")),
    }
}
