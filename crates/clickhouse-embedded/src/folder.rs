//! The data folder belongs to one process at a time.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The file whose lock means "this folder is in use". It holds the owner's process id.
const LOCK: &str = "clickhouse-embedded.lock";
/// Where bodies too big for memory go, beside the engine's own folders.
const BODIES: &str = "clickhouse-embedded-bodies";

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error("data folder {folder} is in use by process {owner}")]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process id found in the lock file.
        owner: String,
    },
    /// It cannot be created or written.
    #[error("data folder {folder}: {source}")]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
}

/// The lock; the operating system releases it when the process ends, however that happens.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    _file: File,
}

impl FolderLock {
    /// Creates `folder` when it is missing, and locks it.
    ///
    /// # Errors
    /// Another process has it, or it cannot be written.
    pub fn take(folder: &Path) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable {
            folder: folder.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder.join(BODIES)).map_err(unusable)?;
        let folder_path = folder.canonicalize().map_err(unusable)?;
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder_path.join(LOCK))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).map_err(unusable)?;
                return Err(FolderError::InUse {
                    folder: folder.to_owned(),
                    owner: owner.trim().to_owned(),
                });
            }
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(unusable)?;
        writeln!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self {
            folder: folder_path,
            _file: file,
        })
    }

    /// The folder, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where bodies too big for memory go.
    pub fn bodies(&self) -> PathBuf {
        self.folder.join(BODIES)
    }
}
