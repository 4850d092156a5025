//! The past of a metric, and which of it counts.

/// The past of one metric, from rollups: what is counted by the hour and by the day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// `COMPONENT.METRIC`.
    pub metric: String,
    /// Which way is better.
    pub higher_is_better: bool,
    /// Whether values of parts add up to that of the whole, as counts and sums do: where decisions are missing, such a value
    /// is less than it should be.
    pub adds_up: bool,
    /// Whether a value is the share of its decisions that satisfy a condition: then it is known how far chance takes it.
    pub is_share: bool,
    /// Decisions that an hour or day must have for its value to say something: of fewer, most is chance.
    pub least: f64,
    /// Hours in the order of time, gaps included; may be empty.
    pub hours: Vec<Observed>,
    /// Days in the order of time, gaps included, up to the end of the period.
    pub days: Vec<Observed>,
    /// The period as a whole.
    pub now: Quality,
    /// The period before as a whole.
    pub before: Quality,
}

/// The value of an hour or a day.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Observed {
    /// First instant, in seconds since 1970.
    pub start: i64,
    /// First instant after.
    pub end: i64,
    /// The value; `None` without decisions to compute it from.
    pub value: Option<f64>,
    /// Decisions it was computed from.
    pub n: f64,
    /// Share of the expected decisions that are there, 0 to 1; `None` when nothing could be expected.
    pub coverage: Option<f64>,
    /// It is cut, had not ended, or its outcomes may still come.
    pub incomplete: bool,
}

/// The value of a whole period.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quality {
    /// The value.
    pub value: Option<f64>,
    /// Decisions it was computed from.
    pub n: f64,
    /// Share of the expected decisions that are there, 0 to 1.
    pub coverage: Option<f64>,
    /// It rests on fewer decisions than the metric asks for.
    pub thin: bool,
}

impl Quality {
    /// Whether the period says something about the metric.
    pub(super) fn is_fit(&self) -> bool {
        !self.thin && self.value.is_some() && self.coverage.is_none_or(|coverage| coverage >= LEAST_COVERAGE)
    }
}

/// Below this coverage of either period the two are not the same thing.
const LEAST_COVERAGE: f64 = 0.8;
/// Below this coverage an hour or day has no value.
const LEAST_COVERAGE_OF_A_PART: f64 = 0.5;

/// The periods that are judged: seconds since 1970, each up to, not including, its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans {
    /// The period before.
    pub before: (i64, i64),
    /// The period.
    pub now: (i64, i64),
}

impl Spans {
    /// Whether an instant lies in either.
    pub(super) fn hold(&self, at: i64) -> bool {
        [self.before, self.now]
            .iter()
            .any(|(start, end)| (*start..*end).contains(&at))
    }
}

/// The part's value as far as it counts, NaN otherwise; of what adds up, that of all its decisions.
pub(super) fn counted(part: &Observed, adds_up: bool) -> f64 {
    let covered = part.coverage.filter(|it| *it >= LEAST_COVERAGE_OF_A_PART);
    match (part.value, covered) {
        (Some(value), Some(coverage)) if !part.incomplete => {
            if adds_up {
                value / coverage
            } else {
                value
            }
        }
        _ => f64::NAN,
    }
}
