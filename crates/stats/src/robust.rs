/// Median of the values, the mean of the two in the middle for an even number. NaN without values.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The quantile at a share in 0..=1, between neighbours in proportion (type 7 of Hyndman and Fan, SciPy's and R's own).
/// NaN without values.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let mut values = values.to_vec();
    let position = share * (values.len() - 1) as f64;
    let below = position.floor() as usize;
    let (_, lower, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let lower = *lower;
    let upper = above.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    lower + (upper - lower) * (position - below as f64)
}

/// Standard deviation of the bulk of the values around a centre: the median distance, scaled so that it is the standard
/// deviation for normal values. Up to half of the values may be anything. NaN without values.
///
/// F. R. Hampel, "The Influence Curve and its Role in Robust Estimation", J. Am. Statist. Ass. 69 (1974).
pub(crate) fn scale(values: &[f64], centre: f64) -> f64 {
    let distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    median(&distances) / 0.674_489_750_196_081_7
}

/// Median of the values within `reach` steps of each; NaN is missing, and a step whose neighbours are all missing has NaN.
/// At the ends the window is cut. Takes time with the number of values times `reach`, in moves of memory.
pub(crate) fn running_median(values: &[f64], reach: usize) -> Vec<f64> {
    let mut window: Vec<f64> = Vec::with_capacity(2 * reach + 2);
    let place = |window: &[f64], value: f64| window.partition_point(|other| other.total_cmp(&value).is_lt());
    let mut next = 0;
    (0..values.len())
        .map(|step| {
            while next < values.len().min(step + reach + 1) {
                if values[next].is_finite() {
                    let index = place(&window, values[next]);
                    window.insert(index, values[next]);
                }
                next += 1;
            }
            if step > reach && values[step - reach - 1].is_finite() {
                let index = place(&window, values[step - reach - 1]);
                window.remove(index);
            }
            match window.len() {
                0 => f64::NAN,
                n => (window[(n - 1) / 2] + window[n / 2]) / 2.0,
            }
        })
        .collect()
}

/// The values that are numbers.
pub(crate) fn present(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| value.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours_in_proportion() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(quantile(&[0.0, 10.0], 0.25), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_running_median_is_that_of_its_window() {
        let values = [5.0, 1.0, f64::NAN, 3.0, 2.0, 9.0, 4.0, -0.0, 0.0];
        for reach in [1, 2, 4] {
            for (step, found) in running_median(&values, reach).into_iter().enumerate() {
                let window = &values[step.saturating_sub(reach)..values.len().min(step + reach + 1)];
                assert_eq!(found, median(&present(window)));
            }
        }
    }

    #[test]
    fn a_third_of_wild_values_leaves_the_scale_near_that_of_the_rest() {
        let values = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 1e9, -1e9, 1e9];
        assert!(scale(&values, median(&values)) < 5.0);
    }
}
