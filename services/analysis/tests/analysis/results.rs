//! What an analysis finds.

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::{Interval, MetricResult, RunAnalysisResponse, Trend, TrendDirection};
use kaizen_catalogue::{Catalogue, Metric};
use kaizen_testkit::workspace;

use crate::fixture::{Fixture, request, window};

#[tokio::test]
async fn every_metric_of_the_catalogue_is_there_once_in_its_order() -> Result<()> {
    let fixture = Fixture::start().await?;
    let found = run(&fixture, "one").await?;
    let analysis = found.analysis.context("an analysis")?;
    assert_eq!((analysis.decisions, analysis.rejections), (4 * 7 * 288, 0));
    let catalogue = Catalogue::load(&workspace().join("config/catalogue.yaml"))?;
    let expected: Vec<String> = catalogue
        .components()
        .iter()
        .flat_map(|component| {
            let name = |metric: &Metric| format!("{}.{}", component.name, metric.name);
            component.metrics.iter().map(name)
        })
        .collect();
    let whole = found.results.iter().filter(|result| result.group.is_empty());
    let measured: Vec<_> = whole
        .filter_map(|result| Some(result.metric.as_ref()?.name.clone()))
        .collect();
    assert_eq!(measured, expected);
    let judged: Vec<_> = found.trends.into_iter().map(|trend| trend.metric).collect();
    assert_eq!(judged, expected);
    Ok(())
}

#[tokio::test]
async fn a_value_is_what_a_count_of_the_decisions_says() -> Result<()> {
    let fixture = Fixture::start().await?;
    let found = run(&fixture, "one").await?;
    for (metric, group, expression, condition) in [
        ("total_enrichments", "", "count()", "1"),
        ("success_rate", "", "avg(success)", "1"),
        ("average_processing_time", "", "avg(processing_time)", "1"),
        ("method_effectiveness", "a", "avg(success)", "method_used = 'a'"),
        ("method_effectiveness", "b", "avg(success)", "method_used = 'b'"),
    ] {
        let result = result(&found, &format!("lead_enrichment.{metric}"), group)?;
        let [now, before] = counted(&fixture, expression, condition).await?;
        for (found, (expected, n)) in [(result.value, now), (result.previous, before)] {
            let found = found.context("a value")?;
            let value = found.value.context("a value")?;
            ensure!(
                (value - expected).abs() < 1e-9,
                "{metric} {group}: {value}, not {expected}"
            );
            assert_eq!((found.n, found.coverage, found.thin), (n, Some(1.0), false));
        }
    }
    let rate = result(&found, "lead_enrichment.success_rate", "")?;
    let rate = rate.value.context("a value")?;
    let Interval { lower, upper } = rate.interval.context("an interval")?;
    let value = rate.value.context("a value")?;
    ensure!(lower < value && value < upper && upper - lower < 0.05, "{rate:?}");
    Ok(())
}

#[tokio::test]
async fn a_fall_is_found_and_what_stays_is_called_stable() -> Result<()> {
    let fixture = Fixture::start().await?;
    let found = run(&fixture, "one").await?;
    let fall = trend(&found, "lead_enrichment.success_rate")?;
    assert_eq!(fall.direction(), TrendDirection::Declining);
    assert_eq!(
        (fall.significance.as_str(), fall.method.is_empty()),
        ("high", false)
    );
    ensure!(fall.p_value.context("a p-value")? < 0.01 && fall.change_percent.context("a change")? < -10.0);
    for metric in [
        "website_scraping.success_rate",
        "crm_sync.success_rate",
        "lead_enrichment.total_enrichments",
    ] {
        assert_eq!(
            trend(&found, metric)?.direction(),
            TrendDirection::Stable,
            "{metric}"
        );
    }
    // Nothing came before the first week.
    let mut first = request("first")?;
    first.period = Some(window(["2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"])?);
    let first = fixture
        .service
        .runs()
        .await?
        .run_analysis(first)
        .await?
        .into_inner();
    ensure!(
        first
            .trends
            .iter()
            .all(|trend| trend.direction() == TrendDirection::InsufficientData
                && trend.p_value.is_none()
                && trend.significance.is_empty())
    );
    Ok(())
}

#[tokio::test]
async fn the_same_period_gives_the_same_rows() -> Result<()> {
    let fixture = Fixture::start().await?;
    let one = run(&fixture, "one").await?;
    fixture.service.process.kill();
    fixture.service.restart().await?;
    let two = run(&fixture, "two").await?;
    assert_eq!((one.results, one.trends), (two.results, two.trends));
    let different =
        "SELECT count(), uniqExact(toString(tuple(* EXCEPT (analysis_id, created_at)))) FROM kaizen.";
    for table in ["metric_points", "trends"] {
        let counts = fixture.sql(&format!("{different}{table} FINAL")).await?;
        let (rows, distinct) = counts.split_once('\t').context("two counts")?;
        assert_eq!(rows.parse::<u64>()?, 2 * distinct.parse::<u64>()?, "{table}");
    }
    Ok(())
}

async fn run(fixture: &Fixture, request_id: &str) -> Result<RunAnalysisResponse> {
    Ok(fixture
        .service
        .runs()
        .await?
        .run_analysis(request(request_id)?)
        .await?
        .into_inner())
}

/// Value and number of the enrichments that meet a condition, in the second week and in the first.
async fn counted(fixture: &Fixture, expression: &str, condition: &str) -> Result<[(f64, u64); 2]> {
    let statement = format!(
        "SELECT toFloat64({expression}), count() FROM kaizen.decisions \
         WHERE log_type = 'enrichment_decision' AND {condition} \
         GROUP BY timestamp >= '2026-01-12 00:00:00' AS later ORDER BY later DESC"
    );
    let rows = fixture.sql(&statement).await?;
    let row = |line: &str| -> Result<_> {
        let (value, n) = line.split_once('\t').context("two fields")?;
        Ok((value.parse()?, n.parse()?))
    };
    let (now, before) = rows.split_once('\n').context("two weeks")?;
    Ok([row(now)?, row(before)?])
}

fn result<'a>(found: &'a RunAnalysisResponse, metric: &str, group: &str) -> Result<&'a MetricResult> {
    let is_it = |it: &&MetricResult| {
        it.group == group && it.metric.as_ref().is_some_and(|named| named.name == metric)
    };
    found
        .results
        .iter()
        .find(is_it)
        .with_context(|| format!("no {metric} of {group:?}"))
}

fn trend<'a>(found: &'a RunAnalysisResponse, metric: &str) -> Result<&'a Trend> {
    found
        .trends
        .iter()
        .find(|it| it.metric == metric)
        .with_context(|| format!("no trend of {metric}"))
}
