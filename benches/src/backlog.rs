//! Memory does not grow with lag.

use anyhow::Result;

use crate::collector;
use crate::measure::{Measurement, peak_memory};
use crate::stage::Stage;

/// Fills the topic up to `backlog` events, ingests them all, and returns the collector's peak memory in bytes.
pub async fn ingest(stage: &mut Stage, backlog: u64) -> Result<(Measurement, u64)> {
    let more = backlog.saturating_sub(stage.events);
    if more > 0 {
        stage.publish(more)?;
    }
    let (collector, measured) = collector::run(stage).await?;
    Ok((measured, peak_memory(collector.part().id()?)?))
}
