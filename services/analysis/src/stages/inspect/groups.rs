//! A split metric by its groups.

use kaizen_catalogue::{Component, Metric, SplitDenominator};
use kaizen_findings::{CellSums, Groups, MetricCube, Quantity};
use kaizen_stats::TwoPeriods;
use kaizen_warehouse::queries::{QueryError, cube};

use super::super::Work;

/// The groups of a share or mean that is split.
pub(super) async fn groups(
    work: &Work<'_>,
    component: &Component,
    metric: &Metric,
) -> Result<Option<Groups>, QueryError> {
    let Some(dimension) = &metric.split_by else {
        return Ok(None);
    };
    let query = work.query(component, metric);
    let dimensions = [dimension.as_str()];
    let MetricCube {
        quantity: Quantity::Mean,
        cells,
        ..
    } = cube(
        &work.client,
        &query,
        work.analysis.previous,
        Some(0.0),
        &dimensions,
    )
    .await?
    else {
        return Ok(None);
    };
    let of_the_whole = metric.split_denominator == SplitDenominator::All;
    let all = |of: fn(&TwoPeriods) -> f64| cells.cells().iter().map(of).sum::<f64>();
    let (before, now) = (all(|cell| cell.baseline.count), all(|cell| cell.current.count));
    let groups = cells.labelled().filter_map(|(values, cell)| {
        // Decisions without the dimension are no group of their own.
        let name = values.first().filter(|name| !name.is_empty())?;
        let (mut baseline, mut current) = (CellSums::from(&cell.baseline), CellSums::from(&cell.current));
        if of_the_whole {
            (baseline.n, current.n) = (before, now);
        }
        Some(((*name).to_owned(), baseline, current))
    });
    Ok(Some(Groups {
        dimension: dimension.clone(),
        of_the_whole,
        groups: groups.collect(),
    }))
}
