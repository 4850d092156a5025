//! Whether the interval of a change's effect holds it when hours of the fleet are missing after the change.

use anyhow::{Context, Result};
use kaizen_catalogue::{Catalogue, Component, Metric};
use kaizen_simulator::{Process, Scenario};
use kaizen_stats::{Impact, Observed, Times, impact_over_time};

use super::{Found, held};
use crate::cell::Cell;
use crate::generate::fleet;
use crate::seeds::Seeds;

const HOUR: f64 = 3_600.0;
/// Eight weeks before the change, four after it.
const WEEKS: usize = 12;
const WEEKS_BEFORE: usize = 8;
const CHANGE: &str = "2026-03-02T00:00:00Z";
const END: &str = "2026-03-30T00:00:00Z";

/// Rises of the log-odds of success.
const EFFECTS: [f64; 2] = [0.0, 0.3];

/// What befalls the weeks after the change.
pub(crate) struct Befalls {
    name: &'static str,
    log_type: &'static str,
    metric: &'static str,
    from: &'static str,
    to: &'static str,
    effect: &'static str,
}

/// All that befalls them.
pub(crate) const BEFALLS: [Befalls; 2] = [
    Befalls {
        name: "10 % of the hours missing",
        log_type: fleet::ENRICHMENT,
        metric: "lead_enrichment.success_rate",
        from: CHANGE,
        to: END,
        effect: "{missing: 0.1}",
    },
    Befalls {
        name: "an outage of 36 hours",
        log_type: "website_analysis",
        metric: "website_scraping.success_rate",
        from: "2026-03-10T06:00:00Z",
        to: "2026-03-11T18:00:00Z",
        effect: "{volume: 0}",
    },
];

/// Cells of row 13.
pub(in crate::rows) fn score(seeds: &Seeds, catalogue: &Catalogue) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for befalls in &BEFALLS {
        let measured = catalogue.metric(befalls.metric).context(befalls.metric)?;
        for effect in EFFECTS {
            let scenario = scenario(befalls, effect, &[])?;
            let found = seeds.map(|seed| {
                let truth = truth(&scenario, catalogue, seed)?;
                Ok(Found::of(measure(&scenario, measured, seed)?, truth))
            })?;
            let name = format!("{}, impact of {effect} on the log-odds", befalls.name);
            cells.push(held(&name, &found));
        }
    }
    Ok(cells)
}

/// The fleet with a better success rate from the change on and what befalls it, some values set otherwise.
pub(crate) fn scenario(befalls: &Befalls, effect: f64, otherwise: &[String]) -> Result<Scenario> {
    let Befalls {
        log_type,
        metric,
        from,
        to,
        effect: what,
        ..
    } = befalls;
    let better = format!(
        "{{name: better, log_type: {log_type}, metric: {metric}, from: {CHANGE}, effect: {{log_odds: {effect}}}}}"
    );
    let gone = format!(
        "{{name: gone, log_type: {log_type}, metric: {metric}, from: {from}, to: {to}, effect: {what}}}"
    );
    let mut assignments = vec![
        format!("days={}", WEEKS * 7),
        format!("faults=[{better}, {gone}]"),
    ];
    assignments.extend_from_slice(otherwise);
    fleet::scenario("tenant.yaml", &assignments)
}

/// By how much the success rate rises.
fn truth(scenario: &Scenario, catalogue: &Catalogue, seed: u64) -> Result<f64> {
    let planted = fleet::planted(scenario, catalogue, seed);
    let better = planted.faults.into_iter().next().context("no fault")?;
    Ok(better.size.map_or(0.0, |it| it.size.after - it.size.before))
}

fn measure(scenario: &Scenario, (component, _): (&Component, &Metric), seed: u64) -> Result<Option<Impact>> {
    let process = Process::new(scenario, seed);
    let at = fleet::place(&process, &component.log_type)?;
    let counts = (0..process.hours()).map(|hour| process.counts(at, hour));
    let hours = counts.map(|counts| {
        let decisions = counts.decisions as f64;
        (counts.decisions > 0).then(|| (counts.successes as f64 / decisions, decisions))
    });
    Ok(of_hours(hours))
}

/// From what the warehouse has: a rate and the decisions it rests on for each hour that has any.
pub(crate) fn of_hours(hours: impl Iterator<Item = Option<(f64, f64)>>) -> Option<Impact> {
    let (mut times, mut values, mut samples) = (Vec::new(), Vec::new(), Vec::new());
    for (hour, (value, decisions)) in hours.enumerate().filter_map(|(hour, it)| Some((hour, it?))) {
        times.push(hour as f64 * HOUR);
        values.push(value);
        samples.push(decisions);
    }
    impact_over_time(&Observed {
        times: Times::Seconds(&times),
        values: &values,
        samples: Some(&samples),
        controls: &[],
        change: (WEEKS_BEFORE * 7 * 24) as f64 * HOUR,
        excluded: &[],
        higher_is_better: true,
        arms: None,
    })
    .ok()
}
