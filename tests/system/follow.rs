//! `kaizen import --follow` on the real broker: a log that is rotated while its follower is killed arrives, each line once.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{DecisionBuilder, Part, Service, Stack, eventually, program};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

const TOPIC: &str = "kaizen.decisions";
const ROUNDS: usize = 30;
const SEED: u64 = 1;
const SOON: Duration = Duration::from_secs(60);

/// An application that logs a line a decision, and the rotation of its log.
struct Application {
    folder: PathBuf,
    log: File,
    logs: usize,
    lines: usize,
    broken: usize,
}

impl Application {
    fn new(folder: &Path) -> Result<Self> {
        Ok(Self {
            log: OpenOptions::new()
                .create(true)
                .append(true)
                .open(folder.join("app.log"))?,
            folder: folder.to_owned(),
            logs: 1,
            lines: 0,
            broken: 0,
        })
    }

    fn decide(&mut self) -> Result<()> {
        self.lines += 1;
        let now = jiff::Timestamp::now().to_string();
        let event = DecisionBuilder::new(&format!("log-{}", self.logs), &now);
        let mut line = event.with("/input_data/n", self.lines).build();
        line.push(b'\n');
        self.log.write_all(&line)?;
        Ok(())
    }

    fn break_a_line(&mut self) -> Result<()> {
        self.broken += 1;
        self.log.write_all(b"{ cut off\n")?;
        Ok(())
    }

    fn path(&self, generation: usize) -> PathBuf {
        self.folder.join(format!("app.log.{generation}"))
    }

    fn shift(&mut self) -> Result<()> {
        for generation in (1..self.logs).rev() {
            fs::rename(self.path(generation), self.path(generation + 1))?;
        }
        self.logs += 1;
        Ok(())
    }

    fn rename(&mut self) -> Result<()> {
        self.shift()?;
        let live = self.folder.join("app.log");
        fs::rename(&live, self.path(1))?;
        self.log = OpenOptions::new().create(true).append(true).open(live)?;
        Ok(())
    }

    fn copy_and_truncate(&mut self) -> Result<()> {
        self.shift()?;
        fs::copy(self.folder.join("app.log"), self.path(1))?;
        Ok(self.log.set_len(0)?)
    }
}

fn follower(stack: &Stack, logs: &Path) -> Result<Part> {
    let pattern = format!("{}/app.log*", logs.display());
    Part::new("follower", |folder| {
        let mut command = Command::new(program("kaizen")?);
        command
            .args([
                "import",
                "--follow",
                &pattern,
                "--poll-interval",
                "20ms",
                "--checkpoints",
            ])
            .arg(folder.join("checkpoints"))
            .envs(stack.variables());
        Ok(command)
    })
}

async fn start(follower: &Part) -> Result<()> {
    let before = follower.log()?.matches("following; ").count();
    follower
        .start(async || {
            ensure!(
                follower.log()?.matches("following; ").count() > before,
                "it does not follow yet"
            );
            Ok(())
        })
        .await
}

#[tokio::test]
async fn every_line_of_a_rotated_log_is_stored_once_however_often_its_follower_is_killed() -> Result<()> {
    let stack = Stack::start().await?;
    let _collector = Service::start("collector", false, &stack, &[]).await?;
    let folder = tempfile::tempdir()?;
    let mut application = Application::new(folder.path())?;
    let follower = follower(&stack, folder.path())?;
    start(&follower).await?;
    let mut random = StdRng::seed_from_u64(SEED);
    let mut kills = 0;
    for _ in 0..ROUNDS {
        for _ in 0..random.random_range(1..400) {
            application.decide()?;
        }
        if random.random_bool(0.2) {
            application.break_a_line()?;
        }
        match random.random_range(0..6) {
            0 => application.rename()?,
            1 => application.copy_and_truncate()?,
            2..5 => {
                // Where in its work the fault falls is up to chance, not a wait for something.
                tokio::time::sleep(Duration::from_millis(random.random_range(0..300))).await;
                follower.kill();
                kills += 1;
                start(&follower).await?;
            }
            _ => {}
        }
    }
    all_are_stored(&stack, application.lines).await?;
    let status = follower.terminate(SOON).await?;
    ensure!(status.success(), "{status}");
    let log = follower.log()?;
    // By offset: a file's name changes.
    let offset = |line: &'_ str| {
        Some(
            line.split_once("(byte ")?
                .1
                .split_once("): skipped: is no JSON")?
                .0
                .to_owned(),
        )
    };
    let shown: HashSet<String> = log.lines().filter_map(offset).collect();
    ensure!(
        shown.len() == application.broken,
        "{} broken lines, shown are {shown:?}",
        application.broken
    );

    let published = stack.kafka().records(TOPIC).await?.len();
    start(&follower).await?;
    application.decide()?;
    all_are_stored(&stack, application.lines).await?;
    let records = stack.kafka().records(TOPIC).await?;
    assert_eq!(records.len(), published + 1, "a graceful end repeats nothing");
    in_order(&records)?;
    println!(
        "{} lines in {} logs, {} records, {kills} kills",
        application.lines,
        application.logs,
        records.len()
    );
    Ok(())
}

/// Each once, and nothing was rejected but repeats.
async fn all_are_stored(stack: &Stack, lines: usize) -> Result<()> {
    let clickhouse = stack.clickhouse();
    let sql = "SELECT count(), uniqExact(event_id), uniqExact(toString(input)) FROM kaizen.decisions";
    eventually("every line is stored", SOON, async || {
        let found = clickhouse.query(sql).await?;
        let expected = format!("{lines}\t{lines}\t{lines}");
        ensure!(found.trim() == expected, "{found} instead of {expected}");
        Ok(())
    })
    .await?;
    let rejected = "SELECT count() FROM kaizen.rejections WHERE reason != 'duplicate'";
    assert_eq!(clickhouse.query(rejected).await?.trim(), "0");
    Ok(())
}

/// The lines of a log lie in the topic in their order, repeats aside.
fn in_order(records: &[kaizen_testkit::Record]) -> Result<()> {
    let mut known = HashSet::new();
    let mut last: HashMap<&[u8], u64> = HashMap::new();
    for record in records {
        if !known.insert(
            record
                .header("event-id")
                .context("a record without its identity")?,
        ) {
            continue;
        }
        let key = record.key.as_deref().context("a key")?;
        let event: Value = serde_json::from_slice(record.value.as_deref().context("a value")?)?;
        let n = event["input_data"]["n"].as_u64().context("a number")?;
        let before = last.insert(key, n).unwrap_or(0);
        ensure!(before < n, "line {n} came after line {before} of the same log");
    }
    Ok(())
}

#[tokio::test]
async fn a_follower_waits_for_a_broker_that_is_away_and_ends_when_asked_meanwhile() -> Result<()> {
    let stack = Stack::start().await?;
    let folder = tempfile::tempdir()?;
    let mut application = Application::new(folder.path())?;
    let follower = follower(&stack, folder.path())?;
    start(&follower).await?;
    application.decide()?;
    eventually("the first line is there", SOON, async || {
        ensure!(stack.kafka().records(TOPIC).await?.len() == 1, "it is not");
        Ok(())
    })
    .await?;
    stack.kafka().part().kill();
    for _ in 0..1_000 {
        application.decide()?;
    }
    let status = follower.terminate(SOON).await?;
    ensure!(
        status.success(),
        "{status}: what is not acknowledged is sent at the next start"
    );
    stack.kafka().restart().await?;
    start(&follower).await?;
    eventually("every line is there", SOON, async || {
        let records = stack.kafka().records(TOPIC).await?;
        let ids: HashSet<_> = records
            .iter()
            .filter_map(|record| record.header("event-id"))
            .collect();
        ensure!(
            ids.len() == application.lines,
            "{} of {} are",
            ids.len(),
            application.lines
        );
        Ok(())
    })
    .await?;
    Ok(())
}

#[test]
fn csv_is_refused_and_so_is_a_pattern_that_is_none() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (arguments, words) in [
        (["--format", "csv", "app.log"], "--format csv: cannot be followed"),
        (
            ["--format", "jsonl", "app[.log"],
            "app[.log: is no pattern of paths",
        ),
    ] {
        let output = Command::new(program("kaizen")?)
            .args(["import", "--follow", "--checkpoints"])
            .arg(folder.path())
            .args(arguments)
            .output()?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
    }
    Ok(())
}
