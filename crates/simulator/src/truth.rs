//! Every metric of the catalogue over the events, by exact arithmetic over single values.

mod gather;
mod planted;
mod tally;
mod tenant;

use jiff::Timestamp;
use serde::Serialize;

pub(crate) use gather::TruthBuilder;
pub use planted::{ControlTruth, FaultTruth, ImprovementTruth, Kind, SizeTruth};
pub use tenant::{DimensionTruth, TenantTruth, ValueTruth};

/// What is true of a simulation's events: the truth file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// Name of the scenario.
    pub scenario: String,
    /// Seed of the simulation.
    pub seed: u64,
    /// Number of events.
    pub events: u64,
    /// The span they lie in.
    pub window: Span,
    /// Components of the catalogue that have events in the scenario.
    pub components: Vec<ComponentTruth>,
    /// Events that were sent a second time.
    pub repeated: u64,
    /// What was planted.
    pub faults: Vec<FaultTruth>,
    /// What the seed drew for good, by component.
    pub tenant: Vec<TenantTruth>,
}

/// A half-open span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

/// What is true of a component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentTruth {
    /// Its name in the catalogue.
    pub name: String,
    /// Kind of its decisions.
    pub log_type: String,
    /// Number of its events.
    pub events: u64,
    /// Its metrics, in the order of the catalogue.
    pub metrics: Vec<MetricTruth>,
}

/// What is true of a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricTruth {
    /// `COMPONENT.METRIC`.
    pub name: String,
    /// Decisions the value is computed from.
    pub n: u64,
    /// The value; `null` when there is nothing to compute it from.
    pub value: Option<f64>,
    /// The same for each week from Monday in UTC.
    pub weeks: Vec<WeekTruth>,
    /// The same for each value of the metric's `split_by` dimension.
    pub groups: Vec<GroupTruth>,
}

/// What is true of a metric in one week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeekTruth {
    /// First instant of the week.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// Decisions the value is computed from.
    pub n: u64,
    /// The value.
    pub value: Option<f64>,
}

/// What is true of a metric in one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupTruth {
    /// Value of the dimension.
    pub group: String,
    /// Decisions the value is computed from.
    pub n: u64,
    /// The value.
    pub value: Option<f64>,
}
