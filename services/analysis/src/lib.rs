//! Every metric of the catalogue over a period, beside the period before, and which way each one goes.
//!
//! ```text
//! RunAnalysis ─► [service] ─► [runner]: one run a request ─► [stages]: count → measure → judge → explain → inspect → recommend → record ─► ClickHouse
//! ```
//!
//! The same period over the same decisions, with the same corrections of forecasts in the ledger, gives the same rows. A run goes
//! on when its caller leaves, and when its process dies: another process, or the same started again, takes it up. One that failed
//! or was cancelled is run again under the same identity when it is asked for again.

mod app;
mod cancel;
mod config;
mod decide;
mod instruments;
mod runner;
mod service;
mod stages;

pub use app::AnalysisApplication;
pub use config::AnalysisConfig;
