//! The return on a change, as JSON.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use kaizen_stats::{CalculateRoiError, Economics, Investment, Return, Uncertain, calculate_roi, roi};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::output::json;

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    effect: Option<f64>,
    interval: Option<(f64, f64)>,
    before: Option<Vec<Option<f64>>>,
    after: Option<Vec<Option<f64>>>,
    #[serde(default = "yes")]
    higher_is_better: bool,
    volume: Number,
    unit_value: Option<Number>,
    hours: f64,
    rate: f64,
    #[serde(default)]
    running_cost: f64,
    #[serde(default = "four_weeks")]
    days: f64,
}

/// A number, with its 95 % interval where it is not known for sure.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Known(f64),
    Estimated { value: f64, interval: (f64, f64) },
}

fn yes() -> bool {
    true
}

fn four_weeks() -> f64 {
    28.0
}

#[derive(Debug, Serialize, Default)]
struct Report {
    method: Option<&'static str>,
    effect: Option<f64>,
    interval: Option<(f64, f64)>,
    p_positive: Option<f64>,
    verdict: &'static str,
    detectable: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    more: Option<More>,
}

#[derive(Debug, Serialize)]
struct More {
    benefit: f64,
    cost: f64,
    /// Net over cost.
    roi: Option<f64>,
    payback_days: Option<f64>,
    payback_interval: (Option<f64>, Option<f64>),
}

#[derive(Debug, Error, PartialEq)]
enum Refused {
    #[error("effect: either effect and interval or before and after are needed, not both")]
    Effect,
    #[error("{field}: {value}: must be {rule}")]
    Number {
        field: &'static str,
        value: f64,
        rule: &'static str,
    },
}

/// Runs it.
pub fn run(file: &Path) -> anyhow::Result<()> {
    let name = file.display();
    let opened = File::open(file).with_context(|| format!("--roi {name}"))?;
    let question =
        serde_json::from_reader(BufReader::new(opened)).with_context(|| format!("--roi {name}"))?;
    json(&report(&question).with_context(|| format!("--roi {name}"))?)
}

fn report(question: &Question) -> Result<Report, Refused> {
    question.check()?;
    let economics = Economics {
        volume: question.volume.uncertain(),
        unit_value: question.unit_value.as_ref().map(Number::uncertain),
        investment: Investment {
            hours: question.hours,
            rate: question.rate,
            running: question.running_cost,
        },
        days: question.days,
    };
    let sign = if question.higher_is_better { 1.0 } else { -1.0 };
    let found = match (
        question.effect,
        question.interval,
        &question.before,
        &question.after,
    ) {
        (Some(effect), Some((lower, upper)), None, None) => {
            let better = Uncertain::of_interval(sign * effect, (lower, upper));
            roi(&better, &economics).ok_or(CalculateRoiError::UnitValue)
        }
        (None, None, Some(before), Some(after)) => {
            let days =
                |days: &[Option<f64>]| days.iter().map(|day| day.unwrap_or(f64::NAN)).collect::<Vec<_>>();
            calculate_roi(&days(before), &days(after), question.higher_is_better, &economics)
        }
        _ => return Err(Refused::Effect),
    };
    Ok(match found {
        Ok(found) => Report::from(found),
        Err(error) => Report {
            verdict: match error {
                CalculateRoiError::UnitValue => "not_computed",
                CalculateRoiError::Effect(_) => "cannot_tell",
            },
            reason: Some(error.to_string()),
            ..Report::default()
        },
    })
}

impl From<Return> for Report {
    fn from(found: Return) -> Self {
        Self {
            method: Some("simulation"),
            effect: Some(found.net),
            interval: Some(found.interval),
            p_positive: Some(found.p_positive),
            verdict: match found.gain {
                Some(true) => "gain",
                Some(false) => "loss",
                None => "cannot_tell",
            },
            detectable: Some(found.detectable),
            reason: None,
            more: Some(More {
                benefit: found.benefit,
                cost: found.cost,
                roi: found.ratio,
                payback_days: found.payback_days,
                payback_interval: found.payback_interval,
            }),
        }
    }
}

impl Number {
    fn uncertain(&self) -> Uncertain {
        match self {
            Self::Known(value) => Uncertain::Known(*value),
            Self::Estimated { value, interval } => Uncertain::of_interval(*value, *interval),
        }
    }

    fn value(&self) -> f64 {
        match self {
            Self::Known(value) | Self::Estimated { value, .. } => *value,
        }
    }
}

impl Question {
    fn check(&self) -> Result<(), Refused> {
        let refuse = |field, value, rule| Err(Refused::Number { field, value, rule });
        for (field, value) in [
            ("volume", self.volume.value()),
            ("hours", self.hours),
            ("rate", self.rate),
        ] {
            if value < 0.0 {
                return refuse(field, value, "0 or more");
            }
        }
        if self.days <= 0.0 {
            return refuse("days", self.days, "above 0");
        }
        if let (Some(effect), Some((lower, upper))) = (self.effect, self.interval)
            && !(lower <= effect && effect <= upper)
        {
            return refuse("effect", effect, "in its interval");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: &str) -> serde_json::Value {
        let question: Question = serde_json::from_str(question).unwrap();
        serde_json::to_value(report(&question).unwrap()).unwrap()
    }

    #[test]
    fn a_return_is_benefit_less_cost_with_its_interval() {
        let found = asked(
            r#"{"effect": 0.02, "interval": [0.01, 0.03], "volume": 100000, "unit_value": 5, "hours": 40, "rate": 100, "running_cost": 1000}"#,
        );
        assert_eq!(
            (&found["effect"], &found["cost"]),
            (&5000.0.into(), &5000.0.into())
        );
        // The interval of the effect is 1000 decisions either way, at 5 each.
        assert!(found["interval"][0].as_f64().unwrap().abs() < 100.0, "{found}");
        assert!(
            (found["interval"][1].as_f64().unwrap() - 10_000.0).abs() < 100.0,
            "{found}"
        );
        assert!(
            (found["p_positive"].as_f64().unwrap() - 0.975).abs() < 0.004,
            "{found}"
        );
        let days = found["payback_days"].as_f64().unwrap();
        assert!((days - 4000.0 / (9000.0 / 28.0)).abs() < 0.3, "{found}");
    }

    #[test]
    fn without_a_unit_value_nothing_is_computed() {
        let found = asked(
            r#"{"effect": 0.02, "interval": [0.01, 0.03], "volume": 100000, "hours": 40, "rate": 100}"#,
        );
        assert_eq!(found["verdict"], "not_computed");
        assert!(found["effect"].is_null() && found["reason"].as_str().unwrap().contains("unit value"));
    }

    #[test]
    fn before_and_after_are_measured_and_a_fall_may_be_the_gain() {
        let days = |level: f64, count: usize| -> String {
            let days: Vec<String> = (0..count)
                .map(|day| (level + (day * 7 % 5) as f64 / 10.0).to_string())
                .collect();
            days.join(",")
        };
        let question = format!(
            r#"{{"before": [{}], "after": [{}, null], "higher_is_better": false, "volume": 1000, "unit_value": 1, "hours": 1, "rate": 100}}"#,
            days(5.0, 56),
            days(3.0, 27)
        );
        let found = asked(&question);
        assert_eq!(found["verdict"], "gain", "{found}");
        assert!(
            (found["benefit"].as_f64().unwrap() - 2000.0).abs() < 100.0,
            "{found}"
        );
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let refused = |question: &str| {
            report(&serde_json::from_str(question).unwrap())
                .unwrap_err()
                .to_string()
        };
        let rest = r#""volume": 1, "unit_value": 1, "hours": 1, "rate": 1"#;
        assert!(refused(&format!("{{{rest}}}")).starts_with("effect: either"));
        assert!(
            refused(&format!(r#"{{"effect": 3, "interval": [1, 2], {rest}}}"#))
                .starts_with("effect: 3: must be in")
        );
        assert!(
            refused(&format!(
                r#"{{"effect": 1, "interval": [1, 2], "days": 0, {rest}}}"#
            ))
            .starts_with("days: 0")
        );
        assert!(
            serde_json::from_str::<Question>(r#"{"volum": 1}"#)
                .unwrap_err()
                .to_string()
                .contains("volum")
        );
    }
}
