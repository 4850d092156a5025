//! Bytes to the fields of an event, unchecked.

use serde_json::value::RawValue;

use crate::object::{Fault, Object};
use crate::protobuf;
use crate::reason::{Reason, Rejection};
use crate::record::{ContentType, RawRecord};

pub(crate) const ROOT: [&str; 10] = [
    "/event_id",
    "/log_type",
    "/session_id",
    "/timestamp",
    "/lead_identifier",
    "/input_data",
    "/output_data",
    "/decision_reasoning",
    "/training_labels",
    "/allocation",
];
pub(crate) const LEAD: [&str; 3] = [
    "/lead_identifier/name",
    "/lead_identifier/company",
    "/lead_identifier/industry",
];
pub(crate) const REASONING: [&str; 4] = [
    "/decision_reasoning/method_used",
    "/decision_reasoning/confidence_level",
    "/decision_reasoning/processing_time",
    "/decision_reasoning/success",
];
pub(crate) const LABELS: [&str; 3] = [
    "/training_labels/quality_score",
    "/training_labels/success_indicator",
    "/training_labels/improvement_potential",
];
pub(crate) const ALLOCATION: [&str; 3] = [
    "/allocation/experiment",
    "/allocation/arm",
    "/allocation/probability",
];

/// The fields of an event as they stand in the record: valid JSON in the right places, its values not looked at yet.
#[derive(Debug, Clone)]
pub struct RawDecision<'a> {
    pub(crate) root: Object<'a, 10>,
    pub(crate) lead: Object<'a, 3>,
    pub(crate) reasoning: Object<'a, 4>,
    pub(crate) labels: Object<'a, 3>,
    pub(crate) allocation: Object<'a, 3>,
}

impl RawDecision<'_> {
    /// Whether the event itself carries an `event_id`.
    pub fn has_event_id(&self) -> bool {
        self.root.known[0].is_some_and(|id| id.get() != "\"\"")
    }
}

/// Decodes the value of a record, by its `content-type`. `transcoded` is working memory that can be used again for the
/// next record: a Protobuf value is turned into JSON there, so that both encodings keep the same rules.
///
/// # Errors
/// The value is not of its encoding, or an object of the schema is another type or names a field twice.
pub fn decode<'a>(record: &RawRecord<'a>, transcoded: &'a mut String) -> Result<RawDecision<'a>, Rejection> {
    let Some(value) = record.value else {
        return Err(Rejection::whole(Reason::Tombstone));
    };
    match ContentType::of(record.content_type) {
        None => Err(Rejection::whole(Reason::UnknownContentType)),
        Some(ContentType::Json) => split(utf8(value)?),
        Some(ContentType::Protobuf) => {
            protobuf::transcode(value, transcoded)?;
            split(transcoded)
        }
    }
}

/// Decodes the value of a record that is a flat JSON object with these fields, the way of events other than decisions.
pub(crate) fn flat<'a, const N: usize>(
    record: &RawRecord<'a>,
    fields: &[&'static str; N],
) -> Result<Object<'a, N>, Rejection> {
    let value = record.value.ok_or(Rejection::whole(Reason::Tombstone))?;
    match ContentType::of(record.content_type) {
        Some(ContentType::Json) => root(utf8(value)?, fields),
        Some(ContentType::Protobuf) | None => Err(Rejection::whole(Reason::UnknownContentType)),
    }
}

fn utf8(value: &[u8]) -> Result<&str, Rejection> {
    std::str::from_utf8(value).map_err(|_| Rejection::whole(Reason::NotUtf8))
}

fn root<'a, const N: usize>(json: &'a str, fields: &[&'static str; N]) -> Result<Object<'a, N>, Rejection> {
    Object::split(json, fields, 1).map_err(|fault| match fault {
        Fault::Syntax => Rejection::whole(Reason::NotJson),
        Fault::NotAnObject => Rejection::whole(Reason::WrongType),
        Fault::Repeated(index) => Rejection::at(fields[index], Reason::DuplicateField),
    })
}

fn split(json: &str) -> Result<RawDecision<'_>, Rejection> {
    let root = root(json, &ROOT)?;
    let [_, _, _, _, lead, input, output, reasoning, labels, allocation] = root.known;
    for (value, pointer) in [(input, ROOT[5]), (output, ROOT[6])] {
        if value.is_some_and(|value| !value.get().starts_with('{')) {
            return Err(Rejection::at(pointer, Reason::WrongType));
        }
    }
    Ok(RawDecision {
        lead: nested(lead, ROOT[4], &LEAD)?,
        reasoning: nested(reasoning, ROOT[7], &REASONING)?,
        labels: nested(labels, ROOT[8], &LABELS)?,
        allocation: nested(allocation, ROOT[9], &ALLOCATION)?,
        root,
    })
}

fn nested<'a, const N: usize>(
    value: Option<&'a RawValue>,
    pointer: &'static str,
    pointers: &[&'static str; N],
) -> Result<Object<'a, N>, Rejection> {
    let Some(value) = value else {
        return Ok(Object::default());
    };
    Object::split(value.get(), pointers, pointer.len() + 1).map_err(|fault| match fault {
        Fault::Syntax => Rejection::at(pointer, Reason::NotJson),
        Fault::NotAnObject => Rejection::at(pointer, Reason::WrongType),
        Fault::Repeated(index) => Rejection::at(pointers[index], Reason::DuplicateField),
    })
}
