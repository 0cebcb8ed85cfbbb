//! Draws: which rows, which counter. The host decides them from the seed and how often a sampler
//! drew before; the numbers themselves are made on the device.

use super::Buffer;
use super::bound::Bound;
use crate::schedule::ir::{Schedule, Source};
use crate::tape::philox::{self, Stream};

/// The state of all samplers of a run.
#[derive(Debug, Clone)]
pub(super) struct Samplers {
    key: [u32; 2],
    each: Vec<Sampler>,
}

#[derive(Debug, Clone)]
struct Sampler {
    /// Draws so far.
    draws: u64,
    /// Position in the shuffled rows of the current epoch, a shuffler a member.
    shuffles: Vec<Shuffle>,
}

#[derive(Debug, Clone)]
struct Shuffle {
    stream: u32,
    rows: usize,
    order: Vec<u32>,
    epoch: u32,
    next: usize,
}

impl Shuffle {
    fn new(stream: u32, rows: usize, key: [u32; 2]) -> Shuffle {
        Shuffle { stream, rows, order: Stream::new(key, stream).permutation(0, rows), epoch: 0, next: 0 }
    }

    /// The next rows. A batch that does not fit what is left of the epoch leaves that out, or with
    /// `keep` is filled from the next epoch.
    fn batch(&mut self, key: [u32; 2], size: usize, keep: bool, batch: &mut Vec<u32>) {
        if self.next + size > self.rows && !keep {
            self.turn(key);
        }
        for _ in 0..size {
            if self.next == self.rows {
                self.turn(key);
            }
            batch.push(self.order[self.next]);
            self.next += 1;
        }
    }

    fn turn(&mut self, key: [u32; 2]) {
        self.epoch += 1;
        self.next = 0;
        self.order = Stream::new(key, self.stream).permutation(self.epoch, self.rows);
    }
}

impl Samplers {
    /// All samplers of a schedule, before their first draw.
    pub fn new(schedule: &Schedule, seed: u64) -> Samplers {
        let key = philox::key(seed);
        let each = schedule
            .samplers
            .iter()
            .map(|sampler| Sampler {
                draws: 0,
                shuffles: match &sampler.source {
                    Source::Rows { of, .. } => of
                        .iter()
                        .enumerate()
                        .map(|(member, &rows)| Shuffle::new(sampler.stream + member as u32, rows, key))
                        .collect(),
                    Source::Program { .. } => Vec::new(),
                },
            })
            .collect();
        Samplers { key, each }
    }

    /// Prepares one draw: `write` is given what goes into which buffer of indices, row numbers or key and counter.
    pub fn draw(
        &mut self,
        at: usize,
        schedule: &Schedule,
        bound: &Bound,
        step: Option<Buffer>,
        mut write: impl FnMut(Buffer, &[u32]),
    ) {
        let sampler = &mut self.each[at];
        match &schedule.samplers[at].source {
            Source::Rows { batch, keep, rows, .. } => {
                let mut numbers = Vec::with_capacity(batch * sampler.shuffles.len());
                for shuffle in &mut sampler.shuffles {
                    shuffle.batch(self.key, *batch, *keep, &mut numbers);
                }
                write(bound.buffer(*rows), &numbers);
            }
            Source::Program { key, .. } => {
                if sampler.draws == 0 {
                    write(bound.buffer(*key), &self.key);
                }
                if let Some(step) = step {
                    write(step, &[sampler.draws as u32]);
                }
            }
        }
        sampler.draws += 1;
    }

    /// `(draws, (epoch, next) of each shuffler)`: what a checkpoint keeps.
    pub fn positions(&self) -> Vec<(u64, Vec<(u32, usize)>)> {
        self.each
            .iter()
            .map(|sampler| (sampler.draws, sampler.shuffles.iter().map(|s| (s.epoch, s.next)).collect()))
            .collect()
    }

    /// Goes to the positions of a checkpoint.
    pub fn restore(&mut self, positions: &[(u64, Vec<(u32, usize)>)]) -> Result<(), String> {
        let misfit = || "the checkpoint does not fit this file: its samples differ".to_string();
        if positions.len() != self.each.len() {
            return Err(misfit());
        }
        for (sampler, (draws, shuffles)) in self.each.iter_mut().zip(positions) {
            if shuffles.len() != sampler.shuffles.len() {
                return Err(misfit());
            }
            sampler.draws = *draws;
            for (shuffle, &(epoch, next)) in sampler.shuffles.iter_mut().zip(shuffles) {
                if next > shuffle.rows {
                    return Err(misfit());
                }
                shuffle.epoch = epoch;
                shuffle.next = next;
                shuffle.order = Stream::new(self.key, shuffle.stream).permutation(epoch, shuffle.rows);
            }
        }
        Ok(())
    }
}
