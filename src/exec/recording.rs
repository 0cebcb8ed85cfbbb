//! What a run leaves behind on its way: rows of the trace, pictures, and on which passes they are due.

use super::growth::Scale;
use super::outcome::{Picture, Row, Status};
use super::run::{Left, Runner};
use super::safe_point::not_finite;
use crate::schedule::ir::{Due, LoopUnit, RecordStmt, SaveStmt, UNSPLIT};

impl Runner<'_> {
    pub(super) fn due(&self, when: &Due) -> bool {
        // Counted since the start of the run, so that loops around do not start them anew; passes of a
        // plain `repeat … times` are its own.
        let pass = |unit: LoopUnit| match (unit, self.passes.last()) {
            (LoopUnit::Epoch, _) => self.epochs,
            (_, Some(&(LoopUnit::Step, pass))) => pass,
            _ => self.iterations,
        };
        match when {
            Due::Every(count, unit) => pass(*unit) % count == 0,
            Due::At(points, unit) => points.contains(&pass(*unit)),
        }
    }

    pub(super) fn epoch(&self) -> Option<usize> {
        (self.epochs > 0).then_some(self.epochs)
    }

    pub(super) fn record(&mut self, record: &RecordStmt) -> Result<(), Left> {
        if let Some(rows) = &mut self.again {
            *rows -= 1;
            return if *rows == 0 { Err(Left::Run(Status::Completed)) } else { Ok(()) };
        }
        let values = record.values.iter().map(|(_, state)| self.executor.item(self.bound.buffer(*state))).collect();
        self.row(record, values)
    }

    /// The same with the numbers read already.
    pub(super) fn row(&mut self, record: &RecordStmt, values: Vec<f64>) -> Result<(), Left> {
        let names = record.values.iter().map(|(name, _)| name.clone());
        let values: Vec<(String, f64)> = names.zip(values).collect();
        // With copies still apart, the problem without them may be read outside its domain, as a logarithm
        // at 0; the iteration itself goes on from finite numbers.
        let within = |name: &str| name != UNSPLIT;
        let bad = values.iter().find(|(name, value)| within(name) && !value.is_finite()).cloned();
        let row = Row { epoch: self.epoch(), iteration: self.iterations, seconds: self.seconds(), values };
        // Rows of a replay were seen the first time.
        if !self.tracing {
            self.observer.row(&row);
        }
        self.trace.push(row);
        if let Some((name, value)) = bad {
            return Err(Left::Run(Status::NonFinite(not_finite(&name, value))));
        }
        let Some(what) = self.schedule.watched else { return Ok(()) };
        if self.scale.is_none() {
            self.scale = Scale::of(what, &self.trace);
        }
        match self.scale.and_then(|scale| scale.seen(what, &self.trace)) {
            None => Ok(()),
            Some(growth) => Err(Left::Run(Status::Diverged(growth))),
        }
    }

    pub(super) fn picture(&mut self, save: &SaveStmt) {
        let name = match self.epoch() {
            Some(epoch) => format!("{}_epoch{epoch:04}", save.name),
            None => format!("{}_{:06}", save.name, self.iterations),
        };
        let images = self.executor.read(self.bound.buffer(save.images));
        self.observer.picture(&Picture { name, images, rows: save.rows, columns: save.columns });
    }
}
