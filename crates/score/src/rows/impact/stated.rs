//! Whether the stated probability of a rise is what it says.

use anyhow::Result;

use super::super::Row;
use super::{REFERRED_IN, beside, export, flat, measure, referred};
use crate::cell::Cell;
use crate::estimate::{CAME_TRUE, Estimate, Kind};
use crate::generate::change::{AFTER, Sample, Scenario, sample};
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 11,
    title: "Stated P(effect > 0): expected calibration error",
    light: false,
    score,
};

/// Effects in standard deviations: as many falls as rises, and nothing or rises.
const EITHER_SIGN: [f64; 8] = [0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0];
const NONE_OR_RISE: [f64; 5] = [0.0, 0.25, 0.5, 1.0, 2.0];

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (name, effects) in [
        ("of either sign", &EITHER_SIGN[..]),
        ("none, or a rise", &NONE_OR_RISE),
    ] {
        for phi in [0.0, 0.2, 0.5, 0.6] {
            for controls in [0, 3] {
                let scenario = Scenario {
                    controls,
                    ..Scenario::plain(phi, 0.0)
                };
                let numbers = seeds.map(|seed| {
                    let samples = samples(&scenario, effects, seed);
                    Ok(samples.iter().map(stated).collect::<Vec<f64>>())
                })?;
                let kind = Kind::Stated(effects.len());
                let series = referred(seeds, REFERRED_IN).map(|seed| {
                    let samples = samples(&scenario, effects, seed);
                    Ok(samples.iter().map(flat).collect::<Vec<_>>())
                })?;
                let rises = effects.iter().filter(|effect| **effect > 0.0).count() as f64;
                cells.push(
                    Cell::new(
                        format!("{name}, φ {phi}, {}", beside(&scenario)),
                        Estimate::of(kind, &numbers.concat()),
                    )
                    .constant("do nothing", (rises / effects.len() as f64 - 0.5).abs())
                    .constant("always alarm", 1.0 - rises / effects.len() as f64)
                    .referring(export("impact_stated", kind, series.concat())),
                );
            }
        }
    }
    Ok(cells)
}

/// A series for each effect, each with noise of its own.
fn samples(scenario: &Scenario, effects: &[f64], seed: u64) -> Vec<Sample> {
    let one = |(number, effect): (u64, &f64)| {
        let scenario = Scenario {
            effect: *effect,
            sample: number,
            ..*scenario
        };
        sample(&scenario, seed)
    };
    (0..).zip(effects).map(one).collect()
}

fn stated(sample: &Sample) -> f64 {
    measure(sample, AFTER, None).map_or(f64::NAN, |found| {
        found.p_positive + if sample.truth > 0.0 { CAME_TRUE } else { 0.0 }
    })
}
