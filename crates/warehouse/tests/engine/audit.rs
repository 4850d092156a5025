use anyhow::Result;
use kaizen_warehouse::queries::{
    HourCount, RollupAudit, Span, Window, audit_rollup, audit_spans, compare_rollup, rollup_hours,
    stored_spans, whole_since,
};
use kaizen_warehouse::rollup::Rollup;

use crate::sandbox::Sandbox;

pub const HOUR: i64 = 3600;
/// 2024-01-01T00:00:00Z, where the decisions of [`insert`] begin.
pub const BEGIN: i64 = 1_704_067_200;

/// Decisions `first` up to `last`, one a second, each an offset, on two partitions by turns.
pub async fn insert(sandbox: &Sandbox, first: i64, last: i64) -> Result<()> {
    let sql = format!(
        "INSERT INTO decisions (_topic, _partition, _offset, _ingested_at, event_id, log_type, timestamp, method_used, processing_time, \
         success, quality_score, success_indicator, dims, measures) \
         SELECT 't', number % 2, intDiv(number, 2), now64(3), toString(number), ['a', 'b'][1 + number % 2], \
             toDateTime64({BEGIN}, 3, 'UTC') + number, ['x', 'y', 'z'][1 + number % 3], \
             if(number % 17 = 0, NULL, (number * 7919 % 1000003) / 1000), number % 10 > 0, \
             if(number % 3 = 0, NULL, (number * 104729 % 100000007) / 1000000), if(number % 5 = 0, NULL, number % 3 = 0), \
             map('model', ['g1', 'g2'][1 + number % 2]), map('cost_usd', (number % 1000) / 1000000000) \
         FROM numbers({first}, {})",
        last - first
    );
    sandbox.execute(&sql).await
}

pub fn hours(first: i64, last: i64) -> Result<Window> {
    let time = |hour: i64| jiff::Timestamp::from_second(BEGIN + hour * HOUR);
    Ok(Window::new("window", time(first)?, time(last)?)?)
}

/// What the exact comparison and the one of totals say.
pub async fn differences(sandbox: &Sandbox, window: Window) -> Result<(Vec<RollupAudit>, Vec<RollupAudit>)> {
    let rollup = Rollup::read(&sandbox.client).await?;
    Ok((
        audit_rollup(&sandbox.client, &rollup, window).await?,
        compare_rollup(&sandbox.client, window).await?,
    ))
}

fn span(partition: i32, first: i64, last: i64) -> Span {
    Span {
        partition,
        first,
        last,
    }
}

#[tokio::test]
async fn a_row_that_is_missing_or_too_many_is_found_to_its_offset() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    insert(&sandbox, 0, 300_000).await?;
    let spans = [span(0, 0, 149_999), span(1, 0, 149_999)];
    let clean = audit_spans(&sandbox.client, "t", &spans).await?;
    assert!(clean.gaps.is_empty() && clean.duplicates.is_empty());
    assert_eq!(
        clean.blocks.iter().map(|block| block.stored).sum::<u64>(),
        300_000
    );

    // One row is taken away in the middle of a block, two at its seam, two at the end; two are there again.
    sandbox
        .execute(
            "DELETE FROM decisions WHERE _partition = 1 AND _offset IN (70000, 65535, 65536, 149998, 149999)",
        )
        .await?;
    let again =
        "INSERT INTO decisions SELECT * FROM decisions WHERE _partition = 0 AND _offset IN (5, 131072)";
    sandbox.execute(again).await?;
    // A dead letter and a repeat have their offsets too; a row of each kind at one offset is a row too many.
    sandbox
        .execute(
            "INSERT INTO rejections (_topic, _partition, _offset, _ingested_at, reason) \
             SELECT 't', 1, 150000, now64(3), 'not_json' UNION ALL SELECT 't', 1, 150001, now64(3), 'duplicate' UNION ALL \
             SELECT _topic, _partition, _offset, _ingested_at, 'not_json' FROM decisions WHERE _partition = 0 AND _offset = 9",
        )
        .await?;
    let spans = [span(0, 0, 149_999), span(1, 0, 150_001)];
    let audit = audit_spans(&sandbox.client, "t", &spans).await?;
    assert_eq!(
        audit.gaps,
        [
            span(1, 65_535, 65_536),
            span(1, 70_000, 70_000),
            span(1, 149_998, 149_999)
        ]
    );
    assert_eq!(audit.duplicates, [(0, 5), (0, 9), (0, 131_072)]);
    let sum = |of: fn(&kaizen_warehouse::queries::Block) -> u64| audit.blocks.iter().map(of).sum::<u64>();
    assert_eq!((sum(|it| it.dead_lettered), sum(|it| it.repeated)), (2, 1));

    let elsewhere = [span(0, 6, 8), span(0, 10, 70_000), span(1, 70_001, 80_000)];
    let audit = audit_spans(&sandbox.client, "t", &elsewhere).await?;
    assert!(
        audit.gaps.is_empty() && audit.duplicates.is_empty(),
        "only what is asked about: {audit:?}"
    );
    let nothing = audit_spans(&sandbox.client, "other", &[span(0, 3, 70_000)]).await?;
    assert_eq!(nothing.gaps, [span(0, 3, 70_000)], "a topic without any row");
    Ok(())
}

#[tokio::test]
async fn a_record_of_a_topic_that_was_created_anew_is_not_taken_for_the_old_one() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    insert(&sandbox, 0, 100).await?;
    sandbox
        .execute("INSERT INTO decisions SELECT * REPLACE (_ingested_at + 1 AS _ingested_at) FROM decisions WHERE _offset < 10")
        .await?;
    let audit = audit_spans(&sandbox.client, "t", &[span(0, 0, 49), span(1, 0, 49)]).await?;
    assert!(audit.gaps.is_empty() && audit.duplicates.is_empty(), "{audit:?}");
    let stored = stored_spans(&sandbox.client, None, 0).await?;
    let stored: Vec<_> = stored
        .iter()
        .map(|it| (it.partition, it.first, it.last))
        .collect();
    assert_eq!(stored, [(0, 0, 49), (1, 0, 49)]);
    Ok(())
}

#[tokio::test]
async fn a_rollup_changed_by_hand_is_found_whatever_was_changed() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    insert(&sandbox, 0, 24 * HOUR).await?;
    let day = hours(0, 24)?;
    assert_eq!(differences(&sandbox, day).await?, (vec![], vec![]));

    sandbox
        .execute("ALTER TABLE rollup_hourly DELETE WHERE hour = '2024-01-01 03:00:00' AND method_used = 'x' AND log_type = 'a' \
                  SETTINGS mutations_sync = 2")
        .await?;
    sandbox
        .execute(
            "INSERT INTO rollup_hourly (hour, log_type, decisions, quality_sum) VALUES \
             ('2024-01-01 07:00:00', 'b', 0, 1.25), ('2024-01-01 09:00:00', 'b', 2, 0), ('2024-01-02 05:00:00', 'c', 1, 0)",
        )
        .await?;
    let (exact, totals) = differences(&sandbox, hours(0, 48)?).await?;
    let facts = |found: &[RollupAudit]| -> Vec<(String, i64, i64)> {
        let hour = |it: &RollupAudit| (i64::from(it.hour) - BEGIN) / HOUR;
        found
            .iter()
            .map(|it| (it.log_type.clone(), hour(it), it.missing))
            .collect()
    };
    let expected = [("a", 3, 600), ("b", 7, 0), ("b", 9, -2), ("c", 29, -1)];
    let expected = expected.map(|(log_type, hour, missing)| (log_type.to_owned(), hour, missing));
    assert_eq!(
        (facts(&exact), facts(&totals)),
        (expected.to_vec(), expected.to_vec())
    );

    // What only the exact comparison sees: a decision moved to another method, and a sketch.
    sandbox
        .execute(
            "INSERT INTO rollup_hourly (hour, log_type, method_used, decisions, processing_times) VALUES \
             ('2024-01-01 12:00:00', 'a', 'x', 1, {}), ('2024-01-01 12:00:00', 'a', 'v', 18446744073709551615, {}), \
             ('2024-01-01 13:00:00', 'a', 'x', 0, {1000:1})",
        )
        .await?;
    let (exact, totals) = differences(&sandbox, hours(11, 24)?).await?;
    assert_eq!(facts(&exact), [("a".to_owned(), 12, 0), ("a".to_owned(), 13, 0)]);
    assert_eq!((exact[0].rows, exact[1].rows, totals.len()), (2, 1, 0));
    Ok(())
}

#[tokio::test]
async fn decisions_that_the_rollup_does_not_know_at_all_have_their_hours_too() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    assert_eq!(rollup_hours(&sandbox.client).await?, []);
    insert(&sandbox, 0, 3 * HOUR).await?;
    sandbox.execute("TRUNCATE TABLE rollup_hourly").await?;
    let hour = |hour: i64| HourCount {
        hour: u32::try_from(BEGIN + hour * HOUR).unwrap(),
        decisions: 0,
    };
    assert_eq!(rollup_hours(&sandbox.client).await?, [hour(0), hour(2)]);
    let (exact, totals) = differences(&sandbox, hours(0, 3)?).await?;
    assert_eq!((exact.len(), totals.len()), (6, 6));
    Ok(())
}

#[tokio::test]
async fn what_the_tables_ttl_may_have_removed_is_not_audited() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    assert_eq!(whole_since(&sandbox.client).await?, 0, "the tables are new");
    sandbox
        .execute("ALTER TABLE _migrations UPDATE applied_at = now64(3) - INTERVAL 500 DAY WHERE 1 SETTINGS mutations_sync = 2")
        .await?;
    let since = i64::from(whole_since(&sandbox.client).await?);
    let days = (jiff::Timestamp::now().as_second() - since) as f64 / 86_400.0;
    assert!(
        (399.9..=400.0).contains(&days) && since % HOUR == 0,
        "{days} days back"
    );
    sandbox.execute("ALTER TABLE decisions REMOVE TTL").await?;
    assert_eq!(whole_since(&sandbox.client).await?, 0, "nothing is ever removed");
    Ok(())
}
