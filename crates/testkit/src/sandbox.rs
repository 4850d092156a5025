use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::clickhouse::ClickHouse;
use crate::kafka::Kafka;
use crate::place::{program, workspace};
use crate::service::Service;

/// Broker and engine, with Kaizen's topics and tables.
pub struct Stack {
    kafka: Kafka,
    clickhouse: ClickHouse,
}

impl Stack {
    /// Starts both, then creates topics and tables by `kaizen admin`, as an operator does.
    ///
    /// # Errors
    /// If a part is missing or does not start.
    pub async fn start() -> Result<Self> {
        let (kafka, clickhouse) = tokio::try_join!(Kafka::start(), ClickHouse::start())?;
        Self::of(kafka, clickhouse).await
    }

    /// Of a broker and an engine that have nothing yet.
    ///
    /// # Errors
    /// If one refuses topics or tables.
    pub async fn of(kafka: Kafka, clickhouse: ClickHouse) -> Result<Self> {
        let stack = Self { kafka, clickhouse };
        stack.kaizen(&["admin", "create-topics"]).await?;
        stack.kaizen(&["admin", "migrate"]).await?;
        Ok(stack)
    }

    /// The broker.
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// The engine.
    pub fn clickhouse(&self) -> &ClickHouse {
        &self.clickhouse
    }

    /// The environment in which the `kaizen` command finds the two.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [
            ("KAIZEN__KAFKA__BROKERS", self.kafka.brokers().to_owned()),
            ("KAIZEN__CLICKHOUSE__URL", self.clickhouse.url().to_owned()),
        ]
    }

    /// Runs the `kaizen` command and returns what it printed.
    ///
    /// # Errors
    /// If it fails; with all it wrote.
    pub async fn kaizen(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(program("kaizen")?);
        command
            .current_dir(workspace())
            .args(arguments)
            .envs(self.variables());
        run(command).await
    }
}

/// The whole system: broker, engine and the three services.
pub struct Sandbox {
    // In the order of dropping: services before what they stand on.
    reporting: Service,
    analysis: Service,
    collector: Service,
    stack: Stack,
    ledger: TempDir,
}

impl Sandbox {
    /// Starts everything; returns when every part is ready.
    ///
    /// # Errors
    /// If a part is missing or does not start; with the end of its log.
    pub async fn start() -> Result<Self> {
        Self::with(&[]).await
    }

    /// The same, with further variables for the collector.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub async fn with(collector: &[(&str, &str)]) -> Result<Self> {
        Self::with_each(collector, &[]).await
    }

    /// The same, with further variables for every service.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub async fn with_all(variables: &[(&str, &str)]) -> Result<Self> {
        Self::with_each(variables, variables).await
    }

    async fn with_each(collector: &[(&str, &str)], others: &[(&str, &str)]) -> Result<Self> {
        let stack = Stack::start().await?;
        // Analysis reads in it what reporting writes
        let folder = TempDir::new()?;
        let ledger = format!("sqlite://{}", folder.path().join("ledger.db").display());
        let others = [&[("KAIZEN__LEDGER__URL", ledger.as_str())], others].concat();
        // Reporting tells the collector of changes
        let told = async {
            let collector = Service::start("collector", false, &stack, collector).await?;
            let changes = format!("{}/v1/changes", collector.url());
            let variables = [&[("KAIZEN__CHANGES__URL", changes.as_str())], others.as_slice()].concat();
            let reporting = Service::start("reporting", true, &stack, &variables).await?;
            Ok((collector, reporting))
        };
        let analysis = Service::start("analysis", true, &stack, &others);
        let ((collector, reporting), analysis) = tokio::try_join!(told, analysis)?;
        Ok(Self {
            reporting,
            analysis,
            collector,
            stack,
            ledger: folder,
        })
    }

    /// Where analysis and reporting have their ledger.
    pub fn ledger_url(&self) -> String {
        format!("sqlite://{}", self.ledger.path().join("ledger.db").display())
    }

    /// Broker and engine.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// `host:port` of the broker.
    pub fn kafka_brokers(&self) -> &str {
        self.stack.kafka.brokers()
    }

    /// Where the engine answers.
    pub fn clickhouse_url(&self) -> &str {
        self.stack.clickhouse.url()
    }

    /// The collector.
    pub fn collector(&self) -> &Service {
        &self.collector
    }

    /// The analysis service.
    pub fn analysis(&self) -> &Service {
        &self.analysis
    }

    /// The reporting service.
    pub fn reporting(&self) -> &Service {
        &self.reporting
    }

    /// Runs the `kaizen` command against this system and returns what it printed.
    ///
    /// # Errors
    /// If it fails; with all it wrote.
    pub async fn kaizen(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(program("kaizen")?);
        command
            .current_dir(workspace())
            .args(arguments)
            .envs(self.stack.variables());
        command
            .env("KAIZEN_REPORTING", self.reporting.url())
            .env("KAIZEN_ANALYSIS", self.analysis.url());
        run(command).await
    }
}

async fn run(mut command: Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = tokio::task::spawn_blocking(move || command.output())
        .await?
        .context(shown.clone())?;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{shown}: {}\n{out}{err}", output.status);
    Ok(out.into_owned())
}
