use jiff::Timestamp;
use kaizen_api::status::invalid_argument;
use kaizen_api::time::from_wire;
use kaizen_api::tracker::v1::{self as wire, MarkImplementedRequest, UpdateTicketRequest};
use kaizen_ledger::{Change, Implementation, State, Ticket};
use tonic::Status;

use super::{Tracker, convert, number, refused, refused_of_ticket, revision};

const MASK: &str = "title, description, owner, labels, due_date, links, state, duplicate_of";

pub async fn answer(tracker: &Tracker, request: UpdateTicketRequest) -> Result<Ticket, Status> {
    let ticket = request
        .ticket
        .ok_or_else(|| invalid_argument("ticket", "is required"))?;
    let number = number("ticket.ticket_id", &ticket.ticket_id)?;
    let etag = revision("ticket.etag", &ticket.etag)?;
    let paths = request.update_mask.unwrap_or_default().paths;
    let mut change = Change {
        actor: request.actor,
        comment: request.comment,
        ..Change::default()
    };
    for path in &paths {
        set(&mut change, path, &ticket)?;
    }
    if paths.is_empty() && change.comment.trim().is_empty() {
        return Err(invalid_argument(
            "update_mask",
            "must name a field unless there is a comment",
        ));
    }
    tracker
        .ledger()
        .change(number, etag, &change)
        .await
        .map_err(refused_of_ticket)
}

/// Takes a field of the mask from the ticket.
fn set(change: &mut Change, path: &str, ticket: &wire::Ticket) -> Result<(), Status> {
    match path {
        "title" => change.title = Some(ticket.title.clone()),
        "description" => change.description = Some(ticket.description.clone()),
        "owner" => change.owner = Some(ticket.owner.clone()),
        "labels" => change.labels = Some(ticket.labels.clone()),
        "due_date" => change.due_date = Some(convert::due_date("ticket.due_date", &ticket.due_date)?),
        "links" => change.links = Some(convert::links("ticket.links", ticket.links.clone())?),
        "duplicate_of" => change.duplicate_of = Some(number("ticket.duplicate_of", &ticket.duplicate_of)?),
        "state" => {
            let state = convert::read_state("ticket.state", ticket.state)?;
            if state == State::Implemented {
                return Err(invalid_argument(
                    "ticket.state",
                    "becomes implemented by MarkImplemented",
                ));
            }
            change.state = Some(state);
        }
        _ => {
            let rule = format!("has {path:?}; it may name {MASK}");
            return Err(invalid_argument("update_mask", rule));
        }
    }
    Ok(())
}

pub async fn implemented(tracker: &Tracker, request: MarkImplementedRequest) -> Result<Ticket, Status> {
    let number = number("ticket_id", &request.ticket_id)?;
    let mut etag = revision("etag", &request.etag)?;
    let read = tracker.ledger().ticket(number).await.map_err(refused)?;
    let mut change = Change {
        actor: request.actor,
        comment: request.comment,
        state: Some(State::Implemented),
        implementation: Some(implementation(request.implementation.unwrap_or_default(), &read)?),
        ..Change::default()
    };
    let further = convert::links("links", request.links)?;
    if !further.is_empty() {
        // Added to those that are there now; whoever changes them meanwhile makes this stale
        etag = etag.or(Some(read.revision));
        change.links = Some([read.links, further].concat());
    }
    tracker
        .ledger()
        .change(number, etag, &change)
        .await
        .map_err(refused)
}

fn implementation(told: wire::Implementation, ticket: &Ticket) -> Result<Implementation, Status> {
    let or = |told: String, usual: String| if told.is_empty() { usual } else { told };
    let at = match told.implement_time {
        Some(time) => from_wire("implementation.implement_time", Some(time))?,
        None => Timestamp::now(),
    };
    let usual = Implementation::of(ticket, at);
    Ok(Implementation {
        at,
        kind: or(told.kind, usual.kind),
        component: or(told.component, usual.component),
        version: told.version,
        description: told.description,
        hours: told.hours,
        running_cost_per_day: told.running_cost_per_day,
        slice: (told.slice.into_iter())
            .map(|it| (it.dimension, it.value))
            .collect(),
        experiment: told.experiment,
        arm: told.arm,
    })
}
