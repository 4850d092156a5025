//! Makes a batch durable: its rows in ClickHouse, its dead letters in Kafka, its rejections in ClickHouse. Each is tried
//! for as long as it takes; the partition waits, and no offset passes what is not durable.

use std::future::Future;
use std::time::Instant;

use bytes::Bytes;
use kaizen_service::Readiness;
use kaizen_service::telemetry::span_of;
use kaizen_stream::{Backoff, Batch, DeadLetters, Store};
use kaizen_warehouse::{BatchWriter, Insert, rows};
use tokio::sync::Semaphore;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::instruments::Instruments;

/// Whether what a batch needs is there.
pub struct Dependencies {
    /// ClickHouse takes inserts.
    pub clickhouse: Readiness,
    /// Kafka takes dead letters.
    pub dead_letters: Readiness,
}

/// Stores batches, a few at once.
pub struct BatchStore {
    writer: BatchWriter,
    dead_letters: DeadLetters,
    permits: Semaphore,
    dependencies: Dependencies,
    instruments: Instruments,
}

impl BatchStore {
    /// A store that inserts at most `concurrent` batches at once.
    pub fn new(
        writer: BatchWriter,
        dead_letters: DeadLetters,
        concurrent: usize,
        dependencies: Dependencies,
        instruments: Instruments,
    ) -> Self {
        Self {
            writer,
            dead_letters,
            permits: Semaphore::new(concurrent),
            dependencies,
            instruments,
        }
    }

    async fn insert(&self, insert: Insert) {
        if insert.rows.is_empty() {
            return;
        }
        let try_once = async || {
            self.writer
                .insert(&insert)
                .await
                .map_err(|error| describe(&error))
        };
        self.persist(
            &format!("insert into {}", insert.table),
            &self.dependencies.clickhouse,
            try_once,
        )
        .await;
    }

    /// Tries until it works. What stands in the way is told once it does, and on `/readyz` meanwhile.
    async fn persist<F: Future<Output = Result<(), String>>>(
        &self,
        what: &str,
        readiness: &Readiness,
        mut try_once: impl FnMut() -> F,
    ) {
        let mut backoff = Backoff::default();
        loop {
            match try_once().await {
                Ok(()) => break,
                Err(error) => {
                    let wait = backoff.next_wait();
                    tracing::warn!(
                        error,
                        tries = backoff.failures(),
                        ?wait,
                        "{what} failed, trying again"
                    );
                    readiness.set(Err(error));
                    self.instruments.retried();
                    tokio::time::sleep(wait).await;
                }
            }
        }
        readiness.set(Ok(()));
    }
}

impl Store for BatchStore {
    async fn store(&self, batch: &mut Batch) {
        let span = tracing::info_span!("store", partition = %batch.partition, first = batch.first, next = batch.next);
        for parent in batch.traces.iter().filter_map(|trace| span_of(trace)) {
            span.add_link(parent);
        }
        let stored = async {
            // Never closed, so a permit always comes.
            let _permit = self.permits.acquire().await;
            let began = Instant::now();
            let token = batch.token();
            let rows = Bytes::from(std::mem::take(&mut batch.rows));
            let decisions = Insert {
                table: rows::decision::TABLE,
                columns: rows::decision::COLUMNS,
                rows: rows.clone(),
                token: format!("{token}:decisions"),
            };
            self.insert(decisions).await;
            // Sent and sole owner again: the memory serves the next batch.
            batch.rows = rows.try_into_mut().map(Vec::from).unwrap_or_default();
            self.bury(batch, &token).await;
            self.instruments.stored(began.elapsed());
        };
        stored.instrument(span).await;
    }
}

impl BatchStore {
    async fn bury(&self, batch: &mut Batch, token: &str) {
        if batch.dead_letters.is_empty() {
            return;
        }
        let send = async || {
            let sent = self
                .dead_letters
                .send(&batch.partition, &batch.dead_letters)
                .await;
            sent.map_err(|error| format!("dead letters: {error}"))
        };
        self.persist("sending dead letters", &self.dependencies.dead_letters, send)
            .await;
        self.instruments.buried(batch.dead_letters.len());
        let rejections = Insert {
            table: rows::rejection::TABLE,
            columns: rows::rejection::COLUMNS,
            rows: Bytes::from(std::mem::take(&mut batch.rejections)),
            token: format!("{token}:rejections"),
        };
        self.insert(rejections).await;
    }
}

/// An error with its causes. ClickHouse's own words name columns and settings, never values of rows in `RowBinary`.
fn describe(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
