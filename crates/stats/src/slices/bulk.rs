/// Median of the absolute value of a standard normal.
const NORMAL_MEDIAN: f64 = 0.674_489_750_196_081_7;
/// Of more values every so-manieth is looked at.
const MOST: usize = 4_000;
/// Fewer values say little.
pub(crate) const ENOUGH: usize = 12;

/// How much values vary beyond their own variances, given as `(value, variance)`: the variance with which half of them lie
/// as near to their median as chance brings half of them. What a few of them do, like the slices of a cause, hardly
/// counts. A little is added, as with few values half of them may be near by chance. `None` with fewer than `enough`.
pub(crate) fn variance_beyond(values: &[(f64, f64)], enough: usize) -> Option<f64> {
    let step = values.len().div_ceil(MOST).max(1);
    let mut looked_at: Vec<(f64, f64)> = values.iter().step_by(step).copied().collect();
    if looked_at.len() < enough {
        return None;
    }
    let half = looked_at.len() / 2;
    let middle = looked_at
        .select_nth_unstable_by(half, |a, b| a.0.total_cmp(&b.0))
        .1
        .0;
    let largest = looked_at
        .iter()
        .map(|(value, _)| (value - middle).powi(2))
        .fold(0.0, f64::max);
    let too_wide = |beyond: f64| {
        let mut scores: Vec<f64> = looked_at
            .iter()
            .map(|(value, variance)| (value - middle).abs() / (variance + beyond).sqrt())
            .collect();
        *scores.select_nth_unstable_by(half, f64::total_cmp).1 > NORMAL_MEDIAN
    };
    if !too_wide(0.0) {
        return Some(0.0);
    }
    let (mut low, mut high) = (0.0, 4.0 * largest);
    for _ in 0..30 {
        let beyond = f64::midpoint(low, high);
        if too_wide(beyond) {
            low = beyond;
        } else {
            high = beyond;
        }
    }
    Some(high * (1.0 + 2.0 / (looked_at.len() as f64).sqrt()))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    #[test]
    fn the_bulk_shows_the_variance_and_a_tenth_that_moved_away_hardly_counts() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let values: Vec<(f64, f64)> = (0..3_000)
            .map(|at| (5.0 * normal() + if at % 10 == 0 { 1e3 } else { 0.0 }, 9.0))
            .collect();
        let found = variance_beyond(&values, ENOUGH).unwrap();
        assert!((12.0..32.0).contains(&found), "{found}");
        let quiet: Vec<(f64, f64)> = (0..1_000).map(|_| (2.9 * normal(), 9.0)).collect();
        assert!(variance_beyond(&quiet, ENOUGH).unwrap() < 1.0);
        assert_eq!(variance_beyond(&values[..11], ENOUGH), None);
    }
}
