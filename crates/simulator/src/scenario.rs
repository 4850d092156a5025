//! What a fleet does, as a YAML file says it. `docs/scenarios.md` describes every key.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// Why a scenario was refused.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no YAML of a scenario's shape.
    #[error("scenario: {0}")]
    Malformed(#[from] serde_yaml_ng::Error),
    /// A value breaks a rule.
    #[error("scenario: {key}: {rule}")]
    Invalid {
        /// The key at fault.
        key: String,
        /// What is allowed.
        rule: String,
    },
}

/// A fleet over some weeks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub(crate) version: u32,
    /// Its name: letters, digits and `-`, at most 32.
    pub name: String,
    /// First instant: a Monday's midnight in UTC.
    pub start: Timestamp,
    /// Length in weeks, 1 to 520.
    pub weeks: u32,
    /// Number of events over all components, 1 to 1,000,000,000.
    pub events: u64,
    /// Industries of the leads, with their weights.
    pub industries: BTreeMap<String, f64>,
    /// The systems that make decisions.
    pub components: Vec<Component>,
    /// What goes wrong. Several may hold at once; their effects add up.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What is changed when: the ledger. It changes nothing by itself.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// One system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Kind of its decisions.
    pub log_type: String,
    /// Its share of the events, against the other components'.
    pub weight: f64,
    /// Weights of the 24 hours of a day in UTC.
    pub hours: [f64; 24],
    /// Weights of the days from Monday.
    pub days: [f64; 7],
    /// Its algorithms.
    pub methods: Vec<Method>,
    /// Strings in its events, each one of several.
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    /// Numbers in its events.
    #[serde(default)]
    pub measures: Vec<Measure>,
    /// Where a failure's kind stands, and the kinds. Only failures have one.
    pub failure: Option<Dimension>,
    /// Share of decisions that are labelled with success or not, 0 to 1.
    pub labelled: f64,
    /// Length of the free text in an event, in bytes; at most 200,000.
    pub text: usize,
    /// What may become of a session later, by its last decision of this kind.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
}

/// Something that may become of a session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What happens, 1 to 64 characters; once a component.
    pub name: String,
    /// Its probability, 0 to 1.
    pub probability: f64,
    /// Hours after the decision.
    pub hours: LogNormal,
    /// What it is worth, with two decimals.
    pub value: Option<LogNormal>,
    /// Currency of the value: three letters of ISO 4217.
    pub currency: Option<String>,
}

/// An entry of the ledger of changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// deploy, prompt, model or config.
    pub kind: String,
    /// What is changed.
    pub component: String,
    /// What it is from then on.
    pub version: String,
    /// Since when.
    pub at: Timestamp,
    /// Where to read more.
    pub link: Option<String>,
}

/// An algorithm.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// Weight against the other methods.
    pub weight: f64,
    /// Probability that a decision is carried out.
    pub success: f64,
    /// Probability that a labelled decision reaches its aim.
    pub approval: f64,
    /// Seconds a decision takes.
    pub seconds: LogNormal,
    /// Quality, 0 to 100; none when absent.
    pub quality: Option<Normal>,
}

/// A string with a choice of values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Where it stands: `/input_data/NAME` or `/output_data/NAME`.
    pub pointer: String,
    /// Values and their weights.
    pub values: BTreeMap<String, f64>,
}

/// A number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Where it stands: `/input_data/NAME` or `/output_data/NAME`.
    pub pointer: String,
    /// Its distribution.
    pub value: LogNormal,
    /// Decimals it is rounded to, at most 6.
    pub decimals: u32,
}

/// A log-normal distribution.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// Median, above 0.
    pub median: f64,
    /// Standard deviation of the logarithm, 0 to 3.
    pub sigma: f64,
}

/// A normal distribution.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

/// Something that goes wrong for a while.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Its name.
    pub name: String,
    /// Kind of the decisions it befalls.
    pub log_type: String,
    /// The metric of the catalogue it is planted for, `COMPONENT.METRIC`.
    pub metric: String,
    /// Only decisions with these values: `method_used`, `industry`, or the pointer of a dimension.
    #[serde(default, rename = "where")]
    pub slice: BTreeMap<String, String>,
    /// First instant, on a whole hour.
    pub from: Timestamp,
    /// First instant after it, on a whole hour; the end of the scenario when absent.
    pub to: Option<Timestamp>,
    /// What it does.
    pub effect: Effect,
}

/// What a fault does. Several effects may be named.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Added to the probability of success.
    #[serde(default)]
    pub success: f64,
    /// Added to the probability of reaching the aim.
    #[serde(default)]
    pub approval: f64,
    /// Added to the mean quality.
    #[serde(default)]
    pub quality: f64,
    /// Multiplies the seconds of some decisions.
    pub seconds: Option<Slowdown>,
    /// Multiplies the number of decisions; 0 is an outage. Holds for the whole component: no `where`.
    pub volume: Option<f64>,
}

/// Some decisions take longer.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slowdown {
    /// How many times longer, above 0.
    pub factor: f64,
    /// Share of the decisions, 0 to 1: a small one moves the tail and not the median.
    pub share: f64,
}

const HOUR_SECONDS: i64 = 3600;

impl Scenario {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// It cannot be read, has an unknown key, or breaks a rule.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Unreadable {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text)
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

    /// First instant after it.
    pub fn end(&self) -> Timestamp {
        // Weeks are limited, so this is far from the end of time.
        self.start + jiff::SignedDuration::from_hours(i64::from(self.weeks) * 168)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        rule(self.version == 1, "version", "must be 1")?;
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let named = !self.name.is_empty() && self.name.len() <= 32 && self.name.chars().all(legal);
        rule(named, "name", "must be 1 to 32 letters, digits or `-`")?;
        let start = self.start.to_zoned_datetime(TimeZone::UTC);
        let monday = start.weekday() == Weekday::Monday && self.start.as_second() % (24 * HOUR_SECONDS) == 0;
        rule(
            monday && self.start.subsec_nanosecond() == 0,
            "start",
            "must be a Monday's midnight in UTC",
        )?;
        rule((1..=520).contains(&self.weeks), "weeks", "must be 1 to 520")?;
        rule(
            (1..=1_000_000_000).contains(&self.events),
            "events",
            "must be 1 to 1,000,000,000",
        )?;
        weights("industries", self.industries.values())?;
        weights(
            "components",
            self.components.iter().map(|component| &component.weight),
        )?;
        for component in &self.components {
            component.check()?;
        }
        let kinds = ["deploy", "prompt", "model", "config"];
        for change in &self.changes {
            rule(
                kinds.contains(&change.kind.as_str()),
                format!("changes {}: kind", change.version),
                "must be deploy, prompt, model or config",
            )?;
        }
        self.faults.iter().try_for_each(|fault| self.check_fault(fault))
    }

    fn check_fault(&self, fault: &Fault) -> Result<(), ScenarioError> {
        let key = |what: &str| format!("faults {}: {what}", fault.name);
        let component = self
            .components
            .iter()
            .find(|component| component.log_type == fault.log_type);
        let component =
            component.ok_or_else(|| invalid(key("log_type"), "must be one of the components'"))?;
        for dimension in fault.slice.keys() {
            let known = ["method_used", "industry"].contains(&dimension.as_str())
                || component.dimensions.iter().any(|it| it.pointer == *dimension);
            rule(
                known,
                key("where"),
                "must name method_used, industry or the pointer of a dimension",
            )?;
        }
        let whole = |time: Timestamp| time.as_second() % HOUR_SECONDS == 0 && time.subsec_nanosecond() == 0;
        let to = fault.to.unwrap_or(self.end());
        rule(
            whole(fault.from) && whole(to) && fault.from < to,
            key("from"),
            "must be whole hours, and before to",
        )?;
        if let Some(volume) = fault.effect.volume {
            rule(
                (0.0..=1000.0).contains(&volume),
                key("effect.volume"),
                "must be 0 to 1000",
            )?;
            rule(
                fault.slice.is_empty(),
                key("where"),
                "must be absent with effect.volume",
            )?;
        }
        if let Some(slow) = fault.effect.seconds {
            let legal = slow.factor > 0.0 && slow.factor <= 1000.0 && (0.0..=1.0).contains(&slow.share);
            rule(
                legal,
                key("effect.seconds"),
                "factor must be above 0 and at most 1000, share 0 to 1",
            )?;
        }
        Ok(())
    }
}

impl Component {
    fn check(&self) -> Result<(), ScenarioError> {
        let key = |what: &str| format!("components {}: {what}", self.log_type);
        rule(!self.log_type.is_empty(), "components", "need a log_type")?;
        weights(&key("hours"), self.hours.iter())?;
        weights(&key("days"), self.days.iter())?;
        weights(&key("methods"), self.methods.iter().map(|method| &method.weight))?;
        rule(
            (0.0..=1.0).contains(&self.labelled),
            key("labelled"),
            "must be 0 to 1",
        )?;
        rule(self.text <= 200_000, key("text"), "must be at most 200,000")?;
        for dimension in self.dimensions.iter().chain(&self.failure) {
            pointer(&key("dimensions"), &dimension.pointer)?;
            weights(&key(&dimension.pointer), dimension.values.values())?;
        }
        for measure in &self.measures {
            pointer(&key("measures"), &measure.pointer)?;
            log_normal(&key(&measure.pointer), measure.value)?;
            rule(
                measure.decimals <= 6,
                key(&measure.pointer),
                "decimals must be at most 6",
            )?;
        }
        for method in &self.methods {
            let probabilities = [method.success, method.approval]
                .iter()
                .all(|it| (0.0..=1.0).contains(it));
            rule(
                probabilities,
                key(&method.name),
                "success and approval must be 0 to 1",
            )?;
            log_normal(&key(&method.name), method.seconds)?;
        }
        for (index, outcome) in self.outcomes.iter().enumerate() {
            let key = key(&format!("outcomes {}", outcome.name));
            let again = self.outcomes[..index].iter().any(|it| it.name == outcome.name);
            let named = (1..=64).contains(&outcome.name.chars().count());
            rule(
                named && !again,
                &key,
                "name must be 1 to 64 characters, once a component",
            )?;
            let probable = (0.0..=1.0).contains(&outcome.probability);
            rule(probable, &key, "probability must be 0 to 1")?;
            log_normal(&key, outcome.hours)?;
            outcome.value.map_or(Ok(()), |value| log_normal(&key, value))?;
        }
        Ok(())
    }
}

fn invalid(key: impl Into<String>, rule: &str) -> ScenarioError {
    ScenarioError::Invalid {
        key: key.into(),
        rule: rule.to_owned(),
    }
}

fn rule(holds: bool, key: impl Into<String>, rule: &str) -> Result<(), ScenarioError> {
    if holds { Ok(()) } else { Err(invalid(key, rule)) }
}

fn weights<'a>(key: &str, weights: impl Iterator<Item = &'a f64>) -> Result<(), ScenarioError> {
    let (mut sum, mut legal) = (0.0, true);
    for weight in weights {
        sum += weight;
        legal &= (0.0..=1e9).contains(weight);
    }
    rule(legal && sum > 0.0, key, "weights must be 0 to 1e9, and not all 0")
}

fn log_normal(key: &str, of: LogNormal) -> Result<(), ScenarioError> {
    let legal = of.median > 0.0 && of.median <= 1e6 && (0.0..=3.0).contains(&of.sigma);
    rule(legal, key, "median must be above 0 and at most 1e6, sigma 0 to 3")
}

fn pointer(key: &str, pointer: &str) -> Result<(), ScenarioError> {
    let name = pointer
        .strip_prefix("/input_data/")
        .or_else(|| pointer.strip_prefix("/output_data/"));
    let legal = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    rule(
        name.is_some_and(legal),
        key,
        "must be /input_data/NAME or /output_data/NAME",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = include_str!("../../../config/scenarios/small.yaml");

    #[test]
    fn the_scenarios_of_the_repository_are_valid() {
        assert_eq!(Scenario::parse(SMALL).unwrap().name, "small");
        let fleet = Scenario::parse(include_str!("../../../config/scenarios/fleet-8-weeks.yaml")).unwrap();
        assert_eq!(
            (fleet.weeks, fleet.events, fleet.components.len()),
            (8, 200_000, 4)
        );
        assert_eq!(fleet.end().to_string(), "2026-03-02T00:00:00Z");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, words) in [
            ("weeks: 2", "weeks: 0", "weeks: must be 1 to 520"),
            ("2026-01-05", "2026-01-06", "start: must be a Monday"),
            ("name: small", "name: 'a b'", "name: must be"),
            ("version: 1", "version: 1\ncolour: blue", "unknown field `colour`"),
            ("labelled: 0.9", "labelled: 1.9", "labelled: must be 0 to 1"),
            (
                "probability: 0.3",
                "probability: 3",
                "outcomes replied: probability must be 0 to 1",
            ),
            (
                "name: meeting",
                "name: replied",
                "outcomes replied: name must be 1 to 64 characters, once",
            ),
            ("kind: prompt", "kind: mood", "changes v13: kind: must be deploy"),
            ("method_used: web_search", "colour: blue", "where: must name"),
        ] {
            assert!(SMALL.contains(from), "{from}");
            let error = Scenario::parse(&SMALL.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{to}: {error}");
        }
    }
}
