use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use kaizen_logger::{Decision, DecisionLogger, Level, Recording};
use kaizen_testkit::Kafka;
use serde_json::{Value, json};

use crate::setting::{SOON, value};

/// What the events say that `work` logs.
async fn logged(work: impl AsyncFnOnce(&DecisionLogger)) -> Result<Vec<Value>> {
    let kafka = Kafka::shared().await?;
    let topic = kafka.new_topic("decisions", 1).await?;
    let logger = DecisionLogger::builder()
        .brokers(kafka.brokers())
        .topic(&topic)
        .clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_603_600))
        .build()?;
    work(&logger).await;
    logger.shutdown(SOON);
    kafka.records(&topic).await?.iter().map(value).collect()
}

/// The one event that `work` logs, as whether it succeeded and by what kind of error it failed.
async fn outcome(work: impl AsyncFnOnce(&DecisionLogger)) -> Result<(bool, Option<String>)> {
    let events = logged(work).await?;
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    let reasoning = &event["decision_reasoning"];
    assert!(reasoning["processing_time"].as_f64().context("a time")? < 5.0);
    assert_eq!(event["timestamp"], "2026-01-05T09:00:00.000Z");
    let kind = event["output_data"]["error_kind"].as_str().map(str::to_owned);
    Ok((reasoning["success"].as_bool().context("success")?, kind))
}

fn begin(logger: &DecisionLogger) -> Recording {
    logger.decision("campaign_generation", "s", "m")
}

fn decision() -> Decision {
    Decision::new("campaign_generation", "s", "m")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_logs_what_it_was_told() -> Result<()> {
    let events = logged(async |logger| {
        let mut recording = begin(logger);
        recording.input(&json!({"in": 1})).output(&json!({"out": 2}));
        recording
            .confidence(Level::Low)
            .set(|decision| decision.quality_score(70.0));
        recording.succeed();
    })
    .await?;
    assert_eq!(events[0]["input_data"], json!({"in": 1}));
    assert_eq!(events[0]["output_data"], json!({"out": 2}));
    assert_eq!(events[0]["decision_reasoning"]["confidence_level"], "low");
    assert_eq!(events[0]["training_labels"], json!({"quality_score": 70.0}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn however_a_recording_ends_it_is_logged_once() -> Result<()> {
    let failed = |kind: &str| (false, Some(kind.to_owned()));
    let succeeded = (true, None);
    assert_eq!(
        outcome(async |logger| {
            begin(logger).succeed();
        })
        .await?,
        succeeded
    );
    assert_eq!(
        outcome(async |logger| {
            begin(logger).fail("Timeout");
        })
        .await?,
        failed("Timeout")
    );
    let error = io::Error::other("Ada Lovelace has no account");
    assert_eq!(
        outcome(async |logger| {
            begin(logger).fail_with(&error);
        })
        .await?,
        failed("std::io::error::Error")
    );
    assert_eq!(
        outcome(async |logger| drop(begin(logger))).await?,
        failed("unfinished")
    );
    let panics = async |logger: &DecisionLogger| {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _recording = begin(logger);
            panic!("as the test wants");
        }));
    };
    assert_eq!(outcome(panics).await?, failed("panic"));
    let panics_in_set = async |logger: &DecisionLogger| {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            begin(logger).set(|_| panic!("as the test wants"));
        }));
    };
    assert_eq!(outcome(panics_in_set).await?, failed("panic"));
    assert_eq!(
        logged(async |logger| begin(logger).discard()).await?,
        Vec::<Value>::new()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_work_returns_what_it_returns_and_logs_how_it_went() -> Result<()> {
    let work = async |logger: &DecisionLogger| {
        let result = logger.record(decision(), |recording| {
            recording.output(&json!({"answer": 42}));
            Ok::<_, io::Error>(42)
        });
        assert_eq!(result.unwrap(), 42);
    };
    assert_eq!(outcome(work).await?, (true, None));
    let work = async |logger: &DecisionLogger| {
        let result = logger.record(decision(), |_| "x".parse::<u8>());
        assert!(result.is_err());
    };
    assert_eq!(
        outcome(work).await?,
        (false, Some("core::num::error::ParseIntError".to_owned()))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_futures_may_move_between_threads_and_be_dropped() -> Result<()> {
    let work = async |logger: &DecisionLogger| {
        let logger = logger.clone();
        let task = tokio::spawn(async move {
            logger
                .record_async(decision(), async |recording| {
                    tokio::task::yield_now().await;
                    recording.confidence(Level::High);
                    Err::<(), _>(io::Error::other("Ada Lovelace"))
                })
                .await
        });
        assert!(task.await.unwrap().is_err());
    };
    assert_eq!(
        outcome(work).await?,
        (false, Some("std::io::error::Error".to_owned()))
    );
    let work = async |logger: &DecisionLogger| {
        let never = logger.record_async(decision(), async |_| {
            std::future::pending::<Result<(), ()>>().await
        });
        assert!(
            tokio::time::timeout(Duration::from_millis(10), never)
                .await
                .is_err()
        );
    };
    assert_eq!(outcome(work).await?, (false, Some("unfinished".to_owned())));
    Ok(())
}
