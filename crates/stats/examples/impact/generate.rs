//! Series with a change whose effect is known: 60 days before it, 28 after, in standard deviations of a day.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Days before and after the change.
pub const BEFORE: usize = 60;
pub const AFTER: usize = 28;

/// Noise of a seed: autoregressions of order one with standard deviation 1, each with a stream of its own.
pub struct Noise {
    seed: u64,
    stream: u64,
}

impl Noise {
    /// Of a seed.
    pub fn of(seed: u64) -> Self {
        Self { seed, stream: 0 }
    }

    fn random(&mut self) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.stream);
        self.stream += 1;
        random
    }

    /// An autoregression more.
    pub fn ar1(&mut self, n: usize, phi: f64) -> Vec<f64> {
        let mut random = self.random();
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let innovation = (1.0 - phi * phi).sqrt();
        let mut value: f64 = normal();
        (0..n)
            .map(|_| {
                let now = value;
                value = phi * value + innovation * normal();
                now
            })
            .collect()
    }
}

/// What is generated.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// How alike neighbours are.
    pub phi: f64,
    /// Rise from the change on, in standard deviations.
    pub effect: f64,
    /// How many good controls, and how alike any two series are.
    pub controls: usize,
    pub alike: f64,
    /// A control that misleads.
    pub wrong: Wrong,
    /// Something that happens to all series at the change.
    pub shock: f64,
    /// Height of a week's course before and after the change.
    pub week: (f64, f64),
    /// Every so many days is missing.
    pub missing: Option<u64>,
    /// Steps in which the effect halves.
    pub half_life: Option<f64>,
}

/// A control that misleads.
#[derive(Clone, Copy, PartialEq)]
pub enum Wrong {
    /// There is none.
    None,
    /// One more control that has nothing to do with the series.
    Unrelated,
    /// One more control that moves by so much at the change.
    Moves(f64),
}

impl Scenario {
    /// Nothing but noise and an effect.
    pub fn plain(phi: f64, effect: f64) -> Self {
        Self {
            phi,
            effect,
            controls: 0,
            alike: 0.6,
            wrong: Wrong::None,
            shock: 0.0,
            week: (0.0, 0.0),
            missing: None,
            half_life: None,
        }
    }
}

/// A series before and after a change, and what is true of it.
pub struct Sample {
    /// A value a day.
    pub values: Vec<f64>,
    /// The controls, a value a day each.
    pub controls: Vec<Vec<f64>>,
    /// Mean effect over the days after.
    pub truth: f64,
}

/// The scenario as a seed makes it.
pub fn sample(scenario: &Scenario, seed: u64) -> Sample {
    let days = BEFORE + AFTER;
    let mut noise = Noise::of(seed);
    let common = noise.ar1(days, scenario.phi);
    let mut series = || -> Vec<f64> {
        let own = noise.ar1(days, scenario.phi);
        let mixed = common.iter().zip(&own);
        mixed
            .map(|(common, own)| scenario.alike.sqrt() * common + (1.0 - scenario.alike).sqrt() * own)
            .collect()
    };
    let mut values = series();
    let mut controls: Vec<Vec<f64>> = (0..scenario.controls).map(|_| series()).collect();
    for column in std::iter::once(&mut values).chain(&mut controls) {
        for (day, value) in column.iter_mut().enumerate() {
            let after = day >= BEFORE;
            let height = if after { scenario.week.1 } else { scenario.week.0 };
            *value += height * (std::f64::consts::TAU * day as f64 / 7.0).sin();
            *value += if after { scenario.shock } else { 0.0 };
        }
    }
    match scenario.wrong {
        Wrong::None => {}
        Wrong::Unrelated => {
            let other = noise.ar1(days, scenario.phi);
            controls.push(other);
        }
        Wrong::Moves(size) => {
            let own = noise.ar1(days, scenario.phi);
            let wrong = common.iter().zip(&own).enumerate().map(|(day, (common, own))| {
                let moved = if day >= BEFORE { size } else { 0.0 };
                moved + scenario.alike.sqrt() * common + (1.0 - scenario.alike).sqrt() * own
            });
            controls.push(wrong.collect());
        }
    }
    let mut truth = 0.0;
    for (day, value) in values[BEFORE..].iter_mut().enumerate() {
        let left = scenario
            .half_life
            .map_or(1.0, |half| 0.5_f64.powf(day as f64 / half));
        *value += scenario.effect * left;
        truth += scenario.effect * left / AFTER as f64;
    }
    if let Some(every) = scenario.missing {
        let mut random = noise.random();
        for value in &mut values {
            if rand::Rng::next_u64(&mut random).is_multiple_of(every) {
                *value = f64::NAN;
            }
        }
    }
    Sample {
        values,
        controls,
        truth,
    }
}
