//! The collector's configuration; `config/base.yaml` has the defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kaizen_decision::{Privacy, TimePolicy};
use kaizen_service::{Bounded, Operations, Period, Problems, Secret, ServiceConfig, Telemetry};
use kaizen_stream::{Limits, Window};
use kaizen_warehouse::ClickHouseConfig;
use kaizen_warehouse::queries::Table;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::ingest::IngestConfig;
use crate::topics::Topics;

/// All of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CollectorConfig {
    /// Logs and traces.
    pub telemetry: Telemetry,
    /// The port for operators.
    pub operations: Operations,
    /// Where events come from.
    pub kafka: Kafka,
    /// Where they go.
    pub clickhouse: ClickHouseConfig,
    /// What to extract from decisions.
    pub catalogue: CatalogueFile,
    /// When a batch is sealed.
    pub batch: BatchLimits,
    /// How far back a repeated event is known.
    pub duplicates: DuplicateWindow,
    /// How what is stored is looked over.
    pub audit: Audit,
    /// What becomes of personal data.
    pub privacy: PrivacyPolicy,
    /// The ways in that are not Kafka.
    pub ingest: IngestConfig,
}

/// The section `kafka`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// Consumer group; its committed offsets say what is stored.
    pub group_id: String,
    /// How the group shares partitions.
    pub group_protocol: Protocol,
    /// This member's own name in the group, under which it finds its partitions again after a restart; empty for none.
    pub instance_id: String,
    /// What to do when the committed offset is not in the topic any more.
    pub when_out_of_range: OutOfRange,
    /// Topics to read.
    pub topics: Vec<Topic>,
    /// Topic for records that are not what their topic holds.
    pub dead_letter_topic: String,
    /// Further properties of librdkafka. Their values are never shown: some are secrets.
    pub properties: BTreeMap<String, Secret>,
}

/// How the group shares partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// By a member that the broker chose, all at once.
    Classic,
    /// By the broker, one partition at a time (KIP-848).
    Consumer,
}

/// What to do when the committed offset is not in the topic any more: records were deleted before they were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutOfRange {
    /// End with an error, for a person to decide.
    Stop,
    /// Go on from the beginning of what is left.
    Earliest,
}

/// One topic, or all whose name matches a regular expression.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name; beginning with `^`, a regular expression.
    pub name: String,
    /// What its records are.
    #[serde(default)]
    pub kind: Kind,
    /// How its timestamps are judged.
    pub policy: Policy,
}

/// What the records of a topic are; it decides the table they go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Decisions.
    #[default]
    Decision,
    /// Outcomes of sessions.
    Outcome,
    /// Changes to what decides.
    Change,
}

impl Kind {
    /// Where those go that are accepted.
    pub const fn table(self) -> Table {
        match self {
            Self::Decision => Table::Decisions,
            Self::Outcome => Table::Outcomes,
            Self::Change => Table::Changes,
        }
    }
}

/// How timestamps are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// At most 30 days late and 10 minutes ahead of Kafka's time of the record.
    Live,
    /// However late, and at most 10 minutes ahead of Kafka's time of the record.
    Late,
    /// Any.
    Backfill,
}

impl Policy {
    /// As validation needs it.
    pub const fn times(self) -> TimePolicy {
        match self {
            Self::Live => TimePolicy::LIVE,
            Self::Late => TimePolicy::LATE,
            Self::Backfill => TimePolicy::BACKFILL,
        }
    }
}

/// The section `catalogue`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFile {
    /// The metric catalogue.
    pub path: PathBuf,
}

/// The section `batch`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BatchLimits {
    /// Records of a batch.
    pub max_rows: Bounded<1, 1_000_000>,
    /// Bytes of a batch.
    pub max_bytes: Bounded<65_536, 268_435_456>,
    /// Time since its first record.
    pub max_age: Period<10, 300_000>,
    /// The same while its last record is older than that and more come.
    pub max_age_behind: Period<10, 300_000>,
    /// Memory of all batches together, in bytes; beyond half of it, partitions take turns.
    pub memory_budget: Bounded<1_048_576, 17_179_869_184>,
    /// Batches stored at once.
    pub concurrent_inserts: Bounded<1, 64>,
}

impl BatchLimits {
    /// As the pipeline needs them.
    pub const fn limits(&self) -> Limits {
        Limits {
            records: self.max_rows.size(),
            bytes: self.max_bytes.size(),
            age: self.max_age.get(),
            age_behind: self.max_age_behind.get(),
        }
    }
}

/// The section `duplicates`: an event is a repeat when one with its `event_id` was stored of the same partition within
/// both limits.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicateWindow {
    /// Offsets back.
    pub max_offsets: Bounded<0, 10_000_000>,
    /// Time back, by Kafka's times of the records.
    pub max_age: Period<0, 604_800_000>,
}

impl DuplicateWindow {
    /// As the pipeline needs it.
    pub fn window(&self) -> Window {
        Window {
            offsets: i64::try_from(self.max_offsets.size()).unwrap_or(i64::MAX),
            milliseconds: i64::try_from(self.max_age.get().as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// The section `audit`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Whether there is one.
    pub enabled: bool,
    /// Time between runs.
    pub interval: Period<100, 86_400_000>,
    /// How far back records are looked at, by Kafka's time of them, and no further than the topic goes.
    pub look_back: Period<3_600_000, 2_592_000_000>,
    /// Offsets looked at in a run.
    pub max_offsets: Bounded<1_000, 100_000_000>,
    /// Decisions whose rollup is compared in a run; at least an hour's.
    pub max_rollup_rows: Bounded<1_000, 100_000_000>,
    /// Whether hours of the rollup that differ from their decisions are rebuilt from them; else they are only told.
    pub mend_rollup: bool,
}

/// The section `privacy`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyPolicy {
    /// What is stored of the lead's name.
    pub lead_name: LeadName,
    /// Key of the pseudonyms, at least 16 bytes.
    pub pseudonym_key: Secret,
}

/// What is stored of the lead's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeadName {
    /// Nothing.
    Drop,
    /// A pseudonym.
    Pseudonymise,
    /// The name.
    Keep,
}

impl PrivacyPolicy {
    /// As the step needs it.
    ///
    /// # Errors
    /// Pseudonyms are asked for and the key is too short.
    pub fn privacy(&self) -> Result<Privacy, kaizen_decision::WeakKey> {
        match self.lead_name {
            LeadName::Drop => Ok(Privacy::Drop),
            LeadName::Keep => Ok(Privacy::Keep),
            LeadName::Pseudonymise => Privacy::pseudonymise(self.pseudonym_key.reveal().as_bytes()),
        }
    }
}

impl ServiceConfig for CollectorConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn operations(&self) -> &Operations {
        &self.operations
    }

    fn validate(&self, problems: &mut Problems) {
        self.kafka.validate(problems);
        self.ingest.validate(problems);
        if let Err((key, rule)) = self.clickhouse.validate() {
            problems.add(&format!("clickhouse.{key}"), &self.clickhouse.url, rule);
        }
        if let Err(error) = kaizen_catalogue::Catalogue::load(&self.catalogue.path) {
            problems.add(
                "catalogue.path",
                self.catalogue.path.display(),
                format_args!("must be a metric catalogue: {error}"),
            );
        }
        let (one, all) = (self.batch.max_bytes.get(), self.batch.memory_budget.get());
        if all < 2 * one {
            problems.add(
                "batch.memory_budget",
                all,
                format_args!("must be at least two of batch.max_bytes, {}", 2 * one),
            );
        }
        // What is wrong with an expression is told by `kafka`.
        let topics = Topics::of(&self.kafka.topics).ok();
        for (key, topic, kind) in self.ingest.topics() {
            if topics.as_ref().is_some_and(|topics| !topics.holds(topic, kind)) {
                let rule = format!("must not be a topic that kafka.topics gives another kind than {kind:?}");
                problems.add(key, topic, rule.to_lowercase());
            }
        }
        if let Err(error) = self.privacy.privacy() {
            problems.add("privacy.pseudonym_key", "(hidden)", error);
        }
    }
}

impl Kafka {
    fn validate(&self, problems: &mut Problems) {
        let is_broker = |broker: &str| {
            let parts = broker.trim().rsplit_once(':');
            parts.is_some_and(|(host, port)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
            })
        };
        if !self.brokers.split(',').all(is_broker) {
            problems.add(
                "kafka.brokers",
                format_args!("{:?}", self.brokers),
                "must be host:port, separated by commas",
            );
        }
        if self.group_id.is_empty() {
            problems.add("kafka.group_id", "\"\"", "must not be empty");
        }
        if self.topics.is_empty() {
            problems.add("kafka.topics", "[]", "must name at least one topic");
        }
        for (index, topic) in self.topics.iter().enumerate() {
            let key = format!("kafka.topics[{index}].name");
            if topic.name == self.dead_letter_topic {
                problems.add(&key, &topic.name, "must not be the topic of dead letters");
            }
            if topic.name.starts_with('^')
                && let Err(error) = Regex::new(&topic.name)
            {
                problems.add(
                    &key,
                    &topic.name,
                    format_args!("must be a regular expression: {error}"),
                );
            }
        }
    }
}
