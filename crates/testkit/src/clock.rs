use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::folder;

/// Goes between a process and its clock.
const SOURCE: &str = include_str!("clock.c");

/// The wall clock of a part, which can be set. Its monotonic clock runs on, as a machine's does when its wall clock is set; what
/// waits until a time of the wall clock waits by the machine's.
pub struct Clock {
    folder: PathBuf,
}

impl Clock {
    /// One that is right.
    ///
    /// # Errors
    /// If there is no C compiler (`cc`).
    pub fn new() -> Result<Self> {
        let clock = Self {
            folder: folder::new("clock")?,
        };
        let source = clock.folder.join("clock.c");
        fs::write(&source, SOURCE)?;
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-O1", "-o"]);
        let compiled = compile.arg(clock.library()).arg(source).output().context("cc")?;
        ensure!(
            compiled.status.success(),
            "cc: {}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        clock.set(0)?;
        Ok(clock)
    }

    /// Sets it to so many seconds before (negative) or after the machine's.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub fn set(&self, seconds: i64) -> Result<()> {
        // Written over, not anew: processes have it mapped.
        let file = fs::File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(self.file())?;
        Ok(file.write_all_at(&seconds.to_ne_bytes(), 0)?)
    }

    /// What a process needs in its environment to go by it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library().display().to_string()),
            ("KAIZEN_TEST_CLOCK", self.file().display().to_string()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.folder.join("offset")
    }

    fn library(&self) -> PathBuf {
        self.folder.join("clock.so")
    }
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
