//! `kaizen import --follow`: logs to decisions as they grow, through rotation and restarts.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail, ensure};
use kaizen_files::{Followed, Follower, Format, Mapping, Options, Receipt, Taken, json_of};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::connection::Connection;
use crate::deliveries::{Deliveries, Place};
use crate::import::{Following, Identity};
use crate::output::{Output, count, json, note, say, table};

/// Time between two checkpoints.
const SAVE: Duration = Duration::from_secs(1);
/// How soon a full queue is tried again.
const FULL: Duration = Duration::from_millis(5);
/// How long Kafka has for the last acknowledgements.
const LAST: Duration = Duration::from_secs(10);
/// Skipped lines that are shown in each `STATUS`.
const SHOWN: u64 = 20;
/// Time between two lines about the state of things.
const STATUS: Duration = Duration::from_secs(60);

/// What came of every line.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
struct Summary {
    lines: u64,
    published: u64,
    skipped: u64,
    /// Handed over again at the next start.
    unacknowledged: u64,
}

/// Follows until SIGINT or SIGTERM.
pub async fn run(following: Following<'_>, connection: &Connection, output: Output) -> anyhow::Result<()> {
    ensure!(
        following.format != Some(Format::Csv),
        "--format csv: cannot be followed: a CSV record may span lines, so its end cannot be told while the file grows; \
         import the file without --follow when it is complete"
    );
    let options = Options {
        patterns: following.patterns()?,
        checkpoints: match following.checkpoints {
            Some(folder) => folder.to_owned(),
            None => state_folder()?,
        },
        rotate_wait: following.rotate_wait,
    };
    let follower = Follower::open(options)?;
    let desk = Desk {
        mapping: following.mapping,
        deliveries: Deliveries::new(connection, following.topic)?,
        summary: Summary::default(),
        shown: 0,
    };
    let interval = following.poll_interval;
    let (stop, stopped) = channel();
    let (mut end, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut work = tokio::task::spawn_blocking(move || follow(follower, desk, interval, &stopped));
    let summary = tokio::select! {
        summary = &mut work => summary,
        _ = end.recv() => { drop(stop); work.await }
        _ = interrupt.recv() => { drop(stop); work.await }
    };
    show(&summary.context("following")??, output)
}

fn state_folder() -> anyhow::Result<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
    };
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    let state = state.context("--checkpoints is needed: neither XDG_STATE_HOME nor HOME is set")?;
    Ok(state.join("kaizen/follow"))
}

fn follow(
    mut follower: Follower,
    mut desk: Desk,
    interval: Duration,
    stopped: &Receiver<()>,
) -> anyhow::Result<Summary> {
    let (mut saved, mut told) = (Instant::now(), Instant::now());
    let mut last = Summary::default();
    note("following; Ctrl-C or SIGTERM ends it");
    let ended = loop {
        let polled = follower.poll(SystemTime::now(), &mut |line, receipt| desk.take(line, receipt))?;
        polled.notes.iter().for_each(note);
        desk.refused();
        if let Err(failure) = desk.deliveries.check() {
            break Err(failure);
        }
        if saved.elapsed() >= SAVE {
            follower.save()?;
            saved = Instant::now();
        }
        if told.elapsed() >= STATUS {
            told = Instant::now();
            desk.status(&mut last, follower.open_logs());
        }
        let pause = if polled.no_room {
            FULL
        } else if polled.more {
            Duration::ZERO
        } else {
            interval
        };
        if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            break Ok(());
        }
    };
    let flushed = ended.and_then(|()| desk.deliveries.flush(LAST));
    desk.refused();
    follower.save()?;
    let mut summary = desk.summary();
    match flushed {
        Ok(()) => desk.deliveries.check()?,
        Err(failure) if stopped.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Timeout) => {
            bail!(failure)
        }
        Err(failure) => {
            summary.unacknowledged = summary.lines - summary.skipped - summary.published;
            note(format_args!("{failure:#}; the rest is sent at the next start"));
        }
    }
    Ok(summary)
}

/// Where lines become events.
struct Desk {
    mapping: Option<Mapping>,
    deliveries: Deliveries,
    summary: Summary,
    /// Skipped lines that were shown since the last status.
    shown: u64,
}

impl Desk {
    fn take(&mut self, line: &Followed<'_>, receipt: Receipt) -> Taken {
        let event = match self.event(line) {
            None => {
                receipt.acknowledge();
                return Taken::Yes;
            }
            Some(event) => event,
        };
        let place = self.deliveries.place(line);
        let taken = match event {
            Ok((key, event_id, event)) => {
                let id = event_id.as_deref().unwrap_or(&line.event_id);
                (self
                    .deliveries
                    .send((&key, id), event.as_bytes(), place.clone(), receipt))
                .map_err(|error| error.to_string())
            }
            Err(why) => {
                receipt.acknowledge();
                Err(why)
            }
        };
        if taken == Ok(Taken::NoRoom) {
            return Taken::NoRoom;
        }
        self.summary.lines += 1;
        if let Err(why) = taken {
            self.skipped(&place, &why);
        }
        Taken::Yes
    }

    /// Key, identity of its own if it has one, and text; nothing of an empty line.
    #[expect(
        clippy::type_complexity,
        reason = "three parts of one event, taken apart where it is called"
    )]
    fn event(&self, line: &Followed<'_>) -> Option<Result<(String, Option<String>, String), String>> {
        let record = match line.text {
            Ok(text) => match json_of(text)? {
                Ok(record) => record,
                Err(why) => return Some(Err(why)),
            },
            Err(too_long) => return Some(Err(too_long.to_string())),
        };
        let event = match &self.mapping {
            Some(mapping) => mapping.apply(record, line.number, &line.source.to_string_lossy()),
            None => Ok(record.to_owned()),
        };
        Some(event.and_then(|event| {
            let Identity { session_id, event_id } = Identity::of(&event)?;
            let event_id = event_id.filter(|id| !id.is_empty());
            Ok((session_id.unwrap_or_default(), event_id, event))
        }))
    }

    fn refused(&mut self) {
        for (place, why) in self.deliveries.refused() {
            self.skipped(&place, &why);
        }
    }

    fn skipped(&mut self, place: &Place, why: &str) {
        self.summary.skipped += 1;
        self.shown += 1;
        if self.shown <= SHOWN {
            note(format_args!("{place}: skipped: {why}"));
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            published: self.deliveries.published(),
            ..self.summary.clone()
        }
    }

    fn status(&mut self, last: &mut Summary, logs: usize) {
        if self.shown > SHOWN {
            note(format_args!(
                "{} more lines were skipped",
                count(self.shown - SHOWN)
            ));
        }
        self.shown = 0;
        let now = self.summary();
        if now != *last {
            note(format_args!(
                "{} logs: {} lines, {} published, {} skipped",
                count(logs as u64),
                count(now.lines),
                count(now.published),
                count(now.skipped)
            ));
            *last = now;
        }
    }
}

fn show(summary: &Summary, output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        return json(summary);
    }
    let rows = [
        ("records read", summary.lines),
        ("skipped", summary.skipped),
        ("published", summary.published),
        ("unacknowledged", summary.unacknowledged),
    ];
    let rows = rows.map(|(name, lines)| vec![name.to_owned(), count(lines)]);
    say(table(&["", "events"], 1, rows));
    Ok(())
}

/// A path as a pattern.
///
/// # Errors
/// It is not UTF-8.
pub fn pattern(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str();
    Ok(text
        .with_context(|| format!("{}: must be UTF-8", path.display()))?
        .to_owned())
}
