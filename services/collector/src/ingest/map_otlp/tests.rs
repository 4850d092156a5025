use super::*;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Status, span};
use proptest::prelude::*;
use prost::Message;

const TIME: u64 = 1_767_603_600_000_000_000; // 2026-01-05T09:00:00Z
const TRACE: &str = "0102030405060708090a0b0c0d0e0f10";

fn any_value(value: impl Into<Any>) -> Option<AnyValue> {
    Some(AnyValue {
        value: Some(value.into()),
    })
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: any_value(value),
        ..Default::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Any::IntValue(value))
}

fn chat() -> Span {
    Span {
        trace_id: (1..=16).collect(),
        span_id: vec![0xab; 8],
        name: "chat small".to_owned(),
        start_time_unix_nano: TIME,
        end_time_unix_nano: TIME + 1_250_000_000,
        attributes: vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "example"),
            text("gen_ai.request.model", "small"),
            attribute("gen_ai.request.temperature", Any::DoubleValue(0.5)),
            text("gen_ai.response.model", "small-2026"),
            int("gen_ai.usage.input_tokens", 120),
            int("gen_ai.usage.output_tokens", 42),
            text("gen_ai.conversation.id", "conversation-1"),
            text("gen_ai.input.messages", "[{\"role\": \"user\"}]"),
            text("gen_ai.output.messages", "[not json"),
            text("kaizen.input.template", "intro"),
        ],
        ..Default::default()
    }
}

fn export(spans: Vec<Span>, resource: Vec<KeyValue>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: resource,
                ..Default::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..Default::default()
            }],
            ..Default::default()
        }],
    }
}

fn of_span(span: Span, resource: Vec<KeyValue>) -> Value {
    let mapped = spans(&export(vec![span], resource), "campaign_generation");
    serde_json::from_slice(&mapped.events[0]).unwrap()
}

fn of_log(record: LogRecord) -> Value {
    let request = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs {
                log_records: vec![record],
                ..Default::default()
            }],
            ..Default::default()
        }],
    };
    serde_json::from_slice(&logs(&request, "campaign_generation").events[0]).unwrap()
}

#[test]
fn a_span_of_a_chat_becomes_a_decision() {
    let expected = json!({
        "event_id": format!("{TRACE}{}", "ab".repeat(8)),
        "log_type": "campaign_generation",
        "session_id": "conversation-1",
        "timestamp": "2026-01-05T09:00:01.25Z",
        "input_data": {
            "messages": [{"role": "user"}], "model": "small", "provider": "example", "temperature": 0.5,
            "template": "intro", "tokens": 120,
        },
        "output_data": {"messages": "[not json", "model": "small-2026", "tokens": 42},
        "decision_reasoning": {"method_used": "chat small", "success": true, "processing_time": 1.25},
    });
    assert_eq!(of_span(chat(), Vec::new()), expected);
}

#[test]
fn attributes_of_kaizen_win_and_the_resource_fills_in() {
    let mut span = chat();
    span.attributes
        .retain(|attribute| attribute.key != "gen_ai.conversation.id");
    span.attributes.extend([
        text("kaizen.method_used", "retrieval"),
        text("kaizen.input.model", "own"),
        attribute("kaizen.quality_score", Any::DoubleValue(81.5)),
        text("kaizen.lead.industry", "software"),
    ]);
    let resource = vec![
        text("session.id", "s-1"),
        text("kaizen.log_type", "website_analysis"),
    ];
    let event = of_span(span, resource);
    assert_eq!(
        (&event["log_type"], &event["session_id"]),
        (&json!("website_analysis"), &json!("s-1"))
    );
    assert_eq!(event["decision_reasoning"]["method_used"], "retrieval");
    assert_eq!(event["input_data"]["model"], "own");
    assert_eq!(event["training_labels"], json!({"quality_score": 81.5}));
    assert_eq!(event["lead_identifier"], json!({"industry": "software"}));
}

#[test]
fn a_failed_span_is_a_decision_without_success() {
    let mut by_status = chat();
    by_status.status = Some(Status {
        code: StatusCode::Error.into(),
        ..Default::default()
    });
    let mut by_type = chat();
    by_type.attributes.push(text("error.type", "timeout"));
    let event = of_span(by_type, Vec::new());
    assert_eq!(event["output_data"]["error_kind"], "timeout");
    for event in [event, of_span(by_status, Vec::new())] {
        assert_eq!(event["decision_reasoning"]["success"], false);
    }
}

#[test]
fn content_in_an_event_of_the_span_is_found() {
    let mut span = chat();
    span.attributes
        .retain(|attribute| !attribute.key.ends_with(".messages"));
    span.events.push(span::Event {
        attributes: vec![text("gen_ai.output.messages", "[1]")],
        ..Default::default()
    });
    assert_eq!(of_span(span, Vec::new())["output_data"]["messages"], json!([1]));
}

#[test]
fn what_is_not_said_is_left_to_validation_and_what_is_no_decision_is_ignored() {
    let bare = Span {
        attributes: vec![text("gen_ai.operation.name", "")],
        ..Default::default()
    };
    let event = of_span(bare, Vec::new());
    for field in ["event_id", "session_id", "timestamp"] {
        assert!(event.get(field).is_none(), "{field}");
    }
    assert_eq!(event["decision_reasoning"], json!({"success": true}));
    let other = Span {
        attributes: vec![text("http.route", "/")],
        ..chat()
    };
    let mapped = spans(&export(vec![other], vec![text("kaizen.log_type", "x")]), "x");
    assert_eq!(
        mapped,
        Mapped {
            events: Vec::new(),
            ignored: 1
        }
    );
}

#[test]
fn a_log_record_is_its_spans_decision_only_when_it_tells_of_the_whole_operation() {
    let span = chat();
    let details = LogRecord {
        event_name: OPERATION_DETAILS.to_owned(),
        time_unix_nano: TIME,
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        attributes: span.attributes.clone(),
        ..Default::default()
    };
    assert_eq!(
        of_log(details.clone())["event_id"],
        of_span(span, Vec::new())["event_id"]
    );
    let body = any_value(Any::StringValue("hello".to_owned()));
    for (name, section) in [
        ("gen_ai.user.message", "input_data"),
        ("gen_ai.choice", "output_data"),
    ] {
        let record = LogRecord {
            event_name: name.to_owned(),
            body: body.clone(),
            ..details.clone()
        };
        let event = of_log(record);
        assert!(event.get("event_id").is_none(), "several may belong to a span");
        assert_eq!(event[section]["body"], "hello", "{name}");
    }
    let error = LogRecord {
        severity_number: SEVERITY_ERROR,
        time_unix_nano: 0,
        observed_time_unix_nano: TIME,
        ..details
    };
    let event = of_log(error);
    assert_eq!(event["decision_reasoning"]["success"], false);
    assert_eq!(event["timestamp"], "2026-01-05T09:00:00Z");
}

proptest! {
    #[test]
    fn no_export_makes_it_panic_and_every_span_is_mapped_or_ignored(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        keys in prop::collection::vec("\\PC{0,20}", 0..5),
    ) {
        let mut span = chat();
        span.attributes.extend(keys.iter().map(|key| text(key, "x")));
        let mut bytes = export(vec![span, chat()], Vec::new()).encode_to_vec();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(request) = ExportTraceServiceRequest::decode(&bytes[..]) {
            let count = request.resource_spans.iter().flat_map(|it| &it.scope_spans).map(|it| it.spans.len()).sum::<usize>();
            let mapped = spans(&request, "x");
            prop_assert_eq!(mapped.events.len() + mapped.ignored, count);
            for event in mapped.events {
                prop_assert!(serde_json::from_slice::<Value>(&event).is_ok());
            }
        }
    }
}
