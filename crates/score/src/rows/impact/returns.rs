//! Whether what is called a gain is one, and a loss, and how often anything is called.

use anyhow::Result;
use kaizen_stats::{Economics, Investment, Return, Uncertain, roi};

use super::super::Row;
use super::{REFERRED_IN, beside, export, flat, measure, referred};
use crate::cell::Cell;
use crate::estimate::{Estimate, Kind};
use crate::generate::change::{AFTER, BEFORE, Sample, Scenario, sample};
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 12,
    title: "The sign of a return, when it is decided",
    light: false,
    score,
};

/// Effects in standard deviations, each worth 1 a day; and costs a day, near and far from them.
const SIZES: [f64; 5] = [0.0, 0.25, 0.5, 1.0, 2.0];
const COSTS: [f64; 3] = [0.0, 0.3, 0.8];

/// A change and what it costs a day.
struct Case {
    sample: Sample,
    cost: f64,
}

impl Case {
    /// What it brings a day.
    fn net(&self) -> f64 {
        self.sample.truth - self.cost
    }
}

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for phi in [0.2, 0.5] {
        for controls in [0, 3] {
            let scenario = Scenario {
                controls,
                ..Scenario::plain(phi, 0.0)
            };
            let found = seeds.map(|seed| {
                let found = cases(&scenario, seed).into_iter();
                Ok(found
                    .map(|case| (case.net(), returned(&case)))
                    .collect::<Vec<_>>())
            })?;
            let series = referred(seeds, REFERRED_IN).map(|seed| {
                let cases = cases(&scenario, seed);
                Ok(cases.iter().map(less_cost).collect::<Vec<_>>())
            })?;
            let (found, series) = (found.concat(), series.concat());
            let gains = found.iter().filter(|(net, _)| *net > 0.0).count() as f64 / found.len() as f64;
            let name = format!("φ {phi}, {}", beside(&scenario));
            let cell =
                |what: &str, number: fn(&(f64, Option<Return>)) -> f64, task| {
                    let numbers: Vec<f64> = found.iter().map(number).collect();
                    Cell::new(format!("{name}: {what}"), Estimate::of(Kind::Share, &numbers))
                        .referring(export(task, Kind::Share, series.clone()))
                };
            cells.extend([
                cell("decided", decided, "return_decided")
                    .constant("do nothing", 0.0)
                    .constant("always alarm", 1.0),
                cell("right when decided", right, "return_right").constant("always alarm", gains),
                cell("interval holds the return", holds, "impact_held").constant("do nothing", 1.0),
            ]);
        }
    }
    Ok(cells)
}

/// A change of each size, with noise of its own and one of the costs; not one that is neither gain nor loss.
fn cases(scenario: &Scenario, seed: u64) -> Vec<Case> {
    let one = |(number, effect): (u64, f64)| {
        let scenario = Scenario {
            effect,
            sample: number,
            ..*scenario
        };
        Case {
            sample: sample(&scenario, seed),
            cost: COSTS[((seed + number) % COSTS.len() as u64) as usize],
        }
    };
    let cases = (0..).zip(SIZES).map(one);
    cases.filter(|case| case.net() != 0.0).collect()
}

fn returned(case: &Case) -> Option<Return> {
    let days = AFTER as f64;
    let economics = Economics {
        volume: Uncertain::Known(days),
        unit_value: Some(Uncertain::Known(1.0)),
        investment: Investment {
            hours: case.cost * days,
            rate: 1.0,
            running: 0.0,
        },
        days,
    };
    let found = measure(&case.sample, AFTER, None)?;
    roi(&Uncertain::Measured(found.posterior), &economics)
}

/// The same to a method that knows no costs: they are taken off each day after.
fn less_cost(case: &Case) -> Vec<f64> {
    let mut sample = case.sample.clone();
    sample.truth = case.net();
    sample.values[BEFORE..]
        .iter_mut()
        .for_each(|value| *value -= case.cost);
    flat(&sample)
}

fn decided((_, found): &(f64, Option<Return>)) -> f64 {
    f64::from(u8::from(found.is_some_and(|found| found.gain.is_some())))
}

/// NaN where nothing is decided.
fn right((net, found): &(f64, Option<Return>)) -> f64 {
    let gain = found.and_then(|found| found.gain);
    gain.map_or(f64::NAN, |gain| f64::from(u8::from(gain == (*net > 0.0))))
}

fn holds((net, found): &(f64, Option<Return>)) -> f64 {
    let net = net * AFTER as f64;
    let holds = found.is_some_and(|found| found.interval.0 <= net && net <= found.interval.1);
    f64::from(u8::from(holds))
}
