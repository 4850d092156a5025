//! `kaizen import`: files of any shape to decisions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::arguments::Target;
use crate::collected::{Collected, collected};
use crate::connection::Connection;
use crate::mapping::Mapping;
use crate::output::{Output, count, json, note, say, table};
use crate::progress::Progress;
use crate::publisher::Publisher;
use crate::records::{Format, open};

/// Skipped lines that are shown.
const SHOWN: usize = 20;

/// What to import.
#[derive(Debug, Args)]
pub struct Import {
    /// Files: JSON lines or CSV, plain or compressed by gzip or zstd
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How records stand in the files; told by their names when absent
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Mapping of the records to events, a jq expression a field; without one they are events already
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Fail if any line was skipped or any event dead-lettered
    #[arg(long)]
    strict: bool,
    /// Where to.
    #[command(flatten)]
    target: Target,
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
struct Identity {
    session_id: Option<String>,
    event_id: Option<String>,
}

/// Runs it.
pub async fn run(import: &Import, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let mapping = import.mapping.as_deref().map(Mapping::load).transpose()?;
    let publisher = Publisher::new(connection, &import.target.topic)?;
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
    if !import.target.no_wait {
        summary.collected = Some(collected(connection, &import.target.topic, &published.offsets).await?);
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
    for line in open(file, format)? {
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
    let identity: Identity = serde_json::from_str(event).map_err(|error| format!("is no event: {error}"))?;
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
