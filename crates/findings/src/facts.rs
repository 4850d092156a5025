use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cube::CellSums;
use crate::explain::Explanation;
use crate::finding::Finding;

/// What a run knows, as far as recommendations rest on it.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The components, in the order of the catalogue.
    pub components: Vec<ComponentFacts>,
    /// What was changed during the period and the one before, oldest first.
    pub changes: Vec<ChangeEntry>,
    /// Length of the period in weeks.
    pub weeks: f64,
    /// What work costs.
    pub costs: Costs,
    /// How the forecasts of rules are corrected, by the name of the rule.
    pub corrections: BTreeMap<String, Correction>,
}

/// How the forecasts of a rule are corrected, as earlier ones came true; `kaizen_stats::forecast_corrections` learns it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// Its identity.
    pub correction_id: String,
    /// What a forecast is multiplied by, above 0.
    pub factor: f64,
    /// Standard deviation by which the interval is widened, in shares of the forecast before correction, 0 or above.
    pub widening: f64,
}

/// What is known of a component.
#[derive(Debug, Clone, Default)]
pub struct ComponentFacts {
    /// Its name.
    pub name: String,
    /// Kind of its decisions.
    pub log_type: String,
    /// Title for people.
    pub title: String,
    /// What its recommendations are filed under.
    pub category: String,
    /// Share of the period's expected decisions that are there, 0 to 1; `None` when nothing could be expected.
    pub coverage: Option<f64>,
    /// Its metrics, in the order of the catalogue.
    pub metrics: Vec<MetricFacts>,
    /// What else was found of it.
    pub findings: Vec<Finding>,
}

/// What a metric tells of its component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// How many decisions there are.
    Volume,
    /// How good the system that decides takes its decisions to be: the mean quality score.
    Quality,
    /// Whether they reach their aim, as labels say.
    Aim,
    /// Anything else.
    #[default]
    Other,
}

/// What is known of a metric.
#[derive(Debug, Clone, Default)]
pub struct MetricFacts {
    /// `COMPONENT.METRIC`.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Unit of its value.
    pub unit: String,
    /// Which way is better.
    pub higher_is_better: bool,
    /// Decisions below which a value is thin.
    pub minimum_sample: f64,
    /// What one more success, or one unit more of a sum, is worth: amount and currency.
    pub value_per_unit: Option<(f64, String)>,
    /// What it tells of its component.
    pub role: Role,
    /// Decisions of the period.
    pub n: f64,
    /// Value over the period.
    pub now: Option<f64>,
    /// Value over the period before.
    pub before: Option<f64>,
    /// Its trend, if one was found.
    pub trend: Option<TrendFacts>,
    /// Why it changed; of a metric whose expression an earlier one has, that one's.
    pub explained: Option<Explained>,
    /// Its groups by the dimension it is split by.
    pub groups: Option<Groups>,
}

/// A change that is more than chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendFacts {
    /// Whether it is one for the better.
    pub is_improving: bool,
    /// p-value of no change, adjusted for the number of metrics.
    pub p_value: f64,
}

/// Why a metric changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// What is explained, in words.
    pub what: String,
    /// Unit of its means.
    pub unit: String,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// Why.
    pub explanation: Explanation,
}

impl Explained {
    /// Whether a change of this sign is one for the worse.
    pub(crate) fn is_worse(&self, effect: f64) -> bool {
        (effect < 0.0) == self.higher_is_better
    }
}

/// A share or mean by the values of one dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// The dimension.
    pub dimension: String,
    /// Whether each group is a share of the whole, as the kinds of a failure are, rather than of itself.
    pub of_the_whole: bool,
    /// Value, sums of the period before, sums of the period.
    pub groups: Vec<(String, CellSums, CellSums)>,
}

/// An entry of the change ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeEntry {
    /// `deploy`, `prompt`, `model` or `config`.
    pub kind: String,
    /// What was changed.
    pub component: String,
    /// What it is from then on.
    pub version: String,
    /// When, in RFC 3339.
    pub at: String,
    /// Where to read more; may be empty.
    pub link: String,
}

/// What work costs and how long an improvement is counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// An hour of work, in `currency`.
    pub hour: f64,
    /// ISO 4217.
    pub currency: String,
    /// Weeks over which the benefit of an improvement is counted.
    pub horizon_weeks: f64,
}

impl Costs {
    /// What is wrong with them: key, value and rule.
    pub fn problems(&self) -> Vec<(&'static str, String, &'static str)> {
        let is_currency = self.currency.len() == 3 && self.currency.bytes().all(|it| it.is_ascii_uppercase());
        let rules = [
            (
                (0.01..=100_000.0).contains(&self.hour),
                ("hour", self.hour.to_string(), "must be 0.01 to 100000"),
            ),
            (
                is_currency,
                (
                    "currency",
                    self.currency.clone(),
                    "must be three letters of ISO 4217, such as EUR",
                ),
            ),
            (
                (1.0..=520.0).contains(&self.horizon_weeks),
                (
                    "horizon_weeks",
                    self.horizon_weeks.to_string(),
                    "must be 1 to 520",
                ),
            ),
        ];
        rules
            .into_iter()
            .filter(|(holds, _)| !holds)
            .map(|(_, problem)| problem)
            .collect()
    }
}

impl Default for Costs {
    fn default() -> Self {
        Self {
            hour: 80.0,
            currency: "EUR".to_owned(),
            horizon_weeks: 12.0,
        }
    }
}
