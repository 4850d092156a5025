//! The analysis service, built and run.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use kaizen_api::FILE_DESCRIPTOR_SET;
use kaizen_api::analysis::v1::analysis_service_server::AnalysisServiceServer;
use kaizen_catalogue::Catalogue;
use kaizen_service::{Application, Health, Readiness, Server};
use kaizen_warehouse::{Client, migrate};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::config::AnalysisConfig;
use crate::instruments::Instruments;
use crate::runner::Runner;
use crate::service::Runs;

/// How often ClickHouse is asked whether it is there.
const ASK: Duration = Duration::from_secs(2);

/// The analysis service, ready to run.
pub struct AnalysisApplication {
    server: Server,
    listener: TcpListener,
    client: Client,
    clickhouse: Readiness,
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
        let runner = Runner::new(catalogue.clone(), client.clone(), instruments.clone());
        let runs = Runs::new(runner, catalogue, client.clone());
        let clickhouse = health.require("clickhouse");
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
            client,
            clickhouse,
        })
    }

    async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self {
            server,
            listener,
            client,
            clickhouse,
        } = self;
        let watch = watch(client, clickhouse, shutdown.clone());
        let (served, ()) = tokio::join!(server.serve(listener, shutdown), watch);
        served
    }
}

/// Keeps `/readyz` true.
async fn watch(client: Client, clickhouse: Readiness, shutdown: CancellationToken) {
    loop {
        clickhouse.set(migrate::ready(&client).await);
        tokio::select! {
            () = tokio::time::sleep(ASK) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
