//! Makes and changes the tables: plain SQL files, applied in the order of their names and recorded in `_migrations`.
//!
//! ClickHouse has neither transactions over DDL nor locks. Every statement of a migration is therefore written to be
//! harmless when repeated (`IF NOT EXISTS`), a migration is recorded only after its last statement, and the record is
//! the same whoever writes it. So a run that dies half-way is finished by the next, and two runs at once both end well.

mod split;

use clickhouse::Row;
use rust_embed::RustEmbed;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::client::{Client, WarehouseError};

#[derive(RustEmbed)]
#[folder = "migrations"]
#[include = "*.sql"]
struct Files;

/// One migration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Name of the file without `.sql`, for example `0001_decisions`. Names order the migrations.
    pub name: String,
    /// The file's text: one or more statements.
    pub sql: String,
}

impl Migration {
    /// SHA-256 of the text, in hexadecimal.
    pub fn checksum(&self) -> String {
        Sha256::digest(self.sql.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Where a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Names of the migrations that are applied, in order.
    pub applied: Vec<String>,
    /// Names of the migrations that are not, in order.
    pub pending: Vec<String>,
}

/// Why a database cannot be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// An applied migration's file has changed since.
    #[error("migration {name} was edited after it was applied: write a new one instead")]
    Edited {
        /// Name of the migration.
        name: String,
    },
    /// The database has a migration this version does not know: it belongs to a newer version.
    #[error("migration {name} is applied but unknown to this version: run a version that knows it")]
    Unknown {
        /// Name of the migration.
        name: String,
    },
    /// A migration would have to be applied before one that already is.
    #[error("migration {name} is not applied but the later {later} is: give it a later number")]
    OutOfOrder {
        /// Name of the migration that is missing.
        name: String,
        /// Name of the later one that is applied.
        later: String,
    },
    /// A statement failed.
    #[error("migration {name}, statement {statement}")]
    Failed {
        /// Name of the migration.
        name: String,
        /// Which of its statements, from 1.
        statement: usize,
        /// Why.
        #[source]
        source: WarehouseError,
    },
    /// A table lacks a setting the design depends on.
    #[error("table {table} must have the setting {setting}: {reason}")]
    Setting {
        /// Name of the table.
        table: String,
        /// Name of the setting.
        setting: &'static str,
        /// What depends on it.
        reason: &'static str,
    },
    /// ClickHouse gave no answer.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}

/// The migrations of this version, in order.
pub fn embedded() -> Vec<Migration> {
    let mut migrations: Vec<Migration> = Files::iter()
        .filter_map(|file| {
            let sql = Files::get(&file)?;
            let name = file.strip_suffix(".sql")?.to_owned();
            Some(Migration {
                name,
                sql: String::from_utf8_lossy(&sql.data).into_owned(),
            })
        })
        .collect();
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    migrations
}

/// Creates the database if need be and applies what is pending. Returns the names of the migrations it applied.
///
/// # Errors
/// Any [`MigrateError`]; what was applied before it stays applied.
pub async fn apply(client: &Client) -> Result<Vec<String>, MigrateError> {
    apply_all(client, &embedded()).await
}

/// Says where the database stands, without changing it.
///
/// # Errors
/// Any [`MigrateError`].
pub async fn status(client: &Client) -> Result<Status, MigrateError> {
    status_of(client, &embedded()).await
}

/// Whether ClickHouse answers and has every table: what a service needs to be ready.
///
/// # Errors
/// What is missing, and what to do about it.
pub async fn ready(client: &Client) -> Result<(), String> {
    client.ping().await.map_err(|error| error.to_string())?;
    match status(client).await {
        Ok(status) if status.pending.is_empty() => Ok(()),
        Ok(status) => Err(format!(
            "migrations are missing: {}; run `kaizen admin migrate`",
            status.pending.join(", ")
        )),
        Err(error) => Err(format!("{error}; run `kaizen admin migrate`")),
    }
}

/// [`apply`] for migrations of the caller's choice.
///
/// # Errors
/// Any [`MigrateError`].
pub async fn apply_all(client: &Client, migrations: &[Migration]) -> Result<Vec<String>, MigrateError> {
    let create = format!("CREATE DATABASE IF NOT EXISTS `{}`", client.database());
    client
        .execute(client.without_database().query_raw(&create))
        .await?;
    client.execute(client.inner().query_raw(RECORD_TABLE)).await?;
    let pending = status_of(client, migrations).await?.pending;
    for migration in migrations
        .iter()
        .filter(|migration| pending.contains(&migration.name))
    {
        run(client, migration).await?;
    }
    check_settings(client).await?;
    Ok(pending)
}

/// [`status`] for migrations of the caller's choice.
///
/// # Errors
/// Any [`MigrateError`].
pub async fn status_of(client: &Client, migrations: &[Migration]) -> Result<Status, MigrateError> {
    let applied = match applied(client).await {
        Ok(applied) => applied,
        // Neither the database (81) nor the record (60) is there yet: nothing is applied
        Err(error) if matches!(error.code(), Some(60 | 81)) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    compare(&applied, migrations)
}

/// Names and checksums of earlier texts of migrations. What they made serves as well as what today's make, and stays as it is.
/// The table of `0001_decisions` was sorted by time within its hours; the view of `0002_rollup_hourly` made a decimal of each value.
const EARLIER: [(&str, &str); 2] = [
    (
        "0001_decisions",
        "2a628efcd94f3b521ebf6b8c963838f668cf942fc886439e543fb1f6b728ddc6",
    ),
    (
        "0002_rollup_hourly",
        "859a5e71baf86c5fc610bf4e7b6d6e72660be54086b5b59e29388e6c826b7bf0",
    ),
];

const RECORD_TABLE: &str = "CREATE TABLE IF NOT EXISTS _migrations (name String, checksum String, \
     applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ReplacingMergeTree ORDER BY (name, checksum)";

#[derive(Row, Deserialize)]
struct Applied {
    name: String,
    checksum: String,
}

async fn applied(client: &Client) -> Result<Vec<Applied>, WarehouseError> {
    let sql = "SELECT DISTINCT name, checksum FROM _migrations ORDER BY name, checksum";
    client.rows(client.query(sql)).await
}

fn compare(applied: &[Applied], migrations: &[Migration]) -> Result<Status, MigrateError> {
    for record in applied {
        let Some(migration) = migrations.iter().find(|migration| migration.name == record.name) else {
            return Err(MigrateError::Unknown {
                name: record.name.clone(),
            });
        };
        if migration.checksum() != record.checksum && !is_earlier(record) {
            return Err(MigrateError::Edited {
                name: record.name.clone(),
            });
        }
    }
    let is_applied = |migration: &&Migration| applied.iter().any(|record| record.name == migration.name);
    let (done, pending): (Vec<_>, Vec<_>) = migrations.iter().partition(is_applied);
    if let (Some(first), Some(later)) = (pending.first(), done.last())
        && first.name < later.name
    {
        return Err(MigrateError::OutOfOrder {
            name: first.name.clone(),
            later: later.name.clone(),
        });
    }
    let names = |migrations: Vec<&Migration>| migrations.iter().map(|m| m.name.clone()).collect();
    Ok(Status {
        applied: names(done),
        pending: names(pending),
    })
}

fn is_earlier(record: &Applied) -> bool {
    EARLIER.contains(&(record.name.as_str(), record.checksum.as_str()))
}

async fn run(client: &Client, migration: &Migration) -> Result<(), MigrateError> {
    for (index, statement) in split::statements(&migration.sql).into_iter().enumerate() {
        client
            .execute(client.inner().query_raw(statement))
            .await
            .map_err(|source| MigrateError::Failed {
                name: migration.name.clone(),
                statement: index + 1,
                source,
            })?;
    }
    let record = client
        .query("INSERT INTO _migrations (name, checksum) VALUES (?, ?)")
        .bind(&migration.name)
        .bind(migration.checksum());
    Ok(client.execute(record).await?)
}

#[derive(Row, Deserialize)]
struct TableName {
    name: String,
}

/// A repeated insert must be recognised by the table and by the rollup it feeds, or it would count twice.
async fn check_settings(client: &Client) -> Result<(), MigrateError> {
    let sql = "SELECT name FROM system.tables WHERE database = ? AND name IN ('analysis_claims', 'decisions', 'rejections', 'replays', \
               'rollup_hourly') \
               AND engine NOT LIKE 'Replicated%' \
               AND NOT match(engine_full, 'non_replicated_deduplication_window = [1-9]') ORDER BY name";
    let unfit: Option<TableName> = client.row(client.query(sql).bind(client.database())).await?;
    match unfit {
        None => Ok(()),
        Some(table) => Err(MigrateError::Setting {
            table: table.name,
            setting: "non_replicated_deduplication_window",
            reason: "what is inserted again must be recognised: a batch counts once, a run has one owner",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(name: &str, checksum: &str) -> Vec<Applied> {
        vec![Applied {
            name: name.to_owned(),
            checksum: checksum.to_owned(),
        }]
    }

    #[test]
    fn what_an_earlier_text_made_is_kept_and_what_any_other_made_is_refused() {
        for (name, earlier) in EARLIER {
            let mut migrations = embedded();
            migrations.retain(|migration| migration.name == name);
            assert_ne!(earlier, migrations[0].checksum());
            let status = compare(&applied(name, earlier), &migrations).unwrap();
            assert_eq!(status.applied, [name]);
            let other = applied(name, &earlier.replace('2', "3"));
            assert!(matches!(
                compare(&other, &migrations),
                Err(MigrateError::Edited { .. })
            ));
        }
    }
}
