//! Runs that do not get to their end.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::{AnalysisState, RunAnalysisResponse};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, request};

#[tokio::test]
async fn a_run_that_fails_says_why_and_is_run_again_when_asked_again() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.hide_rejections().await?;
    let failed = ask(&fixture).await?.err().context("it cannot have run")?;
    assert_eq!(failed.code(), Code::Aborted);
    let [analysis_id, state, error] = fixture.recorded("cut").await?;
    let details = failed.get_details_error_info().context("details")?;
    assert_eq!(
        (details.reason.as_str(), &details.metadata["analysis_id"]),
        ("ANALYSIS_FAILED", &analysis_id)
    );
    assert_eq!(state, "failed");
    ensure!(error.contains("rejections"), "{error}");
    fixture.restore().await?;
    succeeds_as(&fixture, &analysis_id).await
}

#[tokio::test]
async fn a_run_cut_short_by_a_crash_is_recorded_and_run_again_when_asked_again() -> Result<()> {
    let fixture = Fixture::start().await?;
    let analysis_id = begin(&fixture).await?;
    fixture.service.kill();
    assert_eq!(fixture.recorded("cut").await?[1], "running");
    fixture.restore().await?;
    fixture.restart().await?;
    let [_, _, error] = fixture.reaches("cut", "failed").await?;
    assert_eq!(error, "the service ended during the run");
    succeeds_as(&fixture, &analysis_id).await
}

#[tokio::test]
async fn a_service_asked_to_end_records_its_runs_as_failed_and_ends_in_time() -> Result<()> {
    let fixture = Fixture::start().await?;
    let analysis_id = begin(&fixture).await?;
    let ended = fixture.service.terminate(Duration::from_secs(10)).await?;
    ensure!(ended.success(), "{ended}");
    let [_, state, error] = fixture.recorded("cut").await?;
    assert_eq!(
        (state.as_str(), error.as_str()),
        ("failed", "the service was asked to end")
    );
    fixture.restore().await?;
    fixture.restart().await?;
    succeeds_as(&fixture, &analysis_id).await
}

/// Begins a run that takes longer than any test, and returns its identity once it is on record.
async fn begin(fixture: &Fixture) -> Result<String> {
    fixture.slow_down(50).await?;
    let mut runs = fixture.runs().await?;
    let request = request("cut")?;
    // What it answers when the service ends under it is no matter.
    tokio::spawn(async move { drop(runs.run_analysis(request).await) });
    let [analysis_id, ..] = fixture.reaches("cut", "running").await?;
    Ok(analysis_id)
}

async fn ask(fixture: &Fixture) -> Result<Result<RunAnalysisResponse, Status>> {
    let answer = fixture.runs().await?.run_analysis(request("cut")?).await;
    Ok(answer.map(tonic::Response::into_inner))
}

async fn succeeds_as(fixture: &Fixture, analysis_id: &str) -> Result<()> {
    let found = ask(fixture).await??;
    let analysis = found.analysis.context("an analysis")?;
    assert_eq!(
        (analysis.state(), analysis.analysis_id.as_str()),
        (AnalysisState::Succeeded, analysis_id)
    );
    ensure!(analysis.error.is_empty() && !found.results.is_empty() && !found.trends.is_empty());
    Ok(())
}
