//! A decision to the bytes of its event, in the caller's thread: it takes microseconds, and nothing of the caller's has
//! to be cloned or to live on.

#[cfg(test)]
mod contract;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::adjustment::{Adjustment, Reason};
use crate::decision::{Decision, Level};
use crate::event::Event;
use crate::limit::MAX_OBJECT_BYTES;
use crate::trace;

/// Room for the fields besides input and output.
const FIELDS: usize = 768;

/// Encodes the decision, logged at `now`; with all that was cut or left out of it.
pub(crate) fn encode(mut decision: Decision, now: jiff::Timestamp) -> (Event, Vec<Adjustment>) {
    let event_id = decision
        .event_id
        .take()
        .unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    if decision.session_id.is_empty() {
        decision.session_id.clone_from(&event_id);
    }
    let output = output(&mut decision);
    let objects = decision.input.as_ref().map_or(0, Vec::len) + output.as_ref().map_or(0, Vec::len);
    let mut event = Object::open(Vec::with_capacity(FIELDS + objects));
    event.text("event_id", Some(&event_id));
    event.text("log_type", Some(&decision.log_type));
    event.text("session_id", Some(&decision.session_id));
    let timestamp = decision.timestamp.unwrap_or(now);
    event.text("timestamp", Some(&format!("{timestamp:.3}")));
    lead(&mut event, &decision);
    event.json("input_data", decision.input.as_deref());
    event.json("output_data", output.as_deref());
    reasoning(&mut event, &decision);
    labels(&mut event, &decision);
    allocation(&mut event, &decision);
    let event = Event {
        value: event.close(),
        key: decision.session_id,
        event_id,
        traceparent: decision.traceparent.or_else(trace::current),
    };
    (event, decision.adjustments)
}

fn lead(event: &mut Object, decision: &Decision) {
    if decision.lead.iter().all(Option::is_none) {
        return;
    }
    let mut lead = event.within("lead_identifier");
    for (name, value) in ["name", "company", "industry"].into_iter().zip(&decision.lead) {
        lead.text(name, value.as_deref());
    }
    event.end(lead);
}

fn reasoning(event: &mut Object, decision: &Decision) {
    let mut reasoning = event.within("decision_reasoning");
    reasoning.text("method_used", Some(&decision.method_used));
    reasoning.text("confidence_level", decision.confidence.map(Level::as_str));
    reasoning.number("processing_time", decision.processing_time);
    reasoning.boolean("success", Some(!decision.failed));
    event.end(reasoning);
}

fn labels(event: &mut Object, decision: &Decision) {
    let absent = decision.quality_score.is_none()
        && decision.success_indicator.is_none()
        && decision.improvement_potential.is_none();
    if absent {
        return;
    }
    let mut labels = event.within("training_labels");
    labels.number("quality_score", decision.quality_score);
    labels.boolean("success_indicator", decision.success_indicator);
    labels.text(
        "improvement_potential",
        decision.improvement_potential.map(Level::as_str),
    );
    event.end(labels);
}

fn allocation(event: &mut Object, decision: &Decision) {
    let Some(given) = &decision.allocation else { return };
    let mut allocation = event.within("allocation");
    allocation.text("experiment", Some(&given.experiment));
    allocation.text("arm", Some(&given.arm));
    allocation.number("probability", given.probability);
    event.end(allocation);
}

/// The output with the error in it, unless it has fields of those names itself.
fn output(decision: &mut Decision) -> Option<Vec<u8>> {
    let given = decision.output.take();
    if decision.error_kind.is_none() && decision.error_message.is_none() {
        return given;
    }
    let names = given.as_deref().map(serde_json::from_slice::<Names>);
    let (kind, message) = match names {
        // What cannot be told is left as it is.
        Some(Err(_)) => (true, true),
        Some(Ok(names)) => (names.error_kind.0, names.error_message.0),
        None => (false, false),
    };
    let mut output = Object::open(Vec::new());
    output.text("error_kind", decision.error_kind.as_deref().filter(|_| !kind));
    output.text(
        "error_message",
        decision.error_message.as_deref().filter(|_| !message),
    );
    let members = given
        .as_deref()
        .and_then(|given| given.get(1..given.len().saturating_sub(1)));
    if let Some(members) = members.filter(|members| !members.trim_ascii().is_empty()) {
        if output.bytes.len() + members.len() + 2 <= MAX_OBJECT_BYTES {
            output.separate();
            output.bytes.extend_from_slice(members);
        } else {
            decision.adjust("/output_data", Reason::TooLarge);
        }
    }
    Some(output.close())
}

/// Whether an object has the fields.
#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    error_kind: Present,
    #[serde(default)]
    error_message: Present,
}

#[derive(Default)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// A JSON object while it is written.
struct Object {
    bytes: Vec<u8>,
    empty: bool,
}

impl Object {
    fn open(mut bytes: Vec<u8>) -> Self {
        bytes.push(b'{');
        Self { bytes, empty: true }
    }

    /// Opens an object as a member of this one, whose bytes it takes over until [`Object::end`].
    fn within(&mut self, name: &str) -> Self {
        self.name(name);
        Self::open(std::mem::take(&mut self.bytes))
    }

    fn end(&mut self, member: Self) {
        self.bytes = member.close();
    }

    fn close(mut self) -> Vec<u8> {
        self.bytes.push(b'}');
        self.bytes
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.bytes.push(b',');
        }
    }

    /// `name` needs no escape.
    fn name(&mut self, name: &str) {
        self.separate();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    fn json(&mut self, name: &str, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.name(name);
            self.bytes.extend_from_slice(value);
        }
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.name(name);
            // Writing a string to memory cannot fail.
            let _ = serde_json::to_writer(&mut self.bytes, value);
        }
    }

    fn number(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.name(name);
            let _ = serde_json::to_writer(&mut self.bytes, &value);
        }
    }

    fn boolean(&mut self, name: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.name(name);
            self.bytes
                .extend_from_slice(if value { b"true" } else { b"false" });
        }
    }
}
