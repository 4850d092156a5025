//! Changes tickets.

use crate::change::Change;
use crate::create::refuse_another;
use crate::error::LedgerError;
use crate::event::{Event, differences};
use crate::read::find;
use crate::row;
use crate::state::State;
use crate::store::{Ledger, now};
use crate::ticket::Ticket;

impl Ledger {
    /// Changes a ticket and returns it as it is then. `etag` is the revision the caller has read; without one the change is
    /// made to whatever the ticket is. A change that changes nothing and says nothing leaves the ticket and the audit alone.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::Stale`], [`LedgerError::Invalid`], [`LedgerError::Illegal`],
    /// [`LedgerError::AlreadyTicketed`] when another ticket of the recommendation has been opened meanwhile, or the
    /// database's.
    pub async fn change(
        &self,
        number: i64,
        etag: Option<i64>,
        change: &Change,
    ) -> Result<Ticket, LedgerError> {
        let mut turn = self.turn().await?;
        let connection = &mut *turn.transaction;
        let before = find(connection, number).await?;
        if let Some(given) = etag.filter(|etag| *etag != before.revision) {
            return Err(LedgerError::Stale {
                number,
                given,
                current: before.revision,
            });
        }
        let now = now();
        let mut after = change.apply(&before, now)?;
        if let Some(original) = change.duplicate_of {
            is_an_original(find(connection, original).await)?;
        }
        if let Some(evidence) = after.evidence.as_ref().filter(|_| after.state.is_open()) {
            refuse_another(connection, &evidence.recommendation_id, number).await?;
        }
        let changes = differences(Some(&before), &after);
        if changes.is_empty() && change.comment.trim().is_empty() {
            return Ok(before);
        }
        after.revision = turn.revision;
        after.updated_at = now.max(before.updated_at);
        row::update(connection, &before, &after).await?;
        let event = Event {
            revision: turn.revision,
            number,
            at: after.updated_at,
            actor: change.actor.clone(),
            comment: change.comment.clone(),
            changes,
            measured: None,
        };
        row::append(connection, &event).await?;
        turn.commit().await?;
        Ok(after)
    }
}

/// A ticket repeats one that is there and repeats none itself: following `duplicate_of` ends after one step.
fn is_an_original(found: Result<Ticket, LedgerError>) -> Result<(), LedgerError> {
    match found {
        Ok(ticket) if ticket.state == State::Duplicate => Err(LedgerError::invalid(
            "duplicate_of",
            "must not be a duplicate itself",
        )),
        Ok(_) => Ok(()),
        Err(LedgerError::NotFound(_)) => Err(LedgerError::invalid(
            "duplicate_of",
            "must be a ticket that is there",
        )),
        Err(error) => Err(error),
    }
}
