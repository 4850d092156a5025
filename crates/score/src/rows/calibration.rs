//! Whether stated confidence that is too bold is told.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use kaizen_catalogue::Catalogue;
use kaizen_findings::{About, stated_probabilities};
use kaizen_simulator::{Scenario, Simulation};
use kaizen_stats::{Predicted, calibration};
use serde_json::Value;

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::fleet;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 15,
    title: "Miscalibrated confidence told, 10,000 decisions",
    light: false,
    score,
};

/// Measure that states the probability of success.
pub(crate) const MEASURE: &str = "stated_confidence";
/// Chance that a run tells of a component's confidence: that of all four is .01.
const SIGNIFICANCE: f64 = 0.01 / 4.0;
/// Of the test alone.
const ALONE: f64 = 0.01;
const DAYS: usize = 7;
/// 10,000 in seven days; the other components make next to none.
const EVENTS_A_DAY: f64 = 10_000.0 / DAYS as f64;
const OTHERS: [&str; 3] = [
    "components.0.weight=0.001",
    "components.2.weight=0.001",
    "components.3.weight=0.001",
];
/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 400;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let catalogue = fleet::catalogue()?;
    let mut cells = Vec::new();
    for (temperature, name) in [(1.0, "false"), (1.1, "told"), (1.3, "told")] {
        let found = seeds.map(|seed| {
            let predicted = predicted(&scenario(temperature, &[])?, seed, &catalogue)?;
            Ok(([told(&predicted), by_test(&predicted)], predicted))
        })?;
        let flat = |it: &Predicted| [it.probability, it.trials, it.successes];
        let series = found.iter().take(seeds.first(REFERRED).count());
        let series = series
            .map(|(_, predicted)| predicted.iter().flat_map(flat).collect())
            .collect();
        let share = |which: usize| {
            let hits: Vec<f64> = found
                .iter()
                .map(|(found, _)| f64::from(u8::from(found[which])))
                .collect();
            Estimate::of(Kind::Share, &hits)
        };
        cells.push(
            Cell::new(format!("temperature {temperature}: {name}"), share(0))
                .constant("do nothing", 0.0)
                .constant("always alarm", 1.0)
                .beside("the test alone, at 1 %", share(1))
                .referring(Export::new("miscalibrated", Kind::Share, series)),
        );
    }
    Ok(cells)
}

/// The fleet, with values set otherwise.
pub(crate) fn scenario(temperature: f64, otherwise: &[String]) -> Result<Scenario> {
    let mut assignments = OTHERS.map(str::to_owned).to_vec();
    assignments.extend([
        format!("days={DAYS}"),
        format!("events_per_day={EVENTS_A_DAY}"),
        format!("components.1.confidence.temperature={temperature}"),
    ]);
    assignments.extend_from_slice(otherwise);
    fleet::scenario("tenant.yaml", &assignments)
}

/// Whether a run tells it: beyond chance, and by so much that it matters.
fn told(predicted: &[Predicted]) -> bool {
    let about = About {
        component: fleet::ENRICHMENT,
        metric: "",
        title: "",
        unit: "",
    };
    stated_probabilities(about, MEASURE, predicted, SIGNIFICANCE).is_some()
}

fn by_test(predicted: &[Predicted]) -> bool {
    calibration(predicted).is_some_and(|found| found.p_value < ALONE)
}

/// What the decisions of a seed state, to a thousandth, as `crates/warehouse` reads it, the engine rounding halves to even; and what
/// came of them.
pub(crate) fn predicted(scenario: &Scenario, seed: u64, catalogue: &Catalogue) -> Result<Vec<Predicted>> {
    let mut stated: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for event in Simulation::new(scenario, catalogue, seed) {
        let event: Value = serde_json::from_slice(&event.value)?;
        if event["log_type"] != fleet::ENRICHMENT {
            continue;
        }
        let probability = event["output_data"][MEASURE].as_f64().context(MEASURE)?;
        let sums = stated
            .entry((probability * 1_000.0).round_ties_even() as u32)
            .or_default();
        sums.0 += 1.0;
        sums.1 += f64::from(u8::from(event["decision_reasoning"]["success"] == true));
    }
    let one = |(thousandths, (trials, successes)): (u32, (f64, f64))| Predicted {
        probability: f64::from(thousandths) / 1_000.0,
        trials,
        successes,
    };
    Ok(stated.into_iter().map(one).collect())
}
