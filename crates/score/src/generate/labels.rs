//! Decisions by their labels, counted of events as `crates/warehouse` counts them of its rows.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use kaizen_findings::LabelCounts;
use serde::Deserialize;

/// The labels in the order of the warehouse, what should come of the decisions that they call better, and their names.
const LABELS: [(&str, &str); 3] = [
    ("confidence_level", "success"),
    ("quality_score", "success_indicator"),
    ("improvement_potential", "success_indicator"),
];
const DAY: i64 = 86_400;

#[derive(Deserialize)]
struct Event<'a> {
    timestamp: Timestamp,
    #[serde(borrow)]
    decision_reasoning: Reasoning<'a>,
    #[serde(default, borrow)]
    training_labels: Option<Labels<'a>>,
}

#[derive(Deserialize)]
struct Reasoning<'a> {
    success: bool,
    confidence_level: Option<&'a str>,
}

#[derive(Default, Deserialize)]
struct Labels<'a> {
    quality_score: Option<f64>,
    success_indicator: Option<bool>,
    improvement_potential: Option<&'a str>,
}

/// How many came out well, and how many there are.
type Cell = (u64, u64);

/// Decisions by label, day and place of the level from the best down.
#[derive(Debug, Default)]
pub struct LabelTally([BTreeMap<i64, BTreeMap<u8, Cell>>; 3]);

impl LabelTally {
    /// Adds a decision in JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn add(&mut self, decision: &[u8]) -> Result<()> {
        let event: Event<'_> = serde_json::from_slice(decision)?;
        let day = event.timestamp.as_second().div_euclid(DAY);
        let labels = event.training_labels.unwrap_or_default();
        let places = [
            place(
                event.decision_reasoning.confidence_level,
                ["high", "medium", "low"],
            ),
            labels
                .quality_score
                .map(|score| 10 - (score.min(99.0) / 10.0) as u8),
            place(labels.improvement_potential, ["low", "medium", "high"]),
        ];
        let judged = labels.success_indicator;
        let outcomes = [Some(event.decision_reasoning.success), judged, judged];
        for ((days, place), outcome) in self.0.iter_mut().zip(places).zip(outcomes) {
            let Some(place) = place else { continue };
            let cell = days.entry(day).or_default().entry(place).or_default();
            cell.0 += u64::from(outcome == Some(true));
            cell.1 += u64::from(outcome.is_some());
        }
        Ok(())
    }

    /// What was added.
    pub fn counts(&self) -> [LabelCounts; 3] {
        [0, 1, 2].map(|at| self.of(at))
    }

    fn of(&self, at: usize) -> LabelCounts {
        let days = &self.0[at];
        let mut places: Vec<u8> = days.values().flat_map(BTreeMap::keys).copied().collect();
        places.sort_unstable();
        places.dedup();
        let of_day = |day: &BTreeMap<u8, Cell>| {
            let cells = places
                .iter()
                .map(|place| day.get(place).copied().unwrap_or_default());
            cells.map(|(well, n)| (well as f64, n as f64)).collect()
        };
        let (label, of) = LABELS[at];
        LabelCounts {
            label: label.to_owned(),
            of: of.to_owned(),
            levels: places.iter().map(|it| name(at, *it)).collect(),
            days: days.values().map(of_day).collect(),
        }
    }
}

fn place(level: Option<&str>, from_the_best: [&str; 3]) -> Option<u8> {
    let at = from_the_best.into_iter().position(|it| Some(it) == level)?;
    Some(at as u8 + 1)
}

fn name(label: usize, place: u8) -> String {
    let words = match label {
        0 => ["high", "medium", "low"],
        2 => ["low", "medium", "high"],
        _ => {
            let from = 10 * (10 - u32::from(place));
            return format!("{from} to {}", from + 10);
        }
    };
    words[usize::from(place) - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_counted_by_label_and_day() {
        let mut tally = LabelTally::default();
        let decision = |at: &str, level: &str, success: bool, labels: &str| {
            format!(
                r#"{{"timestamp":"2026-01-0{at}Z","decision_reasoning":{{"success":{success},"confidence_level":"{level}"}},"training_labels":{labels}}}"#
            )
        };
        for it in [
            decision(
                "5T23:59:59",
                "high",
                true,
                r#"{"quality_score":100,"success_indicator":true}"#,
            ),
            decision(
                "6T00:00:00",
                "low",
                false,
                r#"{"quality_score":89.9,"improvement_potential":"low"}"#,
            ),
            decision(
                "6T00:00:01",
                "low",
                true,
                r#"{"quality_score":90,"success_indicator":false}"#,
            ),
        ] {
            tally.add(it.as_bytes()).unwrap();
        }
        let [confidence, quality, potential] = tally.counts();
        assert_eq!(confidence.levels, ["high", "low"]);
        assert_eq!(
            confidence.days,
            [[(1.0, 1.0), (0.0, 0.0)], [(0.0, 0.0), (1.0, 2.0)]]
        );
        assert_eq!(quality.levels, ["90 to 100", "80 to 90"]);
        assert_eq!(quality.days, [[(1.0, 1.0), (0.0, 0.0)], [(0.0, 1.0), (0.0, 0.0)]]);
        assert_eq!(
            (potential.levels, potential.days),
            (vec!["low".to_owned()], vec![vec![(0.0, 0.0)]])
        );
        assert!(tally.add(b"{}").is_err());
    }
}
