//! Who is measured: each takes every event of the stage to its end.

mod collector;
mod kafka_engine;
mod librdkafka;
mod peer;
mod process;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::meter::Measurement;
use crate::stage::Stage;

pub use collector::start as start_collector;

/// One way from Kafka to ClickHouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Contender {
    /// The floor: reads, stores nothing.
    Librdkafka,
    /// ClickHouse's own.
    KafkaEngine,
    /// Kaizen's.
    Collector,
    /// Kaizen's with exactly-once alone: no audit, and no memory of repeated events.
    CollectorAlone,
    /// The same without exactly-once.
    AtLeastOnce,
    /// `sentry_arroyo` with serde_json.
    ArroyoSerde,
    /// `sentry_arroyo` with sonic-rs.
    ArroyoSimd,
    /// `spate` with serde_json.
    SpateSerde,
    /// `spate` with simd-json.
    SpateSimd,
    /// `confluent-kafka` and `clickhouse-connect`.
    Python,
}

impl Contender {
    /// All of them, in the order of the table.
    pub const ALL: &[Self] = &[
        Self::Librdkafka,
        Self::KafkaEngine,
        Self::Collector,
        Self::CollectorAlone,
        Self::AtLeastOnce,
        Self::ArroyoSerde,
        Self::ArroyoSimd,
        Self::SpateSerde,
        Self::SpateSimd,
        Self::Python,
    ];

    /// What the table calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Librdkafka => "librdkafka alone, stores nothing",
            Self::KafkaEngine => "ClickHouse's Kafka engine",
            Self::Collector => "Kaizen's collector",
            Self::CollectorAlone => "… exactly once alone",
            Self::AtLeastOnce => "… at least once",
            Self::ArroyoSerde => "sentry_arroyo, serde_json",
            Self::ArroyoSimd => "sentry_arroyo, sonic-rs",
            Self::SpateSerde => "spate, serde_json",
            Self::SpateSimd => "spate, simd-json",
            Self::Python => "Python confluent-kafka, clickhouse-connect",
        }
    }

    /// Whether it fills the table.
    pub const fn stores(self) -> bool {
        !matches!(self, Self::Librdkafka)
    }

    /// Takes every event in, from the start of its process.
    pub async fn ingest(self, stage: &mut Stage) -> Result<Measurement> {
        stage.empty().await?;
        let measured = match self {
            Self::Librdkafka => librdkafka::consume(stage),
            Self::KafkaEngine => kafka_engine::ingest(stage).await,
            Self::Collector => collector::ingest(stage).await,
            Self::CollectorAlone => collector::ingest_alone(stage).await,
            Self::AtLeastOnce => collector::ingest_at_least_once(stage).await,
            Self::ArroyoSerde => peer::ingest(stage, peer::arroyo("serde")).await,
            Self::ArroyoSimd => peer::ingest(stage, peer::arroyo("simd")).await,
            Self::SpateSerde => peer::ingest(stage, peer::spate("target")).await,
            Self::SpateSimd => peer::ingest(stage, peer::spate("target/simd")).await,
            Self::Python => peer::ingest(stage, peer::python()).await,
        };
        measured.with_context(|| self.title())
    }
}
