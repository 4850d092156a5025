use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::normal::two_sided;

/// Trials of one level of something that has an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Graded {
    /// Where the level stands.
    pub score: f64,
    /// How many trials.
    pub trials: f64,
    /// How many of them succeeded.
    pub successes: f64,
}

/// Result of [`cochran_armitage`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CochranArmitage {
    /// The trend in its standard errors: above 0 when higher levels succeed more often.
    pub z: f64,
    /// Two-sided p-value of no trend.
    pub p_value: f64,
    /// Chi-square of the levels' shares about a straight line, of two degrees of freedom less than there are levels: they differ
    /// otherwise than by their order. 0 with two levels.
    pub departure: f64,
    /// p-value of no departure; 1 with two levels.
    pub departure_p_value: f64,
    /// How far apart the shares of the levels are, whatever their order, beyond what chance alone makes of them: the deviation
    /// between levels in units of the deviation of a single trial, J. Cohen's d (.2 is small), 0 and above.
    pub spread: f64,
}

/// Tests whether the share of successes rises or falls with the level. `dispersion` (1 or more) says how many times the variance is
/// that of independent trials. `None` with fewer than two levels, or where all or none succeeded.
///
/// P. Armitage, "Tests for Linear Trends in Proportions and Frequencies", Biometrics 11 (1955), with the partition of chi-square
/// into trend and departure; W. G. Cochran, "Some Methods for Strengthening the Common χ² Tests", Biometrics 10 (1954).
pub fn cochran_armitage(levels: &[Graded], dispersion: f64) -> Option<CochranArmitage> {
    let levels: Vec<_> = levels.iter().filter(|it| it.trials > 0.0).collect();
    let sum = |of: &dyn Fn(&Graded) -> f64| levels.iter().map(|it| of(it)).sum::<f64>();
    let (n, successes) = (sum(&|it| it.trials), sum(&|it| it.successes));
    let share = successes / n;
    let variance = share * (1.0 - share);
    let mean = sum(&|it| it.trials * it.score) / n;
    let squares = sum(&|it| it.trials * (it.score - mean).powi(2));
    if levels.len() < 2 || !(variance > 0.0 && squares > 0.0) {
        return None;
    }
    let dispersion = dispersion.max(1.0);
    let trend = sum(&|it| (it.score - mean) * (it.successes - it.trials * share));
    let z = trend / (variance * squares * dispersion).sqrt();
    let all = sum(&|it| (it.successes - it.trials * share).powi(2) / it.trials) / (variance * dispersion);
    let departure = (all - z * z).max(0.0);
    let freedom = (levels.len() - 2) as f64;
    Some(CochranArmitage {
        z,
        p_value: two_sided(z),
        departure,
        departure_p_value: ChiSquared::new(freedom).map_or(1.0, |it| it.sf(departure)),
        spread: ((all - freedom - 1.0).max(0.0) / (n * variance)).sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graded(levels: &[(f64, f64)]) -> Vec<Graded> {
        let one = |(at, (successes, trials)): (usize, &(f64, f64))| Graded {
            score: at as f64,
            trials: *trials,
            successes: *successes,
        };
        levels.iter().enumerate().map(one).collect()
    }

    proptest! {
        #[test]
        fn reversing_levels_or_outcomes_turns_the_sign_and_both_nothing(
            counts in prop::collection::vec((0_u32..60, 1_u32..90), 2..8), scale in 0.1..9.0_f64, shift in -5.0..5.0_f64,
        ) {
            let counts: Vec<(f64, f64)> = counts.iter().map(|(s, n)| (f64::from(*s.min(n)), f64::from(*n))).collect();
            let levels = graded(&counts);
            let Some(there) = cochran_armitage(&levels, 1.0) else { return Ok(()) };
            let failures = |it: &Graded| Graded { successes: it.trials - it.successes, ..*it };
            let downwards = |it: &Graded| Graded { score: -it.score, ..*it };
            let failed: Vec<_> = levels.iter().map(failures).collect();
            let down: Vec<_> = levels.iter().map(downwards).collect();
            let both: Vec<_> = failed.iter().map(downwards).collect();
            let moved: Vec<_> = levels.iter().map(|it| Graded { score: scale * it.score + shift, ..*it }).collect();
            for (other, sign) in [(failed, -1.0), (down, -1.0), (both, 1.0), (moved, 1.0)] {
                let found = cochran_armitage(&other, 1.0).unwrap();
                prop_assert!((found.z - sign * there.z).abs() < 1e-6, "{found:?} {there:?}");
                prop_assert!((found.departure - there.departure).abs() < 1e-6);
                prop_assert!((found.spread - there.spread).abs() < 1e-6);
            }
            let dispersed = cochran_armitage(&levels, 4.0).unwrap();
            prop_assert!((2.0 * dispersed.z - there.z).abs() < 1e-9 && dispersed.p_value >= there.p_value);
        }
    }

    #[test]
    fn a_straight_rise_is_all_trend_and_an_arch_is_all_departure() {
        let rise = cochran_armitage(&graded(&[(300.0, 1e3), (500.0, 1e3), (700.0, 1e3)]), 1.0).unwrap();
        assert!(rise.p_value < 1e-9 && rise.departure < 1e-9, "{rise:?}");
        let arch = cochran_armitage(&graded(&[(300.0, 1e3), (600.0, 1e3), (300.0, 1e3)]), 1.0).unwrap();
        assert!(arch.p_value > 0.999 && arch.departure_p_value < 1e-9, "{arch:?}");
        assert!(arch.spread > 0.25, "{arch:?}");
        let two = cochran_armitage(&graded(&[(30.0, 100.0), (50.0, 100.0)]), 1.0).unwrap();
        assert!(two.departure < 1e-9 && two.departure_p_value >= 1.0, "{two:?}");
    }

    #[test]
    fn one_level_or_one_outcome_shows_nothing() {
        assert_eq!(cochran_armitage(&[], 1.0), None);
        assert_eq!(cochran_armitage(&graded(&[(3.0, 9.0)]), 1.0), None);
        assert_eq!(cochran_armitage(&graded(&[(3.0, 9.0), (0.0, 0.0)]), 1.0), None);
        assert_eq!(cochran_armitage(&graded(&[(0.0, 9.0), (0.0, 4.0)]), 1.0), None);
        assert_eq!(cochran_armitage(&graded(&[(9.0, 9.0), (4.0, 4.0)]), 1.0), None);
    }
}
