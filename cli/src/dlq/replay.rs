//! `kaizen dlq replay`: each letter published again once, however often the command is killed or run at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::ensure;
use clap::Args;
use kaizen_decision::LetterId;
use serde::Serialize;

use super::Source;
use super::filter::Filter;
use super::letter::{Head, Named};
use super::marks::{self, Mark};
use super::scan::Scan;
use super::transaction::{Transactions, Waiting};
use crate::collected::{Collected, collected};
use crate::connection::Connection;
use crate::output::{Output, count, json, note, say, table};
use crate::progress::Progress;
use crate::publisher::Offsets;

/// Letters of a transaction, and bytes after which no further one is added.
const LETTERS: usize = 500;
const BYTES: usize = 8 << 20;

/// What to replay.
#[derive(Debug, Args)]
pub struct Replay {
    /// Letters, as the list names them; all that the options admit when absent
    #[arg(value_name = "TOPIC/PARTITION/OFFSET")]
    letters: Vec<Named>,
    /// Which letters.
    #[command(flatten)]
    filter: Filter,
    /// Every open letter, when nothing else says which
    #[arg(long)]
    all: bool,
    /// Only tell what would be replayed
    #[arg(long)]
    dry_run: bool,
    /// Return when Kafka has the replays, without waiting until the collector has counted them
    #[arg(long)]
    no_wait: bool,
    /// Where they lie.
    #[command(flatten)]
    source: Source,
}

/// The letters that are meant and not replayed yet.
#[derive(Default)]
struct Plan {
    letters: HashSet<LetterId>,
    reasons: BTreeMap<String, u64>,
    replayed_before: u64,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Summary {
    dry_run: bool,
    /// Letters that are meant, by reason.
    reasons: BTreeMap<String, u64>,
    replayed: u64,
    replayed_before: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected: Option<Collected>,
}

/// Runs it.
pub async fn run(replay: &Replay, connection: &Connection, output: Output) -> anyhow::Result<()> {
    ensure!(
        replay.all || !replay.letters.is_empty() || !replay.filter.is_open(),
        "say which dead letters to replay: by TOPIC/PARTITION/OFFSET, --reason, --topic, --from, --to, or --all"
    );
    let (topic, marks_topic) = (&replay.source.dead_letter_topic, replay.source.marks_topic());
    let transactions = if replay.dry_run {
        None
    } else {
        Some(Transactions::take_over(connection, topic, &marks_topic)?)
    };
    // Read after the take-over: nobody else can add a mark from here on.
    let marks = marks::read(connection, &marks_topic)?;
    let mut plan = replay.plan(connection, &marks)?;
    let mut summary = Summary {
        dry_run: replay.dry_run,
        reasons: std::mem::take(&mut plan.reasons),
        replayed: 0,
        replayed_before: plan.replayed_before,
        collected: None,
    };
    if let Some(transactions) = &transactions {
        let partitions: BTreeSet<_> = plan.letters.iter().map(|id| (&*id.topic, id.partition)).collect();
        (partitions.into_iter()).try_for_each(|(topic, partition)| transactions.check(topic, partition))?;
        let replays = publish(connection, topic, transactions, &mut plan.letters).await?;
        summary.replayed = replays
            .values()
            .flatten()
            .map(|(_, offsets)| offsets.len() as u64)
            .sum();
        if !plan.letters.is_empty() {
            let gone = count(plan.letters.len() as u64);
            note(format_args!("{gone} letters have left {topic} meanwhile"));
        }
        if !replay.no_wait {
            summary.collected = Some(settle(connection, replays).await?);
        }
    }
    match output {
        Output::Json => json(&summary),
        Output::Table => {
            show(&summary);
            Ok(())
        }
    }
}

impl Replay {
    fn plan(&self, connection: &Connection, marks: &HashMap<LetterId, Mark>) -> anyhow::Result<Plan> {
        let mut plan = Plan::default();
        let mut seen = HashSet::new();
        let mut unseen: Vec<&Named> = self.letters.iter().collect();
        let mut scan = Scan::of(connection, &self.source.dead_letter_topic)?;
        while let Some(message) = scan.next()? {
            let Some(letter) = Head::of(&message) else {
                continue;
            };
            let named = self.letters.is_empty() || self.letters.iter().any(|name| name.is(&letter.id));
            if !named || !self.filter.admits(&letter) || !seen.insert(letter.id.clone()) {
                continue;
            }
            unseen.retain(|name| !name.is(&letter.id));
            if marks.contains_key(&letter.id) {
                plan.replayed_before += 1;
            } else {
                *plan.reasons.entry(letter.reason).or_default() += 1;
                plan.letters.insert(letter.id);
            }
        }
        let unseen: Vec<_> = unseen.iter().map(ToString::to_string).collect();
        ensure!(
            unseen.is_empty(),
            "there is no such dead letter in {}: {}",
            self.source.dead_letter_topic,
            unseen.join(", ")
        );
        Ok(plan)
    }
}

/// Offsets of replays, by topic and partition.
type Replays = BTreeMap<String, BTreeMap<i32, Vec<i64>>>;

/// Publishes the letters, which are removed from the set.
async fn publish(
    connection: &Connection,
    topic: &str,
    transactions: &Transactions,
    letters: &mut HashSet<LetterId>,
) -> anyhow::Result<Replays> {
    let mut replays = Replays::new();
    let mut progress = Progress::new("replayed", Some(letters.len() as u64));
    let mut scan = Scan::of(connection, topic)?;
    let (mut batch, mut bytes, mut done) = (Vec::new(), 0, 0);
    loop {
        let message = scan.next()?;
        let ended = message.is_none();
        let letter = message.and_then(|message| {
            let letter = Head::of(&message).filter(|letter| letters.remove(&letter.id))?;
            Some(Waiting::of(letter, &message))
        });
        if let Some(letter) = letter {
            bytes += letter.bytes;
            batch.push(letter);
        }
        if !batch.is_empty() && (ended || batch.len() >= LETTERS || bytes >= BYTES) {
            let marks = transactions.replay(&batch).await?;
            done += batch.len() as u64;
            progress.at(done);
            for Mark {
                topic,
                partition,
                offset,
                ..
            } in marks
            {
                replays
                    .entry(topic)
                    .or_default()
                    .entry(partition)
                    .or_default()
                    .push(offset);
            }
            batch.clear();
            bytes = 0;
        }
        if ended {
            progress.end();
            return Ok(replays);
        }
    }
}

/// Waits until the collector has counted the replays, and tells what became of them.
async fn settle(connection: &Connection, replays: Replays) -> anyhow::Result<Collected> {
    let mut all = Collected::default();
    for (topic, partitions) in replays {
        let offsets: Offsets = (partitions.into_iter())
            .map(|(partition, offsets)| (partition, ranges(offsets)))
            .collect();
        let of_topic = collected(connection, &topic, &offsets).await?;
        all.stored += of_topic.stored;
        all.repeated += of_topic.repeated;
        for (reason, records) in of_topic.dead_lettered {
            *all.dead_lettered.entry(reason).or_default() += records;
        }
    }
    Ok(all)
}

fn ranges(mut offsets: Vec<i64>) -> Vec<(i64, i64)> {
    offsets.sort_unstable();
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for offset in offsets {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == offset => *last = offset,
            _ => ranges.push((offset, offset)),
        }
    }
    ranges
}

fn show(summary: &Summary) {
    let mut rows: Vec<_> = (summary.reasons.iter())
        .map(|(reason, letters)| (format!("rejected for {reason}"), *letters))
        .collect();
    rows.push(("replayed before".to_owned(), summary.replayed_before));
    if !summary.dry_run {
        rows.push(("replayed".to_owned(), summary.replayed));
    }
    if let Some(collected) = &summary.collected {
        rows.push(("stored".to_owned(), collected.stored));
        rows.push(("stored before".to_owned(), collected.repeated));
        for (reason, records) in &collected.dead_lettered {
            rows.push((format!("dead-lettered again: {reason}"), *records));
        }
    }
    let rows = rows.into_iter().map(|(name, letters)| vec![name, count(letters)]);
    say(table(&["", "letters"], 1, rows));
    if summary.dry_run {
        say("Nothing was replayed: --dry-run");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_in_a_row_are_one_range_in_whatever_order_they_come() {
        assert_eq!(ranges(vec![7, 5, 9, 6]), [(5, 7), (9, 9)]);
        assert!(ranges(Vec::new()).is_empty());
    }
}
