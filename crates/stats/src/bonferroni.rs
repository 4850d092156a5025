/// Adjusts the p-values of a family of tests, in their order: calling every test with an adjusted value up to α
/// significant keeps the chance of even one false one at α, however the tests depend on each other.
///
/// O. J. Dunn, "Multiple Comparisons among Means", J. Am. Stat. Assoc. 56 (1961).
pub fn bonferroni(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.len() as f64;
    p_values
        .iter()
        .map(|p_value| (p_value * tests).min(1.0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_multiplied_by_the_number_of_tests_and_stays_a_probability() {
        assert_eq!(bonferroni(&[0.01, 0.5, 0.25, 0.0]), [0.04, 1.0, 1.0, 0.0]);
        assert_eq!(bonferroni(&[]), Vec::<f64>::new());
    }
}
