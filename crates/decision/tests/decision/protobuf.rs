use kaizen_decision::{RawRecord, Reason, Rejection, proto};
use prost::Message;
use prost_types::value::Kind;
use prost_types::{Struct, Timestamp, Value};

use crate::event::{outcome, record};

fn number(value: f64) -> Value {
    Value {
        kind: Some(Kind::NumberValue(value)),
    }
}

fn object(name: &str, value: Value) -> Struct {
    Struct {
        fields: [(name.to_owned(), value)].into(),
    }
}

fn message() -> proto::Decision {
    proto::Decision {
        log_type: "enrichment_decision".to_owned(),
        session_id: "session-1".to_owned(),
        timestamp: Some(Timestamp {
            seconds: 1_714_564_800,
            nanos: 500_000_000,
        }),
        lead_identifier: Some(proto::LeadIdentifier {
            company: Some("Analytical Engines".to_owned()),
            ..Default::default()
        }),
        input_data: Some(object(
            "model",
            Value {
                kind: Some(Kind::StringValue("m-\"1\"".to_owned())),
            },
        )),
        output_data: Some(object("tokens", number(1234.0))),
        decision_reasoning: Some(proto::DecisionReasoning {
            method_used: "lookup".to_owned(),
            confidence_level: proto::Level::Medium.into(),
            processing_time: Some(0.25),
            success: Some(true),
        }),
        extra: Some(object("region", number(2.5))),
        ..Default::default()
    }
}

const JSON: &str = r#"{"log_type":"enrichment_decision","session_id":"session-1","timestamp":"2024-05-01T12:00:00.5Z","lead_identifier":{"company":"Analytical Engines"},"input_data":{"model":"m-\"1\""},"output_data":{"tokens":1234},"decision_reasoning":{"method_used":"lookup","confidence_level":"medium","processing_time":0.25,"success":true},"region":2.5}"#;

fn rejection(message: &proto::Decision) -> Rejection {
    let bytes = message.encode_to_vec();
    outcome(
        &RawRecord {
            content_type: Some(b"application/x-protobuf"),
            ..record(&bytes)
        },
        |_| (),
    )
    .unwrap_err()
}

#[test]
fn both_encodings_of_a_decision_are_the_same_decision() {
    let read = |row: &kaizen_decision::DecisionRow<'_>| {
        (
            format!("{:?}", row.extracted),
            row.decision.extra.to_string(),
            row.decision.event_id.to_string(),
        )
    };
    let bytes = message().encode_to_vec();
    let protobuf = RawRecord {
        content_type: Some(b"application/x-protobuf; v=1"),
        ..record(&bytes)
    };
    assert_eq!(outcome(&protobuf, read), outcome(&record(JSON.as_bytes()), read));
}

#[test]
fn the_same_rules_hold_for_both_encodings() {
    let check = |change: fn(&mut proto::Decision), field, reason| {
        let mut message = message();
        change(&mut message);
        assert_eq!(rejection(&message), Rejection::at(field, reason));
    };
    check(
        |message| message.log_type.clear(),
        "/log_type",
        Reason::MissingField,
    );
    check(
        |message| message.session_id.clear(),
        "/session_id",
        Reason::MissingField,
    );
    check(
        |message| message.timestamp = None,
        "/timestamp",
        Reason::MissingField,
    );
    check(
        |message| {
            message.timestamp = Some(Timestamp {
                seconds: i64::MAX,
                nanos: 0,
            })
        },
        "/timestamp",
        Reason::TimestampInvalid,
    );
    check(
        |message| message.decision_reasoning = None,
        "/decision_reasoning",
        Reason::MissingField,
    );
    let seconds = "/decision_reasoning/processing_time";
    for (value, reason) in [
        (f64::NAN, Reason::OutOfRange),
        (f64::INFINITY, Reason::OutOfRange),
        (-1.0, Reason::OutOfRange),
    ] {
        let mut message = message();
        message.decision_reasoning.as_mut().unwrap().processing_time = Some(value);
        assert_eq!(rejection(&message), Rejection::at(seconds, reason));
    }
    check(
        |message| message.decision_reasoning.as_mut().unwrap().confidence_level = 9,
        "/decision_reasoning/confidence_level",
        Reason::UnknownValue,
    );
    check(
        |message| message.output_data = Some(object("x", number(f64::NAN))),
        "/output_data",
        Reason::OutOfRange,
    );
    check(
        |message| message.extra = Some(object("session_id", number(1.0))),
        "/session_id",
        Reason::DuplicateField,
    );
}

#[test]
fn depth_is_limited_as_in_json() {
    let nested = |levels: usize| {
        (1..levels).fold(object("a", number(1.0)), |inner, _| {
            object(
                "a",
                Value {
                    kind: Some(Kind::StructValue(inner)),
                },
            )
        })
    };
    let read = |levels| {
        let bytes = proto::Decision {
            input_data: Some(nested(levels)),
            ..message()
        }
        .encode_to_vec();
        outcome(
            &RawRecord {
                content_type: Some(b"application/x-protobuf"),
                ..record(&bytes)
            },
            |_| (),
        )
    };
    assert_eq!(read(32), Ok(()));
    for levels in [33, 34, 200] {
        assert_eq!(read(levels).unwrap_err().reason, Reason::TooDeep, "{levels}");
    }
}
