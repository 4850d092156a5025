//! Tables on the terminal, in `docs/statistics.md` between the marks of their row, and all figures in `docs/statistics.json`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::estimate::Estimate;
use crate::rows::Row;
use crate::thresholds::{Threshold, Thresholds, Verdict};

/// A row with its figures.
pub struct Scored<'a> {
    /// Which one.
    pub row: &'a Row,
    /// Its figures, the methods from PyPI among them.
    pub cells: Vec<Cell>,
    /// How many seeds it rests on.
    pub seeds: usize,
}

/// A row as `docs/statistics.json` has it.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    title: String,
    seeds: usize,
    cells: Vec<RecordedCell>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RecordedCell {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<f64>,
    kaizen: Estimate,
    others: Vec<(String, Estimate)>,
}

impl Scored<'_> {
    /// The table in Markdown.
    pub fn table(&self, thresholds: &Thresholds) -> Result<String> {
        let mut methods: Vec<&str> = Vec::new();
        for (method, _) in self.cells.iter().flat_map(|cell| &cell.others) {
            if !methods.contains(&method.as_str()) {
                methods.push(method);
            }
        }
        let mut text = format!("{} seeds.\n\n| | target | Kaizen | |", self.seeds);
        methods
            .iter()
            .try_for_each(|method| write!(text, " {method} |"))?;
        write!(text, "\n|---|---|---|---|{}", "---|".repeat(methods.len()))?;
        for cell in &self.cells {
            let threshold = thresholds.of(self.row.number, &cell.name);
            let (target, verdict) = (
                threshold.map_or_else(String::new, target),
                judge(threshold, &cell.kaizen),
            );
            write!(
                text,
                "\n| {} | {target} | {} | {} |",
                cell.name,
                shown(&cell.kaizen),
                said(&verdict)
            )?;
            for method in &methods {
                let found = cell.others.iter().find(|(name, _)| name == method);
                write!(
                    text,
                    " {} |",
                    found.map_or_else(|| "–".to_owned(), |(_, it)| shown(it))
                )?;
            }
        }
        text.push('\n');
        for cell in &self.cells {
            let threshold = thresholds.of(self.row.number, &cell.name);
            if let (Some(because), Verdict::KnownMiss(_)) = (
                threshold.and_then(|it| it.because.as_ref()),
                judge(threshold, &cell.kaizen),
            ) {
                write!(text, "\n{}: {because}\n", cell.name)?;
            }
        }
        Ok(text)
    }

    /// Cells that miss their target beyond chance without that being known, and targets of cells that are not there.
    pub fn failures(&self, thresholds: &Thresholds) -> Vec<String> {
        let number = self.row.number;
        let missed = self.cells.iter().filter_map(|cell| {
            match judge(thresholds.of(number, &cell.name), &cell.kaizen) {
                Verdict::Missed(by) => Some(format!("row {number}, {}: missed by {}", cell.name, digits(by))),
                _ => None,
            }
        });
        let gone = thresholds
            .names(number)
            .filter(|name| self.cells.iter().all(|cell| cell.name != *name))
            .map(|name| format!("row {number}, {name}: has a target and no figure"));
        missed.chain(gone).collect()
    }

    /// Puts the table into the document and the figures into the file beside it.
    ///
    /// # Errors
    /// A file cannot be read or written, or the marks of the row are missing.
    pub fn write(&self, thresholds: &Thresholds) -> Result<()> {
        let document = docs("statistics.md");
        let text = fs::read_to_string(&document).with_context(|| document.display().to_string())?;
        let name = format!("row {}", self.row.number);
        let text = between(&text, &name, &self.table(thresholds)?)
            .with_context(|| format!("{}: no marks of {name}", document.display()))?;
        fs::write(&document, text).with_context(|| document.display().to_string())?;
        self.record(thresholds)
    }

    fn record(&self, thresholds: &Thresholds) -> Result<()> {
        let mut records = records()?;
        let cell = |cell: &Cell| {
            let threshold = thresholds.of(self.row.number, &cell.name);
            RecordedCell {
                name: cell.name.clone(),
                at_most: threshold.and_then(|it| it.at_most),
                at_least: threshold.and_then(|it| it.at_least),
                kaizen: rounded(cell.kaizen),
                others: cell
                    .others
                    .iter()
                    .map(|(method, it)| (method.clone(), rounded(*it)))
                    .collect(),
            }
        };
        let record = Record {
            title: self.row.title.to_owned(),
            seeds: self.seeds,
            cells: self.cells.iter().map(cell).collect(),
        };
        records.insert(self.row.number, record);
        let mut text = serde_json::to_string_pretty(&records)?;
        text.push('\n');
        let path = docs("statistics.json");
        fs::write(&path, text).with_context(|| path.display().to_string())
    }
}

/// What `docs/statistics.json` has of a row: its figures as they were found, to be judged by other thresholds.
///
/// # Errors
/// The file cannot be read, or is not one of these.
pub fn recorded(row: &Row) -> Result<Option<Scored<'_>>> {
    Ok(records()?.remove(&row.number).map(|record| Scored {
        row,
        seeds: record.seeds,
        cells: record
            .cells
            .into_iter()
            .map(|cell| Cell {
                others: cell.others,
                ..Cell::new(cell.name, cell.kaizen)
            })
            .collect(),
    }))
}

fn records() -> Result<BTreeMap<u8, Record>> {
    let path = docs("statistics.json");
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn judge(threshold: Option<&Threshold>, found: &Estimate) -> Verdict {
    threshold.map_or(Verdict::NoTarget, |threshold| threshold.judge(found))
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

fn target(threshold: &Threshold) -> String {
    match (threshold.at_most, threshold.at_least) {
        (Some(most), Some(least)) => format!("{least}–{most}"),
        (Some(most), _) => format!("≤ {most}"),
        (_, Some(least)) => format!("≥ {least}"),
        _ => String::new(),
    }
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::NoTarget => String::new(),
        Verdict::Reached => "reached".to_owned(),
        Verdict::WithinChance => "within chance".to_owned(),
        Verdict::KnownMiss(by) => format!("missed by {}, known", digits(*by)),
        Verdict::Missed(by) => format!("**missed by {}**", digits(*by)),
    }
}

fn shown(estimate: &Estimate) -> String {
    if estimate.trials == 0 {
        return digits(estimate.value);
    }
    let (low, high) = estimate.interval;
    format!("{} ({}–{})", digits(estimate.value), digits(low), digits(high))
}

/// Three decimals of a share, fewer of larger numbers.
fn digits(number: f64) -> String {
    match number.abs() {
        _ if !number.is_finite() => "–".to_owned(),
        size if size < 10.0 => format!("{number:.3}"),
        size if size < 100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// Six decimals: what differs after them is no difference.
fn rounded(estimate: Estimate) -> Estimate {
    let round = |number: f64| (number * 1e6).round() / 1e6;
    Estimate {
        value: round(estimate.value),
        interval: (round(estimate.interval.0), round(estimate.interval.1)),
        trials: estimate.trials,
    }
}

/// The document with the text between the marks of the name.
fn between(document: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- score: {name} -->"), format!("<!-- end: {name} -->"));
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n{end}{after}", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_of_the_row_changes() {
        let document = "# A\n<!-- score: row 1 -->\nold\n<!-- end: row 1 -->\nprose\n";
        let new = between(document, "row 1", "new\n").unwrap();
        assert_eq!(
            new,
            "# A\n<!-- score: row 1 -->\nnew\n<!-- end: row 1 -->\nprose\n"
        );
        assert_eq!(between(document, "row 2", ""), None);
    }

    #[test]
    fn every_row_has_its_place_in_the_document() {
        let document = fs::read_to_string(docs("statistics.md")).unwrap();
        for row in crate::rows::ROWS {
            let title = format!("## {}. {}\n", row.number, row.title);
            assert!(document.contains(&title), "{title}");
            assert!(
                between(&document, &format!("row {}", row.number), "").is_some(),
                "{title}"
            );
        }
    }

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0.0641, "0.064"),
            (13.26, "13.3"),
            (240.4, "240"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(digits(number), text);
        }
    }
}
