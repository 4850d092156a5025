use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::folder;

/// What the dynamic loader puts between a process and its clock.
const LIBRARY: &str = "faketime/libfaketime.so.1";

/// The wall clock of a part, which can be set. Its monotonic clock runs on, as a machine's does when its wall clock is set.
pub struct Clock {
    library: PathBuf,
    folder: PathBuf,
}

impl Clock {
    /// One that is right.
    ///
    /// # Errors
    /// If libfaketime (Debian package `libfaketime`) is not installed.
    pub fn new() -> Result<Self> {
        let folder = folder::new("clock")?;
        let library = library().context("libfaketime is missing; install the Debian package libfaketime")?;
        let clock = Self { library, folder };
        clock.set(0)?;
        Ok(clock)
    }

    /// Whether libfaketime is installed.
    pub fn is_possible() -> bool {
        library().is_some()
    }

    /// Sets it to so many seconds before (negative) or after the machine's. A process sees it within a second.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub fn set(&self, seconds: i64) -> Result<()> {
        let new = self.folder.join("new");
        fs::write(&new, format!("{seconds:+}"))?;
        // Never half of it.
        Ok(fs::rename(new, self.file())?)
    }

    /// What a process needs in its environment to go by it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            // Waits by the monotonic clock are left alone; with it, a JVM spins in them.
            ("FAKETIME_FORCE_MONOTONIC_FIX", "0".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.folder.join("offset")
    }
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?;
    let libraries = folders.filter_map(|folder| Some(folder.ok()?.path().join(LIBRARY)));
    let mut libraries = libraries.filter(|library| library.is_file());
    libraries.next()
}

impl Drop for Clock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_process_goes_by_the_clock_that_was_set() -> Result<()> {
        if !Clock::is_possible() {
            eprintln!("libfaketime is not installed");
            return Ok(());
        }
        let clock = Clock::new()?;
        for seconds in [0, 3_600, -86_400] {
            clock.set(seconds)?;
            let told = Command::new("date").arg("+%s").envs(clock.variables()).output()?;
            let told: i64 = String::from_utf8(told.stdout)?.trim().parse()?;
            let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
            assert!((told - now - seconds).abs() <= 2, "{seconds}: {}", told - now);
        }
        Ok(())
    }
}
