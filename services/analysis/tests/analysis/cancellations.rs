//! Runs that somebody ends.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::cancel_analysis_request::Run;
use kaizen_api::analysis::v1::{Analysis, AnalysisState, CancelAnalysisRequest};
use kaizen_warehouse::queries;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fixture::{Fixture, Replica};
use crate::interruptions::{STAGES, half_recorded, stand_still, succeeds, watch};

/// Longest until a cancelled run has ended.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_run_cancelled_in_any_stage_ends_at_once_and_nothing_of_it_is_read() -> Result<()> {
    let fixture = Fixture::start().await?;
    // The client asks once what columns a table has, and other inserts wait for the answer: that is not to be held.
    succeeds(&fixture, "whole", 1).await?;
    for (at, stage) in STAGES.into_iter().chain(["record"]).enumerate() {
        let request_id = format!("cancelled-{at}");
        let (run, held) = stand_still(&fixture, &request_id, stage).await?;
        let held = if at < STAGES.len() {
            held
        } else {
            half_recorded(&fixture, held).await?
        };
        let began = Instant::now();
        let cancelled = cancel(&fixture.service, by_request(&request_id)).await??;
        ensure!(began.elapsed() < AT_ONCE, "{stage}: {:?}", began.elapsed());
        assert_eq!(cancelled.state(), AnalysisState::Cancelled, "{stage}");
        let by = cancelled.cancellation.as_ref().context("by whom")?;
        assert_eq!((by.actor.as_str(), by.reason.as_str()), ("somebody", "too dear"));
        ensure!(by.cancel_time.is_some());
        let told = run.await??.err().context("it was cancelled")?;
        assert_eq!(told.code(), Code::Cancelled, "{stage}: {told:?}");
        let details = told.get_details_error_info().context("details")?;
        assert_eq!(details.reason, "ANALYSIS_CANCELLED");
        assert_eq!(details.metadata["actor"], "somebody");
        drop(held);
        let [analysis_id, state, error] = fixture.recorded(&request_id).await?;
        assert_eq!((state.as_str(), error.as_str()), ("cancelled", ""), "{stage}");
        nothing_is_read(&fixture, &analysis_id).await?;
        let messages = watch(&fixture.service, &analysis_id).await?;
        assert_eq!(messages.len(), 1, "{messages:?}");
        // Cancelled again by another, it stays what it was.
        let mut again = by_request(&request_id);
        again.actor = "somebody else".to_owned();
        assert_eq!(cancel(&fixture.service, again).await??, cancelled);
    }
    // Who wants it after all gets it, under the same identity.
    succeeds(&fixture, "cancelled-0", 2).await
}

#[tokio::test]
async fn a_run_is_cancelled_at_a_process_that_does_not_run_it_and_after_its_own_is_gone() -> Result<()> {
    let fixture = Fixture::start().await?;
    let other = fixture.replica().await?;
    let (run, held) = stand_still(&fixture, "elsewhere", "explain").await?;
    let cancelled = cancel(&other, by_request("elsewhere")).await??;
    assert_eq!(
        (cancelled.state(), cancelled.attempt),
        (AnalysisState::Cancelled, 1)
    );
    ensure!(run.await??.is_err_and(|told| told.code() == Code::Cancelled));
    drop(held);
    let (_, held) = stand_still(&fixture, "gone", "explain").await?;
    fixture.service.process.kill();
    drop(held);
    let cancelled = cancel(&other, by_request("gone")).await??;
    assert_eq!(
        (cancelled.state(), cancelled.attempt),
        (AnalysisState::Cancelled, 2)
    );
    nothing_is_read(&fixture, &cancelled.analysis_id).await
}

#[tokio::test]
async fn what_cannot_be_cancelled_is_refused_with_the_reason() -> Result<()> {
    let fixture = Fixture::start().await?;
    succeeds(&fixture, "done", 1).await?;
    let ended = refused(cancel(&fixture.service, by_request("done")).await?)?;
    assert_eq!(ended.code(), Code::FailedPrecondition);
    let details = ended.get_details_error_info().context("details")?;
    assert_eq!(
        (details.reason.as_str(), details.metadata["state"].as_str()),
        ("ANALYSIS_ENDED", "succeeded")
    );
    let none = refused(cancel(&fixture.service, by_request("none")).await?)?;
    assert_eq!(none.code(), Code::NotFound);
    let good = by_request("done");
    let of = |run: Option<Run>, actor: &str, reason: &str| CancelAnalysisRequest {
        run,
        actor: actor.to_owned(),
        reason: reason.to_owned(),
    };
    for (wrong, field) in [
        (of(None, "a", ""), "run"),
        (of(Some(Run::AnalysisId(String::new())), "a", ""), "analysis_id"),
        (of(Some(Run::RequestId(String::new())), "a", ""), "request_id"),
        (of(good.run.clone(), "", ""), "actor"),
        (of(good.run.clone(), &"a".repeat(129), ""), "actor"),
        (of(good.run, "a", &"b".repeat(1001)), "reason"),
    ] {
        let status = refused(cancel(&fixture.service, wrong).await?)?;
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        let details = status.get_details_bad_request().context("details")?;
        assert_eq!(details.field_violations[0].field, field);
    }
    Ok(())
}

fn by_request(request_id: &str) -> CancelAnalysisRequest {
    CancelAnalysisRequest {
        run: Some(Run::RequestId(request_id.to_owned())),
        actor: "somebody".to_owned(),
        reason: "too dear".to_owned(),
    }
}

async fn cancel(replica: &Replica, wanted: CancelAnalysisRequest) -> Result<Result<Analysis, Status>> {
    let answer = replica.runs().await?.cancel_analysis(wanted).await;
    let analysis =
        |it: tonic::Response<kaizen_api::analysis::v1::CancelAnalysisResponse>| it.into_inner().analysis;
    answer
        .map(analysis)
        .map(|it| it.context("an analysis"))
        .map_or_else(|status| Ok(Err(status)), |it| it.map(Ok))
}

fn refused(answer: Result<Analysis, Status>) -> Result<Status> {
    answer.err().context("it was not refused")
}

/// By the reads that serve every page and command.
async fn nothing_is_read(fixture: &Fixture, analysis_id: &str) -> Result<()> {
    let client = fixture.engine();
    let analysis = queries::analysis(&client, analysis_id).await?;
    let analysis = analysis.context("on record")?;
    assert_eq!(queries::points(&client, &analysis).await?, []);
    assert_eq!(queries::trends(&client, &analysis).await?, []);
    assert_eq!(queries::explanations(&client, &analysis).await?, []);
    assert_eq!(queries::findings(&client, &analysis).await?, []);
    assert_eq!(queries::recommendations(&client, &analysis).await?, []);
    let latest = queries::latest_succeeded(&client).await?;
    ensure!(latest.is_none_or(|it| it.analysis_id != analysis_id));
    Ok(())
}
