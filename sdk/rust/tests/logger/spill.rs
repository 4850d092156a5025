use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use kaizen_logger::{DecisionLogger, DropReason, Stats};
use kaizen_testkit::Kafka;
use serde_json::json;

use crate::setting::{
    NOWHERE, SOON, builder, check_accounts, decision, entries, logged, segments, until, until_arrived,
};

/// Leaves so many decisions in the folder, for that topic.
fn leave(topic: &str, spill: &Path, count: usize) -> Result<Stats> {
    let logger = DecisionLogger::builder()
        .brokers(NOWHERE)
        .topic(topic)
        .spill_dir(spill)
        .build()?;
    for number in 0..count {
        logger.log(decision(number));
    }
    let stats = logger.shutdown(Duration::ZERO);
    check_accounts(&stats);
    Ok(stats)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_leaves_on_disk_what_is_not_acknowledged() -> Result<()> {
    let (kafka, spill) = (Kafka::shared().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 3).await?;
    let stats = leave(&topic, spill.path(), 500)?;
    assert_eq!(
        (stats.on_disk, stats.delivered, stats.dropped_total()),
        (500, 0, 0)
    );

    let logger = builder(kafka, &topic, spill.path()).build()?;
    until(&logger, "they are adopted", |stats| stats.adopted == 500).await?;
    ensure!(logger.flush(SOON));
    assert_eq!(until_arrived(kafka, &topic, 500).await?, logged(500));
    drop(logger);
    assert_eq!(entries(spill.path()), Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_end_is_skipped_and_counted_and_the_rest_arrives() -> Result<()> {
    let (kafka, spill) = (Kafka::shared().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 3).await?;
    leave(&topic, spill.path(), 100)?;
    let torn = segments(spill.path()).pop().unwrap();
    let file = File::options().write(true).open(&torn)?;
    file.set_len(file.metadata()?.len() - 3)?;

    let logger = builder(kafka, &topic, spill.path()).build()?;
    let stats = until(&logger, "the rest is adopted", |stats| stats.adopted > 0).await?;
    assert_eq!((stats.adopted, stats.torn), (99, 1));
    ensure!(logger.flush(SOON));
    check_accounts(&logger.stats());
    assert_eq!(until_arrived(kafka, &topic, 99).await?, logged(99));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_or_foreign_file_is_no_harm() -> Result<()> {
    let (kafka, spill) = (Kafka::shared().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 1).await?;
    let dead = spill.path().join(format!("1-{:032x}", 7));
    std::fs::create_dir(&dead)?;
    std::fs::write(dead.join("0000000000.kzs"), b"")?;
    std::fs::write(dead.join("0000000001.kzs"), b"not a frame in sight")?;
    let logger = builder(kafka, &topic, spill.path()).build()?;
    until(&logger, "the foreign bytes are counted", |stats| stats.torn == 1).await?;
    logger.log(decision(0));
    ensure!(logger.flush(SOON));
    check_accounts(&logger.stats());
    drop(logger);
    assert_eq!(entries(spill.path()), Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spill_folder_drops_and_counts_and_keeps_its_bound() -> Result<()> {
    let spill = tempfile::tempdir()?;
    let bound = 1 << 20;
    let logger = DecisionLogger::builder()
        .brokers(NOWHERE)
        .spill_dir(spill.path())
        .spill_bytes(bound)
        .delivery_timeout(Duration::from_millis(200))
        .build()?;
    for number in 0..3_000 {
        logger.log(decision(number).output(&json!({"text": "x".repeat(1_000)})));
    }
    let stats = until(&logger, "the folder is full", |stats| {
        stats.buffered == 0 && stats.in_flight == 0 && stats.dropped(DropReason::SpillFull) > 0
    })
    .await?;
    check_accounts(&stats);
    let size: u64 = segments(spill.path())
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert!(size <= bound && size > bound / 2, "{size}");
    assert_eq!(stats.on_disk_bytes, size);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_costs_events_and_nothing_else() -> Result<()> {
    let root = tempfile::tempdir()?;
    let spill = root.path().join("spill");
    let logger = DecisionLogger::builder()
        .brokers(NOWHERE)
        .spill_dir(&spill)
        .build()?;
    std::fs::remove_dir_all(&spill)?;
    for number in 0..100 {
        logger.log(decision(number));
    }
    let stats = logger.shutdown(Duration::ZERO);
    check_accounts(&stats);
    assert_eq!(stats.dropped(DropReason::SpillFailed), 100);
    Ok(())
}
