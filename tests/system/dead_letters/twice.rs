//! Replays that are killed, replaced and run at once.

use std::collections::HashSet;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{Part, Record, Stack, eventually, program, workspace};

use super::{DECISIONS, LETTERS, MARKS};

const SOON: Duration = Duration::from_secs(60);
const DEAD: usize = 30_000;
const KILLS: usize = 3;
/// Letters that are replayed in one transaction.
const A_TRANSACTION: i64 = 500;

/// A letter as the collector writes it; each of every tenth is there twice.
fn letters() -> Vec<Record> {
    let letter = |n: usize| {
        let mut letter = Record::new(format!("key-{n}"), format!("value {n}"));
        let headers = [
            ("content-type", "text/plain".to_owned()),
            ("kaizen-reason", "not_json".to_owned()),
            ("kaizen-field", String::new()),
            ("kaizen-topic", DECISIONS.to_owned()),
            ("kaizen-partition", (n % 8).to_string()),
            ("kaizen-offset", (n / 8).to_string()),
            ("kaizen-time", (1_767_603_600_000 + n).to_string()),
        ];
        letter.headers = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_bytes()))
            .collect();
        letter
    };
    let once = (0..DEAD).map(letter);
    once.chain((0..DEAD).step_by(10).map(letter)).collect()
}

fn replay(stack: &Stack) -> Result<Command> {
    let mut command = Command::new(program("kaizen")?);
    command
        .current_dir(workspace())
        .args(["dlq", "replay", "--all", "--no-wait"])
        .envs(stack.variables());
    Ok(command)
}

async fn marked(stack: &Stack) -> Result<usize> {
    Ok(stack.kafka().records(MARKS).await?.len())
}

/// A replay in the middle of its work.
async fn under_way(stack: &Stack) -> Result<Part> {
    let before = stack.kafka().end(MARKS, 0).await?;
    let part = Part::new("replay", |_| replay(stack))?;
    part.start(async || {
        let now = stack.kafka().end(MARKS, 0).await?;
        // What a killed one had sent may come in late: a transaction's letters, and the marker that ends it.
        ensure!(now > before + A_TRANSACTION + 1, "nothing is replayed yet");
        Ok(())
    })
    .await?;
    Ok(part)
}

#[tokio::test]
async fn each_letter_is_replayed_once_however_often_a_replay_is_killed_replaced_or_run_at_once() -> Result<()>
{
    let stack = Stack::start().await?;
    stack.kafka().publish(LETTERS, letters()).await?;
    for _ in 0..KILLS {
        under_way(&stack).await?.kill();
    }
    let replaced = under_way(&stack).await?;
    replaced.pause()?;
    ensure!(
        marked(&stack).await? < DEAD,
        "the replays were done before they were killed"
    );

    let (mut one, mut other) = (replay(&stack)?, replay(&stack)?);
    let (mut one, mut other) = (one.spawn()?, other.spawn()?);
    let (one, other) = tokio::task::spawn_blocking(move || (one.wait(), other.wait())).await?;
    let _either_may_have_taken_over = (one?, other?);
    stack.kaizen(&["dlq", "replay", "--all", "--no-wait"]).await?;

    // The one that stood still meanwhile finds out, and adds nothing.
    replaced.resume()?;
    let status = eventually("the replaced one ends", SOON, async || {
        replaced.exit_status()?.context("it runs on")
    })
    .await?;
    ensure!(!status.success(), "it did not notice");
    let log = replaced.log()?;
    ensure!(log.contains("has taken over"), "{log}");

    let replays = stack.kafka().records(DECISIONS).await?;
    let of: HashSet<_> = replays
        .iter()
        .filter_map(|record| record.header("kaizen-replay-of"))
        .collect();
    assert_eq!(
        (replays.len(), of.len(), marked(&stack).await?),
        (DEAD, DEAD, DEAD)
    );
    for record in replays.iter().step_by(997) {
        let value = String::from_utf8(record.value.clone().context("a value")?)?;
        let n: usize = value.strip_prefix("value ").context("untouched")?.parse()?;
        let place = (record.header("content-type"), usize::try_from(record.partition)?);
        assert_eq!(place, (Some("text/plain"), n % 8), "{value}");
        assert_eq!(record.key, Some(format!("key-{n}").into_bytes()));
        let time = 1_767_603_600_000 + n;
        let of = format!("{DECISIONS}/{}/{}@{time}", n % 8, n / 8);
        assert_eq!(record.header("kaizen-replay-of"), Some(&*of));
        assert_eq!(record.header("kaizen-first-time"), Some(&*time.to_string()));
    }
    Ok(())
}
