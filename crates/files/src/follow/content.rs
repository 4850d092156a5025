//! An open file and its content, decompressed: readable from any place, as long as places mostly go forward.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fingerprint::{Fingerprint, TAIL, Tail};
use crate::compression::Compression;

/// Longest beginning that tells a log from others.
pub(super) const HEAD: usize = 1024;
const CHUNK: usize = 64 * 1024;

/// What the file system calls a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// A file as it was at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    pub(super) id: FileId,
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i64,
}

impl Look {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            id: FileId {
                device: metadata.dev(),
                inode: metadata.ino(),
            },
            size: metadata.size(),
            modified: metadata
                .mtime()
                .saturating_mul(1_000_000_000)
                .saturating_add(metadata.mtime_nsec()),
        }
    }
}

/// How a content begins.
pub(super) struct Beginning {
    bytes: Vec<u8>,
    line: usize,
}

impl Beginning {
    /// Of the first line, as far as it tells logs apart.
    pub(super) fn line(&self) -> Fingerprint {
        Fingerprint::of(&self.bytes[..self.line])
    }

    /// Of all that tells logs apart, and of no more than `end` bytes.
    pub(super) fn head(&self, end: u64) -> Fingerprint {
        let end = usize::try_from(end).unwrap_or(HEAD).min(self.bytes.len());
        Fingerprint::of(&self.bytes[..end])
    }

    /// Whether that is how it begins; `None`: there is too little of it to tell.
    pub(super) fn is(&self, head: &Fingerprint) -> Option<bool> {
        Some(Fingerprint::of(self.bytes.get(..head.length)?) == *head)
    }
}

/// A decompressor and how much of the content came out of it.
struct Decoder {
    reader: Box<dyn Read + Send>,
    position: u64,
}

/// An open file.
pub(super) struct Content {
    file: File,
    compression: Compression,
    decoder: Option<Decoder>,
}

impl Content {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        let mut magic = [0; Compression::MAGIC];
        let length = read_full(&mut magic, |buffer, at| file.read_at(buffer, at as u64))?;
        Ok(Self {
            compression: Compression::of(&magic[..length]),
            file,
            decoder: None,
        })
    }

    /// A compressed file does not grow: it is whole, or its compressor is still at work.
    pub(super) fn is_compressed(&self) -> bool {
        self.compression != Compression::None
    }

    pub(super) fn look(&self) -> io::Result<Look> {
        Ok(Look::of(&self.file.metadata()?))
    }

    /// Reads content from `offset` on until `buffer` is full or the content ends.
    pub(super) fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_compressed() {
            return read_full(buffer, |buffer, at| self.file.read_at(buffer, offset + at as u64));
        }
        if self
            .decoder
            .as_ref()
            .is_none_or(|decoder| decoder.position > offset)
        {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            let reader = self
                .compression
                .decoder(io::BufReader::with_capacity(CHUNK, file))?;
            self.decoder = Some(Decoder { reader, position: 0 });
        }
        let Some(decoder) = &mut self.decoder else {
            return Ok(0);
        };
        let mut skipped = [0; 4096];
        while decoder.position < offset {
            let wanted = usize::try_from(offset - decoder.position).unwrap_or(usize::MAX);
            let end = wanted.min(skipped.len());
            let length = decoder.reader.read(&mut skipped[..end])?;
            if length == 0 {
                return Ok(0);
            }
            decoder.position += length as u64;
        }
        let length = read_full(buffer, |buffer, _| decoder.reader.read(buffer))?;
        decoder.position += length as u64;
        Ok(length)
    }

    /// How it begins; `None` while its first line is not complete.
    pub(super) fn beginning(&mut self) -> io::Result<Option<Beginning>> {
        let mut bytes = vec![0; HEAD];
        let length = self.read_at(0, &mut bytes)?;
        bytes.truncate(length);
        let whole = length == HEAD || (self.is_compressed() && length > 0);
        let line = match memchr::memchr(b'\n', &bytes) {
            Some(end) => end + 1,
            None if whole => length,
            None => return Ok(None),
        };
        Ok(Some(Beginning { bytes, line }))
    }

    /// The bytes before `end`, if they are those of the fingerprint.
    pub(super) fn shows(&mut self, fingerprint: &Fingerprint, end: u64) -> io::Result<Option<Tail>> {
        let Some(start) = end.checked_sub(fingerprint.length as u64) else {
            return Ok(None);
        };
        let mut buffer = vec![0; fingerprint.length.min(HEAD)];
        let length = self.read_at(start, &mut buffer)?;
        let shown = Fingerprint::of(&buffer[..length]) == *fingerprint;
        Ok(shown.then(|| Tail::of(&buffer[..length])))
    }

    /// The last bytes before `end`.
    pub(super) fn tail(&mut self, end: u64) -> io::Result<Tail> {
        let length = TAIL.min(usize::try_from(end).unwrap_or(TAIL));
        let mut buffer = vec![0; length];
        let read = self.read_at(end - length as u64, &mut buffer)?;
        Ok(Tail::of(&buffer[..read]))
    }

    /// How long the content is, and its last bytes.
    pub(super) fn end(&mut self) -> io::Result<(u64, Fingerprint)> {
        if !self.is_compressed() {
            let end = self.look()?.size;
            return Ok((end, self.tail(end)?.fingerprint()));
        }
        let (mut end, mut tail) = (0, Tail::default());
        let mut buffer = vec![0; CHUNK];
        loop {
            let length = self.read_at(end, &mut buffer)?;
            if length == 0 {
                return Ok((end, tail.fingerprint()));
            }
            tail.push(&buffer[..length]);
            end += length as u64;
        }
    }
}

fn read_full(
    buffer: &mut [u8],
    mut read: impl FnMut(&mut [u8], usize) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match read(&mut buffer[length..], length) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
