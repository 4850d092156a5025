//! The one engine of the process: its folder, its connections and what runs on them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::assemble::literal;
use crate::deduplication_log::forget_lost_blocks;
use crate::exception::{Exception, code};
use crate::folder::FolderLock;
use crate::library::{Connection, Library, OpenError};

/// Between two attempts to stop a query: one may come before the engine has registered it.
const STOP_AGAIN: Duration = Duration::from_millis(50);

/// The engine, open on its folder.
pub struct Engine {
    library: &'static Library,
    folder: PathBuf,
    /// The engine's version, e.g. `26.5.1.1`.
    pub version: String,
    /// The engine's time zone, e.g. `Etc/UTC`.
    pub timezone: String,
    running: Mutex<HashMap<String, Arc<Control>>>,
    /// Keeps the engine open while no query runs. Before the lock, so that it goes first.
    anchor: Mutex<Option<Connection>>,
    _lock: FolderLock,
}

#[derive(Default)]
struct Control {
    stop: CancellationToken,
    done: CancellationToken,
}

/// What a server has otherwise than the library. The filter for top rows is off, as this version's fails on `ORDER BY …
/// LIMIT` over several parts when a condition is moved to another column (ClickHouse issue 106294).
const DEFAULTS: &[u8] =
    b"SET implicit_select = 0, allow_introspection_functions = 0, use_top_k_dynamic_filtering = 0";

impl Engine {
    /// Starts the engine on the locked folder; blocks while it loads tables.
    ///
    /// # Errors
    /// The folder is not an engine's or cannot be written, or the engine does not answer.
    pub fn open(library: &'static Library, lock: FolderLock) -> anyhow::Result<Self> {
        let folder = lock.folder().to_owned();
        let forgotten = forget_lost_blocks(&folder)?;
        if forgotten > 0 {
            tracing::info!(
                blocks = forgotten,
                "blocks that a crash kept from becoming parts are forgotten"
            );
        }
        let mut anchor = library.connect(&folder)?;
        let answer = anchor.query(b"SELECT version(), timezone()", "TSV", &[])?;
        let text = String::from_utf8_lossy(answer.bytes()).into_owned();
        let (version, timezone) = text.trim_end().split_once('\t').unwrap_or((&text, ""));
        Ok(Self {
            library,
            folder,
            version: version.to_owned(),
            timezone: timezone.to_owned(),
            running: Mutex::default(),
            anchor: Mutex::new(Some(anchor)),
            _lock: lock,
        })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A connection whose defaults are those of a server, where the engine's are those of a command-line tool.
    ///
    /// # Errors
    /// The engine is closed.
    pub fn connect(&self) -> Result<Connection, Exception> {
        let failed = |error: OpenError| Exception::from_engine(&error.to_string());
        if locked(&self.anchor).is_none() {
            return Err(stopped("the server is stopping"));
        }
        let mut connection = self.library.connect(&self.folder).map_err(failed)?;
        connection.query(DEFAULTS, "TSV", &[])?;
        Ok(connection)
    }

    /// Registers a query, so that it can be stopped.
    ///
    /// # Errors
    /// A query of this name is running.
    pub fn begin(self: &Arc<Self>, query_id: &str) -> Result<Running, Exception> {
        let control = Arc::new(Control::default());
        let mut running = locked(&self.running);
        if running.contains_key(query_id) {
            return Err(Exception::raise(
                code::QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
                "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
                format_args!("Query with id = {query_id} is already running"),
            ));
        }
        running.insert(query_id.to_owned(), control.clone());
        Ok(Running {
            engine: self.clone(),
            query_id: query_id.to_owned(),
            control,
        })
    }

    /// Asks every running query to stop and returns when all have.
    pub async fn stop_all(self: &Arc<Self>) {
        let running: Vec<_> = locked(&self.running)
            .iter()
            .map(|(id, control)| (id.clone(), control.clone()))
            .collect();
        futures::future::join_all(
            running
                .into_iter()
                .map(|(id, control)| stop(self.clone(), id, control)),
        )
        .await;
    }

    /// Closes the engine: it writes what it holds in memory and stops its threads. Queries and sessions must be gone.
    pub fn close(&self) {
        locked(&self.anchor).take();
    }

    fn kill(&self, query_id: &str) -> Result<(), Exception> {
        let id = literal(query_id);
        let comment = "Settings['log_comment']";
        let statement =
            format!("KILL QUERY WHERE {comment} = {id} OR startsWith({comment}, concat({id}, ' ')) ASYNC");
        self.connect()?
            .query(statement.as_bytes(), "Null", &[])
            .map(|_| ())
    }
}

/// A registered query, held by the thread that runs it.
pub struct Running {
    engine: Arc<Engine>,
    query_id: String,
    control: Arc<Control>,
}

impl Running {
    /// For the side that waits for the result: dropped, it stops the query.
    pub fn stopper(&self) -> Stopper {
        Stopper {
            engine: self.engine.clone(),
            query_id: self.query_id.clone(),
            control: self.control.clone(),
        }
    }

    /// Fails when the query was asked to stop.
    ///
    /// # Errors
    /// `QUERY_WAS_CANCELLED`.
    pub fn check(&self) -> Result<(), Exception> {
        if self.control.stop.is_cancelled() {
            return Err(stopped(
                "Query was cancelled: its client left or the server is stopping",
            ));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        locked(&self.engine.running).remove(&self.query_id);
        self.control.done.cancel();
    }
}

/// Stops its query when dropped before the query is done.
pub struct Stopper {
    engine: Arc<Engine>,
    query_id: String,
    control: Arc<Control>,
}

impl Drop for Stopper {
    fn drop(&mut self) {
        if self.control.done.is_cancelled() {
            return;
        }
        self.control.stop.cancel();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(stop(
                self.engine.clone(),
                self.query_id.clone(),
                self.control.clone(),
            ));
        }
    }
}

async fn stop(engine: Arc<Engine>, query_id: String, control: Arc<Control>) {
    control.stop.cancel();
    while !control.done.is_cancelled() {
        let (engine, query_id) = (engine.clone(), query_id.clone());
        let stopped = tokio::task::spawn_blocking(move || engine.kill(&query_id)).await;
        if let Err(error) = stopped.unwrap_or_else(|lost| Err(Exception::from_engine(&lost.to_string()))) {
            tracing::warn!(%error, "a query could not be stopped");
        }
        tokio::select! {
            () = control.done.cancelled() => {}
            () = tokio::time::sleep(STOP_AGAIN) => {}
        }
    }
}

fn stopped(why: &str) -> Exception {
    Exception::raise(code::QUERY_WAS_CANCELLED, "QUERY_WAS_CANCELLED", why)
}

/// A panic while the lock was held leaves maps and options in order, so poisoning means nothing here.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
