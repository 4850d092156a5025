//! A figure with what it may be wrong by.

use kaizen_stats::{
    Predicted, bootstrap_interval, expected_calibration_error, reliability_curve, wilson_interval,
};
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
    /// 1 for a hit and 0 for none: the share of hits, with E. B. Wilson's interval; NaN is left out.
    Share,
    /// The mean, with the normal interval; NaN is left out.
    Mean,
    /// Counts over so many weeks each: the number a week. Any other exposure does as well.
    Rate(f64),
    /// Stated probabilities, [`CAME_TRUE`] more where what they are of was so, so many in a row of each seed: how far what is
    /// stated is from what is on average, over ten bins, and as far to each side as half the interval of resampled seeds is
    /// wide; NaN is left out.
    Stated(usize),
}

/// Added to the stated probability of what came true.
pub const CAME_TRUE: f64 = 2.0;

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// Resamples of the seeds, and what they are drawn by.
const RESAMPLES: usize = 400;
const DRAWN_BY: u64 = 1;

/// 97.5 % of a standard normal variable are below.
const Z: f64 = 1.959_964;

/// 97.5 % quantile of how many were expected when none came: −ln .025.
const MOST_FOR_NONE: f64 = 3.688_879;

impl Estimate {
    /// What the numbers of the seeds come to.
    pub fn of(kind: Kind, numbers: &[f64]) -> Self {
        match kind {
            Kind::Share => {
                let asked = numbers.iter().filter(|number| number.is_finite());
                Self::share(numbers.iter().filter(|hit| **hit > 0.5).count(), asked.count())
            }
            Kind::Mean => Self::mean(numbers),
            Kind::Rate(weeks) => Self::a_week(numbers, weeks),
            Kind::Stated(of_seed) => Self::stated(numbers, of_seed.max(1)),
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

    fn stated(numbers: &[f64], of_seed: usize) -> Self {
        let seeds: Vec<&[f64]> = numbers.chunks(of_seed).collect();
        let error = |drawn: &[f64]| {
            let drawn = drawn.iter().filter_map(|seed| seeds.get(*seed as usize));
            expected_calibration_error(&reliability_curve(&predicted(drawn.copied().flatten()), BINS))
        };
        let places: Vec<f64> = (0..seeds.len()).map(|seed| seed as f64).collect();
        let interval = bootstrap_interval(&places, error, 1.0, RESAMPLES, (DRAWN_BY, 0.95));
        let half = interval.map_or(f64::NAN, |(low, high)| (high - low) / 2.0);
        let value = error(&places);
        Self {
            value,
            interval: ((value - half).max(0.0), value + half),
            trials: numbers.iter().filter(|number| number.is_finite()).count(),
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

fn predicted<'a>(numbers: impl Iterator<Item = &'a f64>) -> Vec<Predicted> {
    let one = |number: &f64| {
        let came_true = *number >= CAME_TRUE;
        Predicted {
            probability: if came_true { number - CAME_TRUE } else { *number },
            trials: 1.0,
            successes: f64::from(u8::from(came_true)),
        }
    };
    numbers.filter(|number| number.is_finite()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_is_no_trial_of_a_share() {
        let found = Estimate::of(Kind::Share, &[1.0, f64::NAN, 0.0, f64::NAN]);
        assert_eq!((found.value, found.trials), (0.5, 2));
    }

    #[test]
    fn stated_probabilities_are_off_by_as_much_as_they_are_too_bold() {
        // Of a thousand of which .75 is stated, a number without rounding, as many come true as are asked.
        let stated = |hits: usize| -> Vec<f64> {
            (0..1000)
                .map(|trial| 0.75 + if trial < hits { CAME_TRUE } else { 0.0 })
                .collect()
        };
        for (hits, off) in [(750, 0.0), (550, 0.2)] {
            let found = Estimate::of(Kind::Stated(1), &stated(hits));
            assert!((found.value - off).abs() < 1e-9, "{found:?}");
            assert!(
                found.interval.0 <= off && off <= found.interval.1 + 1e-9,
                "{found:?}"
            );
        }
        let found = Estimate::of(Kind::Stated(2), &[f64::NAN, 0.5, 2.5, f64::NAN]);
        assert_eq!((found.value, found.trials), (0.0, 2));
    }

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
