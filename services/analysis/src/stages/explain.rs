//! Why each share, mean and quantile changed from the period before: the slices that changed otherwise than the rest.

use futures::{StreamExt, TryStreamExt, stream};
use kaizen_catalogue::{Component, Metric};
use kaizen_findings::{Naming, explain as find};
use kaizen_warehouse::queries::{MetricExplanation, QueryError, cube, explained, explaining, is_explained};

use super::{AT_ONCE, Work};

/// Chance that a run names any slice of any metric when nothing happened.
const FALSE_ALARM: f64 = 0.01;

/// Explains every metric that is no number or sum. Metrics of one expression are one: `template_effectiveness` is
/// `approval_rate` by template, and has the same causes.
///
/// # Errors
/// Any [`QueryError`].
pub async fn explain(work: &mut Work<'_>) -> Result<(), QueryError> {
    let wanted = wanted(work);
    let false_alarm = FALSE_ALARM / wanted.len().max(1) as f64;
    let all: Vec<_> = (wanted.into_iter())
        .map(|(component, metric)| one(work, component, metric, false_alarm))
        .collect();
    let found: Vec<Option<MetricExplanation>> = stream::iter(all).buffered(AT_ONCE).try_collect().await?;
    work.explanations.extend(found.into_iter().flatten());
    Ok(())
}

fn wanted<'a>(work: &Work<'a>) -> Vec<(&'a Component, &'a Metric)> {
    let of = |component: &'a Component| {
        let distinct = component.metrics.iter().enumerate().filter(|(at, metric)| {
            let mut before = component.metrics.iter().take(*at);
            !before.any(|other| other.expression == metric.expression)
        });
        distinct.map(move |(_, metric)| (component, metric))
    };
    work.catalogue.components().iter().flat_map(of).collect()
}

async fn one(
    work: &Work<'_>,
    component: &Component,
    metric: &Metric,
    false_alarm: f64,
) -> Result<Option<MetricExplanation>, QueryError> {
    if !is_explained(&metric.expression) {
        return Ok(None);
    }
    let name = component.full_name(metric);
    let previous = work
        .points
        .iter()
        .find(|point| point.metric == name && point.group.is_empty());
    let Some(previous) = previous.and_then(|point| point.previous.value) else {
        return Ok(None);
    };
    let query = work.query(component, metric);
    let dimensions = explaining(component, metric);
    let cube = cube(
        &work.client,
        &query,
        work.analysis.previous,
        Some(previous),
        &dimensions,
    )
    .await?;
    let Some((explained, unit)) = explained(metric, cube.quantity) else {
        return Ok(None);
    };
    let naming = Naming {
        least_count: metric.minimum_sample as f64,
        least_effect: None,
        false_alarm,
    };
    Ok(Some(MetricExplanation {
        metric: name,
        explained,
        unit,
        explanation: find(&cube, &naming),
    }))
}
