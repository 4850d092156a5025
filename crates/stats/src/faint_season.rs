use crate::seasonal::{parts, without_average};
use crate::shrinkage::shrunk;

/// Parts of a cycle: the days of a week.
const PARTS: usize = 7;
/// Fewest cycles that tell how sure a part's mean is.
const FEWEST: usize = 4;

/// Takes out of a series what the parts of a cycle are likely to differ by where that is too little to be told as a season: its parts'
/// means around a moving average, drawn towards 0 by how unsure they are. A weekend that lies a little higher than other days is else
/// taken for a change of level in one of many weeks. Of a series without a cycle nearly nothing is taken. NaN is missing.
///
/// `period` is the length of the cycle in steps; one of fewer than seven steps, or seen fewer than four times, is left as it is.
/// The shrinkage is that of [`crate::shrunk`].
pub(crate) fn without_faint_season(values: &[f64], period: usize) -> Vec<f64> {
    if period < PARTS || values.len() < FEWEST * period {
        return values.to_vec();
    }
    let swing = without_average(values, period);
    let of_cycles = parts(&swing, period, PARTS);
    let measured: Vec<_> = (0..PARTS)
        .filter_map(|part| mean_and_error(of_cycles.iter().skip(part).step_by(PARTS)))
        .collect();
    if measured.len() < PARTS {
        return values.to_vec();
    }
    let likely: Vec<f64> = shrunk(&measured).iter().map(|part| part.value).collect();
    let centre = likely.iter().sum::<f64>() / PARTS as f64;
    let season = |step: usize| likely[step % period * PARTS / period] - centre;
    (values.iter().enumerate())
        .map(|(step, value)| value - season(step))
        .collect()
}

/// Mean of a part over the cycles, and its standard error; cycles are far enough apart to count as independent.
fn mean_and_error<'a>(cycles: impl Iterator<Item = &'a f64>) -> Option<(f64, f64)> {
    let present: Vec<f64> = cycles.copied().filter(|mean| mean.is_finite()).collect();
    let n = present.len() as f64;
    let mean = present.iter().sum::<f64>() / n;
    let square: f64 = present.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (square / (n - 1.0) / n).sqrt();
    (present.len() >= FEWEST && error > 0.0).then_some((mean, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    const WEEK: usize = 168;

    /// Standard deviation of the days' means over all weeks.
    fn swing_of_days(values: &[f64]) -> f64 {
        let days: Vec<f64> = (0..7)
            .map(|day| {
                let its = values.chunks_exact(24).skip(day).step_by(7).flatten();
                its.clone().sum::<f64>() / its.count() as f64
            })
            .collect();
        let mean = days.iter().sum::<f64>() / 7.0;
        (days.iter().map(|day| (day - mean).powi(2)).sum::<f64>() / 7.0).sqrt()
    }

    #[test]
    fn a_weekend_a_little_higher_is_mostly_taken_out() {
        let (mut before, mut after) = (0.0, 0.0);
        for seed in 0..20 {
            let mut values = ar1(seed, 10 * WEEK, 0.3);
            for (hour, value) in values.iter_mut().enumerate() {
                *value += if hour % WEEK >= 120 { 0.4 } else { 0.0 };
            }
            before += swing_of_days(&values);
            after += swing_of_days(&without_faint_season(&values, WEEK));
        }
        assert!(after < 0.4 * before, "{after} of {before}");
    }

    #[test]
    fn of_noise_nearly_nothing_is_taken() {
        for seed in 0..20 {
            let values = ar1(seed, 10 * WEEK, 0.3);
            let left = without_faint_season(&values, WEEK);
            let taken: f64 = values.iter().zip(&left).map(|(a, b)| (a - b).powi(2)).sum();
            assert!(taken / (values.len() as f64) < 0.02, "seed {seed}: {taken}");
        }
    }

    #[test]
    fn a_step_stays_as_high_as_it_is() {
        let mut values = ar1(3, 10 * WEEK, 0.3);
        values[1400..].iter_mut().for_each(|value| *value += 2.0);
        let left = without_faint_season(&values, WEEK);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let height = |values: &[f64]| mean(&values[1400..]) - mean(&values[1120..1400]);
        assert!((height(&left) - height(&values)).abs() < 0.05);
    }

    #[test]
    fn too_few_cycles_and_short_ones_are_left_as_they_are() {
        let values = ar1(1, 3 * WEEK, 0.0);
        assert_eq!(without_faint_season(&values, WEEK), values);
        assert_eq!(without_faint_season(&values, 6), values);
        let missing = vec![f64::NAN; 10 * WEEK];
        assert!(
            without_faint_season(&missing, WEEK)
                .iter()
                .all(|value| value.is_nan())
        );
    }
}
