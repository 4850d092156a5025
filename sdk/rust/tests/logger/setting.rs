//! What the tests share: loggers, decisions, and a look into the topic.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use kaizen_logger::{Builder, Decision, DecisionLogger, Stats};
use kaizen_testkit::{Kafka, Record, eventually};
use serde_json::{Value, json};

/// How long anything may take.
pub const SOON: Duration = Duration::from_secs(60);
/// An address where no broker is, nor will be.
pub const NOWHERE: &str = "127.0.0.1:1";

/// A logger to the topic, with a spill folder and little patience.
pub fn builder(kafka: &Kafka, topic: &str, spill: &Path) -> Builder {
    DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(topic)
        .spill_dir(spill)
        .delivery_timeout(Duration::from_secs(2))
}

/// The decision of that number; sessions take turns.
pub fn decision(number: usize) -> Decision {
    Decision::new("website_analysis", format!("s-{}", number % 5), "m")
        .event_id(format!("e-{number}"))
        .input(&json!({"number": number}))
}

/// The numbers that arrived, by session, in the order of their first arrival.
pub async fn arrived(kafka: &Kafka, topic: &str) -> Result<BTreeMap<String, Vec<usize>>> {
    let mut sessions: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for record in kafka.records(topic).await? {
        let event = value(&record)?;
        let session = event["session_id"].as_str().unwrap_or_default().to_owned();
        ensure!(
            record.key.as_deref() == Some(session.as_bytes()),
            "the key is {:?}",
            record.key
        );
        ensure!(
            record.header("event-id") == event["event_id"].as_str(),
            "the header is another id"
        );
        let number = usize::try_from(event["input_data"]["number"].as_u64().unwrap_or_default())?;
        let numbers = sessions.entry(session).or_default();
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(sessions)
}

/// The sessions as they were logged.
pub fn logged(count: usize) -> BTreeMap<String, Vec<usize>> {
    let mut sessions: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for number in 0..count {
        sessions
            .entry(format!("s-{}", number % 5))
            .or_default()
            .push(number);
    }
    sessions
}

/// Waits until the topic holds all of so many decisions.
pub async fn until_arrived(kafka: &Kafka, topic: &str, count: usize) -> Result<BTreeMap<String, Vec<usize>>> {
    eventually(&format!("{count} decisions arrive"), SOON, async || {
        let sessions = arrived(kafka, topic).await?;
        let found: usize = sessions.values().map(Vec::len).sum();
        ensure!(found == count, "{found} are there");
        Ok(sessions)
    })
    .await
}

/// Waits until the counts are as they should be, and every event has one.
pub async fn until(logger: &DecisionLogger, what: &str, holds: impl Fn(&Stats) -> bool) -> Result<Stats> {
    eventually(what, SOON, async || {
        let stats = logger.stats();
        ensure!(holds(&stats) && is_accounted_for(&stats), "{stats:?}");
        Ok(stats)
    })
    .await
}

/// Every event has one count.
pub fn check_accounts(stats: &Stats) {
    assert!(is_accounted_for(stats), "{stats:?}");
}

fn is_accounted_for(stats: &Stats) -> bool {
    let left = stats.buffered + stats.in_flight + stats.on_disk;
    stats.logged + stats.adopted == stats.delivered + stats.dropped_total() + left
}

pub fn value(record: &Record) -> Result<Value> {
    Ok(serde_json::from_slice(
        record.value.as_deref().unwrap_or_default(),
    )?)
}

/// Names in the folder.
pub fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Files in the folders of the folder, but for the locks.
pub fn segments(folder: &Path) -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(folder).unwrap();
    let mut segments: Vec<_> = folders
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some())
        .collect();
    segments.sort_unstable();
    segments
}
