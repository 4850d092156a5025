//! The ways in for those who do not speak Kafka. All of them end in the topic, and nothing is called accepted before
//! Kafka has acknowledged it.
//!
//! ```text
//! POST /v1/decisions ─► [authorize] ─► [limit] ─► [read_body] ─► [decode_body] ─┐
//! gRPC Publish, PublishStream ─► [authorize] ─► [limit] ────────────────────────┼─► [publish]: judge ─► topic ─► answer
//! OTLP spans, log records, HTTP or gRPC ─► the same ─► [map_otlp] ──────────────┘
//! ```
//!
//! `POST /v1/outcomes` and `POST /v1/changes` are the same with a topic of their own each.
//! A record is judged by the pipeline's own decode and validate, with the clock in place of Kafka's time of the record;
//! a bad one is told to its producer and not published. Bounded are the requests under way and the bytes they hold
//! (`limit`), the producer's queue (32 MiB), and the time until Kafka answers.

mod authorize;
mod config;
mod decode_body;
mod grpc;
mod http;
mod limit;
mod map_otlp;
mod otlp;
mod publish;
mod read_body;
mod refuse;

pub use config::IngestConfig;

/// For [`crate::fuzzing`].
pub mod fuzzing {
    pub use super::limit::Gate;
    pub use super::map_otlp::{logs, spans};
    pub use super::read_body::{Compression, read};

    use super::decode_body::{BodyType, split};

    /// Adds the records of a body, taken for each type.
    pub fn body_records(body: &[u8], records: &mut Vec<Vec<u8>>) {
        for kind in [BodyType::Json, BodyType::Lines, BodyType::Protobuf] {
            let cut = split(body, kind, 100).unwrap_or_default();
            assert!(cut.len() <= 100, "{kind:?}: never more than allowed");
            records.extend(cut.into_iter().map(<[u8]>::to_vec));
        }
    }
}

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use kaizen_api::FILE_DESCRIPTOR_SET;
use kaizen_api::decisions::v1::ingest_service_server::IngestServiceServer;
use kaizen_decision::Schema;
use kaizen_service::operations::listen;
use kaizen_service::server::serve_plain;
use kaizen_service::{Health, Server};
use kaizen_stream::{KafkaConfig, Publisher};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsServiceServer;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::service::Routes;

use self::authorize::Tokens;
use self::limit::{Gate, Passage};
use self::publish::{Intake, Outcome, Records};
use self::read_body::Compression;
use self::refuse::Refusal;
use crate::config::Kind;
use crate::instruments::IngestInstruments;
use crate::topics::Topics;

/// At the end, what Kafka has not answered yet has this long, a topic: every request was answered before.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What every transport shares.
struct Ingest {
    config: IngestConfig,
    tokens: Tokens,
    gate: Gate,
    decisions: Intake,
    outcomes: Intake,
    changes: Intake,
}

impl Ingest {
    fn instruments(&self) -> &IngestInstruments {
        &self.decisions.instruments
    }

    fn intake(&self, kind: Kind) -> &Intake {
        match kind {
            Kind::Decision => &self.decisions,
            Kind::Outcome => &self.outcomes,
            Kind::Change => &self.changes,
        }
    }

    fn max_records(&self) -> usize {
        self.config.max_records.size()
    }

    fn authorize(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let shown = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        self.tokens.authorize(shown)
    }

    fn enter(&self) -> Result<Passage, Refusal> {
        self.gate.enter()
    }

    async fn read(
        &self,
        body: Body,
        compression: Compression,
        passage: &mut Passage,
    ) -> Result<Vec<u8>, Refusal> {
        let longest = self.config.max_body_bytes.size();
        read_body::read(
            body,
            compression,
            longest,
            self.config.read_timeout.get(),
            passage,
        )
        .await
    }

    async fn take(&self, records: Records<'_>) -> Result<Vec<Outcome>, Refusal> {
        self.decisions.take(records).await
    }
}

/// The servers, their ports open.
pub struct IngestServers {
    ingest: Arc<Ingest>,
    http: TcpListener,
    grpc: TcpListener,
    server: Server,
}

impl IngestServers {
    /// Opens the ports.
    ///
    /// # Errors
    /// An address is in use or not this machine's, or librdkafka refuses the configuration.
    pub async fn open(
        config: IngestConfig,
        kafka: &KafkaConfig,
        schema: &Schema,
        topics: &Topics,
        instruments: IngestInstruments,
        health: Health,
    ) -> anyhow::Result<Self> {
        let publish_timeout = config.publish_timeout.get();
        let intake = |(_, topic, kind): (&str, &str, Kind)| {
            anyhow::Ok(Intake {
                kind,
                schema: schema.clone(),
                policy: topics.rules(topic).times,
                clock: milliseconds,
                max_record_bytes: config.max_record_bytes.size(),
                publisher: Publisher::new(kafka, topic, publish_timeout)?,
                publish_timeout,
                instruments: instruments.clone(),
                away: AtomicBool::new(false),
            })
        };
        let [decisions, outcomes, changes] = config.topics().map(intake);
        let (decisions, outcomes, changes) = (decisions?, outcomes?, changes?);
        let (requests, bytes) = (
            config.max_in_flight_requests.size(),
            config.max_in_flight_bytes.size(),
        );
        let http = listen("ingest.http.address", config.http.address).await?;
        let grpc = listen("ingest.grpc.address", config.grpc.address).await?;
        let ingest = Arc::new(Ingest {
            tokens: Tokens::new(config.hashes()),
            gate: Gate::new(requests, bytes, instruments),
            decisions,
            outcomes,
            changes,
            config,
        });
        let server = Server {
            config: ingest.config.grpc.clone(),
            health,
            instruments: ingest.instruments().grpc.clone(),
            routes: routes(&ingest),
            descriptors: FILE_DESCRIPTOR_SET,
            web: Router::new(),
        };
        Ok(Self {
            ingest,
            http,
            grpc,
            server,
        })
    }

    /// Serves until `shutdown`, then answers the requests under way.
    ///
    /// # Errors
    /// A listener fails.
    pub async fn serve(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self {
            ingest,
            http,
            grpc,
            server,
        } = self;
        let publishers = [Kind::Decision, Kind::Outcome, Kind::Change];
        let publishers = publishers.map(|kind| ingest.intake(kind).publisher.clone());
        let router = http::router(ingest.clone(), &ingest.config.http.allowed_origins);
        let plain = serve_plain(http, router, shutdown.clone());
        tokio::try_join!(plain, server.serve(grpc, shutdown))?;
        let flush = move || {
            for publisher in publishers {
                if let Err(error) = publisher.flush(LAST_ANSWERS) {
                    tracing::warn!(%error, "Kafka has not answered for every record; none of those was called accepted");
                }
            }
        };
        tokio::task::spawn_blocking(flush).await?;
        Ok(())
    }
}

/// The gRPC services. A message is 4 MiB at most, decompressed too (tonic's own limit).
fn routes(ingest: &Arc<Ingest>) -> Routes {
    let calls = IngestServiceServer::new(grpc::Calls(ingest.clone()));
    let traces = TraceServiceServer::new(otlp::Exports(ingest.clone()));
    let logs = LogsServiceServer::new(otlp::Exports(ingest.clone()));
    Routes::new(calls.accept_compressed(Gzip))
        .add_service(traces.accept_compressed(Gzip))
        .add_service(logs.accept_compressed(Gzip))
}

/// The clock's time, milliseconds since 1970.
fn milliseconds() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
