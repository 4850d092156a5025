//! Whose content is it? A file that is found holds a log that is known, a copy of one, or a new one.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::checkpoint::Saved;
use super::content::{Beginning, Content, FileId, Look};
use super::find::{Found, beside, find};
use super::fingerprint::{Mark, Tail, digest};
use super::log::Log;
use super::{Follower, elapsed, seconds};

/// A file that may become the copy of a log that has no file any more is given so long to become one.
const COPYING: Duration = Duration::from_secs(10);
/// Times in checkpoints, so that one of idle logs stays the same.
const COARSE: u64 = 3600;

/// A file that need not be opened again while it looks the same.
pub(super) struct Settled {
    look: Look,
    since: SystemTime,
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// All it holds was handed over as that log.
    Done(u64),
    /// It holds what that log, which has a file, holds too.
    CopyOf(u64),
    /// No pattern names it, and none of the logs that had lost their files by then is in it.
    Unrelated(u64),
    /// It cannot be read, or is still being compressed.
    Unreadable,
    /// What is in it can be read no further, and that was told.
    Broken,
    /// Its first line is not complete, or it may become the copy of a log.
    Awaited,
}

/// How a file's content compares with a log.
enum Likeness {
    /// It holds the log, which has no file.
    Same(Tail),
    /// It holds what the log's own file holds, too.
    Copy,
    Other,
    /// As far as it goes it could be the log's.
    Shorter,
}

impl Follower {
    /// Finds the file of each log and the logs of new files.
    pub(super) fn attach(&mut self, now: SystemTime) {
        let mut failed = Vec::new();
        let named = find(&self.options.patterns, &mut |path, why| {
            failed.push((path.to_owned(), why));
        });
        for (path, why) in failed {
            self.note(&path, why);
        }
        self.recognise(&named, now);
        self.open = (self.logs.values().filter(|log| log.content.is_some()))
            .filter_map(|log| Some(log.file?.id))
            .collect();
        // Each log's own file first, wherever it is, so that none takes its place.
        for file in &named {
            self.reclaim(file, now);
        }
        let mut known: HashSet<FileId> = named.iter().map(|file| file.look.id).collect();
        known.extend(&self.open);
        let lost = self.logs.values().filter(|log| log.content.is_none());
        let beside = beside(
            lost.flat_map(|log| [log.path.as_path(), log.source.as_path()]),
            &known,
        );
        for file in &beside {
            self.reclaim(file, now);
        }
        for file in &named {
            self.inspect(file, true, now);
        }
        for file in &beside {
            self.inspect(file, false, now);
        }
        known.extend(beside.iter().map(|file| file.look.id));
        self.settled.retain(|id, _| known.contains(id));
    }

    /// Logs that hold on to their files: where those are now, and whether they still are what they were.
    fn recognise(&mut self, named: &[Found], now: SystemTime) {
        let named: HashMap<FileId, &Found> = named.iter().map(|file| (file.look.id, file)).collect();
        let mut replaced = Vec::new();
        for (key, log) in &mut self.logs {
            let (Some(look), true) = (log.file, log.content.is_some()) else {
                continue;
            };
            log.seen = seconds(now) / COARSE * COARSE;
            match named.get(&look.id) {
                Some(file) => {
                    log.gone = None;
                    if log.path != file.path {
                        log.path.clone_from(&file.path);
                    }
                }
                None => _ = log.gone.get_or_insert(now),
            }
            // One that cannot be read is told when it is read.
            if !log.is_intact().unwrap_or(true) {
                replaced.push(*key);
            }
        }
        for key in replaced {
            self.lose(key);
        }
    }

    /// The log that the file held before, if it still does.
    fn reclaim(&mut self, file: &Found, now: SystemTime) {
        let id = file.look.id;
        if self.open.contains(&id) || self.is_settled_as(file, now) {
            return;
        }
        let its = |log: &Log| log.content.is_none() && log.file.is_some_and(|look| look.id == id);
        let Some(key) = self.logs.iter().find(|(_, log)| its(log)).map(|(key, _)| *key) else {
            return;
        };
        match self.hold(key, file) {
            Ok(true) => {}
            Ok(false) => {
                if let Some(log) = self.logs.get_mut(&key) {
                    log.lose();
                }
                self.losses += 1;
            }
            Err(error) => self.fail(&file.path, file.look, &error, now),
        }
    }

    fn hold(&mut self, key: u64, file: &Found) -> io::Result<bool> {
        let Some(log) = self.logs.get_mut(&key) else {
            return Ok(false);
        };
        let mut content = Content::open(&file.path)?;
        let look = content.look()?;
        if look.id != file.look.id {
            // Another file by now; the next poll finds both.
            return Ok(true);
        }
        if log.finished && log.file == Some(look) {
            let verdict = Verdict::Done(key);
            self.settle_as(look, verdict, SystemTime::UNIX_EPOCH);
            return Ok(true);
        }
        let beginning = content.beginning()?;
        if beginning.and_then(|beginning| beginning.is(&log.head)) != Some(true) {
            return Ok(false);
        }
        let Some(tail) = content.shows(&log.read.tail, log.read.offset)? else {
            return Ok(false);
        };
        log.attach(content, look, file.path.clone(), tail);
        self.open.insert(look.id);
        Ok(true)
    }

    /// Decides about a file that holds no log it is known for; only one that a pattern names may be a new log.
    fn inspect(&mut self, file: &Found, named: bool, now: SystemTime) {
        if self.open.contains(&file.look.id) || self.is_settled_as(file, now) {
            return;
        }
        if let Err(error) = self.decide(file, named, now) {
            self.fail(&file.path, file.look, &error, now);
        }
    }

    fn decide(&mut self, file: &Found, named: bool, now: SystemTime) -> io::Result<()> {
        let mut content = Content::open(&file.path)?;
        let look = content.look()?;
        if look.id != file.look.id {
            return Ok(());
        }
        let Some(beginning) = content.beginning()? else {
            self.settle_as(look, Verdict::Awaited, now);
            return Ok(());
        };
        let line = beginning.line();
        let similar = |log: &Log| {
            log.line == line && beginning.is(&log.head) != Some(false) && log.truncated != Some(look.id)
        };
        let similar: Vec<u64> = (self.logs.iter())
            .filter(|(_, log)| similar(log) && (named || log.content.is_none()))
            .map(|(key, _)| *key)
            .collect();
        let mut shorter = false;
        for key in similar {
            match self.compare(key, &mut content)? {
                Likeness::Other => {}
                Likeness::Shorter => shorter = true,
                Likeness::Copy => {
                    self.settle_as(look, Verdict::CopyOf(key), now);
                    return Ok(());
                }
                Likeness::Same(tail) => {
                    if let Some(log) = self.logs.get_mut(&key) {
                        log.attach(content, look, file.path.clone(), tail);
                        self.open.insert(look.id);
                    }
                    return Ok(());
                }
            }
        }
        if !named {
            self.settle_as(look, Verdict::Unrelated(self.losses), now);
            return Ok(());
        }
        let since = self.settled.get(&look.id).map_or(now, |settled| settled.since);
        if shorter && elapsed(since, now) < COPYING {
            self.settle_as(look, Verdict::Awaited, now);
            return Ok(());
        }
        self.begin(&beginning, content, look, file.path.clone(), now);
        Ok(())
    }

    fn compare(&mut self, key: u64, content: &mut Content) -> io::Result<Likeness> {
        let Some(log) = self.logs.get_mut(&key) else {
            return Ok(Likeness::Other);
        };
        if let Some(own) = &mut log.content {
            // This order: a copy is never longer than what it is a copy of was later.
            let (end, tail) = content.end()?;
            let is_copy = end <= own.end()?.0 && own.shows(&tail, end)?.is_some();
            if is_copy {
                return Ok(Likeness::Copy);
            }
            // Last: had the log's file been truncated meanwhile, it would show now.
            if log.is_intact()? {
                return Ok(Likeness::Other);
            }
            self.open.retain(|id| log.file.is_none_or(|look| look.id != *id));
            log.lose();
            self.losses += 1;
        }
        let is_shorter = content.shows(&log.head, log.head.length as u64)?.is_none();
        if is_shorter {
            Ok(Likeness::Shorter)
        } else if let Some(tail) = content.shows(&log.read.tail, log.read.offset)? {
            Ok(Likeness::Same(tail))
        } else if content.end()?.0 < log.read.offset {
            Ok(Likeness::Shorter)
        } else {
            Ok(Likeness::Other)
        }
    }

    /// A new log. Its identity follows from where it is and how it begins, so that it is the same if the checkpoint is
    /// lost; of two that would be the same, the later one is told apart.
    fn begin(&mut self, beginning: &Beginning, content: Content, look: Look, path: PathBuf, now: SystemTime) {
        let host = rustix::system::uname();
        let line = beginning.line();
        let id = |again: u64| {
            digest([
                host.nodename().to_bytes(),
                &look.id.device.to_le_bytes(),
                &look.id.inode.to_le_bytes(),
                line.digest.as_bytes(),
                &again.to_le_bytes(),
            ])
        };
        let is_new = |id: &String| self.logs.values().all(|log| log.id != *id);
        let Some(id) = (0..).map(id).find(is_new) else {
            return;
        };
        let mut log = Log::of(Saved {
            id,
            source: path.clone(),
            path: path.clone(),
            file: Some(look),
            finished: false,
            head: beginning.head(u64::MAX),
            line,
            acknowledged: Mark::beginning(),
            seen: seconds(now) / COARSE * COARSE,
        });
        log.attach(content, look, path, Tail::default());
        self.open.insert(look.id);
        self.logs.insert(self.next, log);
        self.next += 1;
        self.unsaved = true;
    }

    fn is_settled_as(&mut self, file: &Found, now: SystemTime) -> bool {
        let Some(settled) = self.settled.get(&file.look.id).filter(|it| it.look == file.look) else {
            return false;
        };
        match settled.verdict {
            Verdict::Done(key) => self.logs.get_mut(&key).is_some_and(|log| {
                log.seen = seconds(now) / COARSE * COARSE;
                true
            }),
            Verdict::CopyOf(key) => self.logs.get(&key).is_some_and(|log| log.content.is_some()),
            Verdict::Unrelated(losses) => losses == self.losses,
            Verdict::Unreadable | Verdict::Awaited => elapsed(settled.since, now) < COPYING,
            Verdict::Broken => true,
        }
    }

    fn settle_as(&mut self, look: Look, verdict: Verdict, now: SystemTime) {
        let since = match self.settled.get(&look.id) {
            Some(before) if before.verdict == verdict => before.since,
            _ => now,
        };
        self.settled.insert(look.id, Settled { look, since, verdict });
    }

    /// A file that cannot be read is looked at again after a while; one whose content is broken, when it changes. What is
    /// cut off may still be being written, unless it stays like that.
    fn fail(&mut self, path: &Path, look: Look, error: &io::Error, now: SystemTime) {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        let is_content = matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput | Other);
        let before = self.settled.get(&look.id);
        let again = before.is_some_and(|it| it.look == look && it.verdict == Verdict::Unreadable);
        let verdict = if is_content && again {
            Verdict::Broken
        } else {
            Verdict::Unreadable
        };
        if again || !is_content {
            self.note(path, error.to_string());
        }
        let settled = Settled {
            look,
            since: now,
            verdict,
        };
        self.settled.insert(look.id, settled);
    }

    /// The log's file holds another one now.
    pub(super) fn lose(&mut self, key: u64) {
        if let Some(log) = self.logs.get_mut(&key) {
            log.lose();
            self.losses += 1;
        }
    }

    /// The log's file has no more to give.
    pub(super) fn close(&mut self, key: u64) {
        if let Some(look) = self.logs.get_mut(&key).and_then(Log::close) {
            self.settle_as(look, Verdict::Done(key), SystemTime::UNIX_EPOCH);
            self.losses += 1;
        }
    }

    /// The log's file cannot be read on for now.
    pub(super) fn interrupt(&mut self, key: u64, error: &io::Error, now: SystemTime) {
        let Some(log) = self.logs.get_mut(&key) else {
            return;
        };
        let look = log
            .content
            .take()
            .and_then(|content| content.look().ok())
            .or(log.file);
        let path = log.path.clone();
        self.losses += 1;
        match look {
            Some(look) => self.fail(&path, look, error, now),
            None => self.note(&path, error.to_string()),
        }
    }
}
