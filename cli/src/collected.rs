//! Waits until the collector has counted what was published, and tells what became of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use kaizen_warehouse::queries::Table;
use kaizen_warehouse::rows::rejection::DUPLICATE;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;

use crate::connection::Connection;
use crate::progress::Progress;
use crate::publisher::Offsets;

const ANSWER: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
/// Silence after which the collector is given up.
const SILENCE: Duration = Duration::from_secs(60);
/// The tables a topic's events may go to; the collector's configuration says which.
const TABLES: [Table; 3] = [Table::Decisions, Table::Outcomes, Table::Changes];
/// Ranges of offsets in one query.
const RANGES: usize = 200;

/// What became of published events.
#[derive(Debug, Default, Serialize)]
pub struct Collected {
    /// Rows in the table of the topic's events.
    pub stored: u64,
    /// Records dropped, as they repeat a stored one.
    pub repeated: u64,
    /// Dead letters, by reason.
    pub dead_lettered: BTreeMap<String, u64>,
}

impl Collected {
    /// Dead letters of every reason.
    pub fn rejected(&self) -> u64 {
        self.dead_lettered.values().sum()
    }
}

/// Waits for every offset, then counts.
///
/// # Errors
/// The collector made no progress for a minute, or Kafka or ClickHouse does not answer.
pub async fn collected(connection: &Connection, topic: &str, offsets: &Offsets) -> anyhow::Result<Collected> {
    wait(connection, topic, offsets)?;
    count(connection, topic, offsets).await
}

/// The collector commits an offset when everything before it is stored or dead-lettered.
fn wait(connection: &Connection, topic: &str, offsets: &Offsets) -> anyhow::Result<()> {
    // Never subscribes, so it does not become a member of the group.
    let consumer: BaseConsumer = connection.kafka().set("group.id", &connection.group).create()?;
    let ends: BTreeMap<i32, i64> = offsets
        .iter()
        .filter_map(|(partition, ranges)| Some((*partition, ranges.last()?.1 + 1)))
        .collect();
    let begins = |partition: &i32| offsets[partition].first().map_or(0, |range| range.0);
    let total: i64 = ends.iter().map(|(partition, end)| end - begins(partition)).sum();
    let mut progress = Progress::new("collected", Some(total.unsigned_abs()));
    let (mut best, mut moved) = (-1, Instant::now());
    loop {
        let committed = committed(&consumer, topic, ends.keys())?;
        let done: i64 = (ends.iter())
            .map(|(partition, end)| {
                committed
                    .get(partition)
                    .copied()
                    .unwrap_or(0)
                    .clamp(begins(partition), *end)
                    - begins(partition)
            })
            .sum();
        progress.at(done.unsigned_abs());
        if done == total {
            progress.end();
            return Ok(());
        }
        if done > best {
            (best, moved) = (done, Instant::now());
        }
        if moved.elapsed() > SILENCE {
            let behind = |(partition, end): &(&i32, &i64)| committed.get(partition).is_none_or(|at| at < end);
            let behind: Vec<_> = ends
                .iter()
                .filter(behind)
                .map(|(partition, _)| format!("{topic}/{partition}"))
                .collect();
            bail!(
                "the collector has not moved for {} s; behind in {}",
                SILENCE.as_secs(),
                behind.join(", ")
            );
        }
        std::thread::sleep(PAUSE);
    }
}

fn committed<'a>(
    consumer: &BaseConsumer,
    topic: &str,
    partitions: impl Iterator<Item = &'a i32>,
) -> anyhow::Result<BTreeMap<i32, i64>> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, *partition);
    }
    let answer = consumer
        .committed_offsets(list, ANSWER)
        .context("the collector's offsets")?;
    let offset = |element: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element.offset() {
        Offset::Offset(offset) => Some((element.partition(), offset)),
        _ => None,
    };
    Ok(answer.elements().into_iter().filter_map(offset).collect())
}

async fn count(connection: &Connection, topic: &str, offsets: &Offsets) -> anyhow::Result<Collected> {
    let client = connection.warehouse()?;
    let mut collected = Collected::default();
    let ranges: Vec<_> = offsets
        .iter()
        .flat_map(|(partition, ranges)| ranges.iter().map(|(first, last)| (*partition, *first, *last)))
        .collect();
    for ranges in ranges.chunks(RANGES) {
        let condition = vec!["(_partition = ? AND _offset BETWEEN ? AND ?)"; ranges.len()].join(" OR ");
        let bind = |sql: String| {
            ranges.iter().fold(
                client.query(&sql).bind(topic),
                |query, (partition, first, last)| query.bind(partition).bind(first).bind(last),
            )
        };
        for table in TABLES {
            let stored = bind(format!(
                "SELECT count() FROM {} WHERE _topic = ? AND ({condition})",
                table.name()
            ));
            collected.stored += client.row::<u64>(stored).await?.unwrap_or_default();
        }
        let rejected = "SELECT toString(reason), uniqExact(_partition, _offset) FROM rejections";
        let rejected = bind(format!(
            "{rejected} WHERE _topic = ? AND ({condition}) GROUP BY reason"
        ));
        for (reason, records) in client.rows::<(String, u64)>(rejected).await? {
            if reason == DUPLICATE {
                collected.repeated += records;
            } else {
                *collected.dead_lettered.entry(reason).or_default() += records;
            }
        }
    }
    Ok(collected)
}
