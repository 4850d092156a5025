//! The rules of the schema. A [`Decision`] that exists keeps them all.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::canonical::canonical;
use crate::check::{
    self, Checked, boolean, float, number, push_members, push_name, recorded, required, string, text,
};
use crate::decode::{ALLOCATION, LABELS, LEAD, REASONING, ROOT, RawDecision};
use crate::extract::Schema;
use crate::identify::identify;
use crate::object::Object;
use crate::reason::{Reason, Rejection};
use crate::record::RawRecord;
use crate::timestamp::TimePolicy;

/// Longest `input_data` or `output_data`, in bytes of canonical JSON.
const MAX_OBJECT_BYTES: usize = 256 * 1024;
/// Deepest `input_data` or `output_data`; the object itself is the first level.
const MAX_DEPTH: usize = 32;
/// From this many seconds on (317 years) a processing time is absurd, and the rollup could not hold its sum.
const END_OF_PROCESSING_TIME: f64 = 1e10;

/// A valid decision. Only [`validate`] makes one.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decision<'a> {
    /// Producer's identity of the event, 1 to 64 characters, or 32 hexadecimal digits derived from its content.
    pub event_id: Cow<'a, str>,
    /// Kind of decision; one the schema knows.
    pub log_type: Cow<'a, str>,
    /// Session it belongs to, 1 to 128 characters.
    pub session_id: Cow<'a, str>,
    /// When it was made.
    pub timestamp: Timestamp,
    /// Kafka's time of the record, milliseconds since 1970.
    pub recorded: i64,
    /// Whom it is about.
    pub lead: Lead<'a>,
    /// What it was made from: canonical JSON of an object.
    pub input: Cow<'a, str>,
    /// What was decided: canonical JSON of an object.
    pub output: Cow<'a, str>,
    /// How it was reached.
    pub reasoning: Reasoning<'a>,
    /// How good it was.
    pub labels: Labels,
    /// The randomised choice that led to it.
    pub allocation: Allocation<'a>,
    /// Fields the schema does not name: canonical JSON of an object, `{}` for none.
    pub extra: Cow<'a, str>,
    /// How many there are of them.
    pub unknown_fields: usize,
    pub(crate) root: Object<'a, 10>,
}

/// Whom a decision is about.
#[derive(Debug)]
pub struct Lead<'a> {
    /// Name of a person: personal data. At most 256 characters.
    pub name: Option<Cow<'a, str>>,
    /// Company, at most 256 characters.
    pub company: Option<Cow<'a, str>>,
    /// Industry, at most 256 characters.
    pub industry: Option<Cow<'a, str>>,
}

/// How a decision was reached.
#[derive(Debug)]
pub struct Reasoning<'a> {
    /// Algorithm or approach, 1 to 128 characters.
    pub method_used: Cow<'a, str>,
    /// How sure the system was.
    pub confidence_level: Option<Level>,
    /// Seconds it took, at least 0 and below 10¹⁰.
    pub processing_time: Option<f64>,
    /// Whether it was carried out without failure.
    pub success: bool,
}

/// How good a decision was.
#[derive(Debug)]
pub struct Labels {
    /// Quality, 0 to 100.
    pub quality_score: Option<f64>,
    /// Whether it led to what it was for.
    pub success_indicator: Option<bool>,
    /// How much better it could have been.
    pub improvement_potential: Option<Level>,
}

/// A randomised choice.
#[derive(Debug)]
pub struct Allocation<'a> {
    /// Experiment, at most 128 characters.
    pub experiment: Option<Cow<'a, str>>,
    /// Arm that was chosen, at most 64 characters.
    pub arm: Option<Cow<'a, str>>,
    /// Probability with which it was chosen, 0 to 1.
    pub probability: Option<f64>,
}

/// A three-step scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// High.
    High,
    /// Medium.
    Medium,
    /// Low.
    Low,
}

impl Level {
    /// The level in one word, as it is written in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// Checks a decoded event against the schema and the topic's policy; rules are tried in the order of the schema and the
/// first that is broken is the reason.
///
/// # Errors
/// The rule that is broken, and where.
pub fn validate<'a>(
    raw: RawDecision<'a>,
    record: &RawRecord<'a>,
    schema: &Schema,
    policy: &TimePolicy,
) -> Checked<Decision<'a>> {
    let recorded = recorded(record)?;
    let [event_id, log_type, session_id, timestamp, _, input, output, ..] = raw.root.known;
    let event_id = check::event_id(event_id, record)?;
    let log_type = required(text(log_type, ROOT[1], 0..=usize::MAX)?, ROOT[1])?;
    if schema.log_type(&log_type).is_none() {
        return Err(Rejection::at(ROOT[1], Reason::UnknownLogType));
    }
    let session_id = required(text(session_id, ROOT[2], 1..=128)?, ROOT[2])?;
    let timestamp = check::time(timestamp, ROOT[3], record, policy)?;
    let (extra, unknown_fields) = extra(&raw);
    let mut decision = Decision {
        event_id: Cow::Borrowed(""),
        log_type,
        session_id,
        timestamp,
        recorded,
        lead: lead(&raw.lead)?,
        input: object(input, ROOT[5])?,
        output: object(output, ROOT[6])?,
        reasoning: reasoning(&raw)?,
        labels: labels(&raw.labels)?,
        allocation: allocation(&raw.allocation)?,
        extra,
        unknown_fields,
        root: raw.root,
    };
    decision.event_id = event_id.unwrap_or_else(|| Cow::Owned(identify(&decision)));
    Ok(decision)
}

fn lead<'a>(raw: &Object<'a, 3>) -> Checked<Lead<'a>> {
    let [name, company, industry] = raw.known;
    Ok(Lead {
        name: text(name, LEAD[0], 0..=256)?,
        company: text(company, LEAD[1], 0..=256)?,
        industry: text(industry, LEAD[2], 0..=256)?,
    })
}

fn reasoning<'a>(raw: &RawDecision<'a>) -> Checked<Reasoning<'a>> {
    required(raw.root.known[7], ROOT[7])?;
    let [method_used, confidence_level, processing_time, success] = raw.reasoning.known;
    Ok(Reasoning {
        method_used: required(text(method_used, REASONING[0], 1..=128)?, REASONING[0])?,
        confidence_level: level(confidence_level, REASONING[1])?,
        processing_time: processing_time.map(seconds).transpose()?,
        success: required(boolean(success, REASONING[3])?, REASONING[3])?,
    })
}

fn labels(raw: &Object<'_, 3>) -> Checked<Labels> {
    let [quality_score, success_indicator, improvement_potential] = raw.known;
    Ok(Labels {
        quality_score: number(quality_score, LABELS[0], 0.0..=100.0)?,
        success_indicator: boolean(success_indicator, LABELS[1])?,
        improvement_potential: level(improvement_potential, LABELS[2])?,
    })
}

fn allocation<'a>(raw: &Object<'a, 3>) -> Checked<Allocation<'a>> {
    let [experiment, arm, probability] = raw.known;
    Ok(Allocation {
        experiment: text(experiment, ALLOCATION[0], 0..=128)?,
        arm: text(arm, ALLOCATION[1], 0..=64)?,
        probability: number(probability, ALLOCATION[2], 0.0..=1.0)?,
    })
}

/// Seconds, as a number or as a string that spells one.
fn seconds(value: &RawValue) -> Checked<f64> {
    let pointer = REASONING[2];
    let number = float(value)
        .or_else(|| string(value)?.parse().ok())
        .ok_or(Rejection::at(pointer, Reason::WrongType))?;
    if (0.0..END_OF_PROCESSING_TIME).contains(&number) {
        Ok(number + 0.0)
    } else {
        Err(Rejection::at(pointer, Reason::OutOfRange))
    }
}

fn level(value: Option<&RawValue>, pointer: &'static str) -> Checked<Option<Level>> {
    let word = text(value, pointer, 0..=usize::MAX)?;
    let levels = [Level::High, Level::Medium, Level::Low];
    word.map(|word| levels.into_iter().find(|level| level.as_str() == word))
        .map(|level| level.ok_or(Rejection::at(pointer, Reason::UnknownValue)))
        .transpose()
}

fn object<'a>(value: Option<&'a RawValue>, pointer: &'static str) -> Checked<Cow<'a, str>> {
    let Some(value) = value else {
        return Ok(Cow::Borrowed("{}"));
    };
    let object = canonical(value.get());
    if object.text.len() > MAX_OBJECT_BYTES {
        Err(Rejection::at(pointer, Reason::TooLarge))
    } else if object.depth > MAX_DEPTH {
        Err(Rejection::at(pointer, Reason::TooDeep))
    } else {
        Ok(object.text)
    }
}

/// The fields the schema does not name, those of nested objects under their object's name, and how many they are.
fn extra<'a>(raw: &RawDecision<'a>) -> (Cow<'a, str>, usize) {
    let nested = [
        (ROOT[4], raw.lead.unknown.as_slice()),
        (ROOT[7], &raw.reasoning.unknown),
        (ROOT[8], &raw.labels.unknown),
        (ROOT[9], &raw.allocation.unknown),
    ];
    let count = raw.root.unknown.len() + nested.iter().map(|(_, unknown)| unknown.len()).sum::<usize>();
    if count == 0 {
        return (Cow::Borrowed("{}"), 0);
    }
    let mut json = String::from("{");
    push_members(&mut json, &raw.root.unknown);
    for (pointer, unknown) in nested.into_iter().filter(|(_, unknown)| !unknown.is_empty()) {
        push_name(&mut json, pointer.trim_start_matches('/'));
        json.push('{');
        push_members(&mut json, unknown);
        json.push('}');
    }
    json.push('}');
    (Cow::Owned(json), count)
}
