use std::collections::HashMap;

use config::builder::DefaultState;
use config::{Config, ConfigBuilder, Environment, File, FileFormat};
use serde_json::Value;

use super::values::MASK;
use super::{ConfigError, Problems, ServiceConfig};

const PREFIX: &str = "KAIZEN";
const SEPARATOR: &str = "__";
const FILE: &str = "KAIZEN_CONFIG";
/// In the names of keys whose values are never shown; `pas` covers `passwd` and a misspelt `pasword` too.
const SECRET: [&str; 5] = ["pas", "secret", "token", "key", "credential"];

/// Reads the layers: `base` is YAML, `variables` are those of the environment.
///
/// # Errors
/// A layer is unreadable, a key unknown, or a value outside what is allowed.
pub fn load<C: ServiceConfig>(base: &str, variables: HashMap<String, String>) -> Result<C, ConfigError> {
    let base = Config::builder().add_source(File::from_str(base, FileFormat::Yaml));
    let mut layers = base.clone();
    if let Some(path) = variables.get(FILE) {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable(format!("{FILE} = {path}: {error}")))?;
        layers = layers.add_source(File::from_str(&text, FileFormat::Yaml));
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR);
    layers = layers.add_source(environment.source(Some(variables)));
    let (mut values, base) = (merged(layers)?, merged(base)?);
    read_text(&mut values, &base);
    check(values, &base)
}

/// Variables are text. Where the base has a flag or a fraction, text that is one stands for it; whole numbers and durations
/// read themselves.
fn read_text(value: &mut Value, base: &Value) {
    match (&mut *value, base) {
        (Value::Object(section), Value::Object(base)) => {
            for (key, value) in section {
                if let Some(base) = base.get(key) {
                    read_text(value, base);
                }
            }
        }
        (Value::String(text), Value::Bool(_)) => {
            if let Ok(flag) = text.parse::<bool>() {
                *value = Value::from(flag);
            }
        }
        (Value::String(text), Value::Number(number)) if number.is_f64() => {
            if let Ok(fraction) = text.parse::<f64>() {
                *value = Value::from(fraction);
            }
        }
        _ => {}
    }
}

fn merged(layers: ConfigBuilder<DefaultState>) -> Result<Value, ConfigError> {
    let values = layers.build().and_then(Config::try_deserialize);
    values.map_err(|error| ConfigError::Unreadable(error.to_string()))
}

/// Reads the values. To tell every wrong one and not the first alone, a wrong one is told and put back to the base's.
fn check<C: ServiceConfig>(mut values: Value, base: &Value) -> Result<C, ConfigError> {
    let mut problems = Problems::default();
    loop {
        let error = match serde_path_to_error::deserialize::<_, C>(&values) {
            Ok(config) if problems.is_empty() => {
                config.telemetry().validate(&mut problems);
                config.validate(&mut problems);
                return if problems.is_empty() {
                    Ok(config)
                } else {
                    Err(ConfigError::Invalid(problems))
                };
            }
            Ok(_) => return Err(ConfigError::Invalid(problems)),
            Err(error) => error,
        };
        let key = error.path().to_string();
        let rule = error.into_inner().to_string();
        if key == "." {
            return Err(ConfigError::Unreadable(rule));
        }
        problems.add(&key, shown(&values, &key), rule);
        if !put_back(&mut values, base, &pointer(&key)) {
            return Err(ConfigError::Invalid(problems));
        }
    }
}

/// Gives a wrong value up for the base's; false if it is the base's already or has no key of its own.
fn put_back(values: &mut Value, base: &Value, pointer: &str) -> bool {
    if let (Some(wrong), Some(right)) = (values.pointer_mut(pointer), base.pointer(pointer)) {
        return std::mem::replace(wrong, right.clone()) != *right;
    }
    let Some((section, key)) = pointer.rsplit_once('/') else {
        return false;
    };
    let section = values.pointer_mut(section).and_then(Value::as_object_mut);
    section.is_some_and(|section| section.remove(key).is_some())
}

/// The JSON pointer of a dotted key.
fn pointer(key: &str) -> String {
    format!("/{}", key.replace(['.', '['], "/").replace(']', ""))
}

/// The value at a dotted key, as it may be shown.
fn shown(values: &Value, key: &str) -> String {
    let name = key.rsplit('.').next().unwrap_or(key);
    values
        .pointer(&pointer(key))
        .map_or_else(|| "(absent)".to_owned(), |value| masked(name, value).to_string())
}

fn masked(name: &str, value: &Value) -> Value {
    match value {
        _ if SECRET.iter().any(|word| name.contains(word)) => Value::from(MASK),
        Value::Object(section) => {
            let masked = section
                .iter()
                .map(|(key, value)| (key.clone(), masked(key, value)));
            Value::Object(masked.collect())
        }
        Value::Array(list) => list.iter().map(|value| masked(name, value)).collect(),
        value => value.clone(),
    }
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
        sorted: bool,
        share: f64,
    }

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Topic {
        name: String,
        #[serde(default)]
        token: Secret,
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
batch: {rows: 100, age: 1s, sorted: true, share: 0.5}
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
    fn a_variable_may_be_a_flag_or_a_fraction() {
        let config = with(&[("KAIZEN__BATCH__SORTED", "false"), ("KAIZEN__BATCH__SHARE", "2")]).unwrap();
        assert_eq!((config.batch.sorted, config.batch.share), (false, 2.0));
        for (variable, words) in [
            ("KAIZEN__BATCH__SORTED", ["batch.sorted", "\"some\"", "boolean"]),
            ("KAIZEN__BATCH__SHARE", ["batch.share", "\"some\"", "f64"]),
        ] {
            let said = refusal(variable, "some");
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
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
    fn every_problem_is_told_and_not_the_first_alone() {
        let said = with(&[
            ("KAIZEN__BATCH__ROWS", "0"),
            ("KAIZEN__BATCH__AGE", "soon"),
            ("KAIZEN__COLOUR", "blue"),
        ])
        .unwrap_err()
        .to_string();
        for problem in [
            "batch.rows = \"0\": ",
            "batch.age = \"soon\": ",
            "colour = \"blue\": ",
        ] {
            assert_eq!(said.matches(problem).count(), 1, "{said}");
        }
    }

    #[test]
    fn a_refused_section_does_not_show_the_secrets_in_it() {
        let base = BASE.replace("[{name: a}]", "[{token: hunter2}]");
        let said = load::<Example>(&base, HashMap::new()).unwrap_err().to_string();
        assert!(
            said.contains("missing field `name`") && said.contains(MASK) && !said.contains("hunter2"),
            "{said}"
        );
        let said = refusal("KAIZEN__PASWORD", "hunter2");
        assert!(said.contains("pasword") && !said.contains("hunter2"), "{said}");
        let said = refusal("KAIZEN__PASSWORD__INNER", "hunter2");
        assert!(said.contains("password") && !said.contains("hunter2"), "{said}");
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
