//! What is to be told to others is filed once, told in the order of each ticket, and by one at a time.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use kaizen_ledger::{Change, Delivery, Ledger, State};

use crate::databases::{Database, comment, new_ticket};

fn later(seconds: i64) -> Result<Timestamp> {
    Ok(Timestamp::now().checked_add(SignedDuration::from_secs(seconds))?)
}

async fn accept(ledger: &Ledger, number: i64) -> Result<i64> {
    let change = Change {
        state: Some(State::Accepted),
        ..comment("anna", "")
    };
    Ok(ledger.change(number, None, &change).await?.revision)
}

async fn file(ledger: &Ledger) -> Result<()> {
    while ledger
        .file_deliveries("chat", |event| !event.changes.is_empty())
        .await?
    {}
    Ok(())
}

async fn due(ledger: &Ledger) -> Result<Option<Delivery>> {
    Ok(ledger.due_delivery("chat", Timestamp::now()).await?)
}

#[tokio::test]
async fn what_happens_from_now_on_is_filed_once_however_many_look_through_it() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        ledger.create(&new_ticket("before")).await?;
        ledger.enlist_destination("chat", "a").await?;
        file(&ledger).await?;
        ensure!(due(&ledger).await?.is_none(), "what was before is not told");
        for index in 0..450 {
            ledger.create(&new_ticket(&format!("q{index}"))).await?;
        }
        ledger.change(1, None, &comment("anna", "only said")).await?;
        let others = try_join_all((0..3).map(|_| database.open())).await?;
        try_join_all(others.iter().map(file)).await?;
        let destination = ledger.destination("chat").await?.context("it is there")?;
        assert_eq!(destination.pending, 450);
        assert_eq!(destination.position, ledger.revision().await?);
        let mut told = Vec::new();
        while let Some(delivery) = due(&ledger).await? {
            told.push(delivery.revision);
            ledger.delivered("chat", &delivery).await?;
        }
        assert_eq!(told, (2..452).collect::<Vec<_>>());
        let destination = ledger.destination("chat").await?.context("it is there")?;
        ensure!(destination.pending == 0 && destination.delivered_at.is_some());
    }
    Ok(())
}

#[tokio::test]
async fn of_one_ticket_only_the_earliest_is_due_and_other_tickets_do_not_wait() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        ledger.enlist_destination("chat", "a").await?;
        for request in ["one", "two"] {
            ledger.create(&new_ticket(request)).await?;
        }
        let accepted = accept(&ledger, 1).await?;
        file(&ledger).await?;
        let first = due(&ledger).await?.context("one is due")?;
        assert_eq!((first.number, first.revision, first.failures), (1, 1, 0));
        let until = later(60)?;
        ledger.defer_delivery("chat", &first, until, "HTTP 500").await?;
        let second = due(&ledger).await?.context("the other ticket's")?;
        assert_eq!(second.number, 2);
        ledger.delivered("chat", &second).await?;
        ensure!(due(&ledger).await?.is_none(), "the first ticket waits");
        let next = ledger
            .next_delivery_at("chat")
            .await?
            .context("it is tried again")?;
        assert_eq!(next.as_microsecond(), until.as_microsecond());
        let again = ledger
            .due_delivery("chat", until)
            .await?
            .context("it is due then")?;
        assert_eq!((again.revision, again.failures), (1, 1));
        ensure!(again.failing_since.is_some());
        let failure = ledger.destination("chat").await?.and_then(|it| it.failure);
        assert_eq!(failure.context("it is kept")?.1, "HTTP 500");
        ledger.leave_delivery_out("chat", &again, "HTTP 400").await?;
        assert_eq!(due(&ledger).await?.map(|it| it.revision), Some(accepted));
    }
    Ok(())
}

#[tokio::test]
async fn one_process_at_a_time_tells_a_destination() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        ledger.enlist_destination("chat", "a").await?;
        let lease = async |holder: &str, seconds: i64| {
            anyhow::Ok(ledger.lease_destination("chat", holder, later(seconds)?).await?)
        };
        ensure!(lease("x", 60).await?, "it is free");
        ensure!(!lease("y", 60).await?, "it is x's");
        ensure!(lease("x", 60).await?, "x may keep it");
        ledger.release_destination("chat", "y").await?;
        ensure!(!lease("y", 60).await?, "y cannot give it back");
        ledger.release_destination("chat", "x").await?;
        ensure!(lease("y", 0).await?, "x has given it back");
        ensure!(lease("x", 60).await?, "y's is over");
        ensure!(!ledger.lease_destination("none", "x", later(60)?).await?);
    }
    Ok(())
}

#[tokio::test]
async fn one_that_is_disabled_is_told_again_once_it_has_moved() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        ledger.enlist_destination("chat", "a").await?;
        ledger.create(&new_ticket("one")).await?;
        file(&ledger).await?;
        ledger.disable_destination("chat", "HTTP 410").await?;
        ledger.enlist_destination("chat", "a").await?;
        let disabled = async || anyhow::Ok(ledger.destination("chat").await?.context("there")?.disabled);
        assert_eq!(disabled().await?, "HTTP 410");
        ledger.enlist_destination("chat", "b").await?;
        assert_eq!(disabled().await?, "");
        ensure!(due(&ledger).await?.is_some(), "what it was not told stays");
        ledger.disable_destination("chat", "HTTP 410").await?;
        ledger.disable_destination("chat", "").await?;
        assert_eq!(disabled().await?, "");
    }
    Ok(())
}
