//! Spans and log records, sent as OpenTelemetry's exporters send them.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use flate2::write::GzEncoder;
use kaizen_testkit::eventually;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tonic::codec::CompressionEncoding::Gzip;

use crate::stage::{SOON, Stage};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

fn nanoseconds() -> Result<u64> {
    Ok(u64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos(),
    )?)
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(Any::StringValue(value.to_owned()));
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value }),
        ..Default::default()
    }
}

/// A call of a model in a trace of that number.
fn chat(number: u8) -> Result<Span> {
    let end = nanoseconds()?;
    Ok(Span {
        trace_id: vec![number; 16],
        span_id: vec![number; 8],
        name: "chat small".to_owned(),
        start_time_unix_nano: end - 1_500_000_000,
        end_time_unix_nano: end,
        attributes: vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", "small"),
            KeyValue {
                key: "gen_ai.usage.output_tokens".to_owned(),
                value: Some(AnyValue {
                    value: Some(Any::IntValue(42)),
                }),
                ..Default::default()
            },
        ],
        ..Default::default()
    })
}

fn export(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans {
        spans,
        ..Default::default()
    }];
    let resource_spans = vec![ResourceSpans {
        scope_spans,
        ..Default::default()
    }];
    ExportTraceServiceRequest { resource_spans }
}

fn export_logs(number: u8) -> Result<ExportLogsServiceRequest> {
    let record = LogRecord {
        time_unix_nano: nanoseconds()?,
        trace_id: vec![number; 16],
        span_id: vec![number; 8],
        event_name: "gen_ai.client.inference.operation.details".to_owned(),
        attributes: chat(number)?.attributes,
        ..Default::default()
    };
    let scope_logs = vec![ScopeLogs {
        log_records: vec![record],
        ..Default::default()
    }];
    let resource_logs = vec![ResourceLogs {
        scope_logs,
        ..Default::default()
    }];
    Ok(ExportLogsServiceRequest { resource_logs })
}

/// The identity of the decision of a trace.
fn identity(number: u8) -> String {
    format!("{number:02x}").repeat(24)
}

fn post(stage: &Stage, path: &str, kind: &str) -> reqwest::RequestBuilder {
    let url = format!("{}{path}", stage.collector.url());
    stage.client.post(url).header("content-type", kind)
}

#[tokio::test]
async fn spans_and_log_records_of_generative_ai_become_decisions() -> Result<()> {
    let stage = Stage::start(&[]).await?;
    over_http(&stage).await?;
    over_grpc(&stage).await?;
    for (kind, status) in [(PROTOBUF, 400), (JSON, 400), ("application/x-ndjson", 415)] {
        let response = post(&stage, "/v1/traces", kind).body("\x7f\x7f").send().await?;
        ensure!(response.status() == status, "{kind}: {}", response.status());
    }
    stage.stored((1..=7).map(identity).collect()).await?;
    let ignored =
        "kaizen_collector_ingest_records_total{transport=\"otlp_http\",outcome=\"ignored\",reason=\"\"}";
    ensure!(
        stage.metric(ignored).await? == 1,
        "what is no decision is counted"
    );
    what_spans_say_is_in_the_columns(&stage).await
}

async fn over_http(stage: &Stage) -> Result<()> {
    let other = Span {
        attributes: vec![text("http.route", "/")],
        ..chat(99)?
    };
    let old = Span {
        end_time_unix_nano: 1,
        start_time_unix_nano: 1,
        ..chat(98)?
    };
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&export(vec![chat(1)?, other, old, chat(2)?]).encode_to_vec())?;
    let request = post(stage, "/v1/traces", PROTOBUF).header("content-encoding", "gzip");
    let response = request.body(encoder.finish()?).send().await?;
    ensure!(response.status() == 200, "{}", response.status());
    let answer = ExportTraceServiceResponse::decode(response.bytes().await?)?;
    let partial = answer.partial_success.context("one is too late")?;
    ensure!(
        partial.rejected_spans == 1 && partial.error_message.contains("too_late"),
        "{partial:?}"
    );

    let body = serde_json::to_string(&export(vec![chat(3)?]))?;
    ensure!(
        body.contains("\"traceId\":\"03030303"),
        "as OTLP writes JSON: {body}"
    );
    let response = post(stage, "/v1/traces", JSON).body(body).send().await?;
    ensure!(response.status() == 200, "{}", response.status());
    let body = export_logs(4)?.encode_to_vec();
    let response = post(stage, "/v1/logs", PROTOBUF).body(body).send().await?;
    ensure!(response.status() == 200, "{}", response.status());
    let body = serde_json::to_string(&export_logs(5)?)?;
    let response = post(stage, "/v1/logs", JSON).body(body).send().await?;
    ensure!(response.status() == 200, "{}", response.status());
    Ok(())
}

async fn over_grpc(stage: &Stage) -> Result<()> {
    let traces = TraceServiceClient::connect(stage.collector.grpc_url()).await?;
    let answer = traces
        .send_compressed(Gzip)
        .export(export(vec![chat(6)?]))
        .await?;
    ensure!(answer.get_ref().partial_success.is_none(), "{answer:?}");
    let mut logs = LogsServiceClient::connect(stage.collector.grpc_url()).await?;
    let answer = logs.export(export_logs(7)?).await?;
    ensure!(answer.get_ref().partial_success.is_none(), "{answer:?}");
    Ok(())
}

async fn what_spans_say_is_in_the_columns(stage: &Stage) -> Result<()> {
    let sql = format!(
        "SELECT log_type, session_id, method_used, success, processing_time, dims['model'], measures['tokens'] \
         FROM kaizen.decisions WHERE event_id = '{}'",
        identity(1)
    );
    let row = eventually("the row", SOON, async || {
        stage.stack.clickhouse().query(&sql).await
    })
    .await?;
    let session = "01".repeat(16);
    let expected = format!("campaign_generation\t{session}\tchat small\ttrue\t1.5\tsmall\t42");
    ensure!(row == expected, "{row:?} and not {expected:?}");
    Ok(())
}
