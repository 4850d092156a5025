//! `kaizen dlq show`: a letter in full, on the terminal of whoever asks and nowhere else.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use kaizen_decision::LetterId;
use rdkafka::Message;
use serde::Serialize;

use super::letter::{Head, Named, own_headers};
use super::list::Line;
use super::scan::Scan;
use super::{Source, marks};
use crate::connection::Connection;
use crate::output::{Output, json, say};

/// What to show.
#[derive(Debug, Args)]
pub struct Show {
    /// The letter, as the list names it
    #[arg(value_name = "TOPIC/PARTITION/OFFSET")]
    letter: Named,
    /// Print nothing but the bytes of the value, unchanged
    #[arg(long)]
    raw: bool,
    /// Where it lies.
    #[command(flatten)]
    source: Source,
}

/// A letter in full.
#[derive(Serialize)]
struct Full {
    #[serde(flatten)]
    line: Line,
    /// Times it lies in the topic.
    copies: usize,
    headers: BTreeMap<String, Text>,
    key: Option<Text>,
    value: Option<Text>,
    #[serde(skip)]
    bytes: Option<Vec<u8>>,
}

/// Bytes: as they read, if they are UTF-8.
#[derive(Serialize)]
#[serde(untagged)]
enum Text {
    Utf8(String),
    Binary { base64: String },
}

impl Text {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Utf8(text.to_owned()),
            Err(_) => Self::Binary {
                base64: STANDARD.encode(bytes),
            },
        }
    }

    /// Without the control characters that a terminal would obey.
    fn harmless(&self) -> String {
        match self {
            Self::Utf8(text) => (text.chars())
                .map(|c| match c {
                    '\n' | '\t' => c.to_string(),
                    c if c.is_control() => c.escape_default().to_string(),
                    c => c.to_string(),
                })
                .collect(),
            Self::Binary { base64 } => format!("(base64) {base64}"),
        }
    }
}

/// Runs it.
pub fn run(show: &Show, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let marks = marks::read(connection, &show.source.marks_topic())?;
    let mut found: BTreeMap<LetterId, Full> = BTreeMap::new();
    let mut scan = Scan::of(connection, &show.source.dead_letter_topic)?;
    while let Some(message) = scan.next()? {
        let Some(letter) = Head::of(&message).filter(|letter| show.letter.is(&letter.id)) else {
            continue;
        };
        let headers = own_headers(&message).into_iter();
        let full = found.entry(letter.id.clone()).or_insert_with(|| Full {
            line: Line::of(letter.clone(), marks.get(&letter.id).cloned()),
            copies: 0,
            headers: headers
                .map(|(name, value)| (name.to_owned(), Text::of(value.unwrap_or_default())))
                .collect(),
            key: message.key().map(Text::of),
            value: message.payload().map(Text::of),
            bytes: message.payload().map(<[u8]>::to_vec),
        });
        full.copies += 1;
    }
    ensure!(
        !found.is_empty(),
        "there is no dead letter {} in {}",
        show.letter,
        show.source.dead_letter_topic
    );
    let found: Vec<_> = found.into_values().collect();
    if show.raw {
        ensure!(
            found.len() == 1,
            "{} letters are of {}; name one by @MILLISECONDS: {}",
            found.len(),
            show.letter,
            found
                .iter()
                .map(|full| full.line.letter())
                .collect::<Vec<_>>()
                .join(", ")
        );
        let bytes = found[0].bytes.as_deref().unwrap_or_default();
        return std::io::stdout().write_all(bytes).context("standard output");
    }
    match output {
        Output::Json => json(&found)?,
        Output::Table => found.iter().for_each(tell),
    }
    Ok(())
}

fn tell(full: &Full) {
    let tell = |name: &str, value: &str| {
        let value = if value.is_empty() { "(empty)" } else { value };
        say(format_args!("{name:<16}{value}"));
    };
    for (name, value) in full.line.told() {
        tell(name, &value);
    }
    tell("copies", &full.copies.to_string());
    for (name, value) in &full.headers {
        tell(&format!("header {name}"), &format!(" {}", value.harmless()));
    }
    let text = |bytes: &Option<Text>| bytes.as_ref().map_or_else(|| "(none)".to_owned(), Text::harmless);
    tell("key", &text(&full.key));
    say(format_args!("value\n{}\n", text(&full.value)));
}
