//! Many who write at once lose nothing and do not undo each other.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use kaizen_ledger::{Change, Evidence, Ledger, LedgerError, NewTicket, State};

use crate::databases::{Database, comment, new_ticket};

const WRITERS: usize = 50;
const ROUNDS: usize = 4;

/// Ledgers with connections of their own, as the replicas of a service have them.
async fn replicas(database: &Database) -> Result<Vec<Ledger>> {
    // At once: the tables are made by one of them
    try_join_all((0..5).map(|_| database.open())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_writers_lose_nothing() -> Result<()> {
    for database in Database::both().await? {
        let replicas = replicas(&database).await?;
        let shared = replicas[0].create(&new_ticket("shared")).await?;
        let writer = async |writer: usize| -> Result<Vec<i64>> {
            let ledger = &replicas[writer % replicas.len()];
            let mut numbers = Vec::new();
            for round in 0..ROUNDS {
                let created = ledger.create(&new_ticket(&format!("w{writer}-{round}"))).await?;
                ledger
                    .change(
                        shared.number,
                        None,
                        &comment("anna", &format!("{writer} {round}")),
                    )
                    .await?;
                numbers.push(created.number);
            }
            Ok(numbers)
        };
        let numbers: Vec<i64> = try_join_all((0..WRITERS).map(writer)).await?.concat();
        let expected: BTreeSet<i64> = (2..).take(WRITERS * ROUNDS).collect();
        assert_eq!(
            numbers.iter().copied().collect::<BTreeSet<_>>(),
            expected,
            "each has a number of its own, without gaps"
        );
        let said: BTreeSet<String> = (replicas[0].history(shared.number, 1, 1_000).await?.into_iter())
            .map(|event| event.comment)
            .collect();
        assert_eq!(said.len(), WRITERS * ROUNDS, "every comment is there");
        let events = replicas[0].events(0, 10_000).await?;
        let revisions: Vec<i64> = events.iter().map(|it| it.revision).collect();
        let expected: Vec<i64> = (1..).take(1 + 2 * WRITERS * ROUNDS).collect();
        assert_eq!(revisions, expected);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_accept_one_ticket_at_once_one_does_and_the_others_are_told() -> Result<()> {
    for database in Database::both().await? {
        let replicas = replicas(&database).await?;
        let ticket = replicas[0].create(&new_ticket("one")).await?;
        let accept = async |writer: usize| -> Result<bool> {
            let change = Change {
                state: Some(State::Accepted),
                ..comment(&format!("writer {writer}"), "")
            };
            // Half of them with the etag, half without
            let etag = writer.is_multiple_of(2).then_some(ticket.revision);
            match replicas[writer % replicas.len()]
                .change(ticket.number, etag, &change)
                .await
            {
                Ok(_) => Ok(true),
                Err(LedgerError::Stale { .. } | LedgerError::Illegal { .. }) => Ok(false),
                Err(error) => Err(error.into()),
            }
        };
        let accepted = try_join_all((0..WRITERS).map(accept)).await?;
        assert_eq!(accepted.iter().filter(|it| **it).count(), 1);
        assert_eq!(replicas[0].history(ticket.number, 0, 100).await?.len(), 2);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_create_from_one_recommendation_at_once_one_does() -> Result<()> {
    for database in Database::both().await? {
        let replicas = replicas(&database).await?;
        let create = async |writer: usize| -> Result<bool> {
            let evidence = Evidence {
                recommendation_id: "r".into(),
                content: "{}".into(),
            };
            let new = NewTicket {
                evidence: Some(evidence),
                ..new_ticket(&format!("w{writer}"))
            };
            match replicas[writer % replicas.len()].create(&new).await {
                Ok(ticket) => {
                    ensure!(ticket.number == 1);
                    Ok(true)
                }
                Err(LedgerError::AlreadyTicketed { number: 1, .. }) => Ok(false),
                Err(error) => Err(error.into()),
            }
        };
        let created = try_join_all((0..WRITERS).map(create)).await?;
        assert_eq!(created.iter().filter(|it| **it).count(), 1);
    }
    Ok(())
}
