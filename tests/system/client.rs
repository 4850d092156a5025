//! What the tests ask of `reporting` and `analysis` over gRPC, and when they may.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use kaizen_api::analysis::v1::analysis_service_client::AnalysisServiceClient;
use kaizen_api::analysis::v1::metric_service_client::MetricServiceClient;
use kaizen_api::analysis::v1::{QueryMetricRequest, Series, Step, Window};
use kaizen_testkit::{ClickHouse, Sandbox, eventually};
use tonic::transport::Channel;

/// The metrics, as `reporting` serves them.
pub async fn metrics(sandbox: &Sandbox) -> Result<MetricServiceClient<Channel>> {
    Ok(MetricServiceClient::connect(sandbox.reporting().url()).await?)
}

/// The analyses that can be read, as `reporting` serves them.
pub async fn analyses(sandbox: &Sandbox) -> Result<AnalysisServiceClient<Channel>> {
    Ok(AnalysisServiceClient::connect(sandbox.reporting().url()).await?)
}

/// A half-open window between two RFC 3339 timestamps.
pub fn window(start: &str, end: &str) -> Result<Window> {
    Ok(Window {
        start_time: Some(time(start)?),
        end_time: Some(time(end)?),
    })
}

fn time(text: &str) -> Result<prost_types::Timestamp> {
    let timestamp: Timestamp = text.parse()?;
    Ok(prost_types::Timestamp {
        seconds: timestamp.as_second(),
        nanos: 0,
    })
}

/// A time of an answer, as RFC 3339.
pub fn text(time: Option<prost_types::Timestamp>) -> Result<String> {
    Ok(Timestamp::from_second(time.context("a time is missing")?.seconds)?.to_string())
}

/// Returns when that many decisions are stored, and counted by the rollup as well: its rows are there shortly after the decisions'.
pub async fn counted(clickhouse: &ClickHouse, decisions: u64, limit: Duration) -> Result<()> {
    let sql =
        "SELECT (SELECT count() FROM kaizen.decisions), (SELECT sum(decisions) FROM kaizen.rollup_hourly)";
    eventually("every decision is stored and counted", limit, async || {
        let found = clickhouse.query(sql).await?;
        ensure!(
            found == format!("{decisions}\t{decisions}"),
            "of {decisions}, as many are stored and counted: {found}"
        );
        Ok(())
    })
    .await
}

/// The series of one metric.
pub async fn series(
    sandbox: &Sandbox,
    metric: &str,
    within: Window,
    step: Step,
    by: &str,
) -> Result<Vec<Series>> {
    let request = QueryMetricRequest {
        metric: metric.to_owned(),
        window: Some(within),
        step: step.into(),
        group_by: by.to_owned(),
        group_limit: 100,
        ..Default::default()
    };
    let answer = metrics(sandbox).await?.query_metric(request).await?;
    Ok(answer.into_inner().series)
}
