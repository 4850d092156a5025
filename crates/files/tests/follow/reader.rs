//! Whoever takes the lines, as a producer and its topic would.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use kaizen_files::{Follower, Options, Polled, Receipt, Taken};

pub const ROTATE_WAIT: Duration = Duration::from_secs(30);

/// A line as it was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub event_id: String,
    pub offset: u64,
    pub number: u64,
    pub text: String,
}

/// A follower that can be killed, and all it ever handed over.
pub struct Reader {
    options: Options,
    follower: Option<Follower>,
    pub now: SystemTime,
    pub lines: Vec<Line>,
    pub receipts: Vec<Receipt>,
    pub notes: Vec<String>,
    /// Lines that are taken until there is no more room.
    pub room: usize,
    /// Whether lines are safe as soon as they are taken.
    pub acknowledges: bool,
}

impl Reader {
    pub fn new(patterns: &[String], checkpoints: PathBuf) -> Self {
        Self {
            options: Options {
                patterns: patterns.to_vec(),
                checkpoints,
                rotate_wait: ROTATE_WAIT,
            },
            follower: None,
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000),
            lines: Vec::new(),
            receipts: Vec::new(),
            notes: Vec::new(),
            room: usize::MAX,
            acknowledges: true,
        }
    }

    pub fn poll(&mut self) -> Result<Polled> {
        let follower = match &mut self.follower {
            Some(follower) => follower,
            none => none.insert(Follower::open(self.options.clone())?),
        };
        self.now += Duration::from_millis(250);
        let (lines, receipts) = (&mut self.lines, &mut self.receipts);
        let (room, acknowledges) = (&mut self.room, self.acknowledges);
        let polled = follower.poll(self.now, &mut |line, receipt| {
            if *room == 0 {
                return Taken::NoRoom;
            }
            *room -= 1;
            let text = match line.text {
                Ok(text) => String::from_utf8_lossy(text).into_owned(),
                Err(error) => error.to_string(),
            };
            lines.push(Line {
                event_id: line.event_id.clone(),
                offset: line.offset,
                number: line.number,
                text,
            });
            if acknowledges {
                receipt.acknowledge();
            } else {
                receipts.push(receipt);
            }
            Taken::Yes
        })?;
        self.notes.extend(polled.notes.iter().cloned());
        Ok(polled)
    }

    /// Polls until there is nothing more at the moment.
    pub fn drain(&mut self) -> Result<()> {
        loop {
            let polled = self.poll()?;
            if !polled.more && polled.lines == 0 {
                return Ok(());
            }
        }
    }

    /// The same, until all waits are over.
    pub fn drain_all(&mut self) -> Result<()> {
        for _ in 0..4 {
            self.drain()?;
            self.now += ROTATE_WAIT;
        }
        self.drain()
    }

    pub fn save(&mut self) -> Result<()> {
        if let Some(follower) = &mut self.follower {
            follower.save()?;
        }
        Ok(())
    }

    /// As kill -9 does: nothing is saved, no receipt comes back.
    pub fn kill(&mut self) {
        self.follower = None;
        self.receipts.clear();
    }

    pub fn texts(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.text.as_str()).collect()
    }
}
