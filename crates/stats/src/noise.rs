use statrs::distribution::{Continuous, ContinuousCDF, Normal};

use crate::autocorrelation::{MOST, autocorrelation, corrected, raw};

/// How a series scatters around its level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Noise {
    /// Variance.
    pub(crate) variance: f64,
    /// How alike neighbours are, 0..=0.98.
    pub(crate) phi: f64,
    /// Variance that the mean of many values has, times their number: the variance times this.
    pub(crate) inflation: f64,
}

impl Noise {
    /// The noise of a series that may step and drift, from the differences of neighbours and of next neighbours: a step is
    /// in one or two of them. The largest twentieth of the differences is left out, and what that takes away added again.
    /// NaN is missing.
    pub(crate) fn of_differences(values: &[f64]) -> Noise {
        let one = mean_square_of_differences(values, 1);
        let two = mean_square_of_differences(values, 2);
        // 2σ²(1 - φ) and 2σ²(1 - φ²).
        let phi = if one > 0.0 {
            (two / one - 1.0).clamp(0.0, MOST)
        } else {
            0.0
        };
        let n = crate::robust::present(values).len().max(4) as f64;
        // A standard error more: a variance of the mean that is taken too low makes changes of noise.
        let high = (phi + MARGIN * ((1.0 - phi * phi) / n).sqrt()).min(MOST);
        Noise {
            variance: one / (2.0 * (1.0 - phi)),
            phi,
            inflation: (1.0 + high) / (1.0 - high),
        }
    }

    /// The noise seen in the residuals of a series cut into `segments`, each with a fit of its own.
    pub(crate) fn of_residuals(residuals: &[f64], segments: usize) -> Noise {
        let present = crate::robust::present(residuals);
        let n = present.len();
        let square: f64 = present.iter().map(|value| value * value).sum();
        let variance = square / n.saturating_sub(segments).max(1) as f64;
        let lag_one = corrected(raw(residuals).1, n / segments.max(1), 1);
        let mut inflation = (1.0 + lag_one) / (1.0 - lag_one);
        // Where the likeness fades slower than it starts (noise of measuring on top of something slow), its tail counts.
        let apart: Vec<f64> = residuals.iter().step_by(2).copied().collect();
        let lag_two = autocorrelation(&apart, 1);
        if lag_one > 0.2 && n > 60 * segments {
            let fading = (lag_two / lag_one).clamp(0.0, MOST);
            inflation = inflation.max(1.0 + 2.0 * lag_one / (1.0 - fading));
        }
        Noise {
            variance,
            phi: lag_one,
            inflation,
        }
    }

    /// Variance of the mean of many values, times their number.
    pub(crate) fn long_run(&self) -> f64 {
        self.variance * self.inflation
    }
}

/// Standard errors that the coefficient is taken higher for the inflation.
const MARGIN: f64 = 1.0;

/// Share of the differences that steps and outliers may be in, for each step of the lag: a step is in as many.
const LEFT_OUT: f64 = 0.05;

fn mean_square_of_differences(values: &[f64], lag: usize) -> f64 {
    let pairs = values.iter().zip(values.iter().skip(lag));
    let mut squares: Vec<f64> = pairs
        .map(|(a, b)| (b - a).powi(2))
        .filter(|square| square.is_finite())
        .collect();
    let left_out = (squares.len() as f64 * LEFT_OUT).ceil() as usize * lag;
    let kept = squares.len().saturating_sub(left_out);
    if kept == 0 {
        return 0.0;
    }
    if kept < squares.len() {
        squares.select_nth_unstable_by(kept, f64::total_cmp);
    }
    let share = kept as f64 / squares.len() as f64;
    let normal = Normal::standard();
    let bound = normal.inverse_cdf((1.0 + share) / 2.0);
    let within = if bound.is_finite() {
        share - 2.0 * bound * normal.pdf(bound)
    } else {
        1.0
    };
    squares[..kept].iter().sum::<f64>() / squares.len() as f64 / within
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    #[test]
    fn noise_is_told_from_the_steps_of_a_level() {
        for phi in [0.0, 0.5, 0.8] {
            let values: Vec<f64> = ar1(11, 2000, phi)
                .iter()
                .enumerate()
                .map(|(n, value)| value + 5.0 * (n / 500) as f64)
                .collect();
            let noise = Noise::of_differences(&values);
            assert!((noise.phi - phi).abs() < 0.1, "{noise:?} for {phi}");
            assert!((noise.variance - 1.0).abs() < 0.35, "{noise:?} for {phi}");
        }
    }
}
