//! Every event that can be built is one the collector accepts, and says what was put in.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use kaizen_decision::{LogType, RawRecord, Rejection, Schema, TimePolicy, decode, validate};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::encode;
use crate::adjustment::{Adjustment, Reason};
use crate::decision::{Decision, Level};
use crate::event::Event;

/// 2024-05-01T12:00:00Z: when everything is logged and published.
const NOON: i64 = 1_714_564_800_000;

fn encoded(decision: Decision) -> (Event, Vec<Adjustment>) {
    encode(decision, Timestamp::from_millisecond(NOON).unwrap())
}

/// What the collector makes of the event.
fn collected<T>(
    event: &Event,
    read: impl FnOnce(&kaizen_decision::Decision<'_>) -> T,
) -> Result<T, Rejection> {
    let record = RawRecord {
        topic: "kaizen.decisions",
        partition: 0,
        offset: 0,
        time: Some(NOON),
        key: Some(event.key.as_bytes()),
        value: Some(&event.value),
        content_type: Some(b"application/json"),
        event_id: Some(event.event_id.as_bytes()),
        replay: kaizen_decision::Replay::default(),
    };
    let value: Value = serde_json::from_slice(&event.value).unwrap();
    let log_type = LogType {
        name: value["log_type"].as_str().unwrap().to_owned(),
        ..LogType::default()
    };
    let mut transcoded = String::new();
    let raw = decode(&record, &mut transcoded)?;
    let schema = Schema::new([log_type]);
    validate(raw, &record, &schema, &TimePolicy::LIVE).map(|decision| read(&decision))
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
    ];
    let shallow = scalar.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let members = prop_oneof![Just("error_kind"), Just("error_message"), Just("other")];
    prop_oneof![
        4 => shallow,
        1 => (28_usize..40).prop_map(|depth| (0..depth).fold(json!({}), |inner, _| json!({"in": inner}))),
        1 => (262_100_usize..262_200).prop_map(|length| json!({"text": "x".repeat(length)})),
        1 => (members, any::<String>()).prop_map(|(name, value)| json!({name: value})),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "\\PC{0,300}", Just(String::new())]
}

fn any_level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::High), Just(Level::Medium), Just(Level::Low)]
}

struct Change(Box<dyn Fn(Decision) -> Decision>);

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Change")
    }
}

/// A call of one of the builder's methods with anything.
fn any_change() -> impl Strategy<Value = Change> {
    let text = any_text;
    prop_oneof![
        text().prop_map(move |t| Change(Box::new(move |d| d.event_id(&t)))),
        text().prop_map(move |t| Change(Box::new(move |d| d.lead_name(&t)))),
        text().prop_map(move |t| Change(Box::new(move |d| d.lead_company(&t)))),
        text().prop_map(move |t| Change(Box::new(move |d| d.lead_industry(&t)))),
        text().prop_map(move |t| Change(Box::new(move |d| d.error_kind(&t)))),
        text().prop_map(move |t| Change(Box::new(move |d| d.error_message(&t)))),
        text().prop_map(move |t| Change(Box::new(move |d| d.traceparent(&t)))),
        any_value().prop_map(move |v| Change(Box::new(move |d| d.input(&v)))),
        any_value().prop_map(move |v| Change(Box::new(move |d| d.output(&v)))),
        any_level().prop_map(move |l| Change(Box::new(move |d| d.confidence(l)))),
        any_level().prop_map(move |l| Change(Box::new(move |d| d.improvement_potential(l)))),
        any::<bool>().prop_map(move |b| Change(Box::new(move |d| d.success(b)))),
        any::<bool>().prop_map(move |b| Change(Box::new(move |d| d.success_indicator(b)))),
        any::<Duration>().prop_map(move |t| Change(Box::new(move |d| d.processing_time(t)))),
        any::<f64>().prop_map(move |n| Change(Box::new(move |d| d.quality_score(n)))),
        (text(), text(), any::<f64>())
            .prop_map(move |(e, a, p)| Change(Box::new(move |d| d.allocation(&e, &a, p)))),
    ]
}

/// A decision built by any calls, in any order.
fn any_decision() -> impl Strategy<Value = Decision> {
    let changes = prop::collection::vec(any_change(), 0..12);
    (any_text(), any_text(), any_text(), changes).prop_map(|(log_type, session, method, changes)| {
        let decision = Decision::new(log_type, session, method);
        changes
            .iter()
            .fold(decision, |decision, change| (change.0)(decision))
    })
}

proptest! {
    #[test]
    fn the_collector_accepts_every_event_that_can_be_built(decision in any_decision()) {
        let built = decision.clone();
        let (event, adjustments) = encoded(decision);
        collected(&event, |read| {
            prop_assert_eq!(&read.event_id, &event.event_id);
            prop_assert_eq!(&read.session_id, &event.key);
            prop_assert_eq!(read.reasoning.success, !built.failed);
            prop_assert_eq!(read.reasoning.processing_time, built.processing_time);
            prop_assert_eq!(read.labels.quality_score, built.quality_score);
            prop_assert_eq!(read.unknown_fields, 0);
            prop_assert_eq!(read.lead.name.as_deref(), built.lead[0].as_deref());
            prop_assert!(adjustments.starts_with(&built.adjustments));
            Ok(())
        }).unwrap()?;
    }

    #[test]
    fn an_input_within_the_limits_arrives_as_it_is(input in any_value(), output in any_value()) {
        let decision = Decision::new("website_analysis", "s", "m").input(&input).output(&output);
        let kept = decision.adjustments().is_empty();
        let (event, _) = encoded(decision);
        let read = collected(&event, |read| (read.input.to_string(), read.output.to_string())).unwrap();
        if kept {
            let expected = [input, output].map(|value| if value.is_null() { "{}".to_owned() } else { value.to_string() });
            prop_assert_eq!([read.0, read.1], expected);
        }
    }
}

#[test]
fn an_event_says_all_that_was_put_in() {
    let decision = Decision::new("campaign_generation", "s-1", "template-b")
        .event_id("e-1")
        .timestamp(SystemTime::UNIX_EPOCH + Duration::from_millis(1_714_564_799_250))
        .lead_name("Ada")
        .lead_company("Engines \"R\" Us")
        .lead_industry("computing")
        .input(&json!({"template": "b"}))
        .output(&json!({"text": "…"}))
        .confidence(Level::High)
        .processing_time(Duration::from_millis(1500))
        .quality_score(81.7)
        .success_indicator(true)
        .improvement_potential(Level::Low)
        .allocation("subject-line", "b", 0.5)
        .traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert_eq!(decision.adjustments(), []);
    let (event, _) = encoded(decision);
    let expected = concat!(
        r#"{"event_id":"e-1","log_type":"campaign_generation","session_id":"s-1","timestamp":"2024-05-01T11:59:59.250Z","#,
        r#""lead_identifier":{"name":"Ada","company":"Engines \"R\" Us","industry":"computing"},"#,
        r#""input_data":{"template":"b"},"output_data":{"text":"…"},"#,
        r#""decision_reasoning":{"method_used":"template-b","confidence_level":"high","processing_time":1.5,"success":true},"#,
        r#""training_labels":{"quality_score":81.7,"success_indicator":true,"improvement_potential":"low"},"#,
        r#""allocation":{"experiment":"subject-line","arm":"b","probability":0.5}}"#,
    );
    assert_eq!(String::from_utf8(event.value).unwrap(), expected);
    assert_eq!((event.key.as_str(), event.event_id.as_str()), ("s-1", "e-1"));
    assert!(event.traceparent.is_some());
}

#[test]
fn what_breaks_a_rule_is_named_and_the_event_is_still_one() {
    let long = "x".repeat(300);
    let decision = Decision::new("website_analysis", "", "")
        .event_id(&long)
        .lead_name(&long)
        .quality_score(f64::NAN)
        .allocation("e", "a", 1.5)
        .processing_time(Duration::MAX)
        .traceparent("none")
        .input(&json!([1]));
    let reasons: Vec<_> = decision.adjustments().iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "missing_field at `/session_id`",
            "missing_field at `/decision_reasoning/method_used`",
            "out_of_range at `/event_id`",
            "out_of_range at `/lead_identifier/name`",
            "out_of_range at `/training_labels/quality_score`",
            "out_of_range at `/allocation/probability`",
            "out_of_range at `/decision_reasoning/processing_time`",
            "traceparent_invalid at `traceparent`",
            "wrong_type at `/input_data`",
        ]
    );
    let (event, _) = encoded(decision.clone());
    assert_eq!(
        collected(&event, |read| read.session_id == event.event_id),
        Ok(true)
    );
    let (again, _) = encoded(decision);
    assert_eq!(again.event_id, event.event_id, "a retry carries the same id");
}

#[test]
fn an_error_stands_in_the_output_beside_what_is_there() {
    let decision = || Decision::new("airtable_operation", "s", "m").error_kind("Timeout");
    for (decision, expected) in [
        (decision(), r#"{"error_kind":"Timeout"}"#),
        (decision().output(&json!({})), r#"{"error_kind":"Timeout"}"#),
        (
            decision().output(&json!({"rows": 2})),
            r#"{"error_kind":"Timeout","rows":2}"#,
        ),
        (
            decision().output(&json!({"error_kind": null})),
            r#"{"error_kind":null}"#,
        ),
        (
            decision()
                .error_message("no answer")
                .output(&json!({"in": {"error_message": 1}})),
            r#"{"error_kind":"Timeout","error_message":"no answer","in":{"error_message":1}}"#,
        ),
    ] {
        let (event, _) = encoded(decision);
        assert_eq!(
            collected(&event, |read| read.output.to_string()).unwrap(),
            expected
        );
    }
    let full = json!({"text": "x".repeat(262_130)});
    let (event, adjustments) = encoded(decision().output(&full));
    let expected = [Adjustment {
        field: "/output_data",
        reason: Reason::TooLarge,
    }];
    assert_eq!(adjustments, expected);
    assert_eq!(
        collected(&event, |read| read.output.to_string()).unwrap(),
        r#"{"error_kind":"Timeout"}"#
    );
}

#[test]
fn an_event_has_an_id_of_its_own_unless_given() {
    let id = || encoded(Decision::new("website_analysis", "s", "m")).0.event_id;
    let (one, other) = (id(), id());
    assert_ne!(one, other);
    assert_eq!(uuid::Uuid::parse_str(&one).unwrap().get_version_num(), 7);
}
