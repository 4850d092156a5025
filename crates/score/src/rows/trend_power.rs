//! How often a ramp is called a trend.

use anyhow::Result;
use kaizen_stats::trend;

use super::Row;
use super::trend_size::STREAMS;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::ar1;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 2,
    title: "A ramp called a rising trend at 5 %",
    light: true,
    score,
};

/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 400;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (n, phi) in [(90, 0.6), (28, 0.3)] {
        for rise in [0.25, 0.5, 1.0, 2.0] {
            let hits = seeds.numbers_of(STREAMS, |seed, stream| {
                let found = trend(&ramp((seed, stream), n, phi, rise));
                f64::from(u8::from(
                    found.is_some_and(|trend| trend.p_value < 0.05 && trend.score > 0.0),
                ))
            })?;
            let series = seeds
                .first(REFERRED)
                .series(|seed| ramp((seed, 0), n, phi, rise))?;
            cells.push(
                Cell::new(
                    format!("n {n}, φ {phi}, {rise} sd"),
                    Estimate::of(Kind::Share, &hits),
                )
                .constant("do nothing", 0.0)
                .constant("always alarm", 0.5)
                .referring(Export::new("rising", Kind::Share, series)),
            );
        }
    }
    Ok(cells)
}

/// Noise on a line that rises by so many of its standard deviations in all.
pub(crate) fn ramp((seed, stream): (u64, u64), n: usize, phi: f64, rise: f64) -> Vec<f64> {
    let mut values = ar1(seed, stream, n, phi);
    for (step, value) in values.iter_mut().enumerate() {
        *value += rise * step as f64 / (n - 1) as f64;
    }
    values
}
