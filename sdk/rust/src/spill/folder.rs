//! The folder of one process, and those of the dead.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

const LOCK: &str = "lock";
const SUFFIX: &str = "kzs";
/// How often a new folder is tried, should an adopter always be faster.
const ATTEMPTS: u32 = 16;

/// A folder that this process holds the lock of. Dropped, it lets go of the lock, and removes the folder if no segment is
/// left in it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Held open: the lock is the open file's.
    _lock: File,
}

impl Folder {
    /// Makes the process's own.
    pub(crate) fn create(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        for _ in 0..ATTEMPTS {
            let name = format!("{}-{}", std::process::id(), uuid::Uuid::new_v4().simple());
            let path = root.join(name);
            // Events hold personal data: no other user may read them.
            fs::DirBuilder::new().mode(0o700).create(&path)?;
            // An adopter that saw the folder before it was locked takes it for a dead one, and removes it.
            if let Some(folder) = Self::lock(&path)? {
                return Ok(folder);
            }
        }
        Err(io::Error::other(
            "every new folder was adopted by another process",
        ))
    }

    /// The folders of processes that have ended, now this one's. One that cannot be looked at is left to the next.
    pub(crate) fn adopt(root: &Path) -> Vec<Self> {
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries
            .filter(|entry| is_name(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect();
        // The names say nothing of the order of the processes; it is only always the same.
        paths.sort_unstable();
        paths
            .iter()
            .filter_map(|path| Self::lock(path).ok().flatten())
            .collect()
    }

    /// Locks the folder, unless another process, or another logger of this one, holds it or has just removed it.
    fn lock(path: &Path) -> io::Result<Option<Self>> {
        let file = path.join(LOCK);
        let opened = File::options().create(true).append(true).open(&file);
        let lock = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => return Ok(None),
            locked => locked?,
        }
        // Its last holder may have removed it between opening and locking: then the lock is worth nothing.
        let is_there = fs::metadata(&file).is_ok_and(|there| {
            lock.metadata()
                .is_ok_and(|held| (held.dev(), held.ino()) == (there.dev(), there.ino()))
        });
        Ok(is_there.then(|| Self {
            path: path.to_owned(),
            _lock: lock,
        }))
    }

    /// Where the segment of that number is.
    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:010}.{SUFFIX}"))
    }

    /// The segments in it and their sizes in bytes, oldest first.
    pub(crate) fn segments(&self) -> Vec<(PathBuf, u64)> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut segments: Vec<_> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|suffix| suffix == SUFFIX))
            .map(|path| {
                let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
                (path, size)
            })
            .collect();
        segments.sort_unstable();
        segments
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.segments().is_empty() {
            // In this order, so that whoever locks it meanwhile sees that the lock's file is gone. What cannot be
            // removed is adopted, found empty and tried again by the next process.
            let _ = fs::remove_file(self.path.join(LOCK));
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Whether a logger gave the name: a process's id and 32 hexadecimal digits. Nothing else in the folder is touched.
fn is_name(name: &str) -> bool {
    name.split_once('-').is_some_and(|(process, unique)| {
        !process.is_empty()
            && process.bytes().all(|byte| byte.is_ascii_digit())
            && unique.len() == 32
            && unique.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_not_adopted_and_one_let_go_is_once() {
        let root = tempfile::tempdir().unwrap();
        let own = Folder::create(root.path()).unwrap();
        fs::write(own.segment(1), b"x").unwrap();
        assert!(Folder::adopt(root.path()).is_empty());
        assert_eq!(
            fs::metadata(&own.path).unwrap().mode() & 0o777,
            0o700,
            "for its user alone"
        );
        drop(own);
        let adopted = Folder::adopt(root.path());
        assert_eq!(adopted.len(), 1);
        assert_eq!(adopted[0].segments().len(), 1);
        assert!(Folder::adopt(root.path()).is_empty());
    }

    #[test]
    fn an_empty_folder_goes_with_its_process() {
        let root = tempfile::tempdir().unwrap();
        drop(Folder::create(root.path()).unwrap());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_no_logger_made_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        for name in ["data", "12-short", "x-0123456789abcdef0123456789abcdef"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        assert!(Folder::adopt(root.path()).is_empty());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 3);
    }

    #[test]
    fn processes_that_come_and_go_at_once_never_share_a_folder() {
        let root = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let own = Folder::create(root.path()).unwrap();
                        fs::write(own.segment(1), b"own").unwrap();
                        for adopted in Folder::adopt(root.path()) {
                            for (path, _) in adopted.segments() {
                                fs::remove_file(path).unwrap();
                            }
                        }
                        assert_eq!(own.segments().len(), 1, "another took it");
                    }
                });
            }
        });
    }
}
