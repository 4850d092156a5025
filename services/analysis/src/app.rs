//! The analysis service, built and run.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use kaizen_api::FILE_DESCRIPTOR_SET;
use kaizen_api::analysis::v1::analysis_service_server::AnalysisServiceServer;
use kaizen_catalogue::Catalogue;
use kaizen_ledger::Ledger;
use kaizen_service::{Application, Health, Readiness, Server};
use kaizen_warehouse::{Client, migrate};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::config::AnalysisConfig;
use crate::instruments::Instruments;
use crate::runner::{Runner, Silence, Terms};
use crate::service::Runs;

/// How often ClickHouse and the ledger are asked whether they are there.
const ASK: Duration = Duration::from_secs(2);
/// Longest a stage of a run may take before the service is taken for stuck: its queries end within a minute each.
const LONGEST_STAGE: Duration = Duration::from_mins(15);

/// The analysis service, ready to run.
pub struct AnalysisApplication {
    server: Server,
    listener: TcpListener,
    runner: Runner,
    client: Client,
    clickhouse: Readiness,
    ledger: Ledger,
    ledger_ready: Readiness,
}

impl Application for AnalysisApplication {
    type Config = AnalysisConfig;
    type Instruments = Instruments;

    fn instruments(registry: &mut Registry) -> Instruments {
        Instruments::register(registry)
    }

    fn describe(instruments: &Instruments) {
        instruments.describe();
    }

    async fn build(config: AnalysisConfig, instruments: Instruments, health: Health) -> anyhow::Result<Self> {
        let catalogue = Arc::new(Catalogue::load(&config.catalogue.path).context("catalogue.path")?);
        let client = Client::new(&config.clickhouse);
        let ledger = open_ledger(&config).await?;
        let liveness = health.watch("runs", LONGEST_STAGE);
        let runner = Runner::new(
            catalogue.clone(),
            client.clone(),
            ledger.clone(),
            Terms {
                costs: config.costs,
                lease: config.runs.lease.get(),
                attempts: u32::try_from(config.runs.attempts.get()).context("runs.attempts")?,
            },
            instruments.clone(),
            liveness,
        );
        let runs = Runs::new(runner.clone(), catalogue, client.clone());
        let clickhouse = health.require("clickhouse");
        let ledger_ready = health.require("ledger");
        let server = Server {
            config: config.server,
            health,
            instruments: instruments.grpc,
            routes: Routes::new(AnalysisServiceServer::new(runs)),
            descriptors: FILE_DESCRIPTOR_SET,
            web: Router::new(),
        };
        let listener = server.listen().await?;
        Ok(Self {
            server,
            listener,
            runner,
            client,
            clickhouse,
            ledger,
            ledger_ready,
        })
    }

    async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let shutdown = shutdown.child_token();
        let serve = async {
            // A server that ends by itself ends the service.
            let _end = shutdown.clone().drop_guard();
            self.server.serve(self.listener, shutdown.clone()).await
        };
        let work = async { tokio::join!(serve, self.runner.drain(shutdown.clone())).0 };
        // An answer of ClickHouse that does not come must not hold the end.
        tokio::select! {
            served = work => served,
            never = watch(&self.client, &self.runner, &self.clickhouse) => match never {},
            never = watch_ledger(&self.ledger, &self.ledger_ready) => match never {},
        }
    }
}

/// Opens the ledger and brings its tables up to date, before a port opens.
async fn open_ledger(config: &AnalysisConfig) -> anyhow::Result<Ledger> {
    let url = config.ledger.url.parse();
    let url = url.map_err(anyhow::Error::msg).context("ledger.url")?;
    let opened = Ledger::open(&url, config.ledger.password.reveal()).await;
    opened.with_context(|| format!("ledger.url = {url}"))
}

/// Keeps `/readyz` true of the ledger.
async fn watch_ledger(ledger: &Ledger, ready: &Readiness) -> Infallible {
    loop {
        ready.set(ledger.ready().await.map_err(|error| error.to_string()));
        tokio::time::sleep(ASK).await;
    }
}

/// Keeps `/readyz` true, and goes on with runs whose process is gone.
async fn watch(client: &Client, runner: &Runner, clickhouse: &Readiness) -> Infallible {
    let mut silence = Silence::default();
    loop {
        let ready = migrate::ready(client).await;
        let taken_up = match &ready {
            Ok(()) => runner
                .take_up(&mut silence)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        clickhouse.set(ready);
        if let Err(error) = taken_up {
            silence.break_off();
            tracing::warn!(error, "runs cut short are not taken up");
        }
        tokio::time::sleep(ASK).await;
    }
}
