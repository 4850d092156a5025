//! How many decisions the period has, and how many records became none.

use kaizen_catalogue::{Component, Expression, Metric};
use kaizen_warehouse::queries::{MetricQuery, QueryError, metric, rejections};

use super::Work;

/// Counts decisions of every component, and rejections.
///
/// # Errors
/// Any [`QueryError`].
pub async fn count(work: &mut Work<'_>) -> Result<(), QueryError> {
    let mut decisions = 0;
    for component in work.catalogue.components() {
        decisions += of(work, component).await?;
    }
    work.analysis.decisions = decisions;
    work.analysis.rejections = rejections(work.client, work.analysis.period).await?;
    Ok(())
}

async fn of(work: &Work<'_>, component: &Component) -> Result<u64, QueryError> {
    let Some(any) = component.metrics.first() else {
        return Ok(0);
    };
    let all = Metric {
        expression: Expression::Count,
        ..any.clone()
    };
    let query = MetricQuery {
        compare_to: None,
        ..work.query(component, &all)
    };
    let answer = metric(work.client, &query).await?;
    Ok(answer.series.first().map_or(0, |series| series.total.n))
}
