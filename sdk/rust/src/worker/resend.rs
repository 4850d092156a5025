//! From the disk to Kafka.

use super::Worker;
use crate::producer::{NotSent, Token};
use crate::stats::DropReason;

/// Events of the backlog that are with the producer at most: a few while Kafka is away, to see whether it is back.
const WINDOW: usize = 20_000;
const PROBE: usize = 64;

impl Worker {
    /// Hands over what waits on disk, in order.
    pub(super) fn resend(&mut self) {
        let Some(backlog) = &mut self.backlog else { return };
        if self.rewind || backlog.is_empty() {
            return;
        }
        let window = if self.away { PROBE } else { WINDOW };
        let mut lost = 0;
        while self.resending < window {
            let Some((number, spilled)) = backlog.next(&mut lost) else {
                break;
            };
            match self
                .producer
                .send(&spilled.topic, &spilled.event, Token::Spilled(number))
            {
                Ok(()) => self.resending += 1,
                Err(NotSent::Refused) => {
                    backlog.settle(number);
                    self.shared.counters.drop(DropReason::Refused, 1);
                }
                Err(NotSent::Full | NotSent::Broken) => {
                    backlog.put_back(number, spilled);
                    break;
                }
            }
        }
        self.shared.counters.drop(DropReason::SpillFailed, lost);
    }
}
