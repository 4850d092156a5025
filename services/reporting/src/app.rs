//! Reporting, built and run.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;
use kaizen_api::FILE_DESCRIPTOR_SET;
use kaizen_api::analysis::v1::analysis_service_server::AnalysisServiceServer;
use kaizen_api::analysis::v1::metric_service_server::MetricServiceServer;
use kaizen_api::decisions::v1::dead_letter_service_server::DeadLetterServiceServer;
use kaizen_api::tracker::v1::tracker_service_server::TrackerServiceServer;
use kaizen_api::tracker::v1::webhook_service_server::WebhookServiceServer;
use kaizen_catalogue::Catalogue;
use kaizen_ledger::Ledger;
use kaizen_service::{Application, Health, Readiness, Server};
use kaizen_warehouse::{Client, migrate};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;

use crate::analyses::Analyses;
use crate::changes::Changes;
use crate::config::ReportingConfig;
use crate::dead_letters::DeadLetters;
use crate::hooks;
use crate::impact::{Measurer, Schedule};
use crate::instruments::Instruments;
use crate::metrics::Metrics;
use crate::tracker::Tracker;
use crate::web;
use crate::webhooks::{self, Outbox};

/// How often ClickHouse and the ledger are asked whether they are there.
const ASK: Duration = Duration::from_secs(2);

/// Reporting, ready to run.
pub struct Reporting {
    server: Server,
    listener: TcpListener,
    client: Client,
    clickhouse: Readiness,
    ledger: Ledger,
    ledger_ready: Readiness,
    changes: Option<Changes>,
    schedule: Schedule,
    outbox: Outbox,
    /// Ends those who watch tickets.
    stop: CancellationToken,
    dead_letters: DeadLetters,
    instruments: Instruments,
}

impl Application for Reporting {
    type Config = ReportingConfig;
    type Instruments = Instruments;

    fn instruments(registry: &mut Registry) -> Instruments {
        Instruments::register(registry)
    }

    fn describe(instruments: &Instruments) {
        instruments.describe();
    }

    async fn build(
        config: ReportingConfig,
        instruments: Instruments,
        health: Health,
    ) -> anyhow::Result<Self> {
        let catalogue = Arc::new(Catalogue::load(&config.catalogue.path).context("catalogue.path")?);
        let client = Client::new(&config.clickhouse);
        let metrics = MetricServiceServer::new(Metrics::new(catalogue.clone(), client.clone()));
        let dead_letters = DeadLetters::new(client.clone(), config.dead_letters.retention.get());
        let letters = DeadLetterServiceServer::new(dead_letters.clone());
        let ledger = open_ledger(&config).await?;
        let analyses = Analyses::new(catalogue.clone(), client.clone(), ledger.clone());
        let analyses = AnalysisServiceServer::new(analyses);
        let stop = CancellationToken::new();
        let changes = Changes::new(ledger.clone(), &config.changes)?;
        let measurer = Measurer {
            catalogue,
            client: client.clone(),
            ledger: ledger.clone(),
            costs: Arc::new(config.costs),
        };
        let delay = SignedDuration::try_from(config.impact.delay.get()).context("impact.delay")?;
        let schedule = Schedule::new(measurer.clone(), delay, instruments.clone());
        let (outbox, webhooks) = webhooks::build(&ledger, &config.webhooks, &instruments).await?;
        let webhooks = WebhookServiceServer::new(webhooks);
        let tracker = TrackerServiceServer::new(Tracker::new(measurer, stop.clone()));
        let routes = Routes::new(metrics.send_compressed(CompressionEncoding::Gzip))
            .add_service(analyses.send_compressed(CompressionEncoding::Gzip))
            .add_service(letters.send_compressed(CompressionEncoding::Gzip))
            .add_service(tracker.send_compressed(CompressionEncoding::Gzip))
            .add_service(webhooks.send_compressed(CompressionEncoding::Gzip));
        let clickhouse = health.require("clickhouse");
        let ledger_ready = health.require("ledger");
        let descriptors = FILE_DESCRIPTOR_SET;
        let server = Server {
            config: config.server,
            health,
            instruments: instruments.grpc.clone(),
            routes,
            descriptors,
            web: web::router().merge(hooks::router(&ledger, &config.hooks)),
        };
        let listener = server.listen().await?;
        Ok(Self {
            server,
            listener,
            client,
            clickhouse,
            ledger,
            ledger_ready,
            changes,
            schedule,
            outbox,
            stop,
            dead_letters,
            instruments,
        })
    }

    async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self {
            server,
            listener,
            client,
            clickhouse,
            ledger,
            ledger_ready,
            changes,
            schedule,
            outbox,
            stop,
            dead_letters,
            instruments,
        } = self;
        let watch = watch(client, clickhouse, shutdown.clone());
        let watch_ledger = watch_ledger(ledger.clone(), ledger_ready, stop, shutdown.clone());
        let tell = async {
            if let Some(changes) = changes {
                changes.tell(shutdown.clone()).await;
            }
        };
        let follow = dead_letters.follow(instruments, shutdown.clone());
        let serve = server.serve(listener, shutdown.clone());
        let measure = schedule.run(shutdown.clone());
        let deliver = outbox.run(shutdown.clone());
        let (served, (), (), (), (), (), ()) =
            tokio::join!(serve, watch, watch_ledger, follow, tell, measure, deliver);
        ledger.close().await;
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

/// Opens the ledger and brings its tables up to date, before a port opens.
async fn open_ledger(config: &ReportingConfig) -> anyhow::Result<Ledger> {
    let url = config
        .ledger
        .url
        .parse()
        .map_err(anyhow::Error::msg)
        .context("ledger.url")?;
    let opened = Ledger::open(&url, config.ledger.password.reveal()).await;
    opened.with_context(|| format!("ledger.url = {url}"))
}

/// Keeps `/readyz` true; at the end, ends those who watch tickets.
async fn watch_ledger(
    ledger: Ledger,
    ready: Readiness,
    stop: CancellationToken,
    shutdown: CancellationToken,
) {
    let _stop = stop.drop_guard();
    loop {
        let state = ledger.ready().await;
        ready.set(state.map_err(|error| error.to_string()));
        tokio::select! {
            () = tokio::time::sleep(ASK) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
