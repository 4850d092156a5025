//! Runs whose process does not get to their end.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::{
    AnalysisState, RunAnalysisResponse, WatchAnalysisRequest, WatchAnalysisResponse,
};
use kaizen_testkit::{Held, eventually};
use tokio::task::JoinHandle;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, Replica, SOON, request};

pub const STAGES: [&str; 7] = [
    "count",
    "measure",
    "judge",
    "explain",
    "inspect",
    "recommend",
    "record",
];

pub type Answer = Result<RunAnalysisResponse, Status>;

#[tokio::test]
async fn a_run_that_fails_says_why_and_is_run_again_when_asked_again() -> Result<()> {
    let fixture = Fixture::start().await?;
    fixture.hide_rejections().await?;
    let failed = ask(&fixture.service, "cut")
        .await?
        .err()
        .context("it cannot have run")?;
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
    succeeds(&fixture, "cut", 2).await
}

#[tokio::test]
async fn a_run_whose_process_is_killed_in_any_stage_ends_in_the_bytes_of_one_that_was_not() -> Result<()> {
    let fixture = Fixture::start().await?;
    succeeds(&fixture, "whole", 1).await?;
    let whole = fixture.bytes("whole").await?;
    ensure!(whole.contains("enrichment"), "{whole}");
    // Once more in the last stage, when some of its tables are written.
    for (at, stage) in STAGES.into_iter().chain(["record"]).enumerate() {
        let request_id = format!("killed-{at}");
        let (run, held) = stand_still(&fixture, &request_id, stage).await?;
        let held = if at < STAGES.len() {
            held
        } else {
            half_recorded(&fixture, held).await?
        };
        fixture.service.process.kill();
        drop(held);
        ensure!(run.await??.is_err(), "{stage}: its process is gone");
        assert_eq!(fixture.recorded(&request_id).await?[1], "running", "{stage}");
        fixture.service.restart().await?;
        let messages = watch(&fixture.service, &fixture.recorded(&request_id).await?[0]).await?;
        let attempts: Vec<_> = messages
            .iter()
            .filter_map(|it| Some(it.analysis.as_ref()?.attempt))
            .collect();
        ensure!(
            attempts.is_sorted() && attempts.last() == Some(&2),
            "{attempts:?}"
        );
        let last = messages.last().and_then(|it| it.analysis.as_ref());
        assert_eq!(
            last.map(|it| it.state()),
            Some(AnalysisState::Succeeded),
            "{stage}"
        );
        assert_eq!(fixture.bytes(&request_id).await?, whole, "{stage}");
    }
    Ok(())
}

#[tokio::test]
async fn a_run_is_left_to_its_living_process_and_taken_up_by_another_when_that_is_killed() -> Result<()> {
    let fixture = Fixture::start().await?;
    let other = fixture.replica().await?;
    let (run, held) = stand_still(&fixture, "moved", "explain").await?;
    let [analysis_id, ..] = fixture.recorded("moved").await?;
    // Both replicas were asked; the second follows the first.
    let there = other.runs().await?;
    let asked = tokio::spawn(async move { anyhow::Ok(run_at(there, "moved").await) });
    // Several leases long it stands still and gives signs of life.
    eventually("it lives for long", SOON, async || {
        let lived = "SELECT max(beaten_at) > min(claimed_at) + INTERVAL 5 SECOND FROM kaizen.analysis_beats, kaizen.analysis_claims";
        ensure!(fixture.sql(lived).await? == "1");
        Ok(())
    })
    .await?;
    assert_eq!(fixture.attempt("moved").await?, "1");
    let watching = watch(&other, &analysis_id);
    let (messages, killed) = tokio::join!(watching, async {
        fixture.service.process.kill();
        drop(held);
        run.await
    });
    ensure!(killed??.is_err(), "its process is gone");
    let messages = messages?;
    let first = messages.first().and_then(|it| it.analysis.as_ref());
    assert_eq!(first.map(|it| it.attempt), Some(1));
    let answer = asked.await???;
    let analysis = answer.analysis.context("an analysis")?;
    assert_eq!(
        (analysis.state(), analysis.attempt),
        (AnalysisState::Succeeded, 2)
    );
    let last = messages.last().and_then(|it| it.analysis.clone());
    assert_eq!(last.as_ref(), Some(&analysis));
    Ok(())
}

#[tokio::test]
async fn a_process_that_wakes_up_after_another_took_its_run_changes_nothing_of_it() -> Result<()> {
    let fixture = Fixture::start().await?;
    succeeds(&fixture, "whole", 1).await?;
    let other = fixture.replica().await?;
    let (run, held) = stand_still(&fixture, "slept", "record").await?;
    fixture.service.process.pause()?;
    let answer = ask(&other, "slept").await??;
    assert_eq!(answer.analysis.as_ref().map(|it| it.attempt), Some(2));
    let before = fixture.sql("SELECT * FROM kaizen.analyses FINAL").await?;
    fixture.service.process.resume()?;
    held.release();
    // It answers with what the other found.
    assert_eq!(run.await???, answer);
    eventually("it lets go", SOON, async || {
        let instruments = fixture.service.operation("metrics").await?;
        ensure!(instruments.contains("kaizen_analysis_runs_total{outcome=\"interrupted\"} 1"));
        Ok(())
    })
    .await?;
    assert_eq!(fixture.sql("SELECT * FROM kaizen.analyses FINAL").await?, before);
    assert_eq!(fixture.bytes("slept").await?, fixture.bytes("whole").await?);
    Ok(())
}

#[tokio::test]
async fn a_run_that_ends_its_process_each_time_is_given_up_and_says_where() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (_, held) = stand_still(&fixture, "fatal", "inspect").await?;
    let held = go_on(&fixture, held, "inspect").await?;
    fixture.service.process.kill();
    drop(held);
    let (again, restarted) = tokio::join!(fixture.hold("inspect"), fixture.service.restart());
    restarted?;
    let again = go_on(&fixture, again?, "inspect").await?;
    assert_eq!(fixture.attempt("fatal").await?, "2");
    fixture.service.process.kill();
    drop(again);
    fixture.service.restart().await?;
    let [_, _, error] = fixture.reaches("fatal", "failed").await?;
    assert_eq!(
        error,
        "given up after 2 attempts: the last process ended, or lost ClickHouse, during the stage inspect"
    );
    // Asked for again it has as many attempts anew.
    succeeds(&fixture, "fatal", 4).await
}

#[tokio::test]
async fn a_service_asked_to_end_hands_its_runs_over_and_ends_in_time() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (run, held) = stand_still(&fixture, "cut", "measure").await?;
    let ended = fixture.service.process.terminate(Duration::from_secs(10)).await?;
    ensure!(ended.success(), "{ended}");
    drop(held);
    let told = run.await??.err().context("it cannot have ended")?;
    assert_eq!(told.code(), Code::Unavailable);
    assert_eq!(fixture.recorded("cut").await?[1], "running");
    let released = fixture
        .sql("SELECT released FROM kaizen.analysis_beats FINAL")
        .await?;
    assert_eq!(released, "the service was asked to end");
    fixture.service.restart().await?;
    succeeds(&fixture, "cut", 2).await
}

/// Begins a run that stands still at the beginning of a stage.
pub async fn stand_still(
    fixture: &Fixture,
    request_id: &str,
    stage: &'static str,
) -> Result<(JoinHandle<Result<Answer>>, Held)> {
    let (runs, id) = (fixture.service.runs().await?, request_id.to_owned());
    let holding = fixture.hold(stage);
    let run = tokio::spawn(async move { anyhow::Ok(run_at(runs, &id).await) });
    Ok((run, holding.await?))
}

/// Goes on to the next request of the stage.
async fn go_on(fixture: &Fixture, held: Held, stage: &'static str) -> Result<Held> {
    let next = fixture.hold(stage);
    held.release();
    next.await
}

/// Goes on until some tables have the results of the run and others do not.
pub async fn half_recorded(fixture: &Fixture, held: Held) -> Result<Held> {
    let mut held = held;
    for _ in 0..2 {
        held = go_on(fixture, held, "record").await?;
    }
    let count = async |table: &str| {
        let at = "(SELECT max(results_at) FROM kaizen.analyses)";
        let sql = format!("SELECT count() > 0 FROM kaizen.{table} WHERE created_at = {at}");
        fixture.sql(&sql).await
    };
    assert_eq!(
        [count("metric_points").await?, count("recommendations").await?],
        ["1", "0"]
    );
    Ok(held)
}

type Client =
    kaizen_api::analysis::v1::analysis_service_client::AnalysisServiceClient<tonic::transport::Channel>;

async fn run_at(mut runs: Client, request_id: &str) -> Answer {
    let wanted = request(request_id).map_err(|error| Status::internal(error.to_string()))?;
    runs.run_analysis(wanted).await.map(tonic::Response::into_inner)
}

pub async fn ask(replica: &Replica, request_id: &str) -> Result<Answer> {
    Ok(run_at(replica.runs().await?, request_id).await)
}

/// What is told of a run from now to its end.
pub async fn watch(replica: &Replica, analysis_id: &str) -> Result<Vec<WatchAnalysisResponse>> {
    let wanted = WatchAnalysisRequest {
        analysis_id: analysis_id.to_owned(),
    };
    let mut stream = replica.runs().await?.watch_analysis(wanted).await?.into_inner();
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

/// Asks for the run, which ends well at this attempt.
pub async fn succeeds(fixture: &Fixture, request_id: &str, attempt: u32) -> Result<()> {
    let found = ask(&fixture.service, request_id).await??;
    let analysis = found.analysis.context("an analysis")?;
    assert_eq!(
        (analysis.state(), analysis.attempt),
        (AnalysisState::Succeeded, attempt)
    );
    assert_eq!(analysis.analysis_id, fixture.recorded(request_id).await?[0]);
    ensure!(analysis.error.is_empty() && !found.results.is_empty() && !found.trends.is_empty());
    Ok(())
}
