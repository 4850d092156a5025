//! Logs as JSON or text on standard error, traces by OTLP when an endpoint is configured, and a panic that is logged
//! before it ends the process.

use std::io::IsTerminal;
use std::panic;
use std::time::Duration;

use anyhow::Context;
use axum::http::HeaderMap;
use opentelemetry::trace::{SpanContext, TraceContextExt, TracerProvider};
use opentelemetry::{Context as TraceContext, KeyValue, propagation::TextMapPropagator};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::{Deserialize, Serialize};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Problems;

/// How long the last spans may take out of an ending process.
const FLUSH: Duration = Duration::from_secs(2);

/// The section `telemetry`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// `json`, one object a line, or `text`.
    pub log_format: LogFormat,
    /// A level (`error`, `warn`, `info`, `debug`, `trace`) or directives such as `info,kaizen_stream=debug`.
    pub log_level: String,
    /// Where traces go by OTLP over gRPC, such as `http://127.0.0.1:4317`; empty for nowhere.
    pub otlp_endpoint: String,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Telemetry {
    /// Adds every broken rule.
    pub fn validate(&self, problems: &mut Problems) {
        if let Err(error) = EnvFilter::try_new(&self.log_level) {
            problems.add(
                "telemetry.log_level",
                &self.log_level,
                format_args!("must be a level or directives: {error}"),
            );
        }
        let endpoint = self.otlp_endpoint.as_str();
        if !endpoint.is_empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            problems.add(
                "telemetry.otlp_endpoint",
                endpoint,
                "must be a URL that begins with http:// or https://, or empty",
            );
        }
    }

    /// Starts logging and tracing for the process.
    ///
    /// # Errors
    /// The exporter cannot be built, or telemetry was started already.
    pub fn start(&self, service: &'static str) -> anyhow::Result<Traces> {
        let filter = EnvFilter::try_new(&self.log_level).context("telemetry.log_level")?;
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = match self.log_format {
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
            LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        };
        let provider = self.provider(service)?;
        let spans = provider
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer(service)));
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .with(spans)
            .try_init()?;
        abort_on_panic();
        Ok(Traces(provider))
    }

    fn provider(&self, service: &'static str) -> anyhow::Result<Option<SdkTracerProvider>> {
        if self.otlp_endpoint.is_empty() {
            return Ok(None);
        }
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(&self.otlp_endpoint)
            .build();
        let exporter = exporter.context("telemetry.otlp_endpoint")?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder()
            .with_service_name(format!("kaizen-{service}"))
            .with_attribute(version);
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter);
        Ok(Some(provider.build()))
    }
}

/// The way of finished spans out of the process.
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what is left.
    pub fn flush(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown_with_timeout(FLUSH)) {
            tracing::warn!(%error, "some traces were not sent");
        }
    }
}

/// The span that a W3C `traceparent` names, if it names one.
pub fn span_of(traceparent: &str) -> Option<SpanContext> {
    let carrier = std::collections::HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&TraceContext::new(), &carrier);
    let span = context.span().span_context().clone();
    span.is_valid().then_some(span)
}

/// The span of a request that is served, child of the one its header `traceparent` names.
pub fn server_span(name: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!("call", otel.name = name, otel.kind = "server");
    if let Some(parent) = parent_of(headers)
        && let Err(error) = span.set_parent(TraceContext::new().with_remote_span_context(parent))
    {
        tracing::debug!(%error, "a call's span has no parent");
    }
    span
}

/// The W3C `traceparent` to hand on: of the span when it is traced, else of the request's own header.
pub fn traceparent_of(span: &Span, headers: &HeaderMap) -> Option<String> {
    let traced = span.context().span().span_context().clone();
    let context = Some(traced)
        .filter(SpanContext::is_valid)
        .or_else(|| parent_of(headers))?;
    let (trace, span, flags) = (
        context.trace_id(),
        context.span_id(),
        context.trace_flags().to_u8(),
    );
    Some(format!("00-{trace}-{span}-{flags:02x}"))
}

fn parent_of(headers: &HeaderMap) -> Option<SpanContext> {
    headers.get("traceparent")?.to_str().ok().and_then(span_of)
}

/// A panic is a fault of the program: nothing it holds can be trusted, so the process ends at once, with one log line.
fn abort_on_panic() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, payload, "panic: the process aborts");
        std::process::abort();
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_names_a_span_and_anything_else_names_none() {
        let span = span_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(span.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for text in ["", "x", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
            assert!(span_of(text).is_none(), "{text}");
        }
    }

    #[test]
    fn without_traces_of_its_own_a_service_hands_on_the_callers() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let headers =
            |text: &str| HeaderMap::from_iter([("traceparent".parse().unwrap(), text.parse().unwrap())]);
        let of = |headers: &HeaderMap| traceparent_of(&Span::none(), headers);
        assert_eq!(of(&headers(text)).as_deref(), Some(text));
        assert_eq!(of(&headers("00-x")), None);
        assert_eq!(of(&HeaderMap::new()), None);
    }

    #[test]
    fn wrong_levels_and_endpoints_are_refused_by_name() {
        let telemetry = Telemetry {
            log_format: LogFormat::Text,
            log_level: "kaizen=loud".to_owned(),
            otlp_endpoint: "collector:4317".to_owned(),
        };
        let mut problems = Problems::default();
        telemetry.validate(&mut problems);
        let said = problems.to_string();
        assert!(
            said.contains("telemetry.log_level = kaizen=loud")
                && said.contains("telemetry.otlp_endpoint = collector:4317")
        );
    }
}
