//! The seeds that `make score` scores in memory go through Kafka, the collector, the engine and the analysis as well: rollup values
//! of every hour and metric, and all that is found, must be the same. One broker, one collector and one engine take all seeds,
//! each as a component of its own.

mod compare;
mod own;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use kaizen_api::analysis::v1::RunAnalysisRequest;
use kaizen_api::analysis::v1::analysis_service_client::AnalysisServiceClient;
use kaizen_catalogue::Catalogue;
use kaizen_score::agreement::{self, Of, Run, Tenant};
use kaizen_score::generate::fleet;
use kaizen_testkit::{Record, Service, Stack};
use kaizen_warehouse::queries::{explanations, findings, latest_succeeded, trends};
use kaizen_warehouse::{ClickHouseConfig, Client};
use tokio::task::spawn_blocking;

use crate::client::{counted, window};
use compare::Differences;

const SOON: Duration = Duration::from_secs(120);
const TOPIC: &str = "kaizen.decisions.backfill";

/// The seeds, their catalogue, and what the scores make of them in memory.
struct Seeds {
    tenants: Vec<Tenant>,
    text: String,
    catalogue: Catalogue,
}

impl Seeds {
    fn new() -> Result<Self> {
        let tenants = agreement::tenants()?;
        let text = agreement::catalogue(&tenants)?;
        let catalogue = Catalogue::parse(&text)?;
        Ok(Self {
            tenants,
            text,
            catalogue,
        })
    }

    /// What a run over all of them says in memory.
    fn run(&self) -> Result<Run> {
        let shipped = fleet::catalogue()?;
        let mut all = Vec::new();
        for (tenant, component) in self.tenants.iter().zip(self.catalogue.components()) {
            all.push(Of {
                component,
                memory: tenant.memory(component)?,
                predicted: tenant.predicted(&shipped)?.unwrap_or_default(),
                labels: tenant.labels()?,
            });
        }
        agreement::run(&all)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_scored_in_memory_is_what_comes_out_of_the_system() -> Result<()> {
    let seeds = Arc::new(spawn_blocking(Seeds::new).await??);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("catalogue.yaml");
    std::fs::write(&path, &seeds.text)?;
    let path = path.to_str().context("a path")?;
    let stack = Stack::start().await?;
    let variables = [("KAIZEN__CATALOGUE__PATH", path)];
    let _collector = Service::start("collector", false, &stack, &variables).await?;
    let analysis = Service::start("analysis", true, &stack, &variables).await?;
    let memory = spawn_blocking({
        let seeds = Arc::clone(&seeds);
        move || seeds.run()
    });
    publish(&seeds, &stack).await?;
    let memory = memory.await??;
    let client = Client::new(&ClickHouseConfig {
        url: stack.clickhouse().url().to_owned(),
        ..ClickHouseConfig::default()
    });
    let mut found = Differences::default();
    analysed(&client, &analysis, &memory, &mut found).await?;
    values::compare(&client, &seeds, &memory, &mut found).await?;
    own::compare(&client, &seeds, &mut found).await?;
    found.are_none(&seeds.tenants)
}

/// Publishes all decisions, and waits until each is stored once.
async fn publish(seeds: &Arc<Seeds>, stack: &Stack) -> Result<()> {
    // Two seeds wait while a third is sent.
    let (made, mut ready) = tokio::sync::mpsc::channel(2);
    let maker = spawn_blocking({
        let seeds = Arc::clone(seeds);
        move || {
            for tenant in &seeds.tenants {
                if made.blocking_send(tenant.decisions()?).is_err() {
                    break;
                }
            }
            anyhow::Ok(())
        }
    });
    let (mut sent, mut expected) = (0, 0);
    while let Some((decisions, count)) = ready.recv().await {
        sent += decisions.len() as u64;
        let records = decisions.into_iter().map(|it| Record::new(it.key, it.value));
        stack.kafka().publish(TOPIC, records).await?;
        expected += count;
    }
    maker.await??;
    counted(stack.clickhouse(), expected, SOON).await?;
    let noted = "SELECT count(), countIf(reason != 'duplicate') FROM kaizen.rejections";
    let noted = stack.clickhouse().query(noted).await?;
    // All else that was sent was sent twice.
    ensure!(
        noted == format!("{}\t0", sent - expected),
        "{noted} rejected of {sent}"
    );
    Ok(())
}

/// Runs the analysis of the last week, and compares all that it stores.
async fn analysed(client: &Client, service: &Service, memory: &Run, found: &mut Differences) -> Result<()> {
    let (start, end) = agreement::spans().now;
    let [start, end] =
        [start, end].map(|second| Timestamp::from_second(second).unwrap_or_default().to_string());
    let mut analyses = AnalysisServiceClient::connect(service.url()).await?;
    let request = RunAnalysisRequest {
        request_id: "agreement".to_owned(),
        period: Some(window(&start, &end)?),
        time_zone: String::new(),
    };
    analyses.run_analysis(request).await?;
    let analysis = latest_succeeded(client).await?.context("no analysis")?;
    let stored = trends(client, &analysis).await?.into_iter();
    found.same_list(
        "trend",
        &memory.trends,
        &stored.map(|it| (it.metric, it.trend)).collect::<Vec<_>>(),
    );
    let stored = findings(client, &analysis).await?;
    found.same_list("finding", &memory.findings, &stored);
    let stored = explanations(client, &analysis).await?.into_iter();
    let stored: Vec<_> = stored.map(|it| (it.metric, it.explanation)).collect();
    let told = |all: &[_]| all.iter().filter_map(compare::told).collect::<Vec<_>>();
    found.same_list("explanation", &told(&memory.explanations), &told(&stored));
    something_of_every_kind_was_found(memory)
}

/// Two empty lists agree, too.
fn something_of_every_kind_was_found(memory: &Run) -> Result<()> {
    let kinds: BTreeSet<&str> = memory.findings.iter().map(|it| it.detail.kind()).collect();
    let wanted = [
        "latency_tail",
        "level_change",
        "miscalibration",
        "missing_data",
        "standing",
    ];
    ensure!(
        wanted.iter().all(|kind| kinds.contains(kind)),
        "found were {kinds:?}"
    );
    let directions: BTreeSet<&str> = memory
        .trends
        .iter()
        .map(|(_, it)| it.direction.as_str())
        .collect();
    ensure!(directions.len() >= 3, "trends are {directions:?}");
    let named = memory.explanations.iter().filter(|(_, it)| !it.causes.is_empty());
    ensure!(named.count() >= 4, "hardly any slice is named");
    Ok(())
}
