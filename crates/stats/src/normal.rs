use statrs::function::erf::{erfc, erfc_inv};

/// Probability that a standard normal is below `z`; precise far out on either side.
pub fn normal_cdf(z: f64) -> f64 {
    erfc(-z / std::f64::consts::SQRT_2) / 2.0
}

/// Two-sided p-value of a standard normal `z`; precise far out, where 1 − Φ(z) would be 0.
pub(crate) fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The `z` that a standard normal exceeds in absolute value with probability `p`.
pub(crate) fn two_sided_quantile(p: f64) -> f64 {
    erfc_inv(p) * std::f64::consts::SQRT_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_and_quantiles_are_inverse_far_into_the_tail() {
        for z in [0.1, 1.0, 1.959_963_984_540_054, 4.0, 6.0] {
            assert!((two_sided_quantile(two_sided(z)) - z).abs() < 1e-6, "{z}");
            assert!((2.0 * normal_cdf(-z) - two_sided(z)).abs() < 1e-15, "{z}");
        }
        assert!((two_sided(1.959_963_984_540_054) - 0.05).abs() < 1e-10);
    }
}
