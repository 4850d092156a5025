//! The slices of a cube that deviate from what was expected.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use csv::StringRecord;
use kaizen_stats::{
    Cube, DeviatingSlice, Measured, MeasuredRatio, find_deviating_ratios, find_deviating_slices,
};
use serde::Serialize;

use crate::output::json;

/// What is printed.
#[derive(Debug, Serialize)]
struct Findings {
    culprits: Vec<Culprit>,
}

#[derive(Debug, Serialize)]
struct Culprit {
    slice: BTreeMap<String, String>,
    actual: f64,
    expected: f64,
    effect: f64,
    interval: [f64; 2],
}

impl From<DeviatingSlice> for Culprit {
    fn from(found: DeviatingSlice) -> Self {
        Self {
            slice: found.slice.into_iter().collect(),
            actual: found.actual,
            expected: found.expected,
            effect: found.effect,
            interval: [found.interval.0, found.interval.1],
        }
    }
}

/// Finds them in a file.
pub fn run(path: &Path) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("--cube {}", path.display()))?;
    let found = find(file).with_context(|| format!("--cube {}", path.display()))?;
    json(&Findings {
        culprits: found.into_iter().map(Culprit::from).collect(),
    })
}

const ACTUAL: &str = "actual";
const ACTUAL_TOTAL: &str = "actual_total";
const EXPECTED: &str = "expected";
const EXPECTED_TOTAL: &str = "expected_total";

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(
        "line 1: column `{0}` is missing; the columns are dimensions and actual,expected, or for a ratio actual,actual_total,expected,expected_total"
    )]
    Missing(&'static str),
    #[error("line 1: column `{0}` comes twice; each column has a name of its own")]
    Twice(String),
    #[error("line 1: there is no dimension; at least one column besides the numbers is needed")]
    NoDimension,
    #[error("line {line}, column `{column}`: `{value}` is not allowed; a finite number{rule} is needed")]
    Number {
        line: u64,
        column: String,
        value: String,
        rule: &'static str,
    },
    #[error("line {line}: {found} values; one for each of the {expected} columns of line 1 is needed")]
    Width {
        line: u64,
        found: usize,
        expected: usize,
    },
    #[error(transparent)]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Cube(#[from] kaizen_stats::NotOfTheCube),
}

fn find(file: impl Read) -> Result<Vec<DeviatingSlice>, Refused> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(file);
    let columns = Columns::of(reader.headers()?)?;
    let dimensions = columns.dimensions.iter().map(|at| columns.names[*at].as_str());
    if let Some((actual_total, expected_total)) = columns.totals {
        let mut cube = Cube::new(dimensions);
        columns.read(&mut reader, |record, values| {
            let cell = MeasuredRatio {
                actual: columns.number(record, columns.actual, false)?,
                actual_total: columns.number(record, actual_total, true)?,
                expected: columns.number(record, columns.expected, false)?,
                expected_total: columns.number(record, expected_total, true)?,
            };
            Ok(cube.add(values, cell)?)
        })?;
        Ok(find_deviating_ratios(&cube))
    } else {
        let mut cube = Cube::new(dimensions);
        columns.read(&mut reader, |record, values| {
            let cell = Measured {
                actual: columns.number(record, columns.actual, false)?,
                expected: columns.number(record, columns.expected, false)?,
            };
            Ok(cube.add(values, cell)?)
        })?;
        Ok(find_deviating_slices(&cube))
    }
}

/// Which column is what.
struct Columns {
    names: Vec<String>,
    dimensions: Vec<usize>,
    actual: usize,
    expected: usize,
    /// Of a ratio.
    totals: Option<(usize, usize)>,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, Refused> {
        let names: Vec<String> = header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').to_owned())
            .collect();
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(Refused::Twice(name.clone()));
            }
        }
        let find = |name: &str| names.iter().position(|column| column == name);
        let needed = |name: &'static str| find(name).ok_or(Refused::Missing(name));
        let (actual, expected) = (needed(ACTUAL)?, needed(EXPECTED)?);
        let totals = match (find(ACTUAL_TOTAL), find(EXPECTED_TOTAL)) {
            (None, None) => None,
            (Some(actual), Some(expected)) => Some((actual, expected)),
            (None, Some(_)) => return Err(Refused::Missing(ACTUAL_TOTAL)),
            (Some(_), None) => return Err(Refused::Missing(EXPECTED_TOTAL)),
        };
        let numbers = [ACTUAL, ACTUAL_TOTAL, EXPECTED, EXPECTED_TOTAL];
        let dimensions: Vec<usize> = (0..names.len())
            .filter(|at| !numbers.contains(&names[*at].as_str()))
            .collect();
        if dimensions.is_empty() {
            return Err(Refused::NoDimension);
        }
        Ok(Self {
            names,
            dimensions,
            actual,
            expected,
            totals,
        })
    }

    /// Hands over each line and its values in the dimensions.
    fn read(
        &self,
        reader: &mut csv::Reader<impl Read>,
        mut add: impl FnMut(&StringRecord, &[&str]) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut record = StringRecord::new();
        while reader.read_record(&mut record)? {
            if record.len() != self.names.len() {
                return Err(Refused::Width {
                    line: line(&record),
                    found: record.len(),
                    expected: self.names.len(),
                });
            }
            let values: Vec<&str> = self.dimensions.iter().map(|at| &record[*at]).collect();
            add(&record, &values)?;
        }
        Ok(())
    }

    fn number(&self, record: &StringRecord, at: usize, positive: bool) -> Result<f64, Refused> {
        let number = record[at].parse::<f64>().ok().filter(|number| number.is_finite());
        number
            .filter(|number| !positive || *number >= 0.0)
            .ok_or_else(|| Refused::Number {
                line: line(record),
                column: self.names[at].clone(),
                value: record[at].to_owned(),
                rule: if positive { " of 0 or more" } else { "" },
            })
    }
}

fn line(record: &StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}
