//! Kafka to ClickHouse: nothing lost, nothing twice, every bad record dead-lettered with a reason.
//!
//! ```text
//! kaizen.decisions ─► [step]: decode → validate → extract → pseudonymise → encode ─► batch ─► [store] ─► decisions
//!                                  └── rejected, with reason and JSON pointer ───────────────────┴─► dlq, rejections
//! ```
//!
//! [`ingest`] takes decisions over HTTP, gRPC and OTLP and publishes them to the topic; they come in from there like all
//! others.
//! [`step`] is pure; `kaizen_stream` reads, seals and commits; [`store`] makes a batch durable, once: its intent is committed
//! before, so that whoever comes after a crash stores the same batch under the same token.

mod app;
mod config;
#[doc(hidden)]
pub mod fuzzing;
mod ingest;
mod instruments;
mod position;
mod preflight;
mod step;
mod store;

pub use app::Collector;
pub use config::CollectorConfig;
pub use instruments::Instruments;
pub use position::Position;
pub use step::{DecisionStep, Policies};
pub use store::{BatchStore, Dependencies};
