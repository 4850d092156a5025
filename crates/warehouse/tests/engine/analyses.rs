use anyhow::{Context, Result};
use jiff::Timestamp;
use kaizen_findings::{Detail, Direction, Finding, Move, Significance, Slope, Trend};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{
    self, Analysis, AnalysisCursor, AnalysisState, Interval, MetricPoint, MetricTrend, Value, Window,
};

use crate::sandbox::Sandbox;

fn analysis(id: &str, minute: u32) -> Result<Analysis> {
    let window =
        |start: &str, end: &str| -> Result<_> { Ok(Window::new("window", start.parse()?, end.parse()?)?) };
    Ok(Analysis {
        analysis_id: id.to_owned(),
        request_id: format!("request-{id}"),
        period: window("2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z")?,
        previous: window("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z")?,
        time_zone: "Europe/Berlin".to_owned(),
        state: AnalysisState::Running,
        created_at: at(minute)?,
        code_version: "1.2.3".to_owned(),
        error: String::new(),
        decisions: 42,
        rejections: 7,
        attempt: 1,
        first_attempt: 1,
        results_at: None,
        cancellation: None,
    })
}

fn at(minute: u32) -> Result<Timestamp> {
    Ok(format!("2026-02-01T10:{minute:02}:00.125Z").parse()?)
}

fn point(group: &str, value: f64) -> MetricPoint {
    MetricPoint {
        metric: "c.m".to_owned(),
        group: group.to_owned(),
        value: Value {
            value: Some(value),
            n: 20,
            coverage: Some(0.75),
            interval: Some(Interval {
                lower: value - 0.1,
                upper: value + 0.1,
            }),
            thin: true,
        },
        previous: Value::default(),
    }
}

fn trend(p_value: Option<f64>) -> MetricTrend {
    let slope = Slope {
        per_day: 0.5,
        interval: (0.25, 0.75),
        p_value: 0.125,
        since: 1_767_571_200,
        days: 28,
    };
    MetricTrend {
        metric: "c.m".to_owned(),
        trend: Trend {
            direction: Direction::Stable,
            change_percent: Some(1.5),
            change_interval: Some((-1.0, 4.0)),
            p_value,
            significance: p_value.map(|_| Significance::Low),
            method: "a method".to_owned(),
            slope: p_value.map(|_| slope),
            onset: p_value.map(|_| 1_768_003_200),
            n: 20.0,
            coverage: Some(0.75),
        },
    }
}

fn finding(effect: f64) -> Finding {
    Finding {
        component: "c".to_owned(),
        metric: "c.m".to_owned(),
        text: "It fell".to_owned(),
        is_worse: Some(true),
        detail: Detail::LevelChange(Move {
            at: 1_768_003_200,
            step: 3_600,
            effect,
            interval: (effect - 1.0, effect + 1.0),
            is_improving: false,
        }),
    }
}

async fn put(
    client: &Client,
    run: &Analysis,
    (points, trends, findings): (&[MetricPoint], &[MetricTrend], &[Finding]),
    now: Timestamp,
) -> Result<()> {
    queries::put_results(client, run, points, now).await?;
    queries::put_trends(client, run, trends, now).await?;
    queries::put_findings(client, run, findings, now).await?;
    Ok(())
}

#[tokio::test]
async fn an_analysis_is_read_as_it_was_written_and_its_last_state_counts() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let client = &sandbox.client;
    assert_eq!(queries::analysis(client, "a").await?, None);
    let mut written = analysis("a", 0)?;
    queries::put_analysis(client, &written, at(1)?).await?;
    assert_eq!(queries::analysis(client, "a").await?.as_ref(), Some(&written));
    (written.state, written.error) = (AnalysisState::Failed, "ended".to_owned());
    queries::put_analysis(client, &written, at(2)?).await?;
    assert_eq!(queries::analysis(client, "a").await?.as_ref(), Some(&written));
    Ok(())
}

#[tokio::test]
async fn results_are_those_of_the_attempt_that_succeeded() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let client = &sandbox.client;
    let mut run = analysis("a", 0)?;
    let (first, second) = (
        [point("", 0.5), point("x", 0.25), point("y", 0.75)],
        [point("", 0.6), point("y", 0.8)],
    );
    let attempt = (
        &first[..],
        &[trend(Some(0.5)), trend(None)][..],
        &[finding(-2.0)][..],
    );
    put(client, &run, attempt, at(1)?).await?;
    for state in [AnalysisState::Running, AnalysisState::Failed] {
        run.state = state;
        assert_eq!(queries::points(client, &run).await?, [], "{state:?}");
        assert_eq!(queries::trends(client, &run).await?, [], "{state:?}");
        assert_eq!(queries::findings(client, &run).await?, [], "{state:?}");
    }
    let (trends, findings) = ([trend(Some(0.25)), trend(None)], [finding(-3.5), finding(1.25)]);
    put(client, &run, (&second, &trends, &findings), at(2)?).await?;
    put(client, &analysis("b", 3)?, attempt, at(3)?).await?;
    run.state = AnalysisState::Succeeded;
    assert_eq!(queries::points(client, &run).await?, second);
    assert_eq!(queries::trends(client, &run).await?, trends);
    assert_eq!(queries::findings(client, &run).await?, findings);
    Ok(())
}

#[tokio::test]
async fn pages_hold_every_analysis_once_newest_first() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let client = &sandbox.client;
    // Two of them created at once.
    for (id, minute) in [("a", 1), ("b", 3), ("c", 2), ("d", 3)] {
        queries::put_analysis(client, &analysis(id, minute)?, at(minute)?).await?;
    }
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = queries::analyses(client, 3, after.as_ref()).await?;
        ids.extend(page.iter().map(|it| it.analysis_id.clone()));
        if page.len() < 3 {
            break;
        }
        let last = page.last().context("a full page")?;
        after = Some(AnalysisCursor {
            created_at: last.created_at,
            analysis_id: last.analysis_id.clone(),
        });
    }
    assert_eq!(ids, ["d", "b", "c", "a"]);
    Ok(())
}

#[tokio::test]
async fn only_runs_without_an_end_are_unended() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let client = &sandbox.client;
    for (id, minute) in [("a", 2), ("b", 1), ("c", 3)] {
        queries::put_analysis(client, &analysis(id, minute)?, at(minute)?).await?;
    }
    let mut ended = analysis("a", 2)?;
    ended.state = AnalysisState::Succeeded;
    queries::put_analysis(client, &ended, at(4)?).await?;
    let ids: Vec<_> = queries::unended(client)
        .await?
        .into_iter()
        .map(|it| it.analysis_id)
        .collect();
    assert_eq!(ids, ["b", "c"]);
    Ok(())
}
