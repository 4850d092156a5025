use statrs::distribution::{ContinuousCDF, StudentsT};

/// Result of [`paired_t`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// Mean of the differences, second minus first.
    pub mean_difference: f64,
    /// Two-sided p-value of no difference.
    pub p_value: f64,
    /// Number of pairs.
    pub pairs: usize,
}

/// Paired t-test of `(first, second)` pairs: is the mean difference zero? Pairs are taken as independent and their
/// differences as normal; what both of a pair share (a weekday, say) cancels out. `None` with fewer than two pairs or a
/// number that is not finite. If all differences are the same there is no scatter to judge by: the p-value is 1 when they
/// are zero, else 0.
///
/// Student, "The Probable Error of a Mean", Biometrika 6 (1908).
pub fn paired_t(pairs: &[(f64, f64)]) -> Option<PairedT> {
    let differences: Vec<f64> = pairs.iter().map(|(first, second)| second - first).collect();
    if differences.len() < 2 || differences.iter().any(|difference| !difference.is_finite()) {
        return None;
    }
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences
        .iter()
        .map(|difference| (difference - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0);
    let p_value = if variance == 0.0 {
        if mean == 0.0 { 1.0 } else { 0.0 }
    } else {
        let t = mean / (variance / n).sqrt();
        2.0 * StudentsT::new(0.0, 1.0, n - 1.0).ok()?.cdf(-t.abs())
    };
    Some(PairedT {
        mean_difference: mean,
        p_value,
        pairs: differences.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn too_few_pairs_or_no_numbers_have_no_result() {
        assert_eq!(paired_t(&[(1.0, 2.0)]), None);
        assert_eq!(paired_t(&[(1.0, 2.0), (f64::NAN, 1.0), (1.0, 1.0)]), None);
    }

    #[test]
    fn differences_without_scatter_are_certain_either_way() {
        assert_eq!(paired_t(&[(1.0, 1.0), (2.0, 2.0)]).unwrap().p_value, 1.0);
        assert_eq!(paired_t(&[(1.0, 2.0), (2.0, 3.0)]).unwrap().p_value, 0.0);
    }

    proptest! {
        #[test]
        fn a_p_value_is_a_probability_and_does_not_depend_on_the_sides(
            pairs in prop::collection::vec((-1e3..1e3_f64, -1e3..1e3_f64), 2..40),
        ) {
            let there = paired_t(&pairs).unwrap();
            let back = paired_t(&pairs.iter().map(|(a, b)| (*b, *a)).collect::<Vec<_>>()).unwrap();
            prop_assert!((0.0..=1.0).contains(&there.p_value));
            prop_assert_eq!(there.p_value, back.p_value);
            prop_assert_eq!(there.mean_difference, -back.mean_difference);
        }
    }
}
