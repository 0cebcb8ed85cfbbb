//! `trace.csv`: what was measured, a row each time, written as the run goes.
//!
//! The columns are stated first; a row leaves those empty that it has no value for. Numbers are
//! written so that they read back to the same double.

use std::io::{self, Write};

/// The rows of a run, going out.
pub struct Trace<W: Write> {
    out: csv::Writer<W>,
    columns: Vec<String>,
}

impl<W: Write> Trace<W> {
    /// A new trace: writes the line of names.
    pub fn new(out: W, columns: Vec<String>) -> io::Result<Trace<W>> {
        let mut trace = Trace::resumed(out, columns);
        trace.out.write_record(&trace.columns)?;
        Ok(trace)
    }

    /// A trace that goes on behind rows already written (see [`kept`]).
    pub fn resumed(out: W, columns: Vec<String>) -> Trace<W> {
        Trace { out: csv::Writer::from_writer(out), columns }
    }

    /// One row. Names that are no column are an error of the caller.
    pub fn row(&mut self, values: &[(&str, f64)]) -> io::Result<()> {
        debug_assert!(
            values.iter().all(|(name, _)| self.columns.iter().any(|column| column == name)),
            "a trace's columns are stated before its rows"
        );
        for column in &self.columns {
            let value = values.iter().find(|(name, _)| name == column);
            self.out.write_field(value.map_or(String::new(), |(_, value)| value.to_string()))?;
        }
        self.out.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Hands everything written so far on.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The part of an earlier trace up to where its first column (what counts the run) reaches `last`,
/// whole lines only: a run that was killed wrote rows after its last checkpoint, and perhaps half
/// of one.
pub fn kept(earlier: &str, last: f64) -> &str {
    let end = earlier.rfind('\n').map_or(0, |at| at + 1);
    let mut kept = 0;
    for (at, line) in earlier[..end].split_inclusive('\n').enumerate() {
        let count = line.trim_end().split(',').next().and_then(|count| count.parse::<f64>().ok());
        if at > 0 && count.is_none_or(|count| count > last) {
            break;
        }
        kept += line.len();
    }
    &earlier[..kept]
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn rows_as_they_come() {
        let mut bytes = Vec::new();
        let columns = ["iteration", "objective", "frechet(x, y)"].map(str::to_owned).to_vec();
        let mut trace = Trace::new(&mut bytes, columns).expect("memory takes every byte");
        trace.row(&[("iteration", 1.0), ("objective", 0.1 + 0.2)]).expect("memory takes every byte");
        trace.row(&[("frechet(x, y)", f64::NAN), ("iteration", 2.0)]).expect("memory takes every byte");
        drop(trace);
        expect![[r#"
            iteration,objective,"frechet(x, y)"
            1,0.30000000000000004,
            2,,NaN
        "#]]
        .assert_eq(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_resumed_trace_begins_where_the_checkpoint_was() {
        let earlier = "iteration,loss\n1,3\n2,2\n3,1.5\n4,1.";
        assert_eq!(kept(earlier, 2.0), "iteration,loss\n1,3\n2,2\n");
        assert_eq!(kept(earlier, 9.0), "iteration,loss\n1,3\n2,2\n3,1.5\n");
        assert_eq!(kept("", 9.0), "");
    }
}
