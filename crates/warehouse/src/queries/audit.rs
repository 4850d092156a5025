//! The oracle of ingestion: what must hold of the stored records of each partition, and of the rollup beside its table.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::client::{Client, WarehouseError};

/// What is stored of a partition, as an event or as a rejected or repeated record.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize, Serialize)]
pub struct PartitionAudit {
    /// Topic.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// First offset with a row.
    pub first: i64,
    /// Last offset with a row.
    pub last: i64,
    /// Rows in `decisions`, `outcomes` and `changes`.
    pub stored: u64,
    /// Rows in `rejections` of dead letters.
    pub dead_lettered: u64,
    /// Rows in `rejections` of records that repeat a stored one.
    pub repeated: u64,
    /// Rows too many: of a record that has one already.
    pub duplicates: u64,
    /// Offsets between the first and the last without a row. Of a topic that transactions write to, or that is compacted,
    /// some belong to no record.
    pub gaps: u64,
}

/// The records of the window, by Kafka's time of the record, whole without one.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn audit_partitions(
    client: &Client,
    window: Option<Window>,
) -> Result<Vec<PartitionAudit>, WarehouseError> {
    let within = within("_ingested_at", window);
    let sql = format!(
        "SELECT topic, partition, min(offset) AS first, max(offset) AS last, \
             sum(stored) AS stored, sum(dead) AS dead_lettered, sum(repeated) AS repeated, \
             toUInt64(count() - uniqExact(offset, time)) AS duplicates, \
             toUInt64(last - first + 1 - uniqExact(offset)) AS gaps \
         FROM ( \
             SELECT _topic AS topic, _partition AS partition, _offset AS offset, _ingested_at AS time, \
                 toUInt64(1) AS stored, toUInt64(0) AS dead, toUInt64(0) AS repeated FROM decisions WHERE {within} \
             UNION ALL SELECT _topic, _partition, _offset, _ingested_at, 1, 0, 0 FROM outcomes WHERE {within} \
             UNION ALL SELECT _topic, _partition, _offset, _ingested_at, 1, 0, 0 FROM changes WHERE {within} \
             UNION ALL \
             SELECT _topic, _partition, _offset, _ingested_at, 0, reason != 'duplicate', reason = 'duplicate' \
             FROM rejections WHERE {within}) \
         GROUP BY topic, partition ORDER BY topic, partition"
    );
    client.rows(client.query(&sql)).await
}

/// An hour of a component whose rollup is not what its decisions say.
#[derive(Debug, Clone, PartialEq, Row, Deserialize, Serialize)]
pub struct RollupAudit {
    /// Kind of decision.
    pub log_type: String,
    /// Beginning of the hour, seconds since 1970.
    pub hour: u32,
    /// Decisions in the table.
    pub decisions: u64,
    /// Decisions in the rollup.
    pub rolled_up: u64,
    /// Whether the counts agree and only other sums differ.
    pub only_sums: bool,
}

/// Hours of the window whose rollup differs from their decisions, by the decisions' own time.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn audit_rollup(
    client: &Client,
    window: Option<Window>,
) -> Result<Vec<RollupAudit>, WarehouseError> {
    let (decided, rolled) = (within("timestamp", window), within("hour", window));
    let sql = format!(
        "SELECT log_type, toUInt32(hour) AS hour, sumIf(n, raw) AS decisions, sumIf(n, NOT raw) AS rolled_up, \
             decisions = rolled_up AS only_sums \
         FROM ( \
             SELECT toString(log_type) AS log_type, toStartOfHour(timestamp)::DateTime('UTC') AS hour, true AS raw, \
                 count() AS n, countIf(success) AS successes, countIf(isNotNull(success_indicator)) AS labelled, \
                 countIf(ifNull(success_indicator, false)) AS positives, \
                 countIf(ifNull(abs(quality_score) < 1e10, false)) AS scored, \
                 countIf(ifNull(abs(processing_time) < 1e10, false)) AS timed \
             FROM decisions WHERE {decided} GROUP BY log_type, hour \
             UNION ALL \
             SELECT toString(log_type), hour, false, sum(decisions), sum(successes), sum(labelled), sum(positives), \
                 sum(quality_count), sum(processing_time_count) \
             FROM rollup_hourly WHERE {rolled} GROUP BY log_type, hour) \
         GROUP BY log_type, hour \
         HAVING count() != 2 OR uniqExact(n, successes, labelled, positives, scored, timed) != 1 \
         ORDER BY hour, log_type"
    );
    client.rows(client.query(&sql)).await
}

/// A window's bounds are numbers, so they can stand in the text.
fn within(column: &str, window: Option<Window>) -> String {
    let Some(window) = window else {
        return "1".to_owned();
    };
    let [start, end] = window.bounds();
    format!("{column} >= toDateTime({start}, 'UTC') AND {column} < toDateTime({end}, 'UTC')")
}
