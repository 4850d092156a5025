//! Whether the slice that got worse is named, exactly and alone.

use anyhow::{Context, Result};
use kaizen_catalogue::{Catalogue, Component, Metric};
use kaizen_findings::{MetricCube, Naming, explain};
use kaizen_simulator::{Process, Scenario};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::Row;
use crate::cell::Cell;
use crate::estimate::Estimate;
use crate::generate::fleet;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 8,
    title: "The slice that got worse named exactly: F1",
    light: false,
    score,
};

/// A week before and a week of the fault.
const WEEK: usize = 168;
const METRIC: &str = "lead_enrichment.success_rate";
/// As the simulator calls what changes.
const SUCCESS_RATE: &str = "success_rate";
const SCENARIO: &str = "effects/slice-regression.yaml";
/// A slice has this share of the decisions.
const LEAST_SHARE: f64 = 0.01;
const MOST_SHARE: f64 = 0.4;
/// As the services have it.
const FALSE_ALARM: f64 = 0.01;

/// Dimensions and values of the scenario that a slice is drawn from.
const VALUES: [(&str, &[&str]); 4] = [
    ("method_used", &["registry_lookup", "web_search", "llm_inference"]),
    (
        "industry",
        &[
            "software",
            "logistics",
            "retail",
            "healthcare",
            "finance",
            "manufacturing",
        ],
    ),
    ("/input_data/source", &["crm", "web_form", "list"]),
    ("/input_data/model", &["large-2", "small-3"]),
];

/// What is planted.
pub(crate) struct Planted {
    name: &'static str,
    conditions: usize,
    /// Standard errors that the slice's change against the rest is expected to be, from seed to seed.
    z: (f64, f64),
    /// Times the slice's share of the decisions.
    mix: f64,
    /// Added to the log-odds of all.
    shared: f64,
}

const fn alone(name: &'static str, conditions: usize, z: (f64, f64)) -> Planted {
    Planted {
        name,
        conditions,
        z,
        mix: 1.0,
        shared: 0.0,
    }
}

/// All that is planted.
pub(crate) const PLANTED: [Planted; 9] = [
    alone("1 condition, z 5–8", 1, (5.0, 8.0)),
    alone("1 condition, z > 8", 1, (8.0, 14.0)),
    alone("2 conditions, z 5–8", 2, (5.0, 8.0)),
    alone("2 conditions, z > 8", 2, (8.0, 14.0)),
    alone("3 conditions, z > 8", 3, (8.0, 14.0)),
    Planted {
        mix: 1.5,
        shared: -0.25,
        ..alone("2 conditions, z > 8, more of it, all worse", 2, (8.0, 14.0))
    },
    alone("nothing: a slice named", 0, (0.0, 0.0)),
    Planted {
        shared: -0.4,
        ..alone("all worse alike: a slice named", 0, (0.0, 0.0))
    },
    Planted {
        mix: 2.0,
        ..alone("another mix alone: a slice named", 1, (0.0, 0.0))
    },
];

/// Slices named, those planted, and those named that are planted.
type Counts = (usize, usize, usize);
type Slice = Vec<(String, String)>;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let catalogue = fleet::catalogue()?;
    let measured = catalogue.metric(METRIC).context(METRIC)?;
    let naming = Naming {
        least_count: measured.1.minimum_sample as f64,
        least_effect: None,
        false_alarm: FALSE_ALARM,
    };
    let mut cells = Vec::new();
    for planted in &PLANTED {
        let found = seeds.map(|seed| {
            let (cube, truth) = cube(seed, planted, &catalogue, measured)?;
            let explanation = explain(&cube, &naming);
            let named: Vec<Slice> = explanation
                .causes
                .into_iter()
                .map(|cause| sorted(cause.slice))
                .collect();
            Ok([counts(&named, &truth), counts(&largest(&cube), &truth)])
        })?;
        let of = |which: usize| found.iter().map(|found| found[which]).collect::<Vec<Counts>>();
        let nothing = planted.z.1 <= 0.0;
        let figure = if nothing { named } else { f1 };
        cells.push(
            Cell::new(planted.name, figure(&of(0)))
                .constant("do nothing", 0.0)
                .beside("Kaizen: none named", share(&of(0), |it| it.0 == 0))
                .beside("Kaizen: another named", share(&of(0), |it| it.0 > it.2))
                .beside("always the value that moved most", figure(&of(1))),
        );
    }
    Ok(cells)
}

fn counts(named: &[Slice], truth: &[Slice]) -> Counts {
    let right = named.iter().filter(|slice| truth.contains(slice)).count();
    (named.len(), truth.len(), right)
}

/// 2 · right ÷ (named + planted), over all seeds; the interval is that of a share of as many seeds.
fn f1(counts: &[Counts]) -> Estimate {
    let (named, planted, right) = counts
        .iter()
        .fold((0, 0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1, sum.2 + it.2));
    let value = 2.0 * right as f64 / (named + planted).max(1) as f64;
    Estimate {
        value,
        interval: kaizen_stats::wilson_interval(value * counts.len() as f64, counts.len() as f64, 0.95),
        trials: counts.len(),
    }
}

/// The share of seeds in which any slice is named.
fn named(counts: &[Counts]) -> Estimate {
    share(counts, |it| it.0 > 0)
}

fn share(counts: &[Counts], hit: impl Fn(&Counts) -> bool) -> Estimate {
    Estimate::share(counts.iter().filter(|it| hit(it)).count(), counts.len())
}

/// The fleet of this seed with the fault, and the slice that it befalls; none where no rate of one alone changes.
fn cube(
    seed: u64,
    planted: &Planted,
    catalogue: &Catalogue,
    measured: (&Component, &Metric),
) -> Result<(MetricCube, Vec<Slice>)> {
    let (scenario, truth) = drawn(seed, planted, catalogue, measured, &[])?;
    let process = Process::new(&scenario, seed);
    Ok((
        fleet::success_cube(&process, measured, 0..WEEK, WEEK..2 * WEEK)?,
        truth,
    ))
}

/// The fleet with the fault, some values set otherwise, and the slice that it befalls.
pub(crate) fn drawn(
    seed: u64,
    planted: &Planted,
    catalogue: &Catalogue,
    measured: (&Component, &Metric),
    otherwise: &[String],
) -> Result<(Scenario, Vec<Slice>)> {
    let mut draws = ChaCha12Rng::seed_from_u64(seed);
    let mut left = 1_000;
    loop {
        let slice = draw(&mut draws, planted.conditions);
        let probe = scenario(&slice, -0.01, planted, otherwise)?;
        let fault = fleet::planted(&probe, catalogue, seed)
            .faults
            .into_iter()
            .next()
            .context("no fault")?;
        if planted.conditions > 0 && !(LEAST_SHARE..MOST_SHARE).contains(&fault.share) && left > 0 {
            left -= 1;
            continue;
        }
        // Where the mix is planted too, the fault's first size is that of its share
        let mut sizes = fault.sizes.iter().map(|it| &it.size);
        let rate = sizes
            .find(|it| it.of == SUCCESS_RATE)
            .context("no rate changes")?;
        let before = rate.before;
        let z = planted.z.0 + (planted.z.1 - planted.z.0) * draws.random::<f64>();
        // The slice and the rest, in a week before and one after.
        let inside = 7.0 * fault.decisions_per_day;
        let outside = inside / fault.share - inside;
        let error = (2.0 * before * (1.0 - before) * (1.0 / inside + 1.0 / outside)).sqrt();
        let effect = if planted.z.1 > 0.0 { z * error } else { 0.0 };
        let truth = if effect > 0.0 {
            vec![named_as_catalogued(&slice, measured.0)]
        } else {
            Vec::new()
        };
        return Ok((scenario(&slice, -effect, planted, otherwise)?, truth));
    }
}

fn draw(draws: &mut ChaCha12Rng, conditions: usize) -> Vec<(usize, usize)> {
    let mut slice: Vec<(usize, usize)> = Vec::new();
    while slice.len() < conditions {
        let dimension = draws.random_range(0..VALUES.len());
        if slice.iter().all(|(taken, _)| *taken != dimension) {
            slice.push((dimension, draws.random_range(0..VALUES[dimension].1.len())));
        }
    }
    slice
}

fn scenario(
    slice: &[(usize, usize)],
    effect: f64,
    planted: &Planted,
    otherwise: &[String],
) -> Result<Scenario> {
    let conditions = slice.iter().map(|(dimension, value)| {
        let (name, values) = VALUES[*dimension];
        format!("{name}: {}", values[*value])
    });
    let conditions = conditions.collect::<Vec<_>>().join(", ");
    let mix = if planted.mix > 1.0 {
        format!(", mix: {}", planted.mix)
    } else {
        String::new()
    };
    let from = "2026-01-12T00:00:00Z";
    let slice = format!(
        "{{name: slice, log_type: {}, metric: {METRIC}, where: {{{conditions}}}, from: {from}, \
         effect: {{success: {effect}{mix}}}}}",
        fleet::ENRICHMENT
    );
    let all = format!(
        "{{name: all, log_type: {}, metric: {METRIC}, from: {from}, effect: {{log_odds: {}}}}}",
        fleet::ENRICHMENT,
        planted.shared
    );
    let mut assignments = vec!["days=14".to_owned(), format!("faults=[{slice}, {all}]")];
    assignments.extend_from_slice(otherwise);
    fleet::scenario(SCENARIO, &assignments)
}

/// The slice by the catalogue's names of its dimensions.
fn named_as_catalogued(slice: &[(usize, usize)], component: &Component) -> Slice {
    let name = |pointer: &str| {
        let declared = component.dimensions.iter().find(|it| it.pointer == pointer);
        declared.map_or(pointer, |it| it.name.as_str()).to_owned()
    };
    let conditions = slice.iter().map(|(dimension, value)| {
        let (pointer, values) = VALUES[*dimension];
        (name(pointer), values[*value].to_owned())
    });
    sorted(conditions.collect())
}

fn sorted(mut slice: Slice) -> Slice {
    slice.sort();
    slice
}

/// The one value whose rate moved by the most standard errors.
fn largest(cube: &MetricCube) -> Vec<Slice> {
    let mut most: (f64, Slice) = (-1.0, Vec::new());
    for (place, dimension) in cube.cells.names().enumerate() {
        let mut values: std::collections::BTreeMap<&str, [f64; 4]> = std::collections::BTreeMap::new();
        for (labels, cell) in cube.cells.labelled() {
            let sums = values.entry(labels[place]).or_default();
            let added = [
                cell.baseline.count,
                cell.baseline.sum,
                cell.current.count,
                cell.current.sum,
            ];
            sums.iter_mut().zip(added).for_each(|(sum, it)| *sum += it);
        }
        for (value, [n_0, hits_0, n_1, hits_1]) in values {
            if n_0 < 30.0 || n_1 < 30.0 {
                continue;
            }
            let rate = (hits_0 + hits_1) / (n_0 + n_1);
            let error = (rate * (1.0 - rate) * (1.0 / n_0 + 1.0 / n_1)).sqrt().max(1e-12);
            let z = ((hits_1 / n_1 - hits_0 / n_0) / error).abs();
            if z > most.0 {
                most = (z, vec![(dimension.to_owned(), value.to_owned())]);
            }
        }
    }
    vec![most.1]
}
