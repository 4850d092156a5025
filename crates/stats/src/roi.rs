use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::impact::{Posterior, Question, Unmeasurable, impact};
use crate::robust::quantile;

/// What is spent on a change.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Investment {
    /// Hours of work.
    pub hours: f64,
    /// Cost of an hour.
    pub rate: f64,
    /// What running it costs more over the period than before; negative where it costs less.
    pub running: f64,
}

impl Investment {
    /// All of it.
    pub fn cost(&self) -> f64 {
        self.hours * self.rate + self.running
    }
}

/// What an effect is worth: effect on each of `volume` units, each worth `unit_value` for each unit of the effect.
pub fn benefit(effect: f64, volume: f64, unit_value: f64) -> f64 {
    effect * volume * unit_value
}

/// A number and how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Uncertain {
    /// It is known.
    Known(f64),
    /// A normal number with a standard error.
    Normal {
        /// The number.
        value: f64,
        /// Its standard error, 0 or more.
        error: f64,
    },
    /// What a measurement left.
    Measured(Posterior),
}

/// What a return is calculated from besides the effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Economics {
    /// Units (decisions, say) that the effect is on, in the period.
    pub volume: Uncertain,
    /// What one unit of the effect on one unit of volume is worth; unknown, there is no return to calculate.
    pub unit_value: Option<Uncertain>,
    /// What is spent.
    pub investment: Investment,
    /// Length of the period in days, above 0.
    pub days: f64,
}

/// A return.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Return {
    /// Benefit less cost in the period.
    pub net: f64,
    /// 95 % interval of it.
    pub interval: (f64, f64),
    /// Probability that it is above 0.
    pub p_positive: f64,
    /// Whether there is a gain (true) or a loss (false), once one of the two has a probability above 0.975.
    pub gain: Option<bool>,
    /// The smallest net return that is decided with a probability of 80 %.
    pub detectable: f64,
    /// Benefit in the period.
    pub benefit: f64,
    /// What was spent in the period.
    pub cost: f64,
    /// Net over cost; `None` without cost.
    pub ratio: Option<f64>,
    /// Days until the work is paid back at the rate of the period; `None` where it never is.
    pub payback_days: Option<f64>,
    /// 95 % interval of these days; an end is `None` where that is never.
    pub payback_interval: (Option<f64>, Option<f64>),
}

/// Draws of the simulation, and its seed: the same question has the same answer.
const DRAWS: usize = 20_000;
const SEED: u64 = 0x6b61_697a_656e;

/// How sure a gain or loss must be to be one.
const DECIDED: f64 = 0.975;

/// The return on a change whose effect is known with some uncertainty, that of volume and unit value added by simulation.
/// `None` where the unit value is unknown: no value is not a value of 0.
pub fn roi(effect: &Uncertain, economics: &Economics) -> Option<Return> {
    let unit_value = economics.unit_value.as_ref()?;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut draws = |number: &Uncertain| number.draws(&mut random);
    let (effects, volumes, values) = (draws(effect), draws(&economics.volume), draws(unit_value));
    let benefits: Vec<f64> = (0..DRAWS)
        .map(|draw| benefit(effects[draw], volumes[draw], values[draw]))
        .collect();
    let cost = economics.investment.cost();
    let mean = benefit(effect.value(), economics.volume.value(), unit_value.value());
    let share = |above: f64| benefits.iter().filter(|benefit| **benefit > above).count() as f64 / DRAWS as f64;
    let p_positive = share(cost);
    let [low, middle, high] = [0.025, 0.5, 0.975].map(|share| quantile(&benefits, share));
    let work = economics.investment.hours * economics.investment.rate;
    let payback = |benefit: f64| {
        let a_day = (benefit - economics.investment.running) / economics.days;
        if work <= 0.0 && a_day >= 0.0 {
            Some(0.0)
        } else {
            (a_day > 0.0).then(|| work / a_day)
        }
    };
    Some(Return {
        net: mean - cost,
        interval: (low - cost, high - cost),
        p_positive,
        gain: if p_positive > DECIDED {
            Some(true)
        } else if p_positive < 1.0 - DECIDED {
            Some(false)
        } else {
            None
        },
        // A normal quantile of 97.5 % and one of 80 %, in units of half a 95 % interval.
        detectable: (high - low) / 2.0 * (1.0 + 0.841_621 / 1.959_964),
        benefit: mean,
        cost,
        ratio: (cost > 0.0).then(|| (mean - cost) / cost),
        payback_days: payback(middle),
        payback_interval: (payback(high), payback(low)),
    })
}

/// Why a return cannot be calculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CalculateRoiError {
    /// There is no effect.
    #[error(transparent)]
    Effect(#[from] Unmeasurable),
    /// There is an effect and nobody said what it is worth.
    #[error("not computed: the unit value is missing")]
    UnitValue,
}

/// The return on a change from the days before and after it: the effect is measured by [`impact`], with weeks as its season.
/// Where lower is better, a fall is the benefit.
///
/// # Errors
/// The effect cannot be measured, or the unit value is missing.
pub fn calculate_roi(
    before: &[f64],
    after: &[f64],
    higher_is_better: bool,
    economics: &Economics,
) -> Result<Return, CalculateRoiError> {
    let values: Vec<f64> = before.iter().chain(after).copied().collect();
    let found = impact(&Question {
        values: &values,
        change: before.len(),
        samples: None,
        controls: &[],
        seasons: &[7],
        excluded: &[],
        higher_is_better,
        horizon: after.len(),
        arms: None,
    })?;
    let better = if higher_is_better {
        found.posterior
    } else {
        found.posterior.turned()
    };
    roi(&Uncertain::Measured(better), economics).ok_or(CalculateRoiError::UnitValue)
}

impl Uncertain {
    /// Of an estimate and its 95 % interval.
    pub fn of_interval(value: f64, (lower, upper): (f64, f64)) -> Self {
        let error = (upper - lower).abs() / (2.0 * 1.959_963_984_540_054);
        Self::Normal { value, error }
    }

    /// The number itself.
    pub fn value(&self) -> f64 {
        match self {
            Self::Known(value) | Self::Normal { value, .. } => *value,
            Self::Measured(posterior) => posterior.mean(),
        }
    }

    fn draws(&self, random: &mut ChaCha8Rng) -> Vec<f64> {
        match self {
            Self::Known(value) => vec![*value; DRAWS],
            Self::Normal { value, error } => (0..DRAWS)
                .map(|_| {
                    let normal: f64 = StandardNormal.sample(random);
                    value + error * normal
                })
                .collect(),
            Self::Measured(posterior) => posterior.draws(random, DRAWS),
        }
    }
}
