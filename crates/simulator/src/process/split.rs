//! The counts of an hour: drawn before any decision, which are then dealt from them.

use rand_chacha::ChaCha12Rng;

use super::odds::Odds;
use super::volume::binomial;

/// Decisions of one component in one hour, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HourCounts {
    /// Decisions.
    pub decisions: u64,
    /// Carried out without failure.
    pub successes: u64,
    /// Labelled as having reached their aim or not.
    pub labelled: u64,
    /// Labelled as having reached it.
    pub positives: u64,
}

/// Decisions by fate, and how many of them are labelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Split {
    pub fates: [u64; 3],
    pub labelled: [u64; 3],
}

impl Split {
    /// Divides the decisions of an hour.
    pub(crate) fn draw(decisions: u64, odds: &Odds, labelled: f64, draws: &mut ChaCha12Rng) -> Self {
        let [failed, reached, missed] = odds.fates;
        let failures = binomial(decisions, failed / (failed + reached + missed), draws);
        let successes = decisions - failures;
        let hits = binomial(successes, reached / (reached + missed), draws);
        let fates = [failures, hits, successes - hits];
        Self {
            fates,
            labelled: fates.map(|number| binomial(number, labelled, draws)),
        }
    }

    pub(crate) fn counts(&self) -> HourCounts {
        HourCounts {
            decisions: self.fates.iter().sum(),
            successes: self.fates[1] + self.fates[2],
            labelled: self.labelled.iter().sum(),
            positives: self.labelled[1],
        }
    }
}
