//! An engine of the test's own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kaizen_warehouse::{ClickHouseConfig, Client, migrate};
use tempfile::TempDir;

/// A running engine; stopped and removed when dropped.
pub struct Sandbox {
    pub client: Client,
    process: Child,
    _folder: TempDir,
}

impl Sandbox {
    /// An engine without any table.
    pub async fn empty() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = Command::new(binary())
            .arg("--path")
            .arg(folder.path())
            .args(["--listen", &address.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}: build it first", binary().display()))?;
        let config = ClickHouseConfig {
            url: format!("http://{address}"),
            ..ClickHouseConfig::default()
        };
        let mut sandbox = Self {
            client: Client::new(&config),
            process,
            _folder: folder,
        };
        let started = Instant::now();
        while let Err(error) = sandbox.client.ping().await {
            if let Some(status) = sandbox.process.try_wait()? {
                bail!("the engine ended with {status}");
            }
            if started.elapsed() > Duration::from_secs(60) {
                return Err(error).context("the engine does not answer");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(sandbox)
    }

    /// An engine with all tables.
    pub async fn migrated() -> Result<Self> {
        let sandbox = Self::empty().await?;
        migrate::apply(&sandbox.client).await?;
        Ok(sandbox)
    }

    /// Runs a statement.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        Ok(self.client.execute(self.client.inner().query_raw(sql)).await?)
    }

    /// The one string a query gives.
    pub async fn text(&self, sql: &str) -> Result<String> {
        let row: Option<String> = self.client.row(self.client.inner().query_raw(sql)).await?;
        row.context("no row")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn binary() -> PathBuf {
    std::env::var_os("KAIZEN_CLICKHOUSE_EMBEDDED").map_or_else(
        || {
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../target/release/clickhouse-embedded"
            )
            .into()
        },
        PathBuf::from,
    )
}
