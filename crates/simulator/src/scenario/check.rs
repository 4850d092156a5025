//! The rules of a scenario.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::{Component, Fault, LogNormal, Method, Scenario, ScenarioError, Shock, Shocked, Values, invalid};

const HOUR_SECONDS: i64 = 3600;
const MOST_FAULTS: usize = 64;
const MOST_CLASSES: usize = 4096;

pub(super) type Checked = Result<(), ScenarioError>;

impl Scenario {
    pub(super) fn check(&self) -> Checked {
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
        self.check_size()?;
        weights("industries", self.industries.values())?;
        rule(self.industries.len() <= 250, "industries", "must be at most 250")?;
        self.check_noise()?;
        weights(
            "components",
            self.components.iter().map(|component| &component.weight),
        )?;
        self.components.iter().try_for_each(Component::check)?;
        let kinds = ["deploy", "prompt", "model", "config"];
        for change in &self.changes {
            rule(
                kinds.contains(&change.kind.as_str()),
                format!("changes {}: kind", change.version),
                "must be deploy, prompt, model or config",
            )?;
        }
        rule(self.faults.len() <= MOST_FAULTS, "faults", "must be at most 64")?;
        self.faults.iter().try_for_each(|fault| self.check_fault(fault))?;
        self.components
            .iter()
            .try_for_each(|component| self.check_classes(component))
    }

    /// What is worked out for each class in each hour must stay little.
    fn check_classes(&self, component: &Component) -> Checked {
        let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for fault in self.faults.iter().filter(|fault| fault.befalls(component)) {
            for (dimension, value) in fault.slice.iter().chain(fault.controls()) {
                named.entry(dimension).or_default().insert(value);
            }
        }
        let mut classes = component.methods.len();
        let by = self.noise.shocks.iter().filter_map(|shock| shock.by.as_deref());
        let by: BTreeSet<_> = by
            .filter(|by| *by != "method_used" && component.has(by))
            .collect();
        for dimension in &by {
            classes = classes.saturating_mul(self.values(component, dimension).len());
        }
        for (dimension, values) in named {
            if dimension != "method_used" && !by.contains(dimension) {
                classes = classes.saturating_mul(values.len() + 1);
            }
        }
        rule(
            classes <= MOST_CLASSES,
            format!("components {}", component.log_type),
            "its methods, the values that faults name and those with a shock of their own make more than 4,096 combinations",
        )
    }

    fn check_size(&self) -> Checked {
        rule(
            self.weeks.is_some() != self.days.is_some(),
            "weeks",
            "exactly one of weeks and days must be there",
        )?;
        let within = |number: Option<u32>, most| number.is_none_or(|number| (1..=most).contains(&number));
        rule(within(self.weeks, 520), "weeks", "must be 1 to 520")?;
        rule(within(self.days, 3640), "days", "must be 1 to 3,640")?;
        rule(
            self.events.is_some() != self.events_per_day.is_some(),
            "events",
            "exactly one of events and events_per_day must be there",
        )?;
        rule(
            self.events
                .is_none_or(|events| (1..=1_000_000_000).contains(&events)),
            "events",
            "must be 1 to 1,000,000,000",
        )?;
        rule(
            self.events_per_day
                .is_none_or(|events| events > 0.0 && events <= 1e8),
            "events_per_day",
            "must be above 0 and at most 100,000,000",
        )
    }

    fn check_noise(&self) -> Checked {
        let deviation = |key: &str, value: f64| rule((0.0..=3.0).contains(&value), key, "must be 0 to 3");
        let concentration = self.tenant.concentration;
        rule(
            concentration.is_none_or(|it| (0.01..=1e6).contains(&it)),
            "tenant.concentration",
            "must be 0.01 to 1,000,000",
        )?;
        deviation("tenant.spread", self.tenant.spread)?;
        deviation("tenant.base", self.tenant.base)?;
        deviation("noise.dispersion", self.noise.dispersion)?;
        self.noise
            .shocks
            .iter()
            .try_for_each(|shock| self.check_shock(shock))
    }

    fn check_shock(&self, shock: &Shock) -> Checked {
        let key = "noise.shocks";
        rule((0.0..=0.999).contains(&shock.phi), key, "phi must be 0 to 0.999")?;
        rule((0.0..=3.0).contains(&shock.sd), key, "sd must be 0 to 3")?;
        rule(
            (1..=168).contains(&shock.every_hours),
            key,
            "every_hours must be 1 to 168",
        )?;
        rule(
            (0.0..=1.0).contains(&shock.correlation),
            key,
            "correlation must be 0 to 1",
        )?;
        if let Some(by) = &shock.by {
            let known = self.components.iter().any(|component| component.has(by));
            rule(
                known && shock.on == Shocked::Outcome,
                key,
                "by must name method_used, industry or the pointer of a dimension, and be absent with volume",
            )?;
        }
        Ok(())
    }

    fn check_fault(&self, fault: &Fault) -> Checked {
        let key = |what: &str| format!("faults {}: {what}", fault.name);
        let mut befallen = self.components.iter().filter(|it| fault.befalls(it)).peekable();
        rule(
            befallen.peek().is_some(),
            key("log_type"),
            "must be one of the components'",
        )?;
        for component in befallen {
            rule(
                fault.effect.labels.confidence == 0.0 || component.confidence.is_none(),
                key("effect.labels"),
                "confidence must be 0 where the component has a confidence: there temperature is what changes it",
            )?;
            for (dimension, value) in fault.slice.iter().chain(fault.controls()) {
                rule(
                    component.has(dimension),
                    key("where"),
                    "must name method_used, industry or the pointer of a dimension",
                )?;
                let there = self
                    .values(component, dimension)
                    .iter()
                    .any(|(it, _)| it == value);
                rule(there, key("where"), "has a value that no decision has")?;
            }
        }
        let whole = |time: Timestamp| time.as_second() % HOUR_SECONDS == 0 && time.subsec_nanosecond() == 0;
        let to = fault.to.unwrap_or(self.end());
        rule(
            whole(fault.from) && whole(to) && fault.from < to,
            key("from"),
            "must be whole hours, and before to",
        )?;
        fault.check_shape()?;
        fault.check_effect()?;
        fault.check_improvement()
    }

    /// The values of a dimension and their weights.
    pub(crate) fn values(&self, component: &Component, dimension: &str) -> Vec<(String, f64)> {
        match dimension {
            "method_used" => {
                let method = |it: &Method| (it.name.clone(), it.weight);
                component.methods.iter().map(method).collect()
            }
            "industry" => Values::Named(self.industries.clone()).list(),
            pointer => {
                let dimension = component.dimensions.iter().find(|it| it.pointer == pointer);
                dimension.map(|it| it.values.list()).unwrap_or_default()
            }
        }
    }
}

pub(super) fn rule(holds: bool, key: impl Into<String>, rule: &str) -> Checked {
    if holds { Ok(()) } else { Err(invalid(key, rule)) }
}

pub(super) fn weights<'a>(key: &str, weights: impl Iterator<Item = &'a f64>) -> Checked {
    let (mut sum, mut legal) = (0.0, true);
    for weight in weights {
        sum += weight;
        legal &= (0.0..=1e9).contains(weight);
    }
    rule(legal && sum > 0.0, key, "weights must be 0 to 1e9, and not all 0")
}

pub(super) fn log_normal(key: &str, of: LogNormal) -> Checked {
    let legal = of.median > 0.0 && of.median <= 1e6 && (0.0..=3.0).contains(&of.sigma);
    rule(legal, key, "median must be above 0 and at most 1e6, sigma 0 to 3")
}

pub(super) fn pointer(key: &str, pointer: &str) -> Checked {
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
