//! The server's life: accept, drain, close.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::auth::Account;
use crate::connection::serve_connection;
use crate::engine::Engine;
use crate::session::Sessions;
use crate::spool::Allowance;

/// How long running requests may take after the server is asked to stop.
const DRAIN: Duration = Duration::from_secs(8);
/// How often unused sessions are looked for.
const SESSION_SWEEP: Duration = Duration::from_secs(1);
/// After an error of `accept` that is not one client's (no file descriptors left): the listener stays readable.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// What all requests share.
pub struct Server {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Who may use it.
    pub account: Account,
    /// Bodies in memory.
    pub allowance: Arc<Allowance>,
    /// The queries that may run at once; others wait.
    pub permits: Arc<Semaphore>,
    /// Sessions.
    pub sessions: Arc<Sessions>,
}

/// Serves until `shutdown`, lets running requests end for up to 8 s, stops the others, and closes the engine.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    server: Server,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let server = Arc::new(server);
    let graceful = GracefulShutdown::new();
    let mut sweep = tokio::time::interval(SESSION_SWEEP);
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            _ = sweep.tick() => server.sessions.expire(Instant::now()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(serve_connection(server.clone(), stream, graceful.watcher()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still running after {DRAIN:?} are stopped");
    }
    server.engine.stop_all().await;
    server.sessions.close();
    let engine = server.engine.clone();
    tokio::task::spawn_blocking(move || engine.close())
        .await
        .map_err(io::Error::other)
}
