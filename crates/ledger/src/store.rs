//! The connections to the database, and the turn that every change takes.

use std::fs;
use std::sync::Once;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, Executor, Row, Transaction};
use tokio::sync::{Mutex, MutexGuard, watch};

use crate::database_url::LedgerUrl;
use crate::error::LedgerError;
use crate::migrate;
use crate::migrate::MigrateError;

/// Connections at once. Writers take turns, so that more would serve readers alone.
const CONNECTIONS: u32 = 8;
/// How long a connection is waited for.
const ACQUIRE: Duration = Duration::from_secs(10);
/// SQLite: readers and the writer do not wait for each other; a commit is on disk when it is acknowledged; another
/// process that writes is waited for.
const SQLITE: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
/// PostgreSQL: a turn that is not given back is not waited for without end; a list is planned for the terms it has, as some
/// are on most tickets and most on a few.
const POSTGRES: &str = "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'; SET plan_cache_mode = 'force_custom_plan';";

/// The ledger. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) pool: AnyPool,
    shared: std::sync::Arc<Shared>,
}

struct Shared {
    /// Writers of this process queue here and not at the database, where each would hold a connection and SQLite would
    /// poll.
    queue: Mutex<()>,
    /// The latest revision that this process has committed.
    committed: watch::Sender<i64>,
}

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be used.
    #[error("{0}")]
    Url(String),
    /// The folder of SQLite's file cannot be made.
    #[error("the folder of the ledger")]
    Folder(#[source] std::io::Error),
    /// The database cannot be reached.
    #[error("the ledger's database cannot be reached")]
    Connect(#[source] sqlx::Error),
    /// Its tables are not this version's.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
}

/// A change under way: nobody else writes until it is committed or dropped.
pub(crate) struct Turn<'a> {
    pub(crate) transaction: Transaction<'static, Any>,
    /// The revision of the change.
    pub(crate) revision: i64,
    /// The number of the latest ticket.
    pub(crate) last_ticket: i64,
    shared: &'a Shared,
    _queue: MutexGuard<'a, ()>,
}

impl Ledger {
    /// Opens the ledger and brings its tables up to date. `password` is PostgreSQL's; empty for none.
    ///
    /// # Errors
    /// Any [`OpenError`].
    pub async fn open(url: &LedgerUrl, password: &str) -> Result<Self, OpenError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        if let Some(folder) = url.file().and_then(std::path::Path::parent) {
            fs::create_dir_all(folder).map_err(OpenError::Folder)?;
        }
        let connect = url.connect(password).map_err(OpenError::Url)?;
        let settings = if url.file().is_some() { SQLITE } else { POSTGRES };
        let options = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .after_connect(move |connection, _| Box::pin(set_up(connection, settings)));
        let pool = options.connect(&connect).await.map_err(OpenError::Connect)?;
        migrate::apply(&pool).await?;
        Ok(Self {
            pool,
            shared: std::sync::Arc::new(Shared {
                queue: Mutex::new(()),
                committed: watch::Sender::new(0),
            }),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] or [`LedgerError::Database`].
    pub async fn ready(&self) -> Result<(), LedgerError> {
        self.revision().await.map(drop)
    }

    /// The revision of the latest change.
    ///
    /// # Errors
    /// As [`Ledger::ready`].
    pub async fn revision(&self) -> Result<i64, LedgerError> {
        let row = sqlx::query("SELECT revision FROM ledger_turn WHERE id = 1");
        Ok(row.fetch_one(&self.pool).await?.try_get(0)?)
    }

    /// Follows the revisions that this process commits; those of others are seen by asking.
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.shared.committed.subscribe()
    }

    /// Ends the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Waits until nobody else of this process writes.
    pub(crate) async fn queue(&self) -> MutexGuard<'_, ()> {
        self.shared.queue.lock().await
    }

    /// Waits until nobody else writes. The first statement of the transaction writes, so that SQLite takes its write lock at
    /// once, as `BEGIN IMMEDIATE` would, and PostgreSQL locks the row until the end.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, LedgerError> {
        let queue = self.queue().await;
        let mut transaction = self.pool.begin().await?;
        let take =
            "UPDATE ledger_turn SET revision = revision + 1 WHERE id = 1 RETURNING revision, last_ticket";
        let row = sqlx::query(take).fetch_one(&mut *transaction).await?;
        Ok(Turn {
            revision: row.try_get(0)?,
            last_ticket: row.try_get(1)?,
            transaction,
            shared: &self.shared,
            _queue: queue,
        })
    }
}

impl Turn<'_> {
    /// Makes the change durable.
    pub(crate) async fn commit(self) -> Result<(), LedgerError> {
        self.transaction.commit().await?;
        self.shared.committed.send_replace(self.revision);
        Ok(())
    }
}

async fn set_up(connection: &mut AnyConnection, settings: &'static str) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(settings)).await.map(drop)
}

/// Now, to the microsecond: as exact as it is stored.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
