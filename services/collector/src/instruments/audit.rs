//! Instruments of the continuous audit.

use std::time::Duration;

use kaizen_stream::Partition;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::Place;

/// All of them. Cheap to clone.
#[derive(Clone)]
pub struct AuditInstruments {
    gaps: Family<Place, Counter>,
    duplicates: Family<Place, Counter>,
    rollup: Counter,
    rebuilt: Counter,
    standing: Family<Kind, Gauge>,
    offsets: Counter,
    failures: Counter,
    duration: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

impl AuditInstruments {
    /// Registers them.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let instruments = Self {
            gaps: Family::default(),
            duplicates: Family::default(),
            rollup: Counter::default(),
            rebuilt: Counter::default(),
            standing: Family::default(),
            offsets: Counter::default(),
            failures: Counter::default(),
            duration: Histogram::new(exponential_buckets(0.001, 4.0, 9)),
        };
        let help = "Records of Kafka that the audit found without a row, each counted once";
        registry.register("ingest_gap", help, instruments.gaps.clone());
        let help = "Rows too many that the audit found, each counted once";
        registry.register("ingest_duplicate", help, instruments.duplicates.clone());
        let help = "Hours of a component's rollup that the audit found to differ from their decisions, each counted once";
        registry.register("rollup_mismatch", help, instruments.rollup.clone());
        let help = "Hours of the rollup that the audit rebuilt from their decisions";
        registry.register("rollup_rebuilt", help, instruments.rebuilt.clone());
        let help = "What the audit found and is not mended: records without a row, rows too many, hours of the rollup that differ";
        registry.register("audit_standing", help, instruments.standing.clone());
        registry.register(
            "audit_offsets",
            "Offsets the audit looked at",
            instruments.offsets.clone(),
        );
        let help = "Runs of the audit that were not finished, as Kafka or ClickHouse failed";
        registry.register("audit_failures", help, instruments.failures.clone());
        let help = "Time of a run of the audit";
        registry.register_with_unit(
            "audit_duration",
            help,
            Unit::Seconds,
            instruments.duration.clone(),
        );
        instruments
    }

    /// Gives every family an example.
    pub(super) fn describe(&self, place: &Place) {
        drop(self.gaps.get_or_create(place));
        drop(self.duplicates.get_or_create(place));
        self.standing(0, 0, 0);
    }

    /// So many records of a partition are not stored.
    pub fn gaps(&self, partition: &Partition, records: u64) {
        self.gaps.get_or_create(&Place::of(partition)).inc_by(records);
    }

    /// So many rows of a partition are too many.
    pub fn duplicates(&self, partition: &Partition, rows: u64) {
        self.duplicates.get_or_create(&Place::of(partition)).inc_by(rows);
    }

    /// So many hours of the rollup are wrong.
    pub fn rollup(&self, hours: u64) {
        self.rollup.inc_by(hours);
    }

    /// An hour of the rollup was rebuilt.
    pub fn rebuilt(&self) {
        self.rebuilt.inc();
    }

    /// What is not mended.
    pub fn standing(&self, lost: u64, repeated: u64, hours: u64) {
        for (kind, standing) in [("gap", lost), ("duplicate", repeated), ("rollup", hours)] {
            let standing = i64::try_from(standing).unwrap_or(i64::MAX);
            self.standing.get_or_create(&Kind { kind }).set(standing);
        }
    }

    /// So many offsets were looked at.
    pub fn looked_at(&self, offsets: u64) {
        self.offsets.inc_by(offsets);
    }

    /// A run is done.
    pub fn ran(&self, took: Duration) {
        self.duration.observe(took.as_secs_f64());
    }

    /// A run was not finished.
    pub fn failed(&self) {
        self.failures.inc();
    }
}
