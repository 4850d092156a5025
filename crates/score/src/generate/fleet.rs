//! The simulated fleet (`config/scenarios`), rolled up as the services see it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use kaizen_catalogue::{Catalogue, Component, Metric};
use kaizen_findings::{CellSums, MetricCube, Quantity};
use kaizen_simulator::{Process, Rollup, Scenario, Simulation, Totals, Wanted, truth::Truth};

/// Kind of the decisions that most rows are about.
pub const ENRICHMENT: &str = "enrichment_decision";

/// The catalogue of the repository.
///
/// # Errors
/// It breaks a rule.
pub fn catalogue() -> Result<Catalogue> {
    Ok(Catalogue::parse(include_str!(
        "../../../../config/catalogue.yaml"
    ))?)
}

/// A scenario of `config/scenarios`, with values set otherwise.
///
/// # Errors
/// It is missing or breaks a rule.
pub fn scenario(file: &str, assignments: &[String]) -> Result<Scenario> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../config/scenarios")
        .join(file);
    Ok(Scenario::load_with(&path, assignments)?)
}

/// What is true of a seed before any event is made: what was planted, and how large it is.
pub fn planted(scenario: &Scenario, catalogue: &Catalogue, seed: u64) -> Truth {
    Simulation::new(scenario, catalogue, seed).truth()
}

/// Place of a component in the scenario.
///
/// # Errors
/// The scenario does not have it.
pub fn place(process: &Process<'_>, log_type: &str) -> Result<usize> {
    process.component(log_type).with_context(|| log_type.to_owned())
}

/// What the simulator knows a dimension of the catalogue by.
fn pointer<'a>(component: &'a Component, name: &'a str) -> &'a str {
    let declared = component.dimensions.iter().find(|it| it.name == name);
    declared.map_or(name, |it| it.pointer.as_str())
}

/// The cube of a success rate in two windows of hours, as `crates/warehouse` makes it.
///
/// # Errors
/// The scenario lacks a dimension of the catalogue.
pub fn success_cube(
    process: &Process<'_>,
    (component, metric): (&Component, &Metric),
    baseline: Range<usize>,
    current: Range<usize>,
) -> Result<MetricCube> {
    let names: Vec<&str> = component.explaining(metric).collect();
    let by: Vec<&str> = names.iter().map(|name| pointer(component, name)).collect();
    let at = place(process, &component.log_type)?;
    let mut cells: BTreeMap<Vec<String>, [CellSums; 2]> = BTreeMap::new();
    for (window, hours) in [baseline, current].into_iter().enumerate() {
        for Rollup { values, totals } in process.rollup(at, hours, &by, Wanted::default())? {
            let values = values.into_iter().map(Option::unwrap_or_default).collect();
            cells.entry(values).or_default()[window] = successes(&totals);
        }
    }
    Ok(MetricCube::of(Quantity::Mean, &names, cells)?)
}

fn successes(totals: &Totals) -> CellSums {
    let sum = totals.successes as f64;
    CellSums {
        n: totals.decisions as f64,
        sum,
        sum_squares: sum,
    }
}
