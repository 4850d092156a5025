//! What is expected of a slice of a component's decisions, and how much its daily metrics vary.

use super::nodes::{self, Node};
use super::odds::{Active, class_log_odds, fates, shares};
use super::plan::{Plan, WEEK, expit};
use crate::scenario::{Scenario, Shocked};

const DAY: usize = 24;
/// Points of the distribution of season and shocks.
const POINTS: usize = 24;
/// Step of the numerical derivative by log-odds.
const STEP: f64 = 0.01;

/// A rate of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// Carried out, of all.
    Success,
    /// Aim reached, of the labelled ones.
    Approval,
}

impl Rate {
    fn of(self, fates: [f64; 3]) -> f64 {
        match self {
            Self::Success => fates[1] + fates[2],
            Self::Approval => fates[1],
        }
    }
}

/// What is expected of a component.
pub(crate) struct Expectation<'e, 'a> {
    plan: &'e Plan<'a>,
    scenario: &'e Scenario,
    /// Decisions for each unit of the plan's volume.
    scale: f64,
    /// Season and shocks, as they are met by decisions.
    around: Vec<Node>,
}

impl<'e, 'a> Expectation<'e, 'a> {
    pub(crate) fn new(plan: &'e Plan<'a>, scenario: &'e Scenario, scale: f64) -> Self {
        let whole: f64 = plan.volume.iter().sum();
        let season = plan.season.iter().zip(&plan.volume).map(|(at, volume)| Node {
            at: *at,
            weight: volume / whole,
        });
        let on_outcome = scenario
            .noise
            .shocks
            .iter()
            .filter(|shock| shock.on == Shocked::Outcome);
        let variance: f64 = on_outcome.map(|shock| shock.sd * shock.sd).sum();
        let around = nodes::sum(
            &season.collect::<Vec<_>>(),
            &nodes::normal(variance.sqrt()),
            POINTS,
        );
        Self {
            plan,
            scenario,
            scale,
            around,
        }
    }

    /// The mean probability of a class of these log-odds.
    pub(crate) fn probability(&self, class: usize, log_odds: f64) -> f64 {
        let nodes = &self.plan.classes[class].nodes;
        let pair =
            |around: &Node, node: &Node| around.weight * node.weight * expit(log_odds + around.at + node.at);
        let at = |around: &Node| nodes.iter().map(|node| pair(around, node)).sum::<f64>();
        self.around.iter().map(at).sum()
    }

    /// Share of the decisions that are within, and the number of them in a mean day.
    pub(crate) fn decisions(&self, within: &[bool], active: &Active<'_, '_>) -> (f64, f64) {
        let (shares, factor) = shares(self.plan, active);
        let share: f64 = shares.iter().zip(within).filter(|it| *it.1).map(|it| it.0).sum();
        let a_day = self.scale * self.plan.volume.iter().sum::<f64>() * DAY as f64 / WEEK as f64;
        (share, a_day * factor * share)
    }

    /// The expected rate within.
    pub(crate) fn rate(&self, rate: Rate, within: &[bool], active: &Active<'_, '_>) -> f64 {
        let at = |around: &Node| around.weight * self.rate_at(rate, within, active, around.at);
        self.around.iter().map(at).sum()
    }

    /// The expected rate within, with so much added to the log-odds of success and approval of each class.
    pub(crate) fn rate_with(&self, rate: Rate, within: &[bool], success: &[f64], approval: &[f64]) -> f64 {
        let (mut sum, mut whole) = (0.0, 0.0);
        for (index, class) in self
            .plan
            .classes
            .iter()
            .enumerate()
            .filter(|(class, _)| within[*class])
        {
            let base = self.plan.log_odds(class.method);
            let at = |around: &Node| {
                let log_odds = (
                    base.0 + around.at + success[index],
                    base.1 + around.at + approval[index],
                );
                around.weight * rate.of(fates(class, log_odds))
            };
            sum += class.share * self.around.iter().map(at).sum::<f64>();
            whole += class.share;
        }
        if whole > 0.0 { sum / whole } else { 0.0 }
    }

    fn rate_at(&self, rate: Rate, within: &[bool], active: &Active<'_, '_>, around: f64) -> f64 {
        let (shares, _) = shares(self.plan, active);
        let (mut sum, mut whole) = (0.0, 0.0);
        for (class, share) in shares.iter().enumerate().filter(|(class, _)| within[*class]) {
            let log_odds = class_log_odds(self.plan, class, around, active);
            sum += share * rate.of(fates(&self.plan.classes[class], log_odds));
            whole += share;
        }
        if whole > 0.0 { sum / whole } else { 0.0 }
    }

    /// Standard deviation of the daily rate within, about its season, as long as nothing befalls it: of independent decisions, and
    /// of the shocks of its hours, to first order.
    pub(crate) fn deviation(&self, rate: Rate, within: &[bool]) -> f64 {
        let nothing = Vec::new();
        let (share, _) = self.decisions(within, &nothing);
        let counted = match rate {
            Rate::Success => share,
            Rate::Approval => share * self.plan.component.labelled,
        };
        let hours: Vec<_> = (0..WEEK)
            .map(|hour| {
                let at = |around: f64| self.rate_at(rate, within, &nothing, self.plan.season[hour] + around);
                let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
                (self.scale * self.plan.volume[hour] * counted, at(0.0), slope)
            })
            .collect();
        let days = hours.chunks(DAY).enumerate().map(|(day, hours)| {
            let whole: f64 = hours.iter().map(|hour| hour.0).sum();
            let independent: f64 = hours.iter().map(|(n, p, _)| n * p * (1.0 - p)).sum();
            let moved: Vec<f64> = hours.iter().map(|(n, _, slope)| n * slope / whole).collect();
            independent / (whole * whole) + self.shocked(&moved, day * DAY, within)
        });
        // A day without any decisions has no rate.
        let days: Vec<f64> = days.filter(|variance| variance.is_finite()).collect();
        (days.iter().sum::<f64>() / days.len().max(1) as f64).sqrt()
    }

    /// Variance of a sum of the shocks of consecutive hours with these weights.
    fn shocked(&self, weights: &[f64], first: usize, within: &[bool]) -> f64 {
        let on_outcome = self.scenario.noise.shocks.iter().zip(&self.plan.shocked_by);
        let variance = on_outcome
            .filter(|(shock, _)| shock.on == Shocked::Outcome)
            .map(|(shock, axis)| {
                let step = |hour: usize| ((first + hour) / shock.every_hours as usize) as i32;
                let mut sum = 0.0;
                for (one, a) in weights.iter().enumerate() {
                    for (other, b) in weights.iter().enumerate() {
                        sum += a * b * shock.phi.powi((step(one) - step(other)).abs());
                    }
                }
                let own = axis.map_or(0.0, |_| 1.0 - shock.correlation);
                let alike = axis.map_or(0.0, |axis| self.alike(axis, within));
                sum * shock.sd * shock.sd * (1.0 - own + own * alike)
            });
        variance.sum()
    }

    /// Probability that two decisions within have the same value of an axis.
    fn alike(&self, axis: usize, within: &[bool]) -> f64 {
        let mut shares = vec![0.0; self.plan.axes[axis].values.len()];
        for (class, _) in self.plan.classes.iter().zip(within).filter(|it| *it.1) {
            shares[usize::from(class.fixed[axis])] += class.share;
        }
        let whole: f64 = shares.iter().sum();
        shares.iter().map(|share| (share / whole).powi(2)).sum()
    }

    /// Standard deviation of the number of decisions within a day, about its season.
    pub(crate) fn deviation_of_number(&self, within: &[bool]) -> f64 {
        let (share, a_day) = self.decisions(within, &Vec::new());
        let noise = &self.scenario.noise;
        let day = |first: usize| {
            let hours: Vec<f64> = (first..first + DAY)
                .map(|hour| self.scale * self.plan.volume[hour] * share)
                .collect();
            let dispersed: f64 = hours
                .iter()
                .map(|n| n * n * noise.dispersion * noise.dispersion)
                .sum();
            let on_volume = noise.shocks.iter().filter(|shock| shock.on == Shocked::Volume);
            let shocked = on_volume.map(|shock| {
                let step = |hour: usize| ((first + hour) / shock.every_hours as usize) as i32;
                let pair = |one: usize, other: usize| {
                    let correlation = shock.phi.powi((step(one) - step(other)).abs());
                    hours[one] * hours[other] * libm::expm1(shock.sd * shock.sd * correlation)
                };
                (0..DAY)
                    .flat_map(|one| (0..DAY).map(move |other| (one, other)))
                    .map(|(a, b)| pair(a, b))
                    .sum::<f64>()
            });
            dispersed + shocked.sum::<f64>()
        };
        let days = WEEK / DAY;
        (a_day + (0..days).map(|it| day(it * DAY)).sum::<f64>() / days as f64).sqrt()
    }
}
