//! The simulated fleet: eight weeks, 200,000 decisions, a planted fault. What the simulator knows of its own events is
//! what the system says of them, to the last digit: over gRPC, in the analysis and on the dashboard.

mod explained;
mod measured;
mod recommended;
mod ticketed;

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::{
    AnalysisState, GetAnalysisRequest, ListAnalysesRequest, ListMetricsRequest, Series, Step, TrendDirection,
    Value,
};
use kaizen_testkit::{Sandbox, workspace};
use serde::Deserialize;
use tempfile::TempDir;

use crate::client::{analyses, metrics, series, text, window};

const SCENARIO: &str = "config/scenarios/fleet-8-weeks.yaml";
const EVENTS: u64 = 200_000;

/// The simulator's truth file, as far as it is compared here.
#[derive(Deserialize)]
struct Truth {
    events: u64,
    window: Span,
    components: Vec<Component>,
    faults: Vec<Fault>,
}

#[derive(Deserialize)]
struct Span {
    start: String,
    end: String,
}

#[derive(Deserialize)]
struct Component {
    log_type: String,
    events: u64,
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    name: String,
    n: u64,
    value: Option<f64>,
    weeks: Vec<Week>,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Week {
    start: String,
    n: u64,
    value: Option<f64>,
}

#[derive(Deserialize)]
struct Group {
    group: String,
    n: u64,
    value: Option<f64>,
}

#[derive(Deserialize)]
struct Fault {
    metric: String,
    slice: BTreeMap<String, String>,
    size: Planted,
}

/// What a fault changes of its metric in its slice.
#[derive(Deserialize)]
struct Planted {
    absolute: f64,
}

/// A value of the system as a value of the truth.
fn of(value: Option<&Value>) -> Result<(u64, Option<f64>)> {
    let value = value.context("a value is missing")?;
    Ok((value.n, value.value))
}

/// The system with the fleet's events in it, and their truth.
async fn fleet() -> Result<(Sandbox, Truth)> {
    let sandbox = Sandbox::start().await?;
    let folder = TempDir::new()?;
    let file = folder.path().join("truth.json");
    let truth = file.to_str().context("a path in UTF-8")?;
    let topic = "kaizen.decisions.backfill";
    sandbox
        .kaizen(&[
            "simulate",
            "--scenario",
            SCENARIO,
            "--seed",
            "7",
            "--topic",
            topic,
            "--truth",
            truth,
        ])
        .await?;
    let truth = serde_json::from_slice(&std::fs::read(&file)?)?;
    Ok((sandbox, truth))
}

#[tokio::test]
async fn two_hundred_thousand_simulated_decisions_give_the_simulators_own_numbers_everywhere() -> Result<()> {
    let (sandbox, truth) = fleet().await?;
    assert_eq!(truth.events, EVENTS);
    every_event_is_stored_once(&sandbox, &truth).await?;
    let compared = every_metric_is_the_truth(&sandbox, &truth).await?;
    ensure!(compared > 140, "only {compared} values were compared");
    the_analysis_of_the_last_week_is_the_truth_and_finds_the_fault(&sandbox, &truth).await?;
    let listed = metrics(&sandbox)
        .await?
        .list_metrics(ListMetricsRequest::default())
        .await?
        .into_inner()
        .metrics;
    explained::the_planted_slices_are_named_and_no_others(&sandbox, &truth, &listed).await?;
    recommended::the_faults_are_to_be_mended_and_decisions_are_remembered(&sandbox, &truth).await?;
    ticketed::an_accepted_recommendation_becomes_a_ticket_and_runs_its_course(&sandbox).await?;
    the_dashboard_shows_what_grpc_says(&sandbox).await?;
    measured::what_was_mended_is_verified_and_what_was_not_is_not(&sandbox).await
}

async fn every_event_is_stored_once(sandbox: &Sandbox, truth: &Truth) -> Result<()> {
    let clickhouse = sandbox.stack().clickhouse();
    let counted = clickhouse
        .query("SELECT count(), uniqExact(_topic, _partition, _offset), uniqExact(event_id) FROM kaizen.decisions")
        .await?;
    assert_eq!(counted, format!("{EVENTS}\t{EVENTS}\t{EVENTS}"));
    assert_eq!(
        clickhouse.query("SELECT count() FROM kaizen.rejections").await?,
        "0"
    );
    assert_eq!(
        clickhouse
            .query("SELECT countIf(lead_name != '') FROM kaizen.decisions")
            .await?,
        "0"
    );
    for component in &truth.components {
        let of_type = format!(
            "SELECT count() FROM kaizen.decisions WHERE log_type = '{}'",
            component.log_type
        );
        assert_eq!(
            clickhouse.query(&of_type).await?,
            component.events.to_string(),
            "{}",
            component.log_type
        );
    }
    Ok(())
}

/// Compares each metric whole, a week and a group; returns how many values that were.
async fn every_metric_is_the_truth(sandbox: &Sandbox, truth: &Truth) -> Result<usize> {
    let listed = metrics(sandbox)
        .await?
        .list_metrics(ListMetricsRequest::default())
        .await?
        .into_inner()
        .metrics;
    let known: Vec<_> = truth
        .components
        .iter()
        .flat_map(|component| &component.metrics)
        .collect();
    let names = |names: Vec<&str>| {
        names
            .into_iter()
            .map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(
        names(listed.iter().map(|metric| metric.name.as_str()).collect()),
        names(known.iter().map(|metric| metric.name.as_str()).collect()),
        "every metric of the catalogue has a truth"
    );
    let mut compared = 0;
    for metric in known {
        let span = window(&truth.window.start, &truth.window.end)?;
        let answer = series(sandbox, &metric.name, span, Step::Week, "").await?;
        let [whole] = answer.as_slice() else {
            anyhow::bail!("{}: {} series", metric.name, answer.len())
        };
        compared += compare_weeks(metric, whole)?;
        let split = listed
            .iter()
            .find(|known| known.name == metric.name)
            .map(|known| known.split_by.as_str());
        if let Some(split) = split.filter(|split| !split.is_empty()) {
            compared += compare_groups(
                metric,
                &series(sandbox, &metric.name, span, Step::Unspecified, split).await?,
            )?;
        }
    }
    Ok(compared)
}

fn compare_weeks(metric: &Metric, series: &Series) -> Result<usize> {
    let name = &metric.name;
    assert_eq!(of(series.total.as_ref())?, (metric.n, metric.value), "{name}");
    assert_eq!(series.points.len(), metric.weeks.len(), "{name}: weeks");
    for (point, week) in series.points.iter().zip(&metric.weeks) {
        assert_eq!(text(point.start_time)?, week.start, "{name}");
        assert_eq!(
            of(point.value.as_ref())?,
            (week.n, week.value),
            "{name} in the week of {}",
            week.start
        );
    }
    Ok(1 + metric.weeks.len())
}

fn compare_groups(metric: &Metric, series: &[Series]) -> Result<usize> {
    let name = &metric.name;
    assert_eq!(series.len(), metric.groups.len(), "{name}: groups");
    for group in &metric.groups {
        let found = series.iter().find(|series| series.group == group.group);
        let found = found.with_context(|| format!("{name}: no group {}", group.group))?;
        assert_eq!(
            of(found.total.as_ref())?,
            (group.n, group.value),
            "{name} of {}",
            group.group
        );
    }
    Ok(series.len())
}

async fn the_analysis_of_the_last_week_is_the_truth_and_finds_the_fault(
    sandbox: &Sandbox,
    truth: &Truth,
) -> Result<()> {
    let summary = sandbox.kaizen(&["analyze"]).await?;
    let mut client = analyses(sandbox).await?;
    let listed = client
        .list_analyses(ListAnalysesRequest::default())
        .await?
        .into_inner()
        .analyses;
    let [analysis] = listed.as_slice() else {
        anyhow::bail!("{} analyses", listed.len())
    };
    assert_eq!(analysis.state(), AnalysisState::Succeeded);
    let period = analysis.period.as_ref().context("a period")?;
    assert_eq!(text(period.end_time)?, truth.window.end, "the last whole week");

    let request = GetAnalysisRequest {
        analysis_id: analysis.analysis_id.clone(),
    };
    let found = client.get_analysis(request).await?.into_inner();
    for metric in truth.components.iter().flat_map(|component| &component.metrics) {
        let [.., before, last] = metric.weeks.as_slice() else {
            anyhow::bail!("{}: too few weeks", metric.name)
        };
        let result = found.results.iter().find(|result| {
            result.group.is_empty()
                && result
                    .metric
                    .as_ref()
                    .is_some_and(|known| known.name == metric.name)
        });
        let result = result.with_context(|| format!("no result for {}", metric.name))?;
        assert_eq!(
            of(result.value.as_ref())?,
            (last.n, last.value),
            "{}",
            metric.name
        );
        assert_eq!(
            of(result.previous.as_ref())?,
            (before.n, before.value),
            "{} before",
            metric.name
        );
    }
    ensure!(!truth.faults.is_empty(), "the scenario has no fault");
    for fault in &truth.faults {
        let trend = found.trends.iter().find(|trend| trend.metric == fault.metric);
        let trend = trend.with_context(|| format!("no trend for {}", fault.metric))?;
        assert_eq!(trend.direction(), TrendDirection::Declining, "{trend:?}");
        assert!(
            summary.contains("declining"),
            "the summary hides the fault:\n{summary}"
        );
    }
    Ok(())
}

/// What the test browser found on the page.
#[derive(Deserialize)]
struct Page {
    from: String,
    to: String,
    tiles: Vec<Tile>,
}

#[derive(Deserialize)]
struct Tile {
    metric: String,
    value: Option<f64>,
    n: u64,
}

async fn the_dashboard_shows_what_grpc_says(sandbox: &Sandbox) -> Result<()> {
    let mut browser = Command::new("node");
    browser
        .current_dir(workspace().join("web"))
        .arg("e2e/overview.mjs");
    browser.env("KAIZEN_DASHBOARD_URL", sandbox.reporting().url());
    let output = tokio::task::spawn_blocking(move || browser.output()).await??;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "the browser found fault with the page:\n{said}"
    );
    let page: Page = serde_json::from_slice(&output.stdout)?;
    let listed = metrics(sandbox)
        .await?
        .list_metrics(ListMetricsRequest::default())
        .await?
        .into_inner()
        .metrics;
    assert_eq!(page.tiles.len(), listed.len(), "a tile a metric");
    for tile in page.tiles {
        let span = window(&page.from, &page.to)?;
        let answer = series(sandbox, &tile.metric, span, Step::Unspecified, "").await?;
        let total = answer.first().context("a series")?.total.as_ref();
        assert_eq!((tile.n, tile.value), of(total)?, "{}", tile.metric);
    }
    Ok(())
}
