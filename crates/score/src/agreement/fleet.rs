//! Seeds of the simulated fleet.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use kaizen_catalogue::{Catalogue, Component};
use kaizen_findings::{MetricCube, Naming};
use kaizen_simulator::{Process, Quantiles, Scenario, Simulation, Wanted};
use kaizen_stats::Predicted;
use serde_yaml_ng::{Mapping, Value};

use super::{END, HOUR, Made, Memory, Published, Tenant, Times, WEEK};
use crate::generate::fleet;
use crate::rows::impact::missing_hours;
use crate::rows::{calibration, slices};

const CATALOGUE: &str = include_str!("../../../../config/catalogue.yaml");
const DAY: usize = 24;
/// Chance that a run names a slice when nothing happened, as rows 8 and 14 have it.
const FALSE_ALARM: f64 = 0.01;
/// Days of the fault that row 16 looks at.
const AFTER: usize = 2;

/// A seed of the fleet, of which one component is looked at.
pub(super) struct Fleet {
    scenario: Scenario,
    log_type: &'static str,
    pub(super) is_of_impact: bool,
}

const SCRAPING: &str = "website_analysis";
const MESSAGES: &str = "campaign_generation";
/// The components of `tenant.yaml`, in their order.
const COMPONENTS: [&str; 4] = [MESSAGES, fleet::ENRICHMENT, SCRAPING, "airtable_operation"];

/// What all have in common: so many decisions a day of one component and next to none of the others, with little text, from a
/// first day on.
fn sized(row: u8, log_type: &str, a_day: u32, start: &str) -> Vec<String> {
    let mut set = vec![
        format!("name=row-{row}"),
        format!("events_per_day={a_day}"),
        format!("start={start}"),
    ];
    for (at, component) in COMPONENTS.iter().enumerate() {
        set.push(format!("components.{at}.text=20"));
        if *component != log_type {
            set.push(format!("components.{at}.weight=0.001"));
        }
    }
    set
}

const TWO_WEEKS: &str = "2026-01-05T00:00:00Z";
const LAST_WEEK: &str = "2026-01-12T00:00:00Z";

/// All of them.
pub(super) fn planted() -> Result<Vec<Tenant>> {
    let mut all = with_slices()?;
    all.extend(with_missing_hours()?);
    all.extend(sent_twice()?);
    all.extend(with_confidence()?);
    all.extend(with_tails()?);
    all.extend(over_time()?);
    let mut all: Vec<Tenant> = all.into_iter().map(|it| tenant(it, false)).collect();
    all.push(tenant(with_impact()?, true));
    Ok(all)
}

/// Of row 8: slices of one to three conditions, all worse alike, and another mix alone.
fn with_slices() -> Result<Vec<Seed>> {
    let shipped = fleet::catalogue()?;
    let metric = "lead_enrichment.success_rate";
    let measured = shipped.metric(metric).context(metric)?;
    let one = |(seed, at): (u64, usize)| {
        let set = sized(8, fleet::ENRICHMENT, 2_400, TWO_WEEKS);
        let (scenario, _) = slices::drawn(seed, &slices::PLANTED[at], &shipped, measured, &set)?;
        Ok((8, seed, fleet::ENRICHMENT, scenario))
    };
    (1_081..).zip([1, 2, 4, 5, 7, 8]).map(one).collect()
}

/// Of row 13: nothing, hours missing, and an outage.
fn with_missing_hours() -> Result<Vec<Seed>> {
    let ten_weeks_ago = "2025-11-10T00:00:00Z";
    let mut all = Vec::new();
    for (seed, effect) in (1_131..).zip(["{success: 0}", "{missing: 0.1}"]) {
        let mut set = sized(13, fleet::ENRICHMENT, 500, ten_weeks_ago);
        set.extend(["days=70".to_owned(), format!("faults.0.from={LAST_WEEK}")]);
        set.push(format!("faults.0.effect={effect}"));
        let scenario = fleet::scenario("effects/missing-hours.yaml", &set)?;
        all.push((13, seed, fleet::ENRICHMENT, scenario));
    }
    let mut set = sized(13, SCRAPING, 500, ten_weeks_ago);
    let outage = [
        "faults.0.from=2026-01-13T06:00:00Z",
        "faults.0.to=2026-01-14T18:00:00Z",
    ];
    set.push("days=70".to_owned());
    set.extend(outage.map(str::to_owned));
    all.push((13, 1_133, SCRAPING, fleet::scenario("effects/outage.yaml", &set)?));
    Ok(all)
}

/// Of row 14.
fn sent_twice() -> Result<Vec<Seed>> {
    let one = |(seed, share): (u64, f64)| {
        let mut set = sized(14, fleet::ENRICHMENT, 300, TWO_WEEKS);
        set.extend(["days=14".to_owned(), format!("faults.0.from={TWO_WEEKS}")]);
        set.push(format!("faults.0.effect={{duplicates: {share}}}"));
        Ok((
            14,
            seed,
            fleet::ENRICHMENT,
            fleet::scenario("effects/duplicates.yaml", &set)?,
        ))
    };
    (1_141..).zip([0.05, 0.2]).map(one).collect()
}

/// Of row 15: as sure as it should be, and too sure.
fn with_confidence() -> Result<Vec<Seed>> {
    let one = |(seed, temperature): (u64, f64)| {
        let set = [format!("start={LAST_WEEK}"), "name=row-15".to_owned()];
        Ok((
            15,
            seed,
            fleet::ENRICHMENT,
            calibration::scenario(temperature, &set)?,
        ))
    };
    (1_151..).zip([1.0, 1.3]).map(one).collect()
}

/// Of row 16: the tail slower, and everything slower.
fn with_tails() -> Result<Vec<Seed>> {
    let one = |(seed, effect): (u64, &str)| {
        let mut set = sized(16, fleet::ENRICHMENT, 2_400, TWO_WEEKS);
        set.extend(["days=14".to_owned(), format!("faults.0.from={LAST_WEEK}")]);
        set.push(format!("faults.0.effect={{seconds: {effect}}}"));
        Ok((
            16,
            seed,
            fleet::ENRICHMENT,
            fleet::scenario("effects/latency-p99.yaml", &set)?,
        ))
    };
    (1_161..)
        .zip(["{factor: 1.5, above: 0.97}", "{factor: 1.3}"])
        .map(one)
        .collect()
}

/// Row, seed, component and scenario.
type Seed = (u8, u64, &'static str, Scenario);

fn tenant((row, seed, log_type, scenario): Seed, is_of_impact: bool) -> Tenant {
    Tenant::new(
        row,
        seed,
        Made::Fleet(Box::new(Fleet {
            scenario,
            log_type,
            is_of_impact,
        })),
    )
}

/// What rows 2, 3 and 6 plant in series, planted in the fleet.
fn over_time() -> Result<Vec<Seed>> {
    let of = |row: u8, seed: u64, log_type: &'static str, file: &str, more: [&str; 2]| {
        let mut set = sized(row, log_type, 300, "2025-11-24T00:00:00Z");
        set.extend(["days=56".to_owned()]);
        set.extend(more.map(str::to_owned));
        anyhow::Ok((row, seed, log_type, fleet::scenario(file, &set)?))
    };
    let ramp = [
        "faults.0.from=2025-12-22T00:00:00Z",
        "faults.0.effect={approval: {sd: -6}}",
    ];
    let season = [
        "faults.0.from=2025-12-22T00:00:00Z",
        "faults.0.effect={log_odds: 0.8}",
    ];
    let step = [
        "faults.0.from=2026-01-12T00:00:00Z",
        "faults.0.effect={success: {sd: -4}}",
    ];
    Ok(vec![
        of(2, 1_022, MESSAGES, "effects/ramp.yaml", ramp)?,
        of(3, 1_032, fleet::ENRICHMENT, "effects/season-change.yaml", season)?,
        of(6, 1_062, fleet::ENRICHMENT, "effects/step.yaml", step)?,
    ])
}

/// An improvement with hours missing after it, of row 13.
fn with_impact() -> Result<Seed> {
    let mut set = sized(13, fleet::ENRICHMENT, 300, "2025-10-27T00:00:00Z");
    let change = "2025-12-22T00:00:00Z";
    set.extend([0, 1].map(|fault| format!("faults.{fault}.from={change}")));
    set.push("faults.1.to=2026-01-19T00:00:00Z".to_owned());
    let scenario = missing_hours::scenario(&missing_hours::BEFALLS[0], 0.3, &set)?;
    Ok((13, 1_134, fleet::ENRICHMENT, scenario))
}

impl Fleet {
    /// The component's entry in the catalogue of the repository under another name, without what rests on outcomes; of
    /// enrichment, with the probability that it states.
    pub(super) fn entry(&self, name: &str) -> Result<Value> {
        let file: Mapping = serde_yaml_ng::from_str(CATALOGUE)?;
        let components = file.get("components").and_then(Value::as_sequence);
        let is_ours = |it: &&Value| it.get("log_type").and_then(Value::as_str) == Some(self.log_type);
        let entry = components.and_then(|all| all.iter().find(is_ours));
        let mut entry = entry.and_then(Value::as_mapping).context(self.log_type)?.clone();
        entry.insert("name".into(), name.into());
        entry.insert("log_type".into(), name.into());
        if let Some(metrics) = entry.get_mut("metrics").and_then(Value::as_sequence_mut) {
            let of_outcomes = |it: &Value| {
                let expression = it.get("expression").and_then(Value::as_str);
                expression.is_some_and(|text| text.starts_with("outcome"))
            };
            metrics.retain(|metric| !of_outcomes(metric));
        }
        if self.log_type == fleet::ENRICHMENT {
            let measures = entry.get_mut("measures").and_then(Value::as_mapping_mut);
            let pointer = format!("/output_data/{}", calibration::MEASURE);
            measures
                .context("measures")?
                .insert(calibration::MEASURE.into(), pointer.into());
            let stated = format!("{{measure: {}, of: success}}", calibration::MEASURE);
            entry.insert("stated_probability".into(), serde_yaml_ng::from_str(&stated)?);
        }
        Ok(Value::Mapping(entry))
    }

    pub(super) fn decisions(&self, name: &str, seed: u64) -> Result<(Vec<Published>, u64)> {
        let shipped = fleet::catalogue()?;
        let [ours, theirs] = [self.log_type, name].map(|it| format!("\"log_type\":\"{it}\""));
        let mut once = HashSet::new();
        let mut all = Vec::new();
        for event in Simulation::new(&self.scenario, &shipped, seed) {
            let text = String::from_utf8(event.value)?;
            if text.contains(&ours) {
                once.insert(event.event_id);
                all.push(Published {
                    key: event.key,
                    value: text.replacen(&ours, &theirs, 1).into_bytes(),
                });
            }
        }
        Ok((all, once.len() as u64))
    }

    fn start(&self) -> i64 {
        self.scenario.start.as_second()
    }

    pub(super) fn memory<'a>(&'a self, component: &'a Component, seed: u64) -> Result<Memory<'a>> {
        let process = Process::new(&self.scenario, seed);
        Memory::of_process(process, self.start(), (self.log_type, component))
    }

    /// As rows 8 and 14 make it.
    pub(super) fn cube(&self, component: &Component, seed: u64) -> Result<(MetricCube, Naming)> {
        let process = Process::new(&self.scenario, seed);
        let metric = component.metrics.iter().find(|it| it.name == "success_rate");
        let metric = metric.context("success_rate")?;
        let of_scenario = Component {
            log_type: self.log_type.to_owned(),
            ..component.clone()
        };
        let cube = fleet::success_cube(&process, (&of_scenario, metric), 0..WEEK, WEEK..2 * WEEK)?;
        let naming = Naming {
            least_count: metric.minimum_sample as f64,
            least_effect: None,
            false_alarm: FALSE_ALARM,
        };
        Ok((cube, naming))
    }

    /// As row 16 makes them: the week before, and the first days of the fault.
    pub(super) fn times(&self, seed: u64) -> Result<Times> {
        let process = Process::new(&self.scenario, seed);
        let at = fleet::place(&process, self.log_type)?;
        let wanted = Wanted {
            seconds: true,
            ..Wanted::default()
        };
        let mut days = Vec::new();
        for day in 0..WEEK / DAY + AFTER {
            let mut times = Quantiles::default();
            for rollup in process.rollup(at, day * DAY..(day + 1) * DAY, &[], wanted)? {
                times.merge(&rollup.totals.times);
            }
            let counts = times
                .counts()
                .map(|(nanos, count)| (nanos as f64 / 1e9, count as f64));
            days.push(counts.collect());
        }
        let after = days.split_off(WEEK / DAY);
        Ok([days, after])
    }

    pub(super) fn predicted(&self, seed: u64, shipped: &Catalogue) -> Result<Vec<Predicted>> {
        calibration::predicted(&self.scenario, seed, shipped)
    }

    /// As row 13 measures it, from the scenario's first hour on.
    pub(super) fn impact(&self, columns: &[Vec<(f64, f64)>]) -> Result<Vec<f64>> {
        let hours = usize::try_from((END - self.start()) / HOUR)?;
        let rate = columns.first().context("a column")?;
        ensure!(rate.len() >= hours, "{} hours of {hours}", rate.len());
        let told = rate[rate.len() - hours..].iter();
        let found = missing_hours::of_hours(told.map(|(value, n)| (*n > 0.0).then_some((*value, *n))));
        Ok(super::found::of_impact(found.as_ref()))
    }
}
