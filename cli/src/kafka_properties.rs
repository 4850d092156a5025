//! What else the collector tells Kafka's client: how it authenticates and encrypts.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use serde::Deserialize;

/// Properties of librdkafka. Their values are never shown: some are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KafkaProperties(BTreeMap<String, String>);

impl fmt::Debug for KafkaProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What is read of the collector's configuration; the rest is the collector's to check.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Configuration {
    kafka: Kafka,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Kafka {
    properties: BTreeMap<String, serde_yaml_ng::Value>,
}

impl KafkaProperties {
    /// Of the collector's configuration file, its `kafka.properties`.
    ///
    /// # Errors
    /// The file cannot be read, is no YAML, or has a property that is neither text, number nor truth value.
    pub fn read(path: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        use serde_yaml_ng::Value;
        let configuration: Option<Configuration> =
            serde_yaml_ng::from_str(text).map_err(|error| format!("kafka.properties: {error}"))?;
        let properties = configuration.unwrap_or_default().kafka.properties;
        let texts = properties.into_iter().map(|(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            Value::Number(number) => Ok((name, number.to_string())),
            Value::Bool(value) => Ok((name, value.to_string())),
            _ => Err(format!(
                "kafka.properties.{name}: must be text, a number, true or false"
            )),
        });
        texts.collect::<Result<_, _>>().map(Self)
    }

    /// Each with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_those_of_the_collectors_section_and_their_values_are_not_shown() {
        let file = "batch: { max_rows: 5 }\nkafka:\n  group_id: g\n  properties:\n    security.protocol: SASL_SSL\n    \
                    sasl.password: secret\n    socket.timeout.ms: 5000\n    enable.ssl.certificate.verification: false\n";
        let properties = KafkaProperties::parse(file).unwrap();
        let expected = [
            ("enable.ssl.certificate.verification", "false"),
            ("sasl.password", "secret"),
            ("security.protocol", "SASL_SSL"),
            ("socket.timeout.ms", "5000"),
        ];
        assert_eq!(properties.iter().collect::<Vec<_>>(), expected);
        assert!(!format!("{properties:?}").contains("secret"));
        for empty in ["", "analysis: {}", "kafka: {}"] {
            assert_eq!(KafkaProperties::parse(empty).unwrap(), KafkaProperties::default());
        }
    }

    #[test]
    fn what_is_no_property_is_named() {
        let refused = KafkaProperties::parse("kafka: { properties: { sasl.username: [a] } }").unwrap_err();
        assert!(refused.contains("kafka.properties.sasl.username"), "{refused}");
        let refused = KafkaProperties::parse("kafka: { properties: text }").unwrap_err();
        assert!(refused.contains("kafka.properties"), "{refused}");
        assert!(KafkaProperties::read("/nowhere").is_err());
    }
}
