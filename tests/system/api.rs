//! The gRPC interface as a client sees it: answers, errors that name the field, pages, and the same over HTTP/1.1.

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::{
    AnalysisState, Comparison, Filter, GetDecisionRequest, ListDecisionsRequest, ListMetricsRequest,
    QueryMetricRequest, RunAnalysisRequest, WatchAnalysisRequest, Window,
    analysis_service_client::AnalysisServiceClient, comparison::To,
};
use kaizen_testkit::Sandbox;
use tonic::{Code, Status};

use crate::client::{analyses, metrics, window};

const METRIC: &str = "lead_enrichment.success_rate";

/// A system with a small fleet in it: 4,000 decisions over two weeks.
async fn small_fleet() -> Result<Sandbox> {
    let sandbox = Sandbox::start().await?;
    let scenario = "config/scenarios/small.yaml";
    sandbox
        .kaizen(&[
            "simulate",
            "--scenario",
            scenario,
            "--topic",
            "kaizen.decisions.backfill",
        ])
        .await?;
    Ok(sandbox)
}

fn fortnight() -> Result<Window> {
    window("2026-01-05T00:00:00Z", "2026-01-19T00:00:00Z")
}

#[tokio::test]
async fn the_interface_answers_and_refuses_as_its_contract_says() -> Result<()> {
    let sandbox = small_fleet().await?;
    wrong_questions_name_their_field(&sandbox).await?;
    pages_hold_every_decision_once_newest_first(&sandbox).await?;
    a_decision_comes_in_full(&sandbox).await?;
    an_analysis_runs_once_a_request(&sandbox).await?;
    the_page_and_grpc_web_come_from_the_same_port(&sandbox).await
}

fn refused<T>(answer: Result<T, Status>, field: &str) -> Result<()> {
    let status = answer.err().with_context(|| format!("{field} was accepted"))?;
    ensure!(status.code() == Code::InvalidArgument, "{field}: {status:?}");
    ensure!(
        status.message().starts_with(field),
        "{field}: {}",
        status.message()
    );
    Ok(())
}

async fn wrong_questions_name_their_field(sandbox: &Sandbox) -> Result<()> {
    let mut client = metrics(sandbox).await?;
    let good = QueryMetricRequest {
        metric: METRIC.to_owned(),
        window: Some(fortnight()?),
        ..Default::default()
    };
    let half = window("2026-01-05T00:30:00Z", "2026-01-19T00:00:00Z")?;
    let filter = |dimension: &str, values: usize| Filter {
        dimension: dimension.to_owned(),
        values: vec!["x".to_owned(); values],
    };
    for (request, field) in [
        (
            QueryMetricRequest {
                metric: String::new(),
                ..good.clone()
            },
            "metric",
        ),
        (
            QueryMetricRequest {
                window: None,
                ..good.clone()
            },
            "window",
        ),
        (
            QueryMetricRequest {
                window: Some(half),
                ..good.clone()
            },
            "window.start_time",
        ),
        (
            QueryMetricRequest {
                step: 99,
                ..good.clone()
            },
            "step",
        ),
        (
            QueryMetricRequest {
                time_zone: "Mars/Base".to_owned(),
                ..good.clone()
            },
            "time_zone",
        ),
        (
            QueryMetricRequest {
                filters: vec![filter("colour", 1)],
                ..good.clone()
            },
            "filters[0].dimension",
        ),
        (
            QueryMetricRequest {
                filters: vec![filter("model", 0)],
                ..good.clone()
            },
            "filters[0].values",
        ),
        (
            QueryMetricRequest {
                group_by: "colour".to_owned(),
                ..good.clone()
            },
            "group_by",
        ),
        (
            QueryMetricRequest {
                group_limit: 101,
                ..good.clone()
            },
            "group_limit",
        ),
        (
            QueryMetricRequest {
                compare_to: Some(Comparison {
                    to: Some(To::Previous(false)),
                }),
                ..good.clone()
            },
            "compare_to",
        ),
    ] {
        refused(client.query_metric(request).await, field)?;
    }
    let unknown = QueryMetricRequest {
        metric: "a.b".to_owned(),
        ..good
    };
    let unknown = client
        .query_metric(unknown)
        .await
        .err()
        .context("a metric that is not there")?;
    ensure!(unknown.code() == Code::NotFound, "{unknown:?}");
    refused(
        client
            .list_metrics(ListMetricsRequest {
                component: "x".to_owned(),
            })
            .await,
        "component",
    )?;
    let page = ListDecisionsRequest {
        window: Some(fortnight()?),
        ..Default::default()
    };
    refused(
        client
            .list_decisions(ListDecisionsRequest {
                page_size: 1001,
                ..page.clone()
            })
            .await,
        "page_size",
    )?;
    refused(
        client
            .list_decisions(ListDecisionsRequest {
                page_token: "x".to_owned(),
                ..page
            })
            .await,
        "page_token",
    )
}

async fn pages_hold_every_decision_once_newest_first(sandbox: &Sandbox) -> Result<()> {
    let mut client = metrics(sandbox).await?;
    let mut request = ListDecisionsRequest {
        window: Some(fortnight()?),
        page_size: 300,
        ..Default::default()
    };
    let mut ids = Vec::new();
    let mut last = i64::MAX;
    loop {
        let page = client.list_decisions(request.clone()).await?.into_inner();
        for decision in page.decisions {
            let time = decision.decision_time.context("a time")?.seconds;
            ensure!(time <= last, "an older decision came first");
            last = time;
            ids.push(decision.event_id);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let pages = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((pages, ids.len()), (4000, 4000), "every decision, once");

    let filters = vec![Filter {
        dimension: "model".to_owned(),
        values: vec!["large-2".to_owned()],
    }];
    let component = "lead_enrichment".to_owned();
    let request = ListDecisionsRequest {
        window: Some(fortnight()?),
        component,
        filters,
        ..Default::default()
    };
    let filtered = client.list_decisions(request).await?.into_inner().decisions;
    ensure!(filtered.len() == 50, "a page of {}", filtered.len());
    ensure!(
        filtered
            .iter()
            .all(|decision| decision.log_type == "enrichment_decision")
    );
    Ok(())
}

async fn a_decision_comes_in_full(sandbox: &Sandbox) -> Result<()> {
    let mut client = metrics(sandbox).await?;
    let event_id = "small-1-0".to_owned();
    let found = client
        .get_decision(GetDecisionRequest {
            event_id: event_id.clone(),
        })
        .await?
        .into_inner();
    assert_eq!(found.summary.context("a summary")?.event_id, event_id);
    assert_eq!(
        found.source.context("a source")?.topic,
        "kaizen.decisions.backfill"
    );
    ensure!(
        found
            .output_data
            .context("its output")?
            .fields
            .contains_key("text")
    );
    ensure!(!found.dimensions.is_empty());
    let missing = client
        .get_decision(GetDecisionRequest {
            event_id: "none".to_owned(),
        })
        .await;
    ensure!(missing.err().context("no decision")?.code() == Code::NotFound);
    Ok(())
}

async fn an_analysis_runs_once_a_request(sandbox: &Sandbox) -> Result<()> {
    let mut runs = AnalysisServiceClient::connect(sandbox.analysis().url()).await?;
    let week = window("2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z")?;
    let request = RunAnalysisRequest {
        request_id: "once".to_owned(),
        period: Some(week),
        time_zone: "Europe/Berlin".to_owned(),
    };
    let mut at_once = runs.clone();
    let (one, other) = tokio::join!(
        runs.run_analysis(request.clone()),
        at_once.run_analysis(request.clone())
    );
    let (one, other) = (one?.into_inner(), other?.into_inner());
    assert_eq!(one, other, "two at once are one run");
    assert_eq!(
        runs.run_analysis(request.clone()).await?.into_inner(),
        one,
        "and so is one later"
    );
    let analysis = one.analysis.context("an analysis")?;
    assert_eq!(
        (analysis.state(), analysis.decisions > 1000),
        (AnalysisState::Succeeded, true)
    );

    let other = RunAnalysisRequest {
        period: Some(fortnight()?),
        ..request.clone()
    };
    let taken = runs
        .run_analysis(other)
        .await
        .err()
        .context("another period under the same id")?;
    ensure!(taken.code() == Code::AlreadyExists, "{taken:?}");
    refused(
        runs.run_analysis(RunAnalysisRequest {
            request_id: "a b".to_owned(),
            ..request.clone()
        })
        .await,
        "request_id",
    )?;
    refused(
        runs.run_analysis(RunAnalysisRequest {
            period: None,
            ..request.clone()
        })
        .await,
        "period",
    )?;
    let watch = WatchAnalysisRequest {
        analysis_id: analysis.analysis_id,
    };
    let mut watched = runs.watch_analysis(watch).await?.into_inner();
    let last = watched.message().await?.context("a message")?;
    assert_eq!((last.stages_done, last.stages_total), (4, 4));
    ensure!(
        watched.message().await?.is_none(),
        "the last message ends the stream"
    );
    let elsewhere = analyses(sandbox)
        .await?
        .run_analysis(request)
        .await
        .err()
        .context("reporting runs nothing")?;
    ensure!(
        elsewhere.code() == Code::Unimplemented && elsewhere.message().contains("`analysis`"),
        "{elsewhere:?}"
    );
    Ok(())
}

async fn the_page_and_grpc_web_come_from_the_same_port(sandbox: &Sandbox) -> Result<()> {
    let url = sandbox.reporting().url();
    let page = reqwest::get(format!("{url}/?from=2026-01-05")).await?;
    let policy = page
        .headers()
        .get("content-security-policy")
        .context("a policy")?
        .to_str()?
        .to_owned();
    ensure!(policy.starts_with("default-src 'self'"), "{policy}");
    ensure!(page.headers()["cache-control"] == "no-cache" && page.text().await?.contains("<title>"));
    assert_eq!(reqwest::get(format!("{url}/assets/none.js")).await?.status(), 404);

    // An empty message: no compression, length zero.
    let call = reqwest::Client::new()
        .post(format!("{url}/kaizen.analysis.v1.MetricService/ListMetrics"))
        .header("content-type", "application/grpc-web+proto")
        .body(vec![0; 5])
        .send()
        .await?;
    assert_eq!(
        (call.status().as_u16(), call.version()),
        (200, reqwest::Version::HTTP_11)
    );
    let body = call.bytes().await?;
    let tail = String::from_utf8_lossy(&body[body.len().saturating_sub(200)..]).into_owned();
    ensure!(tail.contains("grpc-status:0"), "{tail}");
    Ok(())
}
