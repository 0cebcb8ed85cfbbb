//! Text tables: comma, semicolon or tab between cells (whichever stands first in the file, in this
//! order), `#` comments, one number a cell.
//!
//! The first row is a line of names if all of its cells read as names, so a number with a typing
//! error in the first row is an error and not a name. A table of one column gives a vector, any
//! other a matrix; a table of one row stays 1 × n.

use ::csv::{ByteRecord, ReaderBuilder, Trim};

use super::errors::{Fault, Place};
use super::{Column, Loaded, Options, counted};
use crate::diag;
use crate::tape::{Shape, Tensor};

pub(super) fn read(bytes: &[u8], options: &Options) -> Result<Loaded, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Fault::malformed("it is UTF-16 text; save it as UTF-8"));
    }
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .delimiter(delimiter(bytes))
        .trim(Trim::All)
        .from_reader(bytes);

    let mut record = ByteRecord::new();
    let mut next = |record: &mut ByteRecord| {
        reader
            .read_byte_record(record)
            .map_err(|error| Fault::malformed(format!("its rows can't be told apart ({error})")))
    };
    if !next(&mut record)? {
        return Err(Fault::malformed("it is empty"));
    }
    let names = names(&record);
    let mut table = Table::new(names, record.len(), options)?;
    if table.names.is_some() && !next(&mut record)? {
        return Err(Fault::malformed("it has a line of names and no row under it"));
    }
    loop {
        table.push(&record)?;
        if !next(&mut record)? {
            return Ok(table.finish());
        }
    }
}

/// The first of `,` `;` and tab that stands in the first line with data.
fn delimiter(bytes: &[u8]) -> u8 {
    let mut lines = bytes.split(|&byte| byte == b'\n' || byte == b'\r');
    let first = lines.find(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#")).unwrap_or(b"");
    [b',', b';', b'\t'].into_iter().find(|delimiter| first.contains(delimiter)).unwrap_or(b',')
}

/// The cells of a row, if it is a line of names: none looks like a number, one at least has letters.
fn names(row: &ByteRecord) -> Option<Vec<String>> {
    let is_name = |cell: &str| {
        cell.parse::<f64>().is_err() && !cell.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
    };
    let cells: Vec<String> = row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
    let all = cells.iter().all(|cell| is_name(cell));
    (all && cells.iter().any(|cell| cell.chars().any(char::is_alphabetic))).then_some(cells)
}

/// The numbers read so far.
struct Table<'a> {
    names: Option<Vec<String>>,
    width: usize,
    /// The one column to take, from 0.
    only: Option<usize>,
    missing: Option<&'a str>,
    values: Vec<f64>,
    known: Vec<f64>,
}

impl<'a> Table<'a> {
    fn new(names: Option<Vec<String>>, width: usize, options: &'a Options) -> Result<Table<'a>, Fault> {
        let missing = options.missing.as_deref();
        // A row in which nothing but missing values stands is no line of names.
        let names = names.filter(|names| names.iter().any(|name| Some(name.as_str()) != missing));
        let only = options.column.as_ref().map(|column| find(column, names.as_deref(), width)).transpose()?;
        Ok(Table { names, width, only, missing, values: Vec::new(), known: Vec::new() })
    }

    fn push(&mut self, row: &ByteRecord) -> Result<(), Fault> {
        let line = row.position().map_or(0, ::csv::Position::line);
        if row.len() != self.width {
            let reason =
                format!("{} where the first row has {}", counted(row.len(), "cell"), counted(self.width, "cell"));
            return Err(Fault::Malformed { place: Some(Place::Line(line)), text: None, reason });
        }
        let (from, to) = self.only.map_or((0, self.width), |column| (column, column + 1));
        for (column, cell) in row.iter().enumerate().take(to).skip(from) {
            let text = str::from_utf8(cell).unwrap_or("\u{fffd}");
            if self.missing == Some(text) {
                self.values.push(0.0);
                self.known.push(0.0);
                continue;
            }
            let names = self.names.as_ref();
            let place = || Place::Cell { line, column: column + 1, name: names.map(|names| names[column].clone()) };
            match text.parse::<f64>() {
                Ok(value) if value.is_finite() => {
                    self.values.push(value);
                    self.known.push(1.0);
                }
                // Text such as `1e999` becomes infinite; what was written is shown.
                Ok(_) => return Err(Fault::NotFinite { place: place(), text: text.to_owned() }),
                Err(_) => return Err(not_a_number(place(), String::from_utf8_lossy(cell).into_owned())),
            }
        }
        Ok(())
    }

    fn finish(self) -> Loaded {
        let columns = if self.only.is_some() { 1 } else { self.width };
        let rows = self.values.len() / columns;
        let shape = if columns == 1 { Shape::vector(rows) } else { Shape::matrix(rows, columns) };
        let known = self.missing.is_some().then(|| Tensor::f64(shape.clone(), self.known));
        let only = self.only.and_then(|column| self.names.as_ref().map(|names| &names[column]));
        let header = match only {
            Some(name) => format!("{} of column `{name}`", counted(rows, "row")),
            None => format!("{}, {}", counted(rows, "row"), counted(columns, "column")),
        };
        Loaded { tensor: Tensor::f64(shape, self.values), pattern: None, known, columns: self.names, header }
    }
}

/// The position, from 0, of the column asked for.
pub(super) fn find(column: &Column, names: Option<&[String]>, width: usize) -> Result<usize, Fault> {
    let available = || names.map(<[String]>::to_vec).unwrap_or_default();
    let absent = |name: String, near: Option<String>| Fault::Absent {
        what: "column",
        name: Some(name),
        near,
        available: available(),
    };
    match column {
        Column::Position(position) if (1..=width).contains(position) => Ok(position - 1),
        Column::Position(position) => {
            Err(Fault::malformed(format!("it has {}, and column {position} is asked for", counted(width, "column"))))
        }
        Column::Name(name) => {
            let names = names.unwrap_or_default();
            names.iter().position(|candidate| candidate == name).ok_or_else(|| {
                let near = diag::closest(name, names.iter().map(String::as_str));
                absent(name.clone(), near.map(str::to_owned))
            })
        }
    }
}

fn not_a_number(place: Place, text: String) -> Fault {
    let mut words = text.split_whitespace();
    let spaced = text.contains(char::is_whitespace) && words.all(|word| word.parse::<f64>().is_ok());
    let (text, reason) = match text {
        text if text.is_empty() => (None, "the cell is empty"),
        text if spaced => (Some(text), "is several numbers; a comma, a semicolon or a tab must part them"),
        text => (Some(text), "is not a number"),
    };
    Fault::Malformed { place: Some(place), text, reason: reason.to_owned() }
}
