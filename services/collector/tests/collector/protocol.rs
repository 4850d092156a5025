//! Each record counts once, whenever the collector dies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kaizen_decision::{RawRecord, Replay};
use kaizen_stream::{Limits, Origin};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::fixture::{Fixture, TIME, TOPIC, good, limits, partition};

/// Where a life of the collector ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Batches are open or sealed, nothing is committed of them.
    BeforeIntent,
    /// Intents are committed, nothing is stored.
    AfterIntent,
    /// Batches are stored, which is not committed.
    AfterStore,
    /// In peace.
    Drained,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::BeforeIntent),
        Just(End::AfterIntent),
        Just(End::AfterStore),
        Just(End::Drained)
    ]
}

/// Reads each partition from where its offsets were committed, up to its end.
fn live(fixture: &mut Fixture, until: i64, end: End) {
    for number in 0..4 {
        let from = fixture.committed.get(&number).map_or(0, |commit| commit.offset);
        for offset in from..until {
            fixture.good(number, offset);
            if end != End::BeforeIntent {
                let commits = fixture.pipeline.commits(fixture.began);
                fixture.keep(&commits);
                if end != End::AfterIntent {
                    fixture.pipeline.committed(&commits);
                    let durable = fixture
                        .pipeline
                        .settle(&[partition(number)], Duration::from_secs(5));
                    assert_eq!(durable.len(), commits.len());
                }
            }
        }
    }
    if end == End::Drained {
        fixture.drain();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn however_often_and_wherever_it_dies_each_record_is_stored_once(
        lives in prop::collection::vec((1..40_i64, 1..12_usize, end()), 1..8),
    ) {
        let runtime = Runtime::new().unwrap();
        let _entered = runtime.enter();
        let mut last = Fixture::new(limits(5, 1 << 20), 1 << 30, 100_000);
        let mut until = 0;
        for (more, records, end) in lives.into_iter().chain([(1, 5, End::Drained)]) {
            until += more;
            // Each life cuts its batches otherwise; what was promised before is cut as it was.
            last = Fixture::over(last.memory.clone(), last.committed.clone(), limits(records, 1 << 20), 1 << 30);
            live(&mut last, until, end);
        }
        let whole: BTreeSet<i64> = (0..until).collect();
        let offsets = last.memory.offsets.lock().unwrap();
        for number in 0..4 {
            prop_assert_eq!(&offsets[&number], &whole);
            prop_assert_eq!((last.committed[&number].offset, last.committed[&number].intent), (until, None));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_batch_is_rebuilt_and_stored_before_anything_else_whatever_the_limits() {
    let mut first = Fixture::new(limits(10, 1 << 20), 1 << 30, 0);
    (0..10).for_each(|offset| first.good(0, offset));
    first.commit();
    let smaller = Limits {
        age: Duration::ZERO,
        ..limits(3, 100)
    };
    first.memory.permits.add_permits(100);
    let mut second = Fixture::over(Arc::clone(&first.memory), first.committed.clone(), smaller, 1);
    for offset in 0..12 {
        second.good(0, offset);
        second.tick(Duration::from_secs(60));
    }
    second.drain();
    let stored: Vec<_> = second
        .stored()
        .iter()
        .map(|batch| (batch.first, batch.next, batch.origin))
        .collect();
    assert!(stored.contains(&(0, 10, Origin::Replayed)), "{stored:?}");
    let after = stored.iter().filter(|(first, ..)| *first > 0);
    assert!(after.clone().count() > 0 && after.into_iter().all(|(.., origin)| *origin == Origin::Fresh));
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_set_back_by_hand_make_batches_doubtful_until_what_is_stored_is_passed() {
    let mut first = Fixture::new(limits(4, 1 << 20), 1 << 30, 100);
    (0..8).for_each(|offset| first.good(0, offset));
    first.drain();
    let mut second = Fixture::over(Arc::clone(&first.memory), [].into(), limits(6, 1 << 20), 1 << 30);
    // The doubt is the store's to settle; this one would count the rows twice, so it is given no permit.
    second.memory.permits.forget_permits(1000);
    (0..6).for_each(|offset| second.good(0, offset));
    let commit = second.pipeline.commits(second.began).remove(0);
    let intent = commit.intent.unwrap();
    assert_eq!(
        (intent.first, intent.last, intent.position),
        (0, 5, 0),
        "position 0: anything may be there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_repeats_a_recent_one_is_noted_and_not_stored() {
    let mut fixture = Fixture::new(limits(100, 1 << 20), 1 << 30, 100);
    let event = good(0, 0);
    for offset in 0..3 {
        fixture.take(0, offset, Some(&event));
    }
    fixture.good(0, 3);
    fixture.drain();
    let stored = fixture.stored().remove(0);
    assert_eq!((stored.rows, stored.next, stored.letters.len()), (2, 4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_come_again_are_passed_over_until_new_ones_come() {
    let mut fixture = Fixture::new(limits(100, 1 << 20), 1 << 30, 100);
    for offset in [0, 1, 2, 1, 2, 3, 0, 1, 2, 3, 4] {
        fixture.good(0, offset);
    }
    fixture.drain();
    let stored = fixture.stored().remove(0);
    assert_eq!((stored.rows, stored.next), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_record_of_an_offset_that_was_read_is_refused() {
    let mut fixture = Fixture::new(limits(100, 1 << 20), 1 << 30, 100);
    fixture.good(0, 4);
    fixture.good(0, 5);
    let value = good(0, 5);
    let other = RawRecord {
        topic: TOPIC,
        partition: 0,
        offset: 5,
        time: Some(TIME + 1),
        key: None,
        value: Some(&value),
        content_type: None,
        event_id: None,
        replay: Replay::default(),
    };
    let refused = fixture.pipeline.take(&other, None, fixture.began).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "kaizen.decisions/0: the record at offset 5 is another one than before"
    );
}
