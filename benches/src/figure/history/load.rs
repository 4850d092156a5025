//! `QueryMetric` at a steady rate, each request at its time whether or not those before it have been answered; how long it took is
//! counted from that time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kaizen_api::analysis::v1::comparison::To;
use kaizen_api::analysis::v1::metric_service_client::MetricServiceClient;
use kaizen_api::analysis::v1::{Comparison, QueryMetricRequest, Step};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::ask::window;
use super::fill::PERIOD;

/// Requests a second.
pub const RATE: u64 = 1_000;
/// Different questions.
pub const QUESTIONS: usize = METRICS.len() * WINDOWS.len() * SPLITS.len();

const METRICS: [&str; 5] = [
    "ai_message_generation.total_messages",
    "ai_message_generation.approval_rate",
    "lead_enrichment.success_rate",
    "lead_enrichment.p95_processing_time",
    "website_scraping.content_yield",
];
/// A week by the hour, four by the day, thirteen by the week.
const WINDOWS: [(&str, Step); 3] = [
    (PERIOD[0], Step::Hour),
    ("2026-02-02T00:00:00Z", Step::Day),
    ("2025-12-01T00:00:00Z", Step::Week),
];
const SPLITS: [&str; 2] = ["", "method_used"];

/// How long answers took.
pub struct Latencies {
    /// How many there were.
    pub asked: u64,
    /// Their median.
    pub p50: Duration,
    /// What one in a hundred took longer than.
    pub p99: Duration,
}

/// Asks so many seconds, each question once before.
pub async fn run(reporting: &str, seconds: u64) -> Result<Latencies> {
    let client = MetricServiceClient::connect(reporting.to_owned()).await?;
    let questions = questions()?;
    for question in &questions {
        client.clone().query_metric(question.clone()).await?;
    }
    let asked = RATE * seconds;
    let mut all = JoinSet::new();
    let began = Instant::now();
    for number in 0..asked {
        let at = began + Duration::from_micros(number * 1_000_000 / RATE);
        tokio::time::sleep_until(at.into()).await;
        let question = questions
            .get(number as usize % questions.len())
            .context("a question")?;
        all.spawn(ask(client.clone(), question.clone(), at));
    }
    let mut took = all.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    took.sort_unstable();
    let quantile = |percent: usize| took.get(took.len() * percent / 100).copied();
    Ok(Latencies {
        asked,
        p50: quantile(50).context("no answer")?,
        p99: quantile(99).context("no answer")?,
    })
}

async fn ask(
    mut client: MetricServiceClient<Channel>,
    question: QueryMetricRequest,
    at: Instant,
) -> Result<Duration> {
    client.query_metric(question).await?;
    Ok(at.elapsed())
}

fn questions() -> Result<Vec<QueryMetricRequest>> {
    let mut questions = Vec::with_capacity(QUESTIONS);
    for metric in METRICS {
        for (start, step) in WINDOWS {
            for split in SPLITS {
                questions.push(QueryMetricRequest {
                    metric: metric.to_owned(),
                    window: Some(window([start, PERIOD[1]])?),
                    step: step.into(),
                    group_by: split.to_owned(),
                    compare_to: Some(Comparison {
                        to: Some(To::Previous(true)),
                    }),
                    ..QueryMetricRequest::default()
                });
            }
        }
    }
    Ok(questions)
}
