//! Whether the rollup says what its decisions say: to the last digit of each of its rows, or at a thirtieth of the cost by
//! the totals of each hour.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::client::{Client, WarehouseError};
use crate::queries::Window;
use crate::rollup::{Rollup, RollupError};

/// An hour of a component whose rollup is not what its decisions say.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize, Serialize)]
pub struct RollupAudit {
    /// Kind of decision.
    pub log_type: String,
    /// Beginning of the hour, seconds since 1970.
    pub hour: u32,
    /// Decisions that the rollup lacks; below 0, that it has too many. 0 when only other sums differ.
    pub missing: i64,
    /// Rows of the rollup that differ: combinations of dimensions. 0 when only totals were compared.
    pub rows: u64,
    /// The same for the same difference. While decisions are inserted, the rollup is behind by a moment: a difference that stays
    /// the same is none of these.
    pub digest: u64,
}

/// Compares each row, in the hours between two seconds. Costs some 2 µs of CPU a decision.
///
/// # Errors
/// Any [`RollupError`].
pub async fn audit_rollup(
    client: &Client,
    rollup: &Rollup,
    window: Window,
) -> Result<Vec<RollupAudit>, RollupError> {
    let difference = rollup.difference("decisions", "rollup_hourly", window.bounds());
    let sql = format!(
        "SELECT toString(log_type) AS log_type, toUInt32(hour) AS hour, toInt64(sum(decisions)) AS missing, count() AS rows, \
             sum(cityHash64(*)) AS digest \
         FROM ({difference}) GROUP BY log_type, hour ORDER BY hour, log_type"
    );
    Ok(client.rows(client.inner().query_raw(&sql)).await?)
}

/// Compares the totals of each hour: counts, and the sums of scores and times as far as floats can tell. Costs less than 0.1 µs
/// of CPU a decision. What it cannot see: a row moved to other dimensions, changed sketches and measures.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn compare_rollup(client: &Client, window: Window) -> Result<Vec<RollupAudit>, WarehouseError> {
    let [start, end] = window.bounds();
    let within =
        |column| format!("{column} >= toDateTime({start}, 'UTC') AND {column} < toDateTime({end}, 'UTC')");
    // A decimal is a rounded float: each may be off by half a millionth, the sum of floats by its last digits.
    let apart = |sum: &str| format!("abs(sum(side * {sum})) > 1e-6 * max(n) + 1e-9 * max(abs({sum}))");
    let sql = format!(
        "SELECT log_type, toUInt32(hour) AS hour, sum(side * toInt64(n)) AS missing, toUInt64(0) AS rows, \
             cityHash64(missing, sum(side * toInt64(successes)) AS a, sum(side * toInt64(labelled)) AS b, \
                 sum(side * toInt64(positives)) AS c, sum(side * toInt64(scored)) AS d, sum(side * toInt64(timed)) AS e, \
                 {} AS scores, {} AS times) AS digest \
         FROM ( \
             SELECT toString(log_type) AS log_type, toStartOfHour(timestamp)::DateTime('UTC') AS hour, toInt8(1) AS side, \
                 count() AS n, countIf(success) AS successes, countIf(isNotNull(success_indicator)) AS labelled, \
                 countIf(ifNull(success_indicator, false)) AS positives, \
                 countIf(ifNull(abs(quality_score) < 1e10, false)) AS scored, \
                 countIf(ifNull(abs(processing_time) < 1e10, false)) AS timed, \
                 sumIf(ifNull(quality_score, 0), ifNull(abs(quality_score) < 1e10, false)) AS score, \
                 sumIf(ifNull(processing_time, 0), ifNull(abs(processing_time) < 1e10, false)) AS time \
             FROM decisions WHERE {} GROUP BY log_type, hour \
             UNION ALL \
             SELECT toString(log_type), hour, -1, sum(decisions), sum(successes), sum(labelled), sum(positives), \
                 sum(quality_count), sum(processing_time_count), toFloat64(sum(quality_sum)), toFloat64(sum(processing_time_sum)) \
             FROM rollup_hourly WHERE {} GROUP BY log_type, hour) \
         GROUP BY log_type, hour \
         HAVING missing != 0 OR a != 0 OR b != 0 OR c != 0 OR d != 0 OR e != 0 OR scores OR times \
         ORDER BY hour, log_type",
        apart("score"),
        apart("time"),
        within("timestamp"),
        within("hour")
    );
    client.rows(client.query(&sql)).await
}

/// An hour, and how many decisions the rollup has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Row, Deserialize)]
pub struct HourCount {
    /// Beginning of the hour, seconds since 1970.
    pub hour: u32,
    /// Decisions in the rollup.
    pub decisions: u64,
}

/// The hours of the rollup, in order, with the first and the last of the decisions whether or not the rollup has them.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn rollup_hours(client: &Client) -> Result<Vec<HourCount>, WarehouseError> {
    let sql = "SELECT toUnixTimestamp(hour) AS hour, sum(n) AS decisions FROM ( \
                   SELECT hour, sum(decisions) AS n FROM rollup_hourly GROUP BY hour \
                   UNION ALL \
                   SELECT toStartOfHour(arrayJoin([min(timestamp), max(timestamp)]))::DateTime('UTC'), toUInt64(0) FROM decisions \
                   HAVING count() > 0) \
               GROUP BY hour ORDER BY hour";
    client.rows(client.query(sql)).await
}
