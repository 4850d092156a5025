//! The collector without what makes it store once, to measure what that costs: it reads, validates and encodes with the
//! collector's own code, to the collector's own limits, and inserts the same bytes. It commits no intent before an insert and
//! digests no batch, recalls nothing, knows no repeats, never asks ClickHouse what it has. The benchmark has the tables forget their
//! tokens, so ClickHouse checks none. What a crash repeats is there twice.

mod consume;
mod lane;

use std::process::ExitCode;

use anyhow::Context;
use kaizen_catalogue::Catalogue;
use kaizen_collector::{CollectorConfig, EventStep, Instruments, Topics};
use kaizen_service::{Application, Health};
use kaizen_warehouse::{BatchWriter, Client};
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::consume::{Consume, consumer};

struct AtLeastOnce(Consume);

impl Application for AtLeastOnce {
    type Config = CollectorConfig;
    type Instruments = Instruments;

    fn instruments(registry: &mut Registry) -> Instruments {
        Instruments::register(registry)
    }

    fn describe(instruments: &Instruments) {
        instruments.describe();
    }

    async fn build(config: CollectorConfig, instruments: Instruments, _: Health) -> anyhow::Result<Self> {
        let catalogue = Catalogue::load(&config.catalogue.path).context("catalogue.path")?;
        let topics = std::sync::Arc::new(Topics::of(&config.kafka.topics)?);
        let privacy = config.privacy.privacy()?;
        Ok(Self(Consume {
            consumer: consumer(&config)?,
            step: EventStep::new(&catalogue, topics.clone(), privacy, instruments),
            topics,
            writer: BatchWriter::new(&Client::new(&config.clickhouse)),
            limits: config.batch.limits(),
            concurrent: config.batch.concurrent_inserts.size(),
            runtime: Handle::current(),
        }))
    }

    async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        tokio::task::spawn_blocking(move || self.0.run(&shutdown)).await?
    }
}

fn main() -> ExitCode {
    let base = include_str!("../../services/collector/config/base.yaml");
    kaizen_service::launch::<AtLeastOnce>("at-least-once", base)
}
