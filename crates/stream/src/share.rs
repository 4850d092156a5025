//! Who may read while memory is short. If all partitions shared it evenly, none would come to a batch worth its insert;
//! so the fullest batches are filled first, and the partitions take turns. A turn is several batches: librdkafka forgets what it
//! has fetched of a partition that is paused. A partition that was read to its end needs no memory, and waits for nobody.

use std::cmp::Reverse;

use crate::reading::Reading;

/// Batches of a turn.
const TURN: u32 = 8;

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
    pub(crate) fn turns(&mut self, readings: &mut [Reading], batch: usize) -> Turns {
        let used: usize = readings.iter().map(Reading::memory).sum();
        self.short = used >= self.budget / if self.short { 4 } else { 2 };
        if !self.short {
            readings.iter_mut().for_each(|reading| reading.turn = 0);
            return Turns::default();
        }
        let order = self.order(readings, used);
        let batch = batch.min(self.budget / 2);
        let (mut turns, mut room) = (Turns::default(), self.budget.saturating_sub(used));
        for (rank, place) in order.iter().enumerate() {
            let reading = &mut readings[*place];
            // Whoever begins a turn beside another's needs more than a batch, lest it must soon wait again.
            let most = if rank > 0 && reading.turn == 0 {
                batch + batch / 2
            } else {
                batch
            };
            let need = most.saturating_sub(reading.growing());
            if need <= room {
                room -= need;
                reading.turn = reading.turn.max(1);
            } else {
                reading.turn = 0;
                turns.waiting.push(*place);
            }
        }
        let idle = |reading: &Reading| reading.is_free() && !reading.is_replaying();
        let stuck = turns.waiting.len() == order.len() && readings.iter().all(idle);
        turns.sealing = order.first().filter(|_| stuck).copied();
        turns
    }

    /// Places of the partitions that need memory: those whose turn it is, then the fullest, then those that wait longest.
    fn order(&self, readings: &[Reading], used: usize) -> Vec<usize> {
        let needs_none =
            |reading: &Reading| reading.is_replaying() || (reading.is_at_end() && used < self.budget);
        let mut order: Vec<usize> = (0..readings.len())
            .filter(|place| !needs_none(&readings[*place]))
            .collect();
        order.sort_by_key(|place| {
            let reading = &readings[*place];
            let had_its_turn = reading.turn > TURN;
            (
                had_its_turn,
                reading.turn == 0,
                Reverse(reading.growing()),
                reading.sealed_at(),
            )
        });
        order
    }
}
