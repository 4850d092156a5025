//! The experiment that says by chance which decisions the change applies to.

use std::collections::BTreeMap;

use kaizen_stats::{Arm, Arms, Moments};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{ArmDay, ArmsQuery, QueryError, Window, arms};

use super::Asked;
use super::course::Course;

/// The arms of the ticket's experiment in the days after the change; `None` without an experiment, or for a metric that is no
/// mean of decisions.
///
/// # Errors
/// Any [`QueryError`].
pub async fn find(client: &Client, asked: &Asked<'_>, course: &Course) -> Result<Option<Arms>, QueryError> {
    let after = &course.days[course.before..];
    let (Some(first), Some(last)) = (after.first(), after.last()) else {
        return Ok(None);
    };
    if asked.change.experiment.is_empty() {
        return Ok(None);
    }
    let query = ArmsQuery {
        component: asked.component,
        metric: asked.metric,
        window: Window::new("window", first.start, last.end)?,
        filters: asked.filters(),
        experiment: &asked.change.experiment,
        arm: &asked.change.arm,
    };
    let Some(days) = arms(client, &query).await? else {
        return Ok(None);
    };
    let planned_by_now = course.after() as f64 / f64::from(asked.horizon.max(1));
    Ok(Some(put_together(&days, planned_by_now)))
}

/// Of the days' arms, when this share of the planned days is over.
fn put_together(days: &[ArmDay], share_of_plan: f64) -> Arms {
    let side = |has_change: bool| {
        let days = days.iter().filter(|day| day.has_change == has_change);
        let outcome = days
            .map(moments)
            .fold(Moments::default(), |all, day| all.plus(&day));
        Arm {
            outcome,
            covariate: None,
        }
    };
    let (without, with) = (side(false), side(true));
    Arms {
        dispersion: dispersion(days, without.outcome, with.outcome),
        planned: (without.outcome.count + with.outcome.count) / share_of_plan,
        without,
        with,
    }
}

fn moments(day: &ArmDay) -> Moments {
    Moments {
        count: day.n as f64,
        sum: day.sum,
        sum_of_squares: day.sum_squares,
    }
}

/// How many times the variance of the arms' difference is that of independent values: the scatter of the days' differences
/// over what it would be, Pearson's chi-square over its freedom. 1 where there are too few days to tell.
fn dispersion(days: &[ArmDay], without: Moments, with: Moments) -> f64 {
    let mut by_day: BTreeMap<u32, [Option<Moments>; 2]> = BTreeMap::new();
    for day in days {
        by_day.entry(day.day).or_default()[usize::from(day.has_change)] = Some(moments(day));
    }
    let variance = |side: Moments| side.squared_deviations() / (side.count - 1.0).max(1.0);
    let variances = [variance(without), variance(with)];
    // Each day's difference, and its variance if values were independent
    let differences: Vec<(f64, f64)> = by_day
        .values()
        .filter_map(|sides| match sides {
            [Some(without), Some(with)] => Some((
                with.mean() - without.mean(),
                variances[0] / without.count + variances[1] / with.count,
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

    fn day(day: u32, has_change: bool, n: u64, mean: f64) -> ArmDay {
        // Values of which half are one above and half one below their mean
        ArmDay {
            day,
            has_change,
            n,
            sum: n as f64 * mean,
            sum_squares: n as f64 * (mean * mean + 1.0),
        }
    }

    #[test]
    fn days_whose_differences_scatter_more_than_chance_allows_count_for_less() {
        let alike: Vec<ArmDay> = (0..10)
            .flat_map(|at| [day(at, false, 100, 5.0), day(at, true, 100, 5.5)])
            .collect();
        let arms = put_together(&alike, 0.5);
        assert_eq!((arms.dispersion, arms.planned), (1.0, 4_000.0));
        assert!((arms.with.outcome.mean() - arms.without.outcome.mean() - 0.5).abs() < 1e-9);
        let unlike: Vec<ArmDay> = (0..10)
            .flat_map(|at| {
                [
                    day(at, false, 100, 5.0),
                    day(at, true, 100, 5.0 + f64::from(at % 2)),
                ]
            })
            .collect();
        assert!(put_together(&unlike, 1.0).dispersion > 5.0);
    }
}
