//! What a process of its own takes, from its start.

use std::time::Duration;

use anyhow::{Result, bail};
use kaizen_testkit::Part;

use crate::meter::{Measurement, Meter, cpu};
use crate::stage::Stage;

/// Lines of a log that tell why a process ended.
const LINES: usize = 20;

/// Waits until every event is stored, and reads the clocks.
pub async fn measure(stage: &Stage, meter: &Meter, part: &Part) -> Result<Measurement> {
    stage.stored(|| runs(part)).await?;
    let own: Duration = cpu(part.id()?)?;
    meter.stop(&stage.stack, stage.events, Some(own))
}

/// # Errors
/// It has ended; with the end of its log.
fn runs(part: &Part) -> Result<()> {
    let Some(status) = part.exit_status()? else {
        return Ok(());
    };
    let log = part.log()?;
    let lines: Vec<_> = log.lines().collect();
    bail!(
        "it ended with {status}:\n{}",
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    )
}
