//! Which offsets of a partition have a row, and which have more than one. First blocks of offsets are counted, by bitmaps
//! and at little cost; only a block whose count is wrong is looked at closely.

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use crate::client::{Client, WarehouseError};
use crate::queries::Window;
use crate::rows::{change, decision, outcome, rejection};

/// Offsets of a block: block `n` begins at offset `n * BLOCK`.
pub const BLOCK: i64 = 65_536;

/// The tables a record ends in, one of them each, and what it is there: 0 stored, 1 a dead letter, 2 a repeat.
const TABLES: [(&str, &str); 4] = [
    (decision::TABLE, "0"),
    (outcome::TABLE, "0"),
    (change::TABLE, "0"),
    (rejection::TABLE, "if(reason = 'duplicate', 2, 1)"),
];

/// Consecutive offsets of a partition of the topic that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Partition of the topic.
    pub partition: i32,
    /// First offset.
    pub first: i64,
    /// Last offset.
    pub last: i64,
}

impl Span {
    /// Number of its offsets.
    pub fn offsets(&self) -> u64 {
        (self.last - self.first + 1).max(0).unsigned_abs()
    }

    /// The spans it is cut into by blocks, in order.
    pub fn blocks(self) -> impl Iterator<Item = Self> {
        let blocks = self.first.div_euclid(BLOCK)..=self.last.div_euclid(BLOCK);
        blocks
            .filter(move |_| self.first <= self.last)
            .map(move |block| Self {
                first: self.first.max(block * BLOCK),
                last: self.last.min(block * BLOCK + BLOCK - 1),
                ..self
            })
    }

    /// Number of its block, of a span that lies in one.
    pub const fn block(&self) -> i64 {
        self.first.div_euclid(BLOCK)
    }
}

/// What a block of offsets, as far as it was asked about, has in the tables.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct Block {
    /// Partition of the topic.
    pub partition: i32,
    /// Number of the block.
    pub block: i64,
    /// Rows in `decisions`, `outcomes` and `changes`.
    pub stored: u64,
    /// Rows in `rejections` of dead letters.
    pub dead_lettered: u64,
    /// Rows in `rejections` of records that repeat a stored one.
    pub repeated: u64,
    /// Different offsets of all these rows.
    pub offsets: u64,
}

impl Block {
    /// Rows of all kinds.
    pub const fn rows(&self) -> u64 {
        self.stored + self.dead_lettered + self.repeated
    }
}

/// Counts the blocks of disjoint spans. A block without any row is not in the answer.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn count_blocks(
    client: &Client,
    topic: &str,
    spans: &[Span],
) -> Result<Vec<Block>, WarehouseError> {
    let rows = rows_of_topic("_partition AS partition, _offset AS offset", spans);
    let sql = format!(
        "SELECT partition, bitShiftRight(offset, 16) AS block, countIf(kind = 0) AS stored, countIf(kind = 1) AS dead_lettered, \
             countIf(kind = 2) AS repeated, toUInt64(groupBitmap(toUInt32(bitAnd(offset, 65535)))) AS offsets \
         FROM ({rows}) \
         GROUP BY partition, block ORDER BY partition, block"
    );
    client.rows(of_topic(client, &sql, topic)).await
}

/// What is wrong with a block of offsets, as far as it was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct Flaws {
    /// Partition of the topic.
    pub partition: i32,
    /// Number of the block.
    pub block: i64,
    /// First offset with a row.
    pub first: i64,
    /// Last offset with a row.
    pub last: i64,
    /// Between these, the first and last offsets of each run without a row.
    pub gaps: Vec<(i64, i64)>,
    /// The offset of each row too many: of a record that has one already. Records of the same offset and of different times
    /// are two: of a topic that was created anew.
    pub duplicates: Vec<i64>,
}

/// Looks closely at disjoint spans. A block without any row is not in the answer.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn find_flaws(client: &Client, topic: &str, spans: &[Span]) -> Result<Vec<Flaws>, WarehouseError> {
    let rows = "_partition AS partition, _offset AS offset, toUnixTimestamp64Milli(_ingested_at) AS time";
    let rows = rows_of_topic(rows, spans);
    let sql = format!(
        "WITH arrayZip(arrayPopBack(places), arrayPopFront(places)) AS neighbours \
         SELECT partition, block, places[1].1 AS first, places[-1].1 AS last, \
             arrayFilter(gap -> gap.2 >= gap.1, arrayMap(pair -> (pair.1.1 + 1, pair.2.1 - 1), neighbours)) AS gaps, \
             arrayMap(pair -> pair.2.1, arrayFilter(pair -> pair.1 = pair.2, neighbours)) AS duplicates \
         FROM ( \
             SELECT partition, bitShiftRight(offset, 16) AS block, arraySort(groupArray((offset, time))) AS places FROM ({rows}) \
             GROUP BY partition, block) \
         ORDER BY partition, block"
    );
    client.rows(of_topic(client, &sql, topic)).await
}

/// Offsets of a topic that have rows.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct Stored {
    /// Topic.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// First offset with a row.
    pub first: i64,
    /// Last offset with a row.
    pub last: i64,
}

/// From where to where each partition has rows of records of the window, by Kafka's time of them; without a window, of all
/// from second `since` on.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn stored_spans(
    client: &Client,
    window: Option<Window>,
    since: u32,
) -> Result<Vec<Stored>, WarehouseError> {
    let [start, end] = window.map_or([since, u32::MAX], Window::bounds);
    let within =
        format!("_ingested_at >= toDateTime({start}, 'UTC') AND _ingested_at < toDateTime({end}, 'UTC')");
    let columns = "_topic AS topic, _partition AS partition, min(_offset) AS first, max(_offset) AS last";
    let spans = TABLES
        .map(|(table, _)| format!("SELECT {columns} FROM {table} WHERE {within} GROUP BY topic, partition"));
    let sql = format!(
        "SELECT toString(topic) AS topic, partition, min(first) AS first, max(last) AS last FROM ({}) \
         GROUP BY topic, partition ORDER BY topic, partition",
        spans.join(" UNION ALL ")
    );
    client.rows(client.query(&sql)).await
}

/// The rows of a topic, which is yet to be bound, in all tables.
fn rows_of_topic(columns: &str, spans: &[Span]) -> String {
    let condition = within(spans);
    let rows = TABLES.map(|(table, kind)| {
        format!("SELECT {columns}, toUInt8({kind}) AS kind FROM {table} WHERE _topic = ? AND ({condition})")
    });
    rows.join(" UNION ALL ")
}

/// What an earlier query cached is not what is there.
fn of_topic(client: &Client, sql: &str, topic: &str) -> Query {
    let query = client.query(sql).with_setting("use_query_condition_cache", "0");
    TABLES.iter().fold(query, |query, _| query.bind(topic))
}

/// Bounds are numbers, so they can stand in the text.
fn within(spans: &[Span]) -> String {
    let condition = |span: &Span| {
        let Span {
            partition,
            first,
            last,
        } = span;
        format!("(_partition = {partition} AND _offset BETWEEN {first} AND {last})")
    };
    if spans.is_empty() {
        return "0".to_owned();
    }
    spans.iter().map(condition).collect::<Vec<_>>().join(" OR ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_cut_into_its_blocks() {
        let cut = |first, last| {
            let span = Span {
                partition: 0,
                first,
                last,
            };
            let blocks = span.blocks().map(|part| (part.block(), part.first, part.last));
            blocks.collect::<Vec<_>>()
        };
        assert_eq!(cut(5, 5), [(0, 5, 5)]);
        assert_eq!(cut(0, BLOCK - 1), [(0, 0, BLOCK - 1)]);
        let three = [
            (0, 7, BLOCK - 1),
            (1, BLOCK, 2 * BLOCK - 1),
            (2, 2 * BLOCK, 2 * BLOCK),
        ];
        assert_eq!(cut(7, 2 * BLOCK), three);
        assert_eq!(cut(8, 7), [], "nothing is no block");
    }
}
