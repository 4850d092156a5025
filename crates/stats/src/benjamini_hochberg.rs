/// Adjusts the p-values of a family of tests, in their order: calling every test with an adjusted value up to α
/// significant keeps the expected share of false ones among them at α, for independent or positively dependent tests.
///
/// Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate", J. R. Statist. Soc. B 57 (1995).
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let count = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    // From the largest p-value, whose rank is the number of tests, to the smallest.
    for (above, index) in order.into_iter().enumerate() {
        let rank = count - above as f64;
        // The quotient first: where it is 1, no rounding may put the value below the p-value itself.
        least = least.min(p_values[index] * (count / rank));
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn adjusting_keeps_the_order_and_never_makes_a_test_more_certain(
            p_values in prop::collection::vec(0.0..=1.0_f64, 0..30),
        ) {
            let adjusted = benjamini_hochberg(&p_values);
            prop_assert_eq!(adjusted.len(), p_values.len());
            for (a, p) in adjusted.iter().zip(&p_values) {
                prop_assert!(a >= p && *a <= 1.0);
                for (b, q) in adjusted.iter().zip(&p_values) {
                    prop_assert!(p > q || a <= b);
                }
            }
        }
    }

    #[test]
    fn the_largest_p_value_stays_to_the_bit() {
        let mut p_values = [0.0; 19];
        p_values[1] = 0.981_290_653_544_735_4;
        assert_eq!(benjamini_hochberg(&p_values)[1], p_values[1]);
    }

    #[test]
    fn a_single_test_needs_no_adjustment() {
        assert_eq!(benjamini_hochberg(&[0.03]), [0.03]);
    }
}
