//! `kaizen impact`, `roi`, `calibration` and `tickets implement` on a service that answers what the test tells it to.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot start its service or its program has failed"
)]

mod tracker {
    pub mod answers;
    pub mod service;
}

use std::process::Output;

use kaizen_api::analysis::v1::Condition;
use kaizen_api::tracker::v1::{GetCalibrationResponse, GetCumulativeRoiResponse};
use serde_json::{Value, json};

use tracker::answers;
use tracker::service::{Answers, Service};

fn answered() -> Answers {
    Answers {
        impact: Some(answers::impact()),
        measurements: answers::measurements(),
        roi: answers::roi(),
        cumulative: answers::cumulative(),
        calibration: answers::calibration(),
        corrections: answers::corrections(),
    }
}

fn text(output: Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn refusal(output: Output) -> String {
    assert!(!output.status.success() && output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn json_of(output: Output) -> Value {
    serde_json::from_str(&text(output)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impact_is_told_verdict_first_and_whole() {
    let service = Service::start(answered()).await;
    insta::assert_snapshot!("impact", text(service.kaizen(&["impact", "T-17"])));
    let asked = service.asked.lock().unwrap().impact.clone().unwrap();
    assert_eq!(
        (asked.ticket_id.as_str(), asked.measurement_period_days),
        ("T-17", 14)
    );
    service.kaizen(&["impact", "T-17", "--days", "28"]);
    let asked = service.asked.lock().unwrap().impact.clone().unwrap();
    assert_eq!(asked.measurement_period_days, 28);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impact_for_machines_holds_every_field() {
    let service = Service::start(answered()).await;
    let found = json_of(service.kaizen(&["impact", "T-17", "--output", "json"]));
    insta::assert_json_snapshot!("impact_json", found);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_of_an_impact_is_left_out_or_said() {
    let mut answers = answered();
    answers.impact = Some(answers::early());
    let service = Service::start(answers).await;
    insta::assert_snapshot!("impact_early", text(service.kaizen(&["impact", "T-17"])));
    let found = json_of(service.kaizen(&["impact", "T-17", "--output", "json"]));
    assert_eq!(found["verdict"], "cannot_tell");
    for absent in ["roi", "novelty", "placebo", "shock"] {
        assert_eq!(found[absent], Value::Null, "{absent}");
    }
    assert_eq!(
        found["roi_not_computed"],
        "the catalogue does not say what the metric is worth"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_measurements_are_listed_those_that_could_not_be_made_with_their_reason() {
    let service = Service::start(answered()).await;
    insta::assert_snapshot!("kept", text(service.kaizen(&["impact", "T-17", "--kept"])));
    let found = json_of(service.kaizen(&["impact", "T-17", "--kept", "--output", "json"]));
    assert_eq!((&found[0]["day"], &found[0]["impact"]), (&json!(7), &Value::Null));
    assert_eq!(found[1]["impact"]["verdict"], "improved");
    let none = Service::start(Answers::default()).await;
    let said = text(none.kaizen(&["impact", "T-17", "--kept"]));
    assert!(said.starts_with("No measurement is kept yet"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_told_with_what_it_is_made_of() {
    let service = Service::start(answered()).await;
    let arguments = [
        "roi",
        "T-17",
        "--hours",
        "12.5",
        "--unit-value",
        "4",
        "--days",
        "28",
    ];
    insta::assert_snapshot!("roi", text(service.kaizen(&arguments)));
    let asked = service.asked.lock().unwrap().roi.clone().unwrap();
    assert_eq!(
        (
            asked.ticket_id.as_str(),
            asked.days,
            asked.hours,
            asked.unit_value
        ),
        ("T-17", 28.0, Some(12.5), Some(4.0))
    );
    let found = json_of(service.kaizen(&["roi", "T-17", "--output", "json"]));
    assert_eq!(
        (&found["roi"]["net"]["value"], &found["roi"]["gain"]),
        (&json!(12_400.0), &json!(true))
    );
    let asked = service.asked.lock().unwrap().roi.clone().unwrap();
    assert_eq!((asked.days, asked.hours, asked.unit_value), (0.0, None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_that_is_not_computed_is_said_and_is_no_zero() {
    let mut answers = answered();
    answers.roi.roi = None;
    answers.roi.not_computed = "the catalogue does not say what the metric is worth".to_owned();
    let service = Service::start(answers).await;
    assert_eq!(
        text(service.kaizen(&["roi", "T-17"])),
        "T-17: not computed: the catalogue does not say what the metric is worth\n"
    );
    let found = json_of(service.kaizen(&["roi", "T-17", "--output", "json"]));
    assert_eq!(found["roi"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_returns_are_summed_up_raw_and_shrunk_by_kind_category_and_time() {
    let service = Service::start(answered()).await;
    insta::assert_snapshot!(
        "cumulative",
        text(service.kaizen(&["roi", "--category", "enrichment"]))
    );
    let asked = service.asked.lock().unwrap().category.clone();
    assert_eq!(asked.as_deref(), Some("enrichment"));
    let found = json_of(service.kaizen(&["roi", "--output", "json"]));
    assert_eq!(
        (&found["kinds"][2]["name"], &found["points"][1]["shrunk"]),
        (&json!("failed_work"), &json!(9_100.0))
    );
    let none = Service::start(Answers {
        cumulative: GetCumulativeRoiResponse::default(),
        ..Answers::default()
    })
    .await;
    assert_eq!(text(none.kaizen(&["roi"])), "No ticket has been measured yet.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn calibration_is_told_in_all_by_rule_and_by_category() {
    let service = Service::start(answered()).await;
    insta::assert_snapshot!("calibration", text(service.kaizen(&["calibration"])));
    let found = json_of(service.kaizen(&["calibration", "--output", "json"]));
    assert_eq!(
        (
            &found["calibrations"][2]["brier"],
            &found["forecasts"][0]["covered"]
        ),
        (&Value::Null, &json!(true))
    );
    let none = Service::start(Answers {
        calibration: GetCalibrationResponse::default(),
        ..Answers::default()
    })
    .await;
    assert_eq!(
        text(none.kaizen(&["calibration"])),
        "No forecast has a measured outcome yet.\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_correction_is_listed_over_all_pages() {
    let service = Service::start(answered()).await;
    insta::assert_snapshot!(
        "corrections",
        text(service.kaizen(&["calibration", "--corrections"]))
    );
    let found = json_of(service.kaizen(&["calibration", "--corrections", "--output", "json"]));
    assert_eq!(
        (&found[0]["outcomes"][1]["ticket_id"], &found[1]["ended_by"]),
        (&json!("T-12"), &json!("anna"))
    );
    let none = Service::start(Answers::default()).await;
    assert_eq!(
        text(none.kaizen(&["calibration", "--corrections"])),
        "No rule's forecasts were ever corrected.\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_taken_back_with_a_reason_and_not_without() {
    let service = Service::start(answered()).await;
    let without = refusal(service.kaizen(&["calibration", "--revert", "C-3"]));
    assert!(without.contains("--reason"), "{without}");
    assert!(service.asked.lock().unwrap().is_empty());
    let arguments = [
        "calibration",
        "--revert",
        "C-3",
        "--actor",
        "bert",
        "--reason",
        "It was undone",
    ];
    assert_eq!(
        text(service.kaizen(&arguments)),
        "C-3 reverted: later analyses forecast what slice_regression itself says\n"
    );
    let asked = service.asked.lock().unwrap().revert.clone().unwrap();
    assert_eq!(
        (
            asked.correction_id.as_str(),
            asked.actor.as_str(),
            asked.reason.as_str()
        ),
        ("C-3", "bert", "It was undone")
    );
    let unknown = refusal(service.kaizen(&["calibration", "--revert", "C-9", "--reason", "None"]));
    assert!(unknown.contains("no such correction"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_implementation_costs_and_applies_to_is_sent_and_shown() {
    let service = Service::start(answered()).await;
    let arguments = [
        "tickets",
        "implement",
        "T-17",
        "--hours",
        "6",
        "--running-cost-per-day",
        "-1.5",
        "--slice",
        "source=Apollo",
        "--slice",
        "region=EU",
        "--experiment",
        "prompts",
        "--arm",
        "new",
    ];
    text(service.kaizen(&arguments));
    let sent = service.asked.lock().unwrap().implementation.clone().unwrap();
    assert_eq!((sent.hours, sent.running_cost_per_day), (Some(6.0), -1.5));
    assert_eq!((sent.experiment.as_str(), sent.arm.as_str()), ("prompts", "new"));
    let condition = |dimension: &str, value: &str| Condition {
        dimension: dimension.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(
        sent.slice,
        [condition("source", "Apollo"), condition("region", "EU")]
    );
    let shown = text(service.kaizen(&["tickets", "show", "T-17"]));
    let expected = "for arm new of prompts where source = Apollo, region = EU (6 h of work, running it costs -1.5 a day)";
    assert!(shown.contains(expected), "{shown}");
    let found = json_of(service.kaizen(&["tickets", "show", "T-17", "--output", "json"]));
    assert_eq!(
        found["implementation"]["slice"],
        json!({"source": "Apollo", "region": "EU"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_refused_before_anything_is_asked() {
    let service = Service::start(answered()).await;
    for (arguments, part) in [
        (&["impact", "T-17", "--days", "0"][..], "1..=366"),
        (
            &["impact", "T-17", "--days", "7", "--kept"],
            "cannot be used with",
        ),
        (&["roi", "T-17", "--days", "4000"], "must be 1 to 3650"),
        (&["roi", "--hours", "3"], "<ID>"),
        (
            &["roi", "T-17", "--category", "enrichment"],
            "cannot be used with",
        ),
        (&["tickets", "implement", "T-17", "--arm", "new"], "--experiment"),
        (
            &["tickets", "implement", "T-17", "--slice", "Apollo"],
            "must be DIMENSION=VALUE",
        ),
    ] {
        let said = refusal(service.kaizen(arguments));
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    assert!(service.asked.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_refuses_is_said_in_its_words() {
    let mut answers = answered();
    answers.impact = None;
    let service = Service::start(answers).await;
    let said = refusal(service.kaizen(&["impact", "T-17"]));
    assert_eq!(said, "kaizen: FailedPrecondition: T-17 is not implemented\n");
}
