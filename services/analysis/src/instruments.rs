//! The analysis service's own Prometheus instruments.

use std::time::Duration;

use kaizen_service::GrpcInstruments;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::stages::STAGES;

/// All of them. Cheap to clone.
#[derive(Clone)]
pub struct Instruments {
    /// Of the gRPC server.
    pub grpc: GrpcInstruments,
    stages: Family<Stage, Histogram>,
    runs: Family<Outcome, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Instruments {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let stages: Family<Stage, Histogram> = Family::new_with_constructor(seconds);
        let runs = Family::<Outcome, Counter>::default();
        let help = "Time of a run's stages";
        registry.register_with_unit("stage_duration", help, Unit::Seconds, stages.clone());
        registry.register("runs", "Runs that ended, by outcome", runs.clone());
        Self {
            grpc: GrpcInstruments::register(registry),
            stages,
            runs,
        }
    }

    /// Gives every family an example, for the list of instruments.
    pub fn describe(&self) {
        self.grpc.describe();
        drop(self.stages.get_or_create(&Stage { stage: STAGES[0] }));
        drop(self.runs.get_or_create(&Outcome { outcome: "succeeded" }));
    }

    /// A stage took so long.
    pub fn stage(&self, stage: &'static str, took: Duration) {
        self.stages
            .get_or_create(&Stage { stage })
            .observe(took.as_secs_f64());
    }

    /// A run ended.
    pub fn ended(&self, outcome: &'static str) {
        self.runs.get_or_create(&Outcome { outcome }).inc();
    }
}

/// From a hundredth of a second to five minutes.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.0, 15))
}
