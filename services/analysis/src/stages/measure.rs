//! Every metric of the catalogue: whole and by its split dimension beside the period before, and its past by hours and days.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::tz::TimeZone;
use kaizen_catalogue::{Component, Direction, Expression, Metric};
use kaizen_findings::{History, Observed, Quality};
use kaizen_warehouse::queries::{
    Grouping, Hours, MetricPoint, MetricQuery, Point, QueryError, Series, Step, Value, hours, metric,
};

use super::{AT_ONCE, Work};

/// Most groups of a split that are kept.
const GROUPS: u32 = 100;

/// What was measured of a component.
#[derive(Default)]
struct Measured {
    histories: Vec<History>,
    points: Vec<MetricPoint>,
}

/// Measures.
///
/// # Errors
/// Any [`QueryError`].
pub async fn measure(work: &mut Work<'_>) -> Result<(), QueryError> {
    let all: Vec<_> = (work.catalogue.components().iter())
        .map(|component| of(work, component))
        .collect();
    let measured: Vec<Measured> = stream::iter(all).buffered(AT_ONCE).try_collect().await?;
    for it in measured {
        work.histories.extend(it.histories);
        work.points.extend(it.points);
    }
    Ok(())
}

async fn of(work: &Work<'_>, component: &Component) -> Result<Measured, QueryError> {
    // One question for the past of all its metrics
    let hours = hours(&work.client, component, work.past()?).await?;
    let mut measured = Measured::default();
    for wanted in &component.metrics {
        let name = component.full_name(wanted);
        for series in whole(work, component, wanted, None, &hours).await? {
            let history = history(work, component, wanted, &series, &hours).await?;
            measured.histories.push(history);
            measured.points.push(point(&name, &series));
        }
        if let Some(dimension) = wanted.split_by.clone() {
            let split = Grouping {
                dimension,
                limit: GROUPS,
            };
            let groups = whole(work, component, wanted, Some(split), &hours).await?;
            // Decisions without the dimension are no group of their own in an analysis.
            let named = groups.iter().filter(|series| !series.group.is_empty());
            measured.points.extend(named.map(|series| point(&name, series)));
        }
    }
    Ok(measured)
}

async fn whole(
    work: &Work<'_>,
    component: &Component,
    wanted: &Metric,
    group_by: Option<Grouping>,
    hours: &Hours,
) -> Result<Vec<Series>, QueryError> {
    let query = MetricQuery {
        group_by,
        hours: Some(hours),
        ..work.query(component, wanted)
    };
    Ok(metric(&work.client, &query).await?.series)
}

async fn history(
    work: &Work<'_>,
    component: &Component,
    wanted: &Metric,
    series: &Series,
    hours: &Hours,
) -> Result<History, QueryError> {
    let days = past(work, component, wanted, Step::Day, hours).await?;
    // Outcomes are joined with decisions one by one: by the hour that is a heavy question for a value that comes weeks later.
    let by_hour = if is_of_outcomes(&wanted.expression) {
        Vec::new()
    } else {
        past(work, component, wanted, Step::Hour, hours).await?
    };
    Ok(History {
        metric: component.full_name(wanted),
        higher_is_better: wanted.direction == Direction::HigherIsBetter,
        adds_up: adds_up(&wanted.expression),
        is_share: matches!(
            wanted.expression,
            Expression::Share(_) | Expression::OutcomeRate(_)
        ),
        least: least(&wanted.expression),
        hours: by_hour,
        days,
        now: quality(&series.total),
        before: series.previous_total.as_ref().map(quality).unwrap_or_default(),
    })
}

async fn past(
    work: &Work<'_>,
    component: &Component,
    wanted: &Metric,
    step: Step,
    hours: &Hours,
) -> Result<Vec<Observed>, QueryError> {
    let zone = TimeZone::get(&work.analysis.time_zone)
        .map_err(|_| QueryError::invalid("time_zone", "must be an IANA time zone"))?;
    let query = MetricQuery {
        window: work.past()?,
        step: Some(step),
        hours: Some(hours),
        zone,
        compare_to: None,
        ..work.query(component, wanted)
    };
    let answer = metric(&work.client, &query).await?;
    let points = answer.series.into_iter().flat_map(|series| series.points);
    Ok(points.map(observed).collect())
}

fn observed(point: Point) -> Observed {
    Observed {
        start: point.start.as_second(),
        end: point.end.as_second(),
        value: point.value.value,
        n: point.value.n as f64,
        coverage: point.value.coverage,
        incomplete: point.incomplete,
    }
}

fn quality(value: &Value) -> Quality {
    Quality {
        value: value.value,
        n: value.n as f64,
        coverage: value.coverage,
        thin: value.thin,
    }
}

const fn is_of_outcomes(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::OutcomeCount(_) | Expression::OutcomeRate(_) | Expression::OutcomeValue(..)
    )
}

const fn adds_up(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Count | Expression::Sum(_) | Expression::OutcomeCount(_) | Expression::OutcomeValue(..)
    )
}

/// Decisions that an hour must have: of a mean or share ten, of a quantile ten beyond it.
fn least(expression: &Expression) -> f64 {
    match expression {
        Expression::Quantile(_, level) => TELLING / level.min(1.0 - level),
        _ => TELLING,
    }
}

const TELLING: f64 = 10.0;

fn point(metric: &str, series: &Series) -> MetricPoint {
    MetricPoint {
        metric: metric.to_owned(),
        group: series.group.clone(),
        value: series.total,
        previous: series.previous_total.unwrap_or_default(),
    }
}
