use std::time::Duration;

use anyhow::Result;
use kaizen_logger::{Decision, DecisionLogger, DropPolicy, DropReason, Logged};
use kaizen_testkit::Kafka;
use serde_json::json;

use crate::setting::{NOWHERE, SOON, arrived, check_accounts, decision, logged, until, value};

#[tokio::test(flavor = "multi_thread")]
async fn every_decision_arrives_once_with_its_key_and_headers() -> Result<()> {
    let kafka = Kafka::shared().await?;
    let topic = kafka.new_topic("decisions", 3).await?;
    let logger = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(&topic)
        .build()?;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let logger = logger.clone();
            std::thread::spawn(move || {
                for number in (thread..2_000).step_by(4) {
                    assert_eq!(
                        logger.log(decision(number).traceparent(traceparent)),
                        Logged::Queued
                    );
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());

    let stats = logger.shutdown(SOON);

    check_accounts(&stats);
    assert_eq!((stats.logged, stats.delivered), (2_000, 2_000));
    let mut records = kafka.records(&topic).await?;
    assert_eq!(records.len(), 2_000);
    records.sort_by_key(|record| value(record).unwrap()["input_data"]["number"].as_u64());
    for (number, record) in records.iter().enumerate() {
        assert_eq!(
            record.key.as_deref(),
            Some(format!("s-{}", number % 5).as_bytes())
        );
        let id = format!("e-{number}");
        let headers = [
            ("event-id", &*id),
            ("content-type", "application/json"),
            ("traceparent", traceparent),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(record.headers, headers);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_of_a_session_keep_their_order() -> Result<()> {
    let kafka = Kafka::shared().await?;
    let topic = kafka.new_topic("decisions", 3).await?;
    let logger = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(&topic)
        .build()?;
    for number in 0..5_000 {
        logger.log(decision(number));
    }
    assert!(logger.flush(SOON));
    assert_eq!(arrived(kafka, &topic).await?, logged(5_000));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_that_succeeds_leaves_nothing_unacknowledged() -> Result<()> {
    let kafka = Kafka::shared().await?;
    let topic = kafka.new_topic("decisions", 1).await?;
    let logger = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(&topic)
        .build()?;
    for round in 1..=5 {
        for number in 0..100 {
            logger.log(decision(number));
        }
        assert!(logger.flush(SOON));
        assert_eq!(kafka.records(&topic).await?.len(), round * 100);
    }
    assert!(logger.flush(SOON), "with nothing to wait for");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_handle_dropped_flushes_and_a_closed_logger_takes_nothing() -> Result<()> {
    let kafka = Kafka::shared().await?;
    let topic = kafka.new_topic("decisions", 1).await?;
    let logger = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(&topic)
        .shutdown_timeout(SOON)
        .build()?;
    let clone = logger.clone();
    for number in 0..100 {
        logger.log(decision(number));
    }
    drop(logger);
    assert_eq!(clone.log(decision(100)), Logged::Queued);
    drop(clone);
    assert_eq!(kafka.records(&topic).await?.len(), 101);

    let logger = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(&topic)
        .build()?;
    logger.shutdown(SOON);
    assert_eq!(logger.log(decision(0)), Logged::Dropped(DropReason::Closed));
    let stats = logger.shutdown(SOON);
    check_accounts(&stats);
    assert_eq!(stats.dropped(DropReason::Closed), 1);
    assert!(
        logger.flush(Duration::from_secs(1)),
        "nothing is left to wait for"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_refuses_for_good_is_counted_and_holds_up_nothing() -> Result<()> {
    let kafka = Kafka::shared().await?;
    let topic = kafka.new_topic("decisions", 1).await?;
    let logger = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(&topic)
        .kafka("message.max.bytes", "4000")
        .build()?;
    logger.log(decision(0));
    logger.log(decision(1).output(&json!({"text": "x".repeat(8_000)})));
    logger.log(decision(2));
    assert!(logger.flush(SOON));
    let stats = logger.stats();
    check_accounts(&stats);
    assert_eq!((stats.delivered, stats.dropped(DropReason::Refused)), (2, 1));
    Ok(())
}

#[test]
fn a_full_buffer_drops_by_its_policy_and_counts_it() -> Result<()> {
    for (policy, reason) in [
        (DropPolicy::Newest, DropReason::BufferFull),
        (DropPolicy::Oldest, DropReason::Evicted),
    ] {
        let logger = DecisionLogger::builder()
            .brokers(NOWHERE)
            .capacity(8)
            .drop_policy(policy)
            .build()?;
        let refused = (0..2_000)
            .filter(|number| logger.log(decision(*number)) != Logged::Queued)
            .count();
        let stats = logger.shutdown(Duration::ZERO);
        check_accounts(&stats);
        assert_eq!(stats.logged, 2_000);
        assert!(stats.dropped(reason) > 1_000, "{stats:?}");
        assert_eq!(refused > 0, policy == DropPolicy::Newest);
        // There is neither a broker nor a spill folder for the rest.
        assert_eq!(
            stats.dropped(reason) + stats.dropped(DropReason::NotDelivered),
            2_000,
            "{stats:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_spill_folder_what_is_not_delivered_in_time_is_counted() -> Result<()> {
    let logger = DecisionLogger::builder()
        .brokers(NOWHERE)
        .delivery_timeout(Duration::from_millis(300))
        .build()?;
    for number in 0..50 {
        logger.log(decision(number));
    }
    let stats = until(&logger, "all are given up", |stats| stats.dropped_total() == 50).await?;
    assert_eq!(stats.dropped(DropReason::NotDelivered), 50);
    check_accounts(&stats);
    Ok(())
}

#[test]
fn what_is_adjusted_is_counted_and_still_queued() -> Result<()> {
    let logger = DecisionLogger::builder().brokers(NOWHERE).build()?;
    let decision = Decision::new("website_analysis", "x".repeat(200), "m");
    assert_eq!(decision.adjustments().len(), 1);
    assert_eq!(logger.log(decision), Logged::Queued);
    assert_eq!(logger.shutdown(Duration::ZERO).adjusted, 1);
    Ok(())
}
