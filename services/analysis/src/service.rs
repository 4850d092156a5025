//! The runs of `kaizen.analysis.v1.AnalysisService`; `reporting` serves the reads.

use std::pin::Pin;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use kaizen_api::analysis::v1::analysis_service_server::AnalysisService;
use kaizen_api::analysis::v1::{
    DecideRecommendationRequest, DecideRecommendationResponse, GetAnalysisRequest, GetAnalysisResponse,
    ListAnalysesRequest, ListAnalysesResponse, ListRecommendationsRequest, ListRecommendationsResponse,
    ListTrendsRequest, ListTrendsResponse, RunAnalysisRequest, RunAnalysisResponse, WatchAnalysisRequest,
    WatchAnalysisResponse,
};
use kaizen_api::convert;
use kaizen_api::status::{
    already_exists, analysis_failed, internal, invalid_argument, not_found, query_failed, served_by,
};
use kaizen_api::time::window_from_wire;
use kaizen_catalogue::Catalogue;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, AnalysisState, Step, Window};
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use crate::decide;
use crate::runner::{Order, Progress, RunError, Runner};
use crate::stages::STAGES;

const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);
const LONGEST_ID: usize = 64;

/// Runs analyses for callers.
pub struct Runs {
    runner: Runner,
    catalogue: Arc<Catalogue>,
    client: Client,
}

impl Runs {
    /// Over a runner.
    pub fn new(runner: Runner, catalogue: Arc<Catalogue>, client: Client) -> Self {
        Self {
            runner,
            catalogue,
            client,
        }
    }

    async fn answer(&self, ended: queries::Analysis) -> Result<RunAnalysisResponse, Status> {
        let points = queries::points(&self.client, &ended)
            .await
            .map_err(query_failed)?;
        let trends = queries::trends(&self.client, &ended)
            .await
            .map_err(query_failed)?;
        let explanations = queries::explanations(&self.client, &ended)
            .await
            .map_err(query_failed)?;
        let findings = queries::findings(&self.client, &ended)
            .await
            .map_err(query_failed)?;
        Ok(RunAnalysisResponse {
            analysis: Some(convert::analysis(ended)),
            results: points
                .into_iter()
                .filter_map(|point| convert::result(&self.catalogue, point))
                .collect(),
            trends: trends.into_iter().map(convert::trend).collect(),
            explanations: explanations.into_iter().map(convert::explanation).collect(),
            findings: findings.into_iter().map(convert::finding).collect(),
        })
    }
}

/// Checks a request.
fn order(request: RunAnalysisRequest) -> Result<Order, Status> {
    let id = request.request_id;
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(legal) {
        return Err(invalid_argument(
            "request_id",
            "must be 1 to 64 letters, digits, `-` or `_`",
        ));
    }
    let (start, end) = window_from_wire("period", request.period)?;
    let period = Window::new("period", start, end).map_err(query_failed)?;
    if end.duration_since(start) > LONGEST {
        return Err(invalid_argument(
            "period.end_time",
            "must be at most 366 days after start_time",
        ));
    }
    let time_zone = if request.time_zone.is_empty() {
        "UTC".to_owned()
    } else {
        request.time_zone
    };
    let zone = TimeZone::get(&time_zone)
        .map_err(|_| invalid_argument("time_zone", "must be an IANA time zone such as Europe/Berlin"))?;
    let previous = period.previous(None, &zone).map_err(|_| {
        invalid_argument(
            "period.start_time",
            "must leave room for the period before it, which cannot begin before 1970",
        )
    })?;
    // Days are what a trend is judged by.
    for window in [period, previous] {
        window.edges(Step::Day, &zone).map_err(query_failed)?;
    }
    Ok(Order {
        request_id: id,
        period,
        previous,
        time_zone,
    })
}

fn refused(error: RunError) -> Status {
    match error {
        RunError::Taken(id) => already_exists("request", &id, "it asked for another period or time zone"),
        RunError::Query(error) => query_failed(error),
    }
}

fn message(progress: Progress) -> WatchAnalysisResponse {
    let stage = STAGES.get(progress.stages_done).copied().unwrap_or("done");
    WatchAnalysisResponse {
        stages_done: u32::try_from(progress.stages_done).unwrap_or(u32::MAX),
        stages_total: u32::try_from(STAGES.len()).unwrap_or(u32::MAX),
        stage: stage.to_owned(),
        analysis: Some(convert::analysis(progress.analysis)),
    }
}

#[tonic::async_trait]
impl AnalysisService for Runs {
    type WatchAnalysisStream = Pin<Box<dyn Stream<Item = Result<WatchAnalysisResponse, Status>> + Send>>;

    async fn run_analysis(
        &self,
        request: Request<RunAnalysisRequest>,
    ) -> Result<Response<RunAnalysisResponse>, Status> {
        let mut progress = self
            .runner
            .run(order(request.into_inner())?)
            .await
            .map_err(refused)?;
        let ended = progress
            .wait_for(Progress::has_ended)
            .await
            .map_err(|_| internal())?
            .analysis
            .clone();
        if ended.state == AnalysisState::Failed {
            return Err(analysis_failed(&ended.analysis_id));
        }
        self.answer(ended).await.map(Response::new)
    }

    async fn watch_analysis(
        &self,
        request: Request<WatchAnalysisRequest>,
    ) -> Result<Response<Self::WatchAnalysisStream>, Status> {
        let id = request.into_inner().analysis_id;
        if id.is_empty() {
            return Err(invalid_argument("analysis_id", "is required"));
        }
        let progress = self.runner.follow(&id).await.map_err(query_failed)?;
        let progress = progress.ok_or_else(|| not_found("analysis", &id))?;
        let mut ended = false;
        let messages = WatchStream::new(progress).take_while(move |progress| {
            // The last message is the one that tells the end.
            !std::mem::replace(&mut ended, progress.has_ended())
        });
        Ok(Response::new(Box::pin(
            messages.map(|progress| Ok(message(progress))),
        )))
    }

    async fn decide_recommendation(
        &self,
        request: Request<DecideRecommendationRequest>,
    ) -> Result<Response<DecideRecommendationResponse>, Status> {
        decide::answer(&self.client, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_recommendations(
        &self,
        _: Request<ListRecommendationsRequest>,
    ) -> Result<Response<ListRecommendationsResponse>, Status> {
        Err(served_by("reporting"))
    }

    async fn get_analysis(
        &self,
        _: Request<GetAnalysisRequest>,
    ) -> Result<Response<GetAnalysisResponse>, Status> {
        Err(served_by("reporting"))
    }

    async fn list_analyses(
        &self,
        _: Request<ListAnalysesRequest>,
    ) -> Result<Response<ListAnalysesResponse>, Status> {
        Err(served_by("reporting"))
    }

    async fn list_trends(
        &self,
        _: Request<ListTrendsRequest>,
    ) -> Result<Response<ListTrendsResponse>, Status> {
        Err(served_by("reporting"))
    }
}
