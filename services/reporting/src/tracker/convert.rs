//! Tickets and events between the ledger and the wire.

use jiff::civil::Date;
use kaizen_api::analysis::v1::Condition;
use kaizen_api::status::invalid_argument;
use kaizen_api::time::to_wire;
use kaizen_api::tracker::v1 as wire;
use kaizen_ledger::{Event, Implementation, Link, LinkKind, State, Ticket, ticket_id};
use tonic::Status;

use super::frozen::thaw;
use crate::impact::verdict_of;

/// A ticket as the wire has it.
///
/// # Errors
/// `INTERNAL` when its evidence cannot be read.
pub fn ticket(it: Ticket) -> Result<wire::Ticket, Status> {
    Ok(wire::Ticket {
        ticket_id: it.id(),
        state: state(it.state).into(),
        next_states: it.state.next().iter().map(|next| state(*next).into()).collect(),
        title: it.title,
        description: it.description,
        category: it.category,
        metric: it.metric,
        rule: it.rule,
        owner: it.owner,
        labels: it.labels,
        due_date: it.due_date.map(|date| date.to_string()).unwrap_or_default(),
        links: it.links.into_iter().map(link).collect(),
        duplicate_of: it.duplicate_of.map(ticket_id).unwrap_or_default(),
        recommendation: it.evidence.map(thaw).transpose()?,
        implementation: it.implementation.map(implementation),
        create_time: Some(to_wire(it.created_at)),
        creator: it.created_by,
        update_time: Some(to_wire(it.updated_at)),
        etag: it.revision.to_string(),
    })
}

/// An event as the wire has it.
pub fn event(it: Event) -> wire::TicketEvent {
    let change = |change: kaizen_ledger::FieldChange| wire::FieldChange {
        field: change.field,
        before: change.before,
        after: change.after,
    };
    wire::TicketEvent {
        event_id: it.revision.to_string(),
        ticket_id: ticket_id(it.number),
        event_time: Some(to_wire(it.at)),
        actor: it.actor,
        comment: it.comment,
        changes: it.changes.into_iter().map(change).collect(),
        measured: it.measured.map(|it| wire::MeasuredEvent {
            day: it.day,
            verdict: verdict_of(&it.verdict).into(),
        }),
    }
}

fn link(it: Link) -> wire::Link {
    let kind = match it.kind {
        LinkKind::PullRequest => wire::LinkKind::PullRequest,
        LinkKind::Deploy => wire::LinkKind::Deploy,
        LinkKind::Issue => wire::LinkKind::Issue,
        LinkKind::Other => wire::LinkKind::Other,
    };
    wire::Link {
        kind: kind.into(),
        url: it.url,
        title: it.title,
    }
}

fn implementation(it: Implementation) -> wire::Implementation {
    wire::Implementation {
        implement_time: Some(to_wire(it.at)),
        version: it.version,
        description: it.description,
        kind: it.kind,
        component: it.component,
        hours: it.hours,
        running_cost_per_day: it.running_cost_per_day,
        slice: (it.slice.into_iter())
            .map(|(dimension, value)| Condition { dimension, value })
            .collect(),
        experiment: it.experiment,
        arm: it.arm,
    }
}

/// Links from the wire.
///
/// # Errors
/// `INVALID_ARGUMENT` naming the kind that is none.
pub fn links(field: &str, links: Vec<wire::Link>) -> Result<Vec<Link>, Status> {
    let read = |(index, link): (usize, wire::Link)| {
        let kind = match wire::LinkKind::try_from(link.kind) {
            Ok(wire::LinkKind::PullRequest) => LinkKind::PullRequest,
            Ok(wire::LinkKind::Deploy) => LinkKind::Deploy,
            Ok(wire::LinkKind::Issue) => LinkKind::Issue,
            Ok(wire::LinkKind::Other | wire::LinkKind::Unspecified) => LinkKind::Other,
            Err(_) => {
                return Err(invalid_argument(
                    format!("{field}[{index}].kind"),
                    "is no kind of link",
                ));
            }
        };
        Ok(Link {
            kind,
            url: link.url,
            title: link.title,
        })
    };
    links.into_iter().enumerate().map(read).collect()
}

/// A date from the wire; none when it is empty.
///
/// # Errors
/// `INVALID_ARGUMENT` naming the field.
pub fn due_date(field: &str, text: &str) -> Result<Option<Date>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    // Nothing but YYYY-MM-DD: a time of day would be dropped without a word
    let date = Date::strptime("%Y-%m-%d", text)
        .ok()
        .filter(|date| date.to_string() == text);
    let date = date.ok_or_else(|| invalid_argument(field, "must be a date as YYYY-MM-DD"))?;
    Ok(Some(date))
}

/// A state as the wire has it.
pub const fn state(state: State) -> wire::TicketState {
    match state {
        State::Proposed => wire::TicketState::Proposed,
        State::Accepted => wire::TicketState::Accepted,
        State::InProgress => wire::TicketState::InProgress,
        State::Implemented => wire::TicketState::Implemented,
        State::Measuring => wire::TicketState::Measuring,
        State::Verified => wire::TicketState::Verified,
        State::NoEffect => wire::TicketState::NoEffect,
        State::Worse => wire::TicketState::Worse,
        State::Inconclusive => wire::TicketState::Inconclusive,
        State::Cancelled => wire::TicketState::Cancelled,
        State::Duplicate => wire::TicketState::Duplicate,
        State::Reopened => wire::TicketState::Reopened,
    }
}

/// A state from the wire.
///
/// # Errors
/// `INVALID_ARGUMENT` naming the field when none is stated.
pub fn read_state(field: &str, number: i32) -> Result<State, Status> {
    let found = State::ALL.into_iter().find(|it| i32::from(state(*it)) == number);
    found.ok_or_else(|| invalid_argument(field, "must be a state"))
}
