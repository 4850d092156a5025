//! What waits on disk, as one queue: events are appended at its end and read from its front.

#[cfg(test)]
mod keeps;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::event::Event;
use crate::spill::folder::Folder;
use crate::spill::frame::{self, Spilled};
use crate::spill::segment::Segment;
use crate::stats::DropReason;
use crate::window::Window;

/// How much the backlog may hold, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// All files together, adopted ones included.
    pub all: u64,
    /// From this size on a segment is followed by a new one, so that disk is given back bit by bit.
    pub segment: u64,
}

/// What became of events that were to be appended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Appended {
    /// They are on disk.
    pub written: u64,
    /// They are not, for the reason.
    pub dropped: Option<(DropReason, u64)>,
}

/// The events on disk that Kafka has not acknowledged.
#[derive(Debug)]
pub(crate) struct Backlog {
    root: PathBuf,
    own: Arc<Folder>,
    topic: String,
    bounds: Bounds,
    /// Oldest first; one that is open is the last.
    segments: VecDeque<Segment>,
    created: u64,
    /// Segments of dead processes that are not in `segments` yet, with their sizes.
    orphans: VecDeque<(Arc<Folder>, PathBuf, u64)>,
    /// Events of the segments.
    window: Window,
    /// Events that were read and not taken, with their numbers.
    ready: VecDeque<(usize, Spilled)>,
}

impl Backlog {
    /// An empty one, with a folder of its own in `root`.
    pub(crate) fn create(root: &Path, topic: &str, bounds: Bounds) -> io::Result<Self> {
        Ok(Self {
            own: Arc::new(Folder::create(root)?),
            root: root.to_owned(),
            topic: topic.to_owned(),
            bounds,
            segments: VecDeque::new(),
            created: 0,
            orphans: VecDeque::new(),
            window: Window::default(),
            ready: VecDeque::new(),
        })
    }

    /// No event waits, but those of the dead that [`Backlog::take_over`] may find.
    pub(crate) const fn is_empty(&self) -> bool {
        self.window.open() == 0
    }

    /// Events that wait.
    pub(crate) const fn events(&self) -> usize {
        self.window.open()
    }

    /// All events before this number are settled.
    pub(crate) const fn settled_to(&self) -> usize {
        self.window.base()
    }

    /// The number of the next event to be appended.
    pub(crate) fn end(&self) -> usize {
        self.window.next()
    }

    /// Size of all files, adopted ones included.
    pub(crate) fn bytes(&self) -> u64 {
        let own: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        own + self.orphans.iter().map(|(_, _, bytes)| bytes).sum::<u64>()
    }

    /// Appends events in order, by one write.
    pub(crate) fn append(&mut self, events: &[Event]) -> Appended {
        let room = self.bounds.all.saturating_sub(self.bytes());
        let mut frames = Vec::new();
        let mut fitting = 0;
        for event in events {
            let before = frames.len();
            frame::write(&mut frames, &self.topic, event);
            if frames.len() as u64 > room {
                frames.truncate(before);
                break;
            }
            fitting += 1;
        }
        if fitting > 0 && self.write(&frames, fitting).is_err() {
            return Appended {
                written: 0,
                dropped: Some((DropReason::SpillFailed, events.len() as u64)),
            };
        }
        let left = (events.len() - fitting) as u64;
        Appended {
            written: fitting as u64,
            dropped: (left > 0).then_some((DropReason::SpillFull, left)),
        }
    }

    fn write(&mut self, frames: &[u8], events: usize) -> io::Result<()> {
        let most = self.bounds.segment;
        let is_full = |segment: &Segment| !segment.is_open() || segment.bytes >= most;
        if self.segments.back().is_none_or(is_full) {
            self.close();
            let segment = Segment::create(&self.own, self.created, self.window.next())?;
            self.created += 1;
            self.segments.push_back(segment);
        }
        let segment = self.segments.back_mut().ok_or(io::ErrorKind::NotFound)?;
        segment.append(frames, events).inspect_err(|_| segment.close())?;
        for _ in 0..events {
            self.window.push();
        }
        Ok(())
    }

    /// The next event to send, with its number; `None` for none. Counts what could not be read again in `lost`.
    pub(crate) fn next(&mut self, lost: &mut u64) -> Option<(usize, Spilled)> {
        if self.ready.is_empty() {
            self.read_on(lost);
        }
        self.ready.pop_front()
    }

    /// Gives an event back that was not sent.
    pub(crate) fn put_back(&mut self, number: usize, event: Spilled) {
        self.ready.push_front((number, event));
    }

    fn read_on(&mut self, lost: &mut u64) {
        let unread = |segment: &&mut Segment| segment.read < segment.events;
        let Some(segment) = self.segments.iter_mut().find(unread) else {
            return;
        };
        let (from, end) = (segment.first + segment.read, segment.end());
        // A file that cannot be read is lost as a whole.
        let events = segment.read_on().unwrap_or_default();
        segment.skip_to_end();
        let read = from + events.len();
        let numbered = (from..).zip(events);
        let window = &self.window;
        self.ready
            .extend(numbered.filter(|(number, _)| !window.is_settled(*number)));
        for missing in read..end {
            *lost += u64::from(self.window.settle(missing));
        }
        self.delete_settled();
    }

    /// Notes that an event is done with; whether it was not before.
    pub(crate) fn settle(&mut self, number: usize) -> bool {
        let new = self.window.settle(number);
        self.delete_settled();
        new
    }

    fn delete_settled(&mut self) {
        let settled = self.window.base();
        // The open one stays until all is settled, for what comes next.
        let is_done = |segment: &Segment| {
            segment.end() <= settled && (!segment.is_open() || settled == self.window.next())
        };
        while self.segments.front().is_some_and(is_done) {
            if let Some(segment) = self.segments.pop_front() {
                // One that stays is adopted and sent again by the next process; its events have the same ids.
                let _ = segment.delete();
            }
        }
    }

    /// Reads again from the first event that is not settled.
    pub(crate) fn rewind(&mut self) {
        self.ready.clear();
        self.segments.iter_mut().for_each(Segment::rewind);
    }

    /// Takes over one segment of a dead process; how many events it brought and how many damaged places it has.
    pub(crate) fn take_over(&mut self) -> (u64, u64) {
        let Some((folder, path, _)) = self.orphans.pop_front() else {
            return (0, 0);
        };
        self.close();
        // One that cannot be read now is left to the next process.
        let Ok((segment, torn)) = Segment::adopt(&folder, path, self.window.next()) else {
            return (0, 0);
        };
        let events = segment.events as u64;
        for _ in 0..segment.events {
            self.window.push();
        }
        self.segments.push_back(segment);
        self.delete_settled();
        (events, torn)
    }

    /// Looks for the folders of processes that have died.
    pub(crate) fn find_orphans(&mut self) {
        for folder in Folder::adopt(&self.root) {
            let folder = Arc::new(folder);
            let segments = folder.segments().into_iter();
            self.orphans
                .extend(segments.map(|(path, bytes)| (folder.clone(), path, bytes)));
        }
    }

    /// Makes what was appended survive a loss of power.
    pub(crate) fn close(&mut self) {
        self.segments.iter_mut().for_each(Segment::close);
    }
}
