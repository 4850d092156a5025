//! Kafka to ClickHouse: nothing lost, every bad record dead-lettered with a reason.
//!
//! ```text
//! kaizen.decisions ─► [step]: decode → validate → extract → pseudonymise → encode ─► batch ─► [store] ─► decisions
//!                                  └── rejected, with reason and JSON pointer ───────────────────┴─► dlq, rejections
//! ```
//!
//! [`step`] is pure; `kaizen_stream` reads, seals and commits; [`store`] makes a batch durable. Offsets are committed
//! after the rows are in ClickHouse and the dead letters are acknowledged: at least once.

mod app;
mod config;
mod instruments;
mod preflight;
mod step;
mod store;

pub use app::Collector;
pub use config::CollectorConfig;
pub use instruments::Instruments;
pub use step::{DecisionStep, Policies};
pub use store::{BatchStore, Dependencies};
