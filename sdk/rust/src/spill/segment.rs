//! One file of events.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::folder::Folder;
use super::frame::{self, Spilled};

/// A file of frames. Its events are numbered on through the backlog.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    /// Its lock is held as long as one of its segments is here.
    _folder: Arc<Folder>,
    /// The number of its first event.
    pub first: usize,
    /// Events in it.
    pub events: usize,
    /// Bytes of them.
    pub bytes: u64,
    /// Events that were read, and up to which byte.
    pub read: usize,
    offset: u64,
    /// While it is appended to.
    file: Option<File>,
}

impl Segment {
    /// A new one, to append to.
    pub(crate) fn create(folder: &Arc<Folder>, number: u64, first: usize) -> io::Result<Self> {
        let path = folder.segment(number);
        let file = File::options().create_new(true).append(true).open(&path)?;
        Ok(Self {
            path,
            _folder: folder.clone(),
            first,
            events: 0,
            bytes: 0,
            read: 0,
            offset: 0,
            file: Some(file),
        })
    }

    /// One that another process left; with the damaged places in it.
    pub(crate) fn adopt(folder: &Arc<Folder>, path: PathBuf, first: usize) -> io::Result<(Self, u64)> {
        let bytes = fs::read(&path)?;
        let (events, torn) = frame::read(&bytes);
        let segment = Self {
            path,
            _folder: folder.clone(),
            first,
            events: events.len(),
            bytes: bytes.len() as u64,
            read: 0,
            offset: 0,
            file: None,
        };
        Ok((segment, torn))
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Appends frames; all of them or none.
    pub(crate) fn append(&mut self, frames: &[u8], events: usize) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("the segment is closed"));
        };
        if let Err(error) = file.write_all(frames) {
            // A part that stays is skipped by the reader like any torn end.
            let _ = file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += frames.len() as u64;
        self.events += events;
        Ok(())
    }

    /// Ends appending; what was appended survives a loss of power from here on.
    pub(crate) fn close(&mut self) {
        if let Some(file) = self.file.take() {
            // What cannot be synced is still readable, and lost only with the machine.
            let _ = file.sync_data();
        }
    }

    /// The events appended since it was last read, in order. Fewer than there were: the missing ones are at the end.
    pub(crate) fn read_on(&mut self) -> io::Result<Vec<Spilled>> {
        let expected = self.events - self.read;
        let mut bytes = Vec::new();
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        file.take(self.bytes.saturating_sub(self.offset))
            .read_to_end(&mut bytes)?;
        let (mut events, _) = frame::read(&bytes);
        events.truncate(expected);
        self.skip_to_end();
        Ok(events)
    }

    /// Takes all of it as read.
    pub(crate) const fn skip_to_end(&mut self) {
        self.read = self.events;
        self.offset = self.bytes;
    }

    /// Takes none of it as read.
    pub(crate) const fn rewind(&mut self) {
        self.read = 0;
        self.offset = 0;
    }

    /// The number after its last event.
    pub(crate) const fn end(&self) -> usize {
        self.first + self.events
    }

    /// Deletes the file.
    pub(crate) fn delete(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}
