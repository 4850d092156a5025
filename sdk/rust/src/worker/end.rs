//! Flushes and the end.

use std::sync::mpsc::SyncSender;
use std::time::Instant;

use super::Worker;
use crate::stats::DropReason;

/// A wait for all that was logged before it.
pub(super) struct Flush {
    done: SyncSender<()>,
    stage: Stage,
}

/// Where the last event it waits for can be.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// In the buffer, until so many events have left it.
    Buffer(u64),
    /// With the producer: all events from memory before this one.
    Producer(usize),
    /// On disk: all events there before this one.
    Disk(usize),
}

/// A shutdown under way.
pub(super) struct Ending {
    pub deadline: Option<Instant>,
    pub done: SyncSender<()>,
}

impl Worker {
    pub(super) fn begin_flush(&mut self, done: SyncSender<()>) {
        let waiting = self.shared.buffer.len() as u64 + u64::from(self.held.is_some());
        let stage = Stage::Buffer(self.left_buffer() + waiting);
        self.flushes.push(Flush { done, stage });
    }

    /// Events that have left the buffer, either way.
    fn left_buffer(&self) -> u64 {
        self.routed + self.shared.counters.dropped(DropReason::Evicted)
    }

    pub(super) fn answer_flushes(&mut self) {
        let mut flushes = std::mem::take(&mut self.flushes);
        flushes.retain_mut(|flush| {
            while let Some(next) = self.next_stage(flush.stage) {
                match next {
                    None => {
                        // Whoever asked may have stopped waiting.
                        let _ = flush.done.send(());
                        return false;
                    }
                    Some(stage) => flush.stage = stage,
                }
            }
            true
        });
        self.flushes = flushes;
    }

    /// The stage after one that is over: `Some(None)` after the last; `None` when it is not over.
    fn next_stage(&self, stage: Stage) -> Option<Option<Stage>> {
        let settled = |number| {
            self.backlog
                .as_ref()
                .is_none_or(|backlog| backlog.settled_to() >= number)
        };
        match stage {
            Stage::Buffer(count) => {
                (self.left_buffer() >= count).then(|| Some(Stage::Producer(self.live.next())))
            }
            Stage::Producer(number) => (self.live.base() >= number).then(|| {
                let end = self.backlog.as_ref().map_or(0, crate::spill::Backlog::end);
                Some(Stage::Disk(end))
            }),
            Stage::Disk(number) => settled(number).then_some(None),
        }
    }

    /// Whether a shutdown has nothing to wait for any more, or has waited long enough.
    pub(super) fn has_ended(&self) -> bool {
        let Some(ending) = &self.ending else { return false };
        let nothing_on_disk = self.backlog.as_ref().is_none_or(crate::spill::Backlog::is_empty);
        let is_done =
            self.shared.buffer.len() == 0 && self.held.is_none() && self.live.open() == 0 && nothing_on_disk;
        is_done || ending.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Writes to disk what Kafka has not acknowledged.
    pub(super) fn end(&mut self) {
        let failed = self.give_up();
        self.leave(failed);
        // Kafka counts as away now: what is left goes to disk, behind what came back.
        let held = self.held.take();
        self.spill(held.as_slice());
        while self.backlog.is_some() && self.take() > 0 {}
        while let Some(event) = self.shared.buffer.pop() {
            self.spill(&[event]);
        }
        if let Some(backlog) = &mut self.backlog {
            backlog.close();
        }
        self.publish();
    }
}
