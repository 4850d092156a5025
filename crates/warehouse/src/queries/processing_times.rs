//! How long decisions took, day by day.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::{QueryError, Window};
use crate::client::Client;

#[derive(Row, Deserialize)]
struct DayRow {
    times: Vec<(u64, u64)>,
    /// Orders the rows.
    #[serde(rename = "day")]
    _day: u32,
}

/// Times in seconds, rising, each with the decisions that took as long, of each day of the window (UTC) that has any. Times are
/// rounded to three significant digits; those that are no time, zero or less, are left out.
///
/// # Errors
/// Any [`QueryError`].
pub async fn processing_times(
    client: &Client,
    log_type: &str,
    window: Window,
) -> Result<Vec<Vec<(f64, f64)>>, QueryError> {
    let [start, end] = window.bounds();
    let sql = "SELECT CAST(sumMap(processing_times), 'Array(Tuple(UInt64, UInt64))') AS times, \
               toUnixTimestamp(toStartOfDay(hour)) AS day FROM rollup_hourly \
               WHERE log_type = ? AND hour >= toDateTime(?, 'UTC') AND hour < toDateTime(?, 'UTC') GROUP BY day ORDER BY day";
    let rows: Vec<DayRow> = client
        .rows(client.query(sql).bind(log_type).bind(start).bind(end))
        .await?;
    let day = |row: DayRow| {
        let sorted: BTreeMap<u64, u64> = row.times.into_iter().collect();
        let seconds = sorted
            .into_iter()
            .filter(|(nanoseconds, n)| *nanoseconds > 0 && *n > 0);
        seconds
            .map(|(nanoseconds, n)| (nanoseconds as f64 / 1e9, n as f64))
            .collect()
    };
    Ok(rows.into_iter().map(day).collect())
}
