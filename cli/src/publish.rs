//! `kaizen publish`: events as they are.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::connection::Connection;
use crate::output::{self, Output, count, say};
use crate::publisher::Publisher;

/// What to publish.
#[derive(Debug, Args)]
pub struct Publish {
    /// File with one event a line; standard input when absent or `-`
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Topic to publish to
    #[arg(long, default_value = "kaizen.decisions", value_name = "TOPIC")]
    topic: String,
}

#[derive(Default, Deserialize)]
struct Identity {
    session_id: Option<String>,
    event_id: Option<String>,
}

/// Runs it. Nothing is checked here: what is no decision becomes a dead letter, as it would from any producer.
pub fn run(publish: &Publish, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let reader: Box<dyn BufRead> = match publish.file.as_deref().filter(|file| file.as_os_str() != "-") {
        Some(file) => Box::new(BufReader::new(
            File::open(file).with_context(|| file.display().to_string())?,
        )),
        None => Box::new(io::stdin().lock()),
    };
    let publisher = Publisher::new(connection, &publish.topic)?;
    for line in reader.split(b'\n') {
        let line = line.context("reading the events")?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        // Events without a readable session or id travel without a key; the collector tells what is wrong with them.
        let identity: Identity = serde_json::from_slice(&line).unwrap_or_default();
        publisher.send(
            &identity.session_id.unwrap_or_default(),
            identity.event_id.as_deref(),
            &line,
        )?;
    }
    let published = publisher.finish()?;
    if let Some(failure) = published.failure {
        bail!(
            "Kafka did not take {} events; the first: {failure}",
            published.failed
        );
    }
    match output {
        Output::Json => output::json(&json!({"published": published.count(), "topic": publish.topic})),
        Output::Table => {
            say(format_args!(
                "{} events published to {}",
                count(published.count()),
                publish.topic
            ));
            Ok(())
        }
    }
}
