//! The whole pipeline in memory: records in, batches out.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kaizen_decision::letter::header;
use kaizen_decision::{Reason, Replay};
use kaizen_stream::{Flow, Limits};
use kaizen_testkit::DecisionBuilder;

use crate::fixture::{Fixture, PATIENCE, TIME, good, limits, partition};

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
    fixture.drain();
    let committed = fixture.committed.iter();
    let committed: Vec<_> = committed
        .map(|(partition, commit)| (*partition, commit.offset, commit.intent))
        .collect();
    assert_eq!(committed, [(0, 29, None), (1, 30, None)]);
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
async fn a_replay_is_noted_whatever_becomes_of_it_and_a_letter_it_becomes_names_the_one_before() {
    let mut fixture = Fixture::new(limits(1000, 1 << 20), 1 << 30, 100);
    let replay = Replay {
        of: Some(b"kaizen.decisions/0/7@1767603600000"),
        first_time: Some(b"1767603600000"),
    };
    let event = good(0, 0);
    fixture.take_replay(0, 10, Some(&event), replay);
    fixture.take_replay(0, 11, Some(&event), replay);
    fixture.take_replay(0, 12, Some(b"not json"), replay);
    let claim = Replay {
        of: Some(b"a letter"),
        ..replay
    };
    fixture.take_replay(0, 13, Some(&good(0, 1)), claim);
    fixture.good(0, 14);
    fixture.drain();
    let stored = fixture.stored().remove(0);
    assert_eq!(
        (stored.rows, stored.letters.len(), stored.replays),
        (3, 1, 3),
        "stored, repeated, rejected"
    );
    let told = [
        (header::REPLAY_OF, replay.of.unwrap().to_vec()),
        (header::FIRST_TIME, replay.first_time.unwrap().to_vec()),
    ];
    assert_eq!(stored.letters[0].headers, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_keeps_the_trace_of_its_record_and_no_others() {
    const TRACE: &[u8] = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut fixture = Fixture::new(limits(1000, 1 << 20), 1 << 30, 100);
    fixture.take_traced(0, 10, Some(b"not json"), TRACE);
    fixture.take_traced(0, 11, Some(&good(0, 11)), b"00-another");
    fixture.take(0, 12, Some(b"not json"));
    fixture.drain();
    let stored = fixture.stored().remove(0);
    let headers: Vec<_> = stored.letters.iter().map(|letter| &letter.headers[..]).collect();
    let traced = [("traceparent", TRACE.to_vec())];
    assert_eq!(headers, [&traced[..], &[]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_sealed_by_rows_by_bytes_and_by_age_whichever_comes_first() {
    let mut by_rows = Fixture::new(limits(10, 1 << 20), 1 << 30, 100);
    (0..25).for_each(|offset| by_rows.good(0, offset));
    by_rows.drain();
    assert!(by_rows.stored()[0].rows == 10 && by_rows.stored()[0].next == 10);

    let size = good(0, 0).len();
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
    assert!(by_age.pipeline.commits(by_age.began).is_empty());
    by_age.tick(Duration::from_millis(1000));
    assert_eq!(by_age.pipeline.commits(by_age.began).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_whose_store_is_slow_is_paused_and_read_again_when_it_is_done() {
    let mut fixture = Fixture::new(limits(10, 1 << 20), 1 << 30, 0);
    (0..10).for_each(|offset| fixture.good(0, offset));
    fixture.commit();
    (10..20).for_each(|offset| fixture.good(0, offset));
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
async fn a_batch_of_old_records_waits_longer_while_more_of_them_come() {
    let seconds = Duration::from_secs;
    let limits = Limits {
        age_behind: seconds(10),
        ..limits(1000, 1 << 20)
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    // The time of the records, when they come, and when their batch is sealed.
    for (time, comes, sealed) in [
        (now, vec![0, 1], 1),
        (TIME, vec![0], 1),
        (TIME, vec![0, 1, 2], 3),
        (TIME, (0..12).collect(), 10),
    ] {
        let mut fixture = Fixture::new(limits, 1 << 30, 100);
        for second in 0..=sealed {
            assert!(
                fixture.pipeline.commits(fixture.began).is_empty(),
                "{comes:?} {second}"
            );
            if let Some(offset) = comes.iter().find(|it| **it == second) {
                let value = good(0, i64::try_from(*offset).unwrap());
                fixture.take_at(time, seconds(second), (0, offset.cast_signed()), Some(&value));
            }
            fixture.tick(seconds(second));
        }
        assert_eq!(fixture.pipeline.commits(fixture.began).len(), 1, "{comes:?}");
    }
}

const MIB: usize = 1 << 20;

/// Takes decisions of one partition until its batch has so many bytes; the offset after the last one.
fn fill(fixture: &mut Fixture, partition: i32, mut offset: i64, bytes: usize) -> i64 {
    let note = "x".repeat(10_000);
    for _ in 0..bytes / note.len() {
        let event = DecisionBuilder::new(&format!("session-{partition}-{offset}"), "2026-01-05T09:00:00Z");
        let event = event.with("/output_data/note", note.as_str()).build();
        fixture.take(partition, offset, Some(&event));
        offset += 1;
    }
    offset
}

#[tokio::test(flavor = "multi_thread")]
async fn when_memory_is_short_the_fullest_batches_are_filled_first_and_partitions_take_turns() {
    let mut fixture = Fixture::new(limits(100_000, 4 * MIB), 8 * MIB, 0);
    let tenths = [6, 7, 8, 30];
    let next: Vec<i64> = (0..)
        .zip(tenths)
        .map(|(number, tenths)| fill(&mut fixture, number, 0, MIB / 10 * tenths))
        .collect();
    // Some 5 MiB of 8 are used: what is left is enough for the fullest one to grow to 4.
    let waiting = [partition(0), partition(1), partition(2)];
    assert_eq!(fixture.tick(Duration::ZERO).pause, waiting);
    fill(&mut fixture, 3, next[3], MIB + MIB / 10);
    // It is sealed and has had its turn.
    assert_eq!(
        fixture.tick(Duration::ZERO),
        Flow {
            pause: vec![partition(3)],
            resume: vec![]
        }
    );
    fixture.commit();
    fixture.memory.permits.add_permits(100);
    let began = Instant::now();
    while fixture.pipeline.completed().is_empty() {
        assert!(began.elapsed() < PATIENCE);
    }
    assert_eq!(fixture.tick(Duration::ZERO).resume, [partition(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_memory_is_short_a_partition_keeps_its_turn_for_several_batches_and_then_others_get_theirs() {
    let mut fixture = Fixture::new(limits(100_000, 16 * MIB), 40 * MIB, 100);
    for number in 1..4 {
        fill(&mut fixture, number, 0, 3 * MIB);
    }
    let mut next = fill(&mut fixture, 0, 0, 14 * MIB);
    assert_eq!(fixture.tick(Duration::ZERO).pause, [1, 2, 3].map(partition));
    let mut batches = 0;
    let turned = loop {
        while fixture.pipeline.commits(fixture.began).is_empty() {
            next = fill(&mut fixture, 0, next, MIB);
        }
        batches += 1;
        fixture.commit();
        let began = Instant::now();
        while fixture.pipeline.completed().is_empty() {
            assert!(began.elapsed() < PATIENCE);
        }
        let flow = fixture.tick(Duration::ZERO);
        if flow != Flow::default() {
            break flow;
        }
        assert!(batches < 100, "the others get no turn");
    };
    assert_eq!(batches, 8);
    assert!(!turned.resume.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_was_read_to_its_end_waits_for_nobody_while_memory_is_short() {
    let mut fixture = Fixture::new(limits(100_000, 4 * MIB), 8 * MIB, 0);
    for number in 0..4 {
        fill(&mut fixture, number, 0, MIB + MIB / 4);
    }
    fixture.pipeline.end(2);
    assert_eq!(fixture.tick(Duration::ZERO).pause, [0, 1, 3].map(partition));
}

#[tokio::test(flavor = "multi_thread")]
async fn old_records_are_not_kept_waiting_for_more_at_the_end_of_their_partition() {
    let limits = Limits {
        age_behind: Duration::from_secs(10),
        ..limits(1000, 1 << 20)
    };
    for (ended, sealed) in [(false, 0), (true, 1)] {
        let mut fixture = Fixture::new(limits, 1 << 30, 100);
        for second in 0..=1 {
            let value = good(0, second);
            fixture.take_at(
                TIME,
                Duration::from_secs(second as u64),
                (0, second),
                Some(&value),
            );
        }
        if ended {
            fixture.pipeline.end(0);
        }
        fixture.tick(Duration::from_secs(1));
        assert_eq!(fixture.pipeline.commits(fixture.began).len(), sealed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_memory_is_too_short_for_any_batch_to_grow_the_fullest_is_stored() {
    let mut fixture = Fixture::new(limits(100_000, 4 * MIB), 8 * MIB, 100);
    for number in 0..4 {
        fill(&mut fixture, number, 0, 2 * MIB + MIB / 8 * number as usize);
    }
    assert_eq!(fixture.tick(Duration::ZERO).pause.len(), 4);
    let commits = fixture.pipeline.commits(fixture.began);
    let sealed: Vec<_> = commits.iter().map(|commit| commit.partition.number).collect();
    assert_eq!(sealed, [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_partition_keeps_nothing_and_commits_only_what_became_durable() {
    let mut fixture = Fixture::new(limits(10, 1 << 20), 1 << 30, 1);
    (0..10).for_each(|offset| fixture.good(0, offset));
    fixture.commit();
    (10..15).for_each(|offset| fixture.good(0, offset));
    (0..5).for_each(|offset| fixture.good(1, offset));
    let revoked = [partition(0)];
    let durable = fixture.pipeline.settle(&revoked, PATIENCE);
    assert_eq!(durable.iter().map(|it| it.next).collect::<Vec<_>>(), [10]);
    let done = fixture.pipeline.done(&revoked);
    assert_eq!(
        done.iter().map(|it| (it.offset, it.intent)).collect::<Vec<_>>(),
        [(10, None)]
    );
    fixture.pipeline.revoke(&revoked);
    // A record that was on its way comes again, to whoever owns the partition next.
    fixture.good(0, 15);
    fixture.memory.permits.add_permits(100);
    let ends = fixture.drain();
    assert_eq!(
        ends.iter()
            .map(|it| (it.partition.number, it.next))
            .collect::<Vec<_>>(),
        [(1, 5)]
    );
    assert!(
        fixture
            .stored()
            .iter()
            .all(|batch| batch.partition.number == 1 || batch.next == 10)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_not_stored_in_time_is_never_committed_as_stored() {
    let mut fixture = Fixture::new(limits(10, 1 << 20), 1 << 30, 0);
    (0..10).for_each(|offset| fixture.good(0, offset));
    fixture.commit();
    let revoked = [partition(0)];
    assert!(
        fixture
            .pipeline
            .settle(&revoked, Duration::from_millis(10))
            .is_empty()
    );
    assert!(fixture.pipeline.done(&revoked).is_empty());
    fixture.pipeline.revoke(&revoked);
    fixture.memory.permits.add_permits(100);
    assert!(fixture.drain().is_empty());
    assert!(fixture.pipeline.completed().is_empty() && !fixture.pipeline.is_busy());
    let left = &fixture.committed[&0];
    assert_eq!((left.offset, left.intent.map(|intent| intent.last)), (0, Some(9)));
}
