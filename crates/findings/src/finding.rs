//! What a run found, beside trends and slices: one kind a file, each with the sentence that tells it.

mod anomaly;
mod label_order;
mod latency_tail;
mod level_change;
mod miscalibration;
mod missing_data;
mod standing;

use serde::{Deserialize, Serialize};

use crate::judge::{Anomaly, Move};

pub use anomaly::anomaly;
pub use label_order::{LabelCounts, LabelOrder, LabelShape, label_order};
pub use latency_tail::{LatencyTail, latency_tail};
pub use level_change::level_change;
pub use miscalibration::{Level, Miscalibration, Stated, level_order, stated_probabilities};
pub use missing_data::{Missing, Reason, missing_data};
pub use standing::{Comparison, GroupStanding, standings};

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Component it is about.
    pub component: String,
    /// Metric it is about, `COMPONENT.METRIC`; empty when it is about none.
    pub metric: String,
    /// In one sentence.
    pub text: String,
    /// Whether it is bad news; `None` where that depends.
    pub is_worse: Option<bool>,
    /// In numbers.
    pub detail: Detail,
}

/// A finding in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Detail {
    /// A metric changed its level.
    LevelChange(Move),
    /// A value far from what was likely.
    Anomaly(Anomaly),
    /// How a template or method stands against the others.
    Standing(GroupStanding),
    /// The slowest decisions got slower or faster while the others did not.
    LatencyTail(LatencyTail),
    /// Stated confidence does not mean what it says.
    Miscalibration(Miscalibration),
    /// A label does not order what came of decisions.
    LabelOrder(LabelOrder),
    /// Decisions that should be there are not.
    MissingData(Missing),
}

impl Detail {
    /// Its kind in one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::LevelChange(_) => "level_change",
            Self::Anomaly(_) => "anomaly",
            Self::Standing(_) => "standing",
            Self::LatencyTail(_) => "latency_tail",
            Self::Miscalibration(_) => "miscalibration",
            Self::LabelOrder(_) => "label_order",
            Self::MissingData(_) => "missing_data",
        }
    }

    /// When it began or was, in seconds since 1970, where it has a time.
    pub const fn at(&self) -> Option<i64> {
        match self {
            Self::LevelChange(found) => Some(found.at),
            Self::Anomaly(found) => Some(found.at),
            Self::MissingData(found) => Some(found.start),
            Self::Standing(_) | Self::LatencyTail(_) | Self::Miscalibration(_) | Self::LabelOrder(_) => None,
        }
    }
}

/// What a finding is about: a metric, or a component.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Component.
    pub component: &'a str,
    /// `COMPONENT.METRIC`, or empty.
    pub metric: &'a str,
    /// Title for people.
    pub title: &'a str,
    /// Unit of its values.
    pub unit: &'a str,
}

impl About<'_> {
    fn finding(&self, text: String, is_worse: Option<bool>, detail: Detail) -> Finding {
        Finding {
            component: self.component.to_owned(),
            metric: self.metric.to_owned(),
            text,
            is_worse,
            detail,
        }
    }
}
