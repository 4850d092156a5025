//! How many decisions there are in each hour.

use rand::RngExt;
use rand_distr::{Binomial, Distribution, Gamma, Poisson};

use super::odds::{active, shares};
use super::plan::{Plan, WEEK};
use super::shock::{self, Path};
use super::stream::{Purpose, Streams};
use crate::scenario::Scenario;

/// Expected decisions of each component in each hour, and how many there are.
pub(crate) struct Volume {
    /// By component and hour.
    pub decisions: Vec<Vec<u64>>,
    /// Decisions for each unit of [`Plan::volume`].
    pub scale: f64,
}

/// Draws the numbers: Poisson, given the expected ones; or, where the scenario says how many in all, divided among the hours
/// as Poisson numbers of that sum are.
pub(crate) fn draw(scenario: &Scenario, plans: &[Plan<'_>], paths: &[Path<'_>], streams: &Streams) -> Volume {
    let intensities: Vec<Vec<f64>> = plans
        .iter()
        .map(|plan| {
            (0..scenario.hours())
                .map(|hour| intensity(scenario, plan, paths, streams, hour))
                .collect()
        })
        .collect();
    match (scenario.events, scenario.events_per_day) {
        (None, Some(a_day)) => {
            let week: f64 = plans.iter().flat_map(|plan| &plan.volume).sum();
            let scale = a_day * (WEEK / 24) as f64 / week;
            let decisions = intensities
                .iter()
                .enumerate()
                .map(|(component, hours)| {
                    let number = |(hour, intensity): (usize, &f64)| {
                        let mut draws = streams.of(Purpose::Counts, component, hour);
                        poisson(intensity * scale, &mut draws)
                    };
                    hours.iter().enumerate().map(number).collect()
                })
                .collect();
            Volume { decisions, scale }
        }
        (events, _) => divide(events.unwrap_or_default(), &intensities, streams),
    }
}

/// Expected decisions of an hour, in the unit of [`Plan::volume`].
fn intensity(
    scenario: &Scenario,
    plan: &Plan<'_>,
    paths: &[Path<'_>],
    streams: &Streams,
    hour: usize,
) -> f64 {
    let active = active(plan, scenario, hour);
    let missing = active
        .iter()
        .filter_map(|(planted, strength)| Some(planted.fault.effect.missing? * strength));
    let there: f64 = missing.map(|share| 1.0 - share).product();
    if there < 1.0 && streams.of(Purpose::Missing, plan.index, hour).random::<f64>() >= there {
        return 0.0;
    }
    let (_, factor) = shares(plan, &active);
    plan.volume[hour % WEEK]
        * factor
        * shock::volume(paths, hour)
        * dispersed(scenario, plan.index, hour, streams)
}

/// A gamma factor of mean 1.
fn dispersed(scenario: &Scenario, component: usize, hour: usize, streams: &Streams) -> f64 {
    let variance = scenario.noise.dispersion * scenario.noise.dispersion;
    if variance == 0.0 {
        return 1.0;
    }
    let mut draws = streams.of(Purpose::Dispersion, component, hour);
    Gamma::new(1.0 / variance, variance).map_or(1.0, |gamma| gamma.sample(&mut draws))
}

fn poisson(mean: f64, draws: &mut rand_chacha::ChaCha12Rng) -> u64 {
    // No mean of 0 is accepted; there is nothing to draw then.
    Poisson::new(mean).map_or(0, |poisson| poisson.sample(draws) as u64)
}

/// A multinomial number for each component and hour, by way of what is left for the later ones.
fn divide(events: u64, intensities: &[Vec<f64>], streams: &Streams) -> Volume {
    let mut left: f64 = 0.0;
    // From the last to the first: the very last that is not 0 then gets all that is left, without rounding.
    let behind: Vec<Vec<f64>> = intensities
        .iter()
        .rev()
        .map(|hours| {
            let mut sums: Vec<f64> = hours
                .iter()
                .rev()
                .map(|it| {
                    left += it;
                    left
                })
                .collect();
            sums.reverse();
            sums
        })
        .collect();
    let behind: Vec<_> = behind.into_iter().rev().collect();
    let scale = if left > 0.0 { events as f64 / left } else { 0.0 };
    let mut to_go = events;
    let decisions = intensities
        .iter()
        .zip(&behind)
        .enumerate()
        .map(|(component, (hours, behind))| {
            hours
                .iter()
                .zip(behind)
                .enumerate()
                .map(|(hour, (intensity, behind))| {
                    let mut draws = streams.of(Purpose::Counts, component, hour);
                    let number = binomial(to_go, intensity / behind, &mut draws);
                    to_go -= number;
                    number
                })
                .collect()
        })
        .collect();
    Volume { decisions, scale }
}

/// A binomial number; none when the probability is none.
pub(crate) fn binomial(trials: u64, probability: f64, draws: &mut rand_chacha::ChaCha12Rng) -> u64 {
    if trials == 0 || probability.is_nan() || probability <= 0.0 {
        return 0;
    }
    Binomial::new(trials, probability.min(1.0)).map_or(0, |binomial| binomial.sample(draws))
}
