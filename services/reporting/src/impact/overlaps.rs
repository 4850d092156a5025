//! What else changed in the days that are measured.

use jiff::Timestamp;
use kaizen_api::analysis::v1::ChangeEntry;
use kaizen_api::time::to_wire;
use kaizen_api::tracker::v1::Overlap;
use kaizen_ledger::{Filter, LedgerError, Listing, Order, State, Ticket};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{QueryError, changes};

use super::course::Course;
use super::{Asked, Measurer};

/// Tickets that are looked at, the latest changed first.
const MOST: u32 = 500;
/// Where a ticket stands from when it is implemented.
pub(super) const IMPLEMENTED: [State; 6] = [
    State::Implemented,
    State::Measuring,
    State::Verified,
    State::NoEffect,
    State::Worse,
    State::Inconclusive,
];

/// Other tickets of the component that were implemented in these days.
///
/// # Errors
/// The ledger's.
pub async fn tickets(
    measurer: &Measurer,
    asked: &Asked<'_>,
    course: &Course,
) -> Result<Vec<Ticket>, LedgerError> {
    let listing = Listing {
        filter: Filter {
            states: IMPLEMENTED.to_vec(),
            ..Filter::default()
        },
        order: Order::LatestChange,
        after: None,
        most: MOST,
    };
    let mut found = measurer.ledger.list(&listing).await?;
    let component = format!("{}.", asked.component.name);
    found.retain(|ticket| {
        let at = ticket.implementation.as_ref().map(|it| it.at);
        ticket.number != asked.ticket.number
            && ticket.metric.starts_with(&component)
            && at.is_some_and(|at| is_within(course, at))
    });
    Ok(found)
}

/// Everything else that changed in these days: entries of the change ledger about the component, with the tickets they belong
/// to, and tickets without an entry.
///
/// # Errors
/// Any [`QueryError`].
pub async fn find(
    client: &Client,
    asked: &Asked<'_>,
    course: &Course,
    others: &[Ticket],
) -> Result<Vec<Overlap>, QueryError> {
    let Some(window) = course.window()? else {
        return Ok(Vec::new());
    };
    let mut overlaps = Vec::new();
    let mut told: Vec<i64> = Vec::new();
    for entry in changes(client, window).await? {
        let Ok(at) = entry.at.parse::<Timestamp>() else {
            return Err(QueryError::Unreadable("the time of a change".to_owned()));
        };
        if entry.component != asked.component.name || belongs_to(&entry, at, asked.ticket) {
            continue;
        }
        let owner = others.iter().find(|ticket| belongs_to(&entry, at, ticket));
        told.extend(owner.map(|it| it.number));
        overlaps.push(Overlap {
            ticket_id: owner.map(Ticket::id).unwrap_or_default(),
            after: at >= asked.change.at,
            change: Some(ChangeEntry {
                kind: entry.kind,
                component: entry.component,
                version: entry.version,
                change_time: Some(to_wire(at)),
                link: entry.link,
            }),
        });
    }
    for ticket in others.iter().filter(|it| !told.contains(&it.number)) {
        if let Some(change) = &ticket.implementation {
            overlaps.push(Overlap {
                ticket_id: ticket.id(),
                after: change.at >= asked.change.at,
                change: Some(ChangeEntry {
                    kind: change.kind.clone(),
                    component: change.component.clone(),
                    version: change.version.clone(),
                    change_time: Some(to_wire(change.at)),
                    link: String::new(),
                }),
            });
        }
    }
    Ok(overlaps)
}

/// Whether an entry of the change ledger tells of a ticket's change: it has one of the ticket's links, or is what the ticket
/// wrote itself.
fn belongs_to(entry: &kaizen_findings::ChangeEntry, at: Timestamp, ticket: &Ticket) -> bool {
    let is_linked = !entry.link.is_empty() && ticket.links.iter().any(|link| link.url == entry.link);
    let Some(change) = &ticket.implementation else {
        return is_linked;
    };
    let version = if change.version.is_empty() {
        ticket.id()
    } else {
        change.version.clone()
    };
    // The change ledger keeps milliseconds
    let is_own = at.as_millisecond() == change.at.as_millisecond() && entry.version == version;
    is_linked || is_own
}

fn is_within(course: &Course, at: Timestamp) -> bool {
    match (course.days.first(), course.days.last()) {
        (Some(first), Some(last)) => first.start <= at && at < last.end,
        _ => false,
    }
}
