//! gRPC, gRPC-Web and plain HTTP on one port, HTTP/1.1 and HTTP/2 without TLS alike. Health and reflection come with it.

mod deadline;
mod instrument;

pub use instrument::GrpcInstruments;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::serve::{Listener, ListenerExt};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};
use tonic_web::GrpcWebLayer;
use tower::limit::GlobalConcurrencyLimitLayer;

use crate::config::{Address, Bounded, Period};
use crate::health::Health;

/// How long calls under way and open streams have once the service is asked to end: less than the whole drain.
const LAST_CALLS: Duration = Duration::from_secs(8);

/// The section `server`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address of gRPC, gRPC-Web and the dashboard: an IP address and a port.
    pub address: Address,
    /// Longest time a call may take until its response begins, whatever the client's own deadline: 100 ms to 10 min.
    pub longest_deadline: Period<100, 600_000>,
    /// Calls answered at once; further ones wait until their deadline. 1 to 10,000.
    pub max_concurrent_calls: Bounded<1, 10_000>,
}

/// What is served.
pub struct Server {
    /// The section `server`.
    pub config: ServerConfig,
    /// Decides what `grpc.health.v1.Health` answers.
    pub health: Health,
    /// Counts calls.
    pub instruments: GrpcInstruments,
    /// The gRPC services.
    pub routes: Routes,
    /// What reflection tells, as an encoded `FileDescriptorSet`.
    pub descriptors: &'static [u8],
    /// Everything that is no gRPC.
    pub web: Router,
}

impl Server {
    /// Opens the port.
    ///
    /// # Errors
    /// The address is in use or not this machine's.
    pub async fn listen(&self) -> anyhow::Result<TcpListener> {
        crate::operations::listen("server.address", self.config.address).await
    }

    /// Serves until `shutdown`, then finishes the calls under way; what is still open after 8 s is cut. A request
    /// message is 4 MiB at most (tonic's own limit).
    ///
    /// # Errors
    /// The descriptors are no such set, or the listener fails.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(self.descriptors)
            .build_v1()
            .context("reflection")?;
        let (reporter, health) = health_reporter();
        let follow = follow(self.health, reporter, shutdown.clone());
        let limits = deadline::Deadline(self.config.longest_deadline.get());
        let grpc = self
            .routes
            .add_service(health)
            .add_service(reflection)
            .into_axum_router()
            .reset_fallback()
            .layer(GlobalConcurrencyLimitLayer::new(
                self.config.max_concurrent_calls.size(),
            ))
            .layer(from_fn_with_state(limits, deadline::enforce))
            .layer(from_fn_with_state(self.instruments, instrument::observe))
            .layer(GrpcWebLayer::new());
        let router = grpc.fallback_service(self.web.layer(from_fn(refuse_unknown_calls)));
        let serve =
            axum::serve(at_once(listener), router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
        tokio::select! {
            (served, ()) = async { tokio::join!(serve, follow) } => served.context("the server"),
            () = cut(&shutdown) => {
                tracing::warn!("calls and streams still open are cut");
                Ok(())
            }
        }
    }
}

/// Serves plain HTTP until `shutdown`, then finishes the requests under way; what is still open after 8 s is cut.
///
/// # Errors
/// The listener fails.
pub async fn serve_plain(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let serve =
        axum::serve(at_once(listener), router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        served = async { serve.await } => served.context("the server"),
        () = cut(&shutdown) => {
            tracing::warn!("requests still open are cut");
            Ok(())
        }
    }
}

/// Connections that send what they have at once. Answers are short: to wait for more to send with them, or for the client to
/// acknowledge what came before, would delay them by its 40 ms (Nagle's algorithm, RFC 896, and delayed acknowledgement).
fn at_once(listener: TcpListener) -> impl Listener<Io = TcpStream, Addr = SocketAddr> {
    listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection gathers what it sends");
        }
    })
}

/// Ends when calls under way have had the time they get after `shutdown`.
async fn cut(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(LAST_CALLS).await;
}

/// A call of a service that is not there is told so as gRPC tells it.
async fn refuse_unknown_calls(request: Request, next: Next) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
        return Status::unimplemented(format!("there is no method {}", request.uri().path())).into_http();
    }
    next.run(request).await
}

/// Reports readiness over `grpc.health.v1.Health`, for the server as a whole (the service named ``). Who watches is told
/// when it changes, and only then.
async fn follow(health: Health, mut reporter: HealthReporter, shutdown: CancellationToken) {
    let mut ready = health.ready();
    // What the reporter begins with.
    let mut told = ServingStatus::Serving;
    loop {
        let status = if *ready.borrow_and_update() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        if status != told {
            reporter.set_service_status("", status).await;
            told = status;
        }
        tokio::select! {
            changed = ready.changed() => if changed.is_err() { return },
            () = shutdown.cancelled() => break,
        }
    }
    reporter.set_service_status("", ServingStatus::NotServing).await;
    // Ends the streams of those who watch, which would hold the drain.
    reporter.clear_service_status("").await;
}
