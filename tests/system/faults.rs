//! What the collector takes in arrives, whatever ends on the way.

use std::time::Duration;

use anyhow::{Result, ensure};
use kaizen_testkit::{DecisionBuilder, Exchange, Moment, Proxy, Record, Sandbox, Service, Stack, eventually};

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
async fn stored(stack: &Stack) -> Result<(usize, usize)> {
    let sql = "SELECT count(), uniqExact(_topic, _partition, _offset) FROM kaizen.decisions";
    let row = stack.clickhouse().query(sql).await?;
    let (rows, records) = row.split_once('\t').unwrap_or_default();
    Ok((rows.parse()?, records.parse()?))
}

async fn all_arrive(sandbox: &Sandbox, events: usize) -> Result<()> {
    eventually("every record is stored", SOON, async || {
        let (_, records) = stored(sandbox.stack()).await?;
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
        stored(sandbox.stack()).await?,
        (EVENTS, EVENTS),
        "a graceful end repeats nothing"
    );

    kafka.publish(TOPIC, records(EVENTS, 2 * EVENTS)).await?;
    eventually("it is in the middle", SOON, async || {
        ensure!(stored(sandbox.stack()).await?.1 > EVENTS, "nothing new is stored");
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
        stored(sandbox.stack()).await?,
        (EVENTS, EVENTS),
        "retries are told from new rows"
    );
    eventually("the collector is ready", SOON, async || {
        collector.operation("readyz").await
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_batch_whose_insert_goes_on_after_its_collector_was_killed_is_stored_once() -> Result<()> {
    let stack = Stack::start().await?;
    // Each takes three seconds for the batch: the insert is at work while the batch is replayed.
    for n in 0..5 {
        let slow = format!("ADD COLUMN slow_{n} UInt8 MATERIALIZED sleepEachRow(0.0299 - 0.0001 * {n})");
        stack
            .clickhouse()
            .query(&format!("ALTER TABLE kaizen.decisions {slow}"))
            .await?;
    }
    let engine = Proxy::start(stack.clickhouse().url().trim_start_matches("http://").parse()?).await?;
    let (url, name) = (engine.url(), ("KAIZEN__KAFKA__INSTANCE_ID", "one"));
    let killed = Service::start(
        "collector",
        false,
        &stack,
        &[name, ("KAIZEN__CLICKHOUSE__URL", &url)],
    )
    .await?;
    let of_one_partition = |record| Record {
        key: Some(b"k".to_vec()),
        ..record
    };
    let batch = records(0, 97).into_iter().map(of_one_partition);
    let (held, published) = tokio::join!(
        engine.hold(Exchange::Insert, Moment::Sent),
        stack.kafka().publish(TOPIC, batch)
    );
    published?;
    killed.part().kill();

    // Another configuration makes other rows of the same records: their token says nothing, the table has to.
    let other = ("KAIZEN__PRIVACY__LEAD_NAME", "keep");
    let _replaying = Service::start("collector", false, &stack, &[name, other]).await?;
    // Of the same partition: it comes after the batch.
    let last = records(97, 98).into_iter().map(of_one_partition);
    stack.kafka().publish(TOPIC, last).await?;
    eventually(
        "all is stored, and nothing is inserted any more",
        SOON,
        async || {
            let inserts =
                "SELECT count() FROM system.processes WHERE Settings['insert_deduplication_token'] != ''";
            let under_way = stack.clickhouse().query(inserts).await?;
            let last = "SELECT count() FROM kaizen.decisions WHERE event_id = 'e-97'";
            let last = stack.clickhouse().query(last).await?;
            ensure!(
                last == "1" && under_way == "0",
                "{last} of the last, {under_way} inserts"
            );
            Ok(())
        },
    )
    .await?;
    assert_eq!(stored(&stack).await?, (98, 98));
    drop(held?);
    Ok(())
}
