//! The collector's own Prometheus instruments.

mod audit;
mod ingest;

pub use audit::AuditInstruments;
pub use ingest::IngestInstruments;

use std::time::Duration;

use kaizen_stream::{Batch, Completion, Origin, Partition, Sealed};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// All of them. Cheap to clone.
#[derive(Clone)]
pub struct Instruments {
    records: Family<Outcome, Counter>,
    /// Looked up once: it counts nearly every record.
    accepted: Counter,
    duplicates: Counter,
    unknown_fields: Counter,
    batches: Family<Seal, Counter>,
    batch_rows: Histogram,
    batch_bytes: Histogram,
    store_duration: Histogram,
    store_retries: Counter,
    replays: Counter,
    completions: Counter,
    dead_letters: Counter,
    lag: Family<Place, Gauge>,
    watermark: Family<Place, Gauge>,
    /// Of the ways in that are not Kafka.
    pub ingest: IngestInstruments,
    /// Of the continuous audit.
    pub audit: AuditInstruments,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Seal {
    sealed_by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    topic: String,
    partition: i32,
}

impl Place {
    fn of(partition: &Partition) -> Self {
        Self {
            topic: partition.topic.clone(),
            partition: partition.number,
        }
    }
}

impl Instruments {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let records = Family::<Outcome, Counter>::default();
        let accepted = records.get_or_create_owned(&Outcome {
            outcome: "stored",
            reason: "",
        });
        let duplicates = records.get_or_create_owned(&Outcome {
            outcome: "duplicate",
            reason: "",
        });
        let instruments = Self {
            accepted,
            duplicates,
            records,
            unknown_fields: Counter::default(),
            batches: Family::default(),
            batch_rows: Histogram::new(exponential_buckets(1.0, 4.0, 10)),
            batch_bytes: Histogram::new(exponential_buckets(1024.0, 4.0, 10)),
            store_duration: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            store_retries: Counter::default(),
            replays: Counter::default(),
            completions: Counter::default(),
            dead_letters: Counter::default(),
            lag: Family::default(),
            watermark: Family::default(),
            ingest: IngestInstruments::register(registry),
            audit: AuditInstruments::register(registry),
        };
        instruments.name(registry);
        instruments
    }

    fn name(&self, registry: &mut Registry) {
        registry.register(
            "records",
            "Records stored, dead-lettered or dropped as repeats of stored ones, by outcome and reason",
            self.records.clone(),
        );
        registry.register(
            "unknown_fields",
            "Fields of stored events that their schema does not name",
            self.unknown_fields.clone(),
        );
        registry.register(
            "batches",
            "Batches sealed, by what sealed them",
            self.batches.clone(),
        );
        registry.register("batch_rows", "Rows of a sealed batch", self.batch_rows.clone());
        registry.register_with_unit(
            "batch",
            "Size of a sealed batch",
            Unit::Bytes,
            self.batch_bytes.clone(),
        );
        let help = "Time until a batch is durable: inserted, its dead letters acknowledged";
        registry.register_with_unit("store_duration", help, Unit::Seconds, self.store_duration.clone());
        registry.register(
            "store_retries",
            "Inserts and dead letters that failed and were tried again",
            self.store_retries.clone(),
        );
        registry.register(
            "replays",
            "Batches stored again from the intent an earlier owner of the partition left",
            self.replays.clone(),
        );
        registry.register(
            "completions",
            "Inserts of rows that a replayed or repeated insert had left out",
            self.completions.clone(),
        );
        registry.register(
            "dead_letters",
            "Records acknowledged by the topic of dead letters",
            self.dead_letters.clone(),
        );
        let help = "Records of a partition that are not stored yet, as last seen; updated every 5 s";
        registry.register("lag_records", help, self.lag.clone());
        let help = "Kafka's time of the last stored record of a partition; the watermark's age is the time since then";
        registry.register_with_unit("watermark_timestamp", help, Unit::Seconds, self.watermark.clone());
    }

    /// Gives every family an example, for the list of instruments.
    pub fn describe(&self) {
        let place = Place {
            topic: "kaizen.decisions".to_owned(),
            partition: 0,
        };
        let seal = Seal { sealed_by: "rows" };
        drop(self.batches.get_or_create(&seal));
        drop(self.lag.get_or_create(&place));
        drop(self.watermark.get_or_create(&place));
        self.ingest.describe();
        self.audit.describe(&place);
    }

    /// So many fields of an event were unknown.
    pub fn unknown_fields(&self, count: usize) {
        if count > 0 {
            self.unknown_fields.inc_by(count as u64);
        }
    }

    /// A batch goes to the store.
    pub fn sealed(&self, batch: &Batch, why: Sealed) {
        self.batches
            .get_or_create(&Seal {
                sealed_by: why.as_str(),
            })
            .inc();
        self.batch_rows.observe(batch.rows.len() as f64);
        self.batch_bytes.observe(batch.bytes() as f64);
    }

    /// A batch is durable: each of its records has its outcome.
    pub fn stored(&self, batch: &Batch, took: Duration) {
        self.accepted.inc_by(batch.rows.len() as u64);
        for letter in &batch.dead_letters {
            let reason = letter.rejection.reason.as_str();
            let outcome = Outcome {
                outcome: "dead_lettered",
                reason,
            };
            self.records.get_or_create(&outcome).inc();
        }
        let repeats = batch.rejections.len() - batch.dead_letters.len();
        self.duplicates.inc_by(repeats as u64);
        if batch.origin != Origin::Fresh {
            self.replays.inc();
        }
        self.store_duration.observe(took.as_secs_f64());
    }

    /// Rows of a batch that should have been there were not.
    pub fn completed(&self) {
        self.completions.inc();
    }

    /// Something is tried again.
    pub fn retried(&self) {
        self.store_retries.inc();
    }

    /// So many dead letters are acknowledged.
    pub fn buried(&self, letters: usize) {
        self.dead_letters.inc_by(letters as u64);
    }

    /// Offsets are committed.
    pub fn durable(&self, completion: &Completion) {
        if let Some(time) = completion.last_time {
            self.watermark
                .get_or_create(&Place::of(&completion.partition))
                .set(time / 1000);
        }
    }

    /// A partition's lag; `None` if it is not read any more.
    pub fn lag(&self, partition: &Partition, records: Option<u64>) {
        match records {
            Some(records) => {
                self.lag
                    .get_or_create(&Place::of(partition))
                    .set(i64::try_from(records).unwrap_or(i64::MAX));
            }
            None => {
                self.lag.remove(&Place::of(partition));
            }
        }
    }
}
