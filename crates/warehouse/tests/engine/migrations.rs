use anyhow::Result;
use kaizen_warehouse::migrate::{self, MigrateError, Migration};

use crate::sandbox::Sandbox;

fn migration(name: &str, sql: &str) -> Migration {
    Migration {
        name: name.to_owned(),
        sql: sql.to_owned(),
    }
}

fn two() -> Vec<Migration> {
    vec![
        migration(
            "0001_a",
            "CREATE TABLE IF NOT EXISTS a (x String DEFAULT ';') ENGINE = Memory; -- one;\nINSERT INTO a (x) VALUES ('?;')",
        ),
        migration(
            "0002_b",
            "CREATE TABLE IF NOT EXISTS b (x UInt8) ENGINE = Memory;",
        ),
    ]
}

#[tokio::test]
async fn migrations_are_applied_once_in_order() -> Result<()> {
    let sandbox = Sandbox::empty().await?;
    assert_eq!(
        migrate::status_of(&sandbox.client, &two()).await?.pending,
        ["0001_a", "0002_b"]
    );
    assert_eq!(
        migrate::apply_all(&sandbox.client, &two()).await?,
        ["0001_a", "0002_b"]
    );
    assert_eq!(
        migrate::apply_all(&sandbox.client, &two()).await?,
        Vec::<String>::new()
    );
    assert_eq!(
        sandbox
            .text("SELECT concat(x, toString(count() OVER ())) FROM a")
            .await?,
        "?;1"
    );
    Ok(())
}

#[tokio::test]
async fn an_edited_an_unknown_and_an_early_migration_are_refused() -> Result<()> {
    let sandbox = Sandbox::empty().await?;
    migrate::apply_all(&sandbox.client, &two()).await?;
    let mut edited = two();
    edited[1].sql.push_str("SELECT 1");
    let refusal = migrate::apply_all(&sandbox.client, &edited).await;
    assert!(
        matches!(&refusal, Err(MigrateError::Edited { name }) if name == "0002_b"),
        "{refusal:?}"
    );
    let refusal = migrate::apply_all(&sandbox.client, &two()[..1]).await;
    assert!(
        matches!(&refusal, Err(MigrateError::Unknown { name }) if name == "0002_b"),
        "{refusal:?}"
    );
    let mut early = two();
    early.insert(1, migration("0001_b", "SELECT 1"));
    let refusal = migrate::apply_all(&sandbox.client, &early).await;
    assert!(
        matches!(&refusal, Err(MigrateError::OutOfOrder { name, later }) if name == "0001_b" && later == "0002_b"),
        "{refusal:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_failed_migration_is_named_not_recorded_and_finished_by_the_next_run() -> Result<()> {
    let sandbox = Sandbox::empty().await?;
    let broken = vec![migration(
        "0001_a",
        "CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory; SELECT nothing",
    )];
    let refusal = migrate::apply_all(&sandbox.client, &broken).await;
    assert!(
        matches!(&refusal, Err(MigrateError::Failed { statement: 2, source, .. }) if source.code() == Some(47)),
        "{refusal:?}"
    );
    let repaired = vec![migration(
        "0001_a",
        "CREATE TABLE IF NOT EXISTS a (x UInt8) ENGINE = Memory; SELECT 1",
    )];
    assert_eq!(migrate::apply_all(&sandbox.client, &repaired).await?, ["0001_a"]);
    Ok(())
}

#[tokio::test]
async fn the_shipped_migrations_apply_from_nothing_by_two_at_once() -> Result<()> {
    let sandbox = Sandbox::empty().await?;
    let (one, other) = tokio::join!(migrate::apply(&sandbox.client), migrate::apply(&sandbox.client));
    one?;
    other?;
    let status = migrate::status(&sandbox.client).await?;
    assert!(
        status.pending.is_empty()
            && status
                .applied
                .starts_with(&["0001_decisions".to_owned(), "0002_rollup_hourly".to_owned()]),
        "{status:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_table_that_would_count_a_repeated_batch_twice_is_refused() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    sandbox
        .execute("ALTER TABLE rollup_hourly MODIFY SETTING non_replicated_deduplication_window = 0")
        .await?;
    let refusal = migrate::apply(&sandbox.client).await;
    assert!(
        matches!(&refusal, Err(MigrateError::Setting { table, .. }) if table == "rollup_hourly"),
        "{refusal:?}"
    );
    Ok(())
}
