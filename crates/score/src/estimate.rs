//! A figure with what it may be wrong by.

use kaizen_stats::wilson_interval;
use serde::{Deserialize, Deserializer, Serialize};

/// What was found over many seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The share, mean or rate; NaN of no trials, null in JSON.
    #[serde(deserialize_with = "number_or_none")]
    pub value: f64,
    /// Its 95 % interval.
    #[serde(deserialize_with = "numbers_or_none")]
    pub interval: (f64, f64),
    /// How many trials it rests on.
    pub trials: usize,
}

fn number_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
}

fn numbers_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<(f64, f64), D::Error> {
    let (low, high) = <(Option<f64>, Option<f64>)>::deserialize(from)?;
    Ok((low.unwrap_or(f64::NAN), high.unwrap_or(f64::NAN)))
}

/// What the numbers of the seeds say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// 1 for a hit and 0 for none: the share of hits, with E. B. Wilson's interval.
    Share,
    /// The mean, with the normal interval; NaN is left out.
    Mean,
    /// Counts over so many weeks each: the number a week. Any other exposure does as well.
    Rate(f64),
}

/// 97.5 % of a standard normal variable are below.
const Z: f64 = 1.959_964;

/// 97.5 % quantile of how many were expected when none came: −ln .025.
const MOST_FOR_NONE: f64 = 3.688_879;

impl Estimate {
    /// What the numbers of the seeds come to.
    pub fn of(kind: Kind, numbers: &[f64]) -> Self {
        match kind {
            Kind::Share => Self::share(numbers.iter().filter(|hit| **hit > 0.5).count(), numbers.len()),
            Kind::Mean => Self::mean(numbers),
            Kind::Rate(weeks) => Self::a_week(numbers, weeks),
        }
    }

    /// So many hits of so many trials.
    pub fn share(hits: usize, trials: usize) -> Self {
        let value = if trials == 0 {
            f64::NAN
        } else {
            hits as f64 / trials as f64
        };
        Self {
            value,
            interval: wilson_interval(hits as f64, trials as f64, 0.95),
            trials,
        }
    }

    /// The mean of what is finite.
    pub fn mean(numbers: &[f64]) -> Self {
        let there: Vec<f64> = numbers
            .iter()
            .copied()
            .filter(|number| number.is_finite())
            .collect();
        let n = there.len() as f64;
        let value = there.iter().sum::<f64>() / n;
        let squares: f64 = there.iter().map(|number| (number - value).powi(2)).sum();
        let half = Z * (squares / (n - 1.0).max(1.0) / n).sqrt();
        Self {
            value,
            interval: (value - half, value + half),
            trials: there.len(),
        }
    }

    fn a_week(counts: &[f64], weeks: f64) -> Self {
        let rates: Vec<f64> = counts.iter().map(|count| count / weeks).collect();
        let mut estimate = Self::mean(&rates);
        let all = weeks * rates.len() as f64;
        if estimate.value <= 0.0 {
            estimate.interval = (0.0, MOST_FOR_NONE / all);
        }
        estimate.interval.0 = estimate.interval.0.max(0.0);
        estimate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_means_and_rates_hold_their_value() {
        for (kind, numbers, value) in [
            (Kind::Share, [1.0, 0.0, 1.0, 1.0], 0.75),
            (Kind::Mean, [1.0, f64::NAN, 3.0, 5.0], 3.0),
            (Kind::Rate(2.0), [0.0, 1.0, 0.0, 3.0], 0.5),
        ] {
            let found = Estimate::of(kind, &numbers);
            assert!((found.value - value).abs() < 1e-12, "{found:?}");
            assert!(found.interval.0 < value && value < found.interval.1, "{found:?}");
        }
    }

    #[test]
    fn none_in_many_weeks_is_no_certainty() {
        let found = Estimate::of(Kind::Rate(8.0), &[0.0; 10]);
        assert_eq!((found.value, found.interval.0), (0.0, 0.0));
        assert!((found.interval.1 - 3.688_879 / 80.0).abs() < 1e-12);
    }
}
