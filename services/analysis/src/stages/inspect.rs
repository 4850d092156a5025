//! What no metric tells by itself: tails of latency, confidence that does not mean what it says, templates and methods against
//! each other, data that is missing.

mod gaps;
mod groups;

use kaizen_catalogue::{Component, Expression, Measure};
use kaizen_findings::{About, Finding, latency_tail, level_order, standings, stated_probabilities};
use kaizen_stats::Predicted;
use kaizen_warehouse::queries::{
    QueryError, confidence_levels, processing_times, stated_probabilities as stated,
};

use super::Work;

/// Chance that a run tells of a tail or of confidence, of any component, when nothing is wrong.
const FALSE_ALARM: f64 = 0.01;

/// Inspects every component.
///
/// # Errors
/// Any [`QueryError`].
pub async fn inspect(work: &mut Work<'_>) -> Result<(), QueryError> {
    let catalogue = work.catalogue;
    let significance = FALSE_ALARM / catalogue.components().len().max(1) as f64;
    for component in catalogue.components() {
        let tail = tail(work, component, significance).await?;
        let confidence = confidence(work, component, significance).await?;
        work.findings.extend(tail.into_iter().chain(confidence));
        for metric in &component.metrics {
            let Some(groups) = groups::groups(work, component, metric).await? else {
                continue;
            };
            let name = component.full_name(metric);
            let about = About {
                component: &component.name,
                metric: &name,
                title: &metric.title,
                unit: &metric.unit,
            };
            let is_more_better = metric.direction == kaizen_catalogue::Direction::HigherIsBetter;
            let found = standings(about, &groups, metric.minimum_sample as f64, is_more_better);
            work.findings.extend(found);
            work.groups.insert(name, groups);
        }
    }
    let missing = gaps::missing(work).await?;
    work.findings.extend(missing);
    Ok(())
}

const fn about(component: &Component) -> About<'_> {
    About {
        component: component.name.as_str(),
        metric: "",
        title: component.title.as_str(),
        unit: "",
    }
}

/// Of components whose processing time is measured.
async fn tail(
    work: &Work<'_>,
    component: &Component,
    significance: f64,
) -> Result<Option<Finding>, QueryError> {
    let of_time = component.metrics.iter().find(|metric| {
        matches!(
            metric.expression,
            Expression::Quantile(Measure::ProcessingTime, _) | Expression::Mean(Measure::ProcessingTime)
        )
    });
    let Some(metric) = of_time else { return Ok(None) };
    let before = processing_times(work.client, &component.log_type, work.analysis.previous).await?;
    let now = processing_times(work.client, &component.log_type, work.analysis.period).await?;
    let name = component.full_name(metric);
    let about = About {
        metric: &name,
        ..about(component)
    };
    Ok(latency_tail(about, &before, &now, significance))
}

async fn confidence(
    work: &Work<'_>,
    component: &Component,
    significance: f64,
) -> Result<Vec<Finding>, QueryError> {
    let period = work.analysis.period;
    let levels = confidence_levels(work.client, component, period).await?;
    let mut found: Vec<Finding> = level_order(about(component), &levels, significance)
        .into_iter()
        .collect();
    if let Some(by) = &component.stated_probability {
        let predicted = stated(work.client, component, by, period).await?;
        let predicted = predicted
            .into_iter()
            .map(|(probability, trials, successes)| Predicted {
                probability,
                trials,
                successes,
            });
        let predicted: Vec<_> = predicted.collect();
        found.extend(stated_probabilities(
            about(component),
            &by.measure,
            &predicted,
            significance,
        ));
    }
    Ok(found)
}
