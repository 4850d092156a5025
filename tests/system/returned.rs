//! What becomes of a recommendation from run to run, and the way from it to single decisions.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use kaizen_api::analysis::v1::{
    GetDecisionRequest, ListDecisionsRequest, ListRecommendationsRequest, Recommendation, RecommendationState,
};
use kaizen_testkit::{Sandbox, eventually, program, workspace};

use crate::client::{analyses, metrics};

/// A decision of each kind every five minutes for eight weeks. Of the enrichments one in ten fails; by method `b` one in two in
/// weeks 2, 4 and 6, and nine in ten in week 8.
const DECISIONS: &str = "INSERT INTO kaizen.decisions (_offset, event_id, log_type, timestamp, _ingested_at, method_used, \
     processing_time, success, quality_score, input, output, extra) \
     SELECT number, concat('event-', toString(number)), \
     ['campaign_generation', 'enrichment_decision', 'website_analysis', 'airtable_operation'][1 + number % 4] AS kind, \
     toDateTime64('2026-01-05 00:00:00', 3, 'UTC') + intDiv(number, 4) * 300 AS time, time, \
     ['a', 'b', 'c'][1 + intDiv(number, 4) % 3] AS method, 1 + (number * 7919 % 1009) / 1009, \
     number * 7919 % 1009 > multiIf(kind != 'enrichment_decision' OR method != 'b', 100, \
        toUInt32(1 + intDiv(number, 7 * 288 * 4)) IN (2, 4, 6), 504, number >= 7 * 7 * 288 * 4, 908, 100), 50 + number * 104729 % 49, \
     '{}', '{}', '{}' FROM numbers(8 * 7 * 288 * 4)";

const METRIC: &str = "lead_enrichment.success_rate";
/// How long a change of state may take to show.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_recommendation_that_comes_back_is_reopened_and_leads_to_its_decisions() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    sandbox.stack().clickhouse().query(DECISIONS).await?;
    analyze(&sandbox, 2).await?;
    let first = found(&sandbox).await?.context("the fall of week 2")?;
    assert_eq!(first.state(), RecommendationState::Open);
    its_evidence_leads_to_decisions(&sandbox, &first).await?;
    the_trend_is_told(&sandbox).await?;
    it_is_closed_with_its_ticket_and_reopened_by_a_later_week(&sandbox, &first).await?;
    it_stays_dismissed_until_it_is_much_worse(&sandbox, &first).await?;
    a_run_is_left_and_cancelled_by_command(&sandbox).await
}

/// Monday of a week, from 1.
fn monday(week: i64) -> Result<String> {
    let first: Timestamp = "2026-01-05T00:00:00Z".parse()?;
    Ok((first + jiff::SignedDuration::from_hours((week - 1) * 7 * 24)).to_string())
}

async fn analyze(sandbox: &Sandbox, week: i64) -> Result<()> {
    let (from, to) = (monday(week)?, monday(week + 1)?);
    sandbox.kaizen(&["analyze", "--from", &from, "--to", &to]).await?;
    Ok(())
}

/// The recommendation to mend the fall, as the latest analysis has it.
async fn found(sandbox: &Sandbox) -> Result<Option<Recommendation>> {
    let request = ListRecommendationsRequest {
        show_dismissed: true,
        ..ListRecommendationsRequest::default()
    };
    let answer = analyses(sandbox).await?.list_recommendations(request).await?;
    let mut all = answer.into_inner().recommendations.into_iter();
    Ok(all.find(|it| it.rule == "slice_regression" && it.metric == METRIC))
}

async fn its_evidence_leads_to_decisions(sandbox: &Sandbox, it: &Recommendation) -> Result<()> {
    let evidence = it.evidence.as_ref().context("evidence")?;
    assert_eq!(evidence.component, "lead_enrichment");
    assert_eq!(
        (evidence.examples.len(), evidence.previous_examples.len()),
        (5, 5)
    );
    let mut client = metrics(sandbox).await?;
    for (examples, window, fails) in [
        (&evidence.examples, evidence.window, true),
        (&evidence.previous_examples, evidence.previous_window, false),
    ] {
        let window = window.context("a window")?;
        for example in examples {
            let request = GetDecisionRequest {
                event_id: example.event_id.clone(),
            };
            let found = client.get_decision(request).await?.into_inner();
            let summary = found.summary.context("a summary")?;
            assert_eq!(
                (summary.log_type.as_str(), summary.method_used.as_str()),
                ("enrichment_decision", "b")
            );
            let at = summary.decision_time.context("a time")?.seconds;
            let ends = [window.start_time, window.end_time].map(|it| it.map_or(0, |it| it.seconds));
            ensure!((ends[0]..ends[1]).contains(&at), "{at} is not in {ends:?}");
            // The worst of a share are those that do not count for it.
            ensure!(
                !fails || (!summary.success && example.value == Some(0.0)),
                "{example:?}"
            );
        }
    }
    all_of_it_can_be_listed_and_shown(sandbox, it).await
}

async fn all_of_it_can_be_listed_and_shown(sandbox: &Sandbox, it: &Recommendation) -> Result<()> {
    let evidence = it.evidence.as_ref().context("evidence")?;
    let all = ListDecisionsRequest {
        window: evidence.window,
        component: evidence.component.clone(),
        filters: evidence.filters.clone(),
        page_size: 1000,
        ..ListDecisionsRequest::default()
    };
    let mut client = metrics(sandbox).await?;
    let all = client.list_decisions(all).await?.into_inner().decisions;
    assert_eq!(all.len(), 672, "a third of a week's 2,016");
    ensure!(all.iter().all(|it| it.method_used == "b"));
    let shown = sandbox
        .kaizen(&["recommendations", "show", &it.recommendation_id])
        .await?;
    for part in [
        evidence.dashboard_path.as_str(),
        evidence.previous_dashboard_path.as_str(),
        &evidence.examples[0].event_id,
        "filter=method_used%3Db",
    ] {
        ensure!(shown.contains(part), "{part} is not in\n{shown}");
    }
    let page = reqwest::get(format!(
        "{}{}",
        sandbox.reporting().url(),
        evidence.dashboard_path
    ))
    .await?;
    ensure!(page.status().is_success(), "{}", page.status());
    no_service_tells_of_events(sandbox, &evidence.examples[0].event_id)
}

/// Links are for those who ask; logs have none.
fn no_service_tells_of_events(sandbox: &Sandbox, event_id: &str) -> Result<()> {
    for service in [sandbox.analysis(), sandbox.reporting()] {
        let log = service.part().log()?;
        ensure!(!log.contains(event_id), "{log}");
    }
    Ok(())
}

async fn the_trend_is_told(sandbox: &Sandbox) -> Result<()> {
    let told = sandbox.kaizen(&["trends"]).await?;
    let header = told.lines().nth(1).context("a header")?;
    for column in [
        "metric",
        "trend",
        "significance",
        "95 % interval",
        "n",
        "coverage",
    ] {
        ensure!(header.contains(column), "{told}");
    }
    let of = |metric: &str| {
        let cells = |line: &str| {
            line.split(['│', '┆'])
                .map(|it| it.trim().to_owned())
                .collect::<Vec<_>>()
        };
        let mut rows = told.lines().map(cells);
        rows.find(|cells| cells.get(1).is_some_and(|name| name == metric))
            .context("its row")
    };
    let row = of(METRIC)?;
    assert_eq!(row[2..5], ["declining", "high", "2026-01-12 00:00Z"], "{told}");
    ensure!(
        row[5].starts_with("-14.") && row[5].ends_with(" %"),
        "by a seventh: {row:?}"
    );
    assert_eq!(row[8..10], ["2,016", "100 %"], "{told}");
    assert_eq!(of("crm_sync.success_rate")?[2], "stable", "{told}");
    let json: serde_json::Value =
        serde_json::from_str(&sandbox.kaizen(&["--output", "json", "trends"]).await?)?;
    let trends = json["trends"].as_array().or(json.as_array()).context("trends")?;
    let trend = trends
        .iter()
        .find(|it| it["metric"] == METRIC)
        .context("its trend")?;
    assert_eq!(trend["direction"], "declining");
    Ok(())
}

async fn it_is_closed_with_its_ticket_and_reopened_by_a_later_week(
    sandbox: &Sandbox,
    first: &Recommendation,
) -> Result<()> {
    let id = first.recommendation_id.as_str();
    let accept = ["recommendations", "accept", id, "--ticket", "--actor", "anna"];
    sandbox.kaizen(&accept).await?;
    let accepted = found(sandbox).await?.context("accepted")?;
    assert_eq!(accepted.state(), RecommendationState::Accepted);
    let cancel = [
        "tickets", "cancel", "T-1", "--reason", "not now", "--actor", "bert",
    ];
    sandbox.kaizen(&cancel).await?;
    let closed = found(sandbox).await?.context("closed")?;
    assert_eq!(
        (closed.state(), closed.state_actor.as_str()),
        (RecommendationState::Closed, "bert")
    );
    analyze(sandbox, 3).await?;
    ensure!(found(sandbox).await?.is_none(), "week 3 has no fall");
    analyze(sandbox, 4).await?;
    let back = found(sandbox).await?.context("back")?;
    assert_eq!(back.recommendation_id, id);
    assert_eq!(
        (back.state(), back.state_reason.as_str()),
        (
            RecommendationState::Reopened,
            "came back after ticket T-1 ended as cancelled"
        )
    );
    let states: Vec<_> = back.history.iter().map(|it| it.state()).collect();
    assert_eq!(
        states,
        [
            RecommendationState::Open,
            RecommendationState::Accepted,
            RecommendationState::Closed,
            RecommendationState::Reopened
        ]
    );
    ensure!(back.history.iter().all(|it| it.change_time.is_some()));
    let shown = sandbox.kaizen(&["recommendations", "show", id]).await?;
    ensure!(
        shown.contains("reopened: came back after ticket T-1 ended as cancelled")
            && shown.contains("closed by bert"),
        "{shown}"
    );
    let listed = sandbox.kaizen(&["recommendations", "list"]).await?;
    ensure!(listed.contains("reopened"), "{listed}");
    Ok(())
}

async fn it_stays_dismissed_until_it_is_much_worse(sandbox: &Sandbox, first: &Recommendation) -> Result<()> {
    let id = first.recommendation_id.as_str();
    let dismiss = [
        "recommendations",
        "dismiss",
        id,
        "--reason",
        "known",
        "--actor",
        "anna",
    ];
    sandbox.kaizen(&dismiss).await?;
    analyze(sandbox, 6).await?;
    let again = found(sandbox).await?.context("again")?;
    assert_eq!(again.state(), RecommendationState::Dismissed);
    analyze(sandbox, 8).await?;
    let worse = found(sandbox).await?.context("worse")?;
    assert_eq!(worse.state(), RecommendationState::Reopened);
    ensure!(
        worse
            .state_reason
            .starts_with("came back worse after it was dismissed: -"),
        "{}",
        worse.state_reason
    );
    Ok(())
}

async fn a_run_is_left_and_cancelled_by_command(sandbox: &Sandbox) -> Result<()> {
    let engine = sandbox.stack().clickhouse();
    engine
        .query("RENAME TABLE kaizen.rejections TO kaizen.hidden")
        .await?;
    engine
        .query(
            "CREATE VIEW kaizen.rejections AS SELECT now64(3) AS _ingested_at, '' AS reason FROM numbers(50) \
             WHERE sleepEachRow(1) = 0 SETTINGS max_block_size = 1",
        )
        .await?;
    let mut left = Command::new(program("kaizen")?);
    left.current_dir(workspace())
        .args(["analyze", "--request-id", "left"])
        .env("KAIZEN_REPORTING", sandbox.reporting().url())
        .env("KAIZEN_ANALYSIS", sandbox.analysis().url())
        .stderr(Stdio::piped());
    let left = left.spawn()?;
    let state = "SELECT state FROM kaizen.analyses FINAL WHERE request_id = 'left'";
    eventually("it runs", SOON, async || {
        ensure!(engine.query(state).await? == "running");
        Ok(())
    })
    .await?;
    let interrupted = Command::new("kill")
        .args(["-INT", &left.id().to_string()])
        .status()?;
    ensure!(interrupted.success());
    let left = tokio::task::spawn_blocking(move || left.wait_with_output()).await??;
    let said = String::from_utf8(left.stderr)?;
    assert_eq!(left.status.code(), Some(1), "{said}");
    ensure!(
        said.contains("the run goes on without you") && said.contains("kaizen analyze --cancel left"),
        "{said}"
    );
    assert_eq!(engine.query(state).await?, "running");
    let cancel = [
        "analyze", "--cancel", "left", "--reason", "too long", "--actor", "anna",
    ];
    let told = sandbox.kaizen(&cancel).await?;
    ensure!(
        told.contains("was cancelled by anna") && told.contains("too long"),
        "{told}"
    );
    assert_eq!(engine.query(state).await?, "cancelled");
    assert_eq!(sandbox.kaizen(&cancel).await?, told);
    let none = sandbox.kaizen(&["analyze", "--cancel", "nothing"]).await;
    ensure!(none.is_err_and(|error| error.to_string().contains("NotFound")));
    Ok(())
}
