//! Questions one after the other, of which the fastest answer counts: what else the machine does makes none faster.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::analysis_service_client::AnalysisServiceClient;
use kaizen_api::analysis::v1::metric_service_client::MetricServiceClient;
use kaizen_api::analysis::v1::{AnalysisState, Condition, ExplainChangeRequest, RunAnalysisRequest, Window};
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{
    CreateTicketRequest, Implementation, MarkImplementedRequest, MeasureImpactRequest, Ticket, TicketState,
    UpdateTicketRequest,
};
use kaizen_testkit::Service;

use super::fill::PERIOD;

/// When the ticket's change was, three weeks before the end.
const CHANGE: &str = "2026-02-09T00:00:00Z";
const ACTOR: &str = "bench";
/// Metrics that are explained, one of each kind.
const EXPLAINED: [&str; 5] = [
    "lead_enrichment.success_rate",
    "lead_enrichment.average_processing_time",
    "lead_enrichment.p95_processing_time",
    "ai_message_generation.approval_rate",
    "ai_message_generation.reply_rate",
];

/// Services to ask, and how often.
pub struct Asked {
    analysis: String,
    reporting: String,
    runs: u32,
}

impl Asked {
    /// These services, each question so often.
    pub fn of(analysis: &Service, reporting: &Service, runs: u32) -> Self {
        Self {
            analysis: analysis.url(),
            reporting: reporting.url(),
            runs,
        }
    }

    /// A run of the analysis over the last week.
    pub async fn analysis(&self) -> Result<Duration> {
        let mut client = AnalysisServiceClient::connect(self.analysis.clone()).await?;
        let mut best = Duration::MAX;
        for run in 0..self.runs {
            let request = RunAnalysisRequest {
                request_id: format!("bench-{}-{run}", jiff::Timestamp::now().as_millisecond()),
                period: Some(window(PERIOD)?),
                time_zone: String::new(),
            };
            let began = Instant::now();
            let analysis = client.run_analysis(request).await?.into_inner().analysis;
            best = best.min(began.elapsed());
            let analysis = analysis.context("an analysis")?;
            ensure!(analysis.state() == AnalysisState::Succeeded, "{analysis:?}");
        }
        Ok(best)
    }

    /// What a change to one method did to its success rate.
    pub async fn impact(&self) -> Result<Duration> {
        let mut client = TrackerServiceClient::connect(self.reporting.clone()).await?;
        let ticket_id = implemented(&mut client).await?;
        let mut best = Duration::MAX;
        for _ in 0..self.runs {
            let request = MeasureImpactRequest {
                ticket_id: ticket_id.clone(),
                measurement_period_days: 14,
            };
            let began = Instant::now();
            let impact = client.measure_impact(request).await?.into_inner().impact;
            best = best.min(began.elapsed());
            let impact = impact.context("an impact")?;
            ensure!(impact.method == "control_regression", "{:?}", impact.rungs);
        }
        Ok(best)
    }

    /// Why each of some metrics changed from the week before: of the slowest the fastest answer.
    pub async fn explained(&self) -> Result<Duration> {
        let mut slowest = Duration::ZERO;
        for metric in EXPLAINED {
            let best = explain(&self.reporting, metric, window(PERIOD)?, self.runs).await?;
            super::tell(&format!("{metric}: explained in {:.2} s", best.as_secs_f64()));
            slowest = slowest.max(best);
        }
        Ok(slowest)
    }
}

/// Eight weeks of six dimensions of twenty values, beside the eight before.
pub async fn search(reporting: &Service, runs: u32) -> Result<Duration> {
    let within = window(["2026-01-05T00:00:00Z", PERIOD[1]])?;
    explain(&reporting.url(), "wide.success_rate", within, runs).await
}

async fn explain(reporting: &str, metric: &str, within: Window, runs: u32) -> Result<Duration> {
    let mut client = MetricServiceClient::connect(reporting.to_owned()).await?;
    let mut best = Duration::MAX;
    for _ in 0..runs {
        let request = ExplainChangeRequest {
            metric: metric.to_owned(),
            window: Some(within),
            ..ExplainChangeRequest::default()
        };
        let began = Instant::now();
        let explained = client.explain_change(request).await?.into_inner();
        best = best.min(began.elapsed());
        ensure!(explained.change.is_some(), "{metric}: {explained:?}");
    }
    Ok(best)
}

type Tracker = TrackerServiceClient<tonic::transport::Channel>;

async fn implemented(client: &mut Tracker) -> Result<String> {
    let request = CreateTicketRequest {
        request_id: format!("bench-{}", jiff::Timestamp::now().as_millisecond()),
        actor: ACTOR.to_owned(),
        ticket: Some(Ticket {
            title: "Search the web less".to_owned(),
            metric: "lead_enrichment.success_rate".to_owned(),
            ..Ticket::default()
        }),
        ..CreateTicketRequest::default()
    };
    let ticket = client.create_ticket(request).await?.into_inner().ticket;
    let ticket_id = ticket.context("a ticket")?.ticket_id;
    for state in [TicketState::Accepted, TicketState::InProgress] {
        let request = UpdateTicketRequest {
            ticket: Some(Ticket {
                ticket_id: ticket_id.clone(),
                state: state.into(),
                ..Ticket::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["state".to_owned()],
            }),
            actor: ACTOR.to_owned(),
            ..UpdateTicketRequest::default()
        };
        client.update_ticket(request).await?;
    }
    let request = MarkImplementedRequest {
        ticket_id: ticket_id.clone(),
        actor: ACTOR.to_owned(),
        implementation: Some(Implementation {
            implement_time: Some(time(CHANGE)?),
            slice: vec![Condition {
                dimension: "method_used".to_owned(),
                value: "web_search".to_owned(),
            }],
            ..Implementation::default()
        }),
        ..MarkImplementedRequest::default()
    };
    client.mark_implemented(request).await?;
    Ok(ticket_id)
}

/// A window between two times.
pub fn window([start, end]: [&str; 2]) -> Result<Window> {
    Ok(Window {
        start_time: Some(time(start)?),
        end_time: Some(time(end)?),
    })
}

fn time(text: &str) -> Result<prost_types::Timestamp> {
    let timestamp: jiff::Timestamp = text.parse()?;
    Ok(prost_types::Timestamp {
        seconds: timestamp.as_second(),
        nanos: 0,
    })
}
