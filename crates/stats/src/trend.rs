use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::{
    autocorrelation::autocorrelation,
    mann_kendall::{freedom, mann_kendall},
    robust,
    theil_sen::theil_sen,
};

/// Result of [`trend`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change a step.
    pub slope: f64,
    /// 95 % interval of the slope, neighbours' likeness counted.
    pub interval: (f64, f64),
    /// Pairs that rise minus pairs that fall: its sign is the way of a trend, also where the median slope is 0 for ties.
    pub score: f64,
    /// Two-sided p-value of no trend.
    pub p_value: f64,
    /// How alike neighbours are, 0..=0.98.
    pub phi: f64,
    /// Values that the result rests on.
    pub values: usize,
}

/// More values than this are summed up in blocks: pairs grow with the square, and what a trend is told by does not.
const MOST: usize = 1024;

/// Does a series without season rise or fall, by how much a step, and how sure is that? Mann-Kendall with the variance of
/// an autoregression of order one, the slope of Theil and Sen. NaN is missing. `None` with fewer than 8 values.
pub fn trend(values: &[f64]) -> Option<Trend> {
    let present = values.iter().filter(|value| value.is_finite()).count();
    if present < 8 {
        return None;
    }
    let block = values.len().div_ceil(MOST);
    let blocks: Vec<f64> = values.chunks(block).map(mean_if_half).collect();
    let line = theil_sen(&blocks, 0.0)?;
    let residuals: Vec<f64> = blocks
        .iter()
        .enumerate()
        .map(|(step, value)| value - line.intercept - line.slope * step as f64)
        .collect();
    let phi = autocorrelation(&residuals, 2);
    let test = mann_kendall(&blocks, phi)?;
    let used = robust::present(&blocks).len();
    let quantile = StudentsT::new(0.0, 1.0, freedom(used, phi))
        .ok()?
        .inverse_cdf(0.975);
    let line = theil_sen(&blocks, quantile * test.variance.sqrt())?;
    let per_step = 1.0 / block as f64;
    Some(Trend {
        slope: line.slope * per_step,
        interval: (line.interval.0 * per_step, line.interval.1 * per_step),
        score: test.s,
        p_value: test.p_value,
        phi,
        values: present,
    })
}

/// The mean of a block at least half of which is there.
fn mean_if_half(block: &[f64]) -> f64 {
    let present = robust::present(block);
    if 2 * present.len() < block.len() {
        return f64::NAN;
    }
    present.iter().sum::<f64>() / present.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    const SEEDS: u64 = 300;

    /// Series of noise on a ramp that are called a trend at 5 %.
    fn called(n: usize, phi: f64, rise: f64) -> f64 {
        let called = (0..SEEDS).filter(|seed| {
            let values = ar1(*seed, n, phi);
            let ramp = values
                .iter()
                .enumerate()
                .map(|(t, value)| value + rise * t as f64 / (n - 1) as f64);
            trend(&ramp.collect::<Vec<_>>()).unwrap().p_value < 0.05
        });
        called.count() as f64 / SEEDS as f64
    }

    /// Three standard deviations of a share.
    fn chance(share: f64) -> f64 {
        3.0 * (share * (1.0 - share) / SEEDS as f64).sqrt()
    }

    #[test]
    fn noise_is_called_a_trend_as_often_as_it_says() {
        for n in [28, 90, 168] {
            for phi in [0.0, 0.3, 0.6] {
                let size = called(n, phi, 0.0);
                assert!(size <= 0.05 + chance(0.05), "{size} for {n} at {phi}");
            }
        }
    }

    #[test]
    fn a_rise_of_two_standard_deviations_is_called_a_trend() {
        for (n, phi, power) in [(90, 0.6, 0.74), (28, 0.3, 0.5)] {
            let found = called(n, phi, 2.0);
            assert!(found >= power - chance(power), "{found} for {n} at {phi}");
        }
    }

    #[test]
    fn intervals_hold_the_slope_about_as_often_as_they_say() {
        let held = (0..SEEDS).filter(|seed| {
            let values: Vec<f64> = ar1(*seed, 90, 0.5)
                .iter()
                .enumerate()
                .map(|(t, v)| v + 0.03 * t as f64)
                .collect();
            let found = trend(&values).unwrap().interval;
            found.0 <= 0.03 && 0.03 <= found.1
        });
        let held = held.count() as f64 / SEEDS as f64;
        assert!(held >= 0.95 - chance(0.95), "{held}");
    }

    #[test]
    fn a_long_series_has_the_slope_of_a_step_all_the_same() {
        let values: Vec<f64> = (0..50_000)
            .map(|t| 1e-3 * f64::from(t) + f64::from(t % 7))
            .collect();
        assert!((trend(&values).unwrap().slope - 1e-3).abs() < 1e-6);
        assert_eq!(trend(&[1.0; 7]), None);
        assert_eq!(trend(&[1.0; 40]).unwrap().p_value, 1.0);
    }

    proptest! {
        #[test]
        fn a_trend_turns_with_the_sign_and_follows_the_scale(values in prop::collection::vec(-1e2..1e2_f64, 10..40)) {
            let there = trend(&values).unwrap();
            let back = trend(&values.iter().map(|value| -4.0 * value).collect::<Vec<_>>()).unwrap();
            prop_assert!((there.slope * 4.0 + back.slope).abs() < 1e-9);
            prop_assert_eq!(there.score, -back.score);
            // Rounding may part residuals that are alike, and so turn their ranks.
            prop_assert!((there.p_value - back.p_value).abs() < 0.02);
        }
    }
}
