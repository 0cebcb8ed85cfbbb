//! What device code is written with: names of bases, literals, places.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::exec::plan::{Array, Base, Place};
use crate::tape::Dtype;

/// Numbers that kernels read and that stay.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::exec::cuda) enum Table {
    /// Offsets, known from shapes.
    Offsets(Vec<u32>),
    /// A sparse pattern by columns, made from the pattern by rows in these inputs before the first run. Part
    /// 0 says where each of `width` columns starts, 1 the row of each entry, 2 its position among the rows'.
    ByColumns { starts: Array, columns: Array, width: usize, part: usize },
}

/// A piece of device code under way, and what it asks of its kernel.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    /// The statements, in the scope of a function of a team.
    pub text: String,
    /// Headers that they call.
    pub headers: BTreeSet<&'static str>,
    /// Bases of the plan that they read or write.
    pub bases: BTreeSet<u32>,
    /// Tables that they read, by their number.
    pub tables: BTreeSet<usize>,
    /// Whether blocks count their arrivals.
    pub arrives: bool,
    indent: usize,
    fresh: usize,
}

impl Writer {
    /// One line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref();
        if text.starts_with('}') {
            self.indent -= 1;
        }
        let depth = 4 * self.indent;
        writeln!(self.text, "{:depth$}{text}", "").expect("a string takes it");
        if text.ends_with('{') {
            self.indent += 1;
        }
    }

    /// A name that no other has.
    pub fn name(&mut self, stem: &str) -> String {
        self.fresh += 1;
        format!("{stem}{}", self.fresh)
    }

    /// A header that the statements call.
    pub fn header(&mut self, name: &'static str) {
        self.headers.insert(name);
    }

    /// The number of a table; equal ones are one.
    pub fn table(&mut self, table: Table, tables: &mut Vec<Table>) -> usize {
        let at = tables.iter().position(|other| *other == table).unwrap_or_else(|| {
            tables.push(table);
            tables.len() - 1
        });
        self.tables.insert(at);
        at
    }

    /// The pointer to an element of a base.
    pub fn pointer(&mut self, place: Place, dtype: Dtype) -> String {
        let base = self.base(place.base);
        match place.at {
            0 => format!("({} *){base}", type_name(dtype)),
            at => format!("(({} *){base} + {at})", type_name(dtype)),
        }
    }

    /// The name of a base: its first byte.
    pub fn base(&mut self, base: Base) -> String {
        self.bases.insert(base.0);
        base_name(base.0)
    }

    /// Statements of another, in whose scope the bases are others; with what they ask of the kernel.
    pub fn include(&mut self, other: &Writer) {
        other.text.lines().for_each(|line| self.line(line.trim_start()));
        self.headers.extend(&other.headers);
        self.tables.extend(&other.tables);
        self.arrives |= other.arrives;
    }
}

/// The name of a base of a program's plan.
pub(super) fn base_name(base: u32) -> String {
    match base {
        0 => "arena".to_owned(),
        slot => format!("slot{slot}"),
    }
}

/// The name of a table.
pub(super) fn table_name(table: usize) -> String {
    format!("table{table}")
}

/// The type of an element.
pub(super) fn type_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "float",
        Dtype::F64 => "double",
        Dtype::Index => "u32",
    }
}

/// A number of a dtype: as near to it as the dtype has.
pub(super) fn literal(number: f64, dtype: Dtype) -> String {
    let name = type_name(dtype);
    match dtype {
        Dtype::Index => format!("{}u", number as u32),
        _ if number.is_nan() => format!("Limits<{name}>::nan()"),
        Dtype::F32 if (number as f32).is_infinite() => infinite(number, name),
        Dtype::F64 if number.is_infinite() => infinite(number, name),
        Dtype::F32 => format!("({:e}f)", number as f32),
        Dtype::F64 => format!("({number:e})"),
    }
}

fn infinite(number: f64, name: &str) -> String {
    format!("{}Limits<{name}>::infinity()", if number < 0.0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_keep_every_bit() {
        assert_eq!(literal(0.1, Dtype::F64), "(1e-1)");
        assert_eq!(literal(0.1, Dtype::F32), "(1e-1f)");
        assert_eq!(literal(-0.0, Dtype::F64), "(-0e0)");
        assert_eq!(literal(1.0 / 3.0, Dtype::F32), "(3.3333334e-1f)");
        assert_eq!(literal(f64::NEG_INFINITY, Dtype::F32), "-Limits<float>::infinity()");
        assert_eq!(literal(1e300, Dtype::F32), "Limits<float>::infinity()");
        assert_eq!(literal(-1.0, Dtype::Index), "0u");
    }
}
