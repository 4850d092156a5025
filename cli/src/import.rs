//! `kaizen import`: files of any shape to decisions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use kaizen_files::{Format, Mapping, open};
use serde::{Deserialize, Serialize};

use crate::collected::{Collected, collected};
use crate::connection::Connection;
use crate::follow;
use crate::output::{Output, count, json, note, say, table};
use crate::progress::Progress;
use crate::publisher::Publisher;

/// Skipped lines that are shown.
const SHOWN: usize = 20;

/// What to import.
#[derive(Debug, Args)]
pub struct Import {
    /// Files: JSON lines or CSV, plain or compressed by gzip or zstd; with --follow also patterns such as 'logs/*.log*'
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How records stand in the files: jsonl or csv; told by their names when absent, with --follow jsonl
    #[arg(long, value_parser = format_parser(), value_name = "FORMAT")]
    format: Option<Format>,
    /// Mapping of the records to events, a jq expression a field; without one they are events already
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Fail if any line was skipped or any event dead-lettered
    #[arg(long, conflicts_with = "follow")]
    strict: bool,
    /// Topic to publish to [default: kaizen.decisions.backfill, with --follow kaizen.decisions]
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Return when Kafka has the events, without waiting until the collector has counted them
    #[arg(long, conflicts_with = "follow")]
    no_wait: bool,
    /// Go on as files grow, are rotated and appear, until Ctrl-C or SIGTERM; each line is published once
    #[arg(long)]
    follow: bool,
    /// Folder that keeps how far each log is read, one for each that follows [default: ~/.local/state/kaizen/follow]
    #[arg(long, requires = "follow", value_name = "DIR")]
    checkpoints: Option<PathBuf>,
    /// Time between two looks at the files, 10ms to 1m
    #[arg(long, requires = "follow", default_value = "250ms", value_parser = poll_interval, value_name = "TIME")]
    poll_interval: Duration,
    /// How long a file that was renamed away or removed is still read while nothing is added to it, 0s to 1h
    #[arg(long, requires = "follow", default_value = "30s", value_parser = rotate_wait, value_name = "TIME")]
    rotate_wait: Duration,
}

/// What is asked of following.
pub struct Following<'a> {
    files: &'a [PathBuf],
    /// Format, if one was given.
    pub format: Option<Format>,
    /// Mapping, if one was given.
    pub mapping: Option<Mapping>,
    /// Topic to publish to.
    pub topic: &'a str,
    /// Folder of the checkpoint, if one was given.
    pub checkpoints: Option<&'a Path>,
    /// Time between two looks at the files.
    pub poll_interval: Duration,
    /// How long a file that is gone is read on.
    pub rotate_wait: Duration,
}

impl Following<'_> {
    /// The files and patterns.
    ///
    /// # Errors
    /// One is not UTF-8.
    pub fn patterns(&self) -> anyhow::Result<Vec<String>> {
        self.files.iter().map(|file| follow::pattern(file)).collect()
    }
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["jsonl", "csv"]).try_map(|name| Format::named(&name).ok_or("is no format"))
}

fn poll_interval(text: &str) -> Result<Duration, String> {
    time(
        text,
        Duration::from_millis(10),
        Duration::from_secs(60),
        "must be 10ms to 1m",
    )
}

fn rotate_wait(text: &str) -> Result<Duration, String> {
    time(
        text,
        Duration::ZERO,
        Duration::from_secs(3600),
        "must be 0s to 1h",
    )
}

fn time(text: &str, least: Duration, most: Duration, rule: &str) -> Result<Duration, String> {
    let time = text.parse::<jiff::SignedDuration>().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| (least..=most).contains(time))
        .ok_or_else(|| rule.to_owned())
}

/// What came of every line.
#[derive(Debug, Default, Serialize)]
struct Summary {
    lines: u64,
    published: u64,
    skipped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected: Option<Collected>,
}

/// The parts of an event that Kafka needs to know.
#[derive(Deserialize)]
pub struct Identity {
    /// Key of the record.
    pub session_id: Option<String>,
    /// Identity of its own.
    pub event_id: Option<String>,
}

impl Identity {
    /// Of an event's text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(event: &str) -> Result<Self, String> {
        serde_json::from_str(event).map_err(|error| format!("is no event: {error}"))
    }
}

/// Runs it.
pub async fn run(import: &Import, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let mapping = import.mapping.as_deref().map(mapping).transpose()?;
    if import.follow {
        let following = Following {
            files: &import.files,
            format: import.format,
            mapping,
            topic: import.topic.as_deref().unwrap_or("kaizen.decisions"),
            checkpoints: import.checkpoints.as_deref(),
            poll_interval: import.poll_interval,
            rotate_wait: import.rotate_wait,
        };
        return follow::run(following, connection, output).await;
    }
    let topic = import.topic.as_deref().unwrap_or("kaizen.decisions.backfill");
    let publisher = Publisher::new(connection, topic)?;
    let mut summary = Summary::default();
    let mut progress = Progress::new("published", None);
    for file in &import.files {
        publish(
            file,
            import.format,
            mapping.as_ref(),
            &publisher,
            &mut summary,
            &mut progress,
        )?;
    }
    let published = publisher.finish()?;
    progress.end();
    if let Some(failure) = published.failure {
        bail!(
            "Kafka did not take {} events; the first: {failure}",
            published.failed
        );
    }
    summary.published = published.count();
    if !import.no_wait {
        summary.collected = Some(collected(connection, topic, &published.offsets).await?);
    }
    show(&summary, output)?;
    let rejected = summary.collected.as_ref().map_or(0, Collected::rejected);
    if import.strict && (summary.skipped > 0 || rejected > 0) {
        bail!(
            "{} lines were skipped and {rejected} events dead-lettered",
            summary.skipped
        );
    }
    Ok(())
}

fn mapping(path: &Path) -> anyhow::Result<Mapping> {
    Mapping::load(path).with_context(|| path.display().to_string())
}

fn publish(
    file: &Path,
    format: Option<Format>,
    mapping: Option<&Mapping>,
    publisher: &Publisher,
    summary: &mut Summary,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let shown = file.display().to_string();
    let format = format
        .or_else(|| Format::of(file))
        .with_context(|| format!("{shown}: its name tells no format; give --format"))?;
    for line in open(file, format).with_context(|| shown.clone())? {
        let line = line.with_context(|| format!("{shown} breaks off after line {}", summary.lines))?;
        summary.lines += 1;
        let event = line.record.and_then(|record| match mapping {
            Some(mapping) => mapping.apply(&record, line.number, &shown),
            None => Ok(record),
        });
        let sent = event.and_then(|event| send(publisher, &event));
        if let Err(why) = sent {
            summary.skipped += 1;
            if summary.skipped <= SHOWN as u64 {
                note(format_args!("{shown}:{}: skipped: {why}", line.number));
            }
        }
        progress.at(summary.lines - summary.skipped);
    }
    Ok(())
}

fn send(publisher: &Publisher, event: &str) -> Result<(), String> {
    let identity = Identity::of(event)?;
    let key = identity.session_id.unwrap_or_default();
    publisher
        .send(&key, identity.event_id.as_deref(), event.as_bytes())
        .map_err(|error| error.to_string())
}

fn show(summary: &Summary, output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        return json(summary);
    }
    let mut rows = BTreeMap::from([
        ("1 records read".to_owned(), summary.lines),
        ("2 skipped".to_owned(), summary.skipped),
        ("3 published".to_owned(), summary.published),
    ]);
    if let Some(collected) = &summary.collected {
        rows.insert("4 stored".to_owned(), collected.stored);
        rows.insert("4 stored before".to_owned(), collected.repeated);
        for (reason, records) in &collected.dead_lettered {
            rows.insert(format!("5 dead-lettered: {reason}"), *records);
        }
    }
    let rows = rows
        .into_iter()
        .map(|(name, records)| vec![name[2..].to_owned(), count(records)]);
    say(table(&["", "events"], 1, rows));
    Ok(())
}
