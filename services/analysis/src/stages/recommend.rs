//! What to do about what was found: the facts of the run, handed to the rules.

use std::collections::HashMap;

use kaizen_catalogue::{Component, Direction, Metric, SplitDenominator};
use kaizen_findings::{
    ComponentFacts, Explained, Facts, Groups, MetricCube, MetricFacts, Quantity, TrendFacts,
    recommend as by_rules,
};
use kaizen_warehouse::queries::{MetricExplanation, QueryError, changes, cube};
use uuid::Uuid;

use super::Work;

const WEEK: f64 = 168.0;

/// Recommends.
///
/// # Errors
/// Any [`QueryError`].
pub async fn recommend(work: &mut Work<'_>) -> Result<(), QueryError> {
    let mut explanations: HashMap<String, MetricExplanation> = (work.explanations.iter())
        .map(|it| (it.metric.clone(), it.clone()))
        .collect();
    let mut components = Vec::new();
    for component in work.catalogue.components() {
        components.push(of(work, component, &mut explanations).await?);
    }
    let mut ledger = changes(work.client, work.analysis.previous).await?;
    ledger.extend(changes(work.client, work.analysis.period).await?);
    let length = work
        .analysis
        .period
        .end()
        .duration_since(work.analysis.period.start());
    let facts = Facts {
        components,
        changes: ledger,
        weeks: length.as_secs_f64() / 3600.0 / WEEK,
        costs: work.costs.clone(),
    };
    let recommended = by_rules(&facts).into_iter();
    work.recommendations = recommended.map(|it| (identity(&it.key()), it)).collect();
    Ok(())
}

/// The same for the same finding in every run.
fn identity(key: &str) -> String {
    let name = format!("kaizen:recommendation:{key}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

async fn of(
    work: &Work<'_>,
    component: &Component,
    explanations: &mut HashMap<String, MetricExplanation>,
) -> Result<ComponentFacts, QueryError> {
    let mut metrics = Vec::new();
    let mut coverage = None;
    for metric in &component.metrics {
        let name = component.full_name(metric);
        let point = work
            .points
            .iter()
            .find(|it| it.metric == name && it.group.is_empty());
        coverage = coverage.or(point.and_then(|it| it.value.coverage));
        let higher_is_better = metric.direction == Direction::HigherIsBetter;
        let trend = work.trends.iter().find(|it| it.metric == name);
        let moved = trend.filter(|it| ["improving", "declining"].contains(&it.direction.as_str()));
        metrics.push(MetricFacts {
            title: metric.title.clone(),
            unit: metric.unit.clone(),
            higher_is_better,
            minimum_sample: metric.minimum_sample as f64,
            value_per_unit: (metric.value_per_unit.as_ref()).map(|it| (it.amount, it.currency.clone())),
            now: point.and_then(|it| it.value.value),
            before: point.and_then(|it| it.previous.value),
            trend: moved.map(|it| TrendFacts {
                is_improving: it.direction == "improving",
                p_value: it.p_value.unwrap_or(1.0),
            }),
            explained: explanations.remove(&name).map(|it| Explained {
                what: it.explained,
                unit: it.unit,
                higher_is_better,
                explanation: it.explanation,
            }),
            groups: groups(work, component, metric).await?,
            name,
        });
    }
    Ok(ComponentFacts {
        name: component.name.clone(),
        log_type: component.log_type.clone(),
        title: component.title.clone(),
        category: component.category.clone(),
        coverage,
        metrics,
    })
}

/// The groups of a share or mean that is split.
async fn groups(
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
        work.client,
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
    let all = |of: fn(&kaizen_findings::Cell) -> f64| cells.iter().map(of).sum::<f64>();
    let (before, now) = (all(|cell| cell.baseline.n), all(|cell| cell.current.n));
    let groups = cells.iter().filter_map(|cell| {
        // Decisions without the dimension are no group of their own.
        let name = cell.values.first().filter(|name| !name.is_empty())?;
        let (mut baseline, mut current) = (cell.baseline, cell.current);
        if of_the_whole {
            (baseline.n, current.n) = (before, now);
        }
        Some((name.clone(), baseline, current))
    });
    Ok(Some(Groups {
        dimension: dimension.clone(),
        of_the_whole,
        groups: groups.collect(),
    }))
}
