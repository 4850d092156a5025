//! The folder under which all parts of this test process live, and the watch that outlives the process.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

/// Waits for the end of its input, which comes when the test process is gone; then ends what is left and removes the
/// folder. A parent-death signal would not do: it is tied to the thread that started the child, and tests are threads.
const WATCH: &str = r#"
cat >/dev/null
for pid in "$1"/*/pid; do [ -f "$pid" ] && kill -s KILL -- "-$(cat "$pid")"; done
for disk in "$1"/disk-*; do umount -l "$disk" 2>/dev/null; done
until rm -rf "$1"; do sleep 1; done
"#;

/// A new folder for a part.
pub(crate) fn new(part: &str) -> Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("{part}-"))
        .tempdir_in(root()?)?;
    Ok(folder.keep())
}

fn root() -> Result<&'static Path> {
    static ROOT: OnceLock<Result<PathBuf>> = OnceLock::new();
    match ROOT.get_or_init(create_and_watch) {
        Ok(root) => Ok(root),
        Err(error) => Err(anyhow!("no folder for the sandbox: {error:#}")),
    }
}

fn create_and_watch() -> Result<PathBuf> {
    let root = tempfile::Builder::new().prefix("kaizen-test-").tempdir()?.keep();
    let mut watch = Command::new("sh")
        .args(["-c", WATCH, "kaizen-test-watch"])
        .arg(&root)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C reaches the test's group; the watch must live on.
        .process_group(0)
        .spawn()
        .context("cannot start sh")?;
    // Held open by this process for as long as it lives.
    std::mem::forget(watch.stdin.take());
    Ok(root)
}
