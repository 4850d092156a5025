//! The rules of a fault, whatever the component.

use super::check::{Checked, rule};
use super::{ALL, Component, Fault};

impl Fault {
    pub(crate) fn befalls(&self, component: &Component) -> bool {
        self.log_type == ALL || self.log_type == component.log_type
    }

    pub(super) fn controls(&self) -> impl Iterator<Item = (&String, &String)> {
        self.improvement.iter().flat_map(|it| &it.controls).flatten()
    }

    pub(super) fn check_shape(&self) -> Checked {
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

    pub(super) fn check_effect(&self) -> Checked {
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
        effect.labels.check(&key("labels"))?;
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

    pub(super) fn check_improvement(&self) -> Checked {
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
