//! Records that became no decision.

use clickhouse::Row;
use serde::Deserialize;

use super::{QueryError, Window};
use crate::client::Client;

#[derive(Row, Deserialize)]
struct Count {
    n: u64,
}

/// Number of records rejected in the window, by Kafka's time of the record.
///
/// # Errors
/// Any [`QueryError`].
pub async fn rejections(client: &Client, window: Window) -> Result<u64, QueryError> {
    let [start, end] = window.bounds();
    let sql = "SELECT count() AS n FROM rejections WHERE _ingested_at >= toDateTime(?, 'UTC') \
               AND _ingested_at < toDateTime(?, 'UTC') AND reason != 'duplicate'";
    let count: Option<Count> = client.row(client.query(sql).bind(start).bind(end)).await?;
    Ok(count.map_or(0, |count| count.n))
}
