use kaizen_decision::canonical::canonical;
use kaizen_decision::{Reason, Rejection};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::event::{outcome, record};

/// Any JSON value, shallow enough for the schema.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |number| serde_json::Number::from_f64(number)
            .map(Value::Number)),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(any::<String>(), value(), 0..6)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn level() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("high"), Just("medium"), Just("low")]
}

prop_compose! {
    fn event()(
        session in "\\PC{1,128}", id in "\\PC{1,64}", method in "\\PC{1,128}", input in object(), output in object(),
        (confidence, potential) in (level(), level()), seconds in 0.0..1e6, success: bool, met: bool,
        quality in 0.0..=100.0, millis in 0_i64..600_000, unknown in value(), probability in 0.0..=1.0,
    ) -> Value {
        let timestamp = jiff::Timestamp::from_millisecond(crate::event::NOON - millis).unwrap().to_string();
        json!({
            "event_id": id, "log_type": "website_analysis", "session_id": session, "timestamp": timestamp,
            "lead_identifier": {"name": session, "company": method, "industry": id},
            "input_data": input, "output_data": output,
            "decision_reasoning": {"method_used": method, "confidence_level": confidence, "processing_time": seconds,
                                   "success": success},
            "training_labels": {"quality_score": quality, "success_indicator": met, "improvement_potential": potential},
            "allocation": {"experiment": method, "arm": id, "probability": probability},
            "~unknown": unknown,
        })
    }
}

/// The event that a row stands for.
fn encode(row: &kaizen_decision::DecisionRow<'_>) -> Value {
    let decision = row.decision;
    let parse = |json: &str| serde_json::from_str::<Value>(json).unwrap();
    let mut event = json!({
        "event_id": decision.event_id, "log_type": decision.log_type, "session_id": decision.session_id,
        "timestamp": decision.timestamp.to_string(),
        "lead_identifier": {"name": row.lead_name, "company": decision.lead.company, "industry": decision.lead.industry},
        "input_data": parse(&decision.input), "output_data": parse(&decision.output),
        "decision_reasoning": {
            "method_used": decision.reasoning.method_used,
            "confidence_level": decision.reasoning.confidence_level.map(|level| level.as_str()),
            "processing_time": decision.reasoning.processing_time, "success": decision.reasoning.success,
        },
        "training_labels": {
            "quality_score": decision.labels.quality_score, "success_indicator": decision.labels.success_indicator,
            "improvement_potential": decision.labels.improvement_potential.map(|level| level.as_str()),
        },
        "allocation": {"experiment": decision.allocation.experiment, "arm": decision.allocation.arm,
                       "probability": decision.allocation.probability},
    });
    let extra: Map<String, Value> = serde_json::from_str(&decision.extra).unwrap();
    event.as_object_mut().unwrap().extend(extra);
    event
}

fn one_outcome(bytes: &[u8]) {
    if let Err(Rejection { reason, .. }) = outcome(&record(bytes), |_| ()) {
        assert!(Reason::ALL.contains(&reason));
    }
    let protobuf = kaizen_decision::RawRecord {
        content_type: Some(b"application/x-protobuf"),
        ..record(bytes)
    };
    let _either = outcome(&protobuf, |_| ());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        one_outcome(&bytes);
    }

    #[test]
    fn no_damage_to_a_valid_event_makes_it_panic(
        event in event(), at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = event.to_string().into_bytes();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        one_outcome(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        one_outcome(&bytes);
    }

    #[test]
    fn no_values_in_the_fields_make_it_panic(mut event in event(), field in 0_usize..10, other in value()) {
        let name = event.as_object().unwrap().keys().nth(field).unwrap().clone();
        event[name] = other;
        one_outcome(event.to_string().as_bytes());
    }

    #[test]
    fn what_is_encoded_is_decoded_again(event in event()) {
        let decoded = outcome(&record(event.to_string().as_bytes()), encode).unwrap();
        prop_assert_eq!(decoded, event);
    }

    #[test]
    fn canonical_text_means_the_same_and_is_canonical(value in value()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let escaped: String = value.to_string().chars().map(|character| {
            if character.is_ascii() { character.to_string() } else {
                character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect()
            }
        }).collect();
        for text in [pretty, escaped] {
            let canonical = canonical(&text).text.into_owned();
            prop_assert_eq!(&canonical, &value.to_string());
        }
    }
}
