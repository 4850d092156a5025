use crate::normal::{two_sided, two_sided_quantile};

/// Result of [`stratified_auc`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StratifiedAuc {
    /// Probability that, of a trial that succeeded and one of the same stratum that did not, the one that succeeded has the higher
    /// level, ties half: the area under the ROC curve. .5 when levels say nothing, 1 when they tell all, 0 when the wrong way round.
    pub auc: f64,
    /// Its standard error.
    pub error: f64,
    /// How far levels are from saying nothing, in standard errors of that; below 0 the wrong way round.
    pub z: f64,
    /// Two-sided p-value of levels that say nothing.
    pub p_value: f64,
    /// How many times the variance of the strata's areas is that of independent trials, 1 or more; `error` and `z` count it.
    pub dispersion: f64,
}

impl StratifiedAuc {
    /// The share of pairs that the levels order rightly less that of pairs they order wrongly, -1 to 1.
    ///
    /// R. H. Somers, "A New Asymmetric Measure of Association for Ordinal Variables", Am. Sociol. Rev. 27 (1962).
    pub fn somers_d(&self) -> f64 {
        2.0 * self.auc - 1.0
    }

    /// Interval that covers the area with probability `level`, within 0 and 1.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let half = two_sided_quantile(1.0 - level) * self.error;
        ((self.auc - half).max(0.0), (self.auc + half).min(1.0))
    }

    /// p-value of an area that is `margin` or more away from .5: small when it is known to be closer. Two one-sided tests.
    ///
    /// D. J. Schuirmann, "A Comparison of the Two One-Sided Tests Procedure and the Power Approach for Assessing the Equivalence of
    /// Average Bioavailability", J. Pharmacokinet. Biopharm. 15 (1987).
    pub fn equivalence_p_value(&self, margin: f64) -> f64 {
        let inside = margin - (self.auc - 0.5).abs();
        let one_sided = two_sided(inside / self.error) / 2.0;
        if inside > 0.0 { one_sided } else { 1.0 - one_sided }
    }
}

/// What a stratum says.
struct Stratum {
    auc: f64,
    /// Trials that succeeded, and that did not.
    counts: (f64, f64),
    /// Sums of squares of the share of the others that a success, and a failure, is ordered rightly with.
    squares: (f64, f64),
    /// Variance of the area when levels say nothing.
    null_variance: f64,
}

impl Stratum {
    /// Weight of P. van Elteren.
    fn weight(&self) -> f64 {
        let (successes, failures) = self.counts;
        successes * failures / (successes + failures + 1.0)
    }
}

/// Tells how well the order of levels tells successes from failures, from `(successes, trials)` of each level, the lowest first, in
/// every stratum. Trials are compared within their stratum alone (a day, say), so that strata that are good or bad for all levels, or
/// have more of one level, move nothing. Of levels that order otherwise from stratum to stratum, the areas scatter more than chance;
/// error and z are larger by the root of that dispersion, Pearson's X² of the areas over its degrees of freedom, as in
/// [`proportion_dispersion`](crate::proportion_dispersion). `None` where no stratum has both outcomes and two levels, or all
/// together have fewer than two more of an outcome than there are strata.
///
/// The test is P. van Elteren's, "On the Combination of Independent Two-Sample Tests of Wilcoxon", Bull. Inst. Int. Stat. 37 (1960);
/// of a single stratum that of Mann and Whitney with ties, which is that of Cochran and Armitage with midranks for scores. The error
/// is that of E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the Areas under Two or More Correlated Receiver
/// Operating Characteristic Curves", Biometrics 44 (1988), variances pooled over the strata.
pub fn stratified_auc(strata: &[Vec<(f64, f64)>]) -> Option<StratifiedAuc> {
    let strata: Vec<Stratum> = strata.iter().filter_map(|levels| stratum(levels)).collect();
    let sum = |of: &dyn Fn(&Stratum) -> f64| strata.iter().map(of).sum::<f64>();
    let freedom = (sum(&|it| it.counts.0 - 1.0), sum(&|it| it.counts.1 - 1.0));
    let weights = sum(&Stratum::weight);
    let null = sum(&|it| it.weight().powi(2) * it.null_variance);
    if !(freedom.0 > 1.0 && freedom.1 > 1.0 && null > 0.0) {
        return None;
    }
    let variance_of_one = (
        sum(&|it| it.squares.0) / freedom.0,
        sum(&|it| it.squares.1) / freedom.1,
    );
    let variance = |it: &Stratum| variance_of_one.0 / it.counts.0 + variance_of_one.1 / it.counts.1;
    let auc = sum(&|it| it.weight() * it.auc) / weights;
    let scatter = sum(&|it| (it.auc - auc).powi(2) / variance(it)) / (strata.len() as f64 - 1.0);
    let dispersion = if scatter.is_finite() {
        scatter.max(1.0)
    } else {
        1.0
    };
    let error = (dispersion * sum(&|it| it.weight().powi(2) * variance(it))).sqrt() / weights;
    let z = (auc - 0.5) * weights / (dispersion * null).sqrt();
    Some(StratifiedAuc {
        auc,
        error,
        z,
        p_value: two_sided(z),
        dispersion,
    })
}

fn stratum(levels: &[(f64, f64)]) -> Option<Stratum> {
    let successes: f64 = levels.iter().map(|(successes, _)| successes).sum();
    let n: f64 = levels.iter().map(|(_, trials)| trials).sum();
    let failures = n - successes;
    let ties: f64 = levels.iter().map(|(_, trials)| trials.powi(3) - trials).sum();
    let null_variance = (n + 1.0 - ties / (n * (n - 1.0))) / (12.0 * successes * failures);
    if !(successes > 0.0 && failures > 0.0 && null_variance > 0.0) {
        return None;
    }
    // Of each level the share of failures below a success there, and of successes above a failure there.
    let (mut below, mut above) = (0.0, successes);
    let placed: Vec<_> = levels
        .iter()
        .map(|(here, trials)| {
            let failed = trials - here;
            let of_success = (below + failed / 2.0) / failures;
            let of_failure = (above - here / 2.0) / successes;
            (below, above) = (below + failed, above - here);
            ((*here, of_success), (failed, of_failure))
        })
        .collect();
    let auc = placed.iter().map(|((here, place), _)| here * place).sum::<f64>() / successes;
    let square = |(count, place): (f64, f64)| count * (place - auc).powi(2);
    Some(Stratum {
        auc,
        counts: (successes, failures),
        squares: (
            placed.iter().map(|(success, _)| square(*success)).sum(),
            placed.iter().map(|(_, failure)| square(*failure)).sum(),
        ),
        null_variance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Graded, cochran_armitage};
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    type Days = Vec<Vec<(f64, f64)>>;

    fn plain(days: &[Vec<(u32, u32)>]) -> Days {
        let level =
            |(successes, trials): &(u32, u32)| (f64::from(*successes.min(trials)), f64::from(*trials));
        days.iter()
            .map(|levels| levels.iter().map(level).collect())
            .collect()
    }

    /// A week of decisions of three levels; each day is better than the one before and has more of the low levels. By `order`, the
    /// probability of success rises from the lowest level to the highest.
    fn week(seed: u64, a_day: usize, order: impl Fn(usize) -> f64) -> Days {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut days = Vec::new();
        for day in 0..7 {
            let good = (day as f64 + 0.5) / 7.0;
            let mut levels = vec![(0.0, 0.0); 3];
            for _ in 0..a_day {
                let level =
                    usize::from(random.random::<f64>() > good) + usize::from(random.random::<f64>() > good);
                let success = 0.6 + 0.3 * good + order(day) * (level as f64 - 1.0);
                levels[level].0 += f64::from(u8::from(random.random::<f64>() < success));
                levels[level].1 += 1.0;
            }
            days.push(levels);
        }
        days
    }

    fn pooled(days: &Days) -> Days {
        let mut all = vec![(0.0, 0.0); 3];
        for levels in days {
            for (sum, level) in all.iter_mut().zip(levels) {
                *sum = (sum.0 + level.0, sum.1 + level.1);
            }
        }
        vec![all]
    }

    proptest! {
        #[test]
        fn reversing_levels_or_outcomes_mirrors_the_area_and_both_change_nothing(
            days in prop::collection::vec(prop::collection::vec((0_u32..40, 0_u32..60), 2..6), 1..5),
        ) {
            let days = plain(&days);
            let Some(there) = stratified_auc(&days) else { return Ok(()) };
            let failed: Days = days.iter().map(|it| it.iter().map(|(s, n)| (n - s, *n)).collect()).collect();
            let down: Days = days.iter().map(|it| it.iter().rev().copied().collect()).collect();
            let both: Days = failed.iter().map(|it| it.iter().rev().copied().collect()).collect();
            for (other, is_mirrored) in [(failed, true), (down, true), (both, false)] {
                let found = stratified_auc(&other).unwrap();
                let auc = if is_mirrored { 1.0 - there.auc } else { there.auc };
                let z = if is_mirrored { -there.z } else { there.z };
                prop_assert!((found.auc - auc).abs() < 1e-9 && (found.z - z).abs() < 1e-6, "{found:?} {there:?}");
                prop_assert!((found.error - there.error).abs() < 1e-9);
            }
            prop_assert!((there.somers_d() - 2.0 * there.auc + 1.0).abs() < 1e-12 && there.dispersion >= 1.0);
        }

        #[test]
        fn of_one_stratum_the_test_is_that_of_cochran_and_armitage_with_midranks(
            levels in prop::collection::vec((0_u32..40, 1_u32..60), 2..6),
        ) {
            let days = plain(&[levels]);
            let Some(found) = stratified_auc(&days) else { return Ok(()) };
            let mut before = 0.0;
            let graded: Vec<Graded> = days[0].iter().map(|(successes, trials)| {
                let score = before + (trials + 1.0) / 2.0;
                before += trials;
                Graded { score, trials: *trials, successes: *successes }
            }).collect();
            let other = cochran_armitage(&graded, 1.0).unwrap();
            // Mann and Whitney divide by n - 1 what Armitage divides by n.
            let z = other.z * ((before - 1.0) / before).sqrt();
            prop_assert!((found.z - z).abs() < 1e-6, "{found:?} {other:?}");
        }
    }

    #[test]
    fn labels_that_say_nothing_are_called_so_rarely_however_good_days_are_and_whatever_labels_they_have() {
        let tries = 2_000;
        let called = |of: fn(&Days) -> Days| {
            (0..tries)
                .filter(|seed| {
                    let found = stratified_auc(&of(&week(*seed, 100, |_| 0.0)));
                    found.is_some_and(|it| it.p_value < 0.05)
                })
                .count()
        };
        // A dispersion that is never below 1 makes it rarer than 5 %; at 5 %, 139 or more have a chance of 1 in 10,000.
        let (within, together) = (called(Days::clone), called(pooled));
        assert!((20..139).contains(&within), "{within}");
        assert!(
            together > 600,
            "days together tell what is none of the labels': {together}"
        );
    }

    #[test]
    fn the_interval_covers_the_area_and_order_is_seen() {
        let tries = 500;
        for order in [-0.1, 0.0, 0.1] {
            // That of a very long week.
            let truth = stratified_auc(&week(99_999, 400_000, |_| order)).unwrap().auc;
            let days = |seed: &u64| week(*seed, 200, |_| order);
            let found: Vec<_> = (0..tries)
                .filter_map(|seed| stratified_auc(&days(&seed)))
                .collect();
            let covered = found.iter().filter(|it| {
                let (low, high) = it.interval(0.95);
                low <= truth && truth <= high
            });
            assert!(covered.count() >= 460, "{order}");
            let seen = found.iter().filter(|it| it.p_value < 0.05 && it.z * order > 0.0);
            assert!(order == 0.0 || seen.count() > 450, "{order}");
        }
    }

    #[test]
    fn labels_that_order_one_day_and_turn_the_next_are_not_taken_for_ones_that_say_nothing() {
        let turning = stratified_auc(&week(5, 1_500, |day| if day % 2 == 0 { 0.15 } else { -0.15 })).unwrap();
        let silent = stratified_auc(&week(5, 1_500, |_| 0.0)).unwrap();
        assert!(turning.dispersion > 10.0, "{turning:?}");
        assert!(
            turning.equivalence_p_value(0.05) > 0.05 && turning.p_value > 0.01,
            "{turning:?}"
        );
        assert!(silent.equivalence_p_value(0.05) < 0.01, "{silent:?}");
    }

    #[test]
    fn an_area_is_known_to_be_near_a_half_only_when_its_interval_is() {
        let at = |auc: f64| StratifiedAuc {
            auc,
            error: 0.01,
            z: 0.0,
            p_value: 1.0,
            dispersion: 1.0,
        };
        assert!((at(0.55).equivalence_p_value(0.05) - 0.5).abs() < 1e-9);
        assert!(
            at(0.6).equivalence_p_value(0.05) > 0.999_999 && at(0.4).equivalence_p_value(0.05) > 0.999_999
        );
        for auc in [0.49, 0.5, 0.52] {
            let edge = two_sided_quantile(2.0 * at(auc).equivalence_p_value(0.05)) * 0.01;
            assert!(((auc - 0.5).abs() + edge - 0.05).abs() < 1e-9, "{auc}");
        }
    }

    #[test]
    fn without_two_levels_or_both_outcomes_there_is_no_area() {
        assert_eq!(stratified_auc(&[]), None);
        assert_eq!(stratified_auc(&[vec![(5.0, 10.0)]]), None);
        assert_eq!(stratified_auc(&[vec![(10.0, 10.0), (7.0, 7.0)]]), None);
        assert_eq!(stratified_auc(&[vec![(0.0, 1.0), (1.0, 1.0)]]), None);
        let apart = stratified_auc(&[vec![(0.0, 9.0), (9.0, 9.0)], vec![(0.0, 9.0), (9.0, 9.0)]]).unwrap();
        assert_eq!((apart.auc, apart.dispersion), (1.0, 1.0));
    }
}
