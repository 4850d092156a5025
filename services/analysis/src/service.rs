//! The runs of `kaizen.analysis.v1.AnalysisService`; `reporting` serves the reads.

use std::pin::Pin;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use kaizen_api::analysis::v1::analysis_service_server::AnalysisService;
use kaizen_api::analysis::v1::{
    CancelAnalysisRequest, CancelAnalysisResponse, DecideRecommendationRequest, DecideRecommendationResponse,
    GetAnalysisRequest, GetAnalysisResponse, ListAnalysesRequest, ListAnalysesResponse,
    ListRecommendationsRequest, ListRecommendationsResponse, ListTrendsRequest, ListTrendsResponse,
    RunAnalysisRequest, RunAnalysisResponse, WatchAnalysisRequest, WatchAnalysisResponse,
};
use kaizen_api::convert;
use kaizen_api::status::{
    already_exists, analysis_failed, analysis_goes_on, invalid_argument, not_found, query_failed, served_by,
};
use kaizen_api::time::window_from_wire;
use kaizen_catalogue::Catalogue;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, AnalysisState, Step, Window};
use tokio::sync::{mpsc, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::cancel;
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
        let period = ended.period;
        Ok(RunAnalysisResponse {
            analysis: Some(convert::analysis(ended)),
            results: points
                .into_iter()
                .filter_map(|point| convert::result(&self.catalogue, point))
                .collect(),
            trends: trends.into_iter().map(convert::trend).collect(),
            explanations: explanations.into_iter().map(convert::explanation).collect(),
            findings: findings
                .into_iter()
                .map(|it| convert::finding(period, it))
                .collect(),
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

type Told = Result<WatchAnalysisResponse, Status>;

/// Tells how far a run is, through all its attempts, until it ends.
async fn tell(
    runner: Runner,
    id: String,
    mut progress: watch::Receiver<Progress>,
    sender: mpsc::Sender<Told>,
) {
    loop {
        let now = progress.borrow_and_update().clone();
        let has_ended = now.has_ended();
        if sender.send(Ok(message(now))).await.is_err() || has_ended {
            return;
        }
        let changed = tokio::select! {
            changed = progress.changed() => changed,
            () = sender.closed() => return,
        };
        if changed.is_ok() {
            continue;
        }
        // Its process let it go.
        let next = match runner.is_closing() {
            true => Err(analysis_goes_on(&id)),
            false => runner.follow(&id).await.map_err(query_failed),
        };
        match next.and_then(|next| next.ok_or_else(|| not_found("analysis", &id))) {
            Ok(next) => progress = next,
            Err(status) => {
                // Whoever asked may have left.
                let _ = sender.send(Err(status)).await;
                return;
            }
        }
    }
}

#[tonic::async_trait]
impl AnalysisService for Runs {
    type WatchAnalysisStream = Pin<Box<dyn Stream<Item = Told> + Send>>;

    async fn run_analysis(
        &self,
        request: Request<RunAnalysisRequest>,
    ) -> Result<Response<RunAnalysisResponse>, Status> {
        let order = order(request.into_inner())?;
        let id = order.analysis_id();
        let progress = self.runner.run(order).await.map_err(refused)?;
        let ended = self.runner.end_of(&id, progress).await.map_err(query_failed)?;
        let ended = ended.ok_or_else(|| analysis_goes_on(&id))?;
        match ended.state {
            AnalysisState::Succeeded => self.answer(ended).await.map(Response::new),
            AnalysisState::Cancelled => Err(cancel::cancelled(&ended)),
            AnalysisState::Failed | AnalysisState::Running => Err(analysis_failed(&ended.analysis_id)),
        }
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
        let (sender, messages) = mpsc::channel(STAGES.len());
        tokio::spawn(tell(self.runner.clone(), id, progress, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn cancel_analysis(
        &self,
        request: Request<CancelAnalysisRequest>,
    ) -> Result<Response<CancelAnalysisResponse>, Status> {
        cancel::answer(&self.runner, request.into_inner())
            .await
            .map(Response::new)
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
