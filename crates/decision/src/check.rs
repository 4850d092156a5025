//! Single fields: each read by its rule, or the rejection that names it.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::canonical::canonical;
use crate::reason::{Reason, Rejection};
use crate::record::RawRecord;
use crate::timestamp::{self, TimePolicy};

pub(crate) type Checked<T> = Result<T, Rejection>;

/// Where every event carries its identity.
pub(crate) const EVENT_ID: &str = "/event_id";

/// Kafka's time of the record, milliseconds since 1970.
pub(crate) fn recorded(record: &RawRecord<'_>) -> Checked<i64> {
    record
        .time
        .filter(|time| *time >= 0)
        .ok_or(Rejection::whole(Reason::NoRecordTime))
}

/// The identity the producer gave: the field, else the header `event-id`.
pub(crate) fn event_id<'a>(
    field: Option<&'a RawValue>,
    record: &RawRecord<'a>,
) -> Checked<Option<Cow<'a, str>>> {
    match text(field, EVENT_ID, 0..=64)?.filter(|id| !id.is_empty()) {
        None => header_event_id(record),
        id => Ok(id),
    }
}

fn header_event_id<'a>(record: &RawRecord<'a>) -> Checked<Option<Cow<'a, str>>> {
    let Some(header) = record.event_id.filter(|header| !header.is_empty()) else {
        return Ok(None);
    };
    let id = std::str::from_utf8(header).map_err(|_| Rejection::at(EVENT_ID, Reason::NotUtf8))?;
    length(id, EVENT_ID, &(0..=64))?;
    Ok(Some(Cow::Borrowed(id)))
}

/// A required time, judged by the topic's policy against the time at which the record came first.
pub(crate) fn time(
    value: Option<&RawValue>,
    pointer: &'static str,
    record: &RawRecord<'_>,
    policy: &TimePolicy,
) -> Checked<Timestamp> {
    let text = required(text(value, pointer, 0..=usize::MAX)?, pointer)?;
    let at = |reason| Rejection::at(pointer, reason);
    let timestamp = timestamp::parse(&text).map_err(at)?;
    let first = record.first_time().map_or_else(|| recorded(record), Ok)?;
    policy.judge(timestamp.as_millisecond(), first).map_err(at)?;
    Ok(timestamp)
}

pub(crate) fn required<T>(value: Option<T>, pointer: &'static str) -> Checked<T> {
    value.ok_or(Rejection::at(pointer, Reason::MissingField))
}

/// A string of so many characters.
pub(crate) fn text<'a>(
    value: Option<&'a RawValue>,
    pointer: &'static str,
    characters: RangeInclusive<usize>,
) -> Checked<Option<Cow<'a, str>>> {
    let Some(value) = value else { return Ok(None) };
    if !value.get().starts_with('"') {
        return Err(Rejection::at(pointer, Reason::WrongType));
    }
    let text = string(value).ok_or(Rejection::at(pointer, Reason::NotUtf8))?;
    length(&text, pointer, &characters)?;
    Ok(Some(text))
}

fn length(text: &str, pointer: &'static str, characters: &RangeInclusive<usize>) -> Checked<()> {
    // A string has at least as many bytes as characters, so most need no counting
    let length = if text.len() <= *characters.end() {
        text.len()
    } else {
        text.chars().count()
    };
    if characters.contains(&length) {
        Ok(())
    } else {
        Err(Rejection::at(pointer, Reason::OutOfRange))
    }
}

/// The string a JSON string stands for. `None`: it is no JSON string, or holds half a surrogate pair.
pub(crate) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(value.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The number a JSON number stands for; infinite when it is beyond what 64 bits hold. `None`: it is no JSON number.
pub(crate) fn float(value: &RawValue) -> Option<f64> {
    let text = value.get();
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

pub(crate) fn number(
    value: Option<&RawValue>,
    pointer: &'static str,
    range: RangeInclusive<f64>,
) -> Checked<Option<f64>> {
    let Some(value) = value else { return Ok(None) };
    let number = float(value).ok_or(Rejection::at(pointer, Reason::WrongType))?;
    if range.contains(&number) {
        Ok(Some(number + 0.0)) // -0 becomes 0
    } else {
        Err(Rejection::at(pointer, Reason::OutOfRange))
    }
}

pub(crate) fn boolean(value: Option<&RawValue>, pointer: &'static str) -> Checked<Option<bool>> {
    match value.map(RawValue::get) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Rejection::at(pointer, Reason::WrongType)),
    }
}

pub(crate) type Members<'o, 'a> = &'o [(Cow<'a, str>, &'a RawValue)];

/// The fields no schema names, as canonical JSON of an object, `{}` for none.
pub(crate) fn extra<'a>(unknown: Members<'_, 'a>) -> Cow<'a, str> {
    if unknown.is_empty() {
        return Cow::Borrowed("{}");
    }
    let mut json = String::from("{");
    push_members(&mut json, unknown);
    json.push('}');
    Cow::Owned(json)
}

pub(crate) fn push_members(json: &mut String, members: Members<'_, '_>) {
    for (name, value) in members {
        push_name(json, name);
        json.push_str(&canonical(value.get()).text);
    }
}

pub(crate) fn push_name(json: &mut String, name: &str) {
    if !json.ends_with('{') {
        json.push(',');
    }
    json.push_str(&serde_json::Value::from(name).to_string());
    json.push(':');
}
