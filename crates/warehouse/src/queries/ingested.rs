//! What the collector stored of a partition, by offset, and how far the tables have come.

use std::collections::HashSet;

use clickhouse::Row;
use serde::Deserialize;

use crate::client::{Client, WarehouseError};
use crate::rows::{Column, change, decision, outcome, rejection, replay};

/// The tables a record ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// As a decision.
    Decisions,
    /// As an outcome.
    Outcomes,
    /// As a change.
    Changes,
    /// As a rejected or repeated record.
    Rejections,
    /// As one that replays a dead letter, beside one of the others.
    Replays,
}

impl Table {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decisions => decision::TABLE,
            Self::Outcomes => outcome::TABLE,
            Self::Changes => change::TABLE,
            Self::Rejections => rejection::TABLE,
            Self::Replays => replay::TABLE,
        }
    }

    /// The columns of its encoded rows, in their order.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Decisions => decision::COLUMNS,
            Self::Outcomes => outcome::COLUMNS,
            Self::Changes => change::COLUMNS,
            Self::Rejections => rejection::COLUMNS,
            Self::Replays => replay::COLUMNS,
        }
    }
}

/// A record: its offset, and its Kafka time in milliseconds since 1970, which tells it from one of the same offset of a
/// topic that was created anew.
pub type Place = (i64, i64);

/// Consecutive offsets of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition of the topic.
    pub partition: i32,
    /// First offset.
    pub first: i64,
    /// Last offset.
    pub last: i64,
}

#[derive(Row, Deserialize)]
struct Stored {
    offset: i64,
    time: i64,
}

/// Which records of a range have a row in the table.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn stored_offsets(
    client: &Client,
    table: Table,
    range: Offsets<'_>,
) -> Result<HashSet<Place>, WarehouseError> {
    let sql = format!(
        "SELECT _offset AS offset, toUnixTimestamp64Milli(_ingested_at) AS time FROM {} \
         WHERE _topic = ? AND _partition = ? AND _offset BETWEEN ? AND ?",
        table.name()
    );
    let query = (client.query(&sql).bind(range.topic).bind(range.partition))
        .bind(range.first)
        .bind(range.last);
    let stored: Vec<Stored> = client.rows(query).await?;
    Ok(stored.into_iter().map(|row| (row.offset, row.time)).collect())
}

/// The identity of a stored event.
#[derive(Debug, Clone, Row, Deserialize)]
pub struct StoredIdentity {
    /// Its event id.
    pub event_id: String,
    /// Kafka's time of its record, milliseconds since 1970.
    pub time: i64,
    /// Its offset.
    pub offset: i64,
}

/// The identities of a range in the table of its events, in the order of their offsets.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn stored_identities(
    client: &Client,
    table: Table,
    range: Offsets<'_>,
) -> Result<Vec<StoredIdentity>, WarehouseError> {
    let sql = format!(
        "SELECT event_id, toUnixTimestamp64Milli(_ingested_at) AS time, _offset AS offset FROM {} \
         WHERE _topic = ? AND _partition = ? AND _offset BETWEEN ? AND ? ORDER BY _offset",
        table.name()
    );
    let query = (client.query(&sql).bind(range.topic).bind(range.partition))
        .bind(range.first)
        .bind(range.last);
    client.rows(query).await
}

#[derive(Row, Deserialize)]
struct Last {
    offset: Option<i64>,
}

/// The last offset of a partition that has a row in the table of its events or in that of rejections, from `from` on.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn last_stored_offset(
    client: &Client,
    table: Table,
    topic: &str,
    partition: i32,
    from: i64,
) -> Result<Option<i64>, WarehouseError> {
    let sql = format!(
        "SELECT maxOrNull(offset) AS offset FROM ( \
             SELECT _offset AS offset FROM {} WHERE _topic = ? AND _partition = ? AND _offset >= ? \
             UNION ALL \
             SELECT _offset AS offset FROM rejections WHERE _topic = ? AND _partition = ? AND _offset >= ?)",
        table.name()
    );
    let query = (client.query(&sql).bind(topic).bind(partition).bind(from))
        .bind(topic)
        .bind(partition)
        .bind(from);
    let last: Option<Last> = client.row(query).await?;
    Ok(last.and_then(|last| last.offset))
}

/// The tables whose blocks have tokens.
const TOKENED: &str = "'decisions', 'outcomes', 'changes', 'rejections', 'replays', 'rollup_hourly'";

#[derive(Row, Deserialize)]
struct Number {
    value: u64,
}

/// How far the tables have come: the sum of the numbers of their newest blocks, and 1. It grows by at least one with each
/// block that any of them takes, as do the tokens they remember.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn position(client: &Client) -> Result<u64, WarehouseError> {
    let sql = format!(
        "SELECT toUInt64(1 + sum(newest)) AS value FROM (SELECT max(max_block_number) AS newest FROM system.parts \
         WHERE database = ? AND table IN ({TOKENED}) GROUP BY table)"
    );
    number(client, &sql).await
}

/// How many of its last blocks every one of the tables remembers by their tokens.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn deduplication_window(client: &Client) -> Result<u64, WarehouseError> {
    let sql = format!(
        "SELECT min(toUInt64OrZero(extract(engine_full, 'replicated_deduplication_window = (\\\\d+)'))) AS value \
         FROM system.tables WHERE database = ? AND name IN ({TOKENED})"
    );
    number(client, &sql).await
}

/// Whether an insert into a table whose token begins with this is under way, in whosever name. A server goes on with an insert
/// whose client is gone; until it ends, rows of it may still come.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn is_inserting(client: &Client, token: &str) -> Result<bool, WarehouseError> {
    let sql = "SELECT count() AS value FROM system.processes \
               WHERE startsWith(Settings['insert_deduplication_token'], ?)";
    let under_way: Option<Number> = client.row(client.query(sql).bind(token)).await?;
    Ok(under_way.is_some_and(|under_way| under_way.value > 0))
}

async fn number(client: &Client, sql: &str) -> Result<u64, WarehouseError> {
    let number: Option<Number> = client.row(client.query(sql).bind(client.database())).await?;
    Ok(number.map_or(0, |number| number.value))
}
