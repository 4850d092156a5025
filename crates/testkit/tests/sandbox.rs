//! The sandbox itself: what it starts works, comes back, and is gone afterwards.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{ClickHouse, DecisionBuilder, Kafka, Part, Record, eventually};
use tokio::io::{AsyncBufReadExt, BufReader};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_broker_gives_back_the_records_it_took_even_after_a_crash() -> Result<()> {
    let kafka = Kafka::start().await?;
    let topic = kafka.new_topic("decisions", 3).await?;
    let event = DecisionBuilder::new("s-1", "2026-01-05T09:00:00Z").build();
    let mut records: Vec<_> = (0..100)
        .map(|n: u32| Record::new(n.to_string(), event.clone()))
        .collect();
    records[7].value = None;
    records[8].headers = vec![("event-id".into(), b"e-8".to_vec())];
    kafka.publish(&topic, records.clone()).await?;

    kafka.part().kill();
    kafka.restart().await?;

    let mut read = kafka.records(&topic).await?;
    assert_eq!(
        read.iter()
            .find(|record| record.key == records[8].key)
            .unwrap()
            .header("event-id"),
        Some("e-8")
    );
    for record in &mut read {
        (record.partition, record.offset) = (0, 0);
    }
    read.sort_by_key(|record| {
        String::from_utf8(record.key.clone().unwrap())
            .unwrap()
            .parse::<u32>()
            .unwrap()
    });
    assert_eq!(read, records);
    Ok(())
}

#[tokio::test]
async fn tests_share_one_broker_and_not_their_topics() -> Result<()> {
    let (one, other) = tokio::try_join!(Kafka::shared(), Kafka::shared())?;
    assert_eq!(one.part().id()?, other.part().id()?);
    let (a, b) = tokio::try_join!(one.new_topic("t", 1), other.new_topic("t", 1))?;
    one.publish(&a, [Record::new("k", "v")]).await?;
    assert_eq!(
        (one.records(&a).await?.len(), one.records(&b).await?.len()),
        (1, 0)
    );
    Ok(())
}

#[tokio::test]
async fn an_engine_keeps_its_rows_over_a_crash_and_a_stop() -> Result<()> {
    let engine = ClickHouse::start().await?;
    engine
        .query("CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n")
        .await?;
    engine.query("INSERT INTO t VALUES (1), (2)").await?;
    engine.part().kill();
    engine.restart().await?;
    let status = engine.part().terminate(SOON).await?;
    assert!(status.success(), "{status}");
    engine.restart().await?;
    assert_eq!(engine.query("SELECT sum(n) FROM t").await?, "3");
    Ok(())
}

#[tokio::test]
async fn a_paused_part_does_nothing_until_it_is_resumed() -> Result<()> {
    let engine = ClickHouse::start().await?;
    engine.part().pause()?;
    let answer = tokio::time::timeout(Duration::from_millis(300), engine.query("SELECT 1")).await;
    assert!(answer.is_err(), "a stopped process answered");
    engine.part().resume()?;
    assert_eq!(engine.query("SELECT 1").await?, "1");
    Ok(())
}

#[tokio::test]
async fn a_part_that_ends_at_once_is_reported_with_its_log() -> Result<()> {
    let part = Part::new("talker", |_| {
        let mut command = Command::new("sh");
        command.args(["-c", "echo port 9092 is taken >&2; exit 3"]);
        Ok(command)
    })?;
    let error = part.start(async || anyhow::bail!("not ready")).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.contains("exit status: 3") && error.contains("port 9092 is taken"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_dropped_part_leaves_no_process_and_no_folder() -> Result<()> {
    let engine = ClickHouse::start().await?;
    let (id, folder) = (engine.part().id()?, data_folder(engine.part().id()?)?);
    assert!(runs(id) && folder.exists());
    drop(engine);
    assert!(!runs(id) && !folder.exists());
    Ok(())
}

#[tokio::test]
async fn a_killed_test_leaves_no_process_and_no_folder() -> Result<()> {
    let mut test = tokio::process::Command::new(std::env::current_exe()?)
        .args([
            "--ignored",
            "--exact",
            "holds_a_broker_and_an_engine_until_killed",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(test.stdout.take().context("stdout")?).lines();
    let started = loop {
        let line = lines
            .next_line()
            .await?
            .context("the test ended before it held anything")?;
        if let Some(ids) = line.strip_prefix("holding ") {
            break ids.split(' ').map(str::parse).collect::<Result<Vec<u32>, _>>()?;
        }
    };
    let folder = data_folder(started[1])?;
    assert!(started.iter().all(|id| runs(*id)) && folder.exists());

    test.kill().await?;

    eventually("all is gone", SOON, async || {
        ensure!(
            !started.iter().any(|id| runs(*id)),
            "a process is left of {started:?}"
        );
        ensure!(!folder.exists(), "{} is left", folder.display());
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "the victim of a_killed_test_leaves_no_process_and_no_folder"]
async fn holds_a_broker_and_an_engine_until_killed() -> Result<()> {
    let (kafka, engine) = tokio::try_join!(Kafka::start(), ClickHouse::start())?;
    println!("\nholding {} {}", kafka.part().id()?, engine.part().id()?);
    std::future::pending().await
}

fn runs(id: u32) -> bool {
    // A zombie has ended; it only waits for whoever inherited it.
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

/// The `--path` a running engine was given.
fn data_folder(id: u32) -> Result<PathBuf> {
    let line = std::fs::read(format!("/proc/{id}/cmdline"))?;
    let mut words = line.split(|byte| *byte == 0);
    words.find(|word| *word == b"--path");
    let path = words.next().context("--path")?;
    Ok(Path::new(std::str::from_utf8(path)?).to_owned())
}
