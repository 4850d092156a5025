//! The rows of a run.

use jiff::Timestamp;
use kaizen_warehouse::queries::{QueryError, put_results};

use super::Work;

/// Records values and trends. The run itself is recorded as succeeded after this.
///
/// # Errors
/// Any [`QueryError`].
pub async fn record(work: &mut Work<'_>) -> Result<(), QueryError> {
    put_results(
        work.client,
        &work.analysis,
        &work.points,
        &work.trends,
        Timestamp::now(),
    )
    .await?;
    Ok(())
}
