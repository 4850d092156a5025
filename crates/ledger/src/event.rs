//! What the audit keeps of a change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ticket::{Implementation, Ticket, ticket_id};

/// One change of one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Revision of the ledger: later changes of any ticket have higher ones.
    pub revision: i64,
    /// Number of the ticket.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What they said; may be empty.
    pub comment: String,
    /// What was before and after; empty when they only said something or measured.
    pub changes: Vec<FieldChange>,
    /// What was measured; the measurement has the revision of the event.
    pub measured: Option<Measured>,
}

/// That a ticket was measured. It changes nothing in the ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The day after the change that the measurement was due for, from 1.
    pub day: u32,
    /// What was found, in a word; empty where nothing could be measured. The ledger does not read it.
    pub verdict: String,
}

/// A field before and after a change, as text: lists and objects as JSON, what is absent as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Name of the field, as in the ticket.
    pub field: String,
    /// What it was; empty when the ticket was created.
    pub before: String,
    /// What it is from then on.
    pub after: String,
}

/// The fields that differ; all that say something when there was no ticket before.
pub(crate) fn differences(before: Option<&Ticket>, after: &Ticket) -> Vec<FieldChange> {
    let earlier = before.map(fields).unwrap_or_default();
    let was = |index: usize| {
        earlier
            .get(index)
            .map(|(_, text)| text.clone())
            .unwrap_or_default()
    };
    let later = fields(after).into_iter().enumerate();
    let change = |(index, (field, after)): (usize, (&str, String))| FieldChange {
        field: field.to_owned(),
        before: was(index),
        after,
    };
    later.map(change).filter(|it| it.before != it.after).collect()
}

/// What may change, as text, and what a ticket begins with.
fn fields(ticket: &Ticket) -> Vec<(&'static str, String)> {
    [
        ("state", ticket.state.to_string()),
        ("title", ticket.title.clone()),
        ("description", ticket.description.clone()),
        ("category", ticket.category.clone()),
        ("metric", ticket.metric.clone()),
        ("rule", ticket.rule.clone()),
        ("owner", ticket.owner.clone()),
        ("labels", list(&ticket.labels)),
        (
            "due_date",
            ticket.due_date.map(|it| it.to_string()).unwrap_or_default(),
        ),
        ("links", list(&ticket.links)),
        (
            "duplicate_of",
            ticket.duplicate_of.map(ticket_id).unwrap_or_default(),
        ),
        (
            "recommendation_id",
            ticket
                .evidence
                .as_ref()
                .map(|it| it.recommendation_id.clone())
                .unwrap_or_default(),
        ),
    ]
    .into_iter()
    .chain(of_implementation(ticket))
    .collect()
}

/// What was done, as text.
fn of_implementation(ticket: &Ticket) -> [(&'static str, String); 10] {
    let told = |of: fn(&Implementation) -> String| ticket.implementation.as_ref().map(of).unwrap_or_default();
    [
        ("implement_time", told(|it| it.at.to_string())),
        ("change_kind", told(|it| it.kind.clone())),
        ("component", told(|it| it.component.clone())),
        ("version", told(|it| it.version.clone())),
        ("implementation", told(|it| it.description.clone())),
        (
            "hours",
            told(|it| it.hours.map(|hours| hours.to_string()).unwrap_or_default()),
        ),
        (
            "running_cost_per_day",
            told(|it| match it.running_cost_per_day {
                0.0 => String::new(),
                cost => cost.to_string(),
            }),
        ),
        ("slice", told(|it| list(&it.slice))),
        ("experiment", told(|it| it.experiment.clone())),
        ("arm", told(|it| it.arm.clone())),
    ]
}

fn list<T: Serialize>(items: &[T]) -> String {
    if items.is_empty() {
        return String::new();
    }
    // Texts and words have a form in JSON.
    serde_json::to_string(items).unwrap_or_default()
}
