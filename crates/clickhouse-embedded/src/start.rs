//! From the command line to a serving process.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use crate::auth::Account;
use crate::engine::Engine;
use crate::folder::FolderLock;
use crate::library::{self, Library};
use crate::port::listen;
use crate::serve::{Server, serve};
use crate::spool::Allowance;

/// ClickHouse's engine behind ClickHouse's HTTP interface, in one process. The password, if any, is read from the
/// environment variable CLICKHOUSE_PASSWORD.
#[derive(Debug, clap::Parser)]
#[command(name = "clickhouse-embedded", version, args_override_self = true)]
pub struct Options {
    /// Data folder; created when missing.
    #[arg(long, value_name = "DIR")]
    pub path: PathBuf,
    /// Address of the HTTP interface; port 0 takes a free one. Not loopback: a password is required.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8123")]
    pub listen: SocketAddr,
    /// Name of the only user.
    #[arg(long, default_value = "default")]
    pub user: String,
    /// Engine library [default: ${XDG_CACHE_HOME:-~/.cache}/kaizen/chdb/26.5.3/libchdb.so].
    #[arg(long, value_name = "FILE", env = "KAIZEN_LIBCHDB")]
    pub library: Option<PathBuf>,
    /// Queries that run at once; further ones wait.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_concurrent_queries: u32,
    /// Memory for the bodies of all running requests, in MiB; beyond it they go to the data folder.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u64).range(0..=1_048_576))]
    pub body_memory_mib: u64,
}

/// Runs the server until SIGTERM or SIGINT.
///
/// # Errors
/// One line that says what stands in the way: the library, the folder, the port.
pub fn run(options: Options, password: String) -> anyhow::Result<()> {
    let path = options.library.unwrap_or_else(library::default_path);
    let account = Account {
        user: options.user,
        password,
    };
    let lock = FolderLock::take(&options.path)?;
    let library: &'static Library = Box::leak(Box::new(Library::load(&path)?));
    // Receiving a body and running its query each take a thread; a slow client holds only the first.
    let threads = options.max_concurrent_queries as usize * 2 + 512;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(threads)
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let listener = listen(options.listen, &account).await?;
        let address = listener.local_addr()?;
        let allowance = Arc::new(Allowance::new(options.body_memory_mib << 20, lock.bodies()));
        let engine = tokio::task::spawn_blocking(move || Engine::open(library, lock)).await??;
        tracing::info!(version = engine.version, folder = %engine.folder().display(), "engine open");
        // On standard output, for the one who started it with port 0.
        writeln!(
            std::io::stdout(),
            "ClickHouse {} is ready on http://{address}",
            engine.version
        )?;
        let server = Server {
            engine: Arc::new(engine),
            account,
            allowance,
            permits: Arc::new(Semaphore::new(options.max_concurrent_queries as usize)),
            sessions: Arc::default(),
        };
        serve(server, listener, async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            tracing::info!("stopping");
        })
        .await?;
        anyhow::Ok(())
    })?;
    tracing::info!("stopped");
    Ok(())
}
