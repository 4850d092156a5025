//! How often a season that changes is called a trend.

use anyhow::Result;
use kaizen_findings::{Direction, judge};
use kaizen_stats::{Times, analyse};

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::{add_season, ar1, history};
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 3,
    title: "A season that changes called a trend",
    light: false,
    score,
};

/// Height of the season at first, in standard deviations of the noise.
const HEIGHT: f64 = 2.0;
/// How many times as high it is after half of the series: from three times to turned round.
const AFTER: [f64; 5] = [3.0, 0.3, 0.0, -1.0, 1.0];
/// Days of the period judged, and of the one before.
const PERIOD: usize = 7;
/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 200;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (days, phi) in [(28, 0.0), (28, 0.6), (90, 0.0), (90, 0.6)] {
        for after in AFTER {
            let called = seeds.numbers(|seed| judged(&changing(seed, days, phi, 7, after), days))?;
            let series = seeds
                .first(REFERRED)
                .series(|seed| changing(seed, days, phi, 7, after))?;
            cells.push(
                Cell::new(
                    format!("{days} days, φ {phi}, week {after} × as high"),
                    Estimate::of(Kind::Share, &called),
                )
                .constant("do nothing", 0.0)
                .constant("always alarm", 1.0)
                .referring(Export::new("trend", Kind::Share, series)),
            );
        }
    }
    for (hours, phi) in [(672, 0.6), (1344, 0.6)] {
        for after in AFTER {
            let called = seeds.numbers(|seed| analysed(&changing(seed, hours, phi, 24, after)))?;
            cells.push(
                Cell::new(
                    format!("{hours} hours, φ {phi}, day {after} × as high"),
                    Estimate::of(Kind::Share, &called),
                )
                .constant("do nothing", 0.0)
                .constant("always alarm", 1.0),
            );
        }
    }
    Ok(cells)
}

/// Noise and a season that is `after` times as high from the middle on.
pub(crate) fn changing(seed: u64, n: usize, phi: f64, period: usize, after: f64) -> Vec<f64> {
    let mut values = ar1(seed, 0, n, phi);
    add_season(&mut values, period, |step| {
        HEIGHT * if step < n / 2 { 1.0 } else { after }
    });
    values
}

/// 1 if a run over the days says that the metric improves or declines.
fn judged(values: &[f64], days: usize) -> f64 {
    let spans = history::last(days, PERIOD);
    let found = judge(&[history::daily(values, spans)], spans);
    let moves = |direction| matches!(direction, Direction::Improving | Direction::Declining);
    f64::from(u8::from(found.iter().any(|it| moves(it.trend.direction))))
}

/// 1 if the series of hours is said to rise or fall.
fn analysed(values: &[f64]) -> f64 {
    let hours: Vec<f64> = (0..values.len()).map(|hour| hour as f64 * 3600.0).collect();
    let direction = analyse(Times::Seconds(&hours), values, false).direction();
    f64::from(u8::from(direction != kaizen_stats::Direction::Stable))
}
