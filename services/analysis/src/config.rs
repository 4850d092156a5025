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
        let Costs {
            hour,
            currency,
            horizon_weeks,
        } = &self.costs;
        if !(0.01..=100_000.0).contains(hour) {
            problems.add("costs.hour", hour, "must be 0.01 to 100000");
        }
        if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            problems.add(
                "costs.currency",
                currency,
                "must be three letters of ISO 4217, such as EUR",
            );
        }
        if !(1.0..=520.0).contains(horizon_weeks) {
            problems.add("costs.horizon_weeks", horizon_weeks, "must be 1 to 520");
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
