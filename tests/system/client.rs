//! What the tests ask of `reporting` and `analysis` over gRPC.

use anyhow::{Context, Result};
use jiff::Timestamp;
use kaizen_api::analysis::v1::analysis_service_client::AnalysisServiceClient;
use kaizen_api::analysis::v1::metric_service_client::MetricServiceClient;
use kaizen_api::analysis::v1::{QueryMetricRequest, Series, Step, Window};
use kaizen_testkit::Sandbox;
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
