//! Simulated cubes of decisions in two periods, with a known culprit or none.

#![expect(
    clippy::unwrap_used,
    reason = "the parameters are constants, and a cell has all its values"
)]

use std::collections::HashMap;

use kaizen_stats::{Cube, Moments, TwoPeriods};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Gamma, StandardNormal};

/// What a fleet does besides having a culprit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions {
    /// Standard deviation of a shift of the log-odds that all decisions of the current period share.
    pub shared_shift: f64,
    /// How much of the shares of one dimension is drawn anew for the current period, 0–1.
    pub mix_shift: f64,
    /// Standard deviation of the log-odds of each cell in each period.
    pub scatter: f64,
}

/// A cube and what is wrong in it.
pub struct Fleet {
    pub cube: Cube<TwoPeriods>,
    pub culprit: Vec<(String, String)>,
}

const BASELINE: usize = 40_000;
const CURRENT: usize = 20_000;

fn shares(draws: &mut ChaCha12Rng, values: usize) -> Vec<f64> {
    let gamma = Gamma::new(1.0, 1.0).unwrap();
    let weights: Vec<f64> = (0..values).map(|_| gamma.sample(draws)).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

fn pick(draws: &mut ChaCha12Rng, shares: &[f64]) -> usize {
    let mut left: f64 = draws.random();
    for (value, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return value;
        }
    }
    shares.len() - 1
}

fn normal(draws: &mut ChaCha12Rng, deviation: f64) -> f64 {
    deviation * Distribution::<f64>::sample(&StandardNormal, draws)
}

/// A fleet of this seed. The culprit has `conditions` conditions (0: there is none) and an effect that a comparison with
/// the rest expects to see as `z` standard errors.
#[expect(clippy::too_many_lines, reason = "one recipe, a step a paragraph")]
pub fn fleet(seed: u64, conditions: usize, z: f64, around: Conditions) -> Fleet {
    let mut draws = ChaCha12Rng::seed_from_u64(seed);
    let dimensions = draws.random_range(4..=6);
    let before: Vec<Vec<f64>> = (0..dimensions)
        .map(|_| {
            let values = draws.random_range(3..=12);
            shares(&mut draws, values)
        })
        .collect();
    let mut after = before.clone();
    let moved = draws.random_range(0..dimensions);
    let drawn = shares(&mut draws, after[moved].len());
    for (share, new) in after[moved].iter_mut().zip(drawn) {
        *share = *share * (1.0 - around.mix_shift) + new * around.mix_shift;
    }
    let effects: Vec<Vec<f64>> = before
        .iter()
        .map(|shares| shares.iter().map(|_| normal(&mut draws, 0.3)).collect())
        .collect();
    let base = normal(&mut draws, 0.5);
    let shift = normal(&mut draws, around.shared_shift);

    let slice = choose(&mut draws, &before, conditions);
    let share: f64 = slice
        .iter()
        .map(|(dimension, value)| before[*dimension][*value])
        .product();
    let error =
        (0.24 / share / (1.0 - share).max(0.05) * (1.0 / BASELINE as f64 + 1.0 / CURRENT as f64)).sqrt();
    let effect = if conditions == 0 {
        0.0
    } else {
        z * error * if draws.random() { 1.0 } else { -1.0 }
    };

    let mut scatter: HashMap<(usize, Vec<usize>), f64> = HashMap::new();
    let mut cube = Cube::new((0..dimensions).map(|at| format!("d{at}")));
    for period in 0..2 {
        for _ in 0..[BASELINE, CURRENT][period] {
            let shares = if period == 0 { &before } else { &after };
            let codes: Vec<usize> = shares.iter().map(|shares| pick(&mut draws, shares)).collect();
            let mut odds = base
                + codes
                    .iter()
                    .zip(&effects)
                    .map(|(code, effects)| effects[*code])
                    .sum::<f64>();
            if around.scatter > 0.0 {
                let noise = normal(&mut draws, around.scatter);
                odds += *scatter.entry((period, codes.clone())).or_insert(noise);
            }
            let mut rate = 1.0 / (1.0 + (-odds - if period == 1 { shift } else { 0.0 }).exp());
            if period == 1 && slice.iter().all(|(dimension, value)| codes[*dimension] == *value) {
                rate += effect;
            }
            let outcome = f64::from(u8::from(draws.random::<f64>() < rate));
            let once = Moments {
                count: 1.0,
                sum: outcome,
                sum_of_squares: outcome,
            };
            let mut cell = TwoPeriods::default();
            *if period == 0 {
                &mut cell.baseline
            } else {
                &mut cell.current
            } = once;
            let labels: Vec<String> = codes.iter().map(|code| format!("v{code}")).collect();
            cube.add(&labels, cell).unwrap();
        }
    }
    let culprit = slice
        .iter()
        .map(|(dimension, value)| (format!("d{dimension}"), format!("v{value}")))
        .collect();
    Fleet { cube, culprit }
}

/// A slice of this many conditions with 1–40 % of the decisions.
fn choose(draws: &mut ChaCha12Rng, shares: &[Vec<f64>], conditions: usize) -> Vec<(usize, usize)> {
    loop {
        let mut slice: Vec<(usize, usize)> = Vec::new();
        while slice.len() < conditions {
            let dimension = draws.random_range(0..shares.len());
            if slice.iter().all(|(taken, _)| *taken != dimension) {
                slice.push((dimension, draws.random_range(0..shares[dimension].len())));
            }
        }
        slice.sort_unstable();
        let share: f64 = slice
            .iter()
            .map(|(dimension, value)| shares[*dimension][*value])
            .product();
        if conditions == 0 || (0.01..0.4).contains(&share) {
            return slice;
        }
    }
}

/// Right, wrong and missed names over these seeds.
#[derive(Debug, Default, Clone, Copy)]
pub struct Score {
    pub right: usize,
    pub wrong: usize,
    pub missed: usize,
    /// Fleets in which anything was named.
    pub named: usize,
    pub fleets: usize,
}

impl Score {
    pub fn add(&mut self, found: &[Vec<(String, String)>], culprit: &[(String, String)]) {
        let right = found.iter().filter(|slice| slice.as_slice() == culprit).count();
        self.right += right;
        self.wrong += found.len() - right;
        self.missed += usize::from(right == 0 && !culprit.is_empty());
        self.named += usize::from(!found.is_empty());
        self.fleets += 1;
    }
}
