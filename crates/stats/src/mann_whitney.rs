use crate::normal::two_sided;

/// Result of [`mann_whitney`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// How many pairs the second wins; a tie is half a win.
    pub u: f64,
    /// Probability that a value of the second exceeds one of the first, ties half: .5 when neither is larger.
    pub superiority: f64,
    /// Two-sided p-value of neither being larger.
    pub p_value: f64,
}

/// Compares two samples by rank, whatever their shape: normal approximation with ties and continuity correction, good
/// from 8 values a side. `None` with an empty side or a value that is not a number.
///
/// H. B. Mann and D. R. Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the
/// Other", Ann. Math. Stat. 18 (1947).
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<MannWhitney> {
    if first.is_empty() || second.is_empty() || first.iter().chain(second).any(|value| value.is_nan()) {
        return None;
    }
    let mut values: Vec<(f64, bool)> = first.iter().map(|value| (*value, false)).collect();
    values.extend(second.iter().map(|value| (*value, true)));
    values.sort_by(|a, b| a.0.total_cmp(&b.0));

    let mut rank_sum = 0.0;
    let mut tie_term = 0.0;
    let mut before = 0.0;
    for ties in values.chunk_by(|a, b| a.0 == b.0) {
        let size = ties.len() as f64;
        let rank = before + (size + 1.0) / 2.0;
        rank_sum += rank * ties.iter().filter(|(_, second)| *second).count() as f64;
        tie_term += size * size * size - size;
        before += size;
    }
    let (n_1, n_2) = (first.len() as f64, second.len() as f64);
    let n = n_1 + n_2;
    let u = rank_sum - n_2 * (n_2 + 1.0) / 2.0;
    let variance = n_1 * n_2 / 12.0 * (n + 1.0 - tie_term / (n * (n - 1.0)));
    let distance = ((u - n_1 * n_2 / 2.0).abs() - 0.5).max(0.0);
    let p_value = if variance > 0.0 {
        two_sided(distance / variance.sqrt())
    } else {
        1.0
    };
    Some(MannWhitney {
        u,
        superiority: u / (n_1 * n_2),
        p_value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_the_order_counts_and_the_sides_are_alike(
            first in prop::collection::vec(-20_i32..20, 1..40), second in prop::collection::vec(-20_i32..20, 1..40),
        ) {
            let plain = |values: &[i32]| values.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
            let bent = |values: &[i32]| values.iter().map(|x| f64::from(*x).exp()).collect::<Vec<_>>();
            let there = mann_whitney(&plain(&first), &plain(&second)).unwrap();
            let back = mann_whitney(&plain(&second), &plain(&first)).unwrap();
            prop_assert_eq!(there, mann_whitney(&bent(&first), &bent(&second)).unwrap());
            prop_assert!((there.superiority + back.superiority - 1.0).abs() < 1e-9);
            prop_assert!((there.p_value - back.p_value).abs() < 1e-9);
        }
    }

    #[test]
    fn values_that_are_all_the_same_show_nothing() {
        let found = mann_whitney(&[1.0; 10], &[1.0; 20]).unwrap();
        assert_eq!((found.superiority, found.p_value), (0.5, 1.0));
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[f64::NAN], &[1.0]), None);
    }
}
