//! OTLP over HTTP (`POST /v1/traces`, `/v1/logs`) and gRPC (`TraceService`, `LogsService`): what tells of a decision is
//! published, what does not is ignored and counted. OTLP 1.x: <https://opentelemetry.io/docs/specs/otlp/>.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::post;
use kaizen_service::telemetry::{server_span, traceparent_of};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsService;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceService;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::grpc::{admit, status, trace, word};
use super::http::refused;
use super::map_otlp::{self, Mapped};
use super::publish::{Outcome, Records};
use super::read_body::{self, Compression};
use super::refuse::Refusal;
use super::{Ingest, Passage};

const HTTP: &str = "otlp_http";
const GRPC: &str = "otlp_grpc";

/// One of OTLP's signals.
trait Signal: Message + DeserializeOwned + Default + Send + Sync + 'static {
    const PATH: &'static str;
    type Answer: Message + Serialize + Default;

    fn map(&self, log_type: &str) -> Mapped;

    /// The answer to an export of which some was rejected.
    fn partly(rejected: i64, reason: String) -> Self::Answer;
}

impl Signal for ExportTraceServiceRequest {
    const PATH: &'static str = "/v1/traces";
    type Answer = ExportTraceServiceResponse;

    fn map(&self, log_type: &str) -> Mapped {
        map_otlp::spans(self, log_type)
    }

    fn partly(rejected_spans: i64, error_message: String) -> Self::Answer {
        ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans,
                error_message,
            }),
        }
    }
}

impl Signal for ExportLogsServiceRequest {
    const PATH: &'static str = "/v1/logs";
    type Answer = ExportLogsServiceResponse;

    fn map(&self, log_type: &str) -> Mapped {
        map_otlp::logs(self, log_type)
    }

    fn partly(rejected_log_records: i64, error_message: String) -> Self::Answer {
        ExportLogsServiceResponse {
            partial_success: Some(ExportLogsPartialSuccess {
                rejected_log_records,
                error_message,
            }),
        }
    }
}

/// Publishes what an export tells of.
async fn take<S: Signal>(
    ingest: &Ingest,
    export: &S,
    transport: &'static str,
    traceparent: Option<&str>,
) -> Result<S::Answer, Refusal> {
    let Mapped { events, ignored } = export.map(&ingest.config.otlp.log_type);
    ingest
        .instruments()
        .records(transport, "ignored", "", ignored as u64);
    if events.len() > ingest.max_records() {
        return Err(Refusal::TooMany(ingest.max_records()));
    }
    if events.is_empty() {
        return Ok(S::Answer::default());
    }
    let values: Vec<_> = events.iter().map(Vec::as_slice).collect();
    let records = Records {
        values: &values,
        content_type: "application/json",
        traceparent,
        transport,
    };
    let outcomes = ingest.take(records).await?;
    let rejections = || {
        outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Accepted { .. } => None,
            Outcome::Rejected(rejection) => Some(rejection),
        })
    };
    let answer = rejections().next().map_or_else(S::Answer::default, |first| {
        let rejected = i64::try_from(rejections().count()).unwrap_or(i64::MAX);
        S::partly(
            rejected,
            format!("no decision can be made of some; the first: {first}"),
        )
    });
    Ok(answer)
}

/// What is served over HTTP.
pub fn router() -> Router<Arc<Ingest>> {
    Router::new()
        .route(
            ExportTraceServiceRequest::PATH,
            post(export::<ExportTraceServiceRequest>),
        )
        .route(
            ExportLogsServiceRequest::PATH,
            post(export::<ExportLogsServiceRequest>),
        )
}

/// How an export is written, and its answer too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let header = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let kind = header.and_then(|header| header.split(|byte| *byte == b';').next());
        match kind
            .unwrap_or_default()
            .trim_ascii()
            .to_ascii_lowercase()
            .as_slice()
        {
            b"application/x-protobuf" => Ok(Self::Protobuf),
            b"application/json" => Ok(Self::Json),
            _ => Err(Refusal::UnknownType("application/x-protobuf, application/json")),
        }
    }

    fn decode<S: Signal>(self, body: Vec<u8>) -> Result<S, Refusal> {
        match self {
            Self::Protobuf => S::decode(Bytes::from(body))
                .map_err(|_| Refusal::Unreadable("is not the Protobuf message of an export")),
            Self::Json => {
                serde_json::from_slice(&body).map_err(|_| Refusal::Unreadable("is not the JSON of an export"))
            }
        }
    }

    fn respond(self, answer: &(impl Message + Serialize)) -> HttpResponse {
        match self {
            Self::Protobuf => {
                let kind = [(header::CONTENT_TYPE, "application/x-protobuf")];
                (kind, answer.encode_to_vec()).into_response()
            }
            Self::Json => axum::Json(answer).into_response(),
        }
    }
}

async fn export<S: Signal>(State(ingest): State<Arc<Ingest>>, request: HttpRequest) -> HttpResponse {
    let span = server_span(S::PATH, request.headers());
    let answered = answer::<S>(&ingest, request).instrument(span).await;
    let (word, response) = match answered {
        Ok((encoding, answer)) => ("accepted", encoding.respond(&answer)),
        Err(refusal) => (refusal.as_str(), refused(refusal)),
    };
    ingest.instruments().request(HTTP, word);
    response
}

async fn answer<S: Signal>(ingest: &Ingest, request: HttpRequest) -> Result<(Encoding, S::Answer), Refusal> {
    let (head, body) = request.into_parts();
    let admitted = admit_http(ingest, &head.headers);
    let (mut passage, encoding, compression) = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            read_body::discard(body).await;
            return Err(refusal);
        }
    };
    let body = ingest.read(body, compression, &mut passage).await?;
    let export: S = encoding.decode(body)?;
    let traceparent = traceparent_of(&tracing::Span::current(), &head.headers);
    let answer = take(ingest, &export, HTTP, traceparent.as_deref()).await?;
    Ok((encoding, answer))
}

fn admit_http(ingest: &Ingest, headers: &HeaderMap) -> Result<(Passage, Encoding, Compression), Refusal> {
    ingest.authorize(headers)?;
    let (encoding, compression) = (Encoding::of(headers)?, Compression::of(headers)?);
    Ok((ingest.enter()?, encoding, compression))
}

/// Translates calls of OTLP over gRPC.
#[derive(Clone)]
pub struct Exports(pub Arc<Ingest>);

impl Exports {
    async fn answer<S: Signal>(&self, request: Request<S>) -> Result<Response<S::Answer>, Status> {
        let call = async {
            let mut passage = admit(&self.0, &request)?;
            let trace = trace(&request);
            let held = request.get_ref().encoded_len();
            passage.reserve(held).map_err(status)?;
            let taken = take(&self.0, request.get_ref(), GRPC, trace.as_deref()).await;
            taken.map_err(status)
        };
        let ended = call.await;
        let word = ended
            .as_ref()
            .err()
            .map_or("accepted", |status: &Status| word(status.code()));
        self.0.instruments().request(GRPC, word);
        ended.map(Response::new)
    }
}

#[tonic::async_trait]
impl TraceService for Exports {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.answer(request).await
    }
}

#[tonic::async_trait]
impl LogsService for Exports {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.answer(request).await
    }
}
