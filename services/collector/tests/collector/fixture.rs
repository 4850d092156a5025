//! A pipeline with a warehouse and committed offsets in memory.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kaizen_catalogue::Catalogue;
use kaizen_collector::{EventStep, Instruments, Topics};
use kaizen_decision::{Privacy, RawRecord, Replay};
use kaizen_stream::{
    Assignment, Batch, Commit, Completion, DeadLetter, Flow, Limits, Origin, Partition, Pipeline, Recalled,
    Recent, Store, Window,
};
use kaizen_testkit::DecisionBuilder;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

pub const TOPIC: &str = "kaizen.decisions";
pub const TIME: i64 = 1_767_603_600_000; // 2026-01-05T09:00:00Z
pub const PATIENCE: Duration = Duration::from_secs(5);
const WINDOW: Window = Window {
    offsets: 1000,
    milliseconds: 3_600_000,
};

/// What the store was given of a batch.
#[derive(Debug, Clone)]
pub struct Stored {
    pub partition: Partition,
    pub first: i64,
    pub next: i64,
    pub rows: usize,
    pub replays: usize,
    pub origin: Origin,
    pub token: String,
    pub letters: Vec<DeadLetter>,
}

/// A warehouse that takes a token once; each batch needs a permit.
pub struct Memory {
    pub permits: Semaphore,
    pub stored: Mutex<Vec<Stored>>,
    tokens: Mutex<HashSet<String>>,
    /// Offsets with a row, by partition.
    pub offsets: Mutex<BTreeMap<i32, BTreeSet<i64>>>,
}

impl Store for Memory {
    async fn store(&self, batch: &Batch) {
        self.permits.acquire().await.unwrap().forget();
        let stored = Stored {
            partition: batch.partition.clone(),
            first: batch.first,
            next: batch.next,
            rows: batch.rows.len(),
            replays: batch.replays.len(),
            origin: batch.origin,
            token: batch.token(),
            letters: batch.dead_letters.clone(),
        };
        if self.tokens.lock().unwrap().insert(stored.token.clone()) {
            let mut offsets = self.offsets.lock().unwrap();
            let offsets = offsets.entry(batch.partition.number).or_default();
            for (row, _) in batch.rows.iter() {
                assert!(offsets.insert(row.offset), "offset {} twice", row.offset);
            }
        }
        self.stored.lock().unwrap().push(stored);
    }

    async fn recall(&self, partition: &Partition, before: i64) -> Recalled {
        let offsets = self.offsets.lock().unwrap();
        let stored = offsets.get(&partition.number);
        Recalled {
            recent: Recent::new(WINDOW, []),
            stored_to: stored.and_then(|stored| stored.range(before..).next_back().copied()),
        }
    }

    fn position(&self) -> u64 {
        1
    }
}

pub struct Fixture {
    pub pipeline: Pipeline<EventStep, Memory>,
    pub memory: Arc<Memory>,
    pub committed: BTreeMap<i32, Commit>,
    pub began: Instant,
}

impl Fixture {
    /// Four partitions, assigned and recalled.
    pub fn new(limits: Limits, budget: usize, permits: usize) -> Self {
        let memory = Arc::new(Memory {
            permits: Semaphore::new(permits),
            stored: Mutex::default(),
            tokens: Mutex::default(),
            offsets: Mutex::default(),
        });
        Self::over(memory, BTreeMap::new(), limits, budget)
    }

    /// The same on what an earlier one left: a restart.
    pub fn over(
        memory: Arc<Memory>,
        committed: BTreeMap<i32, Commit>,
        limits: Limits,
        budget: usize,
    ) -> Self {
        let catalogue = Catalogue::parse(include_str!("../../../../config/catalogue.yaml")).unwrap();
        let instruments = Instruments::register(&mut Registry::default());
        let topics = Arc::new(Topics::of(&[]).unwrap());
        let step = EventStep::new(&catalogue, topics, Privacy::Drop, instruments);
        let mut pipeline = Pipeline::new(step, memory.clone(), limits, budget, Handle::current());
        let assignment = |number| {
            let last: Option<&Commit> = committed.get(&number);
            Assignment {
                partition: partition(number),
                from: last.map_or(0, |commit| commit.offset),
                // As it is read back from the broker.
                replay: last
                    .map(Commit::metadata)
                    .filter(|metadata| !metadata.is_empty())
                    .map(|metadata| metadata.parse().unwrap()),
            }
        };
        pipeline.assign((0..4).map(assignment).collect());
        let began = Instant::now();
        let mut resumed = 0;
        while resumed < 4 {
            assert!(began.elapsed() < PATIENCE && pipeline.completed().is_empty());
            resumed += pipeline.tick(began).resume.len();
        }
        Self {
            pipeline,
            memory,
            committed,
            began,
        }
    }

    pub fn take(&mut self, partition: i32, offset: i64, value: Option<&[u8]>) {
        self.take_at(TIME, Duration::ZERO, (partition, offset), value);
    }

    /// Takes a record of this time of Kafka's, so long after the start.
    pub fn take_at(&mut self, time: i64, after: Duration, place: (i32, i64), value: Option<&[u8]>) {
        let record = record(time, place, value);
        self.pipeline.take(&record, None, self.began + after).unwrap();
    }

    /// Takes a record of a trace in.
    pub fn take_traced(&mut self, partition: i32, offset: i64, value: Option<&[u8]>, trace: &[u8]) {
        let record = record(TIME, (partition, offset), value);
        self.pipeline.take(&record, Some(trace), self.began).unwrap();
    }

    /// Takes a record that says it replays a dead letter.
    pub fn take_replay(&mut self, partition: i32, offset: i64, value: Option<&[u8]>, replay: Replay<'_>) {
        let record = record(TIME, (partition, offset), value);
        let record = RawRecord { replay, ..record };
        self.pipeline.take(&record, None, self.began).unwrap();
    }

    /// A decision like no other.
    pub fn good(&mut self, partition: i32, offset: i64) {
        self.take(partition, offset, Some(&good(partition, offset)));
    }

    pub fn tick(&mut self, after: Duration) -> Flow {
        self.pipeline.tick(self.began + after)
    }

    /// Commits what is to be committed, as the broker would take it.
    pub fn commit(&mut self) {
        let commits = self.pipeline.commits(self.began);
        self.keep(&commits);
        self.pipeline.committed(&commits);
    }

    /// The broker takes commits.
    pub fn keep(&mut self, commits: &[Commit]) {
        for commit in commits {
            self.committed.insert(commit.partition.number, commit.clone());
        }
    }

    /// Ends in peace: everything open is stored and committed. Returns what became durable.
    pub fn drain(&mut self) -> Vec<Completion> {
        self.commit();
        let mut durable = self.pipeline.drain(PATIENCE);
        self.commit();
        durable.extend(self.pipeline.settle(&self.pipeline.partitions(), PATIENCE));
        let done = self.pipeline.done(&self.pipeline.partitions());
        self.keep(&done);
        self.pipeline.committed(&done);
        durable
    }

    pub fn stored(&self) -> Vec<Stored> {
        self.memory.stored.lock().unwrap().clone()
    }
}

fn record(time: i64, (partition, offset): (i32, i64), value: Option<&[u8]>) -> RawRecord<'_> {
    RawRecord {
        topic: TOPIC,
        partition,
        offset,
        time: Some(time),
        key: Some(b"k"),
        value,
        content_type: None,
        event_id: None,
        replay: Replay::default(),
    }
}

/// An event of its own for each record.
pub fn good(partition: i32, offset: i64) -> Vec<u8> {
    DecisionBuilder::new(&format!("session-{partition}-{offset}"), "2026-01-05T09:00:00Z").build()
}

pub fn limits(records: usize, bytes: usize) -> Limits {
    Limits {
        records,
        bytes,
        age: Duration::from_secs(1),
        age_behind: Duration::from_secs(1),
    }
}

pub fn partition(number: i32) -> Partition {
    Partition {
        topic: TOPIC.to_owned(),
        number,
    }
}
