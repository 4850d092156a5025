//! The rules of a component.

use super::check::{Checked, log_normal, pointer, rule, weights};
use super::{Component, Labels, Method};

/// Most dimensions of a component, beside method and industry.
const MOST_DIMENSIONS: usize = 9;
/// Most measures of a component, the stated confidence among them.
pub(crate) const MOST_MEASURES: usize = 6;

impl Component {
    /// Whether its decisions have that dimension.
    pub(crate) fn has(&self, dimension: &str) -> bool {
        ["method_used", "industry"].contains(&dimension)
            || self.dimensions.iter().any(|it| it.pointer == dimension)
    }

    pub(super) fn check(&self) -> Checked {
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
        self.labels.check(&key("labels"))?;
        rule(
            self.labels.confidence == 0.0 || self.confidence.is_none(),
            key("labels"),
            "confidence must be 0 where there is a confidence",
        )?;
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

impl Labels {
    pub(super) fn check(self, key: &str) -> Checked {
        let legal = [self.confidence, self.quality]
            .iter()
            .all(|it| (-3.0..=3.0).contains(it));
        rule(legal, key, "confidence and quality must be -3 to 3")
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
