//! Kafka to ClickHouse: nothing lost, nothing twice, every bad record dead-lettered with a reason.
//!
//! ```text
//! kaizen.decisions ─► [step]: decode → validate → extract → pseudonymise → encode ─► batch ─► [store] ─► decisions
//!                                  └── rejected, with reason and JSON pointer ───────────────────┴─► dlq, rejections
//! ```
//!
//! `kaizen.outcomes` and `kaizen.changes` go the same way into tables of their own: [`topics`] tells what a topic holds.
//! [`ingest`] takes decisions over HTTP, gRPC and OTLP and publishes them to the topic; they come in from there like all
//! others.
//! [`step`] is pure; `kaizen_stream` reads, seals and commits; [`store`] makes a batch durable, once: its intent is committed
//! before, so that whoever comes after a crash stores the same batch under the same token. [`audit`] looks over what is
//! stored, all the while.

mod app;
mod audit;
mod config;
#[doc(hidden)]
pub mod fuzzing;
mod ingest;
mod instruments;
mod position;
mod preflight;
mod step;
mod store;
mod topics;

pub use app::Collector;
pub use config::{CollectorConfig, Kind, Policy, Topic};
pub use instruments::Instruments;
pub use position::Position;
pub use step::EventStep;
pub use store::{BatchStore, Dependencies};
pub use topics::{Rules, Topics};
