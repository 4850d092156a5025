//! Everything Kaizen knows, served on one port: gRPC, gRPC-Web and the dashboard.
//!
//! A call goes from the wire to a checked question ([`metrics`], [`analyses`], [`dead_letters`]), to `kaizen_warehouse::queries`, and back.
//! What tickets changed is measured here ([`impact`]). What people ([`tracker`]) and other trackers ([`hooks`]) change goes to
//! `kaizen_ledger`, and nothing is written anywhere else; others are told of it ([`changes`], [`webhooks`]).

mod analyses;
mod app;
mod changes;
mod config;
mod dead_letters;
mod hooks;
mod impact;
mod instruments;
mod metrics;
mod page;
mod tracker;
mod web;
pub mod webhooks;

pub use app::Reporting;
pub use config::{DestinationConfig, ReportingConfig, WebhooksConfig};
pub use instruments::Instruments;
