//! What Kafka made of events, and what is done about it.

use std::time::{Duration, Instant};

use super::Worker;
use crate::event::Event;
use crate::producer::{Outcome, Token};
use crate::stats::{DropReason, add};

/// How long what was given up may take to come back.
const GIVEN_UP: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(1);

/// Events from memory that Kafka did not take, with their numbers.
type Failed = Vec<(usize, Event)>;

impl Worker {
    /// Settles what is delivered or refused, and keeps what failed.
    pub(super) fn settle(&mut self, outcomes: Vec<(Token, Outcome)>) {
        let (delivered, has_failed, failed) = self.sort(outcomes);
        if has_failed {
            self.leave(failed);
        } else if delivered > 0 {
            self.away = false;
        }
    }

    /// Counts each outcome; how many are delivered, whether any failed, and what of it has to be kept.
    fn sort(&mut self, outcomes: Vec<(Token, Outcome)>) -> (u64, bool, Failed) {
        let (mut delivered, mut has_failed, mut failed) = (0, false, Vec::new());
        for (token, outcome) in outcomes {
            match outcome {
                Outcome::Delivered => delivered += 1,
                Outcome::Refused => self.shared.counters.drop(DropReason::Refused, 1),
                Outcome::Failed(_) => has_failed = true,
            }
            match (token, outcome) {
                (Token::Live(number), outcome) => {
                    self.live.settle(number);
                    if let Outcome::Failed(Some(event)) = outcome {
                        failed.push((number, event));
                    }
                }
                (Token::Spilled(number), outcome) => {
                    self.resending -= 1;
                    match (outcome, &mut self.backlog) {
                        (Outcome::Failed(_), _) | (_, None) => self.rewind = true,
                        (_, Some(backlog)) => {
                            backlog.settle(number);
                        }
                    }
                }
            }
        }
        add(&self.shared.counters.delivered, delivered);
        (delivered, has_failed, failed)
    }

    /// Kafka is away. What it was given fails now, instead of each event in its own time, and goes to disk in its order,
    /// before any that comes later.
    pub(super) fn leave(&mut self, mut failed: Failed) {
        if self.backlog.is_some() {
            if !std::mem::replace(&mut self.away, true) {
                tracing::warn!("Kafka does not take decisions: they go to the spill folder");
            }
            failed.extend(self.give_up());
        }
        failed.sort_unstable_by_key(|(number, _)| *number);
        let events: Vec<_> = failed.into_iter().map(|(_, event)| event).collect();
        self.spill(&events);
    }

    /// Takes back all that Kafka has not acknowledged.
    pub(super) fn give_up(&mut self) -> Failed {
        self.producer.give_up();
        let (began, mut failed) = (Instant::now(), Vec::new());
        while (self.live.open() > 0 || self.resending > 0) && began.elapsed() < GIVEN_UP {
            let outcomes = self.producer.poll(PAUSE);
            failed.extend(self.sort(outcomes).2);
        }
        failed
    }

    /// Puts right what a failure left.
    pub(super) fn repair(&mut self) {
        if self.producer.lost_brokers() && !self.away {
            self.leave(Vec::new());
        }
        if self.rewind && self.resending == 0 {
            self.rewind = false;
            if let Some(backlog) = &mut self.backlog {
                backlog.rewind();
            }
        }
        if self.producer.is_broken() {
            let failed = self.give_up();
            self.leave(failed);
            if self.live.open() == 0 && self.resending == 0 {
                tracing::warn!("Kafka's client came to a fatal error: it is started anew");
                self.producer.renew();
            }
        }
    }
}
