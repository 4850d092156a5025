//! The targets, and what is known to miss them: `thresholds.yaml`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::estimate::Estimate;

/// Every target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Reasons that several cells share, for the file's own use.
    #[serde(default, rename = "reasons")]
    _reasons: Vec<String>,
    rows: BTreeMap<u8, RowThresholds>,
}

/// The targets of a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowThresholds {
    /// Of every cell that has none of its own.
    every: Option<Threshold>,
    /// By name of the cell; a null has no target.
    #[serde(default)]
    cells: BTreeMap<String, Option<Threshold>>,
}

/// What a figure should be.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Not more than this.
    pub at_most: Option<f64>,
    /// Not less than this.
    pub at_least: Option<f64>,
    /// The target is known to be missed: what holds instead, in the place of the bound that it lies beyond.
    pub frozen: Option<f64>,
    /// Why it is missed.
    pub because: Option<String>,
}

/// Whether a target is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// There is none.
    NoTarget,
    /// It is.
    Reached,
    /// It is missed by no more than chance may do.
    WithinChance,
    /// It is missed by so much, and that is known.
    KnownMiss(f64),
    /// It is missed by so much, beyond chance.
    Missed(f64),
}

impl Thresholds {
    /// Those of this build.
    ///
    /// # Errors
    /// The file breaks a rule; the row and cell are named.
    pub fn load() -> Result<Self> {
        Self::parse(include_str!("../thresholds.yaml")).context("crates/score/thresholds.yaml")
    }

    fn parse(text: &str) -> Result<Self> {
        let thresholds: Self = serde_yaml_ng::from_str(text)?;
        for (number, row) in &thresholds.rows {
            let every = row.every.iter().map(|threshold| ("every", threshold));
            let cells = row
                .cells
                .iter()
                .filter_map(|(name, it)| Some((name.as_str(), it.as_ref()?)));
            for (name, threshold) in every.chain(cells) {
                ensure!(
                    threshold.at_most.or(threshold.at_least).is_some(),
                    "row {number}, {name}: at_most or at_least must be given"
                );
                ensure!(
                    threshold
                        .frozen
                        .is_none_or(|it| threshold.at_most.is_some_and(|most| it > most)
                            || threshold.at_least.is_some_and(|least| it < least)),
                    "row {number}, {name}: frozen must lie beyond at_most or at_least"
                );
                ensure!(
                    threshold.frozen.is_some() == threshold.because.is_some(),
                    "row {number}, {name}: frozen must have a reason, because"
                );
            }
        }
        Ok(thresholds)
    }

    /// The target of a cell.
    pub fn of(&self, row: u8, cell: &str) -> Option<&Threshold> {
        let row = self.rows.get(&row)?;
        match row.cells.get(cell) {
            Some(own) => own.as_ref(),
            None => row.every.as_ref(),
        }
    }

    /// Names of cells with a target of their own.
    pub fn names(&self, row: u8) -> impl Iterator<Item = &str> {
        let row = self.rows.get(&row);
        row.into_iter()
            .flat_map(|row| row.cells.keys().map(String::as_str))
    }
}

impl Threshold {
    /// Whether the figure is what it should be.
    pub fn judge(&self, found: &Estimate) -> Verdict {
        let (missed, sure) = self.missed_by(found, self.at_most, self.at_least);
        if missed <= 0.0 {
            return Verdict::Reached;
        }
        if !sure {
            return Verdict::WithinChance;
        }
        let (most, least) = self.frozen_bounds();
        match self.frozen {
            Some(_) if !self.missed_by(found, most, least).1 => Verdict::KnownMiss(missed),
            _ => Verdict::Missed(missed),
        }
    }

    /// The bounds with the frozen one in place of the one that it lies beyond.
    fn frozen_bounds(&self) -> (Option<f64>, Option<f64>) {
        let beyond = |bound: f64, at_most: bool| {
            let frozen = self
                .frozen
                .filter(|it| if at_most { *it > bound } else { *it < bound });
            frozen.unwrap_or(bound)
        };
        (
            self.at_most.map(|most| beyond(most, true)),
            self.at_least.map(|least| beyond(least, false)),
        )
    }

    /// By how much the value misses, and whether the whole interval does. No number misses.
    fn missed_by(&self, found: &Estimate, at_most: Option<f64>, at_least: Option<f64>) -> (f64, bool) {
        if found.value.is_nan() {
            return (f64::INFINITY, true);
        }
        let above = at_most.map(|most| (found.value - most, found.interval.0 > most));
        let below = at_least.map(|least| (least - found.value, found.interval.1 < least));
        let sides = [above, below].into_iter().flatten();
        sides.fold((f64::NEG_INFINITY, false), |most, side| {
            if side.0 > most.0 { side } else { most }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(threshold: &str, hits: usize) -> Verdict {
        let threshold: Threshold = serde_yaml_ng::from_str(threshold).unwrap();
        threshold.judge(&Estimate::share(hits, 100))
    }

    #[test]
    fn a_miss_is_told_from_chance_and_from_what_is_known() {
        assert_eq!(verdict("{at_most: 0.05}", 5), Verdict::Reached);
        assert_eq!(verdict("{at_most: 0.05}", 7), Verdict::WithinChance);
        assert!(matches!(verdict("{at_most: 0.05}", 20), Verdict::Missed(by) if (by - 0.15).abs() < 1e-9));
        assert_eq!(verdict("{at_least: 0.5}", 55), Verdict::Reached);
        assert!(matches!(verdict("{at_least: 0.5}", 30), Verdict::Missed(_)));
        let known = "{at_least: 0.5, frozen: 0.35, because: x}";
        assert!(matches!(verdict(known, 33), Verdict::KnownMiss(_)));
        assert!(matches!(verdict(known, 10), Verdict::Missed(_)));
        let between = "{at_least: 0.5, at_most: 0.7}";
        assert_eq!(verdict(between, 60), Verdict::Reached);
        assert_eq!(verdict(between, 72), Verdict::WithinChance);
        assert!(matches!(verdict(between, 85), Verdict::Missed(by) if (by - 0.15).abs() < 1e-9));
        assert!(matches!(verdict(between, 35), Verdict::Missed(by) if (by - 0.15).abs() < 1e-9));
        let above = "{at_least: 0.5, at_most: 0.7, frozen: 0.85, because: x}";
        assert!(matches!(verdict(above, 85), Verdict::KnownMiss(_)));
        assert!(matches!(verdict(above, 35), Verdict::Missed(_)));
        let nothing = Estimate::share(0, 0);
        let threshold: Threshold = serde_yaml_ng::from_str("{at_most: 1}").unwrap();
        assert!(matches!(threshold.judge(&nothing), Verdict::Missed(_)));
    }

    #[test]
    fn the_thresholds_of_the_repository_are_valid_and_wrong_ones_are_named() {
        Thresholds::load().unwrap();
        let error = |text: &str| Thresholds::parse(text).unwrap_err().to_string();
        assert!(error("rows: {1: {every: {}}}").contains("row 1, every: at_most or at_least"));
        let within = "rows: {3: {every: {at_most: 1, at_least: 0.5, frozen: 0.7, because: x}}}";
        assert!(error(within).contains("row 3, every: frozen must lie beyond"));
        assert!(error("rows: {2: {cells: {a: {at_most: 1, frozen: 2}}}}").contains("row 2, a: frozen must"));
    }
}
