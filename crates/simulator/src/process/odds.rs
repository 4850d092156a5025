//! What an hour's decisions are: shares of the classes, and of success and approval in each.

use super::class::Class;
use super::plan::{Plan, WEEK};
use super::plant::{Planted, weakened};
use super::shock::{self, Path};
use crate::scenario::Scenario;

/// What may become of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Failed,
    /// Carried out, and the aim reached.
    Reached,
    /// Carried out, and the aim missed.
    Missed,
}

/// All fates, in the order of [`Odds::joint`].
pub(crate) const FATES: [Fate; 3] = [Fate::Failed, Fate::Reached, Fate::Missed];

/// Faults and how strong they are.
pub(crate) type Active<'p, 'a> = Vec<(&'p Planted<'a>, f64)>;

/// The faults that hold in an hour.
pub(crate) fn active<'p, 'a>(plan: &'p Plan<'a>, scenario: &Scenario, hour: usize) -> Active<'p, 'a> {
    let strong = |planted: &'p Planted<'a>| (planted, planted.strength(scenario, hour));
    plan.planted.iter().map(strong).filter(|it| it.1 != 0.0).collect()
}

/// Shares of the classes in all decisions, 1 in sum, and the factor on the number of all decisions.
pub(crate) fn shares(plan: &Plan<'_>, active: &Active<'_, '_>) -> (Vec<f64>, f64) {
    let mut shares: Vec<f64> = plan.classes.iter().map(|class| class.share).collect();
    let mut volume = 1.0;
    for (planted, strength) in active {
        for (factor, counts) in [
            (planted.fault.effect.mix, false),
            (planted.fault.effect.volume, true),
        ] {
            let Some(factor) = factor.map(|factor| weakened(factor, *strength)) else {
                continue;
            };
            let befallen = shares.iter_mut().zip(&planted.befalls).filter(|it| *it.1);
            befallen.for_each(|(share, _)| *share *= factor);
            let whole: f64 = shares.iter().sum();
            if whole > 0.0 {
                shares.iter_mut().for_each(|share| *share /= whole);
            } else {
                plan.classes
                    .iter()
                    .zip(&mut shares)
                    .for_each(|(class, share)| *share = class.share);
            }
            if counts {
                volume *= whole;
            }
        }
    }
    (shares, volume)
}

/// What an hour's decisions are.
pub(crate) struct Odds {
    /// Probability of each class together with each fate.
    pub joint: Vec<[f64; 3]>,
    /// Probability of each fate.
    pub fates: [f64; 3],
    /// Log-odds of success and approval of each class, before what its values add.
    pub log_odds: Vec<(f64, f64)>,
}

impl Odds {
    pub(crate) fn of(plan: &Plan<'_>, paths: &[Path<'_>], hour: usize, active: &Active<'_, '_>) -> Self {
        let (shares, _) = shares(plan, active);
        let mut odds = Self {
            joint: Vec::with_capacity(shares.len()),
            fates: [0.0; 3],
            log_odds: Vec::with_capacity(shares.len()),
        };
        let season = plan.season[hour % WEEK];
        for (index, share) in shares.into_iter().enumerate() {
            let around = season + shock::outcome(paths, plan, index, hour);
            let log_odds = class_log_odds(plan, index, around, active);
            let fates = fates(&plan.classes[index], log_odds).map(|fate| share * fate);
            odds.fates
                .iter_mut()
                .zip(fates)
                .for_each(|(sum, fate)| *sum += fate);
            odds.joint.push(fates);
            odds.log_odds.push(log_odds);
        }
        odds
    }
}

/// Log-odds of success and approval of a class, with `around` added to both and what is planted.
pub(crate) fn class_log_odds(
    plan: &Plan<'_>,
    class: usize,
    around: f64,
    active: &Active<'_, '_>,
) -> (f64, f64) {
    let (mut success, mut approval) = plan.log_odds(plan.classes[class].method);
    success += around;
    approval += around;
    for (planted, strength) in active {
        success += planted.success[class] * strength;
        approval += planted.approval[class] * strength;
    }
    (success, approval)
}

/// Probability of each fate, over what the values add.
pub(crate) fn fates(class: &Class, (success, approval): (f64, f64)) -> [f64; 3] {
    let (success, approval) = (libm::exp(-success), libm::exp(-approval));
    let mut fates = [0.0; 3];
    for (node, added) in class.nodes.iter().zip(&class.exponentials) {
        // 1 ÷ (1 + e^−(x+v)), with the exponential of v ready.
        let carried_out = 1.0 / (1.0 + success * added);
        let reached = carried_out / (1.0 + approval * added);
        fates[0] += node.weight * (1.0 - carried_out);
        fates[1] += node.weight * reached;
        fates[2] += node.weight * (carried_out - reached);
    }
    fates
}
