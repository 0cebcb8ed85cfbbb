//! What can be wrong with a data file, as facts; the words are made from them here and nowhere else.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::diag::{Code, Diag};
use crate::source::Span;

/// A fault of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct DataError {
    /// The file, as it is to be shown.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// There is no such file; `near` is a file of the same folder with almost that name.
    Missing { near: Option<String> },
    /// It is there and can't be read.
    Unreadable { reason: String },
    /// It isn't what its format asks for.
    Malformed { place: Option<Place>, text: Option<String>, reason: String },
    /// NaN or infinity, where no missing values were announced.
    NotFinite { place: Place, text: String },
    /// It has no such column, array or tensor (`what`). `name` is `None` where several are there and
    /// none was named.
    Absent { what: &'static str, name: Option<String>, near: Option<String>, available: Vec<String> },
}

/// Where in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// A cell of a text file. The line counts all lines of the file, names and comments too, as an
    /// editor does; the column is a position in the row.
    Cell { line: u64, column: usize, name: Option<String> },
    /// A whole line of a text file.
    Line(u64),
    /// A column of a table by columns.
    Column(String),
    /// A cell of a table by columns; the row counts from 1.
    Row { row: usize, column: String },
    /// An entry of an array, counted from 1 along each axis.
    Entry(Vec<usize>),
    /// A place inside the named array of an archive.
    Inside { name: String, place: Option<Box<Place>> },
}

impl Fault {
    /// A malformed file without a particular place.
    pub(super) fn malformed(reason: impl Into<String>) -> Fault {
        Fault::Malformed { place: None, text: None, reason: reason.into() }
    }

    /// The same fault, inside the named array of an archive.
    pub(super) fn inside(self, name: &str) -> Fault {
        let within = |place: Option<Place>| Place::Inside { name: name.to_owned(), place: place.map(Box::new) };
        match self {
            Fault::Malformed { place, text, reason } => Fault::Malformed { place: Some(within(place)), text, reason },
            Fault::NotFinite { place, text } => Fault::NotFinite { place: within(Some(place)), text },
            other => other,
        }
    }
}

impl DataError {
    pub(super) fn new(path: &Path, fault: Fault) -> DataError {
        DataError { path: path.to_owned(), fault }
    }

    /// The code under which it is reported.
    pub fn code(&self) -> Code {
        match self.fault {
            Fault::Missing { .. } | Fault::Unreadable { .. } => Code::DataMissing,
            Fault::Malformed { .. } | Fault::Absent { .. } => Code::DataMalformed,
            Fault::NotFinite { .. } => Code::DataNotFinite,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match &self.fault {
            Fault::Missing { near: Some(near) } => format!("did you mean `{}`?", self.path.with_file_name(near).display()),
            Fault::Missing { near: None } => "a path is relative to the folder of the file that names it".to_owned(),
            Fault::Unreadable { .. } => "check the path and its permissions".to_owned(),
            Fault::Malformed { place: Some(Place::Cell { .. } | Place::Column(_) | Place::Row { .. }), .. } => {
                "every cell must be a number; `missing = \"NA\"` announces cells without a value, \
                 `column = \"name\"` takes one column"
                    .to_owned()
            }
            Fault::Malformed { .. } => "is it complete, and in the format it is read as?".to_owned(),
            Fault::NotFinite { text, .. } if text.eq_ignore_ascii_case("nan") => {
                "one NaN makes every result NaN; `missing = \"nan\"` reads it as a missing value, with the mask `known(…)`"
                    .to_owned()
            }
            Fault::NotFinite { .. } => "one infinite value makes every result infinite or NaN".to_owned(),
            Fault::Absent { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Fault::Absent { what, available, .. } if available.is_empty() => format!("the file has no {what} with a name"),
            Fault::Absent { available, .. } => format!("it has {}", listed(available)),
        }
    }

    /// The diagnostic at the expression that reads the file.
    pub fn diag(&self, span: Span) -> Diag {
        Diag::new(self.code(), span, self.to_string()).help(self.help())
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.fault {
            Fault::Missing { .. } => write!(f, "there is no file `{path}`"),
            Fault::Unreadable { reason } => write!(f, "`{path}` can't be read: {reason}"),
            Fault::Malformed { place, text, reason } => {
                write!(f, "`{path}`")?;
                if let Some(place) = place {
                    write!(f, ", {place}")?;
                }
                match text {
                    Some(text) => write!(f, ": `{}` {reason}", shortened(text)),
                    None => write!(f, ": {reason}"),
                }
            }
            Fault::NotFinite { place, text } => write!(f, "`{path}`, {place}: the value is `{}`", shortened(text)),
            Fault::Absent { what, name: Some(name), .. } => write!(f, "`{path}` has no {what} `{name}`"),
            Fault::Absent { what, name: None, available, .. } => {
                write!(f, "`{path}` holds {} {what}s: say which", available.len())
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Cell { line, column, name: None } => write!(f, "line {line}, column {column}"),
            Place::Cell { line, column, name: Some(name) } => {
                write!(f, "line {line}, column {column} (`{}`)", shortened(name))
            }
            Place::Line(line) => write!(f, "line {line}"),
            Place::Column(name) => write!(f, "column `{}`", shortened(name)),
            Place::Row { row, column } => write!(f, "row {row} of column `{}`", shortened(column)),
            Place::Entry(at) if at.is_empty() => write!(f, "its only entry"),
            Place::Entry(at) => {
                let at: Vec<String> = at.iter().map(usize::to_string).collect();
                write!(f, "entry [{}]", at.join(", "))
            }
            Place::Inside { name, place: None } => write!(f, "array `{}`", shortened(name)),
            Place::Inside { name, place: Some(place) } => write!(f, "array `{}`, {place}", shortened(name)),
        }
    }
}

/// Text of a file as a message can bear it: no control characters, 40 characters at most.
fn shortened(text: &str) -> String {
    const LIMIT: usize = 40;
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(LIMIT).map(shown).collect();
    if text.chars().nth(LIMIT).is_some() {
        short.push('…');
    }
    short
}

/// Names for a help line; the first few of many.
fn listed(names: &[String]) -> String {
    const LIMIT: usize = 8;
    let mut shown: Vec<String> = names.iter().take(LIMIT).map(|name| format!("`{}`", shortened(name))).collect();
    if names.len() > LIMIT {
        shown.push(format!("{} more", names.len() - LIMIT));
    }
    shown.join(", ")
}
