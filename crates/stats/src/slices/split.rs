use crate::welch::Moments;

/// What a slice adds to the change of the mean of everything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// By having another share of everything than before.
    pub mix: f64,
    /// By its own mean having changed.
    pub rate: f64,
}

/// Splits what a slice adds to the change of the mean of everything. Summed over slices that make up everything, both
/// parts together are that change. `None` where a period has nothing, of the slice or at all.
///
/// E. M. Kitagawa, "Components of a Difference between two Rates", J. Am. Stat. Assoc. 50 (1955); shares are taken around
/// the mean of everything, so that a larger share of a slice like all others adds nothing.
pub fn split_change(slice: (Moments, Moments), all: (Moments, Moments)) -> Option<Split> {
    let share_before = slice.0.count / all.0.count;
    let share_after = slice.1.count / all.1.count;
    let middle = (all.0.mean() + all.1.mean()) / 2.0;
    let (before, after) = (slice.0.mean(), slice.1.mean());
    let split = Split {
        mix: (share_after - share_before) * ((before + after) / 2.0 - middle),
        rate: (share_before + share_after) / 2.0 * (after - before),
    };
    (split.mix.is_finite() && split.rate.is_finite()).then_some(split)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moments(count: f64, mean: f64) -> Moments {
        Moments {
            count,
            sum: count * mean,
            sum_of_squares: count * mean,
        }
    }

    proptest! {
        #[test]
        fn parts_of_all_slices_add_up_to_the_change(
            slices in prop::collection::vec((1.0..99.0_f64, 0.0..1.0_f64, 1.0..99.0_f64, 0.0..1.0_f64), 1..8),
        ) {
            let slices: Vec<_> = slices.iter().map(|s| (moments(s.0, s.1), moments(s.2, s.3))).collect();
            let all = slices.iter().fold((Moments::default(), Moments::default()), |all, slice| {
                (all.0.plus(&slice.0), all.1.plus(&slice.1))
            });
            let total: f64 = slices.iter().map(|slice| split_change(*slice, all).unwrap()).map(|s| s.mix + s.rate).sum();
            prop_assert!((total - (all.1.mean() - all.0.mean())).abs() < 1e-9);
        }
    }

    #[test]
    fn a_share_that_moves_is_mix_and_a_mean_that_moves_is_rate() {
        let all = (moments(100.0, 0.5), moments(100.0, 0.5));
        let moved = split_change((moments(10.0, 0.2), moments(30.0, 0.2)), all).unwrap();
        assert!(moved.rate == 0.0 && (moved.mix + 0.06).abs() < 1e-12);
        let changed = split_change((moments(10.0, 0.2), moments(10.0, 0.4)), all).unwrap();
        assert!(changed.mix == 0.0 && (changed.rate - 0.02).abs() < 1e-12);
        assert_eq!(split_change((moments(0.0, 0.2), moments(0.0, 0.4)), all), None);
    }
}
