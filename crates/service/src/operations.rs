//! The port for operators: `/metrics` for Prometheus, `/healthz` and `/readyz` for Kubernetes.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Address;
use crate::health::Health;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The section `operations`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// Address of the operations server, an IP address and a port.
    pub address: Address,
}

struct Observed {
    registry: Registry,
    health: Health,
}

/// Opens a port of the service; `key` is the configuration's key for it.
///
/// # Errors
/// The address is in use or not this machine's; the error names key and address.
pub async fn listen(key: &str, address: Address) -> anyhow::Result<TcpListener> {
    let address = address.get();
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("{key} = {address}: cannot listen"))?;
    tracing::info!(key, address = %listener.local_addr()?, "listening");
    Ok(listener)
}

/// Serves until `shutdown`.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    registry: Registry,
    health: Health,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(Arc::new(Observed { registry, health }));
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .context("the operations server")
}

async fn metrics(State(observed): State<Arc<Observed>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &observed.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn healthz(State(observed): State<Arc<Observed>>) -> (StatusCode, String) {
    verdict(&observed.health.stuck())
}

async fn readyz(State(observed): State<Arc<Observed>>) -> (StatusCode, String) {
    verdict(&observed.health.missing())
}

fn verdict(faults: &[String]) -> (StatusCode, String) {
    if faults.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, faults.join("\n") + "\n")
}
