use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Interval of a statistic of `values` that covers with probability `level`, by resampling blocks of neighbours: values may
/// depend on their neighbours. `block` is the mean length of a block ([`block_length`]); 1 for independent values. The same
/// `seed` gives the same interval. `None` without values or resamples, or where the statistic is not a number.
///
/// D. N. Politis and J. P. Romano, "The Stationary Bootstrap", J. Am. Stat. Assoc. 89 (1994); the basic interval, which
/// follows the bias of the statistic.
pub fn bootstrap_interval(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    block: f64,
    resamples: usize,
    (seed, level): (u64, f64),
) -> Option<(f64, f64)> {
    if values.is_empty() || resamples == 0 {
        return None;
    }
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let leave = 1.0 / block.max(1.0);
    let mut sample = vec![0.0; values.len()];
    let mut found = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        let mut at = random.random_range(0..values.len());
        for value in &mut sample {
            *value = values[at];
            at = if random.random::<f64>() < leave {
                random.random_range(0..values.len())
            } else {
                (at + 1) % values.len()
            };
        }
        found.push(statistic(&sample));
    }
    found.sort_by(f64::total_cmp);
    let of = |share: f64| found[((found.len() - 1) as f64 * share).round() as usize];
    let measured = statistic(values);
    let interval = (
        2.0 * measured - of(0.5 + level / 2.0),
        2.0 * measured - of(0.5 - level / 2.0),
    );
    (interval.0.is_finite() && interval.1.is_finite()).then_some(interval)
}

/// The mean length of blocks that is best for the mean of `n` values of an autoregression with coefficient `phi`; at least 1.
///
/// D. N. Politis and H. White, "Automatic Block-Length Selection for the Dependent Bootstrap", Econom. Rev. 23 (2004).
pub fn block_length(phi: f64, n: usize) -> f64 {
    let phi = phi.clamp(0.0, 0.98);
    let dependence = 2.0 * phi / (1.0 - phi * phi);
    (dependence * dependence * n as f64)
        .cbrt()
        .clamp(1.0, (n as f64 / 3.0).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_shift_and_scale_go_through() {
        let values = ar1(1, 200, 0.3);
        let moved: Vec<f64> = values.iter().map(|value| 4.0 * value + 100.0).collect();
        let plain = bootstrap_interval(&values, mean, 5.0, 500, (7, 0.95)).unwrap();
        assert_eq!(
            plain,
            bootstrap_interval(&values, mean, 5.0, 500, (7, 0.95)).unwrap()
        );
        let other = bootstrap_interval(&moved, mean, 5.0, 500, (7, 0.95)).unwrap();
        assert!(
            (other.0 - (4.0 * plain.0 + 100.0)).abs() < 1e-9
                && (other.1 - (4.0 * plain.1 + 100.0)).abs() < 1e-9
        );
    }

    #[test]
    fn blocks_cover_the_mean_of_values_that_depend_on_their_neighbours() {
        let covered = |block: f64| {
            (0..200)
                .filter(|seed| {
                    let interval =
                        bootstrap_interval(&ar1(*seed, 400, 0.6), mean, block, 400, (*seed, 0.95)).unwrap();
                    interval.0 <= 0.0 && 0.0 <= interval.1
                })
                .count()
        };
        let (with, without) = (covered(block_length(0.6, 400)), covered(1.0));
        assert!(with >= 170 && without < 150, "{with} {without}");
    }

    #[test]
    fn nothing_has_no_interval() {
        assert_eq!(bootstrap_interval(&[], mean, 1.0, 100, (1, 0.95)), None);
        assert_eq!(bootstrap_interval(&[1.0], mean, 1.0, 0, (1, 0.95)), None);
        assert_eq!(block_length(0.0, 100), 1.0);
    }
}
