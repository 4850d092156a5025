//! Lines out of a log, from where it was read to, to the end of its file.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::content::{HEAD, Look};
use super::fingerprint::{Mark, digest};
use super::log::{Log, Receipt};

/// Longest line that is handed over, in bytes: what Kafka is given at most.
pub const LONGEST_LINE: usize = 2 * 1024 * 1024;
const CHUNK: usize = 256 * 1024;

/// A line of a followed log.
#[derive(Debug)]
pub struct Followed<'a> {
    /// The file it was read from.
    pub path: &'a Path,
    /// Where its log was first seen: stays the same when the file is renamed.
    pub source: &'a Path,
    /// Its number in the log, from 1.
    pub number: u64,
    /// Bytes of the log's content before it.
    pub offset: u64,
    /// Identity of the event, from log, offset and text: the same each time this line is handed over, another one for each
    /// line.
    pub event_id: String,
    /// The line without its end.
    pub text: Result<&'a [u8], TooLong>,
}

/// A line is longer than [`LONGEST_LINE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is longer than {LONGEST_LINE} bytes")]
pub struct TooLong;

/// What whoever is handed a line does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was taken; its receipt tells when it is safe.
    Yes,
    /// There is no room now: it is to be handed over again later.
    NoRoom,
}

/// Takes lines.
pub(super) type Take<'a> = &'a mut dyn FnMut(&Followed<'_>, Receipt) -> Taken;

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// At the end of the file; an incomplete line is awaited.
    AtEnd,
    /// There is more.
    Midway,
    /// The log is to be saved first.
    Unsaved,
    /// Nobody takes more for now.
    NoRoom,
    /// The file holds another log now.
    Replaced,
}

impl Log {
    /// Hands over what is new, up to about `budget` bytes, and counts the lines. `last`: nothing will be added, so that an
    /// incomplete line is one.
    pub(super) fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        mut budget: usize,
        last: bool,
        lines: &mut u64,
        take: Take<'_>,
    ) -> io::Result<Ended> {
        loop {
            // Before reading: what is written later shows in a later look.
            let Some(look) = self.content.as_ref().map(|content| content.look()).transpose()? else {
                return Ok(Ended::AtEnd);
            };
            if self.exhausted == Some(look) && !last {
                return Ok(Ended::AtEnd);
            }
            let end = self.fill(buffer, last)?;
            // After reading: had the file been truncated before, it would show now.
            if !self.is_intact()? {
                return Ok(Ended::Replaced);
            }
            let Some(end) = end else {
                if self.scanned > 0 {
                    match self.skip(buffer, last, lines, take)? {
                        Ended::Midway => continue,
                        Ended::AtEnd => return Ok(self.exhaust(look)),
                        ended => return Ok(ended),
                    }
                }
                return Ok(self.exhaust(look));
            };
            if self.grow_head(end)? {
                return Ok(Ended::Unsaved);
            }
            if !self.hand_over(&buffer[..end], lines, take) {
                return Ok(Ended::NoRoom);
            }
            budget = budget.saturating_sub(end);
            if budget == 0 {
                return Ok(Ended::Midway);
            }
        }
    }

    fn exhaust(&mut self, look: Look) -> Ended {
        self.exhausted = Some(look);
        Ended::AtEnd
    }

    /// What tells the log from others is saved before it is handed over: after a crash the log must be known from all others
    /// that begin with the same lines. Tells whether there is more of it than before.
    fn grow_head(&mut self, length: usize) -> io::Result<bool> {
        let end = self.read.offset + length as u64;
        if self.head.length >= HEAD || self.head.length as u64 >= end {
            return Ok(false);
        }
        let Some(content) = &mut self.content else {
            return Ok(false);
        };
        let Some(beginning) = content.beginning()? else {
            return Ok(false);
        };
        let head = beginning.head(end);
        let grown = head.length > self.head.length;
        if grown {
            self.head = head;
        }
        Ok(grown)
    }

    /// Reads at least a line, if there is one, and tells where the last one ends.
    fn fill(&mut self, buffer: &mut Vec<u8>, last: bool) -> io::Result<Option<usize>> {
        let (Some(content), 0) = (&mut self.content, self.scanned) else {
            return Ok(None);
        };
        for size in [CHUNK, LONGEST_LINE + 1] {
            buffer.resize(size, 0);
            let length = content.read_at(self.read.offset, buffer)?;
            if let Some(end) = memchr::memrchr(b'\n', &buffer[..length]) {
                return Ok(Some(end + 1));
            }
            if length < size {
                return Ok((last && length > 0).then_some(length));
            }
        }
        self.scanned = buffer.len() as u64;
        Ok(None)
    }

    /// Looks for the end of a line that is too long.
    fn skip(
        &mut self,
        buffer: &mut Vec<u8>,
        last: bool,
        lines: &mut u64,
        take: Take<'_>,
    ) -> io::Result<Ended> {
        buffer.resize(CHUNK, 0);
        let Some(content) = &mut self.content else {
            return Ok(Ended::AtEnd);
        };
        loop {
            let from = self.read.offset + self.scanned;
            let length = content.read_at(from, buffer)?;
            let end = match memchr::memchr(b'\n', &buffer[..length]) {
                Some(end) => from + end as u64 + 1,
                None if length == 0 && last => from,
                None if length == 0 => return Ok(Ended::AtEnd),
                None => {
                    self.scanned += length as u64;
                    continue;
                }
            };
            let tail = content.tail(end)?;
            if !self.is_intact()? {
                return Ok(Ended::Replaced);
            }
            let outstanding = Arc::new(AtomicUsize::new(0));
            let mark = self.read.clone();
            if !self.give(mark.line + 1, mark.offset, Err(TooLong), &outstanding, take) {
                return Ok(Ended::NoRoom);
            }
            *lines += 1;
            self.scanned = 0;
            self.tail = tail;
            let mark = Mark {
                offset: end,
                line: mark.line + 1,
                tail: self.tail.fingerprint(),
            };
            self.handed_over(mark, outstanding);
            return Ok(Ended::Midway);
        }
    }

    /// Hands complete lines over; `false` when not all were taken.
    fn hand_over(&mut self, bytes: &[u8], lines: &mut u64, take: Take<'_>) -> bool {
        let outstanding = Arc::new(AtomicUsize::new(0));
        let (mut length, mut number, mut all) = (0, self.read.line, true);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let offset = self.read.offset + length as u64;
            if !self.give(number + 1, offset, Ok(text), &outstanding, take) {
                all = false;
                break;
            }
            *lines += 1;
            number += 1;
            length += line.len();
        }
        if length > 0 {
            self.tail.push(&bytes[..length]);
            let mark = Mark {
                offset: self.read.offset + length as u64,
                line: number,
                tail: self.tail.fingerprint(),
            };
            self.handed_over(mark, outstanding);
        }
        all
    }

    fn give(
        &self,
        number: u64,
        offset: u64,
        text: Result<&[u8], TooLong>,
        outstanding: &Arc<AtomicUsize>,
        take: Take<'_>,
    ) -> bool {
        let line = Followed {
            path: &self.path,
            source: &self.source,
            number,
            offset,
            event_id: digest([
                self.id.as_bytes(),
                &offset.to_le_bytes(),
                text.unwrap_or_default(),
            ]),
            text,
        };
        outstanding.fetch_add(1, Ordering::AcqRel);
        let taken = take(&line, Receipt(Arc::clone(outstanding)));
        if taken == Taken::NoRoom {
            outstanding.fetch_sub(1, Ordering::AcqRel);
        }
        taken == Taken::Yes
    }
}
