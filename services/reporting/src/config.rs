//! The configuration of reporting; `config/base.yaml` has the defaults.

use std::path::PathBuf;

use kaizen_catalogue::Catalogue;
use kaizen_service::{Operations, Period, Problems, ServerConfig, ServiceConfig, Telemetry};
use kaizen_warehouse::ClickHouseConfig;
use serde::{Deserialize, Serialize};

/// All of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReportingConfig {
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// The port for operators.
    pub operations: Operations,
    /// The port for everybody else.
    pub server: ServerConfig,
    /// Where the facts are.
    pub clickhouse: ClickHouseConfig,
    /// What is measured.
    pub catalogue: CatalogueFile,
    /// What is known of the topic of dead letters.
    pub dead_letters: DeadLetterTopic,
}

/// The section `catalogue`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFile {
    /// The metric catalogue.
    pub path: PathBuf,
}

/// The section `dead_letters`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetterTopic {
    /// How long the topic keeps a letter: its `retention.ms`. 1 minute to 400 days, after which their rows are gone too.
    pub retention: Period<60_000, 34_560_000_000>,
}

impl ServiceConfig for ReportingConfig {
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
