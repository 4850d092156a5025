//! Follows logs that grow and are rotated, by renaming or by copying and truncating, over restarts.
//!
//! ```text
//! [find] files ─► [attach] whose content is it? ─► log ─► [read] lines ─► taker ─► receipts ─► [checkpoint]
//! ```
//!
//! What is followed is a log, not a file: a content that grows at its end, known by its first line and by the bytes
//! before the place it was read to. The file that holds it may be renamed, copied or compressed; whichever holds it now is
//! read on from the same place. A line's identity is its log's and its offset in there, so a line that is handed over again
//! after a crash is known. A log's identity is saved before its first line is handed over, and the place it is read on
//! from after a restart is that before which every line was acknowledged.
//!
//! By polling: notifications do not come from every file system, and tell nothing that a look at the files does not.

mod attach;
mod checkpoint;
mod content;
mod find;
mod fingerprint;
mod log;
mod read;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::log::Receipt;
pub use self::read::{Followed, LONGEST_LINE, Taken, TooLong};

use self::attach::Settled;
use self::checkpoint::Checkpoints;
use self::content::{Content, FileId};
use self::log::Log;
use self::read::{Ended, Take};

/// What is read of a log before the next one's turn.
const TURN: usize = 1024 * 1024;
/// Logs that no file holds are remembered for so long, to know a copy that turns up.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

/// What to follow.
#[derive(Debug, Clone)]
pub struct Options {
    /// Paths, or patterns of them: `*`, `?`, `[…]`, and `**` for folders at any depth.
    pub patterns: Vec<String>,
    /// Folder of the checkpoint.
    pub checkpoints: PathBuf,
    /// How long a file that no pattern names any more, as it was renamed or removed, is read on without growing.
    pub rotate_wait: Duration,
}

/// Why nothing can be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// A pattern is none.
    #[error("{pattern}: is no pattern of paths")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// The checkpoint cannot be read or written.
    #[error("checkpoint {}", path.display())]
    Checkpoint {
        /// Its folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The checkpoint is not what this version writes.
    #[error("checkpoint {}: {why}; without that file everything is read from its beginning", path.display())]
    Damaged {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another process follows with the same checkpoint.
    #[error("checkpoint {}: in use by another process", .0.display())]
    Locked(PathBuf),
}

/// What a poll did.
#[derive(Debug, Default)]
pub struct Polled {
    /// Lines handed over.
    pub lines: u64,
    /// Lines were refused for want of room.
    pub no_room: bool,
    /// There is more to read at once.
    pub more: bool,
    /// What a person should know: files that cannot be read, each told once.
    pub notes: Vec<String>,
}

/// Follows logs. Polled by its owner; nothing runs in between.
pub struct Follower {
    options: Options,
    checkpoints: Checkpoints,
    logs: BTreeMap<u64, Log>,
    next: u64,
    /// Whose turn it is to be read.
    turn: u64,
    settled: HashMap<FileId, Settled>,
    /// Files that hold logs.
    open: HashSet<FileId>,
    /// Counts how often a log was left without a file: then others may turn out to hold it.
    losses: u64,
    unsaved: bool,
    told: HashMap<PathBuf, String>,
    notes: Vec<String>,
    buffer: Vec<u8>,
}

impl Follower {
    /// Goes on from the checkpoint, or begins one. Logs without one are read from their beginning.
    ///
    /// # Errors
    /// A pattern is none, or the checkpoint cannot be used.
    pub fn open(options: Options) -> Result<Self, FollowError> {
        find::check(&options.patterns)?;
        let checkpoints = Checkpoints::open(&options.checkpoints)?;
        let logs: BTreeMap<u64, Log> = (0..)
            .zip(checkpoints.saved().iter().cloned().map(Log::of))
            .collect();
        Ok(Self {
            options,
            checkpoints,
            next: logs.len() as u64,
            logs,
            turn: 0,
            settled: HashMap::new(),
            open: HashSet::new(),
            losses: 0,
            unsaved: false,
            told: HashMap::new(),
            notes: Vec::new(),
            buffer: Vec::new(),
        })
    }

    /// Looks for files and hands over what is new in them, the lines of a log in their order.
    ///
    /// # Errors
    /// A new log cannot be written into the checkpoint. Files that cannot be read are no error, but noted.
    pub fn poll(
        &mut self,
        now: SystemTime,
        take: &mut dyn FnMut(&Followed<'_>, Receipt) -> Taken,
    ) -> Result<Polled, FollowError> {
        self.attach(now);
        if self.unsaved {
            self.save()?;
        }
        let mut polled = Polled::default();
        self.read(now, &mut polled, take)?;
        self.forget(now);
        polled.notes = std::mem::take(&mut self.notes);
        Ok(polled)
    }

    /// Saves how far each log is acknowledged; returns when that is durable.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&mut self) -> Result<(), FollowError> {
        self.checkpoints
            .save(self.logs.values_mut().map(Log::saved).collect())?;
        self.unsaved = false;
        Ok(())
    }

    /// Whether every line that was handed over is acknowledged.
    pub fn is_settled(&mut self) -> bool {
        self.logs.values_mut().all(Log::settle)
    }

    /// Logs that a file holds now.
    pub fn open_logs(&self) -> usize {
        self.logs.values().filter(|log| log.content.is_some()).count()
    }

    fn read(&mut self, now: SystemTime, polled: &mut Polled, take: Take<'_>) -> Result<(), FollowError> {
        // Logs that were found before come first: what a rotated file holds goes before what its successor does.
        let keys: Vec<u64> = (self.logs.range(self.turn..))
            .chain(self.logs.range(..self.turn))
            .filter(|(_, log)| log.content.is_some())
            .map(|(key, _)| *key)
            .collect();
        self.turn = 0;
        for key in keys {
            let before = polled.lines;
            match self.read_one(key, now, &mut polled.lines, take)? {
                Ended::NoRoom => {
                    polled.no_room = true;
                    // It goes first next time, so that none waits for ever behind others.
                    self.turn = key;
                    return Ok(());
                }
                // A log that was replaced may go on in another file.
                Ended::Midway | Ended::Replaced | Ended::Unsaved => polled.more = true,
                Ended::AtEnd => {}
            }
            if polled.lines > before
                && let Some(log) = self.logs.get_mut(&key)
                && log.gone.is_some()
            {
                log.gone = Some(now);
            }
        }
        Ok(())
    }

    fn read_one(
        &mut self,
        key: u64,
        now: SystemTime,
        lines: &mut u64,
        take: Take<'_>,
    ) -> Result<Ended, FollowError> {
        let mut last = false;
        loop {
            let Some(log) = self.logs.get_mut(&key) else {
                return Ok(Ended::AtEnd);
            };
            match log.read(&mut self.buffer, TURN, last, lines, take) {
                Ok(Ended::Unsaved) => self.save()?,
                Ok(Ended::AtEnd) if last => {
                    self.close(key);
                    return Ok(Ended::AtEnd);
                }
                Ok(Ended::AtEnd) => {
                    let left =
                        (log.gone).is_some_and(|since| elapsed(since, now) >= self.options.rotate_wait);
                    last = left || (log.content.as_ref()).is_some_and(Content::is_compressed);
                    if !last {
                        return Ok(Ended::AtEnd);
                    }
                }
                Ok(Ended::Replaced) => {
                    self.lose(key);
                    return Ok(Ended::Replaced);
                }
                Ok(ended) => return Ok(ended),
                Err(error) => {
                    self.interrupt(key, &error, now);
                    return Ok(Ended::AtEnd);
                }
            }
        }
    }

    fn forget(&mut self, now: SystemTime) {
        let oldest = seconds(now).saturating_sub(REMEMBERED.as_secs());
        self.logs
            .retain(|_, log| log.content.is_some() || !log.settle() || log.seen >= oldest);
    }

    /// Tells a person, unless that was the last thing told of the file.
    fn note(&mut self, path: &Path, what: String) {
        if self.told.get(path) != Some(&what) {
            self.notes.push(format!("{}: {what}", path.display()));
            self.told.insert(path.to_owned(), what);
        }
    }
}

/// A clock that was set back shows no time.
fn elapsed(since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).unwrap_or_default()
}

fn seconds(time: SystemTime) -> u64 {
    elapsed(UNIX_EPOCH, time).as_secs()
}
