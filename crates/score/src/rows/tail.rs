//! Whether a slower tail is told from a slower whole, within two days.

use anyhow::Result;
use kaizen_simulator::{Process, Wanted};
use kaizen_stats::{TailShift, tail_shift};

use super::Row;
use crate::cell::Cell;
use crate::estimate::{Estimate, Kind};
use crate::generate::fleet;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 16,
    title: "A tail 30 % slower told as such within two days",
    light: false,
    score,
};

/// A week before.
const BEFORE: usize = 168;
const DAY: usize = 24;
const TAIL: f64 = 0.99;
/// Chance to call a tail moved, and the least movement that counts.
const JUDGED: (f64, f64) = (0.001, 0.1);
/// How many times the variance of counts is taken to be that of independent ones.
const DISPERSION: f64 = 1.5;

/// What is planted, in an hour of the component's, and what for: nothing, the slowest 3 % 30 % slower, all 30 % slower.
const PLANTED: [(&str, &str); 3] = [
    ("the tail 30 % slower", "{seconds: {factor: 1.3, above: 0.97}}"),
    ("nothing", "{success: 0}"),
    ("everything 30 % slower", "{seconds: {factor: 1.3}}"),
];

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (all, of) in [(60_000, "20,000"), (20_000, "6,667")] {
        for (name, effect) in PLANTED {
            let found = seeds.map(|seed| told(seed, all, effect))?;
            let share = |hit: &dyn Fn(&[Option<TailShift>; 2]) -> bool| {
                let hits: Vec<f64> = found
                    .iter()
                    .map(|found| f64::from(u8::from(hit(found))))
                    .collect();
                Estimate::of(Kind::Share, &hits)
            };
            let alone = |it: &Option<TailShift>| it.is_some_and(|it| it.tail_alone);
            let rose = |it: &Option<TailShift>| it.is_some_and(|it| it.tail.change >= JUDGED.1);
            cells.push(
                Cell::new(
                    format!("{of} a day, {name}: told as a slower tail"),
                    share(&|it| it.iter().any(alone)),
                )
                .constant("do nothing", 0.0)
                .constant("always alarm", 1.0)
                .beside("on the first day", share(&|it| alone(&it[0])))
                .beside("p99 rose by 10 %", share(&|it| it.iter().any(rose))),
            );
        }
    }
    Ok(cells)
}

/// What is told after one day of the fault, and after two.
fn told(seed: u64, events: usize, effect: &str) -> Result<[Option<TailShift>; 2]> {
    let assignments = [
        "days=9".to_owned(),
        format!("events_per_day={events}"),
        "faults.0.from=2026-01-12T00:00:00Z".to_owned(),
        format!("faults.0.effect={effect}"),
    ];
    let scenario = fleet::scenario("effects/latency-p99.yaml", &assignments)?;
    let process = Process::new(&scenario, seed);
    let component = fleet::place(&process, fleet::ENRICHMENT)?;
    let wanted = Wanted {
        seconds: true,
        ..Wanted::default()
    };
    let times = |hours| -> Result<Vec<(f64, f64)>> {
        let rollups = process.rollup(component, hours, &[], wanted)?;
        let bins = rollups.iter().flat_map(|it| it.totals.times.counts());
        Ok(bins
            .map(|(nanos, count)| (nanos as f64 / 1e9, count as f64))
            .collect())
    };
    let before = times(0..BEFORE)?;
    let after = |days: usize| -> Result<Option<TailShift>> {
        let now = times(BEFORE..BEFORE + days * DAY)?;
        Ok(tail_shift(&before, &now, TAIL, DISPERSION, JUDGED))
    };
    Ok([after(1)?, after(2)?])
}
