//! Makes a batch durable, once: its rows in ClickHouse, its dead letters in Kafka, its rejections in ClickHouse. Each is
//! tried for as long as it takes; the partition waits, and no offset passes what is not durable.
//!
//! The first try of a fresh batch needs no care. Whenever something of the batch may be there already (a try without an
//! answer, a replay, a process that stood still), it is sent whole under its token while ClickHouse still knows that;
//! then ClickHouse is asked which rows it has, and what is missing is sent under a token of its own.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kaizen_service::Readiness;
use kaizen_service::telemetry::span_of;
use kaizen_stream::{
    Backoff, Batch, DeadLetters, Identity, Origin, Partition, Recalled, Recent, Rows, Store, Window,
};
use kaizen_warehouse::queries::{self, Offsets, Place, Table};
use kaizen_warehouse::{BatchWriter, Client, Insert, WarehouseError};
use tokio::sync::Semaphore;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::instruments::Instruments;
use crate::position::Position;
use crate::topics::Topics;

/// A process that stood still for longer since it committed an intent may have been replaced meanwhile: brokers allow sessions from 6 s
/// on (`group.min.session.timeout.ms`), and a commit begins one anew.
const STALE: Duration = Duration::from_secs(5);

/// Whether what a batch needs is there.
pub struct Dependencies {
    /// ClickHouse takes inserts.
    pub clickhouse: Readiness,
    /// Kafka takes dead letters.
    pub dead_letters: Readiness,
}

/// Stores batches, a few at once.
pub struct BatchStore {
    client: Client,
    writer: BatchWriter,
    dead_letters: DeadLetters,
    permits: Semaphore,
    window: Window,
    topics: Arc<Topics>,
    position: Position,
    dependencies: Dependencies,
    instruments: Instruments,
}

impl BatchStore {
    /// A store that inserts at most `concurrent` batches at once into the tables of their topics, and recalls identities
    /// within `window`.
    pub fn new(
        client: Client,
        dead_letters: DeadLetters,
        (concurrent, window, topics): (usize, Window, Arc<Topics>),
        position: Position,
        dependencies: Dependencies,
        instruments: Instruments,
    ) -> Self {
        Self {
            writer: BatchWriter::new(&client),
            client,
            dead_letters,
            permits: Semaphore::new(concurrent),
            window,
            topics,
            position,
            dependencies,
            instruments,
        }
    }

    /// Tries until it works. What stands in the way is told once it does, and on `/readyz` meanwhile.
    async fn persist<T, F: Future<Output = Result<T, String>>>(
        &self,
        what: &str,
        readiness: &Readiness,
        mut try_once: impl FnMut() -> F,
    ) -> T {
        let mut backoff = Backoff::default();
        loop {
            match try_once().await {
                Ok(done) => {
                    readiness.set(Ok(()));
                    return done;
                }
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
    }

    async fn ask<T, F: Future<Output = Result<T, WarehouseError>>>(
        &self,
        what: &str,
        mut question: impl FnMut() -> F,
    ) -> T {
        let try_once = || {
            let answer = question();
            async { answer.await.map_err(|error| describe(&error)) }
        };
        self.persist(what, &self.dependencies.clickhouse, try_once).await
    }
}

impl Store for BatchStore {
    async fn store(&self, batch: &Batch) {
        let span = tracing::info_span!("store", partition = %batch.partition, first = batch.first, next = batch.next);
        for parent in batch.traces.iter().filter_map(|trace| span_of(trace)) {
            span.add_link(parent);
        }
        let stored = async {
            let began = Instant::now();
            if batch.origin != Origin::Fresh {
                tracing::info!(origin = ?batch.origin, records = batch.records(), "replaying");
            }
            self.insert(self.topics.table(&batch.partition.topic), batch)
                .await;
            self.bury(batch).await;
            self.insert(Table::Rejections, batch).await;
            self.insert(Table::Replays, batch).await;
            self.instruments.stored(batch, began.elapsed());
        };
        stored.instrument(span).await;
    }

    async fn recall(&self, partition: &Partition, before: i64) -> Recalled {
        let Partition { topic, number } = partition;
        let range = Offsets {
            topic,
            partition: *number,
            first: before.saturating_sub(self.window.offsets),
            last: before - 1,
        };
        let table = self.topics.table(topic);
        let what = "recalling what was stored";
        let identities = self
            .ask(what, || queries::stored_identities(&self.client, table, range))
            .await;
        let stored_to = self
            .ask(what, || {
                queries::last_stored_offset(&self.client, table, topic, *number, before)
            })
            .await;
        let identities = identities
            .iter()
            .map(|stored| Identity::of(&stored.event_id, stored.time, stored.offset));
        Recalled {
            recent: Recent::new(self.window, identities),
            stored_to,
        }
    }

    fn position(&self) -> u64 {
        self.position.last_seen()
    }
}

impl BatchStore {
    /// Inserts the rows of one table, each once.
    async fn insert(&self, table: Table, batch: &Batch) {
        let rows = match table {
            Table::Rejections => &batch.rejections,
            Table::Replays => &batch.replays,
            Table::Decisions | Table::Outcomes | Table::Changes => &batch.rows,
        };
        if rows.is_empty() {
            return;
        }
        // Never closed, so a permit always comes. None is held while dead letters are waited for: that may take until a
        // person mends their topic, and other partitions go on meanwhile.
        let _permit = self.permits.acquire().await;
        let whole = &Insert {
            table: table.name(),
            columns: table.columns(),
            rows: rows.pieces().to_vec(),
            token: format!("{}:{}", batch.token(), table.name()),
        };
        let fresh = batch.origin == Origin::Fresh && batch.promised.elapsed() < STALE;
        let what = format!("insert into {}", table.name());
        let mut tried = false;
        self.ask(&what, || {
            let careful = !fresh || std::mem::replace(&mut tried, true);
            async move {
                if careful {
                    self.complete(table, batch, rows, whole).await
                } else {
                    self.writer.insert(whole).await
                }
            }
        })
        .await;
    }

    /// Inserts what is missing of rows of which some or all may be there.
    async fn complete(
        &self,
        table: Table,
        batch: &Batch,
        rows: &Rows,
        whole: &Insert,
    ) -> Result<(), WarehouseError> {
        if self.position.is_remembered(batch.position).await? {
            // What is there is recognised by its token, block by block, in the table and in the rollup behind it.
            self.writer.insert(whole).await?;
        }
        // An insert of one who is gone may go on in ClickHouse: what it has not written yet is not missing.
        if queries::is_inserting(&self.client, &batch.token_of_partition()).await? {
            return Err(WarehouseError::UnderWay);
        }
        let there = queries::stored_offsets(&self.client, table, range(batch)).await?;
        let missing = missing(rows, &there);
        if missing.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            table = table.name(),
            bytes = missing.len(),
            "rows of a batch were missing"
        );
        self.instruments.completed();
        let token = format!("{}:{:x}", whole.token, kaizen_stream::digest(&missing));
        let rows = vec![Bytes::from(missing)];
        self.writer
            .insert(&Insert {
                rows,
                token,
                ..whole.clone()
            })
            .await
    }

    /// Sends the dead letters. Their rows in `rejections` come after them: one that has its row was sent.
    async fn bury(&self, batch: &Batch) {
        if batch.dead_letters.is_empty() {
            return;
        }
        let sent: HashSet<Place> = if batch.origin == Origin::Fresh {
            HashSet::new()
        } else {
            let table = Table::Rejections;
            self.ask("asking for rejections", || {
                queries::stored_offsets(&self.client, table, range(batch))
            })
            .await
        };
        let unsent = |letter: &&_| {
            let letter: &kaizen_stream::DeadLetter = letter;
            !sent.contains(&(letter.offset, letter.time.unwrap_or_default().max(0)))
        };
        let letters: Vec<_> = batch.dead_letters.iter().filter(unsent).collect();
        let send = || async {
            let sent = self.dead_letters.send(&batch.partition, &letters).await;
            sent.map_err(|error| format!("dead letters: {error}"))
        };
        self.persist("sending dead letters", &self.dependencies.dead_letters, send)
            .await;
        self.instruments.buried(letters.len());
    }
}

fn range(batch: &Batch) -> Offsets<'_> {
    Offsets {
        topic: &batch.partition.topic,
        partition: batch.partition.number,
        first: batch.first,
        last: batch.next - 1,
    }
}

/// The rows that are not there.
fn missing(rows: &Rows, there: &HashSet<Place>) -> Vec<u8> {
    let missing = rows
        .iter()
        .filter(|(row, _)| !there.contains(&(row.offset, row.time)));
    missing.flat_map(|(_, bytes)| bytes).copied().collect()
}

/// An error with its causes. ClickHouse's own words name columns and settings, never values of rows in `RowBinary`.
fn describe(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
