//! OpenTelemetry's spans and log records of generative AI as decisions. Pure; `docs/otlp.md` has the table.
//!
//! A span or log record is mapped when an attribute of its own begins with `gen_ai.` or `kaizen.`; others are ignored.
//! What is missing for a decision is left out here and told by validation, as for any other record.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::{Map, Value, json};

/// The event that tells of the same operation as the span it belongs to.
const OPERATION_DETAILS: &str = "gen_ai.client.inference.operation.details";
/// From this severity on a log record tells of an error.
const SEVERITY_ERROR: i32 = 17;

/// Attributes with a place of their own: in `input_data` or `output_data`, by the name on the right.
const INPUT: &[(&str, &str)] = &[
    ("gen_ai.input.messages", "messages"),
    ("gen_ai.system_instructions", "system_instructions"),
    ("gen_ai.provider.name", "provider"),
    ("gen_ai.prompt.name", "template"),
    ("gen_ai.usage.input_tokens", "tokens"),
];
const OUTPUT: &[(&str, &str)] = &[
    ("gen_ai.output.messages", "messages"),
    ("gen_ai.usage.output_tokens", "tokens"),
    ("error.type", "error_kind"),
];
/// Attributes that keep the rest of their name; the later ones win over the earlier.
const INPUT_PREFIXES: &[&str] = &["gen_ai.request.", "kaizen.input."];
const OUTPUT_PREFIXES: &[&str] = &["gen_ai.response.", "kaizen.output."];
/// Attributes of the decision's own fields: section, name, attribute.
const FIELDS: &[(&str, &str, &str)] = &[
    ("lead_identifier", "company", "kaizen.lead.company"),
    ("lead_identifier", "industry", "kaizen.lead.industry"),
    (
        "decision_reasoning",
        "confidence_level",
        "kaizen.confidence_level",
    ),
    ("training_labels", "quality_score", "kaizen.quality_score"),
    ("training_labels", "success_indicator", "kaizen.success_indicator"),
    (
        "training_labels",
        "improvement_potential",
        "kaizen.improvement_potential",
    ),
    ("allocation", "experiment", "kaizen.experiment"),
    ("allocation", "arm", "kaizen.arm"),
    ("allocation", "probability", "kaizen.probability"),
];

/// The decisions of an export.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mapped {
    /// Each as JSON.
    pub events: Vec<Vec<u8>>,
    /// How many spans or log records tell of no decision.
    pub ignored: usize,
}

impl Mapped {
    fn add(&mut self, event: Option<Value>) {
        match event {
            Some(event) => self.events.push(event.to_string().into_bytes()),
            None => self.ignored += 1,
        }
    }
}

/// The decisions that spans tell of; `log_type` is that of those that name none.
pub fn spans(request: &ExportTraceServiceRequest, log_type: &str) -> Mapped {
    let mut mapped = Mapped::default();
    for of_resource in &request.resource_spans {
        let resource = of_resource.resource.as_ref().map_or(&[][..], |it| &it.attributes);
        for span in of_resource
            .scope_spans
            .iter()
            .flat_map(|of_scope| &of_scope.spans)
        {
            mapped.add(span_event(span, resource, log_type));
        }
    }
    mapped
}

/// The decisions that log records tell of; `log_type` is that of those that name none.
pub fn logs(request: &ExportLogsServiceRequest, log_type: &str) -> Mapped {
    let mut mapped = Mapped::default();
    for of_resource in &request.resource_logs {
        let resource = of_resource.resource.as_ref().map_or(&[][..], |it| &it.attributes);
        for record in of_resource
            .scope_logs
            .iter()
            .flat_map(|of_scope| &of_scope.log_records)
        {
            mapped.add(log_event(record, resource, log_type));
        }
    }
    mapped
}

fn span_event(span: &Span, resource: &[KeyValue], log_type: &str) -> Option<Value> {
    let mut lists = vec![span.attributes.as_slice()];
    // Content may stand in an event of the span instead.
    lists.extend(span.events.iter().map(|event| event.attributes.as_slice()));
    lists.push(resource);
    let attributes = Attributes(lists);
    attributes.tells_of_a_decision().then(|| {
        let failed = span
            .status
            .as_ref()
            .is_some_and(|status| status.code() == StatusCode::Error);
        let elapsed = span.end_time_unix_nano.checked_sub(span.start_time_unix_nano);
        let seconds = elapsed
            .filter(|_| span.start_time_unix_nano > 0)
            .map(|nanos| nanos as f64 / 1e9);
        attributes.event(Told {
            trace_id: &span.trace_id,
            identity: identity(&span.trace_id, &span.span_id),
            nanoseconds: span.end_time_unix_nano.max(span.start_time_unix_nano),
            name: &span.name,
            failed,
            seconds: seconds.map(Value::from),
            body: None,
            log_type,
        })
    })
}

fn log_event(record: &LogRecord, resource: &[KeyValue], log_type: &str) -> Option<Value> {
    let attributes = Attributes(vec![record.attributes.as_slice(), resource]);
    attributes.tells_of_a_decision().then(|| {
        let is_its_spans = record.event_name == OPERATION_DETAILS;
        let time = Some(record.time_unix_nano).filter(|time| *time > 0);
        attributes.event(Told {
            trace_id: &record.trace_id,
            identity: identity(&record.trace_id, &record.span_id).filter(|_| is_its_spans),
            nanoseconds: time.unwrap_or(record.observed_time_unix_nano),
            name: &record.event_name,
            failed: record.severity_number >= SEVERITY_ERROR,
            seconds: attributes.value("gen_ai.client.operation.duration"),
            body: record.body.as_ref(),
            log_type,
        })
    })
}

/// What spans and log records say beside their attributes.
struct Told<'a> {
    trace_id: &'a [u8],
    identity: Option<String>,
    /// Since 1970; 0 when it is not said.
    nanoseconds: u64,
    name: &'a str,
    failed: bool,
    seconds: Option<Value>,
    body: Option<&'a AnyValue>,
    log_type: &'a str,
}

/// Lists of attributes: those of the span or log record, then where else to look.
struct Attributes<'a>(Vec<&'a [KeyValue]>);

impl Attributes<'_> {
    fn tells_of_a_decision(&self) -> bool {
        let own = self.0.first().copied().unwrap_or_default();
        own.iter()
            .any(|it| it.key.starts_with("gen_ai.") || it.key.starts_with("kaizen."))
    }

    /// The first that is set.
    fn any(&self, key: &str) -> Option<&Any> {
        let mut named = self
            .0
            .iter()
            .flat_map(|list| list.iter())
            .filter(|it| it.key == key);
        named.find_map(|it| it.value.as_ref()?.value.as_ref())
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.any(key).map(json_of)
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.any(key)? {
            Any::StringValue(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    fn event(&self, told: Told<'_>) -> Value {
        let mut event = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                event.insert(name.to_owned(), value);
            }
        };
        set("event_id", told.identity.map(Value::from));
        let log_type = self.text("kaizen.log_type");
        set(
            "log_type",
            Some(log_type.unwrap_or_else(|| told.log_type.to_owned()).into()),
        );
        let session = self
            .text("gen_ai.conversation.id")
            .or_else(|| self.text("session.id"));
        let session = session.or_else(|| hexadecimal(told.trace_id));
        set("session_id", session.map(Value::from));
        set("timestamp", timestamp(told.nanoseconds).map(Value::from));
        let (input, output) = self.data(told.name, told.body);
        set("input_data", Some(input));
        set("output_data", Some(output));
        let failed = told.failed || self.any("error.type").is_some();
        let mut reasoning = Map::from_iter([("success".to_owned(), Value::from(!failed))]);
        if let Some(method) = self.method(told.name) {
            reasoning.insert("method_used".to_owned(), method.into());
        }
        if let Some(seconds) = told.seconds {
            reasoning.insert("processing_time".to_owned(), seconds);
        }
        set("decision_reasoning", Some(Value::Object(reasoning)));
        for (section, name, attribute) in FIELDS {
            if let Some(value) = self.value(attribute) {
                let section = event.entry(*section).or_insert_with(|| json!({}));
                section[*name] = value;
            }
        }
        Value::Object(event)
    }

    /// The operation and its model, as the semantic conventions name spans.
    fn method(&self, name: &str) -> Option<String> {
        if let Some(method) = self.text("kaizen.method_used") {
            return Some(method);
        }
        match (
            self.text("gen_ai.operation.name"),
            self.text("gen_ai.request.model"),
        ) {
            (Some(operation), Some(model)) => Some(format!("{operation} {model}")),
            (Some(one), None) | (None, Some(one)) => Some(one),
            (None, None) => Some(name.to_owned()).filter(|name| !name.is_empty()),
        }
    }

    fn data(&self, name: &str, body: Option<&AnyValue>) -> (Value, Value) {
        let mut input = self.section(INPUT, INPUT_PREFIXES);
        let mut output = self.section(OUTPUT, OUTPUT_PREFIXES);
        if !input.contains_key("provider")
            && let Some(provider) = self.value("gen_ai.system")
        {
            input.insert("provider".to_owned(), provider);
        }
        if let Some(body) = body.and_then(|body| body.value.as_ref()) {
            let is_input = name.starts_with("gen_ai.") && name.ends_with(".message");
            let section = if is_input { &mut input } else { &mut output };
            section.entry("body").or_insert_with(|| json_of(body));
        }
        (Value::Object(input), Value::Object(output))
    }

    fn section(&self, named: &[(&str, &str)], prefixes: &[&str]) -> Map<String, Value> {
        let mut section = Map::new();
        for (attribute, name) in named {
            if let Some(value) = self.value(attribute) {
                section.insert((*name).to_owned(), unwrapped(value));
            }
        }
        for prefix in prefixes {
            // Backwards, so that the first of a name wins.
            for attribute in self.0.iter().rev().flat_map(|list| list.iter().rev()) {
                let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
                if let (Some(name), Some(value)) = (attribute.key.strip_prefix(prefix), value) {
                    section.insert(name.to_owned(), json_of(value));
                }
            }
        }
        section
    }
}

/// Messages are attributes of spans as JSON in a string.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::String(text) if text.starts_with(['[', '{']) => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        value => value,
    }
}

/// A number that is not finite has no form in JSON and becomes `null`.
fn json_of(value: &Any) -> Value {
    match value {
        Any::StringValue(text) => Value::from(text.as_str()),
        Any::BoolValue(value) => Value::from(*value),
        Any::IntValue(value) => Value::from(*value),
        Any::DoubleValue(value) => Value::from(*value),
        Any::BytesValue(bytes) => Value::from(STANDARD.encode(bytes)),
        Any::ArrayValue(array) => array.values.iter().map(|value| optional(Some(value))).collect(),
        Any::KvlistValue(list) => Value::Object(
            (list.values.iter())
                .map(|member| (member.key.clone(), optional(member.value.as_ref())))
                .collect(),
        ),
        // A reference into a dictionary that only profiles have.
        Any::StringValueStrindex(_) => Value::Null,
    }
}

fn optional(value: Option<&AnyValue>) -> Value {
    value
        .and_then(|value| value.value.as_ref())
        .map_or(Value::Null, json_of)
}

fn identity(trace_id: &[u8], span_id: &[u8]) -> Option<String> {
    Some(hexadecimal(trace_id)? + &hexadecimal(span_id)?)
}

/// `None` for the identity that stands for none: zeros, or nothing.
fn hexadecimal(id: &[u8]) -> Option<String> {
    use std::fmt::Write;

    let is_set = id.iter().any(|byte| *byte != 0) && id.len() <= 16;
    is_set.then(|| {
        id.iter()
            .fold(String::with_capacity(2 * id.len()), |mut text, byte| {
                let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
                text
            })
    })
}

fn timestamp(nanoseconds: u64) -> Option<String> {
    let time = Timestamp::from_nanosecond(i128::from(nanoseconds)).ok()?;
    (nanoseconds > 0).then(|| time.to_string())
}

#[cfg(test)]
mod tests;
