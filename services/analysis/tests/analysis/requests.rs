//! What a request may ask, and that one is run once.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use kaizen_api::analysis::v1::{
    AnalysisState, GetAnalysisRequest, ListAnalysesRequest, ListTrendsRequest, RunAnalysisRequest,
    WatchAnalysisRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, WEEK, request, window};

#[tokio::test]
async fn a_request_is_run_once_however_often_it_is_asked() -> Result<()> {
    let fixture = Fixture::start().await?;
    let runs = fixture.service.runs().await?;
    let asked = (0..8).map(|_| {
        let mut runs = runs.clone();
        async move { anyhow::Ok(runs.run_analysis(request("once")?).await?.into_inner()) }
    });
    let answers = try_join_all(asked).await?;
    let first = &answers[0];
    ensure!(answers.iter().all(|answer| answer == first), "two at once differ");
    let later = runs.clone().run_analysis(request("once")?).await?.into_inner();
    assert_eq!(&later, first);
    let instruments = fixture.service.operation("metrics").await?;
    let counted = "kaizen_analysis_runs_total{outcome=\"succeeded\"} 1";
    ensure!(instruments.lines().any(|line| line == counted), "{instruments}");
    for stage in ["count", "measure", "judge", "record"] {
        let timed = format!("kaizen_analysis_stage_duration_seconds_count{{stage=\"{stage}\"}} 1");
        ensure!(instruments.contains(&timed), "{timed} is not in\n{instruments}");
    }

    let mut other = request("once")?;
    other.time_zone = "Europe/Berlin".to_owned();
    let taken = refused(runs.clone().run_analysis(other).await)?;
    assert_eq!(taken.code(), Code::AlreadyExists);
    let resource = taken.get_details_resource_info().context("details")?;
    assert_eq!(resource.resource_name, "once");
    Ok(())
}

#[tokio::test]
async fn a_wrong_request_is_refused_by_field_and_leaves_no_record() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut runs = fixture.service.runs().await?;
    let good = request("good")?;
    let id = |request_id: &str| RunAnalysisRequest {
        request_id: request_id.to_owned(),
        ..good.clone()
    };
    let period = |start, end| -> Result<_> {
        Ok(RunAnalysisRequest {
            period: Some(window([start, end])?),
            ..good.clone()
        })
    };
    let zone = |time_zone: &str| RunAnalysisRequest {
        time_zone: time_zone.to_owned(),
        ..good.clone()
    };
    let nowhere = RunAnalysisRequest {
        period: None,
        ..good.clone()
    };
    for (wrong, field) in [
        (id(""), "request_id"),
        (id("two words"), "request_id"),
        (id(&"x".repeat(65)), "request_id"),
        (id("ä"), "request_id"),
        (nowhere, "period"),
        (period("2026-01-12T00:30:00Z", WEEK[1])?, "period.start_time"),
        (period(WEEK[0], "2026-01-19T00:00:00.5Z")?, "period.end_time"),
        (period(WEEK[1], WEEK[0])?, "period.end_time"),
        (
            period("2025-01-01T00:00:00Z", "2026-01-02T01:00:00Z")?,
            "period.end_time",
        ),
        (
            period("1970-01-02T00:00:00Z", "1970-01-09T00:00:00Z")?,
            "period.start_time",
        ),
        (zone("Mars/Base"), "time_zone"),
        // Its days begin at half past an hour of UTC, and the rollup is of hours.
        (zone("Asia/Kolkata"), "time_zone"),
    ] {
        let status = refused(runs.run_analysis(wrong).await).context(field)?;
        assert_eq!(status.code(), Code::InvalidArgument, "{field}: {status:?}");
        let details = status.get_details_bad_request().context("details")?;
        assert_eq!(details.field_violations[0].field, field);
    }
    let longest = period("2025-01-01T00:00:00Z", "2026-01-02T00:00:00Z")?;
    runs.run_analysis(longest).await?;
    assert_eq!(
        fixture.sql("SELECT count() FROM kaizen.analyses FINAL").await?,
        "1"
    );
    Ok(())
}

#[tokio::test]
async fn a_run_is_followed_to_its_end_and_reads_are_served_elsewhere() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut runs = fixture.service.runs().await?;
    fixture.slow_down(2).await?;
    let mut runner = runs.clone();
    let run = tokio::spawn(async move { runner.run_analysis(request("watched")?).await.map_err(Into::into) });
    let [analysis_id, ..] = fixture.reaches("watched", "running").await?;
    let watch = WatchAnalysisRequest { analysis_id };
    let mut stream = runs.watch_analysis(watch.clone()).await?.into_inner();
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    let answer: Result<_> = run.await?;
    let (first, last) = messages.first().zip(messages.last()).context("no message")?;
    assert_eq!((first.stages_done, first.stage.as_str()), (0, "count"));
    assert_eq!(
        (last.stages_done, last.stages_total, last.stage.as_str()),
        (7, 7, "done")
    );
    assert_eq!(last.analysis, answer?.into_inner().analysis);
    let states: Vec<_> = messages
        .iter()
        .map(|it| it.analysis.as_ref().map(|it| it.state()))
        .collect();
    let (end, before) = states.split_last().context("no message")?;
    assert_eq!(*end, Some(AnalysisState::Succeeded));
    ensure!(
        before.iter().all(|state| *state == Some(AnalysisState::Running)),
        "{states:?}"
    );

    let unknown = WatchAnalysisRequest {
        analysis_id: "none".to_owned(),
    };
    assert_eq!(
        refused(runs.watch_analysis(unknown).await)?.code(),
        Code::NotFound
    );
    let analysis_id = watch.analysis_id;
    for elsewhere in [
        refused(
            runs.get_analysis(GetAnalysisRequest {
                analysis_id: analysis_id.clone(),
            })
            .await,
        )?,
        refused(runs.list_trends(ListTrendsRequest { analysis_id }).await)?,
        refused(runs.list_analyses(ListAnalysesRequest::default()).await)?,
    ] {
        assert_eq!(elsewhere.code(), Code::Unimplemented);
        let details = elsewhere.get_details_error_info().context("details")?;
        assert_eq!(details.metadata["service"], "reporting");
    }
    Ok(())
}

fn refused<T>(answer: Result<T, Status>) -> Result<Status> {
    answer.err().context("it was accepted")
}
