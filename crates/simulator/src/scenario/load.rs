//! From a file, with what it extends and what is set otherwise.

use std::path::Path;

use serde_yaml_ng::{Mapping, Value};

use super::{Scenario, ScenarioError, invalid};

impl Scenario {
    /// Reads and checks the file. Top-level keys that it lacks are those of the file it names under `extends`.
    ///
    /// # Errors
    /// It cannot be read, has an unknown key, or breaks a rule.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        Self::load_with(path, &[])
    }

    /// Like [`Self::load`], with some values set otherwise: `noise.shocks.0.phi=0.6`, `faults.0.effect.success.sd=2`.
    ///
    /// # Errors
    /// Also when an assignment is none.
    pub fn load_with(path: &Path, assignments: &[String]) -> Result<Self, ScenarioError> {
        let mut scenario = read(path)?;
        if let Some(Value::String(base)) = scenario.remove("extends") {
            let base = read(&path.with_file_name(base))?;
            for (key, value) in base {
                scenario.entry(key).or_insert(value);
            }
        }
        Self::build(scenario, assignments)
    }

    /// Reads and checks a scenario given as YAML.
    ///
    /// # Errors
    /// It has an unknown key, or breaks a rule.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = serde_yaml_ng::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn build(scenario: Mapping, assignments: &[String]) -> Result<Self, ScenarioError> {
        let mut scenario = Value::Mapping(scenario);
        for assignment in assignments {
            assign(&mut scenario, assignment)?;
        }
        let scenario: Self = serde_yaml_ng::from_value(scenario)?;
        scenario.check()?;
        Ok(scenario)
    }
}

fn read(path: &Path) -> Result<Mapping, ScenarioError> {
    let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Unreadable {
        path: path.display().to_string(),
        source,
    })?;
    Ok(serde_yaml_ng::from_str(&text)?)
}

/// `KEY.INDEX.KEY=VALUE`; a last key that is not there yet is added.
fn assign(scenario: &mut Value, assignment: &str) -> Result<(), ScenarioError> {
    let wrong = |rule: &str| invalid(assignment, rule);
    let (path, value) = assignment
        .split_once('=')
        .ok_or_else(|| wrong("must be KEY=VALUE"))?;
    let value: Value = serde_yaml_ng::from_str(value)?;
    let mut at = scenario;
    for key in path.split('.') {
        at = match at {
            Value::Mapping(members) => members.entry(key.into()).or_insert(Value::Null),
            Value::Sequence(items) => key
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get_mut(index))
                .ok_or_else(|| wrong("names no item of the list"))?,
            // What a number or nothing stands for is taken apart: `success: -0.1` becomes `success: {sd: 1}`.
            other => {
                *other = Value::Mapping(Mapping::new());
                let Value::Mapping(members) = other else {
                    return Err(wrong("names nothing"));
                };
                members.entry(key.into()).or_insert(Value::Null)
            }
        };
    }
    *at = value;
    Ok(())
}
