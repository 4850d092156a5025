//! The seeds that are reported on, spread over the cores.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Result, anyhow};

/// First seed that is reported on; those below are for tuning.
pub const FIRST: u64 = 1000;

/// The seeds of a run.
#[derive(Debug, Clone)]
pub struct Seeds {
    range: Range<u64>,
    quick: bool,
}

impl Seeds {
    /// 1000–1999; of a quick run the first hundred of them, but where a thousand take no time either.
    pub fn new(quick: bool, light: bool) -> Self {
        let range = FIRST..FIRST + if quick && !light { 100 } else { 1000 };
        Self { range, quick }
    }

    /// 0–999, which may be tuned on; of a quick run the first hundred of them.
    pub fn tuning(quick: bool) -> Self {
        let range = 0..if quick { 100 } else { FIRST };
        Self { range, quick }
    }

    /// So many from the first one on.
    pub fn many(count: u64) -> Self {
        Self {
            range: FIRST..FIRST + count,
            quick: false,
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        (self.range.end - self.range.start) as usize
    }

    /// The first ones, for what takes long: so many, and a quarter of them in a quick run, but one at least.
    #[must_use]
    pub fn first(&self, most: u64) -> Self {
        let most = if self.quick {
            (most / 4).clamp(1, 100)
        } else {
            most
        };
        Self {
            range: self.range.start..self.range.end.min(self.range.start + most),
            quick: self.quick,
        }
    }

    /// The result of each seed, in their order.
    ///
    /// # Errors
    /// The first seed's that has one.
    pub fn map<T: Send>(&self, result: impl Fn(u64) -> Result<T> + Sync) -> Result<Vec<T>> {
        let next = AtomicU64::new(self.range.start);
        let work = || {
            let mut done = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= self.range.end {
                    return done;
                }
                done.push((seed, result(seed)));
            }
        };
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut done = Vec::with_capacity(self.count());
        thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                done.extend(worker.join().map_err(|_| anyhow!("a seed's thread panicked"))?);
            }
            anyhow::Ok(())
        })?;
        done.sort_by_key(|(seed, _)| *seed);
        done.into_iter()
            .map(|(seed, result)| result.map_err(|error| error.context(format!("seed {seed}"))))
            .collect()
    }

    /// A number of each seed, from what cannot fail.
    ///
    /// # Errors
    /// A thread panicked.
    pub fn numbers(&self, number: impl Fn(u64) -> f64 + Sync) -> Result<Vec<f64>> {
        self.map(|seed| Ok(number(seed)))
    }

    /// A number of each of several streams of each seed, where one a seed would leave much to chance.
    ///
    /// # Errors
    /// A thread panicked.
    pub fn numbers_of(&self, streams: u64, number: impl Fn(u64, u64) -> f64 + Sync) -> Result<Vec<f64>> {
        let of = |seed| {
            Ok((0..streams)
                .map(|stream| number(seed, stream))
                .collect::<Vec<_>>())
        };
        Ok(self.map(of)?.concat())
    }

    /// A series of each seed.
    ///
    /// # Errors
    /// A thread panicked.
    pub fn series(&self, series: impl Fn(u64) -> Vec<f64> + Sync) -> Result<Vec<Vec<f64>>> {
        self.map(|seed| Ok(series(seed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_there_once_and_in_order() {
        let found = Seeds::new(true, false).map(Ok).unwrap();
        assert_eq!(found, (1000..1100).collect::<Vec<_>>());
        assert_eq!(Seeds::new(false, false).first(200).count(), 200);
    }

    #[test]
    fn a_failure_names_its_seed() {
        let fail = |seed| if seed == 1007 { Err(anyhow!("no")) } else { Ok(()) };
        let error = Seeds::new(true, true).map(fail).unwrap_err();
        assert_eq!(error.to_string(), "seed 1007");
    }
}
