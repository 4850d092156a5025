use crate::normal::two_sided_quantile;

/// Probability of a false call at any of the looks up to the horizon, and at any look after it.
const UNTIL_HORIZON: f64 = 0.04;
const AFTER_HORIZON: f64 = 0.01;

/// By how many standard errors an effect must differ from zero to be called at a look, so that nothing is called falsely
/// with 95 % probability however many looks there are. `information` is the inverse of the estimate's variance at the look,
/// as a share of that at the horizon for which the measurement is planned: the bound is lowest at the horizon (2.33), and
/// looks go on being honest after it (3.5 and more). Unbounded without information.
///
/// Until the horizon the bound is flat for the sum of what is known, as in P. C. O'Brien and T. R. Fleming, "A Multiple
/// Testing Procedure for Clinical Trials", Biometrics 35 (1979), with the reflection principle for looks at any time; after
/// it the mixture of H. Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", Ann. Math. Stat. 41
/// (1970).
pub fn any_look_bound(information: f64) -> f64 {
    if information.is_nan() || information <= 0.0 {
        return f64::INFINITY;
    }
    let bound = -2.0 * AFTER_HORIZON.ln();
    // Narrowest somewhat after the horizon.
    let mixed = 1.0 / (bound + bound.ln() + 1.0);
    let after = ((1.0 + mixed / information) * (bound + (information / mixed).ln_1p())).sqrt();
    if information > 1.0 {
        return after;
    }
    // A path that is above c at any time until 1 is so at 1 with probability of at least a half.
    let flat = two_sided_quantile(UNTIL_HORIZON / 2.0);
    after.min(flat / information.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    #[test]
    fn a_path_without_effect_is_seldom_called_at_any_of_many_looks() {
        let called = |seed: &u64| {
            let mut sum = 0.0;
            ar1(*seed, 280, 0.0).into_iter().enumerate().any(|(step, value)| {
                sum += value;
                let looks = (step + 1) as f64;
                sum.abs() / looks.sqrt() > any_look_bound(looks / 28.0)
            })
        };
        let called = (0..2000).filter(called).count();
        // 5 % of 2000 and what chance adds.
        assert!(called <= 125, "{called} of 2000");
    }

    #[test]
    fn the_bound_is_lowest_at_the_horizon() {
        assert!((any_look_bound(1.0) - 2.326).abs() < 1e-3);
        assert!(any_look_bound(0.5) > 3.0 && any_look_bound(1.01) > 3.0);
        assert!(any_look_bound(0.0).is_infinite() && any_look_bound(f64::NAN).is_infinite());
    }
}
