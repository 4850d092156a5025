//! Changes and anomalies told of a stable metric.

use anyhow::Result;
use kaizen_findings::judge;
use kaizen_stats::{Times, analyse};

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::{add_season, ar1, history};
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 5,
    title: "False alarms a metric and week, nothing happening",
    light: false,
    score,
};

const DAYS: usize = 56;
/// Days of the period judged, and of the one before.
const PERIOD: usize = 14;
/// The first half is there to learn from: three weeks show what a week is. A run tells of the other half, and it is watched.
const LEARNT: usize = DAYS / 2 * 24;
const WEEKS: f64 = 4.0;
/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 100;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (phi, season) in [(0.0, 0.0), (0.3, 0.0), (0.6, 0.0), (0.8, 0.0), (0.6, 2.0)] {
        let what = if season > 0.0 {
            format!("φ {phi}, a day and a week")
        } else {
            format!("φ {phi}")
        };
        let counts = seeds.map(|seed| Ok(alarms(&stable(seed, phi, season))))?;
        let of = |which: usize| counts.iter().map(|counts| counts[which]).collect::<Vec<_>>();
        let export = |task| -> Result<Export> {
            let series = seeds.first(REFERRED).series(|seed| stable(seed, phi, season))?;
            Ok(Export::new(task, Kind::Rate(2.0 * WEEKS), series))
        };
        let names = [
            "steps of a run",
            "anomalies of a run",
            "steps online",
            "anomalies online",
            "steps online while learning",
        ];
        for (which, name) in names.into_iter().enumerate() {
            let cell = Cell::new(
                format!("{what}: {name}"),
                Estimate::of(Kind::Rate(WEEKS), &of(which)),
            )
            .constant("do nothing", 0.0)
            .constant("always alarm", 7.0);
            cells.push(match which {
                0 => cell.referring(export("false_steps")?),
                1 => cell.referring(export("far_values")?),
                _ => cell,
            });
        }
    }
    Ok(cells)
}

/// Noise, and a season of a day and of a week.
pub(crate) fn stable(seed: u64, phi: f64, season: f64) -> Vec<f64> {
    let mut values = ar1(seed, 0, DAYS * 24, phi);
    add_season(&mut values, 24, |_| season);
    add_season(&mut values, 168, |_| season / 2.0);
    values
}

/// Steps and anomalies of a run, steps and anomalies online, and steps online in the first half.
fn alarms(values: &[f64]) -> [f64; 5] {
    let spans = history::last(DAYS, PERIOD);
    let found = judge(&[history::hourly(values, spans)], spans);
    let hours: Vec<f64> = (0..values.len()).map(|hour| hour as f64 * 3600.0).collect();
    let online = analyse(Times::Seconds(&hours), values, true);
    let later = |indices: &mut dyn Iterator<Item = usize>| indices.filter(|at| *at >= LEARNT).count() as f64;
    [
        found.iter().map(|it| it.moves.len()).sum::<usize>() as f64,
        found.iter().map(|it| it.anomalies.len()).sum::<usize>() as f64,
        later(&mut online.change_points.iter().map(|it| it.index)),
        later(&mut online.anomalies.iter().map(|it| it.index)),
        online.change_points.iter().filter(|it| it.index < LEARNT).count() as f64,
    ]
}
