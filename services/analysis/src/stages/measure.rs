//! Every metric of the catalogue, whole and by its split dimension, beside the period before.

use jiff::tz::TimeZone;
use kaizen_catalogue::{Component, Direction, Metric};
use kaizen_warehouse::queries::{Grouping, MetricPoint, MetricQuery, QueryError, Series, Step, metric};

use super::Work;

/// Most groups of a split that are kept.
const GROUPS: u32 = 100;

/// A metric with its days.
pub struct Measured {
    /// `COMPONENT.METRIC`.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// Its values, whole and by day, of the period and of the one before.
    pub series: Series,
}

/// Measures.
///
/// # Errors
/// Any [`QueryError`].
pub async fn measure(work: &mut Work<'_>) -> Result<(), QueryError> {
    let catalogue = work.catalogue;
    for component in catalogue.components() {
        for wanted in &component.metrics {
            let name = format!("{}.{}", component.name, wanted.name);
            for series in ask(work, component, wanted, Some(Step::Day), None).await? {
                work.points.push(point(&name, &series));
                work.measured.push(Measured {
                    name: name.clone(),
                    direction: wanted.direction,
                    series,
                });
            }
            if let Some(dimension) = wanted.split_by.clone() {
                let split = Grouping {
                    dimension,
                    limit: GROUPS,
                };
                let groups = ask(work, component, wanted, None, Some(split)).await?;
                // Decisions without the dimension are no group of their own in an analysis.
                let named = groups.iter().filter(|series| !series.group.is_empty());
                work.points.extend(named.map(|series| point(&name, series)));
            }
        }
    }
    Ok(())
}

async fn ask(
    work: &Work<'_>,
    component: &Component,
    wanted: &Metric,
    step: Option<Step>,
    group_by: Option<Grouping>,
) -> Result<Vec<Series>, QueryError> {
    let zone = TimeZone::get(&work.analysis.time_zone)
        .map_err(|_| QueryError::invalid("time_zone", "must be an IANA time zone"))?;
    let query = MetricQuery {
        step,
        zone,
        group_by,
        ..work.query(component, wanted)
    };
    Ok(metric(work.client, &query).await?.series)
}

fn point(metric: &str, series: &Series) -> MetricPoint {
    MetricPoint {
        metric: metric.to_owned(),
        group: series.group.clone(),
        value: series.total,
        previous: series.previous_total.unwrap_or_default(),
    }
}
