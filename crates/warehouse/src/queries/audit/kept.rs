//! From when on the tables are whole: what is older than the table's TTL is removed bit by bit, which is no loss.

use clickhouse::Row;
use serde::Deserialize;

use crate::client::{Client, WarehouseError};

#[derive(Row, Deserialize)]
struct Since {
    second: u32,
}

/// Seconds since 1970 from which on nothing can have been removed by the TTL of `decisions`, on a whole hour; 0 if nothing was
/// yet, as the tables are younger than that. It counts from Kafka's time of the records. Decisions are never much older than
/// they say they are, so it bounds their own times too.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn whole_since(client: &Client) -> Result<u32, WarehouseError> {
    let sql = "WITH ifNull((SELECT toUInt32OrZero(extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)')) FROM system.tables \
                   WHERE database = ? AND name = 'decisions'), 0) AS days, \
                   now('UTC') - toIntervalDay(days) AS oldest \
               SELECT if(days = 0 OR oldest < min(applied_at), toUInt32(0), toUnixTimestamp(toStartOfHour(oldest) + 3600)) AS second \
               FROM _migrations";
    let since: Option<Since> = client.row(client.query(sql).bind(client.database())).await?;
    Ok(since.map_or(0, |since| since.second))
}
