//! How long a step takes to be told when only the past is known.

use anyhow::Result;
use kaizen_stats::{Times, analyse};

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::ar1;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 7,
    title: "Delay of steps told online, against Lorden's bound",
    light: false,
    score,
};

/// 60 days before the step, and 28 after.
const HOURS: usize = 2112;
const AT: usize = 1440;
/// Hours between false alarms that the bound is of: 50 weeks.
const BETWEEN_FALSE: f64 = 8400.0;
/// How many bounds may pass.
const ALLOWED: f64 = 1.5;
/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 40;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (phi, height) in [
        (0.0, 0.5),
        (0.0, 1.0),
        (0.3, 1.0),
        (0.5, 1.0),
        (0.5, 2.0),
        (0.8, 1.0),
        (0.8, 2.0),
    ] {
        let bound = 2.0 * BETWEEN_FALSE.ln() * (1.0 + phi) / (1.0 - phi) / (height * height);
        let delays = seeds.numbers(|seed| delay(&step(seed, phi, height)))?;
        let ratios: Vec<f64> = delays.iter().map(|delay| delay / bound).collect();
        let within = |delay: &f64| f64::from(u8::from(*delay <= (ALLOWED * bound).max(24.0)));
        let within: Vec<f64> = delays.iter().map(within).collect();
        let what = format!("φ {phi}, {height} sd (bound {bound:.0} h)");
        let export = |task, kind| -> Result<Export> {
            let series = seeds.first(REFERRED).series(|seed| step(seed, phi, height))?;
            let export = Export::new(task, kind, series);
            Ok(export
                .with("at", AT as f64)
                .with("bound", bound)
                .with("allowed", ALLOWED))
        };
        cells.push(
            Cell::new(
                format!("{what}: mean delay ÷ bound"),
                Estimate::of(Kind::Mean, &ratios),
            )
            .constant("do nothing", (HOURS - AT) as f64 / bound)
            .constant("always alarm", 0.0)
            .referring(export("online_delay", Kind::Mean)?),
        );
        cells.push(
            Cell::new(
                format!("{what}: told in time"),
                Estimate::of(Kind::Share, &within),
            )
            .constant("do nothing", 0.0)
            .constant("always alarm", 1.0)
            .referring(export("online_within", Kind::Share)?),
        );
    }
    for phi in [0.0, 0.5, 0.8] {
        let counts = seeds.numbers(|seed| told(&ar1(seed, 0, HOURS, phi)).count() as f64)?;
        let series = seeds.first(REFERRED).series(|seed| ar1(seed, 0, HOURS, phi))?;
        let weeks = HOURS as f64 / 168.0;
        cells.push(
            Cell::new(
                format!("φ {phi}, no step: told a week"),
                Estimate::of(Kind::Rate(weeks), &counts),
            )
            .constant("do nothing", 0.0)
            .constant("always alarm", 7.0)
            .referring(Export::new("online_false", Kind::Rate(weeks), series)),
        );
    }
    Ok(cells)
}

pub(crate) fn step(seed: u64, phi: f64, height: f64) -> Vec<f64> {
    let mut values = ar1(seed, 0, HOURS, phi);
    values[AT..].iter_mut().for_each(|value| *value += height);
    values
}

/// Hours until a rise is told, with the one it is told in; one never told counts as told at the end.
fn delay(values: &[f64]) -> f64 {
    let first = told(values).find(|(at, effect)| *at >= AT && *effect > 0.0);
    first.map_or(HOURS - AT, |(at, _)| at + 1 - AT) as f64
}

/// Hour and effect of every change told.
fn told(values: &[f64]) -> impl Iterator<Item = (usize, f64)> {
    let hours: Vec<f64> = (0..values.len()).map(|hour| hour as f64 * 3600.0).collect();
    let found = analyse(Times::Seconds(&hours), values, true);
    found
        .change_points
        .into_iter()
        .map(|change| (change.index, change.effect))
}
