//! What is forecast of a rule after its tickets have been measured, corrected by what they brought, and as it was.

use anyhow::Result;
use kaizen_findings::{Correction, Estimate as Forecast};
use kaizen_stats::{ForecastCorrection, ForecastOutcome, forecast_corrections};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, StudentT};

use super::Row;
use crate::cell::Cell;
use crate::estimate::{Estimate, Kind};
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 24,
    title: "Forecasts of a rule corrected by what its tickets brought",
    light: true,
    score,
};

/// Measured tickets of the rule.
const TICKETS: [usize; 3] = [3, 10, 30];
/// Rules beside it whose forecasts are right, and the measured tickets of each.
const BESIDE: usize = 3;
const TICKETS_BESIDE: usize = 10;
/// Later recommendations of the rule.
const LATER: usize = 20;
/// Half the width of a 95 % interval in standard errors.
const Z95: f64 = 1.959_963_984_540_054;
/// Degrees of freedom of measurements with heavy tails.
const FREEDOM: f64 = 5.0;

/// What a rule's forecasts are.
#[derive(Debug, Clone, Copy)]
struct Rule {
    name: &'static str,
    /// What comes on average, in shares of the forecast.
    factor: f64,
    /// Standard deviation of what comes beyond the forecast's own error, in shares of the forecast.
    apart: f64,
    /// Whether measurements err by Student's t instead of the normal distribution, with the same standard deviation.
    heavy: bool,
}

const RIGHT: Rule = Rule {
    name: "right",
    factor: 1.0,
    apart: 0.0,
    heavy: false,
};

const RULES: [Rule; 5] = [
    RIGHT,
    Rule {
        name: "right, measured with heavy tails",
        heavy: true,
        ..RIGHT
    },
    Rule {
        name: "twice what comes",
        factor: 0.5,
        ..RIGHT
    },
    Rule {
        name: "half of what comes",
        factor: 2.0,
        ..RIGHT
    },
    Rule {
        name: "intervals too narrow",
        apart: 0.6,
        ..RIGHT
    },
];

/// A recommendation: what was forecast, and what is the truth of it.
struct Recommended {
    forecast: Forecast,
    truth: f64,
}

/// How forecasts are corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Kaizen,
    Nothing,
    /// The mean of measured over forecast, whatever it is.
    PlainMean,
}

/// What became of a rule in one portfolio.
struct Found {
    corrected: bool,
    beside_corrected: bool,
    later: Vec<Recommended>,
    kaizen: Correction,
    plain: Correction,
}

impl Found {
    /// The forecast of a later recommendation.
    fn told(&self, it: &Recommended, by: By) -> Forecast {
        match by {
            By::Kaizen => it.forecast.corrected(&self.kaizen),
            By::Nothing => it.forecast,
            By::PlainMean => it.forecast.corrected(&self.plain),
        }
    }

    /// The mean over the later recommendations.
    fn mean(&self, by: By, number: impl Fn(Forecast, &Recommended) -> f64) -> f64 {
        let numbers = self.later.iter().map(|it| number(self.told(it, by), it));
        numbers.sum::<f64>() / self.later.len() as f64
    }
}

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for rule in RULES {
        for tickets in TICKETS {
            let found = seeds.map(|seed| Ok(portfolio(seed, rule, tickets)))?;
            cells.extend(cells_of(
                &found,
                rule,
                &format!("{}, {tickets} tickets", rule.name),
            ));
        }
    }
    Ok(cells)
}

fn cells_of(found: &[Found], rule: Rule, name: &str) -> Vec<Cell> {
    let share = |what: &str, hit: fn(&Found) -> bool| {
        let hits: Vec<f64> = found.iter().map(|it| f64::from(u8::from(hit(it)))).collect();
        Cell::new(format!("{name}: {what}"), Estimate::of(Kind::Share, &hits))
            .constant("do nothing", 0.0)
            .constant("by the plain mean", 1.0)
    };
    let mean = |what: &str, number: &dyn Fn(Forecast, &Recommended) -> f64| {
        let of = |by| {
            let numbers: Vec<f64> = found.iter().map(|it| it.mean(by, number)).collect();
            Estimate::of(Kind::Mean, &numbers)
        };
        Cell::new(format!("{name}: {what}"), of(By::Kaizen))
            .beside("do nothing", of(By::Nothing))
            .beside("by the plain mean", of(By::PlainMean))
    };
    // In shares of what comes on average
    let above =
        |told: Forecast, it: &Recommended| (told.value - it.truth) / (rule.factor * it.forecast.value);
    vec![
        share("corrected", |it| it.corrected),
        share("one of three right rules beside it corrected", |it| {
            it.beside_corrected
        }),
        mean("interval holds what comes", &|told, it| {
            f64::from(u8::from(told.lower <= it.truth && it.truth <= told.upper))
        }),
        mean("forecast above what comes", &|told, it| above(told, it)),
        mean("mean square error", &|told, it| above(told, it).powi(2)),
    ]
}

/// A rule and those beside it, learned from, and its later recommendations.
fn portfolio(seed: u64, rule: Rule, tickets: usize) -> Found {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut outcomes = |of: Rule, count: usize| -> Vec<ForecastOutcome> {
        (0..count).map(|_| measured(&mut random, of)).collect()
    };
    let mut rules = vec![outcomes(rule, tickets)];
    rules.extend((0..BESIDE).map(|_| outcomes(RIGHT, TICKETS_BESIDE)));
    let learned = forecast_corrections(&rules);
    let (own, beside) = (learned.first().copied().flatten(), learned.iter().skip(1));
    let ratios: f64 = rules
        .iter()
        .take(1)
        .flatten()
        .map(|it| it.measured / it.forecast)
        .sum();
    Found {
        corrected: own.is_some(),
        beside_corrected: beside.flatten().next().is_some(),
        later: (0..LATER).map(|_| recommended(&mut random, rule).0).collect(),
        kaizen: correction(own.map_or((1.0, 0.0), |it: ForecastCorrection| (it.factor, it.widening))),
        plain: correction((ratios / tickets as f64, 0.0)),
    }
}

fn correction((factor, widening): (f64, f64)) -> Correction {
    Correction {
        correction_id: String::new(),
        factor,
        widening,
    }
}

/// A recommendation with its forecast's standard error. Forecasts are of very different size and err by 10 to 50 % of it.
fn recommended(random: &mut ChaCha8Rng, of: Rule) -> (Recommended, f64) {
    let value = (4.0 + 2.0 * normal(random)).exp();
    let error = value * (0.1 + 0.4 * random.random::<f64>());
    let truth = of.factor * (value + error * normal(random)) + of.apart * value * normal(random);
    let half = Z95 * error;
    let forecast = Forecast::new(value, (value - half, value + half));
    (Recommended { forecast, truth }, error)
}

/// What is measured of a recommendation, half as exactly as it was forecast to twice as exactly.
fn measured(random: &mut ChaCha8Rng, of: Rule) -> ForecastOutcome {
    let (it, forecast_error) = recommended(random, of);
    let measured_error = forecast_error * (0.5 + 1.5 * random.random::<f64>());
    let off = match StudentT::new(FREEDOM) {
        Ok(heavy) if of.heavy => heavy.sample(random) * ((FREEDOM - 2.0) / FREEDOM).sqrt(),
        _ => normal(random),
    };
    ForecastOutcome {
        forecast: it.forecast.value,
        forecast_error,
        measured: it.truth + measured_error * off,
        measured_error,
    }
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_reaches_what_is_scored() {
        let rule = |name: &str| RULES.into_iter().find(|it| it.name == name).unwrap();
        let above = |name: &str, tickets: usize| {
            let rule = rule(name);
            let found = portfolio(0, rule, tickets);
            let of = |by| found.mean(by, |told, it| told.value / (rule.factor * it.forecast.value));
            (found.corrected, of(By::Nothing), of(By::Kaizen))
        };
        // Too few to learn from: told as the rule does
        assert_eq!(above("twice what comes", 3), (false, 2.0, 2.0));
        let (corrected, before, after) = above("twice what comes", 30);
        assert!(
            corrected && before == 2.0 && (0.7..1.4).contains(&after),
            "{after}"
        );
        let (corrected, before, after) = above("half of what comes", 30);
        assert!(
            corrected && before == 0.5 && (0.7..1.4).contains(&after),
            "{after}"
        );
    }
}
