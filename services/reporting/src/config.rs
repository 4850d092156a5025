//! The configuration of reporting; `config/base.yaml` has the defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kaizen_catalogue::Catalogue;
use kaizen_findings::Costs;
use kaizen_ledger::{LedgerUrl, without_password};
use kaizen_service::{Operations, Period, Problems, Secret, ServerConfig, ServiceConfig, Telemetry};
use kaizen_warehouse::ClickHouseConfig;
use serde::{Deserialize, Serialize};

use crate::webhooks::Destination;

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
    /// Where what people change is.
    pub ledger: LedgerConfig,
    /// Where tickets that are implemented are told as changes.
    pub changes: ChangesConfig,
    /// What is measured.
    pub catalogue: CatalogueFile,
    /// What is known of the topic of dead letters.
    pub dead_letters: DeadLetterTopic,
    /// What work costs and how long an improvement is counted.
    pub costs: Costs,
    /// When implemented tickets are measured.
    pub impact: ImpactConfig,
    /// What other trackers sign with what they tell of their issues.
    pub hooks: HooksConfig,
    /// Who is told of tickets.
    pub webhooks: WebhooksConfig,
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
    /// `sqlite://PATH`, whose file is made when it is not there, or `postgres://USER@HOST:PORT/DATABASE` without a password.
    pub url: String,
    /// PostgreSQL's password; empty for none.
    pub password: Secret,
}

/// The section `changes`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChangesConfig {
    /// Where the collector takes changes over HTTP: `http://HOST:PORT/v1/changes`; empty to tell none.
    pub url: String,
    /// One of the collector's tokens; empty when it asks for none.
    pub token: Secret,
}

/// The section `dead_letters`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetterTopic {
    /// How long the topic keeps a letter: its `retention.ms`. 1 minute to 400 days, after which their rows are gone too.
    pub retention: Period<60_000, 34_560_000_000>,
}

/// The section `impact`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImpactConfig {
    /// How long after a day ends it is measured, for decisions that come late. 0 to 30 days.
    pub delay: Period<0, 2_592_000_000>,
}

/// The section `hooks`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HooksConfig {
    /// The secret of GitHub's webhook, which calls `/hooks/github`; empty for no such path.
    pub github_secret: Secret,
    /// The secret of Jira's webhook, which calls `/hooks/jira`; empty for no such path.
    pub jira_secret: Secret,
}

/// The section `webhooks`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Who is told, by names of 1 to 40 lower-case letters, digits and `_`; at most 20.
    pub destinations: BTreeMap<String, DestinationConfig>,
    /// How long an answer is waited for. 100 ms to 1 minute.
    pub timeout: Period<100, 60_000>,
    /// How long a message is tried again, before it is left out or its destination disabled. 1 second to 30 days.
    pub give_up_after: Period<1_000, 2_592_000_000>,
    /// Where the dashboard is for those who are told: what links to tickets begin with.
    pub dashboard: String,
}

/// A destination of the section `webhooks`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    /// Where it takes messages: `https://…`, or `http://…` on loopback. Never shown: addresses of hooks may hold a secret.
    pub url: Secret,
    /// What messages are signed with: `whsec_` and 24 to 64 bytes in base64.
    pub secret: Secret,
    /// Transitions to these states are told; empty: to any.
    #[serde(default)]
    pub states: Vec<String>,
    /// Tickets of these categories are told; empty: of any.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Whether measurements of days 7, 14 and 28 are told too, whatever the states.
    #[serde(default)]
    pub measurements: bool,
    /// Whether messages may go elsewhere than to loopback without TLS.
    #[serde(default)]
    pub plain_http: bool,
}

/// Most destinations.
const DESTINATIONS: usize = 20;

impl WebhooksConfig {
    fn validate(&self, problems: &mut Problems) {
        if self.destinations.len() > DESTINATIONS {
            let rule = format!("must be at most {DESTINATIONS} destinations");
            problems.add("webhooks.destinations", self.destinations.len(), rule);
        }
        for (name, section) in &self.destinations {
            if let Err((key, rule)) = Destination::read(name, section) {
                let shown = match key {
                    // An address may hold a secret too
                    "url" | "secret" => "********".to_owned(),
                    "states" => format!("{:?}", section.states),
                    _ => name.clone(),
                };
                problems.add(&format!("webhooks.destinations.{name}.{key}"), shown, rule);
            }
        }
        let url = self.dashboard.parse::<url::Url>().ok();
        if !url.is_some_and(|it| matches!(it.scheme(), "http" | "https")) {
            let rule = "must be a URL that begins with http:// or https://";
            problems.add("webhooks.dashboard", &self.dashboard, rule);
        }
    }
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
        if let Err(rule) = self.ledger.url.parse::<LedgerUrl>() {
            problems.add("ledger.url", without_password(&self.ledger.url), rule);
        }
        let is_http = |url: &str| url.parse::<reqwest::Url>().is_ok_and(|it| it.scheme() == "http");
        if !self.changes.url.is_empty() && !is_http(&self.changes.url) {
            let rule = "must be an http:// URL, or empty";
            problems.add("changes.url", without_password(&self.changes.url), rule);
        }
        self.webhooks.validate(problems);
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
