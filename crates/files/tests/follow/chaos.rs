//! Whatever is done to logs and to whoever follows them, in whatever order: every complete line is handed over, those of a
//! log in order, and what is handed over again is known by its identity. `KAIZEN_CHAOS_SEED` and `KAIZEN_CHAOS_ROUNDS`
//! choose the first seed and the number of seeds.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use crate::reader::{ROTATE_WAIT, Reader};
use crate::rotation::gzip;

const STEPS: usize = 120;
/// Rotated files that are kept.
const KEPT: usize = 4;

struct Chaos {
    folder: TempDir,
    reader: Reader,
    random: StdRng,
    /// Only the live file is named by the pattern: a log must have been seen there before it is rotated.
    only_live: bool,
    /// Every log begins with the same line.
    banner: bool,
    writer: File,
    /// The file before the last rotation by renaming, which its writer may still hold.
    former: Option<File>,
    /// Bytes of a line that is not complete.
    partial: Option<String>,
    written: u64,
    log: u64,
    done: Vec<String>,
}

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn append(path: PathBuf) -> Result<File> {
    Ok(OpenOptions::new().create(true).append(true).open(path)?)
}

impl Chaos {
    fn new(seed: u64) -> Result<Self> {
        let folder = TempDir::new()?;
        let mut random = StdRng::seed_from_u64(seed);
        let only_live = random.random_bool(0.5);
        let pattern = folder.path().join(if only_live { "app.log" } else { "app.log*" });
        let pattern = pattern.to_str().context("a path")?.to_owned();
        Ok(Self {
            reader: Reader::new(&[pattern], folder.path().join("state")),
            only_live,
            banner: random.random_bool(0.3),
            writer: append(folder.path().join("app.log"))?,
            folder,
            random,
            former: None,
            partial: None,
            written: 0,
            log: 0,
            done: Vec::new(),
        })
    }

    fn path(&self, generation: usize, compressed: bool) -> PathBuf {
        let ending = if compressed { ".gz" } else { "" };
        self.folder.path().join(match generation {
            0 => "app.log".to_owned(),
            generation => format!("app.log.{generation}{ending}"),
        })
    }

    fn line(&mut self) -> String {
        self.written += 1;
        let filling = "x".repeat(self.random.random_range(0..60));
        format!(
            "{{\"log\":{},\"n\":{},\"x\":\"{filling}\"}}\n",
            self.log, self.written
        )
    }

    fn write(&mut self) -> Result<()> {
        self.finish_line()?;
        if self.banner && self.writer.metadata()?.len() == 0 {
            self.writer.write_all(b"{\"banner\":true}\n")?;
        }
        for _ in 0..self.random.random_range(1..40) {
            let line = self.line();
            self.writer.write_all(line.as_bytes())?;
        }
        if self.random.random_bool(0.3) {
            let line = self.line();
            let (begun, rest) = line.split_at(self.random.random_range(1..line.len()));
            self.writer.write_all(begun.as_bytes())?;
            self.partial = Some(rest.to_owned());
        }
        Ok(())
    }

    fn finish_line(&mut self) -> Result<()> {
        if let Some(rest) = self.partial.take() {
            self.writer.write_all(rest.as_bytes())?;
        }
        Ok(())
    }

    /// The writer has not noticed the rotation yet.
    fn write_to_former(&mut self) -> Result<()> {
        let Some(mut former) = self.former.take() else {
            return Ok(());
        };
        if self.only_live && former.metadata()?.len() == 0 {
            // Where no pattern looks a log cannot begin.
            return Ok(());
        }
        let log = self.log;
        self.log -= 1;
        let line = self.line();
        self.log = log;
        former.write_all(line.as_bytes())?;
        Ok(())
    }

    fn shift(&mut self) -> Result<()> {
        let oldest = (self.path(KEPT, false), self.path(KEPT, true));
        if oldest.0.exists() || oldest.1.exists() {
            // What is deleted before it was read and acknowledged is lost by whoever deletes it.
            self.catch_up()?;
            for path in [oldest.0, oldest.1].iter().filter(|path| path.exists()) {
                fs::remove_file(path)?;
            }
        }
        for generation in (1..KEPT).rev() {
            for compressed in [false, true] {
                let from = self.path(generation, compressed);
                if from.exists() {
                    fs::rename(from, self.path(generation + 1, compressed))?;
                }
            }
        }
        Ok(())
    }

    fn catch_up(&mut self) -> Result<()> {
        self.reader.room = usize::MAX;
        self.reader.drain_all()?;
        for receipt in self.reader.receipts.drain(..) {
            receipt.acknowledge();
        }
        self.reader.save()
    }

    /// What only stands in the live file before it is rotated must have been seen there.
    fn be_seen(&mut self) -> Result<()> {
        if self.only_live || self.random.random_bool(0.3) {
            self.reader.room = self.random.random_range(0..50);
            self.reader.poll()?;
            // Logs that begin alike are told apart after a while.
            self.reader.now += Duration::from_secs(11);
            self.reader.poll()?;
        }
        Ok(())
    }

    fn rename(&mut self) -> Result<()> {
        self.finish_line()?;
        self.be_seen()?;
        self.shift()?;
        fs::rename(self.path(0, false), self.path(1, false))?;
        let writer = append(self.path(0, false))?;
        self.former = Some(std::mem::replace(&mut self.writer, writer));
        self.log += 1;
        Ok(())
    }

    fn copy_and_truncate(&mut self) -> Result<()> {
        self.finish_line()?;
        self.be_seen()?;
        self.shift()?;
        self.former = None;
        let text = fs::read(self.path(0, false))?;
        let half = self.random.random_range(0..=text.len());
        let mut copy = append(self.path(1, false))?;
        for part in [&text[..half], &text[half..]] {
            copy.write_all(part)?;
            if self.random.random_bool(0.3) {
                self.reader.poll()?;
            }
        }
        self.writer.set_len(0)?;
        self.log += 1;
        Ok(())
    }

    fn compress(&mut self) -> Result<()> {
        let generation = self.random.random_range(2..=KEPT);
        let (from, to) = (self.path(generation, false), self.path(generation, true));
        if from.exists() {
            let compressed = gzip(&fs::read(&from)?)?;
            fs::write(&to, &compressed[..self.random.random_range(0..=compressed.len())])?;
            if self.random.random_bool(0.5) {
                self.reader.poll()?;
            }
            fs::write(&to, compressed)?;
            if self.random.random_bool(0.5) {
                self.reader.poll()?;
            }
            fs::remove_file(from)?;
        }
        Ok(())
    }

    fn acknowledge(&mut self) {
        for _ in 0..self.random.random_range(0..=self.reader.receipts.len()) {
            let one = self.random.random_range(0..self.reader.receipts.len());
            self.reader.receipts.swap_remove(one).acknowledge();
        }
    }

    fn step(&mut self) -> Result<()> {
        self.reader.acknowledges = self.random.random_bool(0.5);
        self.reader.room = self.random.random_range(0..100);
        let kind = self.random.random_range(0..100);
        self.done.push(format!("{kind}@{}", self.written));
        match kind {
            0..30 => self.write()?,
            30..50 => _ = self.reader.poll()?,
            50..58 => self.acknowledge(),
            58..66 => self.reader.save()?,
            66..74 => self.reader.kill(),
            74..82 => self.rename()?,
            82..88 => self.copy_and_truncate()?,
            88..92 => self.compress()?,
            92..96 => self.write_to_former()?,
            _ => {
                // A line that its writer never ends is one when its file is let go.
                self.finish_line()?;
                self.reader.now += ROTATE_WAIT;
            }
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        self.finish_line()?;
        self.reader.room = usize::MAX;
        self.reader.acknowledges = true;
        self.reader.drain_all()?;
        ensure!(
            self.reader.notes.iter().all(|note| note.contains(".gz")),
            "{:?}",
            self.reader.notes
        );
        let mut texts: HashMap<&str, &str> = HashMap::new();
        let mut counted: HashSet<u64> = HashSet::new();
        let mut last: HashMap<u64, u64> = HashMap::new();
        for line in &self.reader.lines {
            let text = texts.entry(&line.event_id).or_insert(&line.text);
            ensure!(*text == line.text, "one identity for {text} and {}", line.text);
        }
        let mut known: HashSet<&str> = HashSet::new();
        for line in self
            .reader
            .lines
            .iter()
            .filter(|line| known.insert(&line.event_id))
        {
            if line.text.contains("banner") {
                continue;
            }
            let value: serde_json::Value =
                serde_json::from_str(&line.text).with_context(|| line.text.clone())?;
            let (log, n) = (
                value["log"].as_u64().context("log")?,
                value["n"].as_u64().context("n")?,
            );
            ensure!(counted.insert(n), "line {n} of log {log} has two identities");
            let before = last.insert(log, n).unwrap_or(0);
            ensure!(before < n, "line {n} of log {log} came after {before}");
        }
        let missing: Vec<u64> = (1..=self.written).filter(|n| !counted.contains(n)).collect();
        ensure!(
            missing.is_empty(),
            "of {} lines these are missing: {missing:?}",
            self.written
        );
        Ok(())
    }
}

#[test]
fn every_line_comes_once_and_in_order_whatever_is_done_to_files_and_follower() -> Result<()> {
    let (first, seeds) = (number("KAIZEN_CHAOS_SEED", 1), number("KAIZEN_CHAOS_ROUNDS", 40));
    let (mut lines, mut handed_over) = (0, 0);
    for seed in first..first + seeds {
        let mut chaos = Chaos::new(seed)?;
        let all = (0..STEPS)
            .try_for_each(|_| chaos.step())
            .and_then(|()| chaos.check());
        all.with_context(|| format!("seed {seed}: {}", chaos.done.join(" ")))?;
        lines += chaos.written;
        handed_over += chaos.reader.lines.len();
    }
    println!("{seeds} seeds from {first}: {lines} lines, handed over {handed_over} times");
    Ok(())
}
