//! The rules of a scenario.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::{
    ALL, Component, Fault, LogNormal, Method, Scenario, ScenarioError, Shock, Shocked, Values, invalid,
};

const HOUR_SECONDS: i64 = 3600;
/// Most dimensions and measures of a component, beside method and industry.
pub(crate) const MOST_DIMENSIONS: usize = 9;
pub(crate) const MOST_MEASURES: usize = 6;
const MOST_FAULTS: usize = 64;

type Checked = Result<(), ScenarioError>;

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
        self.faults.iter().try_for_each(|fault| self.check_fault(fault))
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

impl Fault {
    pub(crate) fn befalls(&self, component: &Component) -> bool {
        self.log_type == ALL || self.log_type == component.log_type
    }

    fn controls(&self) -> impl Iterator<Item = (&String, &String)> {
        self.improvement.iter().flat_map(|it| &it.controls).flatten()
    }

    fn check_shape(&self) -> Checked {
        let key = format!("faults {}: shape", self.name);
        let shape = self.shape;
        let named = [
            shape.ramp_days.is_some(),
            shape.half_life_days.is_some(),
            shape.season_hours.is_some(),
        ];
        rule(
            named.iter().filter(|it| **it).count() <= 1,
            &key,
            "at most one of ramp_days, half_life_days and season_hours",
        )?;
        let days = [shape.ramp_days, shape.half_life_days].into_iter().flatten();
        rule(
            days.into_iter().all(|days| days > 0.0 && days <= 3650.0),
            &key,
            "days must be above 0 and at most 3,650",
        )?;
        rule(
            shape.season_hours.is_none_or(|hours| [24, 168].contains(&hours)),
            &key,
            "season_hours must be 24 or 168",
        )
    }

    fn check_effect(&self) -> Checked {
        let key = |what: &str| format!("faults {}: effect.{what}", self.name);
        let effect = self.effect;
        for (name, amount) in [
            ("success", effect.success.number()),
            ("approval", effect.approval.number()),
            ("log_odds", effect.log_odds),
            ("quality", effect.quality.number()),
        ] {
            rule(amount.abs() <= 100.0, key(name), "must be -100 to 100")?;
        }
        for (name, factor) in [("volume", effect.volume), ("mix", effect.mix)] {
            let legal = factor.is_none_or(|factor| (0.0..=1000.0).contains(&factor));
            rule(legal, key(name), "must be 0 to 1000")?;
        }
        rule(
            effect.mix.is_none() || !self.slice.is_empty(),
            key("mix"),
            "needs a slice: where",
        )?;
        let legal = effect.temperature.is_none_or(|it| (0.1..=10.0).contains(&it));
        rule(legal, key("temperature"), "must be 0.1 to 10")?;
        for (name, share) in [("missing", effect.missing), ("duplicates", effect.duplicates)] {
            let legal = share.is_none_or(|share| (0.0..=1.0).contains(&share));
            rule(legal, key(name), "must be 0 to 1")?;
            rule(
                share.is_none() || self.slice.is_empty(),
                key(name),
                "holds for whole components: no where",
            )?;
        }
        if let Some(slow) = effect.seconds {
            let ranks = 0.0 <= slow.above && slow.above < slow.below && slow.below <= 1.0;
            let legal = slow.factor > 0.0 && slow.factor <= 1000.0 && (0.0..=1.0).contains(&slow.share);
            rule(
                legal && ranks,
                key("seconds"),
                "factor must be above 0 and at most 1000, share, above and below 0 to 1, above less than below",
            )?;
        }
        Ok(())
    }

    fn check_improvement(&self) -> Checked {
        let key = format!("faults {}: improvement", self.name);
        let Some(improvement) = &self.improvement else {
            return Ok(());
        };
        rule(
            improvement.cost.is_some() != improvement.roi.is_some(),
            &key,
            "exactly one of cost and roi must be there",
        )?;
        rule(
            improvement.cost.is_none_or(|cost| cost > 0.0) && improvement.roi.is_none_or(|roi| roi > -1.0),
            &key,
            "cost must be above 0, roi above -1",
        )?;
        rule(
            improvement.value_per_unit > 0.0 && (1..=3650).contains(&improvement.horizon_days),
            &key,
            "value_per_unit must be above 0, horizon_days 1 to 3,650",
        )
    }
}

impl Component {
    /// Whether its decisions have that dimension.
    pub(crate) fn has(&self, dimension: &str) -> bool {
        ["method_used", "industry"].contains(&dimension)
            || self.dimensions.iter().any(|it| it.pointer == dimension)
    }

    fn check(&self) -> Checked {
        let key = |what: &str| format!("components {}: {what}", self.log_type);
        rule(!self.log_type.is_empty(), "components", "need a log_type")?;
        weights(&key("hours"), self.hours.iter())?;
        weights(&key("days"), self.days.iter())?;
        weights(&key("methods"), self.methods.iter().map(|method| &method.weight))?;
        rule(self.methods.len() <= 250, key("methods"), "must be at most 250")?;
        rule(
            (0.0..=1.0).contains(&self.labelled),
            key("labelled"),
            "must be 0 to 1",
        )?;
        rule(self.text <= 200_000, key("text"), "must be at most 200,000")?;
        let season = self.season;
        let amplitude = |value: f64| (0.0..=3.0).contains(&value);
        rule(
            amplitude(season.daily)
                && amplitude(season.weekly)
                && season.peak_hour.is_none_or(|hour| (0.0..168.0).contains(&hour)),
            key("season"),
            "amplitudes must be 0 to 3, peak_hour 0 to 167",
        )?;
        self.check_dimensions()?;
        self.check_measures()?;
        self.methods
            .iter()
            .try_for_each(|method| method.check(&key(&method.name)))?;
        self.check_outcomes()
    }

    fn check_dimensions(&self) -> Checked {
        let key = |what: &str| format!("components {}: {what}", self.log_type);
        let most = self.dimensions.len() <= MOST_DIMENSIONS;
        rule(most, key("dimensions"), "must be at most 9")?;
        for dimension in self.dimensions.iter().chain(&self.failure) {
            pointer(&key("dimensions"), &dimension.pointer)?;
            let values = dimension.values.list();
            weights(&key(&dimension.pointer), values.iter().map(|(_, weight)| weight))?;
            rule(
                values.len() <= 250,
                key(&dimension.pointer),
                "must have at most 250 values",
            )?;
            for (value, log_odds) in &dimension.log_odds {
                let known = values.iter().any(|(it, _)| it == value);
                rule(
                    known && log_odds.abs() <= 20.0,
                    key(&dimension.pointer),
                    "log_odds must be -20 to 20, of its values",
                )?;
            }
        }
        if let Some(confidence) = &self.confidence {
            let levels =
                0.0 <= confidence.medium && confidence.medium <= confidence.high && confidence.high <= 1.0;
            rule(
                levels
                    && (0.0..=3.0).contains(&confidence.spread)
                    && (0.1..=10.0).contains(&confidence.temperature),
                key("confidence"),
                "spread must be 0 to 3, temperature 0.1 to 10, medium 0 to high, high at most 1",
            )?;
            if let Some(stated) = &confidence.pointer {
                pointer(&key("confidence"), stated)?;
            }
        }
        Ok(())
    }

    fn check_measures(&self) -> Checked {
        let key = |what: &str| format!("components {}: {what}", self.log_type);
        let most = self.measures.len() < MOST_MEASURES;
        rule(most, key("measures"), "must be at most 5")?;
        for measure in &self.measures {
            pointer(&key("measures"), &measure.pointer)?;
            log_normal(&key(&measure.pointer), measure.value)?;
            rule(
                measure.decimals <= 6,
                key(&measure.pointer),
                "decimals must be at most 6",
            )?;
        }
        Ok(())
    }

    fn check_outcomes(&self) -> Checked {
        for (index, outcome) in self.outcomes.iter().enumerate() {
            let key = format!("components {}: outcomes {}", self.log_type, outcome.name);
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

impl Method {
    fn check(&self, key: &str) -> Checked {
        let probabilities = [self.success, self.approval]
            .iter()
            .all(|it| (0.0..=1.0).contains(it));
        rule(probabilities, key, "success and approval must be 0 to 1")?;
        log_normal(key, self.seconds)?;
        let legal = |above: f64, alpha: f64| (0.5..=0.9999).contains(&above) && (0.5..=20.0).contains(&alpha);
        rule(
            self.tail.is_none_or(|tail| legal(tail.above, tail.alpha)),
            key,
            "tail: above must be 0.5 to 0.9999, alpha 0.5 to 20",
        )
    }
}

fn rule(holds: bool, key: impl Into<String>, rule: &str) -> Checked {
    if holds { Ok(()) } else { Err(invalid(key, rule)) }
}

fn weights<'a>(key: &str, weights: impl Iterator<Item = &'a f64>) -> Checked {
    let (mut sum, mut legal) = (0.0, true);
    for weight in weights {
        sum += weight;
        legal &= (0.0..=1e9).contains(weight);
    }
    rule(legal && sum > 0.0, key, "weights must be 0 to 1e9, and not all 0")
}

fn log_normal(key: &str, of: LogNormal) -> Checked {
    let legal = of.median > 0.0 && of.median <= 1e6 && (0.0..=3.0).contains(&of.sigma);
    rule(legal, key, "median must be above 0 and at most 1e6, sigma 0 to 3")
}

fn pointer(key: &str, pointer: &str) -> Checked {
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
