//! A body or result held whole before it is used: in memory while the server's allowance lasts, on disk beyond it.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::MemfdFlags;

/// How many bytes of bodies the process keeps in memory at once, and where the others go.
pub struct Allowance {
    limit: u64,
    used: AtomicU64,
    folder: PathBuf,
}

impl Allowance {
    /// At most `limit` bytes in memory, the rest in unnamed files of `folder`.
    pub fn new(limit: u64, folder: PathBuf) -> Self {
        Self {
            limit,
            used: AtomicU64::new(0),
            folder,
        }
    }

    fn take(&self, bytes: u64) -> bool {
        let fits = |used: u64| used.checked_add(bytes).filter(|total| *total <= self.limit);
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, fits)
            .is_ok()
    }
}

/// A file without a name. It vanishes with the process, however that ends.
pub struct Spool {
    file: File,
    allowance: Arc<Allowance>,
    /// Bytes taken from the allowance; they are given back when the spool goes or moves to disk.
    in_memory: u64,
    on_disk: bool,
}

impl Spool {
    /// An empty spool.
    ///
    /// # Errors
    /// The operating system has no memory file to give.
    pub fn new(allowance: Arc<Allowance>) -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create(
            "clickhouse-embedded-body",
            MemfdFlags::CLOEXEC,
        )?);
        Ok(Self {
            file,
            allowance,
            in_memory: 0,
            on_disk: false,
        })
    }

    /// The number by which the engine opens it as `/proc/self/fd/N`; valid while the spool lives.
    pub fn descriptor(&self) -> i32 {
        self.file.as_raw_fd()
    }

    /// The file, to be read from its beginning.
    ///
    /// # Errors
    /// The file cannot be rewound.
    pub fn rewound(&mut self) -> io::Result<&mut File> {
        self.file.rewind()?;
        Ok(&mut self.file)
    }

    /// Whether it outgrew the allowance.
    pub fn on_disk(&self) -> bool {
        self.on_disk
    }

    fn move_to_disk(&mut self) -> io::Result<()> {
        let mut disk = tempfile::tempfile_in(&self.allowance.folder)?;
        self.file.rewind()?;
        io::copy(&mut self.file, &mut disk)?;
        self.file = disk;
        self.on_disk = true;
        self.give_back();
        Ok(())
    }

    fn give_back(&mut self) {
        self.allowance.used.fetch_sub(self.in_memory, Ordering::AcqRel);
        self.in_memory = 0;
    }
}

impl Write for Spool {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = buffer.len() as u64;
        if !self.on_disk {
            if self.allowance.take(length) {
                self.in_memory += length;
            } else {
                self.move_to_disk()?;
            }
        }
        // Not by the C library, whose `write` ends the server where the disk is full: here a body is refused
        let mut rest = buffer;
        while !rest.is_empty() {
            let written = rustix::io::retry_on_intr(|| rustix::io::write(&self.file, rest))?;
            rest = rest.get(written..).unwrap_or_default();
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn beyond_the_allowance_a_spool_goes_to_disk_whole_and_gives_its_memory_back() {
        let folder = tempfile::tempdir().unwrap();
        let allowance = Arc::new(Allowance::new(10, folder.path().to_owned()));
        let mut small = Spool::new(allowance.clone()).unwrap();
        let mut large = Spool::new(allowance.clone()).unwrap();
        small.write_all(b"1234").unwrap();
        large.write_all(b"123456").unwrap();
        assert!(!large.on_disk() && allowance.used.load(Ordering::Acquire) == 10);
        large.write_all(b"7").unwrap();
        assert!(large.on_disk() && allowance.used.load(Ordering::Acquire) == 4);
        let mut text = String::new();
        File::open(format!("/proc/self/fd/{}", large.descriptor()))
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "1234567");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(small);
        assert_eq!(allowance.used.load(Ordering::Acquire), 0);
    }
}
