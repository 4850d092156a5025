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
    let share =
        |above: f64| benefits.iter().filter(|benefit| **benefit > above).count() as f64 / DRAWS as f64;
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
        scales: None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn economics(volume: f64, unit_value: Option<f64>, hours: f64) -> Economics {
        Economics {
            volume: Uncertain::Known(volume),
            unit_value: unit_value.map(Uncertain::Known),
            investment: Investment {
                hours,
                rate: 100.0,
                running: 0.0,
            },
            days: 28.0,
        }
    }

    #[test]
    fn what_is_known_has_one_value_and_what_is_unknown_none() {
        let found = roi(&Uncertain::Known(0.1), &economics(1000.0, Some(20.0), 5.0)).unwrap();
        assert_eq!((found.net, found.cost, found.ratio), (1500.0, 500.0, Some(3.0)));
        assert_eq!(
            (found.interval, found.p_positive, found.gain),
            ((1500.0, 1500.0), 1.0, Some(true))
        );
        assert_eq!(found.payback_days, Some(7.0));
        assert_eq!(roi(&Uncertain::Known(0.1), &economics(1000.0, None, 5.0)), None);
        let never = roi(&Uncertain::Known(-0.1), &economics(1000.0, Some(20.0), 5.0)).unwrap();
        assert_eq!(
            (never.gain, never.payback_days, never.payback_interval),
            (Some(false), None, (None, None))
        );
        let free = roi(&Uncertain::Known(0.1), &economics(1000.0, Some(20.0), 0.0)).unwrap();
        assert_eq!((free.ratio, free.payback_days), (None, Some(0.0)));
    }

    #[test]
    fn the_simulation_is_the_formula_where_there_is_one() {
        let effect = Uncertain::of_interval(1.0, (0.0, 2.0));
        let found = roi(&effect, &economics(100.0, Some(10.0), 5.0)).unwrap();
        // 1000 a unit with a standard error of 510, less 500.
        assert!(
            (found.interval.0 + 500.0).abs() < 25.0 && (found.interval.1 - 1500.0).abs() < 25.0,
            "{found:?}"
        );
        let exact = crate::normal_cdf(500.0 / (1000.0 / 1.959_964));
        assert!(
            (found.p_positive - exact).abs() < 0.01 && found.gain.is_none(),
            "{found:?}"
        );
        assert_eq!(roi(&effect, &economics(100.0, Some(10.0), 5.0)).unwrap(), found);
    }

    #[test]
    fn the_days_before_and_after_tell_the_effect() {
        let days = |level: f64, count: u64| -> Vec<f64> {
            crate::testing::ar1(count, count as usize, 0.2)
                .iter()
                .map(|value| level + 0.1 * value)
                .collect()
        };
        let found = calculate_roi(
            &days(5.0, 60),
            &days(4.0, 28),
            false,
            &economics(1000.0, Some(2.0), 1.0),
        )
        .unwrap();
        assert!(
            (found.benefit - 2000.0).abs() < 200.0 && found.gain == Some(true),
            "{found:?}"
        );
        let unknown = calculate_roi(
            &days(5.0, 60),
            &days(4.0, 28),
            false,
            &economics(1000.0, None, 1.0),
        );
        assert_eq!(unknown, Err(CalculateRoiError::UnitValue));
        let short = calculate_roi(
            &days(5.0, 5),
            &days(4.0, 28),
            false,
            &economics(1000.0, Some(2.0), 1.0),
        );
        assert_eq!(short, Err(CalculateRoiError::Effect(Unmeasurable::Before(5))));
    }

    proptest! {
        #[test]
        fn more_work_never_makes_a_return_likelier_or_faster(
            effect in -5.0..5.0_f64, half in 0.0..5.0_f64, hours in 0.0..50.0_f64, more in 0.0..50.0_f64,
        ) {
            let effect = Uncertain::of_interval(effect, (effect - half, effect + half));
            let less = roi(&effect, &economics(100.0, Some(10.0), hours)).unwrap();
            let more = roi(&effect, &economics(100.0, Some(10.0), hours + more)).unwrap();
            prop_assert!(more.p_positive <= less.p_positive);
            prop_assert!(more.net <= less.net && more.interval.0 <= less.interval.0);
            if let (Some(less), Some(more)) = (less.payback_days, more.payback_days) {
                prop_assert!(less <= more);
            }
        }
    }
}
