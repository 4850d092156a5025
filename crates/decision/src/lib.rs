//! The decision event, from a Kafka record to a row: `decode` → `validate` → `extract` → `pseudonymise`. And the two
//! events that join the decisions, flat enough to be read in one step: [`Outcome`]s by session, [`Change`]s by time.
//!
//! Pure: bytes and values in, values out; no IO, no clock, no randomness, so that the same record always gives the same
//! row. A record that is no valid event gives exactly one [`Rejection`]: a [`Reason`] of a closed list and the JSON
//! pointer of the field at fault. Nothing panics, whatever the bytes.
//!
//! What the contract leaves open is decided here:
//! - Lengths of strings are counted in characters (Unicode scalar values).
//! - `null` is the same as an absent field. `input_data` and `output_data` are `{}` when absent.
//! - A field the schema names may stand only once in its object (`duplicate_field`), because readers disagree on which
//!   one counts. Inside `input_data`, `output_data` and unknown fields repeated keys are kept as they are.
//! - "After parse" is the [canonical] text: no whitespace between tokens, no escape that is not needed; 256 KiB of its
//!   UTF-8 bytes. The object itself is the first of at most 32 levels.
//! - `timestamp` lies between 1970 and 2106, the range of the warehouse's hours, and needs a time of day.
//! - `processing_time` is below 10¹⁰ s, beyond which the rollup could not hold its sum.
//! - A replayed dead letter is judged by the time its record first came, so that waiting alone makes none late, and none right.
//! - The field `event_id` wins over the header `event-id`; an empty one is an absent one.
//! - An unknown field of a nested object is kept under that object's name in `extra`.

pub mod canonical;
mod change;
mod check;
mod decode;
mod extract;
mod identify;
pub mod letter;
mod object;
mod outcome;
mod protobuf;
mod pseudonymise;
mod reason;
mod record;
mod row;
mod timestamp;
mod validate;

pub use change::{Change, ChangeKind, read_change};
pub use decode::{RawDecision, decode};
pub use extract::{Extracted, LogType, SEED_LOG_TYPES, Schema, extract};
pub use letter::{LetterId, NoLetterId, Replay};
pub use outcome::{Outcome, read_outcome};
pub use pseudonymise::{Privacy, WeakKey};
pub use reason::{Reason, Rejection};
pub use record::{ContentType, RawRecord};
pub use row::DecisionRow;
pub use timestamp::TimePolicy;
pub use validate::{Allocation, Decision, Labels, Lead, Level, Reasoning, validate};

/// The Protobuf encoding of the event, as generated from `proto/kaizen/decisions/v1/decision.proto`.
#[allow(missing_docs, reason = "generated: the comments stand in the .proto file")]
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/kaizen.decisions.v1.rs"));
}
