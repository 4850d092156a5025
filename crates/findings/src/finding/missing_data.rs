use serde::{Deserialize, Serialize};

use super::{About, Detail, Finding};

/// Decisions that should be there and are not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// First instant, in seconds since 1970.
    pub start: i64,
    /// First instant after.
    pub end: i64,
    /// Decisions that were expected.
    pub expected: f64,
    /// Decisions that are there.
    pub present: f64,
    /// Why, as far as that is known.
    pub reason: Reason,
}

/// Why decisions are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// About as many records were rejected: the decisions came and could not be read.
    Rejected,
    /// Nothing has come since: the feed stands still, or the collector is behind.
    NotYet,
    /// Every component is missing: producers, broker or collector.
    AllSilent,
    /// The others are there: its producer.
    Silent,
    /// No other component expects anything at that time, which would tell.
    Unknown,
}

impl Reason {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::NotYet => "not_yet",
            Self::AllSilent => "all_silent",
            Self::Silent => "silent",
            Self::Unknown => "unknown",
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Self::Rejected => "about as many records were rejected in that time",
            Self::NotYet => "nothing has come since: the feed stands still, or the collector is behind",
            Self::AllSilent => {
                "all components are silent at that time: look at broker, collector and what they share"
            }
            Self::Silent => "the other components are there: look at its producer",
            Self::Unknown => "nothing else in the record tells why",
        }
    }
}

/// Tells missing data: a fault of the record, not of what is measured.
pub fn missing_data(about: About<'_>, missing: Missing) -> Finding {
    let hours = (missing.end - missing.start) / 3_600;
    let text = format!(
        "{}: {:.0} of {:.0} expected decisions are missing over {hours} {}; {}",
        about.title,
        missing.expected - missing.present,
        missing.expected,
        if hours == 1 { "hour" } else { "hours" },
        missing.reason.told(),
    );
    about.finding(text, Some(true), Detail::MissingData(missing))
}
