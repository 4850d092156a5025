//! The rows of a run.

use jiff::Timestamp;
use kaizen_warehouse::queries::{
    QueryError, put_explanations, put_findings, put_recommendations, put_results, put_trends,
};

use super::Work;

/// Records all of it, under the time of this attempt. The run itself is recorded as succeeded after this; nothing of it is read
/// before.
///
/// # Errors
/// Any [`QueryError`].
pub async fn record(work: &mut Work<'_>) -> Result<(), QueryError> {
    let now = work.analysis.results_at.unwrap_or_else(Timestamp::now);
    put_results(&work.client, &work.analysis, &work.points, now).await?;
    put_trends(&work.client, &work.analysis, &work.trends, now).await?;
    put_explanations(&work.client, &work.analysis, &work.explanations, now).await?;
    put_findings(&work.client, &work.analysis, &work.findings, now).await?;
    put_recommendations(&work.client, &work.analysis, &work.recommendations, now).await?;
    Ok(())
}
