//! The world around a run as this machine has it: its clock, its signals, its disk.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::host::{Host, Stop};
use crate::report::Folder;

/// This machine, from the moment it was made.
#[derive(Debug)]
pub struct Machine {
    start: Instant,
    limit: Option<Duration>,
    interrupted: Arc<AtomicBool>,
    folder: Option<PathBuf>,
    resume: bool,
}

impl Machine {
    /// The file a checkpoint is kept in.
    pub const CHECKPOINT: &str = "checkpoint.bin";

    /// A machine whose clock starts now. `interrupted` is set from outside.
    pub fn new(interrupted: Arc<AtomicBool>) -> Machine {
        Machine { start: Instant::now(), limit: None, interrupted, folder: None, resume: false }
    }

    /// With a limit to the time a run takes.
    pub fn limit(mut self, limit: Option<Duration>) -> Machine {
        self.limit = limit;
        self
    }

    /// With a folder for checkpoints, and whether to go on from the one there.
    pub fn folder(mut self, folder: PathBuf, resume: bool) -> Machine {
        (self.folder, self.resume) = (Some(folder), resume);
        self
    }
}

impl Host for Machine {
    fn elapsed(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn stop(&self) -> Option<Stop> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some(Stop::Interrupted);
        }
        self.limit.is_some_and(|limit| self.start.elapsed() >= limit).then_some(Stop::TimeLimit)
    }

    fn resume(&self) -> io::Result<Option<Vec<u8>>> {
        match &self.folder {
            Some(folder) if self.resume && folder.is_dir() => Folder::create(folder)?.read(Machine::CHECKPOINT),
            _ => Ok(None),
        }
    }

    fn keep(&self, checkpoint: &[u8]) -> io::Result<()> {
        match &self.folder {
            Some(folder) => Folder::create(folder)?.write(Machine::CHECKPOINT, checkpoint),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_stops_when_asked() {
        let interrupted = Arc::new(AtomicBool::new(false));
        let machine = Machine::new(Arc::clone(&interrupted)).limit(Some(Duration::from_secs(3600)));
        assert_eq!(machine.stop(), None);
        interrupted.store(true, Ordering::Relaxed);
        assert_eq!(machine.stop(), Some(Stop::Interrupted));
        let hasty = Machine::new(Arc::default()).limit(Some(Duration::ZERO));
        assert_eq!(hasty.stop(), Some(Stop::TimeLimit));
    }

    #[test]
    fn checkpoints_are_read_only_to_resume() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let machine = |resume| Machine::new(Arc::default()).folder(place.path().join("out"), resume);
        assert_eq!(machine(true).resume().expect("nothing there yet"), None);
        machine(false).keep(b"state").expect("the folder can be written");
        assert_eq!(machine(false).resume().expect("not asked to"), None);
        assert_eq!(machine(true).resume().expect("it can be read"), Some(b"state".to_vec()));
    }
}
