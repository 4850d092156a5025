//! Which files there are: those the patterns name, and those beside a log that has lost its file.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::FollowError;
use super::content::{FileId, Look};

/// A file that is there.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) look: Look,
}

/// Checks the patterns.
pub(super) fn check(patterns: &[String]) -> Result<(), FollowError> {
    for pattern in patterns {
        glob::Pattern::new(pattern).map_err(|source| FollowError::Pattern {
            pattern: pattern.clone(),
            source,
        })?;
    }
    Ok(())
}

/// Every regular file the patterns name, each once; what cannot be read goes to `failed`.
pub(super) fn find(patterns: &[String], failed: &mut impl FnMut(&Path, String)) -> Vec<Found> {
    let mut found: BTreeMap<FileId, Found> = BTreeMap::new();
    for pattern in patterns {
        // A file's own name may hold what patterns use as signs.
        if Path::new(pattern).is_file() {
            add(&mut found, PathBuf::from(pattern), failed);
            continue;
        }
        // They were checked.
        let Ok(paths) = glob::glob(pattern) else { continue };
        for path in paths {
            match path {
                Ok(path) => add(&mut found, path, failed),
                Err(error) => failed(error.path(), error.error().to_string()),
            }
        }
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn add(found: &mut BTreeMap<FileId, Found>, path: PathBuf, failed: &mut impl FnMut(&Path, String)) {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => {
            let look = Look::of(&metadata);
            found.entry(look.id).or_insert(Found { path, look });
        }
        Ok(_) => {}
        // It was moved since it was listed; it is found under its new name.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => failed(&path, error.to_string()),
    }
}

/// Files whose names begin as those of `logs` do, in the same folders: where rotation puts what it moves, copies or
/// compresses, also where no pattern looks.
pub(super) fn beside<'a>(logs: impl Iterator<Item = &'a Path>, known: &HashSet<FileId>) -> Vec<Found> {
    let mut stems: BTreeMap<&Path, BTreeSet<String>> = BTreeMap::new();
    for log in logs {
        let (Some(folder), Some(name)) = (log.parent(), log.file_name()) else {
            continue;
        };
        let name = name.to_string_lossy();
        let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or(&name);
        stems.entry(folder).or_default().insert(stem.to_owned());
    }
    let mut found = Vec::new();
    for (folder, stems) in stems {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        // A folder that is gone holds nothing.
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !stems
                .iter()
                .any(|stem| name.trim_start_matches('.').starts_with(stem.as_str()))
            {
                continue;
            }
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
            {
                let look = Look::of(&metadata);
                if !known.contains(&look.id) {
                    found.push(Found {
                        path: entry.path(),
                        look,
                    });
                }
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}
