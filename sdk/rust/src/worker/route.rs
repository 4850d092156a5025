//! From the buffer to Kafka or the disk.

use super::Worker;
use crate::event::Event;
use crate::producer::{NotSent, Token};
use crate::stats::{DropReason, add};

/// The most that is taken at once, in events and bytes: also the most that one write to disk holds.
const BATCH: usize = 1_024;
const BATCH_BYTES: usize = 1 << 20;
/// The most that is taken before Kafka's answers are looked at again.
const ROUND: usize = 16 * BATCH;

impl Worker {
    /// Takes what is in the buffer; how much that was.
    pub(super) fn take(&mut self) -> usize {
        let mut taken = 0;
        while taken < ROUND {
            let batch = self.batch();
            if batch.is_empty() {
                break;
            }
            taken += batch.len();
            self.route(batch);
        }
        taken
    }

    fn batch(&mut self) -> Vec<Event> {
        let mut batch: Vec<_> = self.held.take().into_iter().collect();
        let mut bytes = 0;
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let Some(event) = self.shared.buffer.pop() else {
                break;
            };
            bytes += event.size();
            batch.push(event);
            if self.backlog.is_none() {
                // What Kafka does not take has to stay in the buffer, and one can be held.
                break;
            }
        }
        batch
    }

    fn route(&mut self, mut batch: Vec<Event>) {
        let count = batch.len() as u64;
        let sent = if self.spills() { 0 } else { self.send(&batch) };
        let left = batch.split_off(sent);
        if self.backlog.is_some() {
            self.spill(&left);
        } else {
            self.held = left.into_iter().next();
        }
        self.routed += count - u64::from(self.held.is_some());
    }

    /// Whether events go to disk first.
    fn spills(&self) -> bool {
        let waits = |backlog: &crate::spill::Backlog| self.away || !backlog.is_empty();
        self.backlog.as_ref().is_some_and(waits)
    }

    /// Hands events to Kafka until it takes no more; how many are done with.
    fn send(&mut self, batch: &[Event]) -> usize {
        for (sent, event) in batch.iter().enumerate() {
            match self
                .producer
                .send(&self.topic, event, Token::Live(self.live.next()))
            {
                Ok(()) => {
                    self.live.push();
                }
                Err(NotSent::Refused) => self.shared.counters.drop(DropReason::Refused, 1),
                Err(NotSent::Full | NotSent::Broken) => return sent,
            }
        }
        batch.len()
    }

    /// Writes events to disk; without a disk they are lost.
    pub(super) fn spill(&mut self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let counters = &self.shared.counters;
        let Some(backlog) = &mut self.backlog else {
            counters.drop(DropReason::NotDelivered, events.len() as u64);
            return;
        };
        let appended = backlog.append(events);
        add(&counters.spilled, appended.written);
        if let Some((reason, count)) = appended.dropped {
            counters.drop(reason, count);
        }
    }
}
