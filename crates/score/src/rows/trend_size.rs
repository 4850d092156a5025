//! How often noise is called a trend.

use anyhow::Result;
use kaizen_stats::trend;

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::ar1;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 1,
    title: "Noise called a trend at 5 %",
    light: true,
    score,
};

/// Series of a seed.
pub(super) const STREAMS: u64 = 4;

/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 400;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for n in [28, 90, 168] {
        for phi in [0.0, 0.3, 0.6] {
            let called = seeds.numbers_of(STREAMS, |seed, stream| called(&ar1(seed, stream, n, phi)))?;
            let series = seeds.first(REFERRED).series(|seed| ar1(seed, 0, n, phi))?;
            cells.push(
                Cell::new(format!("n {n}, φ {phi}"), Estimate::of(Kind::Share, &called))
                    .constant("do nothing", 0.0)
                    .constant("always alarm", 1.0)
                    .referring(Export::new("trend", Kind::Share, series)),
            );
        }
    }
    Ok(cells)
}

/// 1 if the series is called a trend.
fn called(values: &[f64]) -> f64 {
    f64::from(u8::from(trend(values).is_some_and(|trend| trend.p_value < 0.05)))
}
