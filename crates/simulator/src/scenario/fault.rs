//! What is planted in a fleet.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::component::{Labels, one};

/// `log_type` and `metric` of a fault that befalls every component.
pub const ALL: &str = "*";

/// Something that changes for a while, for the worse or for the better.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Its name.
    pub name: String,
    /// Kind of the decisions it befalls; [`ALL`]: of every component.
    #[serde(default = "all")]
    pub log_type: String,
    /// The metric of the catalogue it is planted for, `COMPONENT.METRIC`; [`ALL`] for every component.
    #[serde(default = "all")]
    pub metric: String,
    /// Only decisions with these values: `method_used`, `industry`, or the pointer of a dimension.
    #[serde(default, rename = "where")]
    pub slice: BTreeMap<String, String>,
    /// First instant, on a whole hour.
    pub from: Timestamp,
    /// First instant after it, on a whole hour; the end of the scenario when absent.
    pub to: Option<Timestamp>,
    /// How it comes and goes: at once and whole, when absent.
    #[serde(default)]
    pub shape: Shape,
    /// What it does.
    pub effect: Effect,
    /// What it cost and what it is compared with, when it is an improvement that somebody made.
    pub improvement: Option<Improvement>,
}

fn all() -> String {
    ALL.to_owned()
}

/// The strength of a fault over time: one of these, or a step.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Grows evenly from nothing to its whole strength over so many days, above 0.
    pub ramp_days: Option<f64>,
    /// Is whole at first, half so many days later, and so on; above 0.
    pub half_life_days: Option<f64>,
    /// A cosine over so many hours, 24 or 168, whole at the first instant: another season, and nothing in the mean.
    pub season_hours: Option<u32>,
}

impl Shape {
    /// How strong it is so long after its first instant: 1 is whole.
    pub(crate) fn strength(&self, since: SignedDuration) -> f64 {
        let hours = since.as_secs_f64() / 3600.0;
        match *self {
            Self {
                ramp_days: Some(days),
                ..
            } => (hours / (24.0 * days)).min(1.0),
            Self {
                half_life_days: Some(days),
                ..
            } => libm::exp2(-hours / (24.0 * days)),
            Self {
                season_hours: Some(period),
                ..
            } => libm::cos(hours / f64::from(period) * std::f64::consts::TAU),
            Self {
                ramp_days: None,
                half_life_days: None,
                season_hours: None,
            } => 1.0,
        }
    }
}

/// How large a change is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// In the quantity's own unit.
    Absolute(f64),
    /// In standard deviations of the daily metric of the slice.
    Deviations(Deviations),
}

/// A size in standard deviations of the daily metric of the slice.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviations {
    /// How many; negative is less.
    pub sd: f64,
}

impl Default for Amount {
    fn default() -> Self {
        Self::Absolute(0.0)
    }
}

impl Amount {
    pub(crate) fn number(self) -> f64 {
        match self {
            Self::Absolute(number) | Self::Deviations(Deviations { sd: number }) => number,
        }
    }
}

/// What a fault does. Several effects may be named.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Added to the probability of success.
    #[serde(default)]
    pub success: Amount,
    /// Added to the probability of reaching the aim.
    #[serde(default)]
    pub approval: Amount,
    /// Added to the log-odds of both.
    #[serde(default)]
    pub log_odds: f64,
    /// Added to the mean quality.
    #[serde(default)]
    pub quality: Amount,
    /// Multiplies the seconds of some decisions.
    pub seconds: Option<Slowdown>,
    /// Multiplies the number of decisions; 0 is an outage.
    pub volume: Option<f64>,
    /// Multiplies the share of the slice; the number of all decisions stays.
    pub mix: Option<f64>,
    /// Multiplies the stated log-odds: the confidence, not what comes of it.
    pub temperature: Option<f64>,
    /// Added to how far labels tell decisions that come out well.
    #[serde(default)]
    pub labels: Labels,
    /// Share of the hours whose decisions are all missing.
    pub missing: Option<f64>,
    /// Share of the decisions that are sent twice.
    pub duplicates: Option<f64>,
}

/// Some decisions take longer.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slowdown {
    /// How many times longer, above 0.
    pub factor: f64,
    /// Share of the decisions, 0 to 1, taken at random.
    #[serde(default = "one")]
    pub share: f64,
    /// Only decisions slower than this share of the slice's, 0 to 1: .97 moves the 99th percentile and not the median.
    #[serde(default)]
    pub above: f64,
    /// Only decisions faster than this share of the slice's, 0 to 1.
    #[serde(default = "one")]
    pub below: f64,
}

/// What somebody paid for a change, and the slices it is compared with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Improvement {
    /// What one more unit of the metric's hits is worth, above 0.
    pub value_per_unit: f64,
    /// Currency: three letters of ISO 4217.
    pub currency: String,
    /// Days over which the benefit counts, 1 to 3,650.
    pub horizon_days: u32,
    /// What it cost; exactly one of `cost` and `roi`.
    pub cost: Option<f64>,
    /// Benefit ÷ cost − 1, from which the cost is worked out, above −1; 0 is break-even.
    pub roi: Option<f64>,
    /// Slices that the change is compared with. One that another fault befalls is a wrong one; the truth says so.
    #[serde(default)]
    pub controls: Vec<BTreeMap<String, String>>,
}

impl Slowdown {
    /// Whether it moves the tail and hardly the median.
    pub(crate) fn is_of_tail(&self) -> bool {
        self.above >= 0.5 || self.share < 0.5
    }
}
