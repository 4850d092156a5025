//! The configuration of analysis; `config/base.yaml` has the defaults.

use std::path::PathBuf;

use kaizen_catalogue::Catalogue;
use kaizen_findings::Costs;
use kaizen_ledger::{LedgerUrl, without_password};
use kaizen_service::{Bounded, Operations, Period, Problems, Secret, ServerConfig, ServiceConfig, Telemetry};
use kaizen_warehouse::ClickHouseConfig;
use serde::{Deserialize, Serialize};

/// All of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisConfig {
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// The port for operators.
    pub operations: Operations,
    /// The port for gRPC.
    pub server: ServerConfig,
    /// Where the facts are.
    pub clickhouse: ClickHouseConfig,
    /// Where it is kept how the forecasts of rules are corrected.
    pub ledger: LedgerConfig,
    /// What is measured.
    pub catalogue: CatalogueFile,
    /// How runs survive the end of their process.
    pub runs: RunsConfig,
    /// What work costs and how long an improvement is counted.
    pub costs: Costs,
}

/// The section `catalogue`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFile {
    /// The metric catalogue.
    pub path: PathBuf,
}

/// The section `ledger`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerConfig {
    /// Reporting's: `sqlite://PATH`, or `postgres://USER@HOST:PORT/DATABASE` without a password.
    pub url: String,
    /// PostgreSQL's password; empty for none.
    pub password: Secret,
}

/// The section `runs`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunsConfig {
    /// How long nothing is heard of the process of a run before another one goes on with it, 1s to 10m, default 10s. A process
    /// tells that it is alive five times as often.
    pub lease: Period<1_000, 600_000>,
    /// How many attempts a run has before it is given up, 1 to 100, default 5.
    pub attempts: Bounded<1, 100>,
}

impl ServiceConfig for AnalysisConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn operations(&self) -> &Operations {
        &self.operations
    }

    fn validate(&self, problems: &mut Problems) {
        if let Err((key, rule)) = self.clickhouse.validate() {
            problems.add(&format!("clickhouse.{key}"), &self.clickhouse.url, rule);
        }
        if let Err(rule) = self.ledger.url.parse::<LedgerUrl>() {
            problems.add("ledger.url", without_password(&self.ledger.url), rule);
        }
        for (key, value, rule) in self.costs.problems() {
            problems.add(&format!("costs.{key}"), value, rule);
        }
        if let Err(error) = Catalogue::load(&self.catalogue.path) {
            let path = self.catalogue.path.display();
            problems.add(
                "catalogue.path",
                path,
                format_args!("must be a metric catalogue: {error}"),
            );
        }
    }
}
