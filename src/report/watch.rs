//! Watches a run: its rows go to `trace.csv`, its pictures to PNG files, its progress to the screen.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter};

use super::{Folder, Progress, Tick, Trace, png, shown};
use crate::exec::observer::{self, Observer};
use crate::exec::outcome::{Picture, Row};
use crate::host::Host;
use crate::schedule::ir::{LoopUnit, Schedule, Stmt};

/// The name of the trace.
pub const TRACE: &str = "trace.csv";

/// An observer that writes and shows.
pub struct Watch<'a> {
    host: &'a dyn Host,
    progress: Progress<'a>,
    folder: Option<&'a Folder>,
    columns: Vec<String>,
    /// Opened by the first row: a resumed run goes on behind the rows that it starts from.
    trace: Option<Trace<BufWriter<File>>>,
    /// What the live line shows: the values of the last row.
    last: Vec<(String, f64)>,
    /// Whether the number of passes is a limit and no plan.
    limit: bool,
    pictures: BTreeSet<String>,
    /// The first thing that could not be written or drawn.
    failed: Option<String>,
}

impl<'a> Watch<'a> {
    /// Watches a run of `schedule`; without a folder nothing is written.
    pub fn new(
        schedule: &Schedule,
        host: &'a dyn Host,
        progress: Progress<'a>,
        folder: Option<&'a Folder>,
    ) -> Watch<'a> {
        Watch {
            host,
            progress,
            folder,
            columns: columns(schedule),
            trace: None,
            last: Vec::new(),
            limit: schedule.verdict.tol.is_some(),
            pictures: BTreeSet::new(),
            failed: None,
        }
    }

    /// Ends the live line and hands the last rows on. The names of the files written.
    pub fn finish(mut self) -> Result<Vec<String>, String> {
        self.progress.finish();
        if let Some(mut trace) = self.trace.take() {
            let flushed = trace.flush();
            self.failed = self.failed.or(flushed.err().map(|error| format!("`{TRACE}` can't be written: {error}")));
        }
        match self.failed {
            Some(failed) => Err(failed),
            None => Ok(self.pictures.into_iter().collect()),
        }
    }

    fn record(&mut self, folder: &Folder, row: &Row) -> io::Result<()> {
        let trace = match &mut self.trace {
            Some(trace) => trace,
            None => {
                let before = row.iteration as f64 - 1.0;
                self.trace.insert(folder.resume_trace(TRACE, self.columns.clone(), before)?)
            }
        };
        let mut values = vec![("iteration", row.iteration as f64), ("seconds", row.seconds)];
        values.extend(row.epoch.map(|epoch| ("epoch", epoch as f64)));
        values.extend(row.values.iter().map(|(name, value)| (name.as_str(), *value)));
        trace.row(&values)
    }

    fn draw(&self, folder: &Folder, picture: &Picture) -> Result<String, String> {
        let file = format!("{}.png", picture.name);
        let grid = png::grid(&picture.images, picture.rows, picture.columns);
        let grid = grid.map_err(|reason| format!("`{file}` can't be drawn: {}", reason.0))?;
        folder.write(&file, &grid.encode()).map_err(|error| format!("`{file}` can't be written: {error}"))?;
        Ok(file)
    }
}

impl Observer for Watch<'_> {
    fn row(&mut self, row: &Row) {
        for (name, value) in &row.values {
            let name = shown(name);
            match self.last.iter_mut().find(|(known, _)| known == name) {
                Some(known) => known.1 = *value,
                None => self.last.push((name.to_owned(), *value)),
            }
        }
        if let Some(folder) = self.folder
            && self.failed.is_none()
            && let Err(error) = self.record(folder, row)
        {
            self.failed = Some(format!("`{TRACE}` can't be written: {error}"));
        }
    }

    fn progress(&mut self, progress: observer::Progress) {
        let elapsed = self.host.elapsed();
        if !self.progress.wants(elapsed) {
            return;
        }
        let values: Vec<(&str, f64)> = self.last.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        self.progress.tick(
            elapsed,
            &Tick {
                unit: progress.unit,
                done: progress.done as u64,
                total: Some(progress.planned as u64),
                limit: self.limit,
                values: &values,
            },
        );
        // What a person sees on the screen is in the file too.
        if let Some(trace) = &mut self.trace
            && let Err(error) = trace.flush()
        {
            self.failed.get_or_insert(format!("`{TRACE}` can't be written: {error}"));
        }
    }

    fn picture(&mut self, picture: &Picture) {
        let Some(folder) = self.folder else { return };
        match self.draw(folder, picture) {
            Ok(file) => {
                self.pictures.insert(file);
            }
            Err(failed) => {
                self.failed.get_or_insert(failed);
            }
        }
    }
}

/// The columns of a schedule's trace: what counts it, then everything it records, in order.
fn columns(schedule: &Schedule) -> Vec<String> {
    fn collect(body: &[Stmt], columns: &mut Vec<String>) {
        for stmt in body {
            match stmt {
                Stmt::Loop(inner) => {
                    if inner.unit == LoopUnit::Epoch && !columns.iter().any(|column| column == "epoch") {
                        columns.insert(1, "epoch".to_owned());
                    }
                    collect(&inner.body, columns);
                }
                Stmt::If { body, .. } | Stmt::When { body, .. } => collect(body, columns),
                Stmt::Record(record) => {
                    for (name, _) in &record.values {
                        if !columns.contains(name) {
                            columns.push(name.clone());
                        }
                    }
                }
                Stmt::Call(_)
                | Stmt::Pick { .. }
                | Stmt::Draw(_)
                | Stmt::Stop { .. }
                | Stmt::Save(_)
                | Stmt::LineSearch(_) => {}
            }
        }
    }
    let mut columns = vec!["iteration".to_owned(), "seconds".to_owned()];
    collect(&schedule.body, &mut columns);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Still;
    use crate::schedule::ir::{Due, LoopStmt, RecordStmt, StateId};
    use crate::tape::Tensor;

    /// A loop over epochs that records a loss each batch and a score each epoch.
    fn schedule() -> Schedule {
        let record = |name: &str| Stmt::Record(RecordStmt { values: vec![(name.to_owned(), StateId(0))] });
        let batches = LoopStmt { count: 2, unit: LoopUnit::Batch, body: vec![record("loss"), record("rho")] };
        let score = Stmt::When { when: Due::Every(1, LoopUnit::Epoch), body: vec![record("score"), record("loss")] };
        let epochs = LoopStmt { count: 3, unit: LoopUnit::Epoch, body: vec![Stmt::Loop(batches), score] };
        Schedule { body: vec![Stmt::Loop(epochs)], ..Schedule::default() }
    }

    fn row(iteration: usize, name: &str, value: f64) -> Row {
        Row { epoch: Some(1), iteration, seconds: 0.5, values: vec![(name.to_owned(), value)] }
    }

    #[test]
    fn rows_and_pictures_become_files() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::create(place.path()).expect("a folder");
        let host = Still::default();
        let mut watch = Watch::new(&schedule(), &host, Progress::quiet(), Some(&folder));
        watch.row(&row(1, "loss", 3.0));
        watch.row(&row(2, "score", 0.25));
        let images = Tensor::f64([1, 4], vec![0.0, 1.0, 1.0, 0.0]);
        watch.picture(&Picture { name: "samples".to_owned(), images, rows: 1, columns: 1 });
        assert_eq!(watch.finish(), Ok(vec!["samples.png".to_owned()]));
        // Goes on from a checkpoint after the first iteration.
        let mut watch = Watch::new(&schedule(), &host, Progress::quiet(), Some(&folder));
        watch.row(&row(2, "score", 0.5));
        assert_eq!(watch.finish(), Ok(vec![]));
        let text = folder.read(TRACE).expect("the folder can be read").expect("it was written");
        let expected = "iteration,epoch,seconds,loss,rho,score\n1,1,0.5,3,,\n2,1,0.5,,,0.5\n";
        assert_eq!(String::from_utf8_lossy(&text), expected);
        assert!(place.path().join("samples.png").is_file());
    }

    #[test]
    fn what_can_not_be_drawn_is_said() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::create(place.path()).expect("a folder");
        let host = Still::default();
        let mut watch = Watch::new(&schedule(), &host, Progress::quiet(), Some(&folder));
        let images = Tensor::f64([1, 3], vec![0.0; 3]);
        watch.picture(&Picture { name: "samples".to_owned(), images, rows: 1, columns: 1 });
        let reason = "3 pixels are no square image; reshape to [n, height, width]";
        assert_eq!(watch.finish(), Err(format!("`samples.png` can't be drawn: {reason}")));
    }
}
