//! A service without work of its own, for the tests of what surrounds every service.

use std::convert::Infallible;
use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use kaizen_service::{
    Application, Bounded, GrpcInstruments, Health, Operations, Period, Problems, Secret, Server,
    ServerConfig, ServiceConfig, Telemetry, launch,
};
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

const BASE: &str = "
telemetry: {log_format: json, log_level: info, otlp_endpoint: ''}
operations: {address: 127.0.0.1:0}
server: {address: 127.0.0.1:0, longest_deadline: 5s, max_concurrent_calls: 100}
work: {rows: 100, max_silence: 20ms, password: '', starts: 'true'}
";

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FixtureConfig {
    telemetry: Telemetry,
    operations: Operations,
    server: ServerConfig,
    work: Work,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Work {
    rows: Bounded<1, 1000>,
    max_silence: Period<1, 60_000>,
    password: Secret,
    starts: String,
}

impl ServiceConfig for FixtureConfig {
    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    fn operations(&self) -> &Operations {
        &self.operations
    }

    fn validate(&self, problems: &mut Problems) {
        if self.work.rows.get() == 13 {
            problems.add("work.rows", 13, "must not be unlucky");
        }
    }
}

struct Fixture {
    server: Server,
    listener: TcpListener,
    /// Cancelled when the drain begins.
    draining: CancellationToken,
    /// Cancelled when the fixture is told to hang instead of draining.
    hanging: CancellationToken,
}

impl Application for Fixture {
    type Config = FixtureConfig;
    type Instruments = GrpcInstruments;

    fn instruments(registry: &mut Registry) -> GrpcInstruments {
        GrpcInstruments::register(registry)
    }

    fn describe(instruments: &GrpcInstruments) {
        instruments.describe();
    }

    async fn build(
        config: FixtureConfig,
        instruments: GrpcInstruments,
        health: Health,
    ) -> anyhow::Result<Self> {
        tracing::info!("building");
        if config.work.starts == "false" {
            std::future::pending::<()>().await;
        }
        let (draining, hanging) = (CancellationToken::new(), CancellationToken::new());
        let work = health.watch("work", config.work.max_silence.get());
        let need = health.require("broker");
        need.set(Ok(()));
        let (waits, hangs, stalls) = (draining.clone(), hanging.clone(), work);
        let web = Router::new()
            .route("/wait", get(move || answer_at_the_end(waits.clone())))
            .route("/stall", get(move || async move { stalls.mark() }))
            .route(
                "/lose",
                get(move || async move { need.set(Err("is away".to_owned())) }),
            )
            .route("/hang", get(move || async move { hangs.cancel() }))
            .route("/panic", get(fail));
        let grpc = Router::new().route(
            "/kaizen.fixture.v1.FixtureService/Never",
            axum::routing::post(std::future::pending::<Result<(), Infallible>>),
        );
        let server = Server {
            config: config.server,
            health,
            instruments,
            routes: Routes::from(grpc),
            descriptors: &[],
            web,
        };
        let listener = server.listen().await?;
        Ok(Self {
            server,
            listener,
            draining,
            hanging,
        })
    }

    async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let served = self.server.serve(self.listener, shutdown.clone());
        let drain = async {
            shutdown.cancelled().await;
            tracing::info!("finishing");
            self.draining.cancel();
        };
        tokio::join!(served, drain).0?;
        if self.hanging.is_cancelled() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

async fn answer_at_the_end(draining: CancellationToken) -> &'static str {
    tracing::info!("waiting");
    draining.cancelled().await;
    "finished"
}

#[expect(clippy::panic, reason = "what a panic does to the process is what is tested")]
async fn fail() {
    panic!("the fixture fails");
}

fn main() -> ExitCode {
    launch::<Fixture>("fixture", BASE)
}
