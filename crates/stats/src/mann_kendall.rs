use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Result of [`mann_kendall`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// Pairs that rise minus pairs that fall.
    pub s: f64,
    /// Variance of `s` without a trend, ties and autocorrelation counted.
    pub variance: f64,
    /// Two-sided p-value of no trend.
    pub p_value: f64,
}

/// Is there a monotonic trend in a series whose neighbours are alike with coefficient `phi` (0: independent)? NaN is
/// missing. The variance is the one for ties, inflated for an autoregression of order one; with `phi` above 0 the scatter
/// of its estimate is allowed for by Student's t over the effective number of values. `None` with fewer than 4 values.
///
/// H. B. Mann, "Nonparametric Tests Against Trend", Econometrica 13 (1945); K. H. Hamed and A. R. Rao, "A modified
/// Mann-Kendall trend test for autocorrelated data", J. Hydrol. 204 (1998), with the autocorrelations that the
/// autoregression implies in place of the ones found.
pub fn mann_kendall(values: &[f64], phi: f64) -> Option<MannKendall> {
    let values = crate::robust::present(values);
    let n = values.len();
    if n < 4 {
        return None;
    }
    let count = n as f64;
    let (s, ties) = score(&values);
    let independent = (count * (count - 1.0) * (2.0 * count + 5.0) - ties) / 18.0;
    let inflation = inflation(n, phi);
    let variance = independent * inflation;
    if variance <= 0.0 {
        return Some(MannKendall {
            s,
            variance: 0.0,
            p_value: 1.0,
        });
    }
    let z = (s.abs() - 1.0).max(0.0) / variance.sqrt();
    let p_value = if phi == 0.0 {
        2.0 * Normal::standard().cdf(-z)
    } else {
        2.0 * StudentsT::new(0.0, 1.0, freedom(n, phi)).ok()?.cdf(-z)
    };
    Some(MannKendall { s, variance, p_value })
}

/// Degrees of freedom of the score over its estimated deviation. The first bound is that of the delta method; the second
/// holds the size of the test in simulation (`examples/series.rs`) where few values are alike.
pub(crate) fn freedom(n: usize, phi: f64) -> f64 {
    let count = n as f64;
    let independent = count * (1.0 - phi) / (1.0 + phi);
    (independent.powi(3) / 100.0)
        .min(count * (1.0 - phi * phi))
        .max(2.0)
}

/// How much more the score scatters than with independent values.
fn inflation(n: usize, phi: f64) -> f64 {
    let count = n as f64;
    let mut power = 1.0;
    let mut sum = 0.0;
    for lag in 1..n {
        power *= phi;
        if power < 1e-9 {
            break;
        }
        let left = count - lag as f64;
        let of_ranks = 6.0 / std::f64::consts::PI * (power / 2.0).asin();
        sum += left * (left - 1.0) * (left - 2.0) * of_ranks;
    }
    1.0 + 2.0 * sum / (count * (count - 1.0) * (count - 2.0))
}

/// The score, and Σ t(t - 1)(2t + 5) over groups of t equal values.
fn score(values: &[f64]) -> (f64, f64) {
    let mut sorted = values.to_vec();
    let inversions = inversions(&mut sorted, &mut vec![0.0; values.len()]) as f64;
    let (mut tied_pairs, mut ties) = (0.0, 0.0);
    for group in sorted.chunk_by(|a, b| a == b) {
        let t = group.len() as f64;
        tied_pairs += t * (t - 1.0) / 2.0;
        ties += t * (t - 1.0) * (2.0 * t + 5.0);
    }
    let n = values.len() as f64;
    (n * (n - 1.0) / 2.0 - tied_pairs - 2.0 * inversions, ties)
}

/// Sorts and counts the pairs that stood the wrong way round.
fn inversions(values: &mut [f64], room: &mut [f64]) -> u64 {
    let n = values.len();
    if n < 2 {
        return 0;
    }
    let middle = n / 2;
    let mut count = inversions(&mut values[..middle], &mut room[..middle])
        + inversions(&mut values[middle..], &mut room[middle..]);
    let (mut left, mut right) = (0, middle);
    for slot in room.iter_mut() {
        if right == n || (left < middle && values[left] <= values[right]) {
            *slot = values[left];
            left += 1;
        } else {
            *slot = values[right];
            right += 1;
            count += (middle - left) as u64;
        }
    }
    values.copy_from_slice(room);
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_constant_series_has_no_trend() {
        assert_eq!(mann_kendall(&[2.0; 20], 0.0).unwrap().p_value, 1.0);
    }

    #[test]
    fn three_values_are_too_few() {
        assert_eq!(mann_kendall(&[1.0, f64::NAN, 2.0, 3.0], 0.0), None);
    }

    proptest! {
        #[test]
        fn the_score_is_the_count_of_pairs(values in prop::collection::vec(-5..5_i32, 4..40)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut s = 0.0;
            for (index, later) in values.iter().enumerate() {
                for earlier in &values[..index] {
                    s += if later > earlier { 1.0 } else if later < earlier { -1.0 } else { 0.0 };
                }
            }
            prop_assert_eq!(mann_kendall(&values, 0.0).unwrap().s, s);
        }

        #[test]
        fn the_test_does_not_depend_on_scale_and_turns_with_the_sign(
            values in prop::collection::vec(-1e3..1e3_f64, 4..40), phi in 0.0..0.9_f64,
        ) {
            let there = mann_kendall(&values, phi).unwrap();
            let back = mann_kendall(&values.iter().map(|value| -3.0 * value).collect::<Vec<_>>(), phi).unwrap();
            prop_assert_eq!(there.s, -back.s);
            prop_assert_eq!(there.p_value, back.p_value);
            prop_assert!((0.0..=1.0).contains(&there.p_value));
        }

        #[test]
        fn more_autocorrelation_makes_no_trend_more_certain(
            values in prop::collection::vec(-1e3..1e3_f64, 10..40), phi in 0.0..0.8_f64,
        ) {
            let (less, more) = (mann_kendall(&values, phi).unwrap(), mann_kendall(&values, phi + 0.1).unwrap());
            prop_assert!(more.p_value >= less.p_value);
        }
    }
}
