//! The experiment that says by chance which decisions the change applies to.

use kaizen_stats::{ArmDay, Arms, KnownBefore, Moments};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, ArmsQuery, QueryError, Window, arms};

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
    let days: Vec<ArmDay> = days.iter().map(|day| of_day(asked, day)).collect();
    Ok(Some(Arms::of_days(&days, planned_by_now)))
}

fn of_day(asked: &Asked<'_>, day: &queries::ArmDay) -> ArmDay {
    ArmDay {
        day: day.day,
        has_change: day.has_change,
        outcome: Moments {
            count: day.n as f64,
            sum: day.sum,
            sum_of_squares: day.sum_squares,
        },
        known: asked.metric.covariate.as_ref().map(|_| KnownBefore {
            moments: Moments {
                count: day.known as f64,
                sum: day.known_sum,
                sum_of_squares: day.known_sum_squares,
            },
            products: day.known_products,
            outcomes: day.known_values,
        }),
    }
}
