//! What the peers have in common: the event as they read it, and the row they make of it. Neither validates; both trust
//! the producer, as a consumer written by the book does.

mod event;
mod row;

pub use event::{Document, Event};
pub use row::{COLUMNS, Row};
