/// Result of [`theil_sen`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TheilSen {
    /// Median of the slopes between all pairs, per step.
    pub slope: f64,
    /// Interval of the slope.
    pub interval: (f64, f64),
    /// Value of the line at the first step: the median of what is left of the values without the slope.
    pub intercept: f64,
}

/// The line through a series that a third of outliers cannot turn, with the interval of its slope: the pairs' slopes at the
/// ranks that lie `half_width` (in pairs, from the deviation of the Mann-Kendall score) around the middle. NaN is missing.
/// `None` with fewer than two values. Takes time and memory with the square of the number of values.
///
/// P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", J. Am. Statist. Ass. 63 (1968).
pub fn theil_sen(values: &[f64], half_width: f64) -> Option<TheilSen> {
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_finite())
        .map(|(step, value)| (step as f64, *value))
        .collect();
    if points.len() < 2 {
        return None;
    }
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    for (index, (step, value)) in points.iter().enumerate() {
        for (earlier, before) in &points[..index] {
            slopes.push((value - before) / (step - earlier));
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let last = slopes.len() - 1;
    let middle = slopes.len() as f64 / 2.0;
    let slope = (slopes[last / 2] + slopes[slopes.len() / 2]) / 2.0;
    let lower = ((middle - half_width / 2.0).round() - 1.0).max(0.0) as usize;
    let upper = ((middle + half_width / 2.0).round() as usize).min(last);
    let rest: Vec<f64> = points.iter().map(|(step, value)| value - slope * step).collect();
    Some(TheilSen {
        slope,
        interval: (slopes[lower.min(last)], slopes[upper]),
        intercept: crate::robust::median(&rest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn outliers_do_not_turn_the_line() {
        let mut values: Vec<f64> = (0..30).map(|step| 2.0 + 0.5 * f64::from(step)).collect();
        for index in [3, 9, 14, 20, 27] {
            values[index] = 1e6;
        }
        values[5] = f64::NAN;
        let line = theil_sen(&values, 0.0).unwrap();
        assert!((line.slope - 0.5).abs() < 1e-9 && (line.intercept - 2.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_line_follows_shift_scale_and_slope(
            values in prop::collection::vec(-1e2..1e2_f64, 5..30), shift in -10.0..10.0_f64, scale in 0.1..10.0_f64,
            slope in -5.0..5.0_f64, half_width in 0.0..50.0_f64,
        ) {
            let plain = theil_sen(&values, half_width).unwrap();
            let moved: Vec<f64> = values.iter().enumerate().map(|(t, v)| shift + scale * v + slope * t as f64).collect();
            let moved = theil_sen(&moved, half_width).unwrap();
            prop_assert!((moved.slope - scale * plain.slope - slope).abs() < 1e-6);
            prop_assert!((moved.interval.0 - scale * plain.interval.0 - slope).abs() < 1e-6);
            prop_assert!(plain.interval.0 <= plain.slope && plain.slope <= plain.interval.1);
        }
    }
}
