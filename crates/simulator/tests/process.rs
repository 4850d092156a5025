//! Counts, rollups and events of a seed are the same numbers, and they vary as the scenario says.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy knows only the functions marked as tests"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use kaizen_catalogue::Catalogue;
use kaizen_simulator::{ExactSum, HourCounts, Process, Quantiles, Scenario, Simulation, Totals, Wanted};
use serde_json::Value;

const ENRICHMENT: &str = "enrichment_decision";
const ALL: Wanted = Wanted {
    seconds: true,
    quality: true,
    measures: true,
};

fn scenario(file: &str, assignments: &[&str]) -> Scenario {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../config/scenarios")
        .join(file);
    let assignments: Vec<_> = assignments.iter().map(|it| (*it).to_owned()).collect();
    Scenario::load_with(&path, &assignments).unwrap()
}

fn catalogue() -> Catalogue {
    Catalogue::parse(include_str!("../../../config/catalogue.yaml")).unwrap()
}

/// Adds an event to a rollup, the slow way, from its JSON.
fn add(totals: &mut Totals, event: &Value, measures: &[&str]) {
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_f64);
    let moments = |sum: &mut ExactSum, squares: &mut i128, value: f64| {
        sum.add(value).unwrap();
        *squares += format!("{:.9}", value * value)
            .replace('.', "")
            .parse::<i128>()
            .unwrap();
    };
    totals.decisions += 1;
    totals.successes += u64::from(event["decision_reasoning"]["success"] == true);
    let label = event["training_labels"]["success_indicator"].as_bool();
    totals.labelled += u64::from(label.is_some());
    totals.positives += u64::from(label == Some(true));
    if let Some(quality) = number("/training_labels/quality_score") {
        moments(
            &mut totals.quality.sum,
            &mut totals.quality.squares_nanos,
            quality,
        );
    }
    let seconds = number("/decision_reasoning/processing_time").unwrap();
    moments(
        &mut totals.seconds.sum,
        &mut totals.seconds.squares_nanos,
        seconds,
    );
    totals.times.add(seconds).unwrap();
    for pointer in measures {
        let moment = totals.measures.entry((*pointer).to_owned()).or_default();
        moments(
            &mut moment.sum,
            &mut moment.squares_nanos,
            number(pointer).unwrap(),
        );
    }
}

/// Hour and values of method, industry, confidence and source.
type Cell = (i64, Vec<String>);

/// The rollup of enrichment, from its events.
fn summed(scenario: &Scenario, seed: u64) -> BTreeMap<Cell, Totals> {
    let pointers = [
        "/decision_reasoning/method_used",
        "/lead_identifier/industry",
        "/decision_reasoning/confidence_level",
        "/input_data/source",
    ];
    let measures = ["/output_data/cost_usd", "/output_data/stated_confidence"];
    let mut summed: BTreeMap<Cell, Totals> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for event in Simulation::new(scenario, &catalogue(), seed) {
        let json: Value = serde_json::from_slice(&event.value).unwrap();
        if json["log_type"] != ENRICHMENT {
            continue;
        }
        let values = pointers.map(|pointer| json.pointer(pointer).unwrap().as_str().unwrap().to_owned());
        let hour = event.timestamp.duration_since(scenario.start).as_hours();
        let totals = summed.entry((hour, values.to_vec())).or_default();
        if seen.insert(event.event_id) {
            add(totals, &json, &measures);
        } else {
            totals.repeated += 1;
        }
    }
    summed
}

#[test]
fn the_rollup_of_a_seed_is_to_the_last_digit_what_its_events_add_up_to() {
    let scenario = scenario(
        "effects/several.yaml",
        &[
            "days=7",
            "events_per_day=1500",
            "faults.0.from=2026-01-06T00:00:00Z",
            "faults.1.from=2026-01-07T00:00:00Z",
            "faults.1.to=2026-01-07T09:00:00Z",
            "faults.2.from=2026-01-06T00:00:00Z",
            "faults.3.from=2026-01-06T00:00:00Z",
        ],
    );
    let by = [
        "method_used",
        "industry",
        "confidence_level",
        "/input_data/source",
    ];
    let summed = summed(&scenario, 11);
    let process = Process::new(&scenario, 11);
    let component = process.component(ENRICHMENT).unwrap();
    let mut rolled = BTreeMap::new();
    for hour in 0..process.hours() {
        let mut counts = HourCounts::default();
        for rollup in process.rollup(component, hour..hour + 1, &by, ALL).unwrap() {
            counts.decisions += rollup.totals.decisions;
            counts.successes += rollup.totals.successes;
            counts.labelled += rollup.totals.labelled;
            counts.positives += rollup.totals.positives;
            let values = rollup.values.into_iter().map(Option::unwrap).collect::<Vec<_>>();
            rolled.insert((hour as i64, values), rollup.totals);
        }
        assert_eq!(process.counts(component, hour), counts, "hour {hour}");
    }
    assert!(rolled.len() > 500 && rolled.values().any(|it| it.repeated > 0));
    assert_eq!(rolled.len(), summed.len());
    for (cell, totals) in &rolled {
        assert_eq!(Some(totals), summed.get(cell), "{cell:?}");
    }
    let unknown = process
        .rollup(component, 0..1, &["colour"], ALL)
        .unwrap_err()
        .to_string();
    assert!(unknown.starts_with("colour: must be method_used"), "{unknown}");
}

#[test]
fn rolling_up_by_less_adds_up_to_the_same() {
    let scenario = scenario("tenant.yaml", &["days=2", "events_per_day=2000"]);
    let process = Process::new(&scenario, 5);
    let sum = |by: &[&str]| {
        let mut sum = (0, 0, Quantiles::default());
        for rollup in process.rollup(1, 0..48, by, ALL).unwrap() {
            sum.0 += rollup.totals.decisions;
            sum.1 += rollup.totals.successes;
            sum.2.merge(&rollup.totals.times);
        }
        sum
    };
    assert_eq!(sum(&[]), sum(&["method_used", "/input_data/model", "industry"]));
    assert!(sum(&[]).0 > 500);
}

/// Quiet: no noise, no season, nothing that the seed draws for good.
const QUIET: [&str; 4] = [
    "tenant={}",
    "noise={}",
    "components.1.season={}",
    "components.1.confidence=null",
];

#[test]
fn decisions_dealt_from_counts_succeed_with_the_probability_of_their_values() {
    let log_odds = "components.1.dimensions.0.log_odds={crm: 0.5, web_form: 0, list: -0.8}";
    let scenario = scenario(
        "tenant.yaml",
        &[&QUIET[..], &["days=35", "events_per_day=20000", log_odds]].concat(),
    );
    let process = Process::new(&scenario, 3);
    let rollups = process
        .rollup(
            1,
            0..process.hours(),
            &["method_used", "/input_data/source"],
            Wanted::default(),
        )
        .unwrap();
    let all: u64 = rollups.iter().map(|it| it.totals.decisions).sum();
    for rollup in rollups {
        let values: Vec<_> = rollup.values.iter().map(|it| it.as_deref().unwrap()).collect();
        let (base, approval, weight) = match values[0] {
            "registry_lookup" => (0.94_f64, 0.9_f64, 5.0 / 11.0),
            "web_search" => (0.9, 0.8, 4.0 / 11.0),
            _ => (0.88, 0.7, 2.0 / 11.0),
        };
        let (added, share) = match values[1] {
            "crm" => (0.5_f64, 0.4),
            "web_form" => (0.0, 0.3),
            _ => (-0.8, 0.3),
        };
        let odds = |p: f64| p / (1.0 - p) * added.exp();
        let p = |base: f64| odds(base) / (1.0 + odds(base));
        let near = |hits: u64, n: u64, p: f64, what: &str| {
            let (found, error) = (hits as f64 / n as f64, (p * (1.0 - p) / n as f64).sqrt());
            assert!(
                (found - p).abs() < 4.5 * error,
                "{values:?} {what}: {found} for {p} ± {error}"
            );
        };
        let totals = rollup.totals;
        near(totals.decisions, all, weight * share, "share");
        near(totals.successes, totals.decisions, p(base), "success");
        near(
            totals.positives,
            totals.labelled,
            p(base) * p(approval),
            "approval",
        );
    }
}

#[test]
fn stated_confidence_is_right_when_the_temperature_is_one_and_too_sure_when_it_is_higher() {
    for temperature in [1.0, 1.3] {
        let set = format!(
            "components.1.confidence={{spread: 1.0, temperature: {temperature}, high: 0.9, medium: 0.7, pointer: /output_data/stated_confidence}}"
        );
        let scenario = scenario("tenant.yaml", &["days=14", &set]);
        let process = Process::new(&scenario, 8);
        let rollups = process
            .rollup(1, 0..process.hours(), &["confidence_level"], ALL)
            .unwrap();
        assert_eq!(rollups.len(), 3);
        for rollup in rollups {
            let totals = rollup.totals;
            let stated = totals.measures["/output_data/stated_confidence"]
                .sum
                .mean()
                .unwrap();
            let n = totals.decisions as f64;
            let came = totals.successes as f64 / n;
            let z = (stated - came) / (came * (1.0 - came) / n).sqrt();
            let sure = rollup.values[0].as_deref() == Some("high");
            assert!(
                temperature > 1.0 || z.abs() < 4.5,
                "{:?}: stated {stated}, came {came}",
                rollup.values
            );
            assert!(
                temperature == 1.0 || !sure || z > 5.0,
                "stated {stated}, came {came}"
            );
        }
    }
}

/// Daily success rates of enrichment in a seed.
fn daily(process: &Process<'_>) -> Vec<f64> {
    let day = |day: usize| {
        let hours = (day * 24..day * 24 + 24).map(|hour| process.counts(1, hour));
        let (hits, all) = hours.fold((0, 0), |sum, it| (sum.0 + it.successes, sum.1 + it.decisions));
        hits as f64 / all as f64
    };
    (0..process.hours() / 24).map(day).collect()
}

#[test]
fn the_daily_metric_varies_as_its_truth_says() {
    for shock in [
        "{phi: 0, sd: 0.2}",
        "{phi: 0.8, sd: 0.2}",
        "{phi: 0.6, sd: 0.15, every_hours: 24}",
    ] {
        let shocks = format!("noise={{shocks: [{shock}], dispersion: 0.2}}");
        let set = [
            "tenant={}",
            &shocks,
            "days=70",
            "events_per_day=5000",
            "components.1.season.peak_hour=10",
        ];
        let scenario = scenario(
            "effects/step.yaml",
            &[&set[..], &["faults.0.from=2026-03-15T00:00:00Z"]].concat(),
        );
        let size = Simulation::new(&scenario, &catalogue(), 0).truth().faults[0]
            .size
            .clone()
            .unwrap()
            .size;
        // The same day of the week in many seeds: its mean is the same, so that what is left is noise.
        let mut variance = 0.0;
        let seeds = 100;
        let series: Vec<_> = (0..seeds)
            .map(|seed| daily(&Process::new(&scenario, seed)))
            .collect();
        for weekday in 0..7 {
            let values: Vec<f64> = series
                .iter()
                .flat_map(|days| days[weekday..69].iter().step_by(7))
                .copied()
                .collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            variance +=
                values.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / values.len() as f64 / 7.0;
        }
        let told = size.daily_sd.unwrap();
        assert!(
            (variance.sqrt() / told - 1.0).abs() < 0.05,
            "{shock}: {} for {told}",
            variance.sqrt()
        );
    }
}

#[test]
fn a_planted_size_is_found_again_within_its_standard_error() {
    for sd in ["0", "-0.25", "-0.5", "-1", "-2"] {
        let set = [
            format!("faults.0.effect.success.sd={sd}"),
            "events_per_day=5000".to_owned(),
        ];
        let scenario = scenario("effects/step.yaml", &[&set[0], &set[1]]);
        let seeds = 60;
        let mut errors = Vec::new();
        for seed in 0..seeds {
            let size = Simulation::new(&scenario, &catalogue(), seed).truth().faults[0]
                .size
                .clone()
                .unwrap()
                .size;
            assert!(
                (size.sd.unwrap() - sd.parse::<f64>().unwrap()).abs() < 1e-3,
                "{size:?}"
            );
            let days = daily(&Process::new(&scenario, seed));
            let mean = |days: &[f64]| days.iter().sum::<f64>() / days.len() as f64;
            // Whole weeks before and after: Friday 6 March is day 60.
            errors.push((mean(&days[60..88]) - mean(&days[4..60]) - size.absolute) / size.daily_sd.unwrap());
        }
        let mean = errors.iter().sum::<f64>() / seeds as f64;
        let variance = errors.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / (seeds - 1) as f64;
        let error = (variance / seeds as f64).sqrt();
        assert!(
            mean.abs() < 4.0 * error && error < 0.05,
            "{sd} sd: off by {mean} ± {error}"
        );
    }
}

#[test]
fn hours_are_as_overdispersed_as_asked() {
    for dispersion in [0.0, 0.5] {
        let set = format!("noise={{dispersion: {dispersion}}}");
        let scenario = scenario(
            "tenant.yaml",
            &["tenant={}", &set, "days=364", "events_per_day=3000"],
        );
        let process = Process::new(&scenario, 4);
        // Monday from 0 to 1, in 52 weeks and four components: variance ÷ mean is 1 + mean · dispersion².
        for component in 0..4 {
            let numbers: Vec<f64> = (0..52 * 7)
                .map(|day| process.counts(component, day * 24).decisions as f64)
                .collect();
            let numbers: Vec<f64> = (0..7)
                .flat_map(|weekday| {
                    let days: Vec<f64> = numbers.iter().skip(weekday).step_by(7).copied().collect();
                    let mean = days.iter().sum::<f64>() / days.len() as f64;
                    days.into_iter().map(move |it| {
                        (it - mean) * (it - mean) / (mean + mean * mean * dispersion * dispersion)
                    })
                })
                .collect();
            let ratio = numbers.iter().sum::<f64>() / (numbers.len() - 7) as f64;
            assert!((ratio - 1.0).abs() < 0.35, "{dispersion}: {ratio}");
        }
    }
}
