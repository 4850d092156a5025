//! Whether the hour of a step is found.

use anyhow::Result;
use kaizen_findings::judge;

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::{ar1, history};
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 6,
    title: "A step located within 24 hours, hourly values, φ 0.5",
    light: false,
    score,
};

const PHI: f64 = 0.5;
/// How far off the step may be told, in hours.
const NEAR: usize = 24;
/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 400;

/// Hours, the hour of the step, and days of the period judged: the step lies in it or in the one before.
const LENGTHS: [(usize, usize, usize); 2] = [(1344, 900, 28), (2112, 1440, 28)];

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (hours, at, period) in LENGTHS {
        for height in [0.25, 0.5, 1.0, 2.0] {
            let found = seeds.map(|seed| Ok(located(&step(seed, hours, at, height), at, period)))?;
            let name = format!("{height} sd at {at} of {hours} h");
            let hits: Vec<f64> = found.iter().map(|(hit, _)| *hit).collect();
            let others: Vec<f64> = found.iter().map(|(_, others)| *others).collect();
            let series = seeds
                .first(REFERRED)
                .series(|seed| step(seed, hours, at, height))?;
            cells.push(
                Cell::new(&name, Estimate::of(Kind::Share, &hits))
                    .constant("do nothing", 0.0)
                    .constant("always alarm", 1.0)
                    .referring(Export::new("step_located", Kind::Share, series).with("at", at as f64)),
            );
            let series = seeds
                .first(REFERRED)
                .series(|seed| step(seed, hours, at, height))?;
            cells.push(
                Cell::new(
                    format!("{name}: others told besides"),
                    Estimate::of(Kind::Rate(1.0), &others),
                )
                .constant("do nothing", 0.0)
                .constant("always alarm", (2 * period - 1) as f64)
                .referring(Export::new("steps_besides", Kind::Rate(1.0), series).with("at", at as f64)),
            );
        }
    }
    Ok(cells)
}

/// Noise whose level rises once.
pub(crate) fn step(seed: u64, hours: usize, at: usize, height: f64) -> Vec<f64> {
    let mut values = ar1(seed, 0, hours, PHI);
    values[at..].iter_mut().for_each(|value| *value += height);
    values
}

/// 1 if a rise is told within a day of the step, and how many other changes are told.
fn located(values: &[f64], at: usize, period: usize) -> (f64, f64) {
    let spans = history::last(values.len() / 24, period);
    let found = judge(&[history::hourly(values, spans)], spans);
    let moves: Vec<_> = found.iter().flat_map(|it| &it.moves).collect();
    let hit = moves
        .iter()
        .any(|it| it.effect > 0.0 && history::hour_of(it.at).abs_diff(at) <= NEAR);
    let hit = usize::from(hit);
    (hit as f64, (moves.len() - hit) as f64)
}
