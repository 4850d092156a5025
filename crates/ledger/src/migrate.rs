//! Makes and changes the tables: plain SQL files, the same for both databases, applied in the order of their names and
//! recorded in `ledger_migrations`.
//!
//! Both databases change tables in transactions. All that is pending is applied in one, under a lock, so a run that dies
//! half-way leaves nothing, and of two that run at once the second finds all done.

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Executor, Row};

use crate::store::now;

#[derive(RustEmbed)]
#[folder = "migrations"]
#[include = "*.sql"]
struct Files;

/// One migration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Name of the file without `.sql`, for example `0001_tickets`. Names order the migrations.
    pub name: String,
    /// The file's text: one or more statements.
    pub sql: String,
}

impl Migration {
    /// SHA-256 of the text, in hexadecimal.
    pub fn checksum(&self) -> String {
        hexadecimal(&self.sql)
    }
}

/// Why a ledger cannot be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// An applied migration's file has changed since.
    #[error("migration {0} of the ledger was edited after it was applied: write a new one instead")]
    Edited(String),
    /// The ledger has a migration this version does not know: it belongs to a newer version.
    #[error(
        "migration {0} of the ledger is applied but unknown to this version: run a version that knows it"
    )]
    Unknown(String),
    /// A migration would have to be applied before one that already is.
    #[error("migration {name} of the ledger is not applied but the later {later} is: give it a later number")]
    OutOfOrder {
        /// Name of the migration that is missing.
        name: String,
        /// Name of the later one that is applied.
        later: String,
    },
    /// A migration failed.
    #[error("migration {name} of the ledger")]
    Failed {
        /// Name of the migration.
        name: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database refused or gave no answer.
    #[error("the record of the ledger's migrations")]
    Database(#[from] sqlx::Error),
}

/// The migrations of this version, in order.
pub fn embedded() -> Vec<Migration> {
    let mut migrations: Vec<Migration> = Files::iter()
        .filter_map(|file| {
            let sql = Files::get(&file)?;
            let name = file.strip_suffix(".sql")?.to_owned();
            let sql = String::from_utf8_lossy(&sql.data).into_owned();
            Some(Migration { name, sql })
        })
        .collect();
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    migrations
}

/// Applies what is pending. Returns the names of the migrations it applied.
///
/// # Errors
/// Any [`MigrateError`]; then nothing was applied.
pub async fn apply(pool: &AnyPool) -> Result<Vec<String>, MigrateError> {
    apply_all(pool, &embedded()).await
}

/// [`apply`] for migrations of the caller's choice.
///
/// # Errors
/// Any [`MigrateError`].
pub async fn apply_all(pool: &AnyPool, migrations: &[Migration]) -> Result<Vec<String>, MigrateError> {
    let mut connection = pool.acquire().await?;
    let is_postgres = connection.backend_name() == "PostgreSQL";
    // SQLite locks the file, PostgreSQL a number that nothing else uses; both until the transaction ends.
    let begin = if is_postgres { "BEGIN" } else { "BEGIN IMMEDIATE" };
    let mut transaction = sqlx::Connection::begin_with(&mut *connection, begin).await?;
    if is_postgres {
        let lock = "SELECT pg_advisory_xact_lock(7021790514)";
        transaction.execute(sqlx::raw_sql(lock)).await?;
    }
    transaction.execute(sqlx::raw_sql(RECORD_TABLE)).await?;
    let applied = applied(&mut transaction).await?;
    let pending = pending(&applied, migrations)?;
    for migration in &pending {
        run(&mut transaction, migration).await?;
    }
    transaction.commit().await?;
    Ok(pending
        .into_iter()
        .map(|migration| migration.name.clone())
        .collect())
}

const RECORD_TABLE: &str = "CREATE TABLE IF NOT EXISTS ledger_migrations (name TEXT PRIMARY KEY NOT NULL, \
     checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

struct Applied {
    name: String,
    checksum: String,
}

async fn applied(connection: &mut AnyConnection) -> Result<Vec<Applied>, MigrateError> {
    let rows = sqlx::query("SELECT name, checksum FROM ledger_migrations ORDER BY name");
    let mut applied = Vec::new();
    for row in rows.fetch_all(connection).await? {
        applied.push(Applied {
            name: row.try_get(0)?,
            checksum: row.try_get(1)?,
        });
    }
    Ok(applied)
}

fn pending<'a>(applied: &[Applied], migrations: &'a [Migration]) -> Result<Vec<&'a Migration>, MigrateError> {
    for record in applied {
        let migration = migrations.iter().find(|migration| migration.name == record.name);
        let migration = migration.ok_or_else(|| MigrateError::Unknown(record.name.clone()))?;
        if migration.checksum() != record.checksum {
            return Err(MigrateError::Edited(record.name.clone()));
        }
    }
    let is_applied = |migration: &Migration| applied.iter().any(|record| record.name == migration.name);
    let pending: Vec<_> = migrations
        .iter()
        .filter(|migration| !is_applied(migration))
        .collect();
    if let (Some(first), Some(last)) = (pending.first(), applied.last())
        && first.name < last.name
    {
        return Err(MigrateError::OutOfOrder {
            name: first.name.clone(),
            later: last.name.clone(),
        });
    }
    Ok(pending)
}

async fn run(connection: &mut AnyConnection, migration: &Migration) -> Result<(), MigrateError> {
    let failed = |source| MigrateError::Failed {
        name: migration.name.clone(),
        source,
    };
    // Text of this repository, compiled in
    let sql = AssertSqlSafe(migration.sql.clone());
    connection.execute(sqlx::raw_sql(sql)).await.map_err(failed)?;
    let record = "INSERT INTO ledger_migrations (name, checksum, applied_at) VALUES ($1, $2, $3)";
    let record = sqlx::query(record)
        .bind(&migration.name)
        .bind(migration.checksum())
        .bind(now().as_microsecond());
    record.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// SHA-256 of a text, in hexadecimal.
pub(crate) fn hexadecimal(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
