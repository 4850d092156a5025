//! Makes the engine forget blocks that a crash has kept from becoming parts. The engine notes a block in its table's
//! `deduplication_logs` before it puts the part in its place (`MergeTreeSink`, version 26.5): killed in between, it would take
//! every repetition of the insert for a duplicate of rows that are nowhere. A block whose part is in no folder of the
//! table, neither as it was nor merged with others, is such a one (or removed by hand or as too old: then forgetting is
//! as well). Done before the engine opens the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

const LOGS: &str = "deduplication_logs";
/// First field of a line that adds a block: operation, part, block, separated by tabs.
const ADDED: &str = "1";

/// A log that cannot be read or rewritten.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// Takes the blocks without a part out of the logs of all tables below the data folder; returns how many.
///
/// # Errors
/// A folder or a log cannot be read, or a log cannot be written.
pub fn forget_lost_blocks(folder: &Path) -> Result<usize, LogError> {
    let mut forgotten = 0;
    // Tables are in store/XXX/UUID.
    for table in children(&folder.join("store"))?.iter().map(|it| children(it)) {
        for table in table? {
            let logs = children(&table.join(LOGS))?;
            if logs.is_empty() {
                continue;
            }
            let parts = Parts::of(&children(&table)?);
            for log in logs {
                let failed = |source| LogError {
                    path: log.clone(),
                    source,
                };
                forgotten += rewrite(&log, &parts).map_err(failed)?;
            }
        }
    }
    Ok(forgotten)
}

/// What is in a folder; nothing when there is no such folder.
fn children(folder: &Path) -> Result<Vec<PathBuf>, LogError> {
    let read = || -> io::Result<Vec<_>> { fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect() };
    match read() {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        read => read.map_err(|source| LogError {
            path: folder.to_owned(),
            source,
        }),
    }
}

fn rewrite(log: &Path, parts: &Parts) -> io::Result<usize> {
    let text = fs::read_to_string(log)?;
    let (kept, lost): (Vec<&str>, Vec<&str>) = text.split_inclusive('\n').partition(|line| {
        let mut fields = line.split('\t');
        let added = fields.next() == Some(ADDED);
        !added
            || fields
                .next()
                .and_then(Part::parse)
                .is_none_or(|part| parts.have(part))
    });
    if lost.is_empty() {
        return Ok(0);
    }
    let mut new = NamedTempFile::new_in(log.parent().unwrap_or(Path::new(".")))?;
    for line in kept {
        new.write_all(line.as_bytes())?;
    }
    new.as_file().set_permissions(fs::metadata(log)?.permissions())?;
    new.as_file().sync_all()?;
    new.persist(log)?;
    Ok(lost.len())
}

/// Blocks of one partition that a part holds, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part<'a> {
    partition: &'a str,
    first: u64,
    last: u64,
}

impl<'a> Part<'a> {
    /// `PARTITION_FIRST_LAST_LEVEL[_MUTATION]`; partitions have no underscore.
    fn parse(name: &'a str) -> Option<Self> {
        let mut fields = name.split('_');
        let partition = fields.next()?;
        let mut number = || fields.next()?.parse().ok();
        let (first, last, _level): (u64, u64, u64) = (number()?, number()?, number()?);
        Some(Self {
            partition,
            first,
            last,
        })
    }
}

/// The parts of a table: of each partition the blocks that they hold.
struct Parts(BTreeMap<String, Vec<(u64, u64)>>);

impl Parts {
    fn of(folders: &[PathBuf]) -> Self {
        let mut parts: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let names = folders.iter().filter_map(|folder| folder.file_name()?.to_str());
        for part in names.filter_map(Part::parse) {
            let blocks = parts.entry(part.partition.to_owned()).or_default();
            blocks.push((part.first, part.last));
        }
        Self(parts)
    }

    fn have(&self, part: Part<'_>) -> bool {
        let blocks = self.0.get(part.partition).into_iter().flatten();
        blocks
            .into_iter()
            .any(|(first, last)| *first <= part.first && part.last <= *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_forgotten_whose_part_is_nowhere_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("store/abc/uuid");
        for part in [
            "202611_1_4_2",
            "202611_6_6_0_9",
            "detached",
            "tmp_insert_202611_7_7_0",
            LOGS,
        ] {
            fs::create_dir_all(table.join(part)).unwrap();
        }
        fs::create_dir_all(folder.path().join("store/abc/memory")).unwrap();
        fs::write(folder.path().join("store/file"), "").unwrap();
        let log = table.join(LOGS).join("deduplication_log_1.txt");
        let kept = "1\t202611_3_3_0\ta\n1\t202611_6_6_0\tb\n2\t202611_5_5_0\tc\n1\tstrange\td\n";
        fs::write(&log, format!("{kept}1\t202611_7_7_0\te\n1\t202612_1_1_0\tf\n")).unwrap();
        assert_eq!(forget_lost_blocks(folder.path()).unwrap(), 2);
        assert_eq!(fs::read_to_string(&log).unwrap(), kept);
        assert_eq!(forget_lost_blocks(folder.path()).unwrap(), 0);
        assert_eq!(forget_lost_blocks(&folder.path().join("none")).unwrap(), 0);
    }
}
