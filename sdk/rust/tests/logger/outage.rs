use std::time::Duration;

use anyhow::{Result, ensure};
use kaizen_logger::Logged;
use kaizen_testkit::Kafka;

use crate::setting::{SOON, builder, check_accounts, decision, entries, logged, until, until_arrived};

#[tokio::test(flavor = "multi_thread")]
async fn through_a_crash_of_the_broker_all_arrives_in_order() -> Result<()> {
    let (kafka, spill) = (Kafka::start().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 3).await?;
    let logger = builder(&kafka, &topic, spill.path()).build()?;
    for number in 0..1_000 {
        assert_eq!(logger.log(decision(number)), Logged::Queued);
    }
    until(&logger, "the first are delivered", |stats| stats.delivered > 0).await?;

    kafka.part().kill();
    for number in 1_000..4_000 {
        assert_eq!(logger.log(decision(number)), Logged::Queued);
    }
    let stats = until(&logger, "memory is empty", |stats| {
        stats.buffered == 0 && stats.in_flight == 0
    })
    .await?;
    check_accounts(&stats);
    assert!(stats.on_disk >= 3_000, "{stats:?}");
    ensure!(!logger.flush(Duration::from_millis(100)), "Kafka is away");

    kafka.restart().await?;
    for number in 4_000..5_000 {
        assert_eq!(logger.log(decision(number)), Logged::Queued);
    }
    ensure!(logger.flush(SOON), "{:?}", logger.stats());

    let stats = logger.stats();
    check_accounts(&stats);
    assert_eq!(
        (stats.delivered, stats.on_disk, stats.dropped_total()),
        (5_000, 0, 0)
    );
    assert_eq!(until_arrived(&kafka, &topic, 5_000).await?, logged(5_000));
    drop(logger);
    assert_eq!(
        entries(spill.path()),
        Vec::<String>::new(),
        "nothing is left on disk"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_hangs_decisions_go_to_disk_and_arrive_when_it_goes_on() -> Result<()> {
    let (kafka, spill) = (Kafka::start().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 3).await?;
    let logger = builder(&kafka, &topic, spill.path()).build()?;
    logger.log(decision(0));
    ensure!(logger.flush(SOON));

    kafka.part().pause()?;
    for number in 1..2_000 {
        assert_eq!(logger.log(decision(number)), Logged::Queued);
    }
    until(&logger, "all are on disk", |stats| stats.on_disk >= 1_999).await?;
    kafka.part().resume()?;

    ensure!(logger.flush(SOON), "{:?}", logger.stats());
    check_accounts(&logger.stats());
    assert_eq!(until_arrived(&kafka, &topic, 2_000).await?, logged(2_000));
    // And the way straight to Kafka is taken again.
    let spilled = logger.stats().spilled;
    logger.log(decision(2_000));
    ensure!(logger.flush(SOON));
    assert_eq!(logger.stats().spilled, spilled);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_does_not_exist_yet_loses_nothing() -> Result<()> {
    let (kafka, spill) = (Kafka::start().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 1).await?;
    let logger = builder(&kafka, "not-yet", spill.path())
        .delivery_timeout(Duration::from_millis(500))
        .build()?;
    for number in 0..100 {
        logger.log(decision(number));
    }
    let stats = until(&logger, "all are on disk", |stats| stats.on_disk == 100).await?;
    check_accounts(&stats);
    // The other topic's logger leaves them alone.
    let other = builder(&kafka, &topic, spill.path()).build()?;
    other.log(decision(0));
    ensure!(other.flush(SOON));
    assert_eq!(other.stats().adopted, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_producer_can_hold_goes_by_the_disk_and_keeps_its_order() -> Result<()> {
    let (kafka, spill) = (Kafka::shared().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 3).await?;
    let logger = builder(kafka, &topic, spill.path())
        .kafka("queue.buffering.max.messages", "50")
        .build()?;
    for number in 0..2_000 {
        assert_eq!(logger.log(decision(number)), Logged::Queued);
    }
    ensure!(logger.flush(SOON), "{:?}", logger.stats());
    let stats = logger.stats();
    check_accounts(&stats);
    assert!(stats.spilled > 0 && stats.delivered == 2_000, "{stats:?}");
    assert_eq!(until_arrived(kafka, &topic, 2_000).await?, logged(2_000));
    Ok(())
}
