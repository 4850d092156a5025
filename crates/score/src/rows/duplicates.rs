//! Events that are sent twice change nothing.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result, anyhow};
use kaizen_catalogue::{Component, Metric};
use kaizen_decision::{LogType, RawRecord, Replay, Schema, TimePolicy, decode, extract, validate};
use kaizen_findings::{CellSums, Explanation, MetricCube, Naming, Quantity, explain};
use kaizen_simulator::{Process, Scenario, Simulation};

use super::Row;
use crate::cell::Cell;
use crate::estimate::{Estimate, Kind};
use crate::generate::fleet;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 14,
    title: "Events sent twice: findings identical to the run without",
    light: false,
    score,
};

const METRIC: &str = "lead_enrichment.success_rate";
const WEEK: usize = 168;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let catalogue = fleet::catalogue()?;
    let measured = catalogue.metric(METRIC).context(METRIC)?;
    let schema = schema(measured.0);
    let mut cells = Vec::new();
    for (share, with_id) in [(0.01, true), (0.05, true), (0.2, true), (0.2, false)] {
        let found = seeds.map(|seed| {
            let twice = scenario(&format!("{{duplicates: {share}}}"))?;
            let once = scenario("{success: 0}")?;
            let process = Process::new(&once, seed);
            let expected = explained(&fleet::success_cube(&process, measured, 0..WEEK, WEEK..2 * WEEK)?);
            let [each_once, as_sent] =
                cubes(&twice, seed, measured, &schema, with_id)?.map(|cube| explained(&cube));
            Ok([each_once == expected, as_sent == expected].map(|same| f64::from(u8::from(same))))
        })?;
        let of = |which: usize| {
            let hits: Vec<f64> = found.iter().map(|found| found[which]).collect();
            Estimate::of(Kind::Share, &hits)
        };
        let how = if with_id { "" } else { ", without event_id" };
        cells.push(
            Cell::new(format!("{} % sent twice{how}: identical", 100.0 * share), of(0))
                .beside("counted as they come", of(1)),
        );
    }
    Ok(cells)
}

fn scenario(effect: &str) -> Result<Scenario> {
    let assignments = [
        "days=14".to_owned(),
        "events_per_day=600".to_owned(),
        "faults.0.from=2026-01-05T00:00:00Z".to_owned(),
        format!("faults.0.effect={effect}"),
    ];
    fleet::scenario("effects/duplicates.yaml", &assignments)
}

fn explained(cube: &MetricCube) -> Explanation {
    let naming = Naming {
        least_count: 30.0,
        least_effect: None,
        false_alarm: 0.01,
    };
    explain(cube, &naming)
}

fn schema(component: &Component) -> Schema {
    let pairs = |of: &[kaizen_catalogue::Extraction]| {
        let pairs = of.iter().map(|it| (it.name.clone(), it.pointer.clone()));
        pairs.collect()
    };
    Schema::new([LogType {
        name: component.log_type.clone(),
        dimensions: pairs(&component.dimensions),
        measures: pairs(&component.measures),
    }])
}

/// Dimensions' values to decisions and successes in both weeks.
type Sums = BTreeMap<Vec<String>, [CellSums; 2]>;

/// The events of a seed, decoded, validated and summed as the collector and the warehouse do: each identity once, and as they come.
fn cubes(
    scenario: &Scenario,
    seed: u64,
    (component, metric): (&Component, &Metric),
    schema: &Schema,
    with_id: bool,
) -> Result<[MetricCube; 2]> {
    let dimensions: Vec<&str> = component.explaining(metric).collect();
    let (mut once, mut all): (Sums, Sums) = (Sums::new(), Sums::new());
    let mut seen = HashSet::new();
    for event in Simulation::new(scenario, &fleet::catalogue()?, seed) {
        let id = format!("\"event_id\":\"{}\",", event.event_id);
        let value = if with_id {
            event.value
        } else {
            without(&event.value, &id)
        };
        let record = RawRecord {
            topic: "kaizen.decisions",
            partition: 0,
            offset: 0,
            time: Some(event.timestamp.as_millisecond()),
            key: None,
            value: Some(&value),
            content_type: None,
            event_id: None,
            replay: Replay::default(),
        };
        let mut transcoded = String::new();
        let refused = |rejection| anyhow!("{}: {rejection:?}", event.event_id);
        let raw = decode(&record, &mut transcoded).map_err(refused)?;
        let decision = validate(raw, &record, schema, &TimePolicy::BACKFILL).map_err(refused)?;
        if *decision.log_type != component.log_type {
            continue;
        }
        let extracted = extract(&decision, schema).dimensions;
        let value = |name: &&str| match *name {
            "method_used" => decision.reasoning.method_used.to_string(),
            "industry" => decision.lead.industry.as_deref().unwrap_or_default().to_owned(),
            name => {
                let found = extracted.iter().find(|(found, _)| *found == name);
                found.map(|(_, value)| value.to_string()).unwrap_or_default()
            }
        };
        let values: Vec<String> = dimensions.iter().map(value).collect();
        let hour = decision.timestamp.duration_since(scenario.start).as_hours();
        let week = usize::from(hour >= WEEK as i64);
        let add = |sums: &mut Sums| {
            let sums = &mut sums.entry(values.clone()).or_default()[week];
            let hit = f64::from(u8::from(decision.reasoning.success));
            sums.n += 1.0;
            sums.sum += hit;
            sums.sum_squares += hit;
        };
        add(&mut all);
        if seen.insert(decision.event_id.to_string()) {
            add(&mut once);
        }
    }
    let cube = |sums| MetricCube::of(Quantity::Mean, &dimensions, sums);
    Ok([cube(once)?, cube(all)?])
}

/// The JSON without its identity.
fn without(value: &[u8], id: &str) -> Vec<u8> {
    String::from_utf8_lossy(value).replacen(id, "", 1).into_bytes()
}
