//! The systems of a fleet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// One system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Kind of its decisions.
    pub log_type: String,
    /// Its share of the events, against the other components'.
    pub weight: f64,
    /// Weights of the 24 hours of a day in UTC.
    pub hours: [f64; 24],
    /// Weights of the days from Monday.
    pub days: [f64; 7],
    /// How the log-odds of success and approval go up and down with the hour of the week.
    #[serde(default)]
    pub season: Season,
    /// Its algorithms.
    pub methods: Vec<Method>,
    /// Strings in its events, each one of several.
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    /// Numbers in its events.
    #[serde(default)]
    pub measures: Vec<Measure>,
    /// Where a failure's kind stands, and the kinds. Only failures have one.
    pub failure: Option<Dimension>,
    /// How it states its confidence; as `labels` say, or at random, whatever the decision, when absent.
    pub confidence: Option<Confidence>,
    /// How well labels tell decisions that come out well; they say nothing but which method decided when absent.
    #[serde(default)]
    pub labels: Labels,
    /// Share of decisions that are labelled with success or not, 0 to 1.
    pub labelled: f64,
    /// Length of the free text in an event, in bytes; at most 200,000.
    pub text: usize,
    /// What may become of a session later, by its last decision of this kind.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
}

/// A cosine over the day and one over the week, in log-odds; both are 0 in the mean.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Season {
    /// Amplitude over the day, 0 to 3.
    #[serde(default)]
    pub daily: f64,
    /// Amplitude over the week, 0 to 3.
    #[serde(default)]
    pub weekly: f64,
    /// Hour of the week from Monday at which both are at their peak, 0 to 167; drawn by the seed when absent.
    pub peak_hour: Option<f64>,
}

/// Stated confidence that follows the true probability of success.
///
/// The log-odds of a decision's success are those of its hour and values plus a normal deviation of its own: hard cases and easy
/// ones. The component states `temperature` times these log-odds: 1 is calibrated, above 1 overconfident.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// Standard deviation of a decision's own log-odds, 0 to 3.
    pub spread: f64,
    /// What the true log-odds are multiplied by, 0.1 to 10.
    #[serde(default = "one")]
    pub temperature: f64,
    /// Stated probability from which on confidence is `high`, 0 to 1.
    pub high: f64,
    /// Stated probability from which on confidence is `medium`, 0 to `high`; it is `low` below.
    pub medium: f64,
    /// Where the stated probability stands in the event, with four decimals: `/input_data/NAME` or `/output_data/NAME`.
    pub pointer: Option<String>,
}

/// How far labels of decisions that come out well are from those of others, in standard deviations, -3 to 3: 0 says nothing, below 0
/// they are the wrong way round. The area under the ROC curve is Φ(d/√2): 0.76 at 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// The level of confidence, by success; 5 : 3 : 1 where that is even. Of components without `confidence`.
    #[serde(default)]
    pub confidence: f64,
    /// The quality of decisions of a method, by whether a labelled one reaches its aim.
    #[serde(default)]
    pub quality: f64,
}

pub(super) fn one() -> f64 {
    1.0
}

/// An algorithm.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// Weight against the other methods.
    pub weight: f64,
    /// Probability that a decision is carried out.
    pub success: f64,
    /// Probability that a labelled decision reaches its aim.
    pub approval: f64,
    /// Seconds a decision takes.
    pub seconds: LogNormal,
    /// The slowest decisions follow a power law instead.
    pub tail: Option<Tail>,
    /// Quality, 0 to 100; none when absent.
    pub quality: Option<Normal>,
}

/// Beyond a quantile of the log-normal distribution, a Pareto tail that begins where the other ends.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tail {
    /// Share of the decisions below the tail, 0.5 to 0.9999.
    pub above: f64,
    /// Exponent of the tail, 0.5 to 20: the smaller, the heavier; at 2 and less the variance is infinite.
    pub alpha: f64,
}

/// A string with a choice of values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Where it stands: `/input_data/NAME` or `/output_data/NAME`.
    pub pointer: String,
    /// Values and their weights.
    pub values: Values,
    /// What a value adds to the log-odds of success and approval; 0, or drawn (see `tenant`), for the others.
    #[serde(default)]
    pub log_odds: BTreeMap<String, f64>,
}

/// The values of a dimension.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// So many values `v01`, `v02` … of the same weight, 1 to 250.
    Many(u8),
    /// Named values and their weights.
    Named(BTreeMap<String, f64>),
}

impl Values {
    /// The values and their weights, in the order of their names.
    pub(crate) fn list(&self) -> Vec<(String, f64)> {
        match self {
            Self::Many(count) => (1..=*count).map(|value| (format!("v{value:02}"), 1.0)).collect(),
            Self::Named(values) => values
                .iter()
                .map(|(name, weight)| (name.clone(), *weight))
                .collect(),
        }
    }
}

/// A number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Where it stands: `/input_data/NAME` or `/output_data/NAME`.
    pub pointer: String,
    /// Its distribution.
    pub value: LogNormal,
    /// Decimals it is rounded to, at most 6.
    pub decimals: u32,
}

/// A log-normal distribution.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// Median, above 0.
    pub median: f64,
    /// Standard deviation of the logarithm, 0 to 3.
    pub sigma: f64,
}

/// A normal distribution.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// Something that may become of a session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What happens, 1 to 64 characters; once a component.
    pub name: String,
    /// Its probability, 0 to 1.
    pub probability: f64,
    /// Hours after the decision.
    pub hours: LogNormal,
    /// What it is worth, with two decimals.
    pub value: Option<LogNormal>,
    /// Currency of the value: three letters of ISO 4217.
    pub currency: Option<String>,
}

/// An entry of the ledger of changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// deploy, prompt, model or config.
    pub kind: String,
    /// What is changed.
    pub component: String,
    /// What it is from then on.
    pub version: String,
    /// Since when.
    pub at: Timestamp,
    /// Where to read more.
    pub link: Option<String>,
}
