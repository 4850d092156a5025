//! The topics as `config/topics.yaml` declares them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topics {
    /// Its topics.
    pub topics: Vec<Topic>,
}

/// One topic.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Name.
    pub name: String,
    /// Number of partitions.
    pub partitions: i32,
    /// Copies of each partition.
    pub replication_factor: i32,
    /// Settings of the broker for it.
    pub config: BTreeMap<String, String>,
}

impl Topics {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// It cannot be read, or breaks a rule; the error names the topic and the key.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let topics: Self = serde_yaml_ng::from_str(text)?;
        ensure!(!topics.topics.is_empty(), "topics: names none");
        for topic in &topics.topics {
            let name = &topic.name;
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            let is_name = !name.is_empty() && name.len() <= 249 && name.chars().all(legal);
            ensure!(
                is_name,
                "name {name:?}: must be 1 to 249 letters, digits, `.`, `_` or `-`"
            );
            ensure!(
                topic.partitions >= 1,
                "{name}: partitions {}: must be at least 1",
                topic.partitions
            );
            ensure!(
                topic.replication_factor >= 1,
                "{name}: replication_factor {}: must be at least 1",
                topic.replication_factor
            );
        }
        Ok(topics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topics_of_the_repository_are_valid_and_keep_the_brokers_time() {
        let topics = Topics::parse(include_str!("../../config/topics.yaml"))
            .unwrap()
            .topics;
        let names: Vec<_> = topics.iter().map(|topic| topic.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "kaizen.decisions",
                "kaizen.decisions.backfill",
                "kaizen.outcomes",
                "kaizen.changes",
                "kaizen.decisions.dlq",
                "kaizen.decisions.dlq.replayed"
            ]
        );
        assert!(
            topics
                .iter()
                .all(|topic| topic.config["message.timestamp.type"] == "LogAppendTime")
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let topic = |name: &str, partitions: i32| {
            format!(
                "topics: [{{name: {name}, partitions: {partitions}, replication_factor: 1, config: {{}}}}]"
            )
        };
        for (text, words) in [
            ("topics: []".to_owned(), "names none"),
            (topic("'a b'", 1), "a b"),
            (topic("a", 0), "a: partitions 0"),
            ("topics: [{nme: a}]".to_owned(), "nme"),
        ] {
            let error = format!("{:#}", Topics::parse(&text).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }
}
