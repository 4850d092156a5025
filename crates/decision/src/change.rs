//! A change to a system that decides: the ledger that says what was different from when on.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::check::{self, Checked, recorded, required, text};
use crate::decode::flat;
use crate::identify::Content;
use crate::reason::{Reason, Rejection};
use crate::record::RawRecord;
use crate::timestamp::TimePolicy;

const FIELDS: [&str; 6] = ["/event_id", "/kind", "/component", "/version", "/at", "/link"];

/// A valid change. Only [`read_change`] makes one.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Change<'a> {
    /// Producer's identity of the event, 1 to 64 characters, or 32 hexadecimal digits derived from its content.
    pub event_id: Cow<'a, str>,
    /// Whether the producer gave it.
    pub named: bool,
    /// What was changed.
    pub kind: ChangeKind,
    /// Of which system, 1 to 128 characters; a component of the catalogue, or another.
    pub component: Cow<'a, str>,
    /// What it is from then on, 1 to 128 characters.
    pub version: Cow<'a, str>,
    /// Since when.
    pub at: Timestamp,
    /// Kafka's time of the record, milliseconds since 1970.
    pub recorded: i64,
    /// Where to read more: an address beginning with http:// or https://, at most 2048 characters.
    pub link: Option<Cow<'a, str>>,
    /// Fields the schema does not name: canonical JSON of an object, `{}` for none.
    pub extra: Cow<'a, str>,
    /// How many there are of them.
    pub unknown_fields: usize,
}

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The program.
    Deploy,
    /// What a model is told.
    Prompt,
    /// The model.
    Model,
    /// A setting.
    Config,
}

impl ChangeKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Deploy, Self::Prompt, Self::Model, Self::Config];

    /// The kind in one word, as it is written in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Prompt => "prompt",
            Self::Model => "model",
            Self::Config => "config",
        }
    }
}

/// Reads a change from a record in JSON. Rules are tried in the order of the schema; the first that is broken is the
/// reason.
///
/// # Errors
/// The rule that is broken, and where.
pub fn read_change<'a>(record: &RawRecord<'a>, policy: &TimePolicy) -> Checked<Change<'a>> {
    let raw = flat(record, &FIELDS)?;
    let recorded = recorded(record)?;
    let [event_id, kind, component, version, at, link] = raw.known;
    let event_id = check::event_id(event_id, record)?;
    let kind = required(text(kind, FIELDS[1], 0..=usize::MAX)?, FIELDS[1])?;
    let kind = ChangeKind::ALL.into_iter().find(|known| known.as_str() == kind);
    let mut change = Change {
        named: event_id.is_some(),
        event_id: Cow::Borrowed(""),
        kind: kind.ok_or(Rejection::at(FIELDS[1], Reason::UnknownValue))?,
        component: required(text(component, FIELDS[2], 1..=128)?, FIELDS[2])?,
        version: required(text(version, FIELDS[3], 1..=128)?, FIELDS[3])?,
        at: check::time(at, FIELDS[4], record, policy)?,
        recorded,
        link: text(link, FIELDS[5], 0..=2048)?,
        extra: check::extra(&raw.unknown),
        unknown_fields: raw.unknown.len(),
    };
    // A page will show it: no scheme that runs something.
    let is_address = |link: &str| link.starts_with("http://") || link.starts_with("https://");
    if change.link.as_deref().is_some_and(|link| !is_address(link)) {
        return Err(Rejection::at(FIELDS[5], Reason::UnknownValue));
    }
    change.event_id = event_id.unwrap_or_else(|| Cow::Owned(identify(&change)));
    Ok(change)
}

fn identify(change: &Change<'_>) -> String {
    let mut content = Content::default();
    content.text(Some(change.kind.as_str()));
    content.text(Some(&change.component));
    content.text(Some(&change.version));
    content.time(change.at);
    content.text(change.link.as_deref());
    content.text(Some(&change.extra));
    content.identity()
}
