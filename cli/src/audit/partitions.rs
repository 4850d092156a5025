//! Each partition: what Kafka has of it, what the collector has committed, and what is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use kaizen_stream::{Looked, Lookup, Partition, Run};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{BLOCK, Span, SpanAudit, Window, audit_spans, stored_spans};
use serde::Serialize;

use super::Verdict;
use crate::connection::Connection;

/// Offsets audited by one query.
const AT_ONCE: u64 = 64 * BLOCK as u64;

/// Between two looks at offsets without a row.
const APART: Duration = Duration::from_millis(500);

/// What is stored of a partition, as an event or as a rejected or repeated record.
#[derive(Debug, Serialize)]
pub struct PartitionAudit {
    /// Topic.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// What it came to.
    pub verdict: Verdict,
    /// First offset audited.
    pub first: i64,
    /// Last offset audited.
    pub last: i64,
    /// Rows in `decisions`, `outcomes` and `changes`.
    pub stored: u64,
    /// Rows in `rejections` of dead letters.
    pub dead_lettered: u64,
    /// Rows in `rejections` of records that repeat a stored one.
    pub repeated: u64,
    /// Offsets without a row that hold no record: transactions leave such, and compaction.
    pub empty: u64,
    /// Offsets without a row that Kafka has removed.
    pub unproven: u64,
    /// Offsets without a row that hold a record: it is lost.
    pub gaps: u64,
    /// Rows too many: of a record that has one already.
    pub duplicates: u64,
}

/// What is audited of a partition.
#[derive(Debug, Clone, Copy)]
struct Place {
    first: i64,
    /// Offset after the last that is audited.
    next: i64,
    /// Offset after the last that must have a row.
    committed: i64,
}

/// Audits the records of the window, by Kafka's time of them, or all from second `since` on.
pub async fn audit(
    connection: &Connection,
    client: &Client,
    window: Option<Window>,
    since: u32,
) -> anyhow::Result<Vec<PartitionAudit>> {
    let lookup = Lookup::new(&connection.stream())?;
    let (lookup, places) = places(lookup, client, window, since).await?;
    let mut topics: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for (partition, place) in &places {
        let span = Span {
            partition: partition.number,
            first: place.first,
            last: place.next - 1,
        };
        topics.entry(&partition.topic).or_default().push(span);
    }
    let mut audited = BTreeMap::new();
    for (topic, spans) in topics {
        let mut whole = count(client, topic, &spans).await?;
        if !whole.gaps.is_empty() {
            // One look is not enough to call a record lost.
            tokio::time::sleep(APART).await;
            whole.gaps = count(client, topic, &whole.gaps).await?.gaps;
        }
        audited.insert(topic.to_owned(), whole);
    }
    let looking = tokio::task::spawn_blocking(move || {
        let verdict = |(partition, place): (Partition, Place)| {
            let audit = &audited[&partition.topic];
            judge(&lookup, &partition, place, audit).with_context(|| partition.to_string())
        };
        places.into_iter().map(verdict).collect()
    });
    looking.await?
}

async fn count(client: &Client, topic: &str, spans: &[Span]) -> anyhow::Result<SpanAudit> {
    let mut whole = SpanAudit::default();
    for spans in cut(spans) {
        let part = audit_spans(client, topic, &spans).await?;
        whole.blocks.extend(part.blocks);
        whole.gaps.extend(part.gaps);
        whole.duplicates.extend(part.duplicates);
    }
    Ok(whole)
}

/// The partitions of which the collector has committed an offset or something is stored, and what of them is to be audited.
async fn places(
    lookup: Lookup,
    client: &Client,
    window: Option<Window>,
    since: u32,
) -> anyhow::Result<(Lookup, BTreeMap<Partition, Place>)> {
    let stored = stored_spans(client, window, since).await?;
    let stored: BTreeMap<Partition, Run> = (stored.into_iter())
        .map(|it| {
            let (topic, number) = (it.topic, it.partition);
            (Partition { topic, number }, (it.first, it.last))
        })
        .collect();
    let asking = tokio::task::spawn_blocking(move || {
        let committed: BTreeMap<_, _> = lookup.committed()?.into_iter().collect();
        let partitions: Vec<_> = committed.keys().cloned().collect();
        let since = i64::from(since) * 1000;
        let from = window.map_or(since, |it| it.start().as_millisecond().max(since));
        let begins: BTreeMap<_, _> = lookup.first_at(&partitions, from)?.into_iter().collect();
        let ends: Option<BTreeMap<_, _>> = window
            .map(|it| {
                anyhow::Ok(
                    lookup
                        .first_at(&partitions, it.end().as_millisecond())?
                        .into_iter()
                        .collect(),
                )
            })
            .transpose()?;
        let mut places = BTreeMap::new();
        for partition in committed.keys().chain(stored.keys()) {
            let (committed, stored) = (committed.get(partition).copied(), stored.get(partition));
            let end = ends
                .as_ref()
                .and_then(|ends| ends.get(partition).copied())
                .unwrap_or(i64::MAX);
            // What must be stored: from what is left in Kafka to what is committed, within the window.
            let due = committed
                .zip(begins.get(partition))
                .map(|(committed, begin)| (*begin, committed.min(end)));
            let due = due.filter(|(first, next)| first < next);
            let there = stored.map(|(first, last)| (*first, last + 1));
            let Some((first, next)) = due
                .into_iter()
                .chain(there)
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
            else {
                continue;
            };
            let place = Place {
                first,
                next,
                committed: committed.unwrap_or(next),
            };
            places.insert(partition.clone(), place);
        }
        anyhow::Ok((lookup, places))
    });
    asking.await?.context("Kafka")
}

/// Spans taken together, or cut at blocks, so that no query has more offsets than it should.
fn cut(spans: &[Span]) -> Vec<Vec<Span>> {
    let mut queries: Vec<(Vec<Span>, u64)> = Vec::new();
    for block in spans.iter().flat_map(|span| span.blocks()) {
        match queries.last_mut() {
            Some((query, together)) if *together + block.offsets() <= AT_ONCE => {
                *together += block.offsets();
                match query.last_mut() {
                    Some(before) if before.partition == block.partition && before.last + 1 == block.first => {
                        before.last = block.last;
                    }
                    _ => query.push(block),
                }
            }
            _ => queries.push((vec![block], block.offsets())),
        }
    }
    queries.into_iter().map(|(query, _)| query).collect()
}

/// Asks Kafka about the offsets without a row.
fn judge(
    lookup: &Lookup,
    partition: &Partition,
    place: Place,
    audit: &SpanAudit,
) -> anyhow::Result<PartitionAudit> {
    let gaps = audit.gaps.iter().filter(|gap| gap.partition == partition.number);
    let gaps: Vec<Run> = gaps
        .map(|gap| (gap.first, gap.last.min(place.committed - 1)))
        .filter(|(first, last)| first <= last)
        .collect();
    let looked = match gaps.is_empty() {
        true => Looked::default(),
        false => lookup.look(partition, &gaps, usize::MAX)?,
    };
    let blocks = || {
        audit
            .blocks
            .iter()
            .filter(|block| block.partition == partition.number)
    };
    let duplicates = audit
        .duplicates
        .iter()
        .filter(|(number, _)| *number == partition.number);
    let offsets = |runs: &[Run]| {
        runs.iter()
            .map(|(first, last)| last.abs_diff(*first) + 1)
            .sum::<u64>()
    };
    let (lost, unproven) = (offsets(&looked.records), offsets(&looked.removed));
    let duplicates = duplicates.count() as u64;
    Ok(PartitionAudit {
        topic: partition.topic.clone(),
        partition: partition.number,
        verdict: match (lost + duplicates, unproven) {
            (0, 0) => Verdict::Clean,
            (0, _) => Verdict::Unproven,
            _ => Verdict::Wrong,
        },
        first: place.first,
        last: place.next - 1,
        stored: blocks().map(|block| block.stored).sum(),
        dead_lettered: blocks().map(|block| block.dead_lettered).sum(),
        repeated: blocks().map(|block| block.repeated).sum(),
        empty: offsets(&looked.empty),
        unproven,
        gaps: lost,
        duplicates,
    })
}
