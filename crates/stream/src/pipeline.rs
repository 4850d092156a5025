//! Records to batches, batches to the store, and back come the offsets to commit. No IO and no waiting of its own: it is
//! driven by [`crate::consume`], or by a test.
//!
//! A batch is stored only after its intent is committed: the offset of its first record, and in the metadata which
//! records it has. That commit also says that everything before is stored, so it is one commit a batch.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use kaizen_decision::RawRecord;
use tokio::runtime::Handle;

use crate::batch::{Batch, Limits, Partition, Sealed};
use crate::intent::Intent;
use crate::reading::{Commit, Reading, Unexpected};
use crate::recent::Recent;
use crate::share::Share;
use crate::store::{Background, Completion, Event, Store};

/// What becomes of a record.
pub trait Step: Send + 'static {
    /// Appends the record to the batch: as a row, as a dead letter, or as one that repeats a recent one. Depends on nothing
    /// but its arguments, so that the same records give the same batch.
    fn apply(&mut self, record: &RawRecord<'_>, recent: &mut Recent, batch: &mut Batch);

    /// Notes that a batch goes to the store.
    fn sealed(&mut self, batch: &Batch, why: Sealed);
}

/// What the source of records is to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Partitions to stop reading.
    pub pause: Vec<Partition>,
    /// Partitions to read again.
    pub resume: Vec<Partition>,
}

/// A partition to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Which one.
    pub partition: Partition,
    /// Offset of the first record that will come, or a lower one.
    pub from: i64,
    /// The batch that an earlier owner was about to store from there on.
    pub replay: Option<Intent>,
}

/// Open batches, batches being stored, and what is durable.
pub struct Pipeline<P, S> {
    step: P,
    background: Background<S>,
    events: Receiver<Event>,
    limits: Limits,
    share: Share,
    readings: Vec<Reading>,
    /// Where the last record went: the next one mostly goes there too.
    last: usize,
    assignments: u64,
}

impl<P: Step, S: Store> Pipeline<P, S> {
    /// A pipeline whose batches together hold at most `budget` bytes of memory, and what one record adds to it.
    pub fn new(step: P, store: Arc<S>, limits: Limits, budget: usize, runtime: Handle) -> Self {
        let (sender, events) = channel();
        Self {
            step,
            background: Background {
                store,
                runtime,
                events: sender,
            },
            events,
            limits,
            share: Share::new(budget),
            readings: Vec::new(),
            last: 0,
            assignments: 0,
        }
    }

    /// Takes partitions on. Each counts as paused until [`Pipeline::tick`] resumes it, when what was stored is recalled.
    pub fn assign(&mut self, assignments: Vec<Assignment>) {
        for Assignment {
            partition,
            from,
            replay,
        } in assignments
        {
            self.assignments += 1;
            let reading = Reading::new(partition.clone(), self.assignments, from, replay);
            let cancelled = reading.cancelled.clone();
            self.background
                .recall(partition, from, self.assignments, cancelled);
            self.readings.push(reading);
        }
    }

    /// Takes a record in. Records of a partition come in the order of their offsets; one that comes again is passed over, and those of
    /// partitions that are not assigned any more come again, to whoever owns them.
    ///
    /// # Errors
    /// The record comes while its partition is paused from the start, or is another one than the last, of the same offset.
    pub fn take(
        &mut self,
        record: &RawRecord<'_>,
        trace: Option<&[u8]>,
        now: Instant,
    ) -> Result<(), Unexpected> {
        let Some(index) = self.reading_of(record) else {
            return Ok(());
        };
        let Some((batch, recent)) = self.readings[index].admit(record, now)? else {
            return Ok(());
        };
        self.step.apply(record, recent, batch);
        batch.include(record, trace);
        self.seal_if_due(index, now);
        Ok(())
    }

    /// Notes that a partition of this number, of whichever topic, has no further record for now: what is open of it need not
    /// wait for more. Of another topic's it may be wrong, which costs a smaller batch.
    pub fn end(&mut self, number: i32) {
        let its = |reading: &&mut Reading| reading.partition.number == number;
        self.readings.iter_mut().filter(its).for_each(Reading::end);
    }

    fn reading_of(&mut self, record: &RawRecord<'_>) -> Option<usize> {
        let is_its = |reading: &Reading| reading.is_of(record.topic, record.partition);
        if !self.readings.get(self.last).is_some_and(is_its) {
            self.last = self.readings.iter().position(is_its)?;
        }
        Some(self.last)
    }

    /// Seals what is due, and says which partitions to pause and which to resume.
    pub fn tick(&mut self, now: Instant) -> Flow {
        for index in 0..self.readings.len() {
            self.seal_if_due(index, now);
        }
        let turns = self.share.turns(&mut self.readings, self.limits.bytes);
        if let Some(index) = turns.sealing {
            self.seal(index, Sealed::Memory);
        }
        let mut flow = Flow::default();
        for (index, reading) in self.readings.iter_mut().enumerate() {
            let pause = reading.is_held(&self.limits) || turns.waiting.contains(&index);
            if pause != reading.is_paused() {
                reading.set_paused(pause, now);
                let list = if pause { &mut flow.pause } else { &mut flow.resume };
                list.push(reading.partition.clone());
            }
        }
        flow
    }

    fn seal_if_due(&mut self, index: usize, now: Instant) {
        if let Some(why) = self.readings[index].due(&self.limits, now) {
            self.seal(index, why);
        }
    }

    fn seal(&mut self, index: usize, why: Sealed) {
        let position = self.background.store.position();
        if let Some(batch) = self.readings[index].seal(why, position) {
            tracing::debug!(partition = %batch.partition, records = batch.records(), bytes = batch.bytes(), why = why.as_str(), "sealed");
            self.step.sealed(batch, why);
        }
    }

    /// What to commit now. Each is asked for again until it is [`Pipeline::committed`].
    pub fn commits(&self, now: Instant) -> Vec<Commit> {
        let commit = |reading: &Reading| reading.intent().or_else(|| reading.done(self.limits.age, now));
        self.readings.iter().filter_map(commit).collect()
    }

    /// What is stored of these partitions and not committed as such, to be committed before they are given up.
    pub fn done(&self, partitions: &[Partition]) -> Vec<Commit> {
        let given_up = |reading: &&Reading| partitions.contains(&reading.partition);
        let now = Instant::now();
        (self.readings.iter().filter(given_up))
            .filter_map(|reading| reading.done(Duration::ZERO, now))
            .collect()
    }

    /// Commits succeeded: the batches whose intent they are go to the store.
    pub fn committed(&mut self, commits: &[Commit]) {
        for commit in commits {
            let is_its = |reading: &&mut Reading| reading.partition == commit.partition;
            let Some(reading) = self.readings.iter_mut().find(is_its) else {
                continue;
            };
            if let Some(batch) = reading.committed(commit) {
                self.background
                    .store(batch, reading.assignment, reading.cancelled.clone());
            }
        }
    }

    /// What became durable since it was last asked, in the order it did.
    pub fn completed(&mut self) -> Vec<Completion> {
        let mut durable = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            durable.extend(self.note(event));
        }
        durable
    }

    /// A partition that was lost and came back meanwhile is another assignment, which this does not concern.
    fn note(&mut self, event: Event) -> Option<Completion> {
        match event {
            Event::Recalled(assignment, recalled) => {
                if let Some(reading) = self.assignment(assignment) {
                    reading.recalled(recalled);
                }
                None
            }
            Event::Stored(completion) => {
                let reading = self.assignment(completion.assignment)?;
                reading.stored(completion.next, Instant::now());
                tracing::debug!(partition = %completion.partition, next = completion.next, "stored");
                Some(completion)
            }
        }
    }

    fn assignment(&mut self, assignment: u64) -> Option<&mut Reading> {
        self.readings
            .iter_mut()
            .find(|reading| reading.assignment == assignment)
    }

    /// Waits at most `patience` for the batches of these partitions that are being stored. Returns what became durable.
    pub fn settle(&mut self, partitions: &[Partition], patience: Duration) -> Vec<Completion> {
        self.wait(patience, |reading| partitions.contains(&reading.partition))
    }

    /// Gives partitions up: what is not stored is dropped, and read again by their next owner.
    pub fn revoke(&mut self, partitions: &[Partition]) {
        let (given_up, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.readings)
            .into_iter()
            .partition(|reading| partitions.contains(&reading.partition));
        self.readings = kept;
        for reading in given_up {
            reading.cancelled.cancel();
        }
    }

    /// The partitions it has.
    pub fn partitions(&self) -> Vec<Partition> {
        self.readings
            .iter()
            .map(|reading| reading.partition.clone())
            .collect()
    }

    /// Waits at most `patience` for every batch that is being stored; then seals every open batch that is whole, so that
    /// [`Pipeline::commits`] has their intents. Returns what became durable.
    pub fn drain(&mut self, patience: Duration) -> Vec<Completion> {
        let durable = self.wait(patience, |_| true);
        for index in 0..self.readings.len() {
            self.seal(index, Sealed::Drain);
        }
        durable
    }

    fn wait(&mut self, patience: Duration, of: impl Fn(&Reading) -> bool) -> Vec<Completion> {
        let deadline = Instant::now() + patience;
        let mut durable = Vec::new();
        while self
            .readings
            .iter()
            .any(|reading| of(reading) && reading.storing.is_some())
        {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(event) = self.events.recv_timeout(left) else {
                break;
            };
            durable.extend(self.note(event));
        }
        durable
    }

    /// Whether records wait to become durable, or to be known as such.
    pub fn is_busy(&self) -> bool {
        self.readings.iter().any(Reading::is_busy)
    }
}
