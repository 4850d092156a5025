//! What every Kaizen service needs around its own work: a configuration that is right or refused before a port opens,
//! telemetry, health that means progress, servers on one port, and an end within ten seconds.
//!
//! A service is an [`Application`]; its `main` is one call of [`launch`], which goes top to bottom through [`config`] →
//! [`telemetry`] → [`operations`] → `build` → `run` → drain.

pub mod config;
pub mod health;
pub mod launch;
pub mod operations;
pub mod server;
pub mod telemetry;

pub use config::{Address, Bounded, ConfigError, Period, Problems, Secret, ServiceConfig};
pub use health::{Health, Progress, Readiness};
pub use launch::{Application, launch};
pub use operations::Operations;
pub use server::{GrpcInstruments, Server, ServerConfig};
pub use telemetry::Telemetry;
