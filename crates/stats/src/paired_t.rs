use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::autocorrelation::effective_n;

/// Result of [`paired_t`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// Mean of the differences, second minus first.
    pub mean_difference: f64,
    /// 95 % interval of the mean difference.
    pub interval: (f64, f64),
    /// Two-sided p-value of no difference.
    pub p_value: f64,
    /// Number of pairs.
    pub pairs: usize,
}

/// Paired t-test of `(first, second)` pairs in the order of time: is the mean difference zero? What both of a pair share (a
/// weekday, say) cancels out; differences are taken as normal with variances in inverse proportion to their `weights`, above 0,
/// all 1 for the usual test; and neighbouring ones as alike as an autoregression of order one with the coefficient `phi`, 0 for
/// independent ones. `None` with fewer than two pairs, another number of weights, or a number that is not finite. If all
/// differences are the same there is no scatter to judge by: the p-value is 1 when they are zero, else 0.
///
/// Student, "The Probable Error of a Mean", Biometrika 6 (1908). The scatter of alike neighbours is smaller than that of the
/// process, by n(n' - 1)/(n'(n - 1)) with the effective number n': H. J. Thiébaux and F. W. Zwiers, "The Interpretation and
/// Estimation of Effective Sample Size", J. Climate Appl. Meteor. 23 (1984); its freedom is that of a variance: M. S.
/// Bartlett, "Some Aspects of the Time-Correlation Problem", J. R. Statist. Soc. 98 (1935).
pub fn paired_t(pairs: &[(f64, f64)], weights: &[f64], phi: f64) -> Option<PairedT> {
    let differences: Vec<f64> = pairs.iter().map(|(first, second)| second - first).collect();
    let usable = |weight: &f64| weight.is_finite() && *weight > 0.0;
    if differences.len() < 2
        || weights.len() != pairs.len()
        || differences.iter().any(|difference| !difference.is_finite())
        || !weights.iter().all(usable)
    {
        return None;
    }
    let n = differences.len() as f64;
    let total: f64 = weights.iter().sum();
    let weighed = || differences.iter().zip(weights);
    let mean = weighed()
        .map(|(difference, weight)| weight * difference)
        .sum::<f64>()
        / total;
    // Of a difference of the mean weight.
    let squares: f64 = weighed()
        .map(|(difference, weight)| weight * n / total * (difference - mean).powi(2))
        .sum();
    if squares == 0.0 {
        return Some(PairedT {
            mean_difference: mean,
            interval: (mean, mean),
            p_value: if mean == 0.0 { 1.0 } else { 0.0 },
            pairs: differences.len(),
        });
    }
    // What says less than two values do cannot be reckoned with.
    let effective = effective_n(differences.len(), phi).max(2.0);
    let variance_of_mean = squares / n / (effective - 1.0);
    let freedom = n * (1.0 - phi * phi) / (1.0 + phi * phi) - 1.0;
    let student = StudentsT::new(0.0, 1.0, freedom.max(1.0)).ok()?;
    let error = variance_of_mean.sqrt();
    let half = student.inverse_cdf(0.975) * error;
    Some(PairedT {
        mean_difference: mean,
        interval: (mean - half, mean + half),
        p_value: 2.0 * student.cdf(-(mean / error).abs()),
        pairs: differences.len(),
    })
}

/// The same test by the scatter of earlier differences, each `(difference, weight)`, that had no change between them: of a few
/// pairs their own scatter says little. Earlier differences are taken around zero, so that what changed then counts as scatter.
/// `None` as [`paired_t`], and with fewer than two earlier ones or none that differs from zero.
pub fn paired_t_by_past(
    pairs: &[(f64, f64)],
    weights: &[f64],
    past: &[(f64, f64)],
    phi: f64,
) -> Option<PairedT> {
    let own = paired_t(pairs, weights, phi)?;
    let squares: f64 = past
        .iter()
        .map(|(difference, weight)| weight * difference * difference)
        .sum();
    if past.len() < 2 || squares <= 0.0 || !squares.is_finite() {
        return None;
    }
    let (n, earlier) = (pairs.len() as f64, past.len() as f64);
    let inflation = n / effective_n(pairs.len(), phi);
    let error = (squares / earlier / weights.iter().sum::<f64>() * inflation).sqrt();
    // Each value is in two of the earlier differences.
    let freedom = earlier / 2.0 * (1.0 - phi * phi) / (1.0 + phi * phi);
    let student = StudentsT::new(0.0, 1.0, freedom.max(1.0)).ok()?;
    let half = student.inverse_cdf(0.975) * error;
    let mean = own.mean_difference;
    Some(PairedT {
        interval: (mean - half, mean + half),
        p_value: 2.0 * student.cdf(-(mean / error).abs()),
        ..own
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;
    use proptest::prelude::*;

    #[test]
    fn too_few_pairs_or_no_numbers_have_no_result() {
        assert_eq!(paired_t(&[(1.0, 2.0)], &[1.0], 0.0), None);
        assert_eq!(
            paired_t(&[(1.0, 2.0), (f64::NAN, 1.0), (1.0, 1.0)], &[1.0; 3], 0.0),
            None
        );
    }

    #[test]
    fn differences_without_scatter_are_certain_either_way() {
        assert_eq!(
            paired_t(&[(1.0, 1.0), (2.0, 2.0)], &[1.0; 2], 0.0)
                .unwrap()
                .p_value,
            1.0
        );
        assert_eq!(
            paired_t(&[(1.0, 2.0), (2.0, 3.0)], &[1.0; 2], 0.0)
                .unwrap()
                .p_value,
            0.0
        );
    }

    #[test]
    fn of_alike_days_without_a_change_about_one_in_twenty_is_called_changed() {
        for (phi, days) in [(0.0, 7), (0.3, 7), (0.6, 7), (0.3, 14), (0.6, 28), (0.8, 28)] {
            let called = (0..4_000).filter(|seed| {
                let values = ar1(*seed, 2 * days, phi);
                let pairs: Vec<_> = (0..days).map(|day| (values[day], values[days + day])).collect();
                paired_t(&pairs, &vec![1.0; pairs.len()], phi).unwrap().p_value < 0.05
            });
            let share = called.count() as f64 / 4_000.0;
            assert!(share < 0.06, "{share} for {days} days at {phi}");
        }
    }

    #[test]
    fn the_scatter_of_the_past_tells_a_change_of_a_few_days_from_chance() {
        for phi in [0.0, 0.3, 0.6] {
            let called = |moved: f64| {
                let called = (0..4_000).filter(|seed| {
                    let values = ar1(*seed, 56, phi);
                    let past: Vec<_> = (7..49).map(|day| (values[day] - values[day - 7], 1.0)).collect();
                    let pairs: Vec<_> = (49..56)
                        .map(|day| (values[day - 7], values[day] + moved))
                        .collect();
                    paired_t_by_past(&pairs, &[1.0; 7], &past, phi).unwrap().p_value < 0.05
                });
                called.count() as f64 / 4_000.0
            };
            let (size, power) = (called(0.0), called(2.5));
            assert!(size < 0.065, "{size} at {phi}");
            assert!(power > 0.6, "{power} at {phi}");
        }
    }

    #[test]
    fn of_days_that_scatter_by_their_numbers_about_one_in_twenty_is_called_changed() {
        let weights = [1.0, 10.0, 10.0, 10.0, 10.0, 10.0, 1.0];
        let called = |weights: &[f64], moved: f64| {
            let called = (0..4_000).filter(|seed| {
                let noise = ar1(*seed, 14, 0.0);
                let scale = |day: usize| 1.0 / [1.0, 10.0, 10.0, 10.0, 10.0, 10.0, 1.0_f64][day % 7].sqrt();
                let pair = |day: usize| (noise[day] * scale(day), moved + noise[7 + day] * scale(day));
                let pairs: Vec<_> = (0..7).map(pair).collect();
                paired_t(&pairs, weights, 0.0).unwrap().p_value < 0.05
            });
            called.count() as f64 / 4_000.0
        };
        let size = called(&weights, 0.0);
        assert!((0.04..0.06).contains(&size), "{size}");
        let (weighed, not) = (called(&weights, 0.5), called(&[1.0; 7], 0.5));
        assert!(weighed > 1.5 * not, "{weighed} against {not}");
    }

    proptest! {
        #[test]
        fn a_p_value_is_a_probability_and_does_not_depend_on_the_sides(
            pairs in prop::collection::vec((-1e3..1e3_f64, -1e3..1e3_f64), 2..40), phi in 0.0..0.9_f64,
        ) {
            let there = paired_t(&pairs, &vec![1.0; pairs.len()], phi).unwrap();
            let back = paired_t(&pairs.iter().map(|(a, b)| (*b, *a)).collect::<Vec<_>>(), &vec![1.0; pairs.len()], phi).unwrap();
            prop_assert!((0.0..=1.0).contains(&there.p_value));
            prop_assert_eq!(there.p_value, back.p_value);
            prop_assert_eq!(there.mean_difference, -back.mean_difference);
        }
    }
}
