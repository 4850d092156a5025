//! How many decisions the period has, and how many records became none.

use kaizen_warehouse::queries::{QueryError, rejections, volume};

use super::Work;

/// Counts decisions of every component, by the hour and of the period, and rejections.
///
/// # Errors
/// Any [`QueryError`].
pub async fn count(work: &mut Work<'_>) -> Result<(), QueryError> {
    let (past, period) = (work.past()?, work.analysis.period);
    for component in work.catalogue.components() {
        let volume = volume(&work.client, component, past).await?;
        work.analysis.decisions += volume.decisions(period);
        work.volumes.push(volume);
    }
    work.analysis.rejections = rejections(&work.client, period).await?;
    Ok(())
}
