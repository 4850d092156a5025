//! Memory does not grow with lag.

use anyhow::Result;

use super::{Figure, tell};
use crate::contender::start_collector;
use crate::meter::{Meter, cpu, peak_memory};
use crate::options::Options;
use crate::report::{Section, Table, grouped};
use crate::stage::Stage;

/// Publishes all of it, then starts the collector.
pub async fn measure(options: &Options) -> Result<Section> {
    let stage = Stage::build(options.backlog, options.history).await?;
    tell(&format!("{} events wait", grouped(stage.events)));
    let meter = Meter::start(&stage.stack)?;
    let collector = start_collector(&stage.stack, "collector", &[]).await?;
    let part = collector.part();
    stage
        .stored(|| match part.exit_status()? {
            Some(status) => anyhow::bail!("the collector ended with {status}"),
            None => Ok(()),
        })
        .await?;
    let measured = meter.stop(&stage.stack, stage.events, Some(cpu(part.id()?)?))?;
    let peak = peak_memory(part.id()?)?;
    let mut table = Table::new(&[
        "events that wait",
        "events/s",
        "events per CPU-second",
        "peak memory of the collector",
    ]);
    table.row([
        grouped(stage.events),
        grouped(measured.rate() as u64),
        grouped(measured.rate_of_cpu() as u64),
        format!("{peak} MiB"),
    ]);
    Ok(Section::plain(Figure::Backlog, table.to_string()))
}
