//! Records of any shape to decision events, by a jq expression for each field.

use std::path::Path;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read};
use serde::Deserialize;
use serde_yaml_ng::Value;

type Filter = jaq_core::compile::Filter<jaq_core::Native<data::JustLut<Val>>>;

/// Variables an expression may use: the number of the record's line and the name of its file.
const VARIABLES: [&str; 2] = ["$line", "$file"];

/// A mapping file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    version: u32,
    fields: serde_yaml_ng::Mapping,
}

/// What is wrong with a mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("cannot be read")]
    Read(#[from] std::io::Error),
    /// It is no mapping file.
    #[error("is no mapping")]
    Shape(#[from] serde_yaml_ng::Error),
    /// A part of it breaks a rule; the text names it and the rule.
    #[error("{0}")]
    Invalid(String),
}

impl MappingError {
    fn at(path: &str, why: impl std::fmt::Display) -> Self {
        Self::Invalid(format!("{path}: {why}"))
    }
}

/// A compiled mapping.
pub struct Mapping {
    whole: Filter,
    /// Each field's own expression, to say which one failed.
    fields: Vec<(String, Filter)>,
}

impl Mapping {
    /// Reads and compiles the file.
    ///
    /// # Errors
    /// It cannot be read, or an expression does not compile; the error names the field.
    pub fn load(path: &Path) -> Result<Self, MappingError> {
        Self::parse(&std::fs::read_to_string(path)?)
    }

    /// Compiles a mapping given as YAML.
    ///
    /// # Errors
    /// As [`Mapping::load`].
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let file: MappingFile = serde_yaml_ng::from_str(text)?;
        if file.version != 1 {
            return Err(MappingError::at(
                "version",
                format_args!("{}: must be 1", file.version),
            ));
        }
        let mut fields = Vec::new();
        let whole = object(&file.fields, "", &mut fields)?;
        let fields = fields
            .into_iter()
            .map(|(name, code)| match compile(&code) {
                Ok(filter) => Ok((name, filter)),
                Err(why) => Err(MappingError::at(&name, why)),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            whole: compile(&whole).map_err(MappingError::Invalid)?,
            fields,
        })
    }

    /// The event of a record, as JSON text.
    ///
    /// # Errors
    /// An expression fails on it or gives not exactly one value; the error names the field.
    pub fn apply(&self, record: &str, line: u64, file: &str) -> Result<String, String> {
        let input = read::parse_single(record.as_bytes()).map_err(|error| format!("is no JSON: {error}"))?;
        let variables = || [Val::from(line as usize), Val::from(file.to_owned())];
        match one(&self.whole, input.clone(), variables()) {
            Ok(event) => Ok(event.to_string()),
            Err(whole) => {
                let failed = |(name, filter): &(String, Filter)| {
                    one(filter, input.clone(), variables())
                        .err()
                        .map(|error| format!("{name}: {error}"))
                };
                Err(self.fields.iter().find_map(failed).unwrap_or(whole))
            }
        }
    }
}

/// The fields as one jq expression that makes an object; nested mappings make nested objects.
fn object(
    fields: &serde_yaml_ng::Mapping,
    above: &str,
    all: &mut Vec<(String, String)>,
) -> Result<String, MappingError> {
    let mut members = Vec::new();
    for (name, value) in fields {
        let name = name
            .as_str()
            .ok_or_else(|| MappingError::at(above, "a field's name must be text"))?;
        let path = format!("{above}/{name}");
        let code = match value {
            Value::String(code) => {
                all.push((path, code.clone()));
                code.clone()
            }
            Value::Mapping(nested) => object(nested, &path, all)?,
            _ => {
                let rule = "must be a jq expression (quote it) or a mapping of fields";
                return Err(MappingError::at(&path, rule));
            }
        };
        members.push(format!("{}: ({code}\n)", serde_json::Value::from(name)));
    }
    Ok(format!("{{{}}}", members.join(", ")))
}

fn compile(code: &str) -> Result<Filter, String> {
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(definitions)
        .load(&arena, File { code, path: () })
        .map_err(|errors| format!("does not parse: {code}: {}", first(&errors)))?;
    Compiler::default()
        .with_funs(functions)
        .with_global_vars(VARIABLES)
        .compile(modules)
        .map_err(|errors| format!("does not compile: {code}: {}", first(&errors)))
}

fn first(errors: &[impl std::fmt::Debug]) -> String {
    errors
        .first()
        .map(|error| format!("{error:?}"))
        .unwrap_or_default()
}

fn one(filter: &Filter, input: Val, variables: [Val; 2]) -> Result<Val, String> {
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new(variables));
    let mut values = filter.id.run((context, input)).map(unwrap_valr);
    match (values.next(), values.next()) {
        (Some(Ok(value)), None) => Ok(value),
        (Some(Err(error)), _) | (_, Some(Err(error))) => Err(error.to_string()),
        (None, _) => Err("gives no value".to_owned()),
        (Some(_), Some(_)) => Err("gives more than one value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MAPPING: &str = "
version: 1
fields:
  log_type: '\"campaign_generation\"'
  session_id: '\"\\($file)-\\($line)\"'
  decision_reasoning:
    method_used: .how
    processing_time: .seconds | tonumber
";

    #[test]
    fn expressions_make_an_event_and_may_use_line_and_file() {
        let mapping = Mapping::parse(MAPPING).unwrap();
        let event = mapping
            .apply(r#"{"how":"call","seconds":"1.25"}"#, 7, "f")
            .unwrap();
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        let reasoning = json!({"method_used": "call", "processing_time": 1.25});
        assert_eq!(
            event,
            json!({"log_type": "campaign_generation", "session_id": "f-7", "decision_reasoning": reasoning})
        );
    }

    #[test]
    fn a_record_that_does_not_fit_is_told_with_the_field() {
        let mapping = Mapping::parse(MAPPING).unwrap();
        let error = mapping
            .apply(r#"{"how":"call","seconds":"soon"}"#, 1, "f")
            .unwrap_err();
        assert!(
            error.starts_with("/decision_reasoning/processing_time: "),
            "{error}"
        );
    }

    #[test]
    fn a_mapping_that_is_wrong_names_the_field() {
        for (text, words) in [
            ("version: 1\nfields: {a: {b: '.['}}", "/a/b"),
            ("version: 1\nfields: {a: 'nosuch(1)'}", "/a"),
            ("version: 1\nfields: {a: 1}", "/a: must be a jq expression"),
            ("version: 2\nfields: {}", "version: 2"),
            ("version: 1\nfield: {}", "field"),
        ] {
            let error = Mapping::parse(text).err().unwrap();
            let error = format!(
                "{error}: {:?}",
                std::error::Error::source(&error).map(ToString::to_string)
            );
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
