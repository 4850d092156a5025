use kaizen_stats::{
    Predicted, ReliabilityBin, calibration, expected_calibration_error, reliability_curve, two_proportions,
};
use serde::{Deserialize, Serialize};

use super::{About, Detail, Finding};
use crate::words::told;

/// Stated confidence that does not mean what it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Miscalibration {
    /// What states it: `confidence_level`, or the name of a measure.
    pub stated_by: String,
    /// Of stated probabilities, their inverse temperature: below 1 they are too bold, above 1 too timid.
    pub slope: Option<f64>,
    /// Of stated probabilities, the mean distance to what was observed, 0 to 1.
    pub error: Option<f64>,
    /// Of stated probabilities, their mean less the share of successes.
    pub bias: Option<f64>,
    /// p-value of confidence that means what it says.
    pub p_value: f64,
    /// What was stated, and what came of it.
    pub levels: Vec<Level>,
}

/// Decisions of one stated confidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// What was stated: `high`, `medium`, `low`, or a probability.
    pub stated: String,
    /// Share of successes.
    pub observed: f64,
    /// How many decisions.
    pub n: f64,
}

/// Decisions of one stated confidence, as counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// What was stated.
    pub stated: String,
    /// How many decisions.
    pub n: f64,
    /// How many of them succeeded.
    pub successes: f64,
}

/// A difference of levels, or a mean distance of probabilities, that matters.
const MATTERS: f64 = 0.02;
/// Fewest decisions of a level.
const FEWEST: f64 = 100.0;
const BINS: usize = 10;

/// Tells if a higher level of confidence, of two neighbours among `levels` from the highest down, succeeds less often than a
/// lower one. `significance` is the chance to tell so when they are alike.
pub fn level_order(about: About<'_>, levels: &[Stated], significance: f64) -> Option<Finding> {
    let known: Vec<&Stated> = levels.iter().filter(|level| level.n >= FEWEST).collect();
    let comparisons = known.len().saturating_sub(1).max(1) as f64;
    let turned = known.windows(2).filter_map(|pair| {
        let (higher, lower) = (pair[0], pair[1]);
        let found = two_proportions(
            (lower.successes, lower.n),
            (higher.successes, higher.n),
            1.0,
            0.95,
        )?;
        // One-sided: that the higher is better is no news.
        let p_value = (found.p_value / 2.0 * comparisons).min(1.0);
        (found.difference < -MATTERS && p_value < significance).then_some((higher, lower, p_value))
    });
    let (higher, lower, p_value) = turned.min_by(|a, b| a.2.total_cmp(&b.2))?;
    let share = |level: &Stated| level.successes / level.n;
    let text = format!(
        "{}: decisions of {} confidence succeed less often ({}) than those of {} confidence ({})",
        about.title,
        higher.stated,
        told(share(higher), "ratio"),
        lower.stated,
        told(share(lower), "ratio"),
    );
    let level = |it: &Stated| Level {
        stated: it.stated.clone(),
        observed: share(it),
        n: it.n,
    };
    let detail = Miscalibration {
        stated_by: "confidence_level".to_owned(),
        slope: None,
        error: None,
        bias: None,
        p_value,
        levels: known.into_iter().map(level).collect(),
    };
    Some(about.finding(text, Some(true), Detail::Miscalibration(detail)))
}

/// Tells if stated probabilities, by `measure`, do not mean what they say, by more than chance and by so much that it matters.
pub fn stated_probabilities(
    about: About<'_>,
    measure: &str,
    predicted: &[Predicted],
    significance: f64,
) -> Option<Finding> {
    let found = calibration(predicted).filter(|found| found.p_value < significance)?;
    let curve = reliability_curve(predicted, BINS);
    let error = expected_calibration_error(&curve);
    if error < MATTERS || curve.iter().map(|bin| bin.trials).sum::<f64>() < FEWEST {
        return None;
    }
    let weighed = |of: fn(&ReliabilityBin) -> f64| curve.iter().map(|bin| bin.trials * of(bin)).sum::<f64>();
    let bias = weighed(|bin| bin.stated - bin.observed) / weighed(|_| 1.0);
    let manner = match (bias.abs() > error / 2.0, bias > 0.0, found.slope < 1.0) {
        (true, true, _) => "too high",
        (true, false, _) => "too low",
        (false, _, true) => "too bold",
        (false, _, false) => "too timid",
    };
    let text = format!(
        "{}: the probabilities stated by {measure} are {manner}: on average they are {} off",
        about.title,
        told(error, "ratio"),
    );
    let level = |bin: &ReliabilityBin| Level {
        stated: format!("{:.3}", bin.stated),
        observed: bin.observed,
        n: bin.trials,
    };
    let detail = Miscalibration {
        stated_by: measure.to_owned(),
        slope: Some(found.slope),
        error: Some(error),
        bias: Some(bias),
        p_value: found.p_value,
        levels: curve.iter().map(level).collect(),
    };
    Some(about.finding(text, Some(true), Detail::Miscalibration(detail)))
}
