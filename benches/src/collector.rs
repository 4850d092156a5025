//! Kaizen's collector, as it is shipped, with its defaults.

use std::time::Instant;

use anyhow::Result;
use kaizen_testkit::Service;

use crate::measure::{Measurement, cpu, cpu_of_parts};
use crate::stage::Stage;

/// Ingests every event, from the start of the process.
pub async fn ingest(stage: &mut Stage) -> Result<Measurement> {
    let (collector, measured) = run(stage).await?;
    drop(collector);
    Ok(measured)
}

/// The same, and leaves the process running.
pub async fn run(stage: &mut Stage) -> Result<(Service, Measurement)> {
    stage.empty().await?;
    let group = stage.new_group();
    let (began, before) = (Instant::now(), cpu_of_parts(&stage.stack)?);
    let overrides = [
        ("KAIZEN__KAFKA__GROUP_ID", group.as_str()),
        ("KAIZEN__TELEMETRY__LOG_LEVEL", "warn"),
    ];
    let collector = Service::start("collector", false, &stage.stack, &overrides).await?;
    stage.stored(stage.events).await?;
    let (elapsed, cpu) = (began.elapsed(), cpu(collector.part().id()?)?);
    Ok((
        collector,
        Measurement {
            events: stage.events,
            elapsed,
            cpu: Some(cpu),
            parts: cpu_of_parts(&stage.stack)?.saturating_sub(before),
        },
    ))
}
