//! The configuration of analysis; `config/base.yaml` has the defaults.

use std::path::PathBuf;

use kaizen_catalogue::Catalogue;
use kaizen_findings::Costs;
use kaizen_service::{Operations, Problems, ServerConfig, ServiceConfig, Telemetry};
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
    /// What is measured.
    pub catalogue: CatalogueFile,
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
