//! Which way a metric goes: by its drift over the long run, or by its shift against the period before.

use kaizen_stats::{PairedT, Times, analyse, benjamini_hochberg};
use serde::{Deserialize, Serialize};

use super::history::{History, Spans, counted};
use super::moves::Move;
use super::shift::shift;

/// Which way a metric goes, in its own sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It gets better.
    Improving,
    /// It gets worse.
    Declining,
    /// Neither can be told.
    Stable,
    /// There is too little to tell by.
    InsufficientData,
}

impl Direction {
    const ALL: [Self; 4] = [
        Self::Improving,
        Self::Declining,
        Self::Stable,
        Self::InsufficientData,
    ];

    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Improving => "improving",
            Self::Declining => "declining",
            Self::Stable => "stable",
            Self::InsufficientData => "insufficient_data",
        }
    }

    /// The direction of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// How sure a direction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Significance {
    /// p < .01.
    High,
    /// p < .05.
    Medium,
    /// Neither.
    Low,
}

impl Significance {
    const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// The significance of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// The long run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Change a day, in the unit of the metric.
    pub per_day: f64,
    /// 95 % interval.
    pub interval: (f64, f64),
    /// p-value of no trend, adjusted for the metrics of the run.
    pub p_value: f64,
    /// First day, in seconds since 1970.
    pub since: i64,
    /// Days with a value.
    pub days: usize,
}

/// Which way a metric goes, and how that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Which way.
    pub direction: Direction,
    /// Change of the period against the one before, in percent of that.
    pub change_percent: Option<f64>,
    /// 95 % interval of it, by the scatter of days.
    pub change_interval: Option<(f64, f64)>,
    /// p-value of what the direction rests on, adjusted for the metrics of the run.
    pub p_value: Option<f64>,
    /// How sure it is.
    pub significance: Option<Significance>,
    /// What the direction rests on.
    pub method: String,
    /// The long run; `None` with too few days.
    pub slope: Option<Slope>,
    /// When it turned, in seconds since 1970: the last change of level in that direction in the two periods.
    pub onset: Option<i64>,
    /// Decisions of the period.
    pub n: f64,
    /// Share of the period's expected decisions that are there.
    pub coverage: Option<f64>,
}

/// The long run.
const DRIFT: &str = "Mann-Kendall with AR(1) variance over days, season out, Benjamini-Hochberg adjusted";
/// The period beside the one before.
const SHIFT: &str = "paired t-test of weekdays with AR(1) effective n, Benjamini-Hochberg adjusted";

/// Up to here a change is called one.
const MEDIUM: f64 = 0.05;
const HIGH: f64 = 0.01;
/// Fewest days with a value that a long run is.
const FEWEST_DAYS: usize = 14;
/// A season that changes looks like a trend: where there is one, a trend must be so much surer.
const SEASON: f64 = 5.0;
/// From so many days on, how alike neighbours are is known; below, no series tells.
const TELLING: usize = 28;
/// How alike days are where no series tells: what daily metrics of such fleets usually show.
const USUAL: f64 = 0.3;

/// What is known of a metric before it is judged among the others.
pub(super) struct Evidence {
    drift: Option<Slope>,
    shift: Option<PairedT>,
}

/// Weighs one metric. Its p-values are still its own.
pub(super) fn weigh(history: &History, spans: Spans) -> Evidence {
    if !history.now.is_fit() {
        return Evidence {
            drift: None,
            shift: None,
        };
    }
    let values: Vec<f64> = (history.days.iter())
        .map(|day| counted(day, history.adds_up))
        .collect();
    let starts: Vec<f64> = history.days.iter().map(|day| day.start as f64).collect();
    let found = analyse(Times::Seconds(&starts), &values, false);
    let trend = found.trend.filter(|trend| trend.values >= FEWEST_DAYS);
    let since = (history.days.iter().zip(&values)).find(|(_, value)| value.is_finite());
    let drift = trend.zip(since).map(|(trend, (first, _))| Slope {
        per_day: trend.slope,
        interval: trend.interval,
        p_value: if found.periods.is_empty() {
            trend.p_value
        } else {
            (SEASON * trend.p_value).min(1.0)
        },
        since: first.start,
        days: trend.values,
    });
    // The period itself would show a step as days alike.
    let past = (history.days.iter())
        .take_while(|day| day.start < spans.now.0)
        .count();
    let past = analyse(Times::Seconds(&starts[..past]), &values[..past], false).trend;
    let phi = past
        .filter(|past| past.values >= TELLING)
        .map_or(USUAL, |past| past.phi);
    Evidence {
        drift,
        shift: history
            .before
            .is_fit()
            .then(|| shift(history, spans, phi))
            .flatten(),
    }
}

/// Judges all metrics of a run: their tests, of drifts and of shifts, are one family.
pub(super) fn judge(histories: &[History], evidence: &[Evidence]) -> Vec<Trend> {
    let own = |it: &Evidence| [it.drift.map(|it| it.p_value), it.shift.map(|it| it.p_value)];
    let known: Vec<f64> = evidence.iter().flat_map(own).flatten().collect();
    let mut adjusted = benjamini_hochberg(&known).into_iter();
    let mut next = |p: &mut f64| *p = adjusted.next().unwrap_or(1.0);
    let all = histories.iter().zip(evidence).map(|(history, evidence)| {
        let (mut drift, mut shift) = (evidence.drift, evidence.shift);
        drift.iter_mut().for_each(|it| next(&mut it.p_value));
        shift.iter_mut().for_each(|it| next(&mut it.p_value));
        of(history, drift, shift)
    });
    all.collect()
}

/// The surer of the two tells the direction. A shift of the days must agree with that of the whole: where it does not, what
/// changed is the weight of the days.
fn of(history: &History, drift: Option<Slope>, shift: Option<PairedT>) -> Trend {
    let change = history.now.value.zip(history.before.value);
    let change = change.map(|(now, before)| (now - before, before));
    let by_drift = drift.map(|it| (it.p_value, it.per_day, DRIFT));
    let by_shift = shift.map(|it| {
        let agrees = change.is_some_and(|(change, _)| change * it.mean_difference > 0.0);
        let moved = if agrees { it.mean_difference } else { 0.0 };
        (if agrees { it.p_value } else { 1.0 }, moved, SHIFT)
    });
    let told = match (by_drift, by_shift) {
        (Some(drift), Some(shift)) => Some(if drift.0 < shift.0 { drift } else { shift }),
        (one, other) => one.or(other),
    };
    let relative = |it: f64| change.and_then(|(_, before)| (before != 0.0).then(|| 100.0 * it / before));
    let change_percent = change.and_then(|(change, _)| relative(change));
    let half = shift
        .and_then(|it| relative((it.interval.1 - it.interval.0) / 2.0))
        .map(f64::abs);
    Trend {
        direction: told.map_or(Direction::InsufficientData, |(p, moved, _)| {
            towards(history, p, moved)
        }),
        change_percent,
        change_interval: change_percent.zip(half).map(|(it, half)| (it - half, it + half)),
        p_value: told.map(|(p, ..)| p),
        significance: told.map(|(p, ..)| match p {
            p if p < HIGH => Significance::High,
            p if p < MEDIUM => Significance::Medium,
            _ => Significance::Low,
        }),
        method: told.map_or("", |(.., method)| method).to_owned(),
        slope: drift,
        onset: None,
        n: history.now.n,
        coverage: history.now.coverage,
    }
}

fn towards(history: &History, p: f64, moved: f64) -> Direction {
    if p >= MEDIUM || moved == 0.0 {
        Direction::Stable
    } else if (moved > 0.0) == history.higher_is_better {
        Direction::Improving
    } else {
        Direction::Declining
    }
}

impl Trend {
    /// With its onset, if its direction has one among the moves.
    pub(super) fn with_onset(self, moves: &[Move]) -> Self {
        let improving = match self.direction {
            Direction::Improving => true,
            Direction::Declining => false,
            Direction::Stable | Direction::InsufficientData => return self,
        };
        let last = moves.iter().rev().find(|it| it.is_improving == improving);
        Self {
            onset: last.map(|it| it.at),
            ..self
        }
    }
}
