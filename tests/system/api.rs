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
    wrong_pages_name_their_field(&sandbox).await?;
    pages_hold_every_decision_once_newest_first(&sandbox).await?;
    a_decision_comes_in_full(&sandbox).await?;
    an_analysis_runs_once_a_request(&sandbox).await?;
    an_analysis_that_cannot_be_run_is_refused_by_field(&sandbox).await?;
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
    let filters = |dimension: &str, values: usize| {
        vec![Filter {
            dimension: dimension.to_owned(),
            values: vec!["x".to_owned(); values],
        }]
    };
    let nothing = Some(Comparison {
        to: Some(To::Previous(false)),
    });
    type Change<'a> = Box<dyn FnOnce(&mut QueryMetricRequest) + 'a>;
    let wrong: [(&str, Change<'_>); 10] = [
        ("metric", Box::new(|it| it.metric.clear())),
        ("window", Box::new(|it| it.window = None)),
        ("window.start_time", Box::new(|it| it.window = Some(half))),
        ("step", Box::new(|it| it.step = 99)),
        ("time_zone", Box::new(|it| it.time_zone = "Mars/Base".to_owned())),
        (
            "filters[0].dimension",
            Box::new(|it| it.filters = filters("colour", 1)),
        ),
        (
            "filters[0].values",
            Box::new(|it| it.filters = filters("model", 0)),
        ),
        ("group_by", Box::new(|it| it.group_by = "colour".to_owned())),
        ("group_limit", Box::new(|it| it.group_limit = 101)),
        ("compare_to", Box::new(|it| it.compare_to = nothing)),
    ];
    for (field, change) in wrong {
        let mut request = good.clone();
        change(&mut request);
        refused(client.query_metric(request).await, field)?;
    }
    let unknown = QueryMetricRequest {
        metric: "a.b".to_owned(),
        ..good
    };
    let unknown = client.query_metric(unknown).await;
    let unknown = unknown.err().context("a metric that is not there")?;
    ensure!(unknown.code() == Code::NotFound, "{unknown:?}");
    let component = "x".to_owned();
    refused(
        client.list_metrics(ListMetricsRequest { component }).await,
        "component",
    )
}

async fn wrong_pages_name_their_field(sandbox: &Sandbox) -> Result<()> {
    let mut client = metrics(sandbox).await?;
    let page = ListDecisionsRequest {
        window: Some(fortnight()?),
        ..Default::default()
    };
    let too_long = ListDecisionsRequest {
        page_size: 1001,
        ..page.clone()
    };
    refused(client.list_decisions(too_long).await, "page_size")?;
    let not_ours = ListDecisionsRequest {
        page_token: "x".to_owned(),
        ..page
    };
    refused(client.list_decisions(not_ours).await, "page_token")
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

fn last_week() -> Result<RunAnalysisRequest> {
    Ok(RunAnalysisRequest {
        request_id: "once".to_owned(),
        period: Some(window("2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z")?),
        time_zone: "Europe/Berlin".to_owned(),
    })
}

async fn an_analysis_runs_once_a_request(sandbox: &Sandbox) -> Result<()> {
    let mut runs = AnalysisServiceClient::connect(sandbox.analysis().url()).await?;
    let request = last_week()?;
    let mut at_once = runs.clone();
    let (one, other) = tokio::join!(
        runs.run_analysis(request.clone()),
        at_once.run_analysis(request.clone())
    );
    let (one, other) = (one?.into_inner(), other?.into_inner());
    assert_eq!(one, other, "two at once are one run");
    let later = runs.run_analysis(request).await?.into_inner();
    assert_eq!(later, one, "and so is one later");
    let analysis = one.analysis.context("an analysis")?;
    assert_eq!(
        (analysis.state(), analysis.decisions > 1000),
        (AnalysisState::Succeeded, true)
    );

    let watch = WatchAnalysisRequest {
        analysis_id: analysis.analysis_id,
    };
    let mut watched = runs.watch_analysis(watch).await?.into_inner();
    let last = watched.message().await?.context("a message")?;
    assert_eq!((last.stages_done, last.stages_total), (7, 7));
    ensure!(
        watched.message().await?.is_none(),
        "the last message ends the stream"
    );
    Ok(())
}

async fn an_analysis_that_cannot_be_run_is_refused_by_field(sandbox: &Sandbox) -> Result<()> {
    let mut runs = AnalysisServiceClient::connect(sandbox.analysis().url()).await?;
    let other = RunAnalysisRequest {
        period: Some(fortnight()?),
        ..last_week()?
    };
    let taken = runs.run_analysis(other).await;
    let taken = taken.err().context("another period under the same id")?;
    ensure!(taken.code() == Code::AlreadyExists, "{taken:?}");
    let odd = RunAnalysisRequest {
        request_id: "a b".to_owned(),
        ..last_week()?
    };
    refused(runs.run_analysis(odd).await, "request_id")?;
    let endless = RunAnalysisRequest {
        period: None,
        ..last_week()?
    };
    refused(runs.run_analysis(endless).await, "period")?;
    let elsewhere = analyses(sandbox).await?.run_analysis(last_week()?).await;
    let elsewhere = elsewhere.err().context("reporting runs nothing")?;
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
