//! What a fleet does, as a YAML file says it. `docs/scenarios.md` describes every key.

mod check;
mod check_component;
mod check_fault;
mod component;
mod fault;
mod load;
mod noise;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

pub(crate) use check_component::MOST_MEASURES;
pub use component::{
    Change, Component, Confidence, Dimension, Labels, LogNormal, Measure, Method, Outcome, Season,
};
pub use component::{Normal, Tail, Values};
pub use fault::{ALL, Amount, Deviations, Effect, Fault, Improvement, Shape, Slowdown};
pub use noise::{Noise, Shock, Shocked, Tenant};

/// Why a scenario was refused.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no YAML of a scenario's shape.
    #[error("scenario: {0}")]
    Malformed(#[from] serde_yaml_ng::Error),
    /// A value breaks a rule.
    #[error("scenario: {key}: {rule}")]
    Invalid {
        /// The key at fault.
        key: String,
        /// What is allowed.
        rule: String,
    },
}

/// A fleet over some weeks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub(crate) version: u32,
    /// Its name: letters, digits and `-`, at most 32.
    pub name: String,
    /// First instant: a Monday's midnight in UTC.
    pub start: Timestamp,
    /// Length in weeks, 1 to 520; exactly one of `weeks` and `days`.
    pub weeks: Option<u32>,
    /// Length in days, 1 to 3,640.
    pub days: Option<u32>,
    /// Number of events over all components, 1 to 1,000,000,000, exactly as many; one of `events` and `events_per_day`.
    pub events: Option<u64>,
    /// Expected number of events a day over all components before anything befalls them, above 0 and at most 100,000,000.
    pub events_per_day: Option<f64>,
    /// Industries of the leads, with their weights.
    pub industries: BTreeMap<String, f64>,
    /// What the seed draws for good.
    #[serde(default)]
    pub tenant: Tenant,
    /// What makes hours alike or unlike.
    #[serde(default)]
    pub noise: Noise,
    /// The systems that make decisions.
    pub components: Vec<Component>,
    /// What goes wrong, or better. Several may hold at once; their effects add up.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What is changed when: the ledger. It changes nothing by itself.
    #[serde(default)]
    pub changes: Vec<Change>,
}

impl Scenario {
    /// Its length.
    pub fn hours(&self) -> usize {
        let days = self
            .days
            .or(self.weeks.map(|weeks| weeks * 7))
            .unwrap_or_default();
        days as usize * 24
    }

    /// First instant after it.
    pub fn end(&self) -> Timestamp {
        self.hour(self.hours())
    }

    /// First instant of an hour.
    pub(crate) fn hour(&self, hour: usize) -> Timestamp {
        // Weeks are limited, so this is far from the end of time.
        self.start + SignedDuration::from_hours(hour as i64)
    }
}

fn invalid(key: impl Into<String>, rule: &str) -> ScenarioError {
    ScenarioError::Invalid {
        key: key.into(),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = include_str!("../../../config/scenarios/small.yaml");

    #[test]
    fn the_scenarios_of_the_repository_are_valid() {
        assert_eq!(Scenario::parse(SMALL).unwrap().name, "small");
        let fleet = Scenario::parse(include_str!("../../../config/scenarios/fleet-8-weeks.yaml")).unwrap();
        assert_eq!(
            (fleet.weeks, fleet.events, fleet.components.len()),
            (Some(8), Some(200_000), 4)
        );
        assert_eq!(fleet.end().to_string(), "2026-03-02T00:00:00Z");
    }

    /// What is put in place of what, and words of the error.
    const WRONG: &[(&str, &str, &str)] = &[
        ("weeks: 2", "weeks: 0", "weeks: must be 1 to 520"),
        (
            "weeks: 2",
            "days: 14\nweeks: 2",
            "weeks: exactly one of weeks and days",
        ),
        (
            "events: 4000",
            "events_per_day: 0",
            "events_per_day: must be above 0",
        ),
        ("2026-01-05", "2026-01-06", "start: must be a Monday"),
        ("name: small", "name: 'a b'", "name: must be"),
        ("version: 1", "version: 1\ncolour: blue", "unknown field `colour`"),
        (
            "version: 1",
            "version: 1\ntenant: {spread: 4}",
            "tenant.spread: must be 0 to 3",
        ),
        (
            "version: 1",
            "version: 1\nnoise: {shocks: [{phi: 1, sd: 0.1}]}",
            "noise.shocks: phi must be",
        ),
        (
            "version: 1",
            "version: 1\nnoise: {shocks: [{phi: 0, sd: 0.1, by: colour}]}",
            "noise.shocks: by must",
        ),
        ("labelled: 0.9", "labelled: 1.9", "labelled: must be 0 to 1"),
        (
            "labelled: 0.9",
            "labelled: 0.9\n    season: {daily: 9}",
            "season: amplitudes must be 0 to 3",
        ),
        (
            "probability: 0.3",
            "probability: 3",
            "outcomes replied: probability must be 0 to 1",
        ),
        (
            "name: meeting",
            "name: replied",
            "outcomes replied: name must be 1 to 64 characters, once",
        ),
        ("kind: prompt", "kind: mood", "changes v13: kind: must be deploy"),
        ("method_used: web_search", "colour: blue", "where: must name"),
        (
            "method_used: web_search",
            "method_used: magic",
            "where: has a value that no decision has",
        ),
        (
            "effect: {success: -0.4}",
            "effect: {mix: 2, missing: 2}",
            "effect.missing: must be 0 to 1",
        ),
        (
            "method_used: web_search}",
            "method_used: web_search, industry: software, /input_data/source: crm}\n    improvement: {value_per_unit: 1, \
                 currency: EUR, horizon_days: 28, roi: 1, controls: [{/input_data/source: nowhere}]}",
            "where: has a value that no decision has",
        ),
        (
            "effect: {success: -0.4}",
            "shape: {ramp_days: 1, half_life_days: 1}\n    effect: {success: -0.4}",
            "shape: at most one",
        ),
        (
            "effect: {success: -0.4}",
            "effect: {success: -0.4}\n    improvement: {value_per_unit: 1, currency: EUR, horizon_days: 28}",
            "improvement: exactly one of cost and roi",
        ),
    ];

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, words) in WRONG {
            assert!(SMALL.contains(*from), "{from}");
            let error = Scenario::parse(&SMALL.replacen(*from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{to}: {error}");
        }
    }
}
