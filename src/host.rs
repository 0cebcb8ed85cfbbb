//! What a run takes from the world around it: the time, the wish to stop, a place for checkpoints.
//!
//! No stage reads a clock, an environment or a signal by itself: the command hands in this machine's,
//! a test a world of its own ([`Still`]).

use std::cell::RefCell;
use std::io;

/// Why a run should end before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// `--time-limit`.
    TimeLimit,
}

/// The world around a run.
pub trait Host {
    /// Seconds since the run began.
    fn elapsed(&self) -> f64;

    /// Whether the run should end now, and why. Asked between iterations: cheap.
    fn stop(&self) -> Option<Stop>;

    /// The last checkpoint of an earlier run, if this one is to go on from it.
    fn resume(&self) -> io::Result<Option<Vec<u8>>>;

    /// Keeps a checkpoint in place of the last.
    fn keep(&self, checkpoint: &[u8]) -> io::Result<()>;
}

/// A world in which no time passes: for tests, and for callers who want neither limits nor files.
#[derive(Debug, Default)]
pub struct Still {
    /// The checkpoint that a run goes on from, and that it leaves.
    pub checkpoint: RefCell<Option<Vec<u8>>>,
    /// Ends a run at this many questions whether to stop.
    pub patience: Option<u64>,
    asked: RefCell<u64>,
}

impl Host for Still {
    fn elapsed(&self) -> f64 {
        0.0
    }

    fn stop(&self) -> Option<Stop> {
        let mut asked = self.asked.borrow_mut();
        *asked += 1;
        self.patience.is_some_and(|patience| *asked >= patience).then_some(Stop::Interrupted)
    }

    fn resume(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.checkpoint.borrow().clone())
    }

    fn keep(&self, checkpoint: &[u8]) -> io::Result<()> {
        *self.checkpoint.borrow_mut() = Some(checkpoint.to_vec());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends() {
        let still = Still { patience: Some(3), ..Still::default() };
        assert_eq!([still.stop(), still.stop(), still.stop()], [None, None, Some(Stop::Interrupted)]);
    }
}
