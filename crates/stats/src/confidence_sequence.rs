use crate::autocorrelation::autocorrelation;

/// Intervals of a difference to a baseline that may be looked at after every step: they cover it at all looks together with
/// probability `level`, so that stopping when one excludes zero is honest.
///
/// I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, "Time-Uniform Central Limit Theory and Asymptotic
/// Confidence Sequences", Ann. Stat. 52 (2024), with the mixture of H. Robbins, "Statistical Methods Related to the Law of
/// the Iterated Logarithm", Ann. Math. Stat. 41 (1970). Two things are added: steps that depend on their neighbours count
/// by their long-run variance, that of an autoregression of order one, and the mean of the baseline has an error of its
/// own, which no number of steps removes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceSequence {
    /// Mean of the baseline.
    baseline: f64,
    /// Variance of that mean.
    baseline_variance: f64,
    /// Long-run variance of a step.
    step_variance: f64,
    /// Variance of the effects that the intervals are made for.
    effect_variance: f64,
    level: f64,
}

/// A baseline needs this many steps.
const LEAST_STEPS: usize = 8;

impl ConfidenceSequence {
    /// Of a baseline of steps (days, say) in order, NaN where one is missing. `narrow_at` is the number of steps after which
    /// the intervals are to be about as narrow as they can be. `None` with fewer than 8 steps, or where they do not vary.
    pub fn new(baseline: &[f64], narrow_at: usize, level: f64) -> Option<Self> {
        let there: Vec<f64> = baseline
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        if there.len() < LEAST_STEPS {
            return None;
        }
        let n = there.len() as f64;
        let mean = there.iter().sum::<f64>() / n;
        let residuals: Vec<f64> = baseline.iter().map(|value| value - mean).collect();
        let phi = autocorrelation(&residuals, 1);
        let inflation = (1.0 + phi) / (1.0 - phi);
        // The squares around the mean miss what the mean itself varies.
        let degrees = (n - inflation).max(1.0);
        let variance = there.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / degrees;
        // The variance and φ are estimates: with few independent values they are often too small.
        let few = 1.0 + 2.0 * inflation / n;
        let step_variance = variance * inflation * few;
        if !(step_variance > 0.0 && step_variance.is_finite()) {
            return None;
        }
        let steps = narrow_at.max(1) as f64;
        let bound = -2.0 * (1.0 - level).ln();
        Some(Self {
            baseline: mean,
            baseline_variance: step_variance / n,
            step_variance,
            effect_variance: (step_variance / steps + step_variance / n) * (bound + bound.ln() + 1.0),
            level,
        })
    }

    /// Interval of the difference to the baseline after `steps` steps whose mean is `mean`. Without a step it is unbounded.
    pub fn interval(&self, mean: f64, steps: usize) -> (f64, f64) {
        if steps == 0 {
            return (f64::NEG_INFINITY, f64::INFINITY);
        }
        let error = self.step_variance / steps as f64 + self.baseline_variance;
        let wide = error + self.effect_variance;
        let bound = -2.0 * (1.0 - self.level).ln() + (wide / error).ln();
        let half = (error * wide / self.effect_variance * bound).sqrt();
        let difference = mean - self.baseline;
        (difference - half, difference + half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    /// Of series of 60 days before and 28 after, how many are called changed at any daily look.
    fn called(series: u64, phi: f64, effect: f64) -> usize {
        (0..series)
            .filter(|seed| {
                let days = ar1(*seed, 88, phi);
                let sequence = ConfidenceSequence::new(&days[..60], 14, 0.95).unwrap();
                let mut sum = 0.0;
                days[60..].iter().enumerate().any(|(day, value)| {
                    sum += value + effect;
                    let (low, high) = sequence.interval(sum / (day + 1) as f64, day + 1);
                    low > 0.0 || high < 0.0
                })
            })
            .count()
    }

    #[test]
    fn looking_daily_for_a_month_calls_few_unchanged_series_changed() {
        for phi in [0.0, 0.3, 0.6] {
            // At a true rate of 5 %, 34 or more of 400 have a chance of 1 in 500.
            let false_ones = called(400, phi, 0.0);
            assert!(false_ones < 34, "{phi}: {false_ones} of 400");
        }
    }

    #[test]
    fn a_large_change_is_called_and_a_larger_one_sooner() {
        assert!(called(200, 0.0, 1.5) > 190);
        assert!(called(200, 0.3, 1.0) <= called(200, 0.3, 2.0));
    }

    #[test]
    fn intervals_narrow_with_steps_but_never_below_the_error_of_the_baseline() {
        let sequence = ConfidenceSequence::new(&ar1(3, 60, 0.3), 14, 0.95).unwrap();
        let width = |steps| {
            let (low, high) = sequence.interval(0.0, steps);
            high - low
        };
        assert!(width(0).is_infinite() && width(1) > width(10) && width(10) > width(100));
        assert!(width(1_000_000_000) > 2.0 * 1.96 * sequence.baseline_variance.sqrt());
    }

    #[test]
    fn sign_shift_and_scale_go_through() {
        let days = ar1(3, 60, 0.3);
        let plain = ConfidenceSequence::new(&days, 14, 0.95).unwrap().interval(1.0, 5);
        let turned: Vec<f64> = days.iter().map(|value| 10.0 - 3.0 * value).collect();
        let other = ConfidenceSequence::new(&turned, 14, 0.95)
            .unwrap()
            .interval(7.0, 5);
        assert!((other.0 + 3.0 * plain.1).abs() < 1e-9 && (other.1 + 3.0 * plain.0).abs() < 1e-9);
    }

    #[test]
    fn too_short_or_constant_baselines_have_none() {
        assert_eq!(ConfidenceSequence::new(&[1.0; 7], 14, 0.95), None);
        assert_eq!(ConfidenceSequence::new(&[1.0; 60], 14, 0.95), None);
    }
}
