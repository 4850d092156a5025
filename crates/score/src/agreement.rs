//! Seeds of the rows as decisions that can go through Kafka, the collector and the engine, and what they come to without: the
//! two must agree.
//!
//! ```text
//! seed ─┬─► decisions ─► Kafka ─► collector ─► engine ─► queries ─┬─► findings
//!       └─► counts, or the series itself ─► [memory] ─────────────┴─► findings ([run], [Tenant::found])
//! ```
//!
//! Each seed is a [`Tenant`]: a component of its own in one catalogue, so that one broker, one collector and one engine serve
//! them all. Rows about the simulated fleet ([fleet]) are its decisions. Rows about plain series ([series]) have none: each of
//! their values is given [`series::TIMES`] decisions whose mean it is, by a measure that the catalogue declares.

mod fleet;
mod found;
mod memory;
mod run;
mod series;

use std::collections::HashSet;
use std::fmt;

use anyhow::{Context, Result};
use jiff::Timestamp;
use kaizen_catalogue::{Catalogue, Component};
use kaizen_findings::{LabelCounts, MetricCube, Naming, Spans};
use kaizen_stats::Predicted;
use serde::Deserialize;
use serde_yaml_ng::Value;

use crate::generate::labels::LabelTally;
use fleet::Fleet;
use series::Series;

pub use memory::Memory;
pub use run::{Of, Run, run};
pub use series::Step;

const HOUR: i64 = 3_600;
const WEEK: usize = 168;
/// Monday 19 January 2026: all seeds end here.
const END: i64 = 1_768_780_800;
/// The past that a run sees, in hours: thirteen weeks.
const PAST: usize = 13 * WEEK;

/// A seed of a row as a component of its own.
pub struct Tenant {
    /// The row.
    pub row: u8,
    /// The seed.
    pub seed: u64,
    /// Name and `log_type` of the component.
    pub name: String,
    made: Made,
}

enum Made {
    Fleet(Box<Fleet>),
    Series(Series),
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}, seed {} ({})", self.row, self.seed, self.name)
    }
}

/// The seeds, at least one of every kind of row.
///
/// # Errors
/// A scenario breaks a rule.
pub fn tenants() -> Result<Vec<Tenant>> {
    let mut all = fleet::planted()?;
    all.extend(series::carried());
    Ok(all)
}

/// A catalogue of their components, as YAML.
///
/// # Errors
/// The catalogue of the repository cannot be read.
pub fn catalogue(tenants: &[Tenant]) -> Result<String> {
    let entries = tenants.iter().map(Tenant::entry).collect::<Result<Vec<_>>>()?;
    let mut file = serde_yaml_ng::Mapping::new();
    file.insert("version".into(), 1.into());
    file.insert("components".into(), Value::Sequence(entries));
    Ok(serde_yaml_ng::to_string(&file)?)
}

/// The weeks that are analysed: the last one, beside the one before.
pub fn spans() -> Spans {
    let week = WEEK as i64 * HOUR;
    Spans {
        before: (END - 2 * week, END - week),
        now: (END - week, END),
    }
}

/// The past that a run sees: first instant, and first one after.
pub fn past() -> (i64, i64) {
    (END - PAST as i64 * HOUR, END)
}

/// An instant of so many seconds since 1970.
fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

/// A decision as it is published.
pub struct Published {
    /// Key of the record.
    pub key: String,
    /// JSON in UTF-8.
    pub value: Vec<u8>,
}

/// Decisions' times of each day before and after a change, in seconds, each with the decisions that took as long.
pub type Times = [Vec<Vec<(f64, f64)>>; 2];

impl Tenant {
    fn new(row: u8, seed: u64, made: Made) -> Self {
        Self {
            row,
            seed,
            name: format!("row_{row:02}_seed_{seed}"),
            made,
        }
    }

    fn entry(&self) -> Result<Value> {
        match &self.made {
            Made::Fleet(fleet) => fleet.entry(&self.name),
            Made::Series(series) => series.entry(&self.name),
        }
    }

    /// Its decisions, in the order of time, those that are sent twice twice; and how many there are, each counted once.
    ///
    /// # Errors
    /// The catalogue of the repository cannot be read.
    pub fn decisions(&self) -> Result<(Vec<Published>, u64)> {
        match &self.made {
            Made::Fleet(fleet) => fleet.decisions(&self.name, self.seed),
            Made::Series(series) => Ok(series.decisions(&self.name)),
        }
    }

    /// What its decisions add up to, without any being made. `component` is its own in the catalogue of all.
    ///
    /// # Errors
    /// The scenario lacks the component.
    pub fn memory<'a>(&'a self, component: &'a Component) -> Result<Memory<'a>> {
        match &self.made {
            Made::Fleet(fleet) => fleet.memory(component, self.seed),
            Made::Series(series) => Ok(series.memory(component)),
        }
    }

    /// The cube that the row explains of its success rate, and how it names slices; of rows 8 and 14.
    ///
    /// # Errors
    /// The scenario lacks a dimension of the catalogue.
    pub fn cube(&self, component: &Component) -> Result<Option<(MetricCube, Naming)>> {
        match &self.made {
            Made::Fleet(fleet) if matches!(self.row, 8 | 14) => fleet.cube(component, self.seed).map(Some),
            _ => Ok(None),
        }
    }

    /// The times whose tail the row compares; of row 16.
    ///
    /// # Errors
    /// The scenario lacks the component.
    pub fn times(&self) -> Result<Option<Times>> {
        match &self.made {
            Made::Fleet(fleet) if self.row == 16 => fleet.times(self.seed).map(Some),
            _ => Ok(None),
        }
    }

    /// What the decisions state, and what came of it; of row 15.
    ///
    /// # Errors
    /// An event cannot be read.
    pub fn predicted(&self, shipped: &Catalogue) -> Result<Option<Vec<Predicted>>> {
        match &self.made {
            Made::Fleet(fleet) if self.row == 15 => fleet.predicted(self.seed, shipped).map(Some),
            _ => Ok(None),
        }
    }

    /// Decisions of the last week by their labels, each counted once.
    ///
    /// # Errors
    /// The catalogue of the repository cannot be read, or an event cannot.
    pub fn labels(&self) -> Result<[LabelCounts; 3]> {
        #[derive(Deserialize)]
        struct Identity {
            event_id: String,
            timestamp: Timestamp,
        }
        let (start, end) = spans().now;
        let mut tally = LabelTally::default();
        let mut counted = HashSet::new();
        for decision in self.decisions()?.0 {
            let it: Identity = serde_json::from_slice(&decision.value)?;
            let is_of_week = (start..end).contains(&it.timestamp.as_second());
            if is_of_week && counted.insert(it.event_id) {
                tally.add(&decision.value)?;
            }
        }
        Ok(tally.counts())
    }

    /// The metrics that the row's own methods are put to, and the step of their values; none where a run tells all.
    pub fn columns(&self) -> Option<(Vec<String>, Step)> {
        match &self.made {
            Made::Series(series) => Some((series.metrics(), series.step)),
            Made::Fleet(fleet) if fleet.is_of_impact => Some((vec!["success_rate".to_owned()], Step::Hour)),
            Made::Fleet(_) => None,
        }
    }

    /// What the row's own methods find in memory, in numbers; nothing where a run tells all.
    ///
    /// # Errors
    /// The scenario lacks the component, or the component a metric.
    pub fn expected(&self, component: &Component) -> Result<Vec<f64>> {
        let Some((names, step)) = self.columns() else {
            return Ok(Vec::new());
        };
        let memory = self.memory(component)?;
        let mut columns = Vec::new();
        for name in names {
            let metric = component.metrics.iter().find(|it| it.name == name);
            columns.push(memory.steps(metric.context(name)?, step));
        }
        self.found(&columns)
    }

    /// What the row's own methods find in the values and numbers of decisions of its metrics, step by step up to the end.
    ///
    /// # Errors
    /// There are fewer steps than the row has.
    pub fn found(&self, columns: &[Vec<(f64, f64)>]) -> Result<Vec<f64>> {
        match &self.made {
            Made::Series(series) => series.found_in(columns),
            Made::Fleet(fleet) => fleet.impact(columns),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn twenty_seeds_and_more_are_spread_over_the_rows() {
        let all = tenants().unwrap();
        let seeds: BTreeSet<u64> = all.iter().map(|it| it.seed).collect();
        assert!(seeds.len() == all.len() && seeds.len() >= 20, "{}", seeds.len());
        assert!(seeds.iter().all(|seed| *seed >= crate::seeds::FIRST));
        let rows: BTreeSet<u8> = all.iter().map(|it| it.row).collect();
        assert!(rows.len() >= 15, "{rows:?}");
        let text = catalogue(&all).unwrap();
        assert_eq!(Catalogue::parse(&text).unwrap().components().len(), all.len());
    }

    #[test]
    fn decisions_give_the_series_that_is_scored() {
        let all = tenants().unwrap();
        let catalogue = Catalogue::parse(&catalogue(&all).unwrap()).unwrap();
        for (tenant, component) in all.iter().zip(catalogue.components()) {
            let Made::Series(series) = &tenant.made else {
                continue;
            };
            let memory = tenant.memory(component).unwrap();
            for (values, metric) in series.columns.iter().zip(&component.metrics) {
                let steps = memory.steps(metric, series.step);
                let last = &steps[steps.len() - values.len()..];
                for (value, (step, n)) in values.iter().zip(last) {
                    let is_there = value.is_finite();
                    assert!(
                        if is_there {
                            (value - step).abs() < 6e-7
                        } else {
                            step.is_nan()
                        },
                        "{tenant}"
                    );
                    assert_eq!(*n > 0.0, is_there, "{tenant}");
                }
            }
        }
    }
}
