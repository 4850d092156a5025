use crate::benjamini_hochberg::benjamini_hochberg;
use crate::normal::two_sided_quantile;
use crate::two_proportions::two_proportions;
use crate::welch::{Moments, welch};

/// How one group (a template, a method) stands against all others together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The group's value minus that of the rest, as measured.
    pub lift: f64,
    /// Interval of the lift as measured.
    pub interval: (f64, f64),
    /// The lift to expect from now on: what chance has most likely added is taken off, the more the less is known.
    pub shrunken_lift: f64,
    /// Interval of the lift to expect.
    pub shrunken_interval: (f64, f64),
    /// p-value of no difference, adjusted for the number of groups: calling all up to α winners or losers keeps the
    /// expected share of false ones at α.
    pub adjusted_p_value: f64,
}

/// Compares the proportion `(successes, trials)` of each group with the rest. `None` for a group without trials, or where
/// the rest has none. `dispersion` and `level` are those of [`two_proportions`].
pub fn standings_by_proportion(groups: &[(f64, f64)], dispersion: f64, level: f64) -> Vec<Option<Standing>> {
    let (successes, trials) = groups
        .iter()
        .fold((0.0, 0.0), |(s, n), group| (s + group.0, n + group.1));
    let compared = groups
        .iter()
        .map(|group| {
            let rest = (successes - group.0, trials - group.1);
            let found = two_proportions(rest, *group, dispersion, level)?;
            Some((found.difference, found.interval, found.p_value))
        })
        .collect();
    stand(compared, level)
}

/// Compares the mean of each group with the rest. `None` for a group, or a rest, of fewer than two values. `dispersion` and
/// `level` are those of [`welch`].
pub fn standings_by_mean(groups: &[Moments], dispersion: f64, level: f64) -> Vec<Option<Standing>> {
    let all = groups
        .iter()
        .fold(Moments::default(), |sum, group| sum.plus(group));
    let compared = groups
        .iter()
        .map(|group| {
            let rest = Moments {
                count: all.count - group.count,
                sum: all.sum - group.sum,
                sum_of_squares: all.sum_of_squares - group.sum_of_squares,
            };
            let found = welch(&rest, group, dispersion, level)?;
            Some((found.difference, found.interval, found.p_value))
        })
        .collect();
    stand(compared, level)
}

/// A difference, its interval and its p-value.
type Compared = (f64, (f64, f64), f64);

/// Shrinks lifts to zero by how much they vary beyond their errors (the method of moments of R. DerSimonian and N. Laird,
/// Control. Clin. Trials 7 (1986)): C. N. Morris, "Parametric Empirical Bayes Inference", J. Am. Stat. Assoc. 78 (1983).
fn stand(compared: Vec<Option<Compared>>, level: f64) -> Vec<Option<Standing>> {
    let z = two_sided_quantile(1.0 - level);
    let variance_of = |interval: (f64, f64)| ((interval.1 - interval.0) / (2.0 * z)).powi(2);
    let known: Vec<Compared> = compared.iter().flatten().copied().collect();
    let p_values: Vec<f64> = known.iter().map(|found| found.2).collect();
    let mut adjusted = benjamini_hochberg(&p_values).into_iter();
    let between = variance_between(
        &known
            .iter()
            .map(|found| (found.0, variance_of(found.1)))
            .collect::<Vec<_>>(),
    );
    compared
        .into_iter()
        .map(|found| {
            let (lift, interval, _) = found?;
            let variance = variance_of(interval);
            let kept = if between + variance > 0.0 {
                between / (between + variance)
            } else {
                1.0
            };
            let half = z * (kept * variance).sqrt();
            Some(Standing {
                lift,
                interval,
                shrunken_lift: kept * lift,
                shrunken_interval: (kept * lift - half, kept * lift + half),
                adjusted_p_value: adjusted.next()?,
            })
        })
        .collect()
}

/// Variance of the true lifts around zero, of measured `(lift, variance)`.
fn variance_between(lifts: &[(f64, f64)]) -> f64 {
    let weighed: Vec<(f64, f64)> = lifts
        .iter()
        .filter(|(_, variance)| *variance > 0.0)
        .map(|(lift, variance)| (*lift, 1.0 / variance))
        .collect();
    let total: f64 = weighed.iter().map(|(_, weight)| weight).sum();
    let spread: f64 = weighed.iter().map(|(lift, weight)| weight * lift * lift).sum();
    if total > 0.0 {
        ((spread - weighed.len() as f64) / total).max(0.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_true_winner_stands_out_and_is_worth_a_little_less_than_measured() {
        let groups = [
            (300.0, 1_000.0),
            (310.0, 1_000.0),
            (295.0, 1_000.0),
            (420.0, 1_000.0),
        ];
        let found = standings_by_proportion(&groups, 1.0, 0.95);
        let winner = found[3].unwrap();
        assert!(winner.adjusted_p_value < 1e-6);
        assert!(winner.shrunken_lift > 0.09 && winner.shrunken_lift < winner.lift);
        assert!(found[..3].iter().all(|standing| standing.unwrap().lift < 0.0));
    }

    #[test]
    fn groups_that_differ_by_chance_alone_are_worth_nothing() {
        let groups = [(30.0, 100.0), (31.0, 100.0), (29.0, 100.0)];
        for standing in standings_by_proportion(&groups, 1.0, 0.95) {
            let standing = standing.unwrap();
            assert_eq!(standing.shrunken_lift, 0.0);
            assert!(standing.adjusted_p_value > 0.5);
        }
    }

    #[test]
    fn a_group_without_data_has_no_standing_and_moves_no_other() {
        let with = standings_by_proportion(&[(3.0, 10.0), (0.0, 0.0), (6.0, 10.0)], 1.0, 0.95);
        let without = standings_by_proportion(&[(3.0, 10.0), (6.0, 10.0)], 1.0, 0.95);
        assert_eq!(with, [without[0], None, without[1]]);
        assert_eq!(standings_by_proportion(&[(3.0, 10.0)], 1.0, 0.95), [None]);
    }

    proptest! {
        #[test]
        fn shrinking_never_turns_a_lift_or_makes_it_larger(
            values in prop::collection::vec(prop::collection::vec(-5.0..5.0_f64, 3..12), 2..8),
        ) {
            let groups: Vec<Moments> = values.iter().map(|values| Moments::of(values)).collect();
            for standing in standings_by_mean(&groups, 1.0, 0.95).into_iter().flatten() {
                prop_assert!(standing.shrunken_lift.abs() <= standing.lift.abs() + 1e-12);
                prop_assert!(standing.shrunken_lift * standing.lift >= 0.0);
            }
        }
    }
}
