use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use kaizen_logger::DecisionLogger;
use kaizen_testkit::Kafka;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::setting::{SOON, builder, check_accounts, decision, entries, logged, until, until_arrived};

const COUNT: usize = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_had_on_disk_is_published_by_the_next_one() -> Result<()> {
    let (kafka, spill) = (Kafka::start().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 3).await?;
    kafka.part().kill();
    let mut victim = tokio::process::Command::new(std::env::current_exe()?)
        .args(["--ignored", "--exact", "crash::logs_until_killed", "--nocapture"])
        .env("KAIZEN_BROKERS", kafka.brokers())
        .env("KAIZEN_TOPIC", &topic)
        .env("KAIZEN_SPILL_DIR", spill.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(victim.stdout.take().context("stdout")?).lines();
    loop {
        let line = lines
            .next_line()
            .await?
            .context("it ended before all was on disk")?;
        if line == "all is on disk" {
            break;
        }
    }
    victim.kill().await?;
    assert_eq!(entries(spill.path()).len(), 1, "its folder is left");

    kafka.restart().await?;
    let logger = builder(&kafka, &topic, spill.path()).build()?;
    let stats = until(&logger, "what it left is delivered", |stats| {
        stats.adopted == COUNT as u64 && stats.on_disk == 0
    })
    .await?;

    check_accounts(&stats);
    assert_eq!(stats.torn, 0);
    assert_eq!(until_arrived(&kafka, &topic, COUNT).await?, logged(COUNT));
    drop(logger);
    assert_eq!(
        entries(spill.path()),
        Vec::<String>::new(),
        "nothing is left on disk"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the victim of what_a_killed_process_had_on_disk_is_published_by_the_next_one"]
async fn logs_until_killed() -> Result<()> {
    let logger = DecisionLogger::from_env()?;
    for number in 0..COUNT {
        logger.log(decision(number));
    }
    let stats = until(&logger, "all is on disk", |stats| stats.on_disk == COUNT as u64).await?;
    ensure!(stats.buffered + stats.in_flight == 0);
    println!("\nall is on disk");
    std::future::pending().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_process_adopts_what_another_leaves_behind() -> Result<()> {
    let (kafka, spill) = (Kafka::shared().await?, tempfile::tempdir()?);
    let topic = kafka.new_topic("decisions", 3).await?;
    let survivor = builder(kafka, &topic, spill.path()).build()?;
    survivor.log(decision(0));
    ensure!(survivor.flush(SOON));

    let other = builder(kafka, &topic, spill.path())
        .brokers(crate::setting::NOWHERE)
        .build()?;
    for number in 1..100 {
        other.log(decision(number));
    }
    let stats = other.shutdown(std::time::Duration::ZERO);
    assert_eq!(stats.on_disk, 99, "{stats:?}");
    drop(other);

    until(&survivor, "it is adopted", |stats| stats.adopted == 99).await?;
    ensure!(survivor.flush(SOON));
    check_accounts(&survivor.stats());
    assert_eq!(until_arrived(kafka, &topic, 100).await?, logged(100));
    Ok(())
}
