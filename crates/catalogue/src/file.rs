//! The shape of the file, before its rules are checked.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::catalogue::{Direction, SplitDenominator, StatedProbability, Thresholds, ValuePerUnit};

/// Why there is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("catalogue {path} cannot be read")]
    Unreadable {
        /// Path of the file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text is no YAML of the catalogue's shape: an unknown or missing key, or a value of the wrong type.
    #[error("catalogue key `{key}`: {message}")]
    Malformed {
        /// Path of the key at fault, for example `components[0].metrics[1].unit`; `.` for the whole file.
        key: String,
        /// What is wrong with it and what is allowed.
        message: String,
    },
    /// A value breaks a rule.
    #[error("catalogue key `{key}` is `{value}`: {rule}")]
    Invalid {
        /// Path of the key at fault, by names: `lead_enrichment.success_rate.expression`.
        key: String,
        /// The value at fault.
        value: String,
        /// The rule it breaks.
        rule: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatalogueFile {
    pub(crate) version: u32,
    pub(crate) components: Vec<ComponentEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ComponentEntry {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) log_type: String,
    pub(crate) category: Option<String>,
    #[serde(default, deserialize_with = "pairs")]
    pub(crate) dimensions: Vec<(String, String)>,
    #[serde(default, deserialize_with = "pairs")]
    pub(crate) measures: Vec<(String, String)>,
    pub(crate) stated_probability: Option<StatedProbability>,
    pub(crate) metrics: Vec<MetricEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricEntry {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) expression: String,
    pub(crate) unit: String,
    pub(crate) direction: Direction,
    pub(crate) minimum_sample: u64,
    pub(crate) split_by: Option<String>,
    pub(crate) split_denominator: Option<SplitDenominator>,
    pub(crate) thresholds: Option<Thresholds>,
    pub(crate) value_per_unit: Option<ValuePerUnit>,
    pub(crate) covariate: Option<String>,
}

/// A mapping as pairs, so that the file's order and a key given twice are both seen.
fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a mapping of names to JSON pointers")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs)
}

pub(crate) fn parse(text: &str) -> Result<CatalogueFile, CatalogueError> {
    serde_path_to_error::deserialize(serde_yaml_ng::Deserializer::from_str(text)).map_err(|error| {
        CatalogueError::Malformed {
            key: error.path().to_string(),
            message: error.into_inner().to_string(),
        }
    })
}
