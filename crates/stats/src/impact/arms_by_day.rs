use std::collections::BTreeMap;

use super::randomised::{Arm, Arms, Covariate, slope};
use crate::welch::Moments;

/// The values of one arm on one day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArmDay {
    /// Whatever numbers the days.
    pub day: u32,
    /// Whether the arm has the change.
    pub has_change: bool,
    /// The values.
    pub outcome: Moments,
    /// What is known of them from before the change, if that is asked for.
    pub known: Option<KnownBefore>,
}

/// A number known before the change of some or all values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct KnownBefore {
    /// Its moments, over the values that it is known of.
    pub moments: Moments,
    /// Sum of its products with them.
    pub products: f64,
    /// Their sum.
    pub outcomes: f64,
}

impl Arms {
    /// Of the days' arms, when `share_of_plan` of the planned days, above 0, is over.
    ///
    /// Values of which nothing is known before the change count as if the mean of the known were known of them, the same in
    /// both arms: chance dealt them too, so that it biases nothing.
    pub fn of_days(days: &[ArmDay], share_of_plan: f64) -> Self {
        let mean = mean_known(days);
        let side = |has_change: bool| {
            let days = days.iter().filter(|day| day.has_change == has_change);
            together(days.map(|day| arm(day, mean)), mean.is_some())
        };
        let (without, with) = (side(false), side(true));
        Self {
            dispersion: dispersion(days, mean, &[without, with]),
            planned: (without.outcome.count + with.outcome.count) / share_of_plan,
            without,
            with,
        }
    }
}

/// Mean of what is known before the change; `None` where nothing is.
fn mean_known(days: &[ArmDay]) -> Option<f64> {
    let known = days.iter().filter_map(|day| day.known);
    let all = known.fold(Moments::default(), |all, it| all.plus(&it.moments));
    (all.count > 0.0).then(|| all.mean())
}

fn arm(day: &ArmDay, mean: Option<f64>) -> Arm {
    let covariate = mean.map(|mean| {
        let known = day.known.unwrap_or_default();
        let unknown = day.outcome.count - known.moments.count;
        let filled = Moments {
            count: unknown,
            sum: unknown * mean,
            sum_of_squares: unknown * mean * mean,
        };
        Covariate {
            moments: known.moments.plus(&filled),
            products: known.products + mean * (day.outcome.sum - known.outcomes),
        }
    });
    Arm {
        outcome: day.outcome,
        covariate,
    }
}

fn together(arms: impl Iterator<Item = Arm>, has_covariate: bool) -> Arm {
    let (mut outcome, mut covariate) = (Moments::default(), Covariate::default());
    for arm in arms {
        outcome = outcome.plus(&arm.outcome);
        let of_day = arm.covariate.unwrap_or_default();
        covariate.moments = covariate.moments.plus(&of_day.moments);
        covariate.products += of_day.products;
    }
    Arm {
        outcome,
        covariate: has_covariate.then_some(covariate),
    }
}

/// How many times the variance of the arms' difference is that of independent values: the scatter of the days' differences,
/// less what the covariate tells, over what it would be, Pearson's chi-square over its freedom. 1 where there are too few days
/// to tell.
fn dispersion(days: &[ArmDay], mean: Option<f64>, sides: &[Arm; 2]) -> f64 {
    let slope = slope(sides);
    let variances = sides.map(|arm| arm.adjusted(slope).1);
    let mut by_day: BTreeMap<u32, [Option<Arm>; 2]> = BTreeMap::new();
    for day in days {
        by_day.entry(day.day).or_default()[usize::from(day.has_change)] = Some(arm(day, mean));
    }
    // Each day's difference, and its variance if values were independent
    let differences: Vec<(f64, f64)> = by_day
        .values()
        .filter_map(|sides| match sides {
            [Some(without), Some(with)] => Some((
                with.adjusted_mean(slope) - without.adjusted_mean(slope),
                variances[0] / without.outcome.count + variances[1] / with.outcome.count,
            )),
            _ => None,
        })
        .filter(|(_, variance)| *variance > 0.0)
        .collect();
    if differences.len() < 3 {
        return 1.0;
    }
    let weight: f64 = differences.iter().map(|(_, variance)| 1.0 / variance).sum();
    let mean = differences
        .iter()
        .map(|(value, variance)| value / variance)
        .sum::<f64>()
        / weight;
    let square = |(value, variance): &(f64, f64)| (value - mean).powi(2) / variance;
    let chi_square: f64 = differences.iter().map(square).sum();
    (chi_square / (differences.len() - 1) as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    fn day(day: u32, has_change: bool, n: f64, mean: f64) -> ArmDay {
        // Values of which half are one above and half one below their mean
        ArmDay {
            day,
            has_change,
            outcome: Moments {
                count: n,
                sum: n * mean,
                sum_of_squares: n * (mean * mean + 1.0),
            },
            known: None,
        }
    }

    #[test]
    fn days_whose_differences_scatter_more_than_chance_allows_count_for_less() {
        let alike: Vec<ArmDay> = (0..10)
            .flat_map(|at| [day(at, false, 100.0, 5.0), day(at, true, 100.0, 5.5)])
            .collect();
        let arms = Arms::of_days(&alike, 0.5);
        assert_eq!((arms.dispersion, arms.planned), (1.0, 4_000.0));
        assert!((arms.with.outcome.mean() - arms.without.outcome.mean() - 0.5).abs() < 1e-9);
        let unlike: Vec<ArmDay> = (0..10)
            .flat_map(|at| {
                [
                    day(at, false, 100.0, 5.0),
                    day(at, true, 100.0, 5.0 + f64::from(at % 2)),
                ]
            })
            .collect();
        assert!(Arms::of_days(&unlike, 1.0).dispersion > 5.0);
    }

    /// Ten days of an experiment whose values are 0.8 of something known before, and noise; of every fourth nothing is known.
    fn drawn(seed: u64, effect: f64, is_known: bool) -> Vec<ArmDay> {
        let (before, noise) = (ar1(2 * seed, 400, 0.0), ar1(2 * seed + 1, 400, 0.0));
        let one = |day: u32, has_change: bool| {
            let of_arm = (0..400).filter(|at| at % 10 == day as usize && (at / 10 % 2 == 1) == has_change);
            let mut it = ArmDay {
                day,
                has_change,
                outcome: Moments::default(),
                known: is_known.then(KnownBefore::default),
            };
            for at in of_arm {
                let value = 3.0 + 0.8 * before[at] + 0.6 * noise[at] + if has_change { effect } else { 0.0 };
                it.outcome = it.outcome.plus(&Moments::of(&[value]));
                if let Some(known) = it.known.as_mut().filter(|_| at % 4 != 0) {
                    known.moments = known.moments.plus(&Moments::of(&[before[at]]));
                    known.products += before[at] * value;
                    known.outcomes += value;
                }
            }
            it
        };
        (0..10)
            .flat_map(|day| [one(day, false), one(day, true)])
            .collect()
    }

    #[test]
    fn what_is_known_before_narrows_the_effect_and_biases_nothing_also_where_it_is_missing() {
        let measured = |seed: u64, is_known: bool| {
            let arms = Arms::of_days(&drawn(seed, 0.3, is_known), 1.0);
            let (_, known) = super::super::randomised::compare(&arms).unwrap();
            let within = known.quantile(0.025) <= 0.3 && 0.3 <= known.quantile(0.975);
            (
                known.mean(),
                known.quantile(0.975) - known.quantile(0.025),
                within,
            )
        };
        let all = |is_known: bool| -> Vec<(f64, f64, bool)> {
            (0..400).map(|seed| measured(seed, is_known)).collect()
        };
        let (plain, narrow) = (all(false), all(true));
        let mean = |of: &[(f64, f64, bool)], part: fn(&(f64, f64, bool)) -> f64| {
            of.iter().map(part).sum::<f64>() / of.len() as f64
        };
        for found in [&plain, &narrow] {
            // Four standard errors of the mean of 400 effects, each with one of at most 0.1
            let effect = mean(found, |it| it.0);
            assert!((effect - 0.3).abs() < 0.02, "{effect}");
            // At a true rate of 95 %, fewer than 362 of 400 have a chance of 1 in 5,000
            let covered = found.iter().filter(|it| it.2).count();
            assert!(covered >= 362, "{covered} of 400");
        }
        let narrower = mean(&narrow, |it| it.1) / mean(&plain, |it| it.1);
        // Three quarters of the 64 % that the covariate tells are gone from the variance
        assert!(
            (narrower - (1.0 - 0.75 * 0.64_f64).sqrt()).abs() < 0.05,
            "{narrower}"
        );
    }
}
