//! What people change: tickets, in SQLite by default, in PostgreSQL in production, by one code path.
//!
//! A change is one transaction that begins by taking the ledger's turn, so that changes happen one after another however
//! many write: none is lost, and whoever reads revisions in order misses none. Each leaves a line in the audit that says who,
//! when, and what was before and after; a process killed at any moment leaves all of a change or nothing of it.
//!
//! [`State`] is the life of a ticket, [`Change`] what may be done to one; both are pure. [`Ledger`] keeps them:
//! [`Ledger::open`] → [`Ledger::create`], [`Ledger::change`] → [`Ledger::ticket`], [`Ledger::list`], [`Ledger::events`];
//! [`Ledger::keep_measurement`] keeps what an implemented one changed, [`Ledger::learn`] what that says of the forecasts,
//! [`Ledger::file_deliveries`] what others are to be told.

mod change;
mod correction;
mod create;
mod database_url;
mod error;
mod event;
mod limits;
mod list;
mod measurement;
pub mod migrate;
mod outbox;
mod position;
mod question;
mod read;
mod row;
mod state;
mod store;
mod terms;
mod ticket;
mod update;

pub use change::Change;
pub use correction::{
    Correction, CorrectionEnd, CorrectionOutcome, CorrectionState, Learned, correction_id, correction_number,
};
pub use database_url::{LedgerUrl, without_password};
pub use error::LedgerError;
pub use event::{Event, FieldChange, Measured};
pub use list::{Cursor, Filter, Listing, Order};
pub use measurement::{Measurement, NewMeasurement};
pub use outbox::{Delivery, Destination};
pub use state::State;
pub use store::{Ledger, OpenError};
pub use ticket::{Evidence, Implementation, Link, LinkKind, NewTicket, Ticket, ticket_id, ticket_number};
