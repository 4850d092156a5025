use crate::normal::two_sided_quantile;

/// Interval of a proportion, `successes` of `trials`, that covers it with probability `level` (0–1). Neither need be whole:
/// counts divided by their dispersion are taken too. The whole of 0–1 without a trial.
///
/// E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", J. Am. Stat. Assoc. 22 (1927).
pub fn wilson_interval(successes: f64, trials: f64, level: f64) -> (f64, f64) {
    if trials <= 0.0 {
        return (0.0, 1.0);
    }
    let z = two_sided_quantile(1.0 - level);
    let share = successes / trials;
    let weight = 1.0 + z * z / trials;
    let middle = (share + z * z / (2.0 * trials)) / weight;
    let half = z / weight
        * (share * (1.0 - share) / trials + z * z / (4.0 * trials * trials))
            .max(0.0)
            .sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_interval_holds_the_share_mirrors_with_failures_and_narrows_with_trials(
            trials in 1_u32..5_000, share in 0.0..=1.0_f64,
        ) {
            let trials = f64::from(trials);
            let successes = (share * trials).floor();
            let (low, high) = wilson_interval(successes, trials, 0.95);
            let (mirrored_low, mirrored_high) = wilson_interval(trials - successes, trials, 0.95);
            prop_assert!(low <= successes / trials + 1e-12 && successes / trials <= high + 1e-12);
            prop_assert!((low - (1.0 - mirrored_high)).abs() < 1e-9 && (high - (1.0 - mirrored_low)).abs() < 1e-9);
            let (finer_low, finer_high) = wilson_interval(4.0 * successes, 4.0 * trials, 0.95);
            prop_assert!(finer_high - finer_low < high - low);
        }
    }

    #[test]
    fn without_a_trial_anything_is_possible() {
        assert_eq!(wilson_interval(0.0, 0.0, 0.95), (0.0, 1.0));
    }
}
