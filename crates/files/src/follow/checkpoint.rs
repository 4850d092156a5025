//! The checkpoint: how far each log is acknowledged. Written anew beside the old one, made durable, and renamed over it.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::FollowError;
use super::content::Look;
use super::fingerprint::{Fingerprint, Mark};

const FILE: &str = "checkpoint.json";
const VERSION: u32 = 1;

/// One log in the checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    /// Identity of the log; with an offset it gives the identity of an event.
    pub(super) id: String,
    /// Where it was first seen.
    pub(super) source: PathBuf,
    /// Where it was last seen.
    pub(super) path: PathBuf,
    /// The file that holds it, as it was last looked at.
    pub(super) file: Option<Look>,
    /// All that is in it is acknowledged.
    pub(super) finished: bool,
    /// Its first line, as far as it tells logs apart.
    pub(super) line: Fingerprint,
    /// How it begins; all of its first kibibyte that was handed over is in there.
    pub(super) head: Fingerprint,
    /// Everything before is acknowledged.
    pub(super) acknowledged: Mark,
    /// When a file held it last, seconds since 1970.
    pub(super) seen: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint<L> {
    version: u32,
    logs: L,
}

/// The folder of a checkpoint, held by one process at a time.
pub(super) struct Checkpoints {
    folder: PathBuf,
    written: Vec<Saved>,
    /// Locked until it is closed.
    _lock: File,
}

impl Checkpoints {
    /// Opens or makes the folder, and reads what was saved there.
    pub(super) fn open(folder: &Path) -> Result<Self, FollowError> {
        let failed = |source| FollowError::Checkpoint {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => FollowError::Locked(folder.to_owned()),
            TryLockError::Error(source) => failed(source),
        })?;
        let path = folder.join(FILE);
        let written = match fs::read(&path) {
            Ok(text) => parse(&text).map_err(|why| FollowError::Damaged { path, why })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        Ok(Self {
            folder: folder.to_owned(),
            written,
            _lock: lock,
        })
    }

    pub(super) fn saved(&self) -> &[Saved] {
        &self.written
    }

    /// Returns when it is durable.
    pub(super) fn save(&mut self, logs: Vec<Saved>) -> Result<(), FollowError> {
        if logs == self.written {
            return Ok(());
        }
        self.write(&logs).map_err(|source| FollowError::Checkpoint {
            path: self.folder.clone(),
            source,
        })?;
        self.written = logs;
        Ok(())
    }

    fn write(&self, logs: &[Saved]) -> std::io::Result<()> {
        let text = serde_json::to_vec(&Checkpoint {
            version: VERSION,
            logs,
        })?;
        let fresh = self.folder.join("checkpoint.json.new");
        let mut file = File::create(&fresh)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&fresh, self.folder.join(FILE))?;
        File::open(&self.folder)?.sync_all()
    }
}

fn parse(text: &[u8]) -> Result<Vec<Saved>, String> {
    let checkpoint: Checkpoint<Vec<Saved>> =
        serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if checkpoint.version == VERSION {
        Ok(checkpoint.logs)
    } else {
        Err(format!("version {}: must be {VERSION}", checkpoint.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_and_damage_is_told_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let first = Checkpoints::open(folder.path()).unwrap();
        let second = Checkpoints::open(folder.path()).err().unwrap();
        assert!(matches!(second, FollowError::Locked(_)), "{second}");
        drop(first);
        for text in [
            "{",
            "{\"version\":2,\"logs\":[]}",
            "{\"version\":1,\"logs\":[{}]}",
        ] {
            fs::write(folder.path().join(FILE), text).unwrap();
            let refused = Checkpoints::open(folder.path()).err().unwrap().to_string();
            assert!(refused.contains(FILE), "{refused}");
        }
    }
}
