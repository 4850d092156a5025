//! A log: one growing content, whichever file holds it now, and how far it is handed over and acknowledged.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use super::checkpoint::Saved;
use super::content::{Content, FileId, Look};
use super::fingerprint::{Fingerprint, Mark, Tail};

/// Stands for a line until whoever took it has brought it to safety. One that is dropped without that keeps the
/// checkpoint where it is, so that the line is handed over again after a restart.
#[derive(Debug)]
pub struct Receipt(pub(super) Arc<AtomicUsize>);

impl Receipt {
    /// The line is safe, or it was decided that it is not to be had.
    pub fn acknowledge(self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Lines handed over together.
struct Sent {
    outstanding: Arc<AtomicUsize>,
    end: Mark,
}

/// A log.
pub(super) struct Log {
    pub(super) id: String,
    pub(super) source: PathBuf,
    pub(super) path: PathBuf,
    pub(super) line: Fingerprint,
    pub(super) head: Fingerprint,
    /// The file that holds it or held it last, as it was then.
    pub(super) file: Option<Look>,
    /// All of `file` was handed over.
    pub(super) finished: bool,
    /// The file that held it and was truncated: it holds another log now.
    pub(super) truncated: Option<FileId>,
    /// Where it is read from; `None`: no file holds it, as far as is known.
    pub(super) content: Option<Content>,
    /// Everything before was handed over.
    pub(super) read: Mark,
    /// The last bytes before `read`.
    pub(super) tail: Tail,
    /// From `read` on so many bytes are known to hold no end of a line, which is longer than allowed.
    pub(super) scanned: u64,
    /// The file when all it held was read.
    pub(super) exhausted: Option<Look>,
    /// Since when no pattern names its file and nothing was added to it.
    pub(super) gone: Option<SystemTime>,
    /// When a file held it last, seconds since 1970.
    pub(super) seen: u64,
    sent: VecDeque<Sent>,
    acknowledged: Mark,
}

impl Log {
    /// A log as it was saved.
    pub(super) fn of(saved: Saved) -> Self {
        Self {
            id: saved.id,
            source: saved.source,
            path: saved.path,
            line: saved.line,
            head: saved.head,
            file: saved.file,
            finished: saved.finished,
            truncated: None,
            content: None,
            read: saved.acknowledged.clone(),
            tail: Tail::default(),
            scanned: 0,
            exhausted: None,
            gone: None,
            seen: saved.seen,
            sent: VecDeque::new(),
            acknowledged: saved.acknowledged,
        }
    }

    /// What is to be saved of it.
    pub(super) fn saved(&mut self) -> Saved {
        self.settle();
        Saved {
            id: self.id.clone(),
            source: self.source.clone(),
            path: self.path.clone(),
            file: self.file,
            finished: self.finished && self.sent.is_empty(),
            line: self.line.clone(),
            head: self.head.clone(),
            acknowledged: self.acknowledged.clone(),
            seen: self.seen,
        }
    }

    /// Moves on over what was acknowledged without a gap, and tells whether that is all.
    pub(super) fn settle(&mut self) -> bool {
        while let Some(sent) = self.sent.front()
            && sent.outstanding.load(Ordering::Acquire) == 0
        {
            self.acknowledged.clone_from(&sent.end);
            self.sent.pop_front();
        }
        self.sent.is_empty()
    }

    /// Lines up to `end` were handed over.
    pub(super) fn handed_over(&mut self, end: Mark, outstanding: Arc<AtomicUsize>) {
        self.read.clone_from(&end);
        self.sent.push_back(Sent { outstanding, end });
    }

    /// Goes on in `content`, which was found to hold the log; `tail` are the bytes before the place it is read to.
    pub(super) fn attach(&mut self, content: Content, look: Look, path: PathBuf, tail: Tail) {
        self.tail = tail;
        self.content = Some(content);
        self.path = path;
        self.file = Some(look);
        (self.finished, self.scanned, self.exhausted, self.gone) = (false, 0, None, None);
    }

    /// Its file was truncated or written over: what is in there now is another log.
    pub(super) fn lose(&mut self) {
        self.truncated = self.file.take().map(|look| look.id);
        self.content = None;
    }

    /// Its file has no more to give.
    pub(super) fn close(&mut self) -> Option<Look> {
        self.content = None;
        self.file = self.exhausted.or(self.file);
        self.finished = true;
        self.file
    }

    /// Whether the file it is read from still holds it. A file that holds more than was read is known by its first line
    /// and by the bytes before the place of reading.
    pub(super) fn is_intact(&mut self) -> io::Result<bool> {
        let Some(content) = &mut self.content else {
            return Ok(true);
        };
        // A compressed file is not written over in place: whoever replaces it makes another.
        if content.is_compressed() {
            return Ok(true);
        }
        let look = content.look()?;
        Ok(self.exhausted == Some(look)
            || look.size >= self.read.offset
                && content.shows(&self.head, self.head.length as u64)?.is_some()
                && content.shows(&self.read.tail, self.read.offset)?.is_some())
    }
}
