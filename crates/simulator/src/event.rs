//! One decision, as it is written: the production log schema.

use jiff::Timestamp;

use crate::decimal::{Decimal, write_integer};
use crate::process::deal::Dealt;
use crate::process::fill::CONFIDENCE;
use crate::process::plan::{ABSENT, FAILURE, Plan};

/// An event ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Key of the record: the session, or the component that changed.
    pub key: String,
    /// Producer's identity of the event.
    pub event_id: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// JSON in UTF-8.
    pub value: Vec<u8>,
}

/// Prose to fill messages with. Only characters that JSON does not escape.
const PROSE: &str = "We looked at how your team plans the week and found three places where an hour goes missing: \
    the handover on Monday, the list that two people keep, and the call that is moved twice. A short trial shows what \
    it is worth before anything changes. ";

/// Everything of a component's events that is the same in many: written once.
pub(crate) struct Writer {
    /// `"log_type":"…","session_id":"`
    log_type: Vec<u8>,
    /// By axis and value: `"name":"value",` for dimensions, `"value"` for method and industry.
    values: Vec<Vec<Vec<u8>>>,
    /// Whether an axis stands in `input_data`.
    in_input: Vec<bool>,
    failures: Vec<Vec<u8>>,
    failure_in_input: bool,
    /// `"name":`, and whether it stands in `input_data`.
    numbers: Vec<(Vec<u8>, bool)>,
    prose: Vec<u8>,
    text: usize,
}

impl Writer {
    pub(crate) fn new(plan: &Plan<'_>) -> Self {
        let member = |pointer: &str, value: &str| match name(pointer) {
            Some(name) => [quoted(name), b":".to_vec(), quoted(value), b",".to_vec()].concat(),
            None => quoted(value),
        };
        let axis = |axis: &crate::process::plan::Axis| -> Vec<_> {
            axis.values
                .iter()
                .map(|value| member(&axis.name, value))
                .collect()
        };
        let number = |pointer: &String| {
            let name = name(pointer).unwrap_or_default();
            ([quoted(name), b":".to_vec()].concat(), is_input(pointer))
        };
        let text = plan.component.text;
        Self {
            log_type: [
                b"\",\"log_type\":".to_vec(),
                quoted(&plan.component.log_type),
                b",\"session_id\":\"".to_vec(),
            ]
            .concat(),
            values: plan.axes.iter().map(axis).collect(),
            in_input: plan.axes.iter().map(|axis| is_input(&axis.name)).collect(),
            failures: plan.failure.iter().flat_map(axis).collect(),
            failure_in_input: plan.failure.as_ref().is_some_and(|axis| is_input(&axis.name)),
            numbers: plan.numbers.iter().map(|it| number(&it.pointer)).collect(),
            prose: PROSE.bytes().cycle().take(PROSE.len() + text).collect(),
            text,
        }
    }

    /// The event of a decision.
    pub(crate) fn write(&self, dealt: &Dealt, event_id: String, session_id: &str, hour: &Hour) -> Event {
        let mut json = Vec::with_capacity(self.text + 700);
        json.extend_from_slice(b"{\"event_id\":\"");
        json.extend_from_slice(event_id.as_bytes());
        json.extend_from_slice(&self.log_type);
        json.extend_from_slice(session_id.as_bytes());
        json.extend_from_slice(b"\",\"timestamp\":\"");
        hour.write(dealt.at, &mut json);
        json.extend_from_slice(b"\",\"lead_identifier\":{\"name\":\"Lead ");
        write_integer(dealt.lead.into(), 5, &mut json);
        json.extend_from_slice(b"\",\"company\":\"Company ");
        write_integer((dealt.lead / 7).into(), 4, &mut json);
        json.extend_from_slice(b"\",\"industry\":");
        json.extend_from_slice(self.value(dealt, 1));
        json.extend_from_slice(b"},\"input_data\":{");
        self.members(dealt, true, &mut json);
        json.extend_from_slice(b"\"lead_score\":");
        write_integer((dealt.lead % 101).into(), 1, &mut json);
        json.extend_from_slice(b"},\"output_data\":{");
        self.members(dealt, false, &mut json);
        json.extend_from_slice(b"\"text\":\"");
        let first = dealt.lead as usize % PROSE.len();
        json.extend_from_slice(&self.prose[first..first + self.text]);
        json.extend_from_slice(b"\"},\"decision_reasoning\":{\"method_used\":");
        json.extend_from_slice(self.value(dealt, 0));
        json.extend_from_slice(b",\"confidence_level\":\"");
        json.extend_from_slice(CONFIDENCE[usize::from(dealt.confidence)].as_bytes());
        json.extend_from_slice(b"\",\"processing_time\":");
        dealt.seconds.write(&mut json);
        json.extend_from_slice(b",\"success\":");
        json.extend_from_slice(truth(dealt.success));
        json.extend_from_slice(b"},\"training_labels\":{");
        labels(dealt, &mut json);
        json.extend_from_slice(b"}}");
        Event {
            key: session_id.to_owned(),
            event_id,
            timestamp: hour.at(dealt.at),
            value: json,
        }
    }

    fn value(&self, dealt: &Dealt, axis: usize) -> &[u8] {
        &self.values[axis][usize::from(dealt.values[axis])]
    }

    fn members(&self, dealt: &Dealt, input: bool, json: &mut Vec<u8>) {
        for axis in 2..self.values.len() {
            if self.in_input[axis] == input {
                json.extend_from_slice(self.value(dealt, axis));
            }
        }
        if dealt.values[FAILURE] != ABSENT && self.failure_in_input == input {
            json.extend_from_slice(&self.failures[usize::from(dealt.values[FAILURE])]);
        }
        for ((name, in_input), number) in self.numbers.iter().zip(&dealt.numbers) {
            if *in_input == input {
                json.extend_from_slice(name);
                number.write(json);
                json.push(b',');
            }
        }
    }
}

/// An hour, with its date as text.
pub(crate) struct Hour {
    begin: Timestamp,
    /// `2026-01-05T07:`
    text: String,
}

impl Hour {
    pub(crate) fn new(begin: Timestamp) -> Self {
        Self {
            text: begin.strftime("%Y-%m-%dT%H:").to_string(),
            begin,
        }
    }

    /// The instant so many milliseconds after it began.
    pub(crate) fn at(&self, milliseconds: u32) -> Timestamp {
        self.begin + jiff::SignedDuration::from_millis(milliseconds.into())
    }

    fn write(&self, milliseconds: u32, json: &mut Vec<u8>) {
        json.extend_from_slice(self.text.as_bytes());
        write_integer(u64::from(milliseconds / 60_000), 2, json);
        json.push(b':');
        write_integer(u64::from(milliseconds / 1000 % 60), 2, json);
        json.push(b'.');
        write_integer(u64::from(milliseconds % 1000), 3, json);
        json.push(b'Z');
    }
}

fn labels(dealt: &Dealt, json: &mut Vec<u8>) {
    let potential: &[u8] = match dealt.quality.map(Decimal::value) {
        Some(quality) if quality >= 80.0 => b"low",
        Some(quality) if quality >= 60.0 => b"medium",
        _ => b"high",
    };
    json.extend_from_slice(b"\"improvement_potential\":\"");
    json.extend_from_slice(potential);
    json.push(b'"');
    if let Some(quality) = dealt.quality {
        json.extend_from_slice(b",\"quality_score\":");
        quality.write(json);
    }
    if let Some(reached) = dealt.label {
        json.extend_from_slice(b",\"success_indicator\":");
        json.extend_from_slice(truth(reached));
    }
}

fn truth(is: bool) -> &'static [u8] {
    if is { b"true" } else { b"false" }
}

fn name(pointer: &str) -> Option<&str> {
    pointer
        .strip_prefix("/input_data/")
        .or_else(|| pointer.strip_prefix("/output_data/"))
}

fn is_input(pointer: &str) -> bool {
    pointer.starts_with("/input_data/")
}

fn quoted(text: &str) -> Vec<u8> {
    serde_json::Value::from(text).to_string().into_bytes()
}
