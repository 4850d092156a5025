//! What no metric tells by itself: tails of latency, confidence and labels that do not mean what they say, templates and methods against
//! each other, data that is missing.

mod gaps;
mod groups;

use kaizen_catalogue::{Component, Direction, Expression, Measure, Metric};
use kaizen_findings::{
    About, Comparison, Detail, Finding, label_order, latency_tail, level_order, standings,
    stated_probabilities,
};
use kaizen_stats::{Predicted, proportion_dispersion};
use kaizen_warehouse::queries::{
    Label, QueryError, confidence_levels, label_counts, processing_times, stated_probabilities as stated,
};

use super::Work;

/// Chance that a run tells of a tail, a label or confidence, of any component, when nothing is wrong.
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
        let mut stated = labels(work, component, significance).await?;
        stated.extend(confidence(work, component, significance, &stated).await?);
        work.findings.extend(tail.into_iter().chain(stated));
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
            let comparison = Comparison {
                minimum_sample: metric.minimum_sample as f64,
                higher_is_better: metric.direction == Direction::HigherIsBetter,
                dispersion: dispersion(work, metric, &name),
            };
            work.findings.extend(standings(about, &groups, comparison));
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

/// How many times more than chance a share scatters from day to day of the period.
fn dispersion(work: &Work<'_>, metric: &Metric, name: &str) -> f64 {
    let history = work.histories.iter().find(|history| history.metric == name);
    let Some(history) = history.filter(|_| metric.is_share()) else {
        return 1.0;
    };
    let start = work.analysis.period.start().as_second();
    let days = history.days.iter().filter(|day| day.start >= start);
    let shares: Vec<(f64, f64)> = days.filter_map(|day| Some((day.value? * day.n, day.n))).collect();
    proportion_dispersion(&shares)
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
    let before = processing_times(&work.client, &component.log_type, work.analysis.previous).await?;
    let now = processing_times(&work.client, &component.log_type, work.analysis.period).await?;
    let name = component.full_name(metric);
    let about = About {
        metric: &name,
        ..about(component)
    };
    Ok(latency_tail(about, &before, &now, significance))
}

/// Of labels that do not order what came of decisions.
async fn labels(
    work: &Work<'_>,
    component: &Component,
    significance: f64,
) -> Result<Vec<Finding>, QueryError> {
    let counts = label_counts(&work.client, component, work.analysis.period).await?;
    let found = counts
        .iter()
        .filter_map(|it| label_order(about(component), it, significance));
    Ok(found.collect())
}

/// Of stated confidence; not once more of levels whose order is told as a label's.
async fn confidence(
    work: &Work<'_>,
    component: &Component,
    significance: f64,
    labels: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let period = work.analysis.period;
    let mut found = Vec::new();
    let is_told = |it: &Finding| matches!(&it.detail, Detail::LabelOrder(it) if it.label == Label::ConfidenceLevel.name());
    if !labels.iter().any(is_told) {
        let levels = confidence_levels(&work.client, component, period).await?;
        found.extend(level_order(about(component), &levels, significance));
    }
    if let Some(by) = &component.stated_probability {
        let predicted = stated(&work.client, component, by, period).await?;
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
