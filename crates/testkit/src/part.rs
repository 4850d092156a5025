use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal};

use crate::await_condition::eventually;
use crate::folder;

const STARTED: Duration = Duration::from_secs(60);
const LINES_SHOWN: usize = 60;
static QUIET: AtomicBool = AtomicBool::new(false);

/// Keeps the logs of parts that end to themselves, for programs that are no tests.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// One process of the sandbox, with a folder of its own that lives as long as this value: it can be ended and started
/// again on what it left there.
pub struct Part {
    name: String,
    folder: PathBuf,
    command: Mutex<Command>,
    child: Mutex<Option<Child>>,
}

impl Part {
    /// Prepares a part; `command` is told its folder. Nothing runs yet.
    ///
    /// # Errors
    /// If the folder or the log cannot be made.
    pub fn new(name: &str, command: impl FnOnce(&Path) -> Result<Command>) -> Result<Self> {
        let folder = folder::new(name)?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))?;
        let mut command = command(&folder)?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        Ok(Self {
            name: name.to_owned(),
            folder,
            command: Mutex::new(command),
            child: Mutex::new(None),
        })
    }

    /// Starts the process and returns when `ready` succeeds.
    ///
    /// # Errors
    /// If it runs already, cannot start, ends, or is not ready within a minute; with the end of its log.
    pub async fn start(&self, mut ready: impl AsyncFnMut() -> Result<()>) -> Result<()> {
        self.spawn()?;
        let answered = eventually(&self.name, STARTED, async || match self.exit_status()? {
            Some(status) => Ok(Err(status)),
            None => Ok(Ok(ready().await?)),
        });
        match answered.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(status)) => bail!("{} ended with {status}:\n{}", self.name, self.end_of_log()),
            Err(error) => Err(error).with_context(|| self.end_of_log()),
        }
    }

    fn spawn(&self) -> Result<()> {
        let mut running = locked(&self.child);
        ensure!(running.is_none(), "{} runs already", self.name);
        let mut command = locked(&self.command);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        fs::write(self.pid_file(), child.id().to_string())?;
        *running = Some(child);
        Ok(())
    }

    /// The process id.
    ///
    /// # Errors
    /// If the part was ended or never started.
    pub fn id(&self) -> Result<u32> {
        let running = locked(&self.child);
        let child = running
            .as_ref()
            .with_context(|| format!("{} does not run", self.name))?;
        Ok(child.id())
    }

    /// How the process ended, if it has.
    ///
    /// # Errors
    /// If the part was ended by this value or never started.
    pub fn exit_status(&self) -> Result<Option<ExitStatus>> {
        let mut running = locked(&self.child);
        let child = running
            .as_mut()
            .with_context(|| format!("{} does not run", self.name))?;
        Ok(child.try_wait()?)
    }

    /// Ends it as a crash does (SIGKILL). No harm if it has ended.
    pub fn kill(&self) {
        if let Some(mut child) = locked(&self.child).take() {
            // It may be gone already; what counts is that it is reaped.
            let _ = signal(&child, Signal::KILL);
            let _ = child.wait();
            let _ = fs::remove_file(self.pid_file());
        }
    }

    /// Asks it to end (SIGTERM) and returns how it did.
    ///
    /// # Errors
    /// If it runs on after `deadline`.
    pub async fn terminate(&self, deadline: Duration) -> Result<ExitStatus> {
        self.send(Signal::TERM)?;
        let status = eventually(&format!("{} ends on SIGTERM", self.name), deadline, async || {
            self.exit_status()?.context("it runs on")
        })
        .await?;
        self.kill();
        Ok(status)
    }

    /// Stops it where it stands (SIGSTOP) until [`Part::resume`].
    ///
    /// # Errors
    /// If it does not run.
    pub fn pause(&self) -> Result<()> {
        self.send(Signal::STOP)
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// If it does not run.
    pub fn resume(&self) -> Result<()> {
        self.send(Signal::CONT)
    }

    fn send(&self, what: Signal) -> Result<()> {
        let running = locked(&self.child);
        let child = running
            .as_ref()
            .with_context(|| format!("{} does not run", self.name))?;
        signal(child, what)
    }

    /// All it wrote to standard output and standard error, over all its starts.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(self.folder.join("log"))?).into_owned())
    }

    fn end_of_log(&self) -> String {
        let log = self.log().unwrap_or_else(|error| format!("(no log: {error})"));
        let lines: Vec<_> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n");
        format!("the end of the log of {}:\n{end}", self.name)
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.kill();
        // The test harness shows this for a test that failed, and for no other.
        if !QUIET.load(Ordering::Relaxed) {
            eprintln!("{}", self.end_of_log());
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays: {error}", self.folder.display());
        }
    }
}

/// To the whole group: what the process started belongs to it.
fn signal(child: &Child, what: Signal) -> Result<()> {
    let group = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .context("a process id")?;
    Ok(rustix::process::kill_process_group(group, what)?)
}

/// A test that panicked while it held the lock left the part as usable as before.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
