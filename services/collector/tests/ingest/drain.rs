//! A collector that is asked to end under load answers what it has taken in, and loses none of what it called accepted.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use kaizen_testkit::eventually;
use tokio::task::JoinSet;

use crate::stage::{SOON, Stage, answer, event, joined};

const SENDERS: usize = 8;
const RECORDS: usize = 20;
/// What a service has to end in.
const DRAIN: Duration = Duration::from_secs(10);

/// Sends until the collector is gone; returns the identities it called accepted.
async fn send(stage: Arc<Stage>, sender: usize) -> Vec<String> {
    let mut accepted = Vec::new();
    for round in 0.. {
        let identities: Vec<_> = (0..RECORDS).map(|n| format!("{sender}-{round}-{n}")).collect();
        let events: Vec<_> = identities.iter().map(|id| event(id).build()).collect();
        let body = joined(&events, "", "\n", "");
        match answer(stage.post("application/x-ndjson").body(body)).await {
            Ok((202, _, report)) if report["accepted"] == RECORDS => accepted.extend(identities),
            Ok(_) | Err(_) => break,
        }
    }
    accepted
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_accepted_is_stored_also_when_the_collector_ends_under_load() -> Result<()> {
    let stage = Arc::new(Stage::start(&[]).await?);
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        senders.spawn(send(stage.clone(), sender));
    }
    let sample = "kaizen_collector_ingest_records_total{transport=\"http\",outcome=\"accepted\",reason=\"\"}";
    eventually("the load is on", SOON, async || {
        let accepted = stage.metric(sample).await?;
        ensure!(accepted > 2000, "{accepted}");
        Ok(())
    })
    .await?;
    let status = stage.collector.part().terminate(DRAIN).await?;
    ensure!(status.success(), "{status}");
    let accepted: Vec<_> = senders.join_all().await.into_iter().flatten().collect();
    ensure!(accepted.len() > 2000, "{}", accepted.len());

    stage.collector.restart().await?;
    let sql = "SELECT event_id FROM kaizen.decisions";
    eventually("every accepted record is stored", SOON, async || {
        let found = stage.stack.clickhouse().query(sql).await?;
        let found: std::collections::HashSet<_> = found.lines().collect();
        let lost = accepted.iter().filter(|id| !found.contains(id.as_str())).count();
        ensure!(lost == 0, "{lost} of {} are not", accepted.len());
        Ok(())
    })
    .await
}
