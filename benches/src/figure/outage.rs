//! The engine is away for a while; events keep coming. How long until they are all there, and is each there once?

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use kaizen_testkit::{Service, Stack};

use super::{Figure, tell};
use crate::contender::start_collector;
use crate::meter::peak_memory;
use crate::options::Options;
use crate::pace::Pace;
use crate::report::{Section, Table, grouped};

const TOPIC: &str = "kaizen.decisions";
const RATE: u64 = 5_000;
/// Behind by no more than so many events is what a batch's age alone explains: the outage is over.
const CAUGHT_UP: u64 = 2 * RATE;
/// How long it may take to catch up, or to store the last events.
const PATIENCE: Duration = Duration::from_secs(3_600);
const LOOK: Duration = Duration::from_millis(100);

/// Kills the engine, waits, starts it again, and waits until nothing waits any more; then audits.
pub async fn measure(options: &Options) -> Result<Section> {
    let stack = Stack::start().await?;
    let collector = start_collector(&stack, "collector", &[]).await?;
    let pace = Pace::start(stack.kafka().brokers(), TOPIC, RATE)?;
    wait(&stack, &collector, || 5 * RATE, 0)
        .await
        .context("before the outage")?;
    stack.clickhouse().part().kill();
    tell(&format!("the engine is away for {:?}", options.outage_minutes));
    tokio::time::sleep(options.outage_minutes).await;
    let waiting = pace.acknowledged();
    let began = Instant::now();
    stack.clickhouse().restart().await?;
    let waiting = waiting - rows(&stack).await?;
    wait(&stack, &collector, || pace.acknowledged(), CAUGHT_UP)
        .await
        .context("after the outage")?;
    let drained = began.elapsed();
    tell("caught up");
    let published = pace.stop()?;
    wait(&stack, &collector, || published, 0)
        .await
        .context("the last events")?;
    let peak = peak_memory(collector.part().id()?)?;
    let stored = rows(&stack).await?;
    ensure!(stored == published, "{stored} rows of {published} events");
    stack.kaizen(&["audit"]).await.context("the audit")?;
    let mut table = Table::new(&[
        "engine away",
        "events/s, all the while",
        "waiting when it came back",
        "caught up after",
        "peak memory of the collector",
        "`kaizen audit`",
    ]);
    table.row([
        format!("{:.1} min", options.outage_minutes.as_secs_f64() / 60.0),
        grouped(RATE),
        grouped(waiting),
        format!("{:.1} s", drained.as_secs_f64()),
        format!("{peak} MiB"),
        format!("clean, {} events", grouped(published)),
    ]);
    Ok(Section::plain(Figure::Outage, table.to_string()))
}

/// Waits until no more than `behind` of so many events are not stored.
async fn wait(stack: &Stack, collector: &Service, of: impl Fn() -> u64, behind: u64) -> Result<()> {
    let began = Instant::now();
    loop {
        let (events, rows) = (of(), rows(stack).await?);
        if rows + behind >= events {
            return Ok(());
        }
        if let Some(status) = collector.part().exit_status()? {
            bail!("the collector ended with {status}");
        }
        ensure!(began.elapsed() < PATIENCE, "{rows} of {events} events are stored");
        tokio::time::sleep(LOOK).await;
    }
}

async fn rows(stack: &Stack) -> Result<u64> {
    let rows = stack.clickhouse().query("SELECT count() FROM kaizen.decisions");
    Ok(rows.await?.parse()?)
}
