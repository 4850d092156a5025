//! What the fuzz targets call of this crate's private parts.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::ingest::fuzzing::{Compression, Gate, body_records, logs, read, spans};
use crate::instruments::IngestInstruments;

const LONGEST: usize = 256 * 1024;

/// Takes any bytes for the body of a request: of each compression, cut into the records of each type, and as an export of
/// OpenTelemetry. Returns the records of all of them.
///
/// # Errors
/// No runtime can be had.
pub fn bodies(bytes: &[u8]) -> std::io::Result<Vec<Vec<u8>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let gate = Gate::new(
        1,
        16 * LONGEST,
        IngestInstruments::register(&mut prometheus_client::registry::Registry::default()),
    );
    let mut records = Vec::new();
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let Ok(mut passage) = gate.enter() else { continue };
        let body = axum::body::Body::from(bytes.to_vec());
        let body = runtime.block_on(read(
            body,
            compression,
            LONGEST,
            Duration::from_secs(10),
            &mut passage,
        ));
        let Ok(body) = body else { continue };
        assert!(
            body.len() <= LONGEST,
            "{compression:?}: never longer than allowed"
        );
        body_records(&body, &mut records);
        exports(&body, &mut records);
    }
    Ok(records)
}

fn exports(body: &[u8], records: &mut Vec<Vec<u8>>) {
    use prost::Message;

    let traces = [
        ExportTraceServiceRequest::decode(body).ok(),
        serde_json::from_slice(body).ok(),
    ];
    for request in traces.into_iter().flatten() {
        records.extend(spans(&request, "campaign_generation").events);
    }
    let messages = [
        ExportLogsServiceRequest::decode(body).ok(),
        serde_json::from_slice(body).ok(),
    ];
    for request in messages.into_iter().flatten() {
        records.extend(logs(&request, "campaign_generation").events);
    }
}
