//! Whether stated confidence that is too bold is told, from sums by day and slice.

use anyhow::Result;
use kaizen_simulator::{Process, Wanted};
use kaizen_stats::{Predicted, calibration};

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::fleet;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 15,
    title: "Miscalibrated confidence told at 1 %, 10,000 decisions",
    light: false,
    score,
};

const STATED: &str = "/output_data/stated_confidence";
/// What the sums are kept by, beside the day.
const BY: [&str; 4] = [
    "confidence_level",
    "method_used",
    "/input_data/source",
    "/input_data/model",
];
const SIGNIFICANCE: f64 = 0.01;
const DAYS: usize = 7;
/// Of all four components; a third of them are enrichment's, 10,000 in seven days.
const EVENTS_A_DAY: f64 = 30_000.0 / DAYS as f64;
/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 400;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for (temperature, name) in [(1.0, "false"), (1.1, "told"), (1.3, "told")] {
        let bins = |seed| bins(seed, temperature);
        let by_slice = seeds.map(|seed| Ok(told(&bins(seed)?)))?;
        let by_level = seeds.map(|seed| Ok(told(&levels(&bins(seed)?))))?;
        let series = seeds.first(REFERRED).map(|seed| {
            let flat = |(_, it): &(usize, Predicted)| [it.probability, it.trials, it.successes];
            Ok(bins(seed)?.iter().flat_map(flat).collect())
        })?;
        cells.push(
            Cell::new(
                format!("temperature {temperature}: {name}"),
                Estimate::of(Kind::Share, &by_slice),
            )
            .constant("do nothing", 0.0)
            .constant("always alarm", 1.0)
            .beside("by the three levels alone", Estimate::of(Kind::Share, &by_level))
            .referring(Export::new("miscalibrated", Kind::Share, series)),
        );
    }
    Ok(cells)
}

fn told(bins: &[(usize, Predicted)]) -> f64 {
    let predicted: Vec<Predicted> = bins.iter().map(|(_, predicted)| *predicted).collect();
    let found = calibration(&predicted);
    f64::from(u8::from(found.is_some_and(|found| found.p_value < SIGNIFICANCE)))
}

/// The decisions of a seed by day and slice: the level, how sure they were on average, how many there are and succeeded.
fn bins(seed: u64, temperature: f64) -> Result<Vec<(usize, Predicted)>> {
    let assignments = [
        format!("days={DAYS}"),
        format!("events_per_day={EVENTS_A_DAY}"),
        format!("components.1.confidence.temperature={temperature}"),
    ];
    let scenario = fleet::scenario("tenant.yaml", &assignments)?;
    let process = Process::new(&scenario, seed);
    let component = fleet::place(&process, fleet::ENRICHMENT)?;
    let wanted = Wanted {
        measures: true,
        ..Wanted::default()
    };
    let mut bins = Vec::new();
    for day in 0..DAYS {
        for rollup in process.rollup(component, day * 24..(day + 1) * 24, &BY, wanted)? {
            let mean = rollup
                .totals
                .measures
                .get(STATED)
                .and_then(|stated| stated.sum.mean());
            let level = rollup.values[0].as_deref().map_or(0, str::len);
            bins.extend(mean.map(|probability| {
                let predicted = Predicted {
                    probability,
                    trials: rollup.totals.decisions as f64,
                    successes: rollup.totals.successes as f64,
                };
                (level, predicted)
            }));
        }
    }
    Ok(bins)
}

/// The same by level alone: the lengths of `low`, `medium` and `high` tell them apart.
fn levels(bins: &[(usize, Predicted)]) -> Vec<(usize, Predicted)> {
    let mut levels: std::collections::BTreeMap<usize, (f64, f64, f64)> = std::collections::BTreeMap::new();
    for (level, bin) in bins {
        let sums = levels.entry(*level).or_default();
        sums.0 += bin.probability * bin.trials;
        sums.1 += bin.trials;
        sums.2 += bin.successes;
    }
    let bin = |(level, (stated, trials, successes)): (usize, (f64, f64, f64))| {
        let probability = stated / trials;
        (
            level,
            Predicted {
                probability,
                trials,
                successes,
            },
        )
    };
    levels.into_iter().map(bin).collect()
}
