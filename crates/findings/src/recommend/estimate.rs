//! What a recommendation is worth: from an effect to a gain, a return, a certainty and a priority.

use kaizen_stats::{Investment, normal_cdf};
use serde::{Deserialize, Serialize};

use crate::facts::{Correction, Costs};
use crate::recommend::{Draft, Gain, Impact, Priority, Return};

/// Half the width of a 95 % interval in standard errors.
const Z95: f64 = 1.959_963_984_540_054;

/// An estimate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Estimate {
    /// Of an effect and its interval.
    pub fn new(value: f64, (lower, upper): (f64, f64)) -> Self {
        Self { value, lower, upper }
    }

    /// In another unit; a negative factor turns it round.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let ends = [self.lower * factor, self.upper * factor];
        Self {
            value: self.value * factor,
            lower: ends[0].min(ends[1]),
            upper: ends[0].max(ends[1]),
        }
    }

    /// Corrected as earlier forecasts of the rule came true: never turned round, and never more certain than it was.
    #[must_use]
    pub fn corrected(self, by: &Correction) -> Self {
        let interval = (self.lower, self.upper);
        let (value, interval) = kaizen_stats::corrected(self.value, interval, by.factor, by.widening);
        Self::new(value, interval)
    }

    /// Less a number that is known.
    #[must_use]
    pub fn minus(self, known: f64) -> Self {
        Self {
            value: self.value - known,
            lower: self.lower - known,
            upper: self.upper - known,
        }
    }

    /// Probability that the truth is above 0, the estimate taken as normal.
    pub fn probability_above_zero(self) -> f64 {
        let error = (self.upper - self.lower) / (2.0 * Z95);
        if error > 0.0 {
            normal_cdf(self.value / error)
        } else if self.value > 0.0 {
            1.0
        } else {
            0.0
        }
    }
}

/// From these returns on an hour of work, in multiples of its cost, a recommendation with a value is HIGH or MEDIUM.
const HIGH_RETURN: f64 = 2.0;
const MEDIUM_RETURN: f64 = 0.5;
/// The same where no value is known: improvement of the metric in percent, certainty counted, a day of work.
const HIGH_PERCENT: f64 = 5.0;
const MEDIUM_PERCENT: f64 = 1.0;
const DAY: f64 = 8.0;

/// What a draft is worth.
pub(crate) struct Worth {
    pub(crate) impact: Option<Impact>,
    pub(crate) roi: Option<Return>,
    pub(crate) certainty: f64,
    pub(crate) score: f64,
    pub(crate) priority: Priority,
    pub(crate) would_change: String,
}

/// Expected value times certainty over effort, when `gain` is what is expected.
pub(crate) fn worth(draft: &Draft<'_>, gain: Option<Gain>, costs: &Costs) -> Worth {
    let coverage = draft.coverage.unwrap_or(1.0).clamp(0.0, 1.0);
    let certainty = ((1.0 - draft.evidence.p_value) * coverage).clamp(0.0, 1.0);
    let impact = gain.map(|gain| Impact {
        per_week: gain.per_week,
        improvement: gain.whole,
        improvement_percent: draft
            .before
            .filter(|it| *it != 0.0)
            .map(|it| gain.whole.value / it.abs() * 100.0),
    });
    let roi = gain.zip(draft.value.as_ref()).map(|(gain, (amount, currency))| {
        let worth = kaizen_stats::benefit(1.0, costs.horizon_weeks, *amount);
        let benefit = gain.per_week.times(worth);
        let cost = cost_of_work(draft.effort_hours, costs);
        let net = benefit.minus(cost);
        Return {
            currency: currency.clone(),
            horizon_weeks: costs.horizon_weeks,
            benefit,
            cost,
            roi: net.times(1.0 / cost),
            probability_above_zero: net.probability_above_zero(),
        }
    });
    // A benefit in another currency than the work's cost is no return.
    let roi = roi.filter(|it| it.currency == costs.currency && it.cost > 0.0);
    let (value, high, medium, in_words) = match (&roi, &impact) {
        (Some(roi), _) => (
            roi.benefit.value.max(0.0),
            HIGH_RETURN * costs.hour,
            MEDIUM_RETURN * costs.hour,
            "what it is worth",
        ),
        (None, Some(impact)) => (
            impact.improvement_percent.unwrap_or_default().max(0.0),
            HIGH_PERCENT / DAY,
            MEDIUM_PERCENT / DAY,
            "the improvement of the metric",
        ),
        (None, None) => (
            draft.urgency,
            HIGH_PERCENT / DAY,
            MEDIUM_PERCENT / DAY,
            "its urgency",
        ),
    };
    let score = value * certainty / draft.effort_hours;
    let priority = Priority::of(score, high, medium);
    Worth {
        would_change: would_change(priority, score, (high, medium), draft.effort_hours, in_words),
        impact,
        roi,
        certainty,
        score,
        priority,
    }
}

/// What the work costs; what running the change costs is not known before it is made.
fn cost_of_work(hours: f64, costs: &Costs) -> f64 {
    let work = Investment {
        hours,
        rate: costs.hour,
        running: 0.0,
    };
    work.cost()
}

impl Priority {
    fn of(score: f64, high: f64, medium: f64) -> Self {
        if score >= high {
            Self::High
        } else if score >= medium {
            Self::Medium
        } else {
            Self::Low
        }
    }
}

fn would_change(
    priority: Priority,
    score: f64,
    (high, medium): (f64, f64),
    hours: f64,
    what: &str,
) -> String {
    let up = |to: Priority, threshold: f64| match score > 0.0 {
        true => format!(
            "{}, if {what} were {:.1} times as large or the work took {:.1} h",
            to.as_str(),
            threshold / score,
            hours * score / threshold
        ),
        false => format!("{}, if {what} were known", to.as_str()),
    };
    let down = |to: Priority, threshold: f64| {
        format!(
            "{}, if {what} were less than {:.0} % of the estimate or the work took {:.0} h",
            to.as_str(),
            threshold / score * 100.0,
            hours * score / threshold
        )
    };
    match priority {
        Priority::High => down(Priority::Medium, high),
        Priority::Medium => format!("{}; {}", up(Priority::High, high), down(Priority::Low, medium)),
        Priority::Low => up(Priority::Medium, medium),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_estimate_that_is_certain_is_above_zero_or_not() {
        let certain = |value| Estimate::new(value, (value, value)).probability_above_zero();
        assert_eq!((certain(1.0), certain(-1.0), certain(0.0)), (1.0, 0.0, 0.0));
        let even = Estimate::new(0.0, (-1.0, 1.0)).probability_above_zero();
        assert!((even - 0.5).abs() < 1e-9);
        // Its interval ends at 0.
        let likely = Estimate::new(1.0, (0.0, 2.0)).probability_above_zero();
        assert!((likely - 0.975).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn turning_an_estimate_round_turns_its_probability_round(
            value in -5.0..5.0_f64, half in 0.1..5.0_f64, factor in 0.1..10.0_f64,
        ) {
            let estimate = Estimate::new(value, (value - half, value + half));
            let turned = estimate.times(-factor);
            prop_assert!(turned.lower <= turned.value && turned.value <= turned.upper);
            prop_assert!((estimate.probability_above_zero() + turned.probability_above_zero() - 1.0).abs() < 1e-9);
        }
    }
}
