use crate::correction::{CorrectionState, correction_id};
use crate::state::{State, words};
use crate::ticket::ticket_id;

/// Why the ledger refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A value breaks a rule. `rule` completes the sentence that `field` begins.
    #[error("{field} {rule}")]
    Invalid {
        /// Name of the field.
        field: String,
        /// The rule it breaks.
        rule: String,
    },
    /// There is no such ticket.
    #[error("there is no ticket {}", ticket_id(*.0))]
    NotFound(i64),
    /// This state may not follow that one.
    #[error("a ticket that is {from} cannot become {to}; it can become {}", words(.from.next()))]
    Illegal {
        /// Where the ticket stands; [`State::next`] says what is allowed.
        from: State,
        /// Where it was to go.
        to: State,
    },
    /// The ticket has changed since it was read.
    #[error("{} has changed since: its etag is {current}, not {given}", ticket_id(*.number))]
    Stale {
        /// Number of the ticket.
        number: i64,
        /// The revision the caller had read.
        given: i64,
        /// The revision it has.
        current: i64,
    },
    /// The request id was used before, for something else.
    #[error("request_id {request_id:?} has created {}, of other content", ticket_id(*.number))]
    RequestReused {
        /// The id.
        request_id: String,
        /// Number of the ticket it created.
        number: i64,
    },
    /// The recommendation has a ticket that is not at an end.
    #[error("recommendation {recommendation_id:?} has {} already", ticket_id(*.number))]
    AlreadyTicketed {
        /// Identity of the recommendation.
        recommendation_id: String,
        /// Number of the ticket it has.
        number: i64,
    },
    /// There is no such correction.
    #[error("there is no correction {}", correction_id(*.0))]
    NoCorrection(i64),
    /// The correction is not active any more.
    #[error("{} is {state}; only an active correction can be reverted", correction_id(*.number))]
    CorrectionEnded {
        /// Number of the correction.
        number: i64,
        /// Where it stands.
        state: CorrectionState,
    },
    /// The database is away, or others write for too long; trying again helps.
    #[error("the ledger's database cannot be reached or is busy")]
    Unavailable(#[source] sqlx::Error),
    /// The database refused a statement.
    #[error("the ledger's database")]
    Database(#[source] sqlx::Error),
    /// A stored value cannot be read.
    #[error("{column} of {} cannot be read: {reason}", ticket_id(*.number))]
    Unreadable {
        /// Number of the ticket.
        number: i64,
        /// The column at fault.
        column: &'static str,
        /// Why.
        reason: String,
    },
    /// A stored value of a correction cannot be read.
    #[error("{column} of {} cannot be read: {reason}", correction_id(*.number))]
    UnreadableCorrection {
        /// Number of the correction.
        number: i64,
        /// The column at fault.
        column: &'static str,
        /// Why.
        reason: String,
    },
}

impl LedgerError {
    pub(crate) fn invalid(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            rule: rule.into(),
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        if is_passing(&error) {
            Self::Unavailable(error)
        } else {
            Self::Database(error)
        }
    }
}

/// Whether a failure may be gone at the next try: no connection, a locked SQLite file, a PostgreSQL that starts, stops,
/// has no connection left, or ended a transaction that stood in another's way.
fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => match error.code().as_deref() {
            // SQLite: SQLITE_BUSY and SQLITE_LOCKED, whose extended codes keep them in the low byte; SQLITE_CANTOPEN does not pass
            Some(code) if code.len() < 5 => {
                code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6))
            }
            // PostgreSQL: connection exceptions, transaction rollbacks, insufficient resources, operator intervention
            Some(code) => ["08", "40", "53", "57"]
                .iter()
                .any(|class| code.starts_with(class)),
            None => false,
        },
        _ => false,
    }
}
