//! Publishes the decisions of an AI system to Kaizen. Never holds the caller up, never fails or panics into it, and counts
//! every event that it could not deliver. No async runtime is needed: one background thread does the work.
//!
//! ```no_run
//! use kaizen_logger::{Decision, DecisionLogger, Level};
//!
//! # fn main() -> Result<(), kaizen_logger::ConfigError> {
//! let logger = DecisionLogger::builder()
//!     .brokers("127.0.0.1:9092")
//!     .spill_dir("/var/lib/my-system/kaizen")
//!     .build()?;
//!
//! let mut decision = logger.decision("campaign_generation", "session-42", "template-b");
//! decision.input(&[("template", "b")].into_iter().collect::<std::collections::BTreeMap<_, _>>());
//! decision.confidence(Level::High);
//! decision.succeed();
//!
//! let enriched = logger.record(Decision::new("enrichment_decision", "session-42", "lookup"), |_| {
//!     std::fs::read_to_string("companies.json")
//! });
//! # drop(enriched);
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//! log ─ encode ─▶ buffer ────────▶ thread ──────────────────▶ Kafka
//!                 16,384 events,     │  ▲  librdkafka's queue,
//!                 32 MiB             ▼  │  32 MiB
//!                                   spill folder, 1 GiB
//! ```
//!
//! # What is promised
//! - `log` takes microseconds whatever state Kafka, the network and the disk are in: it writes the JSON and pushes it into
//!   a buffer without a lock or a system call that waits. When the buffer is full, events are dropped and counted.
//! - What Kafka does not acknowledge in time goes to the spill folder and is sent again, in order, with the same
//!   `event-id`, by this process or, if it dies, by the next one. A crash may publish an event twice, never change it.
//! - Every event ends in exactly one count of [`Stats`].
//!
//! # What can be lost
//! At `kill -9` or a panic that aborts: events in the buffer (the last 5–20 ms) and those Kafka has not acknowledged yet
//! (normally the last 50 ms; up to the delivery timeout when Kafka has just gone away). At a loss of power also what the
//! system had not written to disk of the newest spill file. Without a spill folder: all that Kafka does not take within
//! the delivery timeout.

mod adjustment;
mod buffer;
mod builder;
mod config_error;
mod decision;
mod encode;
mod environment;
mod event;
mod limit;
mod logger;
mod producer;
mod recording;
mod spill;
mod stats;
mod trace;
mod window;
mod worker;

pub use adjustment::{Adjustment, Reason};
pub use buffer::DropPolicy;
pub use builder::Builder;
pub use config_error::ConfigError;
pub use decision::{Decision, Level};
pub use logger::{DecisionLogger, Logged};
pub use recording::Recording;
pub use stats::{DropReason, Stats};
