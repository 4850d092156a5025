//! What the collector takes in arrives, whatever ends on the way.

use std::time::Duration;

use anyhow::{Result, ensure};
use kaizen_testkit::{DecisionBuilder, Record, Sandbox, eventually};

const TOPIC: &str = "kaizen.decisions";
const EVENTS: usize = 20_000;
const SOON: Duration = Duration::from_secs(60);
/// What a service has to end in.
const DRAIN: Duration = Duration::from_secs(10);

fn records(from: usize, to: usize) -> Vec<Record> {
    let now = jiff::Timestamp::now().to_string();
    let event = |n: usize| {
        DecisionBuilder::new(&format!("session-{}", n % 97), &now).with("/event_id", format!("e-{n}"))
    };
    (from..to)
        .map(|n| Record::new(format!("{}", n % 97), event(n).build()))
        .collect()
}

/// Rows, and different records among them.
async fn stored(sandbox: &Sandbox) -> Result<(usize, usize)> {
    let sql = "SELECT count(), uniqExact(_topic, _partition, _offset) FROM kaizen.decisions";
    let row = sandbox.stack().clickhouse().query(sql).await?;
    let (rows, records) = row.split_once('\t').unwrap_or_default();
    Ok((rows.parse()?, records.parse()?))
}

async fn all_arrive(sandbox: &Sandbox, events: usize) -> Result<()> {
    eventually("every record is stored", SOON, async || {
        let (_, records) = stored(sandbox).await?;
        ensure!(records == events, "{records} of {events} are");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nothing_is_lost_when_the_collector_is_killed_and_nothing_repeated_when_it_ends_in_peace()
-> Result<()> {
    let sandbox = Sandbox::with(&[("KAIZEN__BATCH__MAX_ROWS", "500")]).await?;
    let (kafka, collector) = (sandbox.stack().kafka(), sandbox.collector());
    kafka.publish(TOPIC, records(0, EVENTS / 2)).await?;
    all_arrive(&sandbox, EVENTS / 2).await?;
    let status = collector.part().terminate(DRAIN).await?;
    ensure!(status.success(), "{status}");
    collector.restart().await?;
    kafka.publish(TOPIC, records(EVENTS / 2, EVENTS)).await?;
    all_arrive(&sandbox, EVENTS).await?;
    assert_eq!(
        stored(&sandbox).await?,
        (EVENTS, EVENTS),
        "a graceful end repeats nothing"
    );

    kafka.publish(TOPIC, records(EVENTS, 2 * EVENTS)).await?;
    eventually("it is in the middle", SOON, async || {
        ensure!(stored(&sandbox).await?.1 > EVENTS, "nothing new is stored");
        Ok(())
    })
    .await?;
    collector.part().kill();
    collector.restart().await?;
    all_arrive(&sandbox, 2 * EVENTS).await
}

#[tokio::test]
async fn a_collector_outlives_its_engine_and_says_meanwhile_that_it_is_not_ready() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let (kafka, clickhouse) = (sandbox.stack().kafka(), sandbox.stack().clickhouse());
    let collector = sandbox.collector();
    clickhouse.part().kill();
    kafka.publish(TOPIC, records(0, EVENTS)).await?;
    eventually("the collector is not ready", SOON, async || {
        let refused = collector
            .operation("readyz")
            .await
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        ensure!(refused.contains("clickhouse"), "readyz says {refused:?}");
        Ok(())
    })
    .await?;
    collector.operation("healthz").await?;
    clickhouse.restart().await?;
    all_arrive(&sandbox, EVENTS).await?;
    assert_eq!(
        stored(&sandbox).await?,
        (EVENTS, EVENTS),
        "retries are told from new rows"
    );
    eventually("the collector is ready", SOON, async || {
        collector.operation("readyz").await
    })
    .await?;
    Ok(())
}
