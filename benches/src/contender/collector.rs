//! Kaizen's collector: as it is shipped, with its defaults; with nothing beside storing once; and without that.

use anyhow::Result;
use kaizen_testkit::{Service, Stack};

use super::process;
use crate::meter::{Measurement, Meter};
use crate::stage::Stage;

/// Tables whose tokens ClickHouse keeps.
const TABLES: [&str; 2] = ["decisions", "rollup_hourly"];

/// Configuration that switches off what is beside storing once.
const ALONE: &str = "benches/exactly-once-alone.yaml";

/// Ingests every event.
pub async fn ingest(stage: &mut Stage) -> Result<Measurement> {
    run(stage, "collector", &[]).await
}

/// The same without audit and without a window of repeats, so that what remains is what storing once costs.
pub async fn ingest_alone(stage: &mut Stage) -> Result<Measurement> {
    run(stage, "collector", &[("KAIZEN_CONFIG", ALONE)]).await
}

/// The same by the program in `benches/at-least-once`, into tables that remember no tokens.
pub async fn ingest_at_least_once(stage: &mut Stage) -> Result<Measurement> {
    let windows = windows(&stage.stack).await?;
    set_windows(&stage.stack, [0; 2]).await?;
    let measured = run(stage, "at-least-once", &[]).await;
    set_windows(&stage.stack, windows).await?;
    measured
}

async fn run(stage: &mut Stage, name: &str, overrides: &[(&str, &str)]) -> Result<Measurement> {
    let group = stage.new_group();
    let mut overrides = overrides.to_vec();
    overrides.push(("KAIZEN__KAFKA__GROUP_ID", &group));
    let meter = Meter::start(&stage.stack)?;
    let service = start(&stage.stack, name, &overrides).await?;
    process::measure(stage, &meter, service.part()).await
}

/// Starts it, quiet.
pub async fn start(stack: &Stack, name: &str, overrides: &[(&str, &str)]) -> Result<Service> {
    let quiet = ("KAIZEN__TELEMETRY__LOG_LEVEL", "warn");
    let overrides: Vec<_> = overrides.iter().copied().chain([quiet]).collect();
    Service::start(name, false, stack, &overrides).await
}

async fn windows(stack: &Stack) -> Result<[u64; 2]> {
    let mut windows = [0; 2];
    for (window, table) in windows.iter_mut().zip(TABLES) {
        let statement = format!(
            "SELECT extract(engine_full, 'non_replicated_deduplication_window = (\\\\d+)') FROM system.tables WHERE \
             database = 'kaizen' AND name = '{table}'"
        );
        *window = stack.clickhouse().query(&statement).await?.parse()?;
    }
    Ok(windows)
}

async fn set_windows(stack: &Stack, windows: [u64; 2]) -> Result<()> {
    for (window, table) in windows.iter().zip(TABLES) {
        let statement = format!(
            "ALTER TABLE kaizen.{table} MODIFY SETTING non_replicated_deduplication_window = {window}"
        );
        stack.clickhouse().query(&statement).await?;
    }
    Ok(())
}
