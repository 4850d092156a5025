//! What to do about what was found: the facts of the run, handed to the rules.

use std::collections::HashMap;

use kaizen_catalogue::{Component, Condition, Direction, Expression, Measure};
use kaizen_findings::{
    ComponentFacts, Direction as Goes, Explained, Facts, MetricFacts, Role, TrendFacts, recommend as by_rules,
};
use kaizen_warehouse::queries::{MetricExplanation, QueryError, changes};
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
        components.push(of(work, component, &mut explanations));
    }
    let mut ledger = changes(&work.client, work.analysis.previous).await?;
    ledger.extend(changes(&work.client, work.analysis.period).await?);
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
        corrections: work.corrections.clone(),
    };
    let recommended = by_rules(&facts).into_iter();
    work.recommendations = recommended.map(|it| (identity(&it.key()), it)).collect();
    super::exemplify::exemplify(work).await
}

/// The same for the same finding in every run.
fn identity(key: &str) -> String {
    let name = format!("kaizen:recommendation:{key}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

fn of(
    work: &Work<'_>,
    component: &Component,
    explanations: &mut HashMap<String, MetricExplanation>,
) -> ComponentFacts {
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
        let moved = trend.filter(|it| matches!(it.trend.direction, Goes::Improving | Goes::Declining));
        metrics.push(MetricFacts {
            title: metric.title.clone(),
            unit: metric.unit.clone(),
            higher_is_better,
            minimum_sample: metric.minimum_sample as f64,
            value_per_unit: (metric.value_per_unit.as_ref()).map(|it| (it.amount, it.currency.clone())),
            role: role(&metric.expression),
            n: point.map_or(0.0, |it| it.value.n as f64),
            now: point.and_then(|it| it.value.value),
            before: point.and_then(|it| it.previous.value),
            trend: moved.map(|it| TrendFacts {
                is_improving: it.trend.direction == Goes::Improving,
                p_value: it.trend.p_value.unwrap_or(1.0),
            }),
            explained: explanations.remove(&name).map(|it| Explained {
                what: it.explained,
                unit: it.unit,
                higher_is_better,
                explanation: it.explanation,
            }),
            groups: work.groups.get(&name).cloned(),
            name,
        });
    }
    ComponentFacts {
        name: component.name.clone(),
        log_type: component.log_type.clone(),
        title: component.title.clone(),
        category: component.category.clone(),
        coverage,
        metrics,
        findings: work
            .findings
            .iter()
            .filter(|it| it.component == component.name)
            .cloned()
            .collect(),
    }
}

const fn role(expression: &Expression) -> Role {
    match expression {
        Expression::Count => Role::Volume,
        Expression::Mean(Measure::QualityScore) => Role::Quality,
        Expression::Share(Condition::SuccessIndicator) => Role::Aim,
        _ => Role::Other,
    }
}
