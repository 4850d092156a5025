//! The machine, as it describes itself.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use kaizen_testkit::workspace;

/// When, on what, and of which parts something was measured, in a sentence.
pub fn describe() -> Result<String> {
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let cores = std::thread::available_parallelism()?;
    let memory: u64 = field("/proc/meminfo", "MemTotal:")?
        .split(' ')
        .next()
        .and_then(|kib| kib.parse().ok())
        .context("MemTotal")?;
    Ok(format!(
        "Measured on {date}, commit {}: {cores} cores of {}, {} GiB, {}, Linux {}; Apache Kafka {}, ClickHouse {} (embedded).",
        commit()?,
        field("/proc/cpuinfo", "model name")?.trim_start_matches([':', '\t', ' ']),
        memory >> 20,
        field("/etc/os-release", "PRETTY_NAME=")?.trim_matches('"'),
        read("/proc/sys/kernel/osrelease")?.trim(),
        pinned("deploy/kafka/pom.xml", "<kafka.version>", "<")?,
        pinned(
            "deploy/chdb/package.json",
            "\"@chdb/lib-linux-x64-gnu\": \"",
            "\""
        )?,
    ))
}

/// What follows a name at the beginning of a line.
fn field(path: &str, name: &str) -> Result<String> {
    let text = read(path)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(value
        .with_context(|| format!("{path}: no {name}"))?
        .trim()
        .to_owned())
}

/// A version that a file of the repository pins.
fn pinned(path: &str, before: &str, after: &str) -> Result<String> {
    let text = read(workspace().join(path).to_str().context("a path")?)?;
    let found = text
        .split_once(before)
        .and_then(|(_, rest)| rest.split_once(after));
    Ok(found
        .with_context(|| format!("{path}: no {before}"))?
        .0
        .to_owned())
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.to_owned())
}

/// The commit, with a mark if files differ from it.
fn commit() -> Result<String> {
    let arguments = ["describe", "--always", "--dirty", "--exclude=*"];
    let output = Command::new("git")
        .current_dir(workspace())
        .args(arguments)
        .output()
        .context("git")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
