//! How long calls take and how they end; one span a call, child of the caller's.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tonic::{Code, Status};
use tracing::Instrument;

use crate::telemetry::server_span;

/// Instruments of the gRPC server.
#[derive(Clone)]
pub struct GrpcInstruments {
    durations: Family<Call, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    method: String,
    code: String,
}

impl GrpcInstruments {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let durations = Family::new_with_constructor(seconds as fn() -> Histogram);
        let help = "Time of gRPC calls until their response begins, by method and status code";
        registry.register_with_unit("grpc_request_duration", help, Unit::Seconds, durations.clone());
        Self { durations }
    }

    /// Gives every family an example, for the list of instruments.
    pub fn describe(&self) {
        let (method, code) = ("grpc.health.v1.Health/Check".to_owned(), "Ok".to_owned());
        drop(self.durations.get_or_create(&Call { method, code }));
    }
}

/// From a millisecond to sixteen seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

/// Measures a call. Only calls of services that are there come here, so the label has few values.
pub async fn observe(State(instruments): State<GrpcInstruments>, request: Request, next: Next) -> Response {
    let method = request.uri().path().trim_start_matches('/').to_owned();
    let span = server_span(&method, request.headers());
    let began = Instant::now();
    let response = next.run(request).instrument(span).await;
    // An error is known when the response begins; a stream that fails later counts as begun well.
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    let call = Call {
        method,
        code: format!("{code:?}"),
    };
    instruments
        .durations
        .get_or_create(&call)
        .observe(began.elapsed().as_secs_f64());
    response
}
