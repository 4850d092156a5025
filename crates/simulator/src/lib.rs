//! A fleet of AI systems whose every number is known: a scenario in, decision events and their truth out.
//!
//! [`Scenario`] says what the fleet does and which faults are planted in it; [`Process`] is one seed of it, and gives counts and
//! [`Rollup`]s without making events; [`Simulation`] yields its events in the order of their time, the same ones for the same seed, with
//! the outcomes of their sessions; [`Truth`] is every metric of the catalogue over them, and what was planted. The truth shares
//! nothing with the warehouse but the definition of the roundings: its sums and quantiles are computed from single values, in
//! integers, independently of any SQL and of the order of the events, so that the warehouse's numbers can be required to
//! equal them to the last bit.

mod decimal;
mod event;
mod generate;
mod later;
mod process;
mod quantile;
mod rollup;
pub mod scenario;
mod sum;
pub mod truth;

pub use event::Event;
pub use generate::Simulation;
pub use process::{HourCounts, Process, Size};
pub use quantile::Quantiles;
pub use rollup::{Moments, Rollup, Totals, UnknownDimension, Wanted};
pub use scenario::{Scenario, ScenarioError};
pub use sum::{ExactSum, UnrepresentableValue};
pub use truth::Truth;
