use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use kaizen_logger::{DecisionLogger, DropReason, Logged};
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

#[test]
fn in_a_fork_decisions_are_dropped_and_counted_and_nothing_hangs() -> Result<()> {
    let spill = tempfile::tempdir()?;
    let logger = DecisionLogger::builder()
        .brokers(crate::setting::NOWHERE)
        .spill_dir(spill.path())
        .build()?;
    let in_fork = logger.clone();
    let mut command = std::process::Command::new("true");
    let check = move || {
        let logged = in_fork.log(decision(0));
        let flushed = in_fork.flush(SOON);
        let stats = in_fork.shutdown(SOON);
        let is_right = logged == Logged::Dropped(DropReason::Forked)
            && !flushed
            && stats.dropped(DropReason::Forked) == 1;
        is_right
            .then_some(())
            .ok_or_else(|| std::io::ErrorKind::InvalidData.into())
    };
    // SAFETY: the child takes no lock that another thread may have held at the fork, and glibc keeps its allocator usable.
    unsafe { std::os::unix::process::CommandExt::pre_exec(&mut command, check) };
    ensure!(command.status()?.success());
    // The parent's logger goes on.
    assert_eq!(logger.log(decision(0)), Logged::Queued);
    Ok(())
}
