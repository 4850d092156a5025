//! How long to wait before trying again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// Exponential backoff with full jitter, capped at 10 s (M. Brooker, "Exponential Backoff And Jitter", 2015).
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait before the next try. It is at least the first tenth of a second.
    pub fn next_wait(&mut self) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures += 1;
        rand::random_range(FIRST..=ceiling)
    }

    /// Tries that failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_never_vanish() {
        let mut backoff = Backoff::default();
        for failure in 0..100_u32 {
            let wait = backoff.next_wait();
            assert!(wait >= FIRST && wait <= FIRST * 2_u32.pow(failure.min(7)).max(1) && wait <= LONGEST);
        }
        assert_eq!(backoff.failures(), 100);
    }
}
