//! Who watches a run: rows of the trace, progress, pictures, as they come.

use super::outcome::{Picture, Row};

/// A watcher. Every method may be left as it is.
pub trait Observer {
    /// A row of the trace, as it is recorded.
    fn row(&mut self, _row: &Row) {}

    /// How far the run is.
    fn progress(&mut self, _progress: Progress) {}

    /// A picture that is due.
    fn picture(&mut self, _picture: &Picture) {}
}

/// How far a run is: passes of the outermost loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Passes done.
    pub done: usize,
    /// Passes planned.
    pub planned: usize,
    /// What a pass is called.
    pub unit: &'static str,
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Observer for Nobody {}
