//! Dead letters that nobody takes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{DecisionBuilder, Record, Sandbox, eventually};

use super::{DECISIONS, LETTERS};

const SOON: Duration = Duration::from_secs(120);
const PARTITIONS: usize = 8;
/// More than are stored at once (`batch.concurrent_inserts`).
const REFUSED: usize = 5;

fn good(id: &str, key: &str) -> Record {
    let event = DecisionBuilder::new(key, &jiff::Timestamp::now().to_string()).with("/event_id", id);
    Record::new(key, event.build())
}

/// A key for each partition, in their order: so that what is published with it lies there.
async fn keys(sandbox: &Sandbox) -> Result<Vec<String>> {
    let probes = (0..100).map(|n| good(&format!("probe-{n}"), &format!("key-{n}")));
    sandbox.stack().kafka().publish(DECISIONS, probes).await?;
    let records = sandbox.stack().kafka().records(DECISIONS).await?;
    let mut keys = BTreeMap::new();
    for record in records {
        keys.entry(record.partition)
            .or_insert(String::from_utf8(record.key.context("a key")?)?);
    }
    ensure!(keys.len() == PARTITIONS, "keys of {} partitions", keys.len());
    Ok(keys.into_values().collect())
}

async fn stored(sandbox: &Sandbox, prefix: &str) -> Result<usize> {
    let sql =
        format!("SELECT uniqExact(event_id) FROM kaizen.decisions WHERE startsWith(event_id, '{prefix}')");
    Ok(sandbox.stack().clickhouse().query(&sql).await?.parse()?)
}

async fn are_stored(sandbox: &Sandbox, prefix: &str, events: usize) -> Result<()> {
    eventually(&format!("{events} of {prefix} are stored"), SOON, async || {
        let stored = stored(sandbox, prefix).await?;
        ensure!(stored == events, "{stored} are");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_partition_whose_dead_letters_are_not_taken_waits_and_loses_nothing_while_its_neighbours_go_on()
-> Result<()> {
    let sandbox = Sandbox::start().await?;
    let (kafka, clickhouse) = (sandbox.stack().kafka(), sandbox.stack().clickhouse());
    let keys = keys(&sandbox).await?;
    are_stored(&sandbox, "probe-", 100).await?;

    kafka.delete_topic(LETTERS).await?;
    let (refused, neighbours) = keys.split_at(REFUSED);
    let bad = refused.iter().map(|key| Record::new(key.as_str(), "no decision"));
    kafka.publish(DECISIONS, bad).await?;
    eventually("the collector says what it waits for", SOON, async || {
        let error = sandbox.collector().operation("readyz").await.err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        ensure!(error.contains("dead_letters"), "readyz says {error:?}");
        Ok(())
    })
    .await?;
    let all = (keys.iter()).flat_map(|key| (0..10).map(move |n| good(&format!("later-{key}-{n}"), key)));
    kafka.publish(DECISIONS, all).await?;
    are_stored(&sandbox, "later-", 10 * neighbours.len()).await?;
    for key in refused {
        assert_eq!(
            stored(&sandbox, &format!("later-{key}-")).await?,
            0,
            "{key} waits"
        );
    }
    let noted = "SELECT count() FROM kaizen.rejections";
    assert_eq!(
        clickhouse.query(noted).await?,
        "0",
        "no letter counts before it is acknowledged"
    );
    sandbox.collector().operation("healthz").await?;

    sandbox.kaizen(&["admin", "create-topics"]).await?;
    are_stored(&sandbox, "later-", 10 * keys.len()).await?;
    eventually("the collector is ready", SOON, async || {
        sandbox.collector().operation("readyz").await
    })
    .await?;
    assert_eq!(clickhouse.query(noted).await?, REFUSED.to_string());
    let letters = kafka.records(LETTERS).await?;
    for key in refused {
        let its = |letter: &&Record| letter.key.as_deref() == Some(key.as_bytes());
        let letter = letters
            .iter()
            .find(its)
            .with_context(|| format!("no letter of {key}"))?;
        assert_eq!(letter.value.as_deref(), Some(&b"no decision"[..]));
    }
    sandbox.kaizen(&["audit"]).await.map(drop)
}
