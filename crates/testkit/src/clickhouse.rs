use std::process::Command;

use anyhow::{Result, ensure};

use crate::disk::Disk;
use crate::part::Part;
use crate::place::{free_address, program};

/// The ClickHouse engine behind its HTTP interface.
pub struct ClickHouse {
    // In the order of dropping.
    part: Part,
    disk: Option<Disk>,
    url: String,
}

impl ClickHouse {
    /// Starts an engine without any table.
    ///
    /// # Errors
    /// If it is not built or does not start.
    pub async fn start() -> Result<Self> {
        Self::start_on(None).await
    }

    /// The same, with its data on a disk of its own if there is one.
    ///
    /// # Errors
    /// As [`ClickHouse::start`].
    pub async fn start_on(disk: Option<Disk>) -> Result<Self> {
        let address = free_address()?;
        let part = Part::new("clickhouse", |folder| {
            let data = disk.as_ref().map_or(folder, Disk::path).join("data");
            let mut command = Command::new(program("clickhouse-embedded")?);
            command
                .arg("--path")
                .arg(data)
                .args(["--listen", &address.to_string()]);
            command.env_remove("CLICKHOUSE_PASSWORD");
            Ok(command)
        })?;
        let clickhouse = Self {
            part,
            disk,
            url: format!("http://{address}"),
        };
        clickhouse.restart().await?;
        Ok(clickhouse)
    }

    /// The process, to kill, pause or inspect.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// Where its data is, if that is a disk of its own.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// Starts the engine again after its process was ended, on the same port and data.
    ///
    /// # Errors
    /// If it runs, or does not start.
    pub async fn restart(&self) -> Result<()> {
        self.part
            .start(async || self.query("SELECT 1").await.map(drop))
            .await
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs a statement; the rows as tab-separated text, without the last line's end.
    ///
    /// # Errors
    /// The engine's own message.
    pub async fn query(&self, statement: &str) -> Result<String> {
        let response = reqwest::Client::new()
            .post(&self.url)
            .body(statement.to_owned())
            .send()
            .await?;
        let (status, text) = (response.status(), response.text().await?);
        ensure!(status.is_success(), "{statement}: {text}");
        Ok(text.trim_end_matches('\n').to_owned())
    }
}
