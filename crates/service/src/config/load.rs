use std::collections::HashMap;

use config::{Config, Environment, File, FileFormat};
use serde_json::Value;

use super::{ConfigError, Problems, ServiceConfig};

const PREFIX: &str = "KAIZEN";
const SEPARATOR: &str = "__";
const FILE: &str = "KAIZEN_CONFIG";
/// Words in the names of keys whose values are never shown.
const SECRET: [&str; 4] = ["password", "secret", "token", "key"];

/// Reads the layers: `base` is YAML, `variables` are those of the environment.
///
/// # Errors
/// A layer is unreadable, a key unknown, or a value outside what is allowed.
pub fn load<C: ServiceConfig>(base: &str, variables: HashMap<String, String>) -> Result<C, ConfigError> {
    let unreadable = |error: config::ConfigError| ConfigError::Unreadable(error.to_string());
    let mut layers = Config::builder().add_source(File::from_str(base, FileFormat::Yaml));
    if let Some(path) = variables.get(FILE) {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable(format!("{FILE} = {path}: {error}")))?;
        layers = layers.add_source(File::from_str(&text, FileFormat::Yaml));
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR);
    layers = layers.add_source(environment.source(Some(variables)));
    let values: Value = layers
        .build()
        .and_then(Config::try_deserialize)
        .map_err(unreadable)?;
    check(values)
}

fn check<C: ServiceConfig>(values: Value) -> Result<C, ConfigError> {
    let mut problems = Problems::default();
    match serde_path_to_error::deserialize::<_, C>(&values) {
        Ok(config) => {
            config.validate(&mut problems);
            if problems.is_empty() {
                Ok(config)
            } else {
                Err(ConfigError::Invalid(problems))
            }
        }
        Err(error) => {
            let key = error.path().to_string();
            let rule = error.into_inner().to_string();
            if key == "." {
                return Err(ConfigError::Unreadable(rule));
            }
            problems.add(&key, shown(&values, &key), rule);
            Err(ConfigError::Invalid(problems))
        }
    }
}

/// The value at a dotted key, as it may be shown.
fn shown(values: &Value, key: &str) -> String {
    let name = key.rsplit('.').next().unwrap_or(key);
    if SECRET.iter().any(|word| name.contains(word)) {
        return "(hidden)".to_owned();
    }
    let pointer = format!("/{}", key.replace(['.', '['], "/").replace(']', ""));
    values
        .pointer(&pointer)
        .map_or_else(|| "(absent)".to_owned(), Value::to_string)
}

/// The configuration as YAML, secrets masked.
///
/// # Errors
/// A value has no form in YAML.
pub fn print<C: ServiceConfig>(config: &C) -> Result<String, ConfigError> {
    serde_yaml_ng::to_string(config).map_err(|error| ConfigError::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Bounded, Period, Secret};
    use crate::operations::Operations;
    use crate::telemetry::Telemetry;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        telemetry: Telemetry,
        operations: Operations,
        batch: Batch,
        password: Secret,
        topics: Vec<Topic>,
    }

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Batch {
        rows: Bounded<1, 1000>,
        age: Period<10, 60_000>,
    }

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Topic {
        name: String,
    }

    impl ServiceConfig for Example {
        fn telemetry(&self) -> &Telemetry {
            &self.telemetry
        }

        fn operations(&self) -> &Operations {
            &self.operations
        }

        fn validate(&self, problems: &mut Problems) {
            if self.topics.is_empty() {
                problems.add("topics", "[]", "name at least one");
            }
        }
    }

    const BASE: &str = "
telemetry: {log_format: text, log_level: info, otlp_endpoint: ''}
operations: {address: 127.0.0.1:0}
batch: {rows: 100, age: 1s}
password: ''
topics: [{name: a}]
";

    fn with(variables: &[(&str, &str)]) -> Result<Example, ConfigError> {
        let pairs = variables
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        load(BASE, pairs.collect())
    }

    fn refusal(key: &str, value: &str) -> String {
        with(&[(key, value)]).unwrap_err().to_string()
    }

    #[test]
    fn a_variable_overrides_the_file_and_the_file_the_base() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kaizen.yaml");
        std::fs::write(&file, "batch: {rows: 7, age: 2s}\npassword: '007'").unwrap();
        let config = with(&[
            ("KAIZEN_CONFIG", file.to_str().unwrap()),
            ("KAIZEN__BATCH__ROWS", "8"),
        ])
        .unwrap();
        assert_eq!(
            (config.batch.rows.get(), config.batch.age.get().as_secs()),
            (8, 2)
        );
        assert_eq!(config.password.reveal(), "007");
        assert_eq!(
            with(&[("KAIZEN__PASSWORD", "1.50")]).unwrap().password.reveal(),
            "1.50"
        );
    }

    #[test]
    fn every_refusal_names_key_value_and_what_is_allowed() {
        for (variable, value, words) in [
            ("KAIZEN__BATCH__ROWS", "0", ["batch.rows", "\"0\"", "1 to 1000"]),
            (
                "KAIZEN__BATCH__ROWS",
                "many",
                ["batch.rows", "\"many\"", "integer"],
            ),
            (
                "KAIZEN__BATCH__AGE",
                "soon",
                ["batch.age", "\"soon\"", "duration"],
            ),
            ("KAIZEN__BATCH__AGE", "2h", ["batch.age", "\"2h\"", "10ms to 1m"]),
            (
                "KAIZEN__OPERATIONS__ADDRESS",
                "localhost",
                ["operations.address", "\"localhost\"", "address"],
            ),
            (
                "KAIZEN__TELEMETRY__LOG_FORMAT",
                "xml",
                ["telemetry.log_format", "\"xml\"", "json"],
            ),
            (
                "KAIZEN__BATCH__COLOUR",
                "blue",
                ["batch.colour", "\"blue\"", "unknown field"],
            ),
            ("KAIZEN__COLOUR", "blue", ["colour", "\"blue\"", "unknown field"]),
        ] {
            let said = refusal(variable, value);
            assert!(
                words.iter().all(|word| said.contains(word)),
                "{variable}={value}: {said}"
            );
        }
        let absent = load::<Example>("telemetry: {}", HashMap::new())
            .unwrap_err()
            .to_string();
        assert!(
            absent.contains("telemetry") && absent.contains("missing field `log_format`"),
            "{absent}"
        );
    }

    #[test]
    fn rules_across_keys_and_unreadable_files_are_told() {
        let none = load::<Example>(&BASE.replace("[{name: a}]", "[]"), HashMap::new()).unwrap_err();
        assert_eq!(none.to_string(), "configuration: topics = []: name at least one");
        let missing = refusal("KAIZEN_CONFIG", "/no/such.yaml");
        assert!(missing.contains("KAIZEN_CONFIG = /no/such.yaml"), "{missing}");
    }

    #[test]
    fn a_printed_configuration_shows_values_and_no_secret() {
        let config = with(&[("KAIZEN__PASSWORD", "hunter2")]).unwrap();
        let printed = print(&config).unwrap();
        assert!(
            printed.contains("rows: 100") && printed.contains("age: 1s"),
            "{printed}"
        );
        assert!(!printed.contains("hunter2") && !format!("{config:?}").contains("hunter2"));
    }
}
