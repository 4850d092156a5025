//! The whole pipeline in memory: records in, batches out, without a broker or an engine.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy knows only the functions marked as tests"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kaizen_catalogue::Catalogue;
use kaizen_collector::{DecisionStep, Instruments, Policies};
use kaizen_decision::{Privacy, RawRecord, Reason};
use kaizen_stream::{Batch, Completion, DeadLetter, Flow, Limits, Partition, Pipeline, Store};
use kaizen_testkit::DecisionBuilder;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

const TOPIC: &str = "kaizen.decisions";
const TIME: i64 = 1_767_603_600_000; // 2026-01-05T09:00:00Z
const PATIENCE: Duration = Duration::from_secs(5);

/// What the store was given of a batch.
#[derive(Debug, Clone)]
struct Stored {
    partition: Partition,
    first: i64,
    next: i64,
    rows: usize,
    letters: Vec<DeadLetter>,
}

/// Keeps batches; each needs a permit.
struct Memory {
    permits: Semaphore,
    stored: Mutex<Vec<Stored>>,
}

impl Store for Memory {
    async fn store(&self, batch: &mut Batch) {
        self.permits.acquire().await.unwrap().forget();
        self.stored.lock().unwrap().push(Stored {
            partition: batch.partition.clone(),
            first: batch.first,
            next: batch.next,
            rows: batch.row_count,
            letters: batch.dead_letters.clone(),
        });
    }
}

struct Fixture {
    pipeline: Pipeline<DecisionStep, Memory>,
    memory: Arc<Memory>,
    began: Instant,
}

impl Fixture {
    fn new(limits: Limits, budget: usize, permits: usize) -> Self {
        let catalogue = Catalogue::parse(include_str!("../../../config/catalogue.yaml")).unwrap();
        let instruments = Instruments::register(&mut Registry::default());
        let step = DecisionStep::new(&catalogue, Policies::of(&[]).unwrap(), Privacy::Drop, instruments);
        let memory = Arc::new(Memory {
            permits: Semaphore::new(permits),
            stored: Mutex::default(),
        });
        let pipeline = Pipeline::new(step, memory.clone(), limits, budget, Handle::current());
        Self {
            pipeline,
            memory,
            began: Instant::now(),
        }
    }

    fn take(&mut self, partition: i32, offset: i64, value: Option<&[u8]>) {
        let time = Some(TIME);
        let (key, content_type, event_id) = (Some(&b"k"[..]), None, None);
        let record = RawRecord {
            topic: TOPIC,
            partition,
            offset,
            time,
            key,
            value,
            content_type,
            event_id,
        };
        self.pipeline.take(&record, None, self.began);
    }

    fn good(&mut self, partition: i32, offset: i64) {
        self.take(partition, offset, Some(&good()));
    }

    fn tick(&mut self, after: Duration) -> Flow {
        self.pipeline.tick(self.began + after)
    }

    fn drain(&mut self) -> Vec<Completion> {
        self.pipeline.drain(PATIENCE)
    }

    fn stored(&self) -> Vec<Stored> {
        self.memory.stored.lock().unwrap().clone()
    }
}

fn good() -> Vec<u8> {
    DecisionBuilder::new("session", "2026-01-05T09:00:00Z").build()
}

fn limits(records: usize, bytes: usize) -> Limits {
    Limits {
        records,
        bytes,
        age: Duration::from_secs(1),
    }
}

fn partition(number: i32) -> Partition {
    Partition {
        topic: TOPIC.to_owned(),
        number,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_ends_in_one_place_and_offsets_follow_what_is_stored() {
    let mut fixture = Fixture::new(limits(1000, 1 << 20), 1 << 30, 100);
    for offset in 0..30 {
        match offset % 3 {
            0 => fixture.take(offset as i32 % 2, offset, None),
            1 => fixture.take(offset as i32 % 2, offset, Some(b"not json")),
            _ => fixture.good(offset as i32 % 2, offset),
        }
    }
    let mut committed: Vec<_> = fixture
        .drain()
        .into_iter()
        .map(|it| (it.partition.number, it.next))
        .collect();
    committed.sort_unstable();
    assert_eq!(committed, [(0, 29), (1, 30)]);
    let stored = fixture.stored();
    assert_eq!(stored.iter().map(|batch| batch.rows).sum::<usize>(), 10);
    let reasons = |reason| {
        let letters = stored.iter().flat_map(|batch| &batch.letters);
        letters.filter(|letter| letter.rejection.reason == reason).count()
    };
    assert_eq!((reasons(Reason::Tombstone), reasons(Reason::NotJson)), (10, 10));
    let untouched = stored
        .iter()
        .flat_map(|batch| &batch.letters)
        .filter_map(|letter| letter.value.as_deref());
    assert!(untouched.into_iter().all(|value| value == b"not json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_sealed_by_rows_by_bytes_and_by_age_whichever_comes_first() {
    let mut by_rows = Fixture::new(limits(10, 1 << 20), 1 << 30, 100);
    (0..25).for_each(|offset| by_rows.good(0, offset));
    by_rows.drain();
    assert!(by_rows.stored()[0].rows == 10 && by_rows.stored()[0].next == 10);

    let size = good().len();
    let mut by_bytes = Fixture::new(limits(1000, 5 * size), 1 << 30, 100);
    (0..25).for_each(|offset| by_bytes.good(0, offset));
    by_bytes.drain();
    assert!(
        (3..10).contains(&by_bytes.stored()[0].rows),
        "{:?}",
        by_bytes.stored()
    );

    let mut by_age = Fixture::new(limits(1000, 1 << 20), 1 << 30, 100);
    by_age.good(0, 0);
    by_age.tick(Duration::from_millis(999));
    assert!(by_age.pipeline.revoke(&[], PATIENCE).is_empty() && by_age.stored().is_empty());
    by_age.tick(Duration::from_millis(1000));
    // Nothing is open any more, so this only waits.
    assert_eq!(by_age.drain().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_whose_store_is_slow_is_paused_and_read_again_when_it_is_done() {
    let mut fixture = Fixture::new(limits(10, 1 << 20), 1 << 30, 0);
    (0..20).for_each(|offset| fixture.good(0, offset));
    fixture.good(1, 0);
    assert_eq!(
        fixture.tick(Duration::ZERO),
        Flow {
            pause: vec![partition(0)],
            resume: vec![]
        }
    );
    assert_eq!(fixture.tick(Duration::ZERO), Flow::default(), "once");
    fixture.memory.permits.add_permits(100);
    let began = Instant::now();
    let mut durable = Vec::new();
    while durable.is_empty() && began.elapsed() < PATIENCE {
        durable = fixture.pipeline.completed();
    }
    assert_eq!(durable[0].next, 10);
    assert_eq!(
        fixture.tick(Duration::ZERO),
        Flow {
            pause: vec![],
            resume: vec![partition(0)]
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_partitions_are_paused_when_the_batches_reach_the_budget() {
    let mut fixture = Fixture::new(limits(1000, 1 << 20), 10 * good().len(), 0);
    for offset in 0..20 {
        fixture.good(offset as i32 % 4, offset);
    }
    let mut paused = fixture.tick(Duration::ZERO).pause;
    paused.sort_unstable();
    assert_eq!(paused, [partition(0), partition(1), partition(2), partition(3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_partition_keeps_nothing_and_commits_only_what_became_durable() {
    let mut fixture = Fixture::new(limits(10, 1 << 20), 1 << 30, 1);
    (0..15).for_each(|offset| fixture.good(0, offset));
    (0..5).for_each(|offset| fixture.good(1, offset));
    let durable = fixture.pipeline.revoke(&[partition(0)], PATIENCE);
    assert_eq!(durable.iter().map(|it| it.next).collect::<Vec<_>>(), [10]);
    // The records after the batch come again, to whoever owns the partition next.
    fixture.memory.permits.add_permits(100);
    fixture.good(0, 10);
    let mut ends: Vec<_> = fixture
        .drain()
        .into_iter()
        .map(|it| (it.partition.number, it.next))
        .collect();
    ends.sort_unstable();
    assert_eq!(ends, [(0, 11), (1, 5)]);
    assert!(
        fixture
            .stored()
            .iter()
            .all(|batch| batch.partition.number == 1 || batch.first != 0 || batch.next == 10)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_not_stored_in_time_is_never_committed() {
    let mut fixture = Fixture::new(limits(10, 1 << 20), 1 << 30, 0);
    (0..10).for_each(|offset| fixture.good(0, offset));
    assert!(
        fixture
            .pipeline
            .revoke(&[partition(0)], Duration::from_millis(10))
            .is_empty()
    );
    fixture.memory.permits.add_permits(100);
    assert!(fixture.drain().is_empty());
    assert!(fixture.pipeline.completed().is_empty() && !fixture.pipeline.is_busy());
}
