//! What became of a session later: it was approved, replied to, led to a meeting or a deal.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::check::{self, Checked, number, recorded, required, text};
use crate::decode::flat;
use crate::identify::Content;
use crate::reason::{Reason, Rejection};
use crate::record::RawRecord;
use crate::timestamp::TimePolicy;

const FIELDS: [&str; 6] = [
    "/event_id",
    "/session_id",
    "/outcome",
    "/timestamp",
    "/value",
    "/currency",
];

/// Largest value, and negated the smallest: sums of 10²⁰ of them are exact.
const MAX_VALUE: f64 = 1e12;

/// A valid outcome. Only [`read_outcome`] makes one.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome<'a> {
    /// Producer's identity of the event, 1 to 64 characters, or 32 hexadecimal digits derived from its content.
    pub event_id: Cow<'a, str>,
    /// Whether the producer gave it.
    pub named: bool,
    /// Session it came of, 1 to 128 characters: that of the decisions that led to it.
    pub session_id: Cow<'a, str>,
    /// What happened, 1 to 64 characters, for example `replied`.
    pub outcome: Cow<'a, str>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Kafka's time of the record, milliseconds since 1970.
    pub recorded: i64,
    /// What it is worth, -10¹² to 10¹²; below 0 for a loss.
    pub value: Option<f64>,
    /// Currency of the value: three letters of ISO 4217.
    pub currency: Option<Cow<'a, str>>,
    /// Fields the schema does not name: canonical JSON of an object, `{}` for none.
    pub extra: Cow<'a, str>,
    /// How many there are of them.
    pub unknown_fields: usize,
}

/// Reads an outcome from a record in JSON. Rules are tried in the order of the schema; the first that is broken is the
/// reason.
///
/// # Errors
/// The rule that is broken, and where.
pub fn read_outcome<'a>(record: &RawRecord<'a>, policy: &TimePolicy) -> Checked<Outcome<'a>> {
    let raw = flat(record, &FIELDS)?;
    let recorded = recorded(record)?;
    let [event_id, session_id, outcome, timestamp, value, currency] = raw.known;
    let event_id = check::event_id(event_id, record)?;
    let mut outcome = Outcome {
        named: event_id.is_some(),
        event_id: Cow::Borrowed(""),
        session_id: required(text(session_id, FIELDS[1], 1..=128)?, FIELDS[1])?,
        outcome: required(text(outcome, FIELDS[2], 1..=64)?, FIELDS[2])?,
        timestamp: check::time(timestamp, FIELDS[3], record, policy)?,
        recorded,
        value: number(value, FIELDS[4], -MAX_VALUE..=MAX_VALUE)?,
        currency: text(currency, FIELDS[5], 0..=usize::MAX)?,
        extra: check::extra(&raw.unknown),
        unknown_fields: raw.unknown.len(),
    };
    if outcome.currency.as_deref().is_some_and(|code| !is_currency(code)) {
        return Err(Rejection::at(FIELDS[5], Reason::UnknownValue));
    }
    outcome.event_id = event_id.unwrap_or_else(|| Cow::Owned(identify(&outcome)));
    Ok(outcome)
}

/// Whether it has the form of a currency's code.
fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase())
}

fn identify(outcome: &Outcome<'_>) -> String {
    let mut content = Content::default();
    content.text(Some(&outcome.session_id));
    content.text(Some(&outcome.outcome));
    content.time(outcome.timestamp);
    content.number(outcome.value);
    content.text(outcome.currency.as_deref());
    content.text(Some(&outcome.extra));
    content.identity()
}
