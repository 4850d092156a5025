//! The usual methods, from PyPI, on the same series: `references/score.py`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Export};
use crate::estimate::Estimate;

/// What Python is told of the series of a cell.
#[derive(Serialize)]
struct Task<'a> {
    task: &'a str,
    /// Length of each series; they follow each other in `series.f64`.
    lengths: Vec<usize>,
    parameters: &'a std::collections::BTreeMap<&'static str, f64>,
}

/// A number for each series, from one method; none where it has nothing to say.
#[derive(Deserialize)]
struct Verdicts {
    method: String,
    numbers: Vec<Option<f64>>,
}

/// Adds what the methods from PyPI come to.
///
/// # Errors
/// Python, its libraries or the folder for temporary files is missing; a method failed.
pub fn refer(cells: &mut [Cell]) -> Result<()> {
    let exports: Vec<&Export> = cells.iter().filter_map(|cell| cell.export.as_ref()).collect();
    if exports.is_empty() {
        return Ok(());
    }
    let folder = Folder::new()?;
    write(&folder.0, &exports).with_context(|| folder.0.display().to_string())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("references/run.sh");
    let status = Command::new(&script)
        .arg(&folder.0)
        .status()
        .with_context(|| script.display().to_string())?;
    ensure!(status.success(), "{}: {status}", script.display());
    let verdicts: Vec<Vec<Verdicts>> = serde_json::from_slice(&fs::read(folder.0.join("verdicts.json"))?)?;
    ensure!(
        verdicts.len() == exports.len(),
        "score.py judged {} of {} cells",
        verdicts.len(),
        exports.len()
    );
    let referred = cells.iter_mut().filter(|cell| cell.export.is_some());
    for (cell, verdicts) in referred.zip(verdicts) {
        let Some(export) = cell.export.take() else {
            continue;
        };
        for Verdicts { method, numbers } in verdicts {
            let numbers: Vec<f64> = numbers.into_iter().map(|it| it.unwrap_or(f64::NAN)).collect();
            cell.others.push((method, Estimate::of(export.kind, &numbers)));
        }
    }
    Ok(())
}

fn write(folder: &Path, exports: &[&Export]) -> Result<()> {
    let tasks: Vec<Task<'_>> = exports
        .iter()
        .map(|export| Task {
            task: export.task,
            lengths: export.series.iter().map(Vec::len).collect(),
            parameters: &export.parameters,
        })
        .collect();
    fs::write(folder.join("tasks.json"), serde_json::to_vec(&tasks)?)?;
    let mut file = std::io::BufWriter::new(fs::File::create(folder.join("series.f64"))?);
    for value in exports.iter().flat_map(|export| export.series.iter().flatten()) {
        file.write_all(&value.to_le_bytes())?;
    }
    Ok(file.flush()?)
}

/// A folder that is gone with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("kaizen-score-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        drop(fs::remove_dir_all(&self.0));
    }
}
