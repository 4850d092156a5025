//! Records to batches, batches to the store, and back come the offsets to commit. No IO and no waiting of its own: it is
//! driven by [`crate::consume`], or by a test.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use kaizen_decision::RawRecord;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, Limits, Partition, Sealed};
use crate::store::{Completion, Store, dispatch};

/// What becomes of a record.
pub trait Step: Send + 'static {
    /// Appends the record to the batch: as a row, or as a dead letter. Depends on nothing but its arguments.
    fn apply(&mut self, record: &RawRecord<'_>, batch: &mut Batch);

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

/// A partition that is being read.
struct Reading {
    partition: Partition,
    /// Tells this assignment of the partition from earlier ones.
    assignment: u64,
    open: Option<Batch>,
    /// Bytes of the batch that is being stored.
    storing: Option<usize>,
    paused: bool,
    cancelled: CancellationToken,
    /// Memory of a batch that is stored.
    spare: Vec<u8>,
}

impl Reading {
    fn bytes(&self) -> usize {
        self.open.as_ref().map_or(0, Batch::bytes) + self.storing.unwrap_or_default()
    }

    fn is_full(&self, limits: &Limits) -> bool {
        let batch = self.open.as_ref();
        batch.is_some_and(|batch| batch.records() >= limits.records || batch.bytes() >= limits.bytes)
    }

    /// Why its open batch is to be stored now, if it is.
    fn due(&self, limits: &Limits, now: Instant) -> Option<Sealed> {
        let batch = self.open.as_ref().filter(|_| self.storing.is_none())?;
        batch.full(limits, now)
    }
}

/// Open batches, batches being stored, and what is durable.
pub struct Pipeline<P, S> {
    step: P,
    store: Arc<S>,
    limits: Limits,
    budget: usize,
    runtime: Handle,
    readings: Vec<Reading>,
    /// Where the last record went: the next one mostly goes there too.
    last: usize,
    assignments: u64,
    sender: Sender<Completion>,
    completions: Receiver<Completion>,
}

impl<P: Step, S: Store> Pipeline<P, S> {
    /// A pipeline whose batches together hold at most `budget` bytes, and what one record adds to it.
    pub fn new(step: P, store: Arc<S>, limits: Limits, budget: usize, runtime: Handle) -> Self {
        let (sender, completions) = channel();
        let (readings, last, assignments) = (Vec::new(), 0, 0);
        Self {
            step,
            store,
            limits,
            budget,
            runtime,
            readings,
            last,
            assignments,
            sender,
            completions,
        }
    }

    /// Takes a record in. Records of a partition come in the order of their offsets.
    pub fn take(&mut self, record: &RawRecord<'_>, trace: Option<&[u8]>, now: Instant) {
        let index = self.reading_of(record);
        let reading = &mut self.readings[index];
        let Reading {
            partition,
            spare,
            open,
            ..
        } = reading;
        let batch =
            open.get_or_insert_with(|| Batch::open(partition.clone(), record, std::mem::take(spare), now));
        self.step.apply(record, batch);
        batch.include(record, trace);
        if let Some(why) = reading.due(&self.limits, now) {
            self.seal(index, why);
        }
    }

    fn reading_of(&mut self, record: &RawRecord<'_>) -> usize {
        let is_its = |reading: &Reading| {
            reading.partition.number == record.partition && reading.partition.topic == record.topic
        };
        if !self.readings.get(self.last).is_some_and(is_its) {
            self.last = self
                .readings
                .iter()
                .position(is_its)
                .unwrap_or(self.readings.len());
        }
        if self.last == self.readings.len() {
            self.assignments += 1;
            self.readings.push(Reading {
                partition: Partition {
                    topic: record.topic.to_owned(),
                    number: record.partition,
                },
                assignment: self.assignments,
                open: None,
                storing: None,
                paused: false,
                cancelled: CancellationToken::new(),
                spare: Vec::new(),
            });
        }
        self.last
    }

    /// Seals what is due, and says which partitions to pause and which to resume.
    pub fn tick(&mut self, now: Instant) -> Flow {
        for index in 0..self.readings.len() {
            if let Some(why) = self.readings[index].due(&self.limits, now) {
                self.seal(index, why);
            }
        }
        let over_budget = self.bytes() >= self.budget;
        let mut flow = Flow::default();
        for reading in &mut self.readings {
            let pause = over_budget || (reading.storing.is_some() && reading.is_full(&self.limits));
            if pause != reading.paused {
                reading.paused = pause;
                let list = if pause { &mut flow.pause } else { &mut flow.resume };
                list.push(reading.partition.clone());
            }
        }
        flow
    }

    /// What became durable since it was last asked, in the order it did.
    pub fn completed(&mut self) -> Vec<Completion> {
        let mut durable = Vec::new();
        while let Ok(completion) = self.completions.try_recv() {
            durable.extend(self.complete(completion));
        }
        durable
    }

    fn complete(&mut self, mut completion: Completion) -> Option<Completion> {
        // A partition that was lost and came back meanwhile is read again from its committed offset.
        let is_its = |reading: &&mut Reading| reading.assignment == completion.assignment;
        let reading = self.readings.iter_mut().find(is_its)?;
        reading.storing = None;
        reading.spare = std::mem::take(&mut completion.rows);
        Some(completion)
    }

    /// Gives partitions up: open batches are dropped, batches being stored have `patience` to end. Returns what became
    /// durable in that time.
    pub fn revoke(&mut self, partitions: &[Partition], patience: Duration) -> Vec<Completion> {
        let revoked = |reading: &Reading| partitions.contains(&reading.partition);
        let durable = self.wait(patience, |reading| revoked(reading) && reading.storing.is_some());
        for reading in self.readings.iter().filter(|reading| revoked(reading)) {
            reading.cancelled.cancel();
        }
        self.readings.retain(|reading| !revoked(reading));
        durable
    }

    /// Stores everything that is open and waits at most `patience` for it. Returns what became durable.
    pub fn drain(&mut self, patience: Duration) -> Vec<Completion> {
        let deadline = Instant::now() + patience;
        // First what is being stored, as a partition stores one batch at a time; then what is open.
        let mut durable = self.wait(patience, |reading| reading.storing.is_some());
        for index in 0..self.readings.len() {
            if self.readings[index].storing.is_none() {
                self.seal(index, Sealed::Drain);
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        durable.extend(self.wait(left, |reading| reading.storing.is_some()));
        durable
    }

    fn wait(&mut self, patience: Duration, pending: impl Fn(&Reading) -> bool) -> Vec<Completion> {
        let deadline = Instant::now() + patience;
        let mut durable = Vec::new();
        while self.readings.iter().any(&pending) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(completion) = self.completions.recv_timeout(left) else {
                break;
            };
            durable.extend(self.complete(completion));
        }
        durable
    }

    /// Whether records wait to become durable.
    pub fn is_busy(&self) -> bool {
        self.readings
            .iter()
            .any(|reading| reading.open.is_some() || reading.storing.is_some())
    }

    /// Bytes of all batches.
    pub fn bytes(&self) -> usize {
        self.readings.iter().map(Reading::bytes).sum()
    }

    fn seal(&mut self, index: usize, why: Sealed) {
        let reading = &mut self.readings[index];
        let Some(batch) = reading.open.take() else { return };
        self.step.sealed(&batch, why);
        reading.storing = Some(batch.bytes());
        let (cancelled, sender) = (reading.cancelled.clone(), self.sender.clone());
        dispatch(
            &self.runtime,
            self.store.clone(),
            batch,
            reading.assignment,
            cancelled,
            sender,
        );
    }
}
