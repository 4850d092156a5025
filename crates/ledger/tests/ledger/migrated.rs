//! The tables are made once, and only by a version that knows them.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use kaizen_ledger::migrate::{self, MigrateError, Migration, apply_all, embedded};
use kaizen_ledger::{Filter, Listing, Order};
use sqlx::AnyPool;

use crate::databases::{Database, new_ticket};

async fn pool(database: &Database) -> Result<AnyPool> {
    // Makes SQLite's file and installs the drivers
    database.open().await?.close().await;
    Ok(AnyPool::connect(&database.url.to_string()).await?)
}

fn migration(name: &str, sql: &str) -> Migration {
    Migration {
        name: name.into(),
        sql: sql.into(),
    }
}

#[tokio::test]
async fn migrations_are_applied_once_in_order_and_an_edited_or_unknown_one_is_refused() -> Result<()> {
    for database in Database::both().await? {
        let pool = pool(&database).await?;
        assert!(migrate::apply(&pool).await?.is_empty(), "opening has applied all");
        let mut more = embedded();
        more.push(migration(
            "9001_a",
            "CREATE TABLE a (x BIGINT); CREATE TABLE b (x BIGINT);",
        ));
        assert_eq!(apply_all(&pool, &more).await?, ["9001_a"]);
        assert!(apply_all(&pool, &more).await?.is_empty());
        ensure!(matches!(migrate::apply(&pool).await, Err(MigrateError::Unknown(name)) if name == "9001_a"));
        let mut edited = more.clone();
        edited.last_mut().context("one")?.sql += " ";
        ensure!(
            matches!(apply_all(&pool, &edited).await, Err(MigrateError::Edited(name)) if name == "9001_a")
        );
        let mut late = more.clone();
        late.push(migration("9000_b", "SELECT 1"));
        ensure!(matches!(
            apply_all(&pool, &late).await,
            Err(MigrateError::OutOfOrder { .. })
        ));
        let refused = database.open().await.err().context("a newer ledger was opened")?;
        ensure!(
            format!("{refused:#}").contains("run a version that knows it"),
            "{refused:#}"
        );
        pool.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_of_itself() -> Result<()> {
    for database in Database::both().await? {
        let pool = pool(&database).await?;
        let mut broken = embedded();
        broken.push(migration("9001_a", "CREATE TABLE a (x BIGINT);"));
        broken.push(migration(
            "9002_b",
            "CREATE TABLE b (x BIGINT); CREATE TABLE tickets (x BIGINT);",
        ));
        let failed = apply_all(&pool, &broken).await;
        ensure!(matches!(failed, Err(MigrateError::Failed { name, .. }) if name == "9002_b"));
        broken.truncate(broken.len() - 1);
        broken.push(migration("9002_b", "CREATE TABLE b (x BIGINT);"));
        assert_eq!(apply_all(&pool, &broken).await?, ["9001_a", "9002_b"]);
        pool.close().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_a_new_ledger_at_once() -> Result<()> {
    for database in Database::both().await? {
        let ledgers = try_join_all((0..10).map(|_| database.open())).await?;
        for (index, ledger) in ledgers.iter().enumerate() {
            ledger.create(&new_ticket(&format!("q{index}"))).await?;
        }
        assert_eq!(ledgers[0].revision().await?, 10);
    }
    Ok(())
}

#[tokio::test]
async fn tickets_of_an_older_version_are_listed_in_every_order() -> Result<()> {
    const TICKETS: &str = "INSERT INTO tickets SELECT 7, 31, 'proposed', 1, 'Mend it', '', '', '', '', 'bert', '[]', '2026-12-01', '[]', \
        0, '', '', '', 0, 'anna', 0, 'one', ''";
    const TERMS: &str = "INSERT INTO ticket_terms (term, number) VALUES ('state:proposed', 7), ('owner:bert', 7), ('word:mend', 7)";
    const EVENT: &str = "INSERT INTO ticket_events (revision, number, happened_at, actor, comment, changes) \
        VALUES (31, 7, 0, 'anna', '', '[]')";
    const TURN: &str = "UPDATE ledger_turn SET revision = 31, last_ticket = 7";
    sqlx::any::install_default_drivers();
    for database in Database::both().await? {
        let file = database.url.file().map(std::fs::File::create);
        file.transpose()?;
        let pool = AnyPool::connect(&database.url.to_string()).await?;
        let (before, after): (Vec<_>, Vec<_>) =
            embedded().into_iter().partition(|it| it.name.as_str() < "0010");
        ensure!(!after.is_empty());
        apply_all(&pool, &before).await?;
        for statement in [TICKETS, TERMS, EVENT, TURN] {
            sqlx::query(statement).execute(&pool).await?;
        }
        pool.close().await;
        let ledger = database.open().await?;
        let events = ledger.events(0, 9).await?;
        ensure!(events.len() == 1 && events[0].measured.is_none(), "{events:?}");
        for order in [
            Order::Newest,
            Order::Oldest,
            Order::LatestChange,
            Order::SoonestDue,
        ] {
            for (owner, text) in [("bert", ""), ("", "mend"), ("bert", "mend")] {
                let filter = Filter {
                    owner: owner.into(),
                    text: text.into(),
                    ..Filter::default()
                };
                let listing = Listing {
                    filter,
                    order,
                    after: None,
                    most: 9,
                };
                let found = ledger.list(&listing).await?;
                ensure!(
                    found.len() == 1 && found[0].revision == 31,
                    "{listing:?}: {found:?}"
                );
            }
        }
    }
    Ok(())
}
