//! The events of a scenario and their truth.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; clippy knows only the functions marked as tests"
)]

use std::collections::BTreeMap;

use kaizen_catalogue::Catalogue;
use kaizen_decision::{RawRecord, Replay, Schema, TimePolicy, decode, read_change, read_outcome, validate};
use kaizen_simulator::{Event, Scenario, Simulation, Truth};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn scenario() -> Scenario {
    Scenario::parse(include_str!("../../../config/scenarios/small.yaml")).unwrap()
}

fn catalogue() -> Catalogue {
    Catalogue::parse(include_str!("../../../config/catalogue.yaml")).unwrap()
}

fn simulate(scenario: &Scenario, seed: u64) -> (Vec<Event>, Truth) {
    let mut simulation = Simulation::new(scenario, &catalogue(), seed);
    let events = simulation.by_ref().collect();
    (events, simulation.truth())
}

fn digest(events: &[Event]) -> Vec<u8> {
    let mut digest = Sha256::new();
    events.iter().for_each(|event| digest.update(&event.value));
    digest.finalize().to_vec()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let scenario = scenario();
    let (one, truth) = simulate(&scenario, 1);
    let (again, same) = simulate(&scenario, 1);
    assert!(digest(&one) == digest(&again) && truth == same);
    assert_ne!(digest(&one), digest(&simulate(&scenario, 2).0));
}

#[test]
fn the_bytes_of_a_seed_are_the_ones_of_every_machine() {
    let hex = |events: &[Event]| {
        digest(events)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    assert_eq!(
        hex(&simulate(&scenario(), 1).0),
        "d1debc0e547444694812698b776780972a4cf196d6bb1518b62df1a2f1200161"
    );
    let tenant = include_str!("../../../config/scenarios/tenant.yaml").replace("days: 88", "days: 2");
    assert_eq!(
        hex(&simulate(&Scenario::parse(&tenant).unwrap(), 1).0),
        "4aa6b40f76426b190a4ea496ee3d04f7bd91940096317b5b23cb52be6da54ced"
    );
}

#[test]
fn as_many_events_as_asked_come_in_the_order_of_time_within_the_scenario() {
    let scenario = scenario();
    let (events, truth) = simulate(&scenario, 3);
    assert_eq!((events.len() as u64, truth.events), (4000, 4000));
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].timestamp <= pair[1].timestamp)
    );
    assert!(
        events
            .iter()
            .all(|event| scenario.start <= event.timestamp && event.timestamp < scenario.end())
    );
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| &event.event_id).collect();
    assert_eq!(ids.len(), events.len());
}

#[test]
fn every_event_is_a_valid_decision_without_unknown_fields() {
    let schema = Schema::new([]);
    for event in simulate(&scenario(), 4).0 {
        let (topic, partition, offset, time) = ("t", 0, 0, Some(0));
        let (key, value, content_type, event_id) = (None, Some(event.value.as_slice()), None, None);
        let record = RawRecord {
            topic,
            partition,
            offset,
            time,
            key,
            value,
            content_type,
            event_id,
            replay: Replay::default(),
        };
        let mut transcoded = String::new();
        let raw = decode(&record, &mut transcoded).unwrap();
        let decision = validate(raw, &record, &schema, &TimePolicy::BACKFILL).unwrap();
        assert_eq!(
            (decision.unknown_fields, &*decision.event_id),
            (0, event.event_id.as_str())
        );
        assert_eq!(
            (&*decision.session_id, decision.timestamp),
            (event.key.as_str(), event.timestamp)
        );
    }
}

#[test]
fn events_are_about_as_long_as_real_ones() {
    let events = simulate(&scenario(), 5).0;
    let mean = events.iter().map(|event| event.value.len()).sum::<usize>() / events.len();
    assert!((1100..1300).contains(&mean), "{mean} bytes");
}

fn share(truth: &Truth, name: &str) -> (u64, f64) {
    let metrics = truth.components.iter().flat_map(|component| &component.metrics);
    let metric = metrics.into_iter().find(|metric| metric.name == name).unwrap();
    (metric.n, metric.value.unwrap())
}

/// The events of one kind as JSON, to compute the truth once more, the slow way.
fn events_of(log_type: &str) -> (Vec<Value>, Truth) {
    let (events, truth) = simulate(&scenario(), 6);
    let events = events
        .iter()
        .map(|event| serde_json::from_slice::<Value>(&event.value).unwrap())
        .filter(|event| event["log_type"] == log_type)
        .collect();
    (events, truth)
}

#[test]
fn the_true_success_rate_is_what_the_events_say() {
    let (events, truth) = events_of("enrichment_decision");
    let successes = events
        .iter()
        .filter(|event| event["decision_reasoning"]["success"] == true)
        .count();
    let rate = successes as f64 / events.len() as f64;
    assert_eq!(
        share(&truth, "lead_enrichment.success_rate"),
        (events.len() as u64, rate)
    );
}

#[test]
fn the_true_approval_rate_is_what_the_labels_say() {
    let (events, truth) = events_of("campaign_generation");
    let labels: Vec<bool> = events
        .iter()
        .filter_map(|event| event["training_labels"]["success_indicator"].as_bool())
        .collect();
    let rate = labels.iter().filter(|reached| **reached).count() as f64 / labels.len() as f64;
    assert_eq!(
        share(&truth, "ai_message_generation.approval_rate"),
        (labels.len() as u64, rate)
    );
}

#[test]
fn the_true_latency_is_what_the_events_say_to_three_digits() {
    let (events, truth) = events_of("website_analysis");
    let seconds = |event: &Value| event["decision_reasoning"]["processing_time"].as_f64();
    let mut milliseconds: Vec<u64> = events
        .iter()
        .map(|event| (seconds(event).unwrap() * 1000.0).round() as u64)
        .collect();
    milliseconds.sort_unstable();
    let p95 = milliseconds[(milliseconds.len() * 95).div_ceil(100) - 1] as f64 / 1000.0;
    let (n, told) = share(&truth, "website_scraping.p95_latency");
    assert!(
        n == milliseconds.len() as u64 && (told / p95 - 1.0).abs() < 0.006,
        "{told} {p95}"
    );
}

#[test]
fn the_true_error_kinds_are_what_the_events_say() {
    let (events, truth) = events_of("airtable_operation");
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for kind in events
        .iter()
        .filter_map(|event| event["output_data"]["error_kind"].as_str())
    {
        *kinds.entry(kind).or_default() += 1;
    }
    let metrics = truth.components.iter().flat_map(|component| &component.metrics);
    let groups = &metrics
        .into_iter()
        .find(|metric| metric.name == "crm_sync.error_kinds")
        .unwrap()
        .groups;
    let expected: Vec<_> = kinds
        .iter()
        .map(|(kind, failures)| (*kind, Some(*failures as f64 / events.len() as f64)))
        .collect();
    let told: Vec<_> = groups
        .iter()
        .map(|group| (group.group.as_str(), group.value))
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn a_planted_fault_befalls_its_slice_in_its_time_and_nothing_else() {
    let (events, truth) = simulate(&scenario(), 7);
    let fault = &truth.faults[0];
    let rate = |within: bool, method: &str| {
        let events = events
            .iter()
            .filter(|event| (event.timestamp >= fault.window.start) == within);
        let events = events.map(|event| serde_json::from_slice::<Value>(&event.value).unwrap());
        let slice = |event: &Value| {
            event["log_type"] == fault.log_type.as_str()
                && event["decision_reasoning"]["method_used"] == method
        };
        let (hits, all) = events.filter(slice).fold((0, 0), |(hits, all), event| {
            (
                hits + u32::from(event["decision_reasoning"]["success"] == true),
                all + 1,
            )
        });
        f64::from(hits) / f64::from(all)
    };
    assert_eq!(fault.slice["method_used"], "web_search");
    assert!(
        (rate(false, "web_search") - 0.92).abs() < 0.05,
        "{}",
        rate(false, "web_search")
    );
    assert!(
        (rate(true, "web_search") - 0.52).abs() < 0.08,
        "{}",
        rate(true, "web_search")
    );
    assert!(
        (rate(true, "registry_lookup") - 0.96).abs() < 0.05,
        "{}",
        rate(true, "registry_lookup")
    );
}

#[test]
fn an_outage_has_no_events_and_the_others_make_up_for_them() {
    let mut text = include_str!("../../../config/scenarios/small.yaml").to_owned();
    text += "  - name: silence\n    log_type: website_analysis\n    metric: website_scraping.success_rate\n    \
             from: 2026-01-06T00:00:00Z\n    to: 2026-01-07T00:00:00Z\n    effect: {volume: 0}\n";
    let scenario = Scenario::parse(&text).unwrap();
    let (events, truth) = simulate(&scenario, 8);
    let silence = &truth.faults[1].window;
    let silenced = events
        .iter()
        .filter(|event| (silence.start..silence.end).contains(&event.timestamp));
    let mut others = 0;
    for event in silenced {
        let event: Value = serde_json::from_slice(&event.value).unwrap();
        assert_ne!(event["log_type"], "website_analysis");
        others += 1;
    }
    assert!(others > 0 && events.len() == 4000);
}

/// The record of an event, published in 2027.
fn told_late(event: &Event) -> RawRecord<'_> {
    RawRecord {
        topic: "",
        partition: 0,
        offset: 0,
        time: Some(1_800_000_000_000),
        key: None,
        value: Some(&event.value),
        content_type: None,
        event_id: None,
        replay: Replay::default(),
    }
}

#[test]
fn outcomes_and_changes_are_valid_and_count_in_the_truth_for_the_last_decision_before_them() {
    let (scenario, catalogue) = (scenario(), catalogue());
    let mut simulation = Simulation::new(&scenario, &catalogue, 9);
    let (mut decisions, mut outcomes) = (Vec::new(), Vec::new());
    while let Some(event) = simulation.next() {
        decisions.push(event);
        outcomes.extend(simulation.outcomes());
    }
    for change in simulation.changes() {
        let raw = told_late(&change);
        let read = read_change(&raw, &TimePolicy::LATE).unwrap();
        assert_eq!(
            (read.at, &*read.component),
            (change.timestamp, change.key.as_str())
        );
    }
    let truth = simulation.truth();

    // Counted one by one, by the rule that the catalogue tells.
    let (mut hits, mut cents) = (0, 0.0);
    for event in &outcomes {
        let raw = told_late(event);
        let outcome = read_outcome(&raw, &TimePolicy::LATE).unwrap();
        assert_eq!(
            (&*outcome.session_id, outcome.timestamp),
            (event.key.as_str(), event.timestamp)
        );
        let messages = decisions.iter().filter(|it| {
            it.key == event.key && String::from_utf8_lossy(&it.value).contains("\"campaign_generation\"")
        });
        let before = messages.filter(|it| it.timestamp <= event.timestamp);
        let its = before.max_by_key(|it| it.timestamp).unwrap();
        let days = event.timestamp.duration_since(its.timestamp).as_secs_f64() / 86_400.0;
        hits += u32::from(&*outcome.outcome == "replied" && days <= 14.0);
        if &*outcome.outcome == "deal" && days <= 90.0 {
            cents += outcome.value.unwrap() * 100.0;
        }
    }
    let metric = |name: &str| {
        let metrics = truth.components.iter().flat_map(|component| &component.metrics);
        metrics.into_iter().find(|metric| metric.name == name).unwrap()
    };
    let rate = metric("ai_message_generation.reply_rate");
    assert!(hits > 100);
    assert_eq!(rate.value, Some(f64::from(hits) / rate.n as f64));
    assert_eq!(rate.n, truth.components[0].events);
    let worth = metric("ai_message_generation.deal_value").value.unwrap();
    assert!(
        cents > 0.0 && (worth * 100.0 - cents).abs() < 0.5,
        "{worth} and {cents}"
    );
}
