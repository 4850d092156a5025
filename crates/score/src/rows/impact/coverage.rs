//! How often the interval of an effect holds it.

use anyhow::Result;

use super::super::Row;
use super::{REFERRED_IN, beside, exported, found, held, referred};
use crate::cell::Cell;
use crate::generate::change::Scenario;
use crate::seeds::Seeds;

pub(in crate::rows) const ROW: Row = Row {
    number: 9,
    title: "The 95 % interval of a change's effect holds it",
    light: false,
    score,
};

/// Effects in standard deviations.
const SIZES: [f64; 5] = [0.0, 0.25, 0.5, 1.0, 2.0];

/// Effect where all sizes would make the table long.
const MIDDLE: f64 = 0.5;

/// Controls and how alike, besides those that are scored with all sizes.
const CONTROLS: [(usize, f64); 6] = [(1, 0.3), (1, 0.6), (1, 0.8), (3, 0.3), (3, 0.8), (8, 0.6)];

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (number, (name, scenario)) in (0..).zip(scenarios()) {
        // Each cell has noise of its own: an effect is only added to it.
        let scenario = Scenario {
            sample: number,
            ..scenario
        };
        let cell = held(&name, &found(seeds, &scenario)?);
        let export = exported(&referred(seeds, REFERRED_IN), &scenario, "impact_held")?;
        cells.push(cell.referring(export));
    }
    Ok(cells)
}

fn scenarios() -> Vec<(String, Scenario)> {
    let mut scenarios = Vec::new();
    for phi in [0.0, 0.3, 0.6, 0.8] {
        let name = |scenario: &Scenario| format!("φ {phi}, {}, {} sd", beside(scenario), scenario.effect);
        for controls in [0, 3] {
            let sizes = if phi > 0.6 { &[MIDDLE][..] } else { &SIZES };
            scenarios.extend(sizes.iter().map(|effect| {
                let scenario = Scenario {
                    controls,
                    ..Scenario::plain(phi, *effect)
                };
                (name(&scenario), scenario)
            }));
        }
        if phi > 0.6 {
            continue;
        }
        scenarios.extend(CONTROLS.map(|(controls, alike)| {
            let scenario = Scenario {
                controls,
                alike,
                ..Scenario::plain(phi, MIDDLE)
            };
            (name(&scenario), scenario)
        }));
        let week = Scenario {
            week: (1.0, 1.0),
            ..Scenario::plain(phi, MIDDLE)
        };
        scenarios.push((format!("{}, a week's course of 1 sd", name(&week)), week));
    }
    scenarios
}
