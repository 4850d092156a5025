//! How long a seed takes: its counts, its rollups, its events. `cargo run --release -p kaizen-simulator --example speed -- SCENARIO`

#![expect(clippy::print_stdout, reason = "this program's purpose is to print")]

use std::path::Path;
use std::time::Instant;

use kaizen_catalogue::Catalogue;
use kaizen_simulator::{Process, Scenario, Simulation, Wanted};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let default = "config/scenarios/tenant.yaml".to_owned();
    let (file, assignments) = arguments.split_first().unwrap_or((&default, &[]));
    let scenario = Scenario::load_with(Path::new(file), assignments)?;
    let mut began = Instant::now();
    let mut told = |what: &str, events: u64| {
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{what:<60} {seconds:>8.3} s {:>12.0} events/s",
            events as f64 / seconds
        );
        began = Instant::now();
    };
    let process = Process::new(&scenario, 1);
    let all = process.decisions();
    told("a seed: tenant, shocks, number of decisions of each hour", all);
    let hours = 0..process.hours();
    for component in 0..scenario.components.len() {
        let log_type = &scenario.components[component].log_type;
        let counts = hours
            .clone()
            .map(|hour| process.counts(component, hour).decisions);
        told(&format!("{log_type}: counts of each hour"), counts.sum());
        let events = process.decisions_of(component);
        process.rollup(
            component,
            hours.clone(),
            &["method_used", "industry"],
            Wanted::default(),
        )?;
        told(&format!("{log_type}: rollup by method and industry"), events);
        let wanted = Wanted {
            seconds: true,
            ..Wanted::default()
        };
        process.rollup(component, hours.clone(), &[], wanted)?;
        told(&format!("{log_type}: rollup of seconds"), events);
    }
    let catalogue = Catalogue::load(Path::new("config/catalogue.yaml"))?;
    let mut simulation = Simulation::new(&scenario, &catalogue, 1);
    let mut bytes = 0;
    while let Some(event) = simulation.next() {
        // Outcomes are kept until they are asked for.
        bytes += event.value.len() + simulation.outcomes().len();
    }
    told(&format!("events and their truth, {} MB", bytes / 1_000_000), all);
    Ok(())
}
