//! The span of time that holds decisions.

use clickhouse::Row;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{QueryError, Window};
use crate::client::Client;

#[derive(Row, Deserialize)]
struct Span {
    first: u32,
    last: u32,
    rows: u64,
}

/// From the first hour that holds decisions to the end of the last, of one `log_type` or of all; `None` when there are none.
///
/// # Errors
/// Any [`QueryError`].
pub async fn data_window(client: &Client, log_type: Option<&str>) -> Result<Option<Window>, QueryError> {
    // An hour whose sums were corrected to nothing holds none.
    let sql = "SELECT toUnixTimestamp(min(hour)) AS first, toUnixTimestamp(max(hour)) AS last, count() AS rows FROM ( \
               SELECT hour FROM rollup_hourly WHERE ? = '' OR log_type = ? GROUP BY hour HAVING sum(decisions) > 0)";
    let log_type = log_type.unwrap_or_default();
    let span: Option<Span> = client
        .row(client.query(sql).bind(log_type).bind(log_type))
        .await?;
    let Some(span) = span.filter(|span| span.rows > 0) else {
        return Ok(None);
    };
    let time = |second: u32| Timestamp::from_second(second.into());
    let (Ok(start), Ok(last)) = (time(span.first), time(span.last)) else {
        return Err(QueryError::Unreadable(format!(
            "the span {} to {} of hours",
            span.first, span.last
        )));
    };
    Ok(Some(Window::unbounded(
        start,
        last + SignedDuration::from_hours(1),
    )))
}
