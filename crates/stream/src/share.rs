//! Who may read while memory is short. If all partitions shared it evenly, none would come to a batch worth its insert;
//! so the fullest batches are filled first, and the partitions take turns.

use std::cmp::Reverse;

use crate::reading::Reading;

/// Memory for batches, shared by partitions.
pub(crate) struct Share {
    /// Bytes; at least two batches.
    budget: usize,
    /// Whether more than half of it was used, and a quarter still is: partitions are not paused and resumed at each batch.
    short: bool,
}

/// What is to happen while memory is short.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Turns {
    /// Places of the partitions that wait.
    pub(crate) waiting: Vec<usize>,
    /// Place of the partition to seal at once: nothing is read and nothing is being stored, so nothing else would end it.
    pub(crate) sealing: Option<usize>,
}

impl Share {
    pub(crate) fn new(budget: usize) -> Self {
        Self { budget, short: false }
    }

    /// Whose turn it is; `batch` is how large one may grow. A partition that rebuilds a batch never waits.
    pub(crate) fn turns(&mut self, readings: &[Reading], batch: usize) -> Turns {
        let used: usize = readings.iter().map(Reading::memory).sum();
        self.short = used >= self.budget / if self.short { 4 } else { 2 };
        if !self.short {
            return Turns::default();
        }
        let batch = batch.min(self.budget / 2);
        let (mut turns, mut room) = (Turns::default(), self.budget.saturating_sub(used));
        let mut order: Vec<usize> = (0..readings.len())
            .filter(|place| !readings[*place].is_replaying())
            .collect();
        order.sort_by_key(|place| (Reverse(readings[*place].growing()), readings[*place].sealed_at()));
        for place in &order {
            let need = batch.saturating_sub(readings[*place].growing());
            if need <= room {
                room -= need;
            } else {
                turns.waiting.push(*place);
            }
        }
        let stuck = turns.waiting.len() == readings.len() && readings.iter().all(Reading::is_free);
        turns.sealing = order.first().filter(|_| stuck).copied();
        turns
    }
}
