//! The backups that docs/operations.md tells of can be taken while the ledger is written, and restored.

use anyhow::{Context, Result, ensure};
use kaizen_ledger::Ledger;
use sqlx::{AnyPool, Executor};

use crate::databases::{Database, cluster, fresh, new_ticket, read};

async fn filled(database: &Database) -> Result<Ledger> {
    let ledger = database.open().await?;
    for request in ["a", "b", "c"] {
        ledger.create(&new_ticket(request)).await?;
    }
    Ok(ledger)
}

/// The restored ledger has what there was at the backup, and goes on from there.
async fn goes_on(restored: &Ledger, original: &Ledger) -> Result<()> {
    assert_eq!(restored.events(0, 10).await?, original.events(0, 3).await?);
    assert_eq!(restored.ticket(3).await?, original.ticket(3).await?);
    let next = restored.create(&new_ticket("after")).await?;
    assert_eq!((next.number, next.revision), (4, 4));
    Ok(())
}

#[tokio::test]
async fn a_copy_of_sqlite_by_vacuum_into_is_a_ledger_as_of_then() -> Result<()> {
    let database = Database::sqlite()?;
    let ledger = filled(&database).await?;
    let copy = database.folder.path().join("copy.db");
    let pool = AnyPool::connect(&database.url.to_string()).await?;
    let vacuum = format!("VACUUM INTO '{}'", copy.display());
    pool.execute(sqlx::AssertSqlSafe(vacuum)).await?;
    ledger.create(&new_ticket("later")).await?;
    let restored = Ledger::open(&read(&format!("sqlite://{}", copy.display()))?, "").await?;
    goes_on(&restored, &ledger).await
}

#[tokio::test]
async fn a_dump_of_postgresql_is_restored_as_a_ledger_as_of_then() -> Result<()> {
    let database = Database::postgres().await?;
    let ledger = filled(&database).await?;
    let dump = database.folder.path().join("ledger.dump");
    let dump = dump.to_str().context("a path in UTF-8")?;
    let cluster = cluster().await?;
    cluster
        .run(
            "pg_dump",
            &["--format=custom", "--file", dump, &database.url.to_string()],
        )
        .await?;
    ledger.create(&new_ticket("later")).await?;
    let name = fresh();
    let restored = cluster.database(&name).await?;
    cluster
        .run("pg_restore", &["--exit-on-error", "--dbname", &restored, dump])
        .await?;
    let restored = Ledger::open(&read(&restored)?, "").await?;
    ensure!(restored.revision().await? == 3);
    goes_on(&restored, &ledger).await
}
