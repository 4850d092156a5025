//! How often a change that does nothing is called something when it is looked at every day.

use anyhow::Result;
use kaizen_stats::{Impact, Verdict};

use super::super::Row;
use super::{beside, exported, measure, referred};
use crate::cell::Cell;
use crate::estimate::{Estimate, Kind};
use crate::generate::change::{AFTER, Sample, Scenario, sample};
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 10,
    title: "False impact under daily looks",
    light: false,
    score,
};

/// Effects that should be called, in standard deviations.
const SIZES: [f64; 3] = [0.5, 1.0, 2.0];

/// Seeds that effects are looked at of, which says how much is missed.
const EFFECTS: u64 = 200;

/// The methods from PyPI are run on the first of so many seeds each: they measure 27 times a seed.
const REFERRED_IN: usize = 40;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for phi in [0.0, 0.3, 0.6, 0.8] {
        for controls in [0, 3] {
            let scenario = Scenario {
                controls,
                ..Scenario::plain(phi, 0.0)
            };
            let looked = seeds.map(|seed| Ok(looked(&scenario, seed)))?;
            let share = |is: fn(&Impact) -> bool| {
                let numbers = looked
                    .iter()
                    .map(|looks| f64::from(u8::from(looks.iter().any(is))));
                Estimate::of(Kind::Share, &numbers.collect::<Vec<_>>())
            };
            let name = format!("φ {phi}, {}, nothing: called at any look", beside(&scenario));
            let export = exported(&referred(seeds, REFERRED_IN), &scenario, "impact_looks")?;
            cells.push(
                Cell::new(name, share(is_called))
                    .constant("do nothing", 0.0)
                    .constant("always alarm", 1.0)
                    .beside("Kaizen: by one look", share(is_called_once))
                    .referring(export),
            );
        }
    }
    for phi in [0.3, 0.6] {
        for controls in [0, 3] {
            for effect in SIZES {
                let scenario = Scenario {
                    controls,
                    ..Scenario::plain(phi, effect)
                };
                let seeds = seeds.first(EFFECTS);
                let improved = |seed| {
                    let sample = sample(&scenario, seed);
                    let improved = looks(&sample).any(|found| found.verdict == Verdict::Improved);
                    f64::from(u8::from(improved))
                };
                let called = seeds.numbers(improved)?;
                let name = format!("φ {phi}, {}, {effect} sd: called improved", beside(&scenario));
                cells.push(
                    Cell::new(name, Estimate::of(Kind::Share, &called))
                        .constant("do nothing", 0.0)
                        .constant("always alarm", 0.5),
                );
            }
        }
    }
    Ok(cells)
}

/// What is found on each day after the change, from the first on which there is anything.
fn looks(sample: &Sample) -> impl Iterator<Item = Impact> {
    (1..=AFTER).filter_map(|days| measure(sample, days, None))
}

fn looked(scenario: &Scenario, seed: u64) -> Vec<Impact> {
    looks(&sample(scenario, seed)).collect()
}

fn is_called(found: &Impact) -> bool {
    matches!(found.verdict, Verdict::Improved | Verdict::Worse)
}

fn is_called_once(found: &Impact) -> bool {
    found.interval.0 > 0.0 || found.interval.1 < 0.0
}
