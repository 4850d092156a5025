//! Instruments of the ways in that are not Kafka.

use std::time::Duration;

use kaizen_service::GrpcInstruments;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// All of them. Cheap to clone.
#[derive(Clone)]
pub struct IngestInstruments {
    records: Family<Record, Counter>,
    requests: Family<Request, Counter>,
    in_flight_requests: Gauge,
    in_flight_bytes: Gauge,
    publish_duration: Histogram,
    /// Of the gRPC server.
    pub grpc: GrpcInstruments,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Record {
    transport: &'static str,
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    transport: &'static str,
    answer: &'static str,
}

impl IngestInstruments {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let instruments = Self {
            records: Family::default(),
            requests: Family::default(),
            in_flight_requests: Gauge::default(),
            in_flight_bytes: Gauge::default(),
            publish_duration: Histogram::new(exponential_buckets(0.001, 2.0, 15)),
            grpc: GrpcInstruments::register(registry),
        };
        let help = "Records sent to the collector: accepted (acknowledged by Kafka), rejected by reason, ignored \
                    (telemetry that tells of no decision), or unacknowledged (to be sent again)";
        registry.register("ingest_records", help, instruments.records.clone());
        let help = "Requests to publish, by the kind of their answer";
        registry.register("ingest_requests", help, instruments.requests.clone());
        let help = "Requests to publish that have no answer yet";
        registry.register(
            "ingest_in_flight_requests",
            help,
            instruments.in_flight_requests.clone(),
        );
        let help = "Bytes held for requests that have no answer yet";
        let bytes = instruments.in_flight_bytes.clone();
        registry.register_with_unit("ingest_in_flight", help, Unit::Bytes, bytes);
        let help = "Time from the first check of a request's records until Kafka has acknowledged the last";
        let seconds = instruments.publish_duration.clone();
        registry.register_with_unit("ingest_publish_duration", help, Unit::Seconds, seconds);
        instruments
    }

    /// Gives every family an example, for the list of instruments.
    pub fn describe(&self) {
        self.records("http", "accepted", "", 0);
        self.request("http", "accepted");
        self.grpc.describe();
    }

    /// So many records came to that end.
    pub fn records(&self, transport: &'static str, outcome: &'static str, reason: &'static str, count: u64) {
        let record = Record {
            transport,
            outcome,
            reason,
        };
        self.records.get_or_create(&record).inc_by(count);
    }

    /// A request was answered.
    pub fn request(&self, transport: &'static str, answer: &'static str) {
        self.requests.get_or_create(&Request { transport, answer }).inc();
    }

    /// A request came.
    pub fn entered(&self) {
        self.in_flight_requests.inc();
    }

    /// It holds so many bytes more.
    pub fn reserved(&self, bytes: usize) {
        self.in_flight_bytes
            .inc_by(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// It is answered, and gives up what it held.
    pub fn left(&self, bytes: usize) {
        self.in_flight_requests.dec();
        self.in_flight_bytes
            .dec_by(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Kafka has all of a request.
    pub fn published(&self, took: Duration) {
        self.publish_duration.observe(took.as_secs_f64());
    }
}
