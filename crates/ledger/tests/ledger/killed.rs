//! A process that is killed while it writes leaves whole changes only, and every change it was told of.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kaizen_ledger::{Change, Ledger, State};
use kaizen_testkit::{Postgres, eventually};
use sqlx::Row;

use crate::databases::{Database, comment, new_ticket, read};

const URL: &str = "KAIZEN_TEST_LEDGER_TO_WRITE";
const ROUNDS: usize = 6;

/// Writes until it is killed, and says what was acknowledged: run as a process of its own by the tests below.
#[tokio::test]
#[ignore = "endless: the tests below run it as a process to be killed"]
async fn writes_until_it_is_killed() -> Result<()> {
    let ledger = Ledger::open(&read(&std::env::var(URL)?)?, "").await?;
    let mut round = 0;
    loop {
        round += 1;
        let request = format!("p{}-{round}", std::process::id());
        let ticket = ledger.create(&new_ticket(&request)).await?;
        println!("acknowledged {} {}", ticket.number, ticket.revision);
        let change = Change {
            state: Some(State::Accepted),
            labels: Some(vec!["x".into()]),
            ..comment("anna", "")
        };
        let ticket = ledger
            .change(ticket.number, Some(ticket.revision), &change)
            .await?;
        println!("acknowledged {} {}", ticket.number, ticket.revision);
    }
}

/// Runs the writer until it has been told of `most` changes, kills it, and returns the changes.
fn write_and_be_killed(url: &str, most: usize) -> Result<Vec<(i64, i64)>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([
        "--exact",
        "killed::writes_until_it_is_killed",
        "--ignored",
        "--nocapture",
    ]);
    let mut child = command
        .env(URL, url)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let mut acknowledged = Vec::new();
    let mut read = |line: &str| -> Result<()> {
        if let Some((_, told)) = line.split_once("acknowledged ") {
            let (number, revision) = told.split_once(' ').context("two numbers")?;
            acknowledged.push((number.parse()?, revision.parse()?));
        }
        Ok(())
    };
    for line in lines.by_ref().take(most + 2) {
        read(&line?)?;
    }
    // SIGKILL: in the middle of whatever it does
    child.kill()?;
    child.wait()?;
    for line in lines {
        // The last line may be cut
        let _ = read(&line?);
    }
    ensure!(
        acknowledged.len() + 3 > most,
        "the writer ended by itself after {}",
        acknowledged.len()
    );
    Ok(acknowledged)
}

/// Every acknowledged change is there, and nothing is there by halves.
async fn is_whole(database: &Database, acknowledged: &[(i64, i64)]) -> Result<()> {
    let ledger = database.open().await?;
    for (number, revision) in acknowledged {
        let events = ledger.history(*number, revision - 1, 1).await?;
        ensure!(
            events.first().map(|it| it.revision) == Some(*revision),
            "{number} has lost {revision}"
        );
    }
    let pool = sqlx::AnyPool::connect(&database.url.to_string()).await?;
    for (what, sql) in [
        (
            "tickets without the event of their revision",
            "SELECT count(*) FROM tickets t WHERE NOT EXISTS (SELECT 1 FROM ticket_events e WHERE e.number = t.number AND e.revision = t.revision)",
        ),
        (
            "events without a ticket",
            "SELECT count(*) FROM ticket_events e WHERE NOT EXISTS (SELECT 1 FROM tickets t WHERE t.number = e.number)",
        ),
        (
            "tickets without the term of their state",
            "SELECT count(*) FROM tickets t WHERE NOT EXISTS (SELECT 1 FROM ticket_terms o WHERE o.number = t.number AND o.term = 'state:' || t.state)",
        ),
        (
            "terms of two states",
            "SELECT count(*) FROM (SELECT number FROM ticket_terms WHERE term LIKE 'state:%' GROUP BY number HAVING count(*) <> 1) AS twice",
        ),
        (
            "terms whose keys are not their ticket's",
            "SELECT count(*) FROM ticket_terms o JOIN tickets t ON t.number = o.number WHERE o.term NOT LIKE 'word:%' AND (o.revision <> t.revision OR o.due_date <> t.due_date)",
        ),
        (
            "revisions that the turn does not know",
            "SELECT count(*) FROM ticket_events, ledger_turn WHERE ticket_events.revision > ledger_turn.revision",
        ),
        (
            "revisions missing",
            "SELECT max(ledger_turn.revision) - count(*) FROM ticket_events, ledger_turn",
        ),
        (
            "numbers missing",
            "SELECT max(ledger_turn.last_ticket) - count(*) FROM tickets, ledger_turn",
        ),
    ] {
        let wrong: i64 = sqlx::query(sql).fetch_one(&pool).await?.try_get(0)?;
        ensure!(wrong == 0, "{wrong} {what}");
    }
    if database.url.file().is_some() {
        let check: String = sqlx::query("PRAGMA integrity_check")
            .fetch_one(&pool)
            .await?
            .try_get(0)?;
        ensure!(check == "ok", "{check}");
    }
    pool.close().await;
    ledger.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_killed_at_any_moment_leaves_a_consistent_ledger_with_all_it_was_told_of() -> Result<()> {
    for database in Database::both().await? {
        let mut all = Vec::new();
        for round in 0..ROUNDS {
            let url = database.url.to_string();
            // Two at once, killed one after the other
            let writers = [7 + 3 * round, 12 + 5 * round].map(|most| {
                let url = url.clone();
                tokio::task::spawn_blocking(move || write_and_be_killed(&url, most))
            });
            for writer in writers {
                all.extend(writer.await??);
            }
            is_whole(&database, &all).await?;
        }
        ensure!(all.len() > 100, "only {} changes", all.len());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_killed_at_any_moment_comes_back_with_all_it_has_acknowledged() -> Result<()> {
    let postgres = Postgres::start().await?;
    let url = read(&postgres.database("ledger").await?)?;
    let database = Database {
        url,
        folder: tempfile::TempDir::new()?,
    };
    let ledger = database.open().await?;
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let mut written = 0;
        loop {
            match ledger.create(&new_ticket(&format!("q{round}-{written}"))).await {
                Ok(ticket) => acknowledged.push((ticket.number, ticket.revision)),
                Err(error) => {
                    ensure!(
                        matches!(error, kaizen_ledger::LedgerError::Unavailable(_)),
                        "{error:?}"
                    );
                    break;
                }
            }
            written += 1;
            if written == 20 {
                postgres.part().kill();
            }
            if written > 10_000 {
                bail!("the server was not killed");
            }
        }
        postgres.restart().await?;
        // The pool finds out that its connections are gone
        eventually("the ledger goes on", Duration::from_secs(30), async || {
            Ok(ledger.ready().await?)
        })
        .await?;
        is_whole(&database, &acknowledged).await?;
    }
    Ok(())
}
