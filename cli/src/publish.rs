//! `kaizen publish`: events as they are.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
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
    /// What the events are
    #[arg(long, value_enum, default_value_t = Kind::Decision)]
    kind: Kind,
    /// Topic to publish to, when not the one of their kind
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
}

/// What the events are. It decides the topic, and which field is the record's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Decisions, into kaizen.decisions
    Decision,
    /// Outcomes of sessions, into kaizen.outcomes
    Outcome,
    /// Changes to what decides, into kaizen.changes
    Change,
}

impl Kind {
    const fn topic(self) -> &'static str {
        match self {
            Self::Decision => "kaizen.decisions",
            Self::Outcome => "kaizen.outcomes",
            Self::Change => "kaizen.changes",
        }
    }
}

#[derive(Default, Deserialize)]
struct Identity {
    session_id: Option<String>,
    component: Option<String>,
    event_id: Option<String>,
}

impl Identity {
    /// Events that belong together have the same key, so that they keep their order.
    fn key(&self, kind: Kind) -> &str {
        let key = match kind {
            Kind::Decision | Kind::Outcome => &self.session_id,
            Kind::Change => &self.component,
        };
        key.as_deref().unwrap_or_default()
    }
}

/// Runs it. Nothing is checked here: what is no event of its kind becomes a dead letter, as it would from any producer.
pub fn run(publish: &Publish, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let reader: Box<dyn BufRead> = match publish.file.as_deref().filter(|file| file.as_os_str() != "-") {
        Some(file) => Box::new(BufReader::new(
            File::open(file).with_context(|| file.display().to_string())?,
        )),
        None => Box::new(io::stdin().lock()),
    };
    let topic = publish.topic.as_deref().unwrap_or(publish.kind.topic());
    let publisher = Publisher::new(connection, topic)?;
    for line in reader.split(b'\n') {
        let line = line.context("reading the events")?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        // Events whose key or id cannot be read travel without; the collector tells what is wrong with them.
        let identity: Identity = serde_json::from_slice(&line).unwrap_or_default();
        publisher.send(identity.key(publish.kind), identity.event_id.as_deref(), &line)?;
    }
    let published = publisher.finish()?;
    if let Some(failure) = published.failure {
        bail!(
            "Kafka did not take {} events; the first: {failure}",
            published.failed
        );
    }
    match output {
        Output::Json => output::json(&json!({"published": published.count(), "topic": topic})),
        Output::Table => {
            say(format_args!(
                "{} events published to {}",
                count(published.count()),
                topic
            ));
            Ok(())
        }
    }
}
