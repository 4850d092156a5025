use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::statvfs;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use crate::folder;

/// Far more than a test writes. It is memory only once it is written.
const ROOMY: u64 = 8 << 30;

/// A file system of a part's own, in memory, that can be full: what writes to it then meets the kernel's own `ENOSPC`.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Whether this process may mount one: that takes root, and a container that allows it.
    pub fn is_possible() -> bool {
        Self::mount().is_ok()
    }

    /// Mounts an empty one with 8 GiB of room.
    ///
    /// # Errors
    /// If this process may not mount.
    pub fn mount() -> Result<Self> {
        let folder = folder::new("disk")?;
        let options = std::ffi::CString::new(format!("size={ROOMY},nr_inodes=0,mode=0700"))?;
        mount(
            "kaizen-test",
            &folder,
            "tmpfs",
            MountFlags::NOSUID,
            Some(options.as_c_str()),
        )
        .with_context(|| format!("{} cannot be mounted", folder.display()))?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Leaves room for so many bytes more, to the next page of 4 KiB; the last page of a file that is there may have room too.
    ///
    /// # Errors
    /// If the kernel refuses that.
    pub fn fill(&self, spare: u64) -> Result<()> {
        let now = statvfs(&self.folder)?;
        let used = (now.f_blocks - now.f_bfree) * now.f_frsize;
        // No room at all would mean no limit.
        self.resize((used + spare).max(now.f_frsize))
    }

    /// Makes room again.
    ///
    /// # Errors
    /// If the kernel refuses that.
    pub fn free(&self) -> Result<()> {
        self.resize(ROOMY)
    }

    fn resize(&self, bytes: u64) -> Result<()> {
        mount_remount(&self.folder, MountFlags::NOSUID, format!("size={bytes}"))
            .with_context(|| format!("{} cannot be resized", self.folder.display()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Detached: what holds a file open there is about to end.
        if let Err(error) = unmount(&self.folder, UnmountFlags::DETACH) {
            eprintln!("{} stays mounted: {error}", self.folder.display());
        }
        if let Err(error) = std::fs::remove_dir(&self.folder) {
            eprintln!("{} stays: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn a_full_disk_refuses_what_is_written_until_there_is_room_again() -> Result<()> {
        if !Disk::is_possible() {
            eprintln!("this process may not mount");
            return Ok(());
        }
        let disk = Disk::mount()?;
        let file = disk.path().join("file");
        let page = vec![1; 4096];
        fs::write(&file, &page)?;
        disk.fill(4096)?;
        fs::write(disk.path().join("second"), &page)?;
        let third = disk.path().join("third");
        let refused = fs::write(&third, &page).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::StorageFull));
        disk.free()?;
        fs::write(&third, &page)?;
        assert_eq!(fs::read(&file)?, page);
        Ok(())
    }
}
