//! Tickets with their measurements.

use jiff::Timestamp;
use kaizen_api::tracker::v1 as wire;
use kaizen_ledger::{Ledger, LedgerError, Ticket};

use super::kept;
use super::kept::Unreadable;

/// A ticket and its latest measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredTicket {
    /// The ticket.
    pub ticket: Ticket,
    /// When its change went live.
    pub implemented_at: Timestamp,
    /// When it was measured.
    pub measured_at: Timestamp,
    /// Revision of the measurement.
    pub measurement: i64,
    /// What was found.
    pub found: wire::Measurement,
}

/// Why measured tickets cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MeasuredError {
    /// The ledger gave no answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A measurement is none.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Every ticket that was measured, with the latest measurement of its latest implementation, the latest measured first.
///
/// # Errors
/// Any [`MeasuredError`].
pub async fn measured(ledger: &Ledger) -> Result<Vec<MeasuredTicket>, MeasuredError> {
    let mut tickets = Vec::new();
    for it in ledger.latest_measurements().await? {
        let ticket = ledger.ticket(it.number).await?;
        // An implementation that was taken back counts no more
        if ticket.implementation.as_ref().map(|change| change.at) == Some(it.implemented_at) {
            tickets.push(MeasuredTicket {
                found: kept(&it)?,
                implemented_at: it.implemented_at,
                measured_at: it.measured_at,
                measurement: it.revision,
                ticket,
            });
        }
    }
    Ok(tickets)
}
