//! Every effect that can be planted has a scenario of its own, which runs and whose truth names it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy knows only the functions marked as tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kaizen_catalogue::Catalogue;
use kaizen_simulator::truth::{FaultTruth, Kind, Truth};
use kaizen_simulator::{Event, Process, Scenario, Simulation};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config/scenarios/effects")
}

fn scenario(name: &str, assignments: &[&str]) -> Scenario {
    let assignments: Vec<_> = assignments.iter().map(|it| (*it).to_owned()).collect();
    Scenario::load_with(&folder().join(format!("{name}.yaml")), &assignments).unwrap()
}

fn simulate(scenario: &Scenario, seed: u64) -> (Vec<Event>, Truth) {
    let catalogue = Catalogue::parse(include_str!("../../../config/catalogue.yaml")).unwrap();
    let mut simulation = Simulation::new(scenario, &catalogue, seed);
    let events = simulation.by_ref().collect();
    (events, simulation.truth())
}

/// Kind, what it changes first, and which way, of the fault that a file is named after.
const EFFECTS: [(&str, Kind, &str, f64); 20] = [
    ("step", Kind::Step, "success_rate", -1.0),
    ("ramp", Kind::Ramp, "approval_rate", -1.0),
    ("season-change", Kind::SeasonChange, "success_rate", 1.0),
    ("slice-regression-1", Kind::SliceRegression, "success_rate", -1.0),
    ("slice-regression", Kind::SliceRegression, "share", 1.0),
    ("slice-regression-3", Kind::SliceRegression, "approval_rate", -1.0),
    ("mix-shift", Kind::MixShift, "share", 1.0),
    ("latency-p50", Kind::LatencyDrift, "p50_seconds", 1.0),
    ("latency-p99", Kind::TailLatencyDrift, "p99_seconds", 1.0),
    ("miscalibration", Kind::Miscalibration, "temperature", 1.0),
    ("mislabelling", Kind::Mislabelling, "labels.quality", -1.0),
    ("missing-hours", Kind::MissingHours, "hours_missing", 1.0),
    ("outage", Kind::Outage, "decisions_per_day", -1.0),
    ("duplicates", Kind::Duplicates, "duplicates", 1.0),
    ("novelty-decay", Kind::NoveltyDecay, "approval_rate", 1.0),
    ("improvement", Kind::Improvement, "approval_rate", 1.0),
    ("global-shock", Kind::Improvement, "approval_rate", 1.0),
    ("roi-near", Kind::Improvement, "success_rate", 1.0),
    ("roi-far", Kind::Improvement, "success_rate", 1.0),
    ("several", Kind::Ramp, "success_rate", -1.0),
];

#[test]
fn every_effect_has_a_scenario_that_runs_and_a_truth_that_names_it() {
    let files: BTreeSet<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(files, EFFECTS.iter().map(|it| it.0.to_owned()).collect());
    for (name, kind, of, sign) in EFFECTS {
        let scenario = scenario(name, &["events_per_day=150"]);
        assert_eq!(scenario.name, name);
        let (events, truth) = simulate(&scenario, 1);
        assert!(
            (truth.events as f64 / (150.0 * 88.0) - 1.0).abs() < 0.1,
            "{name}: {}",
            truth.events
        );
        assert_eq!(events.len() as u64, truth.events + truth.repeated);
        let fault = &truth.faults[0];
        let size = &fault.size.as_ref().unwrap().size;
        assert_eq!((fault.kind, size.of.as_str()), (kind, of), "{name}");
        assert!(size.absolute * sign > 0.0, "{name}: {size:?}");
        assert!(fault.component.is_some() && fault.window.start < fault.window.end);
        let json = serde_json::to_value(fault).unwrap();
        assert!(
            json["size"]["of"] == of && json["size"]["log_type"] == fault.log_type.as_str(),
            "{json}"
        );
    }
}

#[test]
fn what_is_planted_moves_nothing_before_it_begins_and_nothing_elsewhere() {
    for (name, _, _, _) in EFFECTS {
        // With faults that change how many decisions there are, later ones are other ones.
        let planted = scenario(name, &["events_per_day=300", "days=70"]);
        let plain = scenario(name, &["events_per_day=300", "days=70", "faults=[]"]);
        let (planted, plain) = (simulate(&planted, 2).0, simulate(&plain, 2).0);
        let begin: jiff::Timestamp = "2026-03-06T00:00:00Z".parse().unwrap();
        let before = |events: &[Event]| events.iter().filter(|it| it.timestamp < begin).count();
        assert!(before(&planted) > 15_000);
        assert_eq!(before(&planted), before(&plain), "{name}");
        let same = planted
            .iter()
            .zip(&plain)
            .filter(|(a, b)| a.timestamp < begin && a.timestamp == b.timestamp);
        assert_eq!(same.count(), before(&plain), "{name}");
    }
}

#[test]
fn a_repeated_event_is_the_same_again_and_the_others_are_as_without() {
    for share in [0.01, 0.05, 0.2] {
        let set = format!("faults.0.effect.duplicates={share}");
        let (with, truth) = simulate(&scenario("duplicates", &["events_per_day=500", &set]), 3);
        let (without, plain) = simulate(&scenario("duplicates", &["events_per_day=500", "faults=[]"]), 3);
        let mut seen = BTreeMap::new();
        let mut once = Vec::new();
        for event in with {
            match seen.insert(event.event_id.clone(), event.clone()) {
                Some(first) => assert_eq!(first, event),
                None => once.push(event),
            }
        }
        assert!(once == without && truth.components == plain.components);
        let befallen = truth.components[1].events as f64 * 28.0 / 88.0;
        let found = truth.repeated as f64 / befallen;
        assert!((found / share - 1.0).abs() < 0.25, "{share}: {found}");
    }
}

#[test]
fn an_outage_and_missing_hours_have_no_events_and_take_none_from_the_others() {
    let hours_without =
        |name: &str, component: usize| {
            let scenario = scenario(name, &[]);
            let plain = {
                let assignments = ["faults=[]".to_owned()];
                Scenario::load_with(&folder().join(format!("{name}.yaml")), &assignments).unwrap()
            };
            let (planted, plain) = (Process::new(&scenario, 4), Process::new(&plain, 4));
            let hours = 0..planted.hours();
            let silent: Vec<_> = hours
                .clone()
                .filter(|hour| planted.counts(component, *hour).decisions == 0)
                .collect();
            for other in (0..4).filter(|it| *it != component) {
                assert!(
                    hours
                        .clone()
                        .all(|hour| planted.counts(other, hour) == plain.counts(other, hour))
                );
            }
            assert!(hours.clone().all(|hour| silent.contains(&hour)
                || planted.counts(component, hour) == plain.counts(component, hour)));
            silent
        };
    // Tuesday 10 March, 6:00, to Wednesday, 18:00.
    assert_eq!(
        hours_without("outage", 2),
        (64 * 24 + 6..65 * 24 + 18).collect::<Vec<_>>()
    );
    let missing = hours_without("missing-hours", 1);
    assert!(
        (40..95).contains(&missing.len()) && missing.iter().all(|hour| *hour >= 60 * 24),
        "{}",
        missing.len()
    );
}

fn fault(name: &str, assignments: &[&str]) -> FaultTruth {
    simulate(
        &scenario(name, &[&["events_per_day=100"], assignments].concat()),
        5,
    )
    .1
    .faults
    .remove(0)
}

fn size<'a>(fault: &'a FaultTruth, of: &str) -> &'a kaizen_simulator::Size {
    &fault.sizes.iter().find(|it| it.size.of == of).unwrap().size
}

#[test]
fn the_tail_of_latency_moves_alone() {
    let tail = fault("latency-p99", &[]);
    let (p50, p99) = (size(&tail, "p50_seconds"), size(&tail, "p99_seconds"));
    assert!(
        p50.absolute == 0.0 && (p99.after / p99.before - 1.3).abs() < 1e-4,
        "{p50:?} {p99:?}"
    );
    let most = fault("latency-p50", &[]);
    let (p50, p99) = (size(&most, "p50_seconds"), size(&most, "p99_seconds"));
    assert!(
        (p50.after / p50.before - 1.15).abs() < 1e-4 && p99.absolute == 0.0,
        "{p50:?} {p99:?}"
    );
}

#[test]
fn a_shift_of_the_mix_changes_the_component_and_no_slice() {
    let shift = fault(
        "mix-shift",
        &["components.1.dimensions.0.log_odds={crm: 0, web_form: 0, list: -1}"],
    );
    assert!(size(&shift, "component.success_rate").absolute < -0.01);
    assert!(shift.sizes.iter().all(|it| it.size.of != "success_rate"));
    let both = fault("slice-regression", &[]);
    assert!((size(&both, "success_rate").sd.unwrap() + 4.0).abs() < 1e-3);
}

#[test]
fn an_improvement_tells_what_it_is_worth_and_which_control_is_wrong() {
    for correlation in [0.3, 0.6, 0.8] {
        let set = format!("noise.shocks.0.correlation={correlation}");
        let worth = fault("improvement", &[&set]).improvement.unwrap();
        let wrong: Vec<_> = worth.controls.iter().map(|it| it.befallen_apart.len()).collect();
        assert_eq!(wrong, [0, 0, 1]);
        assert!(
            worth
                .controls
                .iter()
                .all(|it| it.correlation == Some(correlation))
        );
        assert!((worth.roi - 1.0).abs() < 1e-3 && (worth.benefit / worth.cost - 2.0).abs() < 1e-3);
    }
    let shocked = fault("global-shock", &[]).improvement.unwrap();
    assert!(
        shocked.controls.iter().all(|it| it.befallen_apart.is_empty()),
        "it befalls all alike"
    );
    let near = fault("roi-near", &[]).improvement.unwrap();
    assert!(near.roi > 0.0 && near.roi < 0.1 && fault("roi-far", &[]).improvement.unwrap().roi > 2.0);
}

#[test]
fn another_season_is_no_change_of_the_mean() {
    let scenario = scenario("season-change", &["tenant={}", "noise={}"]);
    let process = Process::new(&scenario, 6);
    let rate = |days: std::ops::Range<usize>, hour: Option<usize>| {
        let hours = (days.start * 24..days.end * 24).filter(|at| hour.is_none_or(|hour| at % 24 == hour));
        let counts = hours.map(|at| process.counts(1, at));
        let (hits, all) = counts.fold((0, 0), |sum, it| (sum.0 + it.successes, sum.1 + it.decisions));
        hits as f64 / all as f64
    };
    // Hours weigh by their decisions, most of which are at night: compared are means of hours.
    let mean =
        |days: std::ops::Range<usize>| (0..24).map(|hour| rate(days.clone(), Some(hour))).sum::<f64>() / 24.0;
    assert!(
        (mean(4..60) - mean(60..88)).abs() < 0.006,
        "{} {}",
        mean(4..60),
        mean(60..88)
    );
    assert!(rate(60..88, Some(0)) - rate(4..60, Some(0)) > 0.015);
    assert!(rate(60..88, Some(12)) - rate(4..60, Some(12)) < -0.015);
}
