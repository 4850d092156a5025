//! Series with a change whose effect is known: 60 days before it, 28 after, in standard deviations of a day.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ar1;

/// Days before the change, and after it.
pub const BEFORE: usize = 60;
/// Days after the change.
pub const AFTER: usize = 28;
/// Days of a week; the first day is a Monday.
const WEEK: usize = 7;
/// Day after the change that a gap starts on.
const GAP: usize = 9;
/// Share of the variance that two series of one seed have in common, unless said otherwise.
pub const ALIKE: f64 = 0.6;

/// What is generated.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// How alike neighbours are.
    pub phi: f64,
    /// Rise from the change on, in standard deviations.
    pub effect: f64,
    /// How many good controls.
    pub controls: usize,
    /// Correlation of any two series.
    pub alike: f64,
    /// A control that misleads.
    pub wrong: Wrong,
    /// What happens to all series at the change, in standard deviations.
    pub shock: f64,
    /// Height of a week's course before and after the change, in standard deviations.
    pub week: (f64, f64),
    /// Days of the series that are missing.
    pub missing: Missing,
    /// Days in which the effect halves.
    pub half_life: Option<f64>,
    /// Tells samples of one seed apart.
    pub sample: u64,
}

/// A control that misleads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wrong {
    /// There is none.
    None,
    /// One more control that has nothing to do with the series.
    Unrelated,
    /// One more control that moves by so many standard deviations at the change, for a reason of its own.
    Moves(f64),
}

/// Days of the series that are missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Missing {
    /// None.
    None,
    /// Each day with this probability, before the change and after it.
    Everywhere(f64),
    /// Each day after the change with this probability.
    After(f64),
    /// So many days in a row after the change, from the tenth on.
    Gap(usize),
    /// All Saturdays and Sundays after the change.
    Weekends,
}

impl Scenario {
    /// Nothing but noise and an effect.
    pub fn plain(phi: f64, effect: f64) -> Self {
        Self {
            phi,
            effect,
            controls: 0,
            alike: ALIKE,
            wrong: Wrong::None,
            shock: 0.0,
            week: (0.0, 0.0),
            missing: Missing::None,
            half_life: None,
            sample: 0,
        }
    }

    /// What is left of the effect on a day after the change.
    fn left(&self, day: usize) -> f64 {
        self.half_life.map_or(1.0, |half| 0.5_f64.powf(day as f64 / half))
    }
}

/// A series before and after a change, and what is true of it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// A value a day; NaN is missing.
    pub values: Vec<f64>,
    /// The controls, a value a day each.
    pub controls: Vec<Vec<f64>>,
    /// Mean effect over the days after.
    pub truth: f64,
}

/// Series of a seed that have a part of their noise in common.
pub struct Family {
    seed: u64,
    stream: u64,
    common: Vec<f64>,
    phi: f64,
}

/// A family has no more streams than this.
const STREAMS: u64 = 32;

impl Family {
    /// Of so many days, neighbours alike by `phi`. `sample` tells families of one seed apart.
    pub fn new(seed: u64, sample: u64, days: usize, phi: f64) -> Self {
        let stream = sample * STREAMS;
        Self {
            seed,
            stream: stream + 1,
            common: ar1(seed, stream, days, phi),
            phi,
        }
    }

    /// One more series, whose correlation with each other is `alike`; 0 has nothing to do with them.
    pub fn series(&mut self, alike: f64) -> Vec<f64> {
        let own = ar1(self.seed, self.stream, self.common.len(), self.phi);
        self.stream += 1;
        let mixed = self.common.iter().zip(&own);
        mixed
            .map(|(common, own)| alike.sqrt() * common + (1.0 - alike).sqrt() * own)
            .collect()
    }

    /// Draws that no series has.
    fn draws(&self) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.stream);
        random
    }
}

/// The scenario as a seed makes it.
pub fn sample(scenario: &Scenario, seed: u64) -> Sample {
    let mut family = Family::new(seed, scenario.sample, BEFORE + AFTER, scenario.phi);
    let mut values = family.series(scenario.alike);
    let mut controls: Vec<Vec<f64>> = (0..scenario.controls)
        .map(|_| family.series(scenario.alike))
        .collect();
    for column in std::iter::once(&mut values).chain(&mut controls) {
        for (day, value) in column.iter_mut().enumerate() {
            let after = day >= BEFORE;
            let height = if after { scenario.week.1 } else { scenario.week.0 };
            *value += height * (TAU * day as f64 / WEEK as f64).sin();
            *value += if after { scenario.shock } else { 0.0 };
        }
    }
    match scenario.wrong {
        Wrong::None => {}
        Wrong::Unrelated => controls.push(family.series(0.0)),
        Wrong::Moves(size) => {
            let mut wrong = family.series(scenario.alike);
            wrong[BEFORE..].iter_mut().for_each(|value| *value += size);
            controls.push(wrong);
        }
    }
    for (day, value) in values[BEFORE..].iter_mut().enumerate() {
        *value += scenario.effect * scenario.left(day);
    }
    leave_out(&mut values, scenario.missing, family.draws());
    let left: f64 = (0..AFTER).map(|day| scenario.left(day)).sum();
    Sample {
        values,
        controls,
        truth: scenario.effect * left / AFTER as f64,
    }
}

fn leave_out(values: &mut [f64], missing: Missing, mut random: ChaCha8Rng) {
    for (day, value) in values.iter_mut().enumerate() {
        let drawn: f64 = random.random();
        let gone = match missing {
            Missing::None => false,
            Missing::Everywhere(share) => drawn < share,
            Missing::After(share) => day >= BEFORE && drawn < share,
            Missing::Gap(days) => (BEFORE + GAP..BEFORE + GAP + days).contains(&day),
            Missing::Weekends => day >= BEFORE && day % WEEK >= WEEK - 2,
        };
        if gone {
            *value = f64::NAN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_added_to_the_days_after_and_nothing_else_changes() {
        let plain = Scenario {
            controls: 2,
            ..Scenario::plain(0.3, 0.0)
        };
        let moved = Scenario {
            effect: 2.0,
            half_life: Some(7.0),
            ..plain
        };
        let (plain, moved) = (sample(&plain, 3), sample(&moved, 3));
        assert_eq!(plain.controls, moved.controls);
        assert_eq!(plain.values[..BEFORE], moved.values[..BEFORE]);
        let effects: Vec<f64> = (BEFORE..BEFORE + AFTER)
            .map(|day| moved.values[day] - plain.values[day])
            .collect();
        assert!((effects[0] - 2.0).abs() < 1e-12 && (effects[7] - 1.0).abs() < 1e-12);
        let mean = effects.iter().sum::<f64>() / AFTER as f64;
        assert!((moved.truth - mean).abs() < 1e-12 && plain.truth == 0.0);
    }

    #[test]
    fn what_is_missing_is_where_it_should_be() {
        for (missing, before, after) in [
            (Missing::None, 0, 0),
            (Missing::Gap(7), 0, 7),
            (Missing::Weekends, 0, 8),
            (Missing::After(1.0), 0, AFTER),
            (Missing::Everywhere(1.0), BEFORE, AFTER),
        ] {
            let sample = sample(
                &Scenario {
                    missing,
                    ..Scenario::plain(0.0, 0.0)
                },
                1,
            );
            let gone = |side: &[f64]| side.iter().filter(|value| value.is_nan()).count();
            let found = (gone(&sample.values[..BEFORE]), gone(&sample.values[BEFORE..]));
            assert_eq!(found, (before, after), "{missing:?}");
        }
    }

    #[test]
    fn samples_of_a_seed_share_nothing() {
        let of = |number: u64| {
            let scenario = Scenario {
                sample: number,
                controls: 8,
                ..Scenario::plain(0.0, 0.0)
            };
            sample(&scenario, 1)
        };
        let (one, other) = (of(0), of(1));
        let all = |it: &Sample| [vec![it.values.clone()], it.controls.clone()].concat();
        for a in all(&one) {
            assert!(all(&other).iter().all(|b| *b != a));
        }
    }
}
