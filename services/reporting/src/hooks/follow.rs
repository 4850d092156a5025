//! Moves the tickets that are linked to an issue.

use kaizen_ledger::{Change, Implementation, Ledger, LedgerError, State, Ticket};

use super::told::{Event, Told};

/// From proposed to implemented, and more than that.
const STEPS: usize = 5;

/// Moves every ticket with the link to where the issue is, by the steps a person would take; one that is there, or
/// cannot get there, stays. Returns the identities of those that moved.
///
/// # Errors
/// The ledger's; a ticket that somebody else moved meanwhile is left as they left it.
pub async fn follow(ledger: &Ledger, told: &Told) -> Result<Vec<String>, LedgerError> {
    let mut moved = Vec::new();
    for mut ticket in ledger.linked(&told.url).await? {
        let revision = ticket.revision;
        for _ in 0..STEPS {
            let Some(change) = next(&ticket, told) else {
                break;
            };
            match ledger.change(ticket.number, Some(ticket.revision), &change).await {
                Ok(changed) => ticket = changed,
                Err(LedgerError::Stale { .. } | LedgerError::AlreadyTicketed { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        if ticket.revision != revision {
            moved.push(ticket.id());
        }
    }
    Ok(moved)
}

/// The next step of a ticket; `None` when it is where the issue is.
fn next(ticket: &Ticket, told: &Told) -> Option<Change> {
    let mut change = Change {
        actor: told
            .actor
            .chars()
            .filter(|it| !it.is_control())
            .take(128)
            .collect(),
        ..Change::default()
    };
    let to = match &told.event {
        Event::Owner(owner) => {
            change.owner = Some(owner.chars().filter(|it| !it.is_control()).take(128).collect());
            return (change.owner.as_ref() != Some(&ticket.owner)).then_some(change);
        }
        Event::Declined => State::Cancelled,
        Event::Reopened => State::Reopened,
        Event::Started | Event::Done(_) => match (ticket.state, &told.event) {
            (State::Proposed, _) => State::Accepted,
            (State::Accepted | State::Reopened, _) => State::InProgress,
            (State::InProgress, Event::Done(at)) => {
                change.implementation = Some(Implementation::of(ticket, *at));
                State::Implemented
            }
            _ => return None,
        },
    };
    if !ticket.state.may_become(to) {
        return None;
    }
    change.comment = format!("{} was {}.", told.url, words(&told.event));
    change.state = Some(to);
    Some(change)
}

fn words(event: &Event) -> &'static str {
    match event {
        Event::Started => "started",
        Event::Done(_) => "done",
        Event::Declined => "closed without being done",
        Event::Reopened => "opened again",
        Event::Owner(_) => "given to somebody else",
    }
}
