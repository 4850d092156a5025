//! A collector that cannot know where to go on ends and says so, rather than lose or repeat records.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{DecisionBuilder, Record, Service, Stack, eventually};

const TOPIC: &str = "kaizen.decisions";
const GROUP: &str = "kaizen-collector";
const SOON: Duration = Duration::from_secs(60);
const DRAIN: Duration = Duration::from_secs(10);

fn records(from: usize, to: usize) -> Vec<Record> {
    let now = jiff::Timestamp::now().to_string();
    let event = |n: usize| DecisionBuilder::new("session", &now).with("/event_id", format!("e-{n}"));
    // One key: one partition.
    (from..to).map(|n| Record::new("k", event(n).build())).collect()
}

async fn stored(stack: &Stack, sql: &str) -> Result<i64> {
    let answer = stack
        .clickhouse()
        .query(&format!("SELECT {sql} FROM kaizen.decisions"))
        .await?;
    Ok(answer.parse()?)
}

async fn arrive(stack: &Stack, events: i64) -> Result<()> {
    eventually("every record is stored", SOON, async || {
        let there = stored(stack, "count()").await?;
        ensure!(there == events, "{there} of {events} are");
        Ok(())
    })
    .await
}

/// Waits until it ends by itself, and returns what it said.
async fn ended(collector: &Service) -> Result<String> {
    let status = eventually("the collector ends", SOON, async || {
        collector.part().exit_status()?.context("it runs on")
    })
    .await?;
    ensure!(status.code() == Some(1), "{status}");
    collector.part().log()
}

#[tokio::test]
async fn records_removed_before_they_were_stored_stop_a_collector_until_a_person_gives_them_up() -> Result<()>
{
    let stack = Stack::start().await?;
    let collector = Service::start("collector", false, &stack, &[]).await?;
    stack.kafka().publish(TOPIC, records(0, 100)).await?;
    arrive(&stack, 100).await?;
    let status = collector.part().terminate(DRAIN).await?;
    ensure!(status.success(), "{status}");
    let partition = i32::try_from(stored(&stack, "any(_partition)").await?)?;
    stack.kafka().publish(TOPIC, records(100, 200)).await?;
    stack.kafka().delete_records(TOPIC, partition, 150).await?;

    // It may be ready for a moment: that is before it reads.
    drop(collector.restart().await);
    let said = ended(&collector).await?;
    ensure!(said.contains("kafka.when_out_of_range"), "{said}");
    assert_eq!(stored(&stack, "count()").await?, 100);

    let earliest = [("KAIZEN__KAFKA__WHEN_OUT_OF_RANGE", "earliest")];
    let collector = Service::start("collector", false, &stack, &earliest).await?;
    arrive(&stack, 150).await?;
    assert_eq!(stored(&stack, "countIf(_offset BETWEEN 100 AND 149)").await?, 0);
    let told = stack
        .kaizen(&["audit"])
        .await
        .err()
        .context("it is clean")?
        .to_string();
    ensure!(told.contains("unproven"), "{told}");
    drop(collector);
    Ok(())
}

#[tokio::test]
async fn a_collector_whose_committed_offset_says_something_else_ends_and_names_the_partition() -> Result<()> {
    let stack = Stack::start().await?;
    stack.kafka().publish(TOPIC, records(0, 100)).await?;
    stack
        .kafka()
        .commit(GROUP, TOPIC, 3, 0, "checkpoint of another program")
        .await?;
    let started = Service::start("collector", false, &stack, &[]).await;
    let said = match started {
        Ok(collector) => ended(&collector).await?,
        Err(error) => format!("{error:#}"),
    };
    for part in [
        "kaizen.decisions/3",
        "checkpoint of another program",
        "v1;FIRST-LAST;TIME;DIGEST;POSITION",
    ] {
        ensure!(said.contains(part), "it does not say {part:?}: {said}");
    }
    assert_eq!(stored(&stack, "count()").await?, 0, "nothing is stored by guess");
    Ok(())
}
