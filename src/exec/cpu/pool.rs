//! Threads. Work is cut into parts by its size alone; threads only take parts.

use rayon::prelude::*;

/// The threads of an executor.
#[derive(Debug)]
pub(super) struct Pool {
    threads: Option<rayon::ThreadPool>,
}

impl Pool {
    /// That many threads; where the system refuses them, one.
    pub fn new(threads: usize) -> Pool {
        let build = || rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok();
        Pool { threads: (threads > 1).then(build).flatten() }
    }

    /// How many there are.
    pub fn threads(&self) -> usize {
        self.threads.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Calls `work(part, thread)` for each part, on several threads where that pays.
    pub fn each(&self, parts: usize, pays: bool, work: impl Fn(usize, usize) + Sync) {
        match &self.threads {
            Some(threads) if pays && parts > 1 => {
                threads.install(|| {
                    (0..parts).into_par_iter().for_each(|part| work(part, rayon::current_thread_index().unwrap_or(0)));
                });
            }
            _ => (0..parts).for_each(|part| work(part, 0)),
        }
    }

    /// Calls `work(start, chunk)` for each chunk of `y` and where it starts in it, on several threads
    /// where that pays.
    pub fn each_chunk<T: Send>(&self, y: &mut [T], chunk: usize, pays: bool, work: impl Fn(usize, &mut [T]) + Sync) {
        match &self.threads {
            Some(threads) if pays && y.len() > chunk => {
                let chunks = || y.par_chunks_mut(chunk).enumerate().for_each(|(k, y)| work(k * chunk, y));
                threads.install(chunks);
            }
            _ => y.chunks_mut(chunk).enumerate().for_each(|(k, y)| work(k * chunk, y)),
        }
    }
}
