//! What else a decision has, each thing by random numbers of its own.

use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, StandardNormal};

use super::deal::{Dealt, pick};
use super::odds::Active;
use super::plan::{METHOD, Plan, expit};
use super::plant::weakened;
use crate::decimal::Decimal;
use crate::scenario::{Labels, LogNormal};

/// Levels of confidence.
pub(crate) const CONFIDENCE: [&str; 3] = ["high", "medium", "low"];
/// Their shares where confidence follows nothing.
const AT_RANDOM: [f64; 3] = [5.0 / 9.0, 3.0 / 9.0, 1.0 / 9.0];
/// Normal deviates from which on it is `high` and `medium`, so that these shares have it.
const LEVELS: [f64; 2] = [-0.139_710_298_881_862_1, -1.220_640_348_847_349_6];
const HOUR_MILLISECONDS: u32 = 3_600_000;
/// Different leads.
const LEADS: u32 = 30_000;

/// States the confidence, as a level and, if asked for, as a number.
pub(crate) fn confidence(
    plan: &Plan<'_>,
    active: &Active<'_, '_>,
    draws: &mut ChaCha12Rng,
    dealt: &mut [Dealt],
) {
    let Some(confidence) = &plan.component.confidence else {
        unstated(plan, active, draws, dealt);
        return;
    };
    let stated_at = plan.numbers.iter().position(|number| number.value.is_none());
    for decision in dealt {
        let mut temperature = confidence.temperature;
        for (planted, strength) in active {
            if let Some(factor) = planted
                .fault
                .effect
                .temperature
                .filter(|_| planted.befalls[usize::from(decision.class)])
            {
                temperature *= weakened(factor, *strength);
            }
        }
        let stated = expit(decision.log_odds * temperature);
        decision.confidence = match stated {
            stated if stated >= confidence.high => 0,
            stated if stated >= confidence.medium => 1,
            _ => 2,
        };
        if let Some(place) = stated_at {
            decision.numbers[place] = Decimal::round(stated, 4, 0);
        }
    }
}

/// The level by whether the decision succeeds, as far as labels tell; at random where they say nothing.
fn unstated(plan: &Plan<'_>, active: &Active<'_, '_>, draws: &mut ChaCha12Rng, dealt: &mut [Dealt]) {
    let told = |labels: Labels| labels.confidence != 0.0;
    if !told(plan.component.labels) && !active.iter().any(|(it, _)| told(it.fault.effect.labels)) {
        dealt
            .iter_mut()
            .for_each(|it| it.confidence = pick(&AT_RANDOM, draws.random()));
        return;
    }
    for decision in dealt {
        let deviation: f64 = StandardNormal.sample(draws);
        let drawn = deviation + apart(plan, active, decision, |it| it.confidence, decision.success);
        let below = LEVELS.iter().take_while(|level| drawn < **level).count();
        decision.confidence = below as u8;
    }
}

/// By how many standard deviations a label of the decision is moved for what comes of it: half of those that tell the two apart.
fn apart(
    plan: &Plan<'_>,
    active: &Active<'_, '_>,
    decision: &Dealt,
    of: fn(Labels) -> f64,
    is_well: bool,
) -> f64 {
    let befallen = active
        .iter()
        .filter(|(planted, _)| planted.befalls[usize::from(decision.class)]);
    let added = befallen.map(|(planted, strength)| of(planted.fault.effect.labels) * strength);
    let half = (of(plan.component.labels) + added.sum::<f64>()) / 2.0;
    if is_well { half } else { -half }
}

/// Draws how long the decisions took.
pub(crate) fn seconds(
    plan: &Plan<'_>,
    active: &Active<'_, '_>,
    draws: &mut ChaCha12Rng,
    dealt: &mut [Dealt],
) {
    for decision in dealt {
        let z: f64 = StandardNormal.sample(draws);
        let unbefallen = plan.latencies[usize::from(decision.values[METHOD])].at(z);
        let mut seconds = unbefallen;
        for (planted, strength) in active {
            let Some(slow) = planted
                .fault
                .effect
                .seconds
                .filter(|_| planted.befalls[usize::from(decision.class)])
            else {
                continue;
            };
            let befallen = slow.share >= 1.0 || draws.random::<f64>() < slow.share;
            if befallen && planted.slow.0 <= unbefallen && unbefallen < planted.slow.1 {
                seconds *= weakened(slow.factor, *strength);
            }
        }
        decision.seconds = Decimal::round(seconds, 3, 1);
    }
}

/// Draws the quality.
pub(crate) fn quality(
    plan: &Plan<'_>,
    active: &Active<'_, '_>,
    draws: &mut ChaCha12Rng,
    dealt: &mut [Dealt],
) {
    for decision in dealt {
        let Some(quality) = plan.component.methods[usize::from(decision.values[METHOD])].quality else {
            continue;
        };
        let deviation: f64 = StandardNormal.sample(draws);
        let moved = |reached| apart(plan, active, decision, |it| it.quality, reached);
        let moved = decision.label.map_or(0.0, moved);
        let mut drawn = quality.mean + quality.deviation * (deviation + moved);
        for (planted, strength) in active {
            if planted.befalls[usize::from(decision.class)] {
                drawn += planted.quality * strength;
            }
        }
        decision.quality = Some(Decimal::round(drawn.clamp(0.0, 100.0), 1, 0));
    }
}

/// Draws the declared numbers.
pub(crate) fn numbers(plan: &Plan<'_>, draws: &mut ChaCha12Rng, dealt: &mut [Dealt]) {
    let drawn = || {
        plan.numbers
            .iter()
            .enumerate()
            .filter_map(|(place, it)| Some((place, it.value?, it.decimals)))
    };
    for decision in dealt {
        for (place, value, decimals) in drawn() {
            decision.numbers[place] = Decimal::round(log_normal(value, draws), decimals, 0);
        }
    }
}

/// Draws when in the hour they were made, and of whom.
pub(crate) fn moments(draws: &mut ChaCha12Rng, dealt: &mut [Dealt]) {
    for decision in dealt {
        decision.at = draws.random_range(0..HOUR_MILLISECONDS);
        decision.lead = draws.random_range(0..LEADS);
    }
}

/// Draws which are sent twice.
pub(crate) fn repeats(active: &Active<'_, '_>, draws: &mut ChaCha12Rng, dealt: &mut [Dealt]) {
    let shares = active
        .iter()
        .filter_map(|(planted, strength)| Some(planted.fault.effect.duplicates? * strength));
    let once: f64 = shares.map(|share| 1.0 - share).product();
    if once < 1.0 {
        dealt
            .iter_mut()
            .for_each(|it| it.repeated = draws.random::<f64>() >= once);
    }
}

pub(crate) fn log_normal(of: LogNormal, draws: &mut ChaCha12Rng) -> f64 {
    let deviation: f64 = StandardNormal.sample(draws);
    of.median * libm::exp(of.sigma * deviation)
}
