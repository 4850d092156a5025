use crate::normal::two_sided;
use crate::wilson::wilson_interval;

/// Result of [`two_proportions`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoProportions {
    /// Share of the second minus share of the first, −1 to 1.
    pub difference: f64,
    /// Interval of the difference.
    pub interval: (f64, f64),
    /// The difference in its standard errors.
    pub z: f64,
    /// Two-sided p-value of no difference.
    pub p_value: f64,
}

/// Compares two proportions, each `(successes, trials)`. `dispersion` (1 or more, of
/// [`proportion_dispersion`](crate::proportion_dispersion)) says how many times the variance is that of independent trials;
/// the interval covers the difference with probability `level`. `None` without trials on both sides.
///
/// The test is the pooled score test. The interval is method 10 of R. G. Newcombe, "Interval Estimation for the Difference
/// between Independent Proportions", Stat. Med. 17 (1998): Wilson intervals of both sides, combined.
pub fn two_proportions(
    first: (f64, f64),
    second: (f64, f64),
    dispersion: f64,
    level: f64,
) -> Option<TwoProportions> {
    let dispersion = dispersion.max(1.0);
    if !(first.1 > 0.0 && second.1 > 0.0) {
        return None;
    }
    let (share_1, share_2) = (first.0 / first.1, second.0 / second.1);
    let pooled = (first.0 + second.0) / (first.1 + second.1);
    let variance = pooled * (1.0 - pooled) * (1.0 / first.1 + 1.0 / second.1) * dispersion;
    let difference = share_2 - share_1;
    let z = if variance > 0.0 {
        difference / variance.sqrt()
    } else {
        0.0
    };
    let (low_1, high_1) = wilson_interval(first.0 / dispersion, first.1 / dispersion, level);
    let (low_2, high_2) = wilson_interval(second.0 / dispersion, second.1 / dispersion, level);
    Some(TwoProportions {
        difference,
        interval: (
            difference - (share_2 - low_2).hypot(high_1 - share_1),
            difference + (high_2 - share_2).hypot(share_1 - low_1),
        ),
        z,
        p_value: two_sided(z),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn swapping_the_sides_turns_the_sign_and_nothing_else(
            a in 0_u32..500, b in 1_u32..500, c in 0_u32..500, d in 1_u32..500, dispersion in 1.0..4.0_f64,
        ) {
            let first = (f64::from(a.min(b)), f64::from(b));
            let second = (f64::from(c.min(d)), f64::from(d));
            let there = two_proportions(first, second, dispersion, 0.95).unwrap();
            let back = two_proportions(second, first, dispersion, 0.95).unwrap();
            prop_assert_eq!(there.difference, -back.difference);
            prop_assert!((there.p_value - back.p_value).abs() < 1e-12);
            prop_assert!((there.interval.0 + back.interval.1).abs() < 1e-12);
            prop_assert!(there.interval.0 <= there.difference && there.difference <= there.interval.1);
        }

        #[test]
        fn more_dispersion_is_less_certain_and_more_effect_is_more(
            share in 0.05..0.5_f64, lift in 0.01..0.2_f64, more in 0.01..0.2_f64,
        ) {
            let at = |lift: f64, dispersion| {
                two_proportions((share * 1e3, 1e3), ((share + lift) * 1e3, 1e3), dispersion, 0.95).unwrap()
            };
            prop_assert!(at(lift + more, 1.0).p_value <= at(lift, 1.0).p_value);
            prop_assert!(at(lift, 2.0).p_value >= at(lift, 1.0).p_value);
            prop_assert!(at(lift, 2.0).interval.0 <= at(lift, 1.0).interval.0);
        }
    }

    #[test]
    fn without_trials_there_is_no_result_and_without_scatter_no_difference() {
        assert_eq!(two_proportions((0.0, 0.0), (1.0, 2.0), 1.0, 0.95), None);
        assert_eq!(
            two_proportions((0.0, 10.0), (0.0, 20.0), 1.0, 0.95)
                .unwrap()
                .p_value,
            1.0
        );
    }
}
