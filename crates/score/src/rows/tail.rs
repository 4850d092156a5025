//! Whether a slower tail is told from a slower whole, within two days.

use anyhow::Result;
use kaizen_findings::{About, latency_tail};
use kaizen_simulator::{Process, Quantiles, Wanted};

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

/// Days before, and of the fault.
const BEFORE: usize = 7;
const AFTER: usize = 2;
const DAY: usize = 24;
/// Chance that a run calls the tail of a component moved: that of all four is .01.
const SIGNIFICANCE: f64 = 0.01 / 4.0;
/// A rise of the 99th percentile that one may call without a test.
const ROSE: f64 = 1.1;

/// What is planted.
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
            let share = |which: usize| {
                let hits: Vec<f64> = found
                    .iter()
                    .map(|found| f64::from(u8::from(found[which])))
                    .collect();
                Estimate::of(Kind::Share, &hits)
            };
            cells.push(
                Cell::new(format!("{of} a day, {name}: told as a slower tail"), share(0))
                    .constant("do nothing", 0.0)
                    .constant("always alarm", 1.0)
                    .beside("after one day", share(1))
                    .beside("p99 rose by 10 %", share(2)),
            );
        }
    }
    Ok(cells)
}

/// Whether a slower tail is told after two days of the fault, after one, and whether the 99th percentile of the two rose.
fn told(seed: u64, events: usize, effect: &str) -> Result<[bool; 3]> {
    let assignments = [
        format!("days={}", BEFORE + AFTER),
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
    let mut days = Vec::new();
    for day in 0..BEFORE + AFTER {
        let mut times = Quantiles::default();
        for rollup in process.rollup(component, day * DAY..(day + 1) * DAY, &[], wanted)? {
            times.merge(&rollup.totals.times);
        }
        days.push(times);
    }
    let counted = |times: &Quantiles| -> Vec<(f64, f64)> {
        times
            .counts()
            .map(|(nanos, count)| (nanos as f64 / 1e9, count as f64))
            .collect()
    };
    let counts: Vec<_> = days.iter().map(counted).collect();
    let about = About {
        component: fleet::ENRICHMENT,
        metric: "",
        title: "",
        unit: "seconds",
    };
    let after = |days: usize| {
        let now = &counts[BEFORE..BEFORE + days];
        latency_tail(about, &counts[..BEFORE], now, SIGNIFICANCE).is_some()
    };
    let tail = |days: &[Quantiles]| {
        let mut all = Quantiles::default();
        days.iter().for_each(|day| all.merge(day));
        all.quantile(0.99)
    };
    let rose = tail(&days[..BEFORE]).zip(tail(&days[BEFORE..]));
    Ok([
        after(2),
        after(1),
        rose.is_some_and(|(before, now)| now >= ROSE * before),
    ])
}
