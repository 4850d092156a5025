//! `kaizen dlq list`.

use std::collections::{BTreeMap, HashSet};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use kaizen_decision::LetterId;
use serde::Serialize;

use super::filter::Filter;
use super::letter::Head;
use super::marks::Mark;
use super::scan::Scan;
use super::{Source, marks};
use crate::connection::Connection;
use crate::output::{Output, count, json, note, say, table};

/// What to list.
#[derive(Debug, Args)]
pub struct List {
    /// Which letters.
    #[command(flatten)]
    filter: Filter,
    /// Only letters in this state
    #[arg(long, value_enum, default_value_t = State::Open)]
    state: State,
    /// Letters shown at most; all are counted
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Where they lie.
    #[command(flatten)]
    source: Source,
}

/// What has become of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// Not replayed.
    Open,
    /// Replayed.
    Replayed,
    /// Either.
    All,
}

impl State {
    fn admits(self, replayed: bool) -> bool {
        match self {
            Self::Open => !replayed,
            Self::Replayed => replayed,
            Self::All => true,
        }
    }
}

/// What was found.
#[derive(Debug, Serialize)]
struct Found {
    dead_letters: Vec<Line>,
    total: u64,
    reasons: BTreeMap<String, u64>,
}

/// One letter.
#[derive(Debug, Serialize)]
pub struct Line {
    letter: String,
    topic: String,
    partition: i32,
    offset: i64,
    /// Absent when the record has none.
    record_time: Option<Timestamp>,
    reason: String,
    field: String,
    bytes: usize,
    replay_of: Option<String>,
    replayed: Option<Mark>,
}

impl Line {
    /// Of a letter and its mark, if it has one.
    pub fn of(letter: Head, mark: Option<Mark>) -> Self {
        let record_time = Timestamp::from_millisecond(letter.id.time).ok();
        Self {
            letter: letter.id.to_string(),
            record_time: record_time.filter(|_| letter.id.time > 0),
            partition: letter.id.partition,
            offset: letter.id.offset,
            topic: letter.id.topic,
            reason: letter.reason,
            field: letter.field,
            bytes: letter.bytes,
            replay_of: letter.replay_of.map(|id| id.to_string()),
            replayed: mark,
        }
    }

    /// Its identity.
    pub fn letter(&self) -> &str {
        &self.letter
    }

    /// All there is to tell, by name.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let mut told = vec![
            ("dead letter", self.letter.clone()),
            ("record time", self.time()),
            ("reason", self.reason.clone()),
            ("field", self.field.clone()),
            ("bytes", count(self.bytes as u64)),
        ];
        if let Some(before) = &self.replay_of {
            told.push(("replay of", before.clone()));
        }
        let state = match &self.replayed {
            None => "open".to_owned(),
            Some(mark) => format!(
                "replayed {:.0} as {}/{}/{}",
                mark.replay_time, mark.topic, mark.partition, mark.offset
            ),
        };
        told.push(("state", state));
        told
    }

    fn time(&self) -> String {
        self.record_time
            .map_or_else(|| "–".to_owned(), |time| format!("{time:.0}"))
    }

    fn row(self) -> Vec<String> {
        let state = if self.replayed.is_some() {
            "replayed"
        } else if self.replay_of.is_some() {
            "open, rejected again"
        } else {
            "open"
        };
        vec![
            format!("{}/{}/{}", self.topic, self.partition, self.offset),
            self.time(),
            self.reason,
            self.field,
            state.to_owned(),
            count(self.bytes as u64),
        ]
    }
}

/// Runs it.
pub fn run(list: &List, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let mut marks = marks::read(connection, &list.source.marks_topic())?;
    let mut newest: BTreeMap<(i64, LetterId), Head> = BTreeMap::new();
    let (mut counted, mut foreign) = (HashSet::new(), 0_u64);
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let mut scan = Scan::of(connection, &list.source.dead_letter_topic)?;
    while let Some(message) = scan.next()? {
        let Some(letter) = Head::of(&message) else {
            foreign += 1;
            continue;
        };
        let wanted = list.filter.admits(&letter) && list.state.admits(marks.contains_key(&letter.id));
        // A letter may be there more than once, and counts once.
        if wanted && counted.insert(letter.id.clone()) {
            *reasons.entry(letter.reason.clone()).or_default() += 1;
            newest.insert((letter.id.time, letter.id.clone()), letter);
            if newest.len() > list.limit {
                newest.pop_first();
            }
        }
    }
    if foreign > 0 {
        let topic = &list.source.dead_letter_topic;
        note(format_args!(
            "{} records of {topic} are no dead letters",
            count(foreign)
        ));
    }
    let found = Found {
        dead_letters: (newest.into_values().rev())
            .map(|letter| {
                let mark = marks.remove(&letter.id);
                Line::of(letter, mark)
            })
            .collect(),
        total: counted.len() as u64,
        reasons,
    };
    match output {
        Output::Json => json(&found)?,
        Output::Table => show(found),
    }
    Ok(())
}

fn show(found: Found) {
    let shown = found.dead_letters.len() as u64;
    if shown > 0 {
        let header = ["dead letter", "record time", "reason", "field", "state", "bytes"];
        say(table(&header, 5, found.dead_letters.into_iter().map(Line::row)));
    }
    let reasons: Vec<_> = found
        .reasons
        .iter()
        .map(|(reason, letters)| format!("{} {reason}", count(*letters)))
        .collect();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(": {}", reasons.join(", "))
    };
    say(format_args!(
        "{} dead letters, {} shown{reasons}",
        count(found.total),
        count(shown)
    ));
}
