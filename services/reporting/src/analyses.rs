//! The reads of `kaizen.analysis.v1.AnalysisService`; `analysis` serves the runs.

mod lives;

use std::pin::Pin;
use std::sync::Arc;

use kaizen_api::analysis::v1::analysis_service_server::AnalysisService;
use kaizen_api::analysis::v1::{
    CancelAnalysisRequest, CancelAnalysisResponse, DecideRecommendationRequest, DecideRecommendationResponse,
    GetAnalysisRequest, GetAnalysisResponse, ListAnalysesRequest, ListAnalysesResponse,
    ListRecommendationsRequest, ListRecommendationsResponse, ListTrendsRequest, ListTrendsResponse,
    RecommendationState, RunAnalysisRequest, RunAnalysisResponse, WatchAnalysisRequest,
    WatchAnalysisResponse,
};
use kaizen_api::convert::{analysis, explanation, finding, recommendation, result, trend};
use kaizen_api::status::{invalid_argument, not_found, query_failed, served_by};
use kaizen_catalogue::Catalogue;
use kaizen_findings::{Detail, Finding};
use kaizen_ledger::Ledger;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, AnalysisCursor};
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status};

use crate::page;

const PAGE: u32 = 20;
const MOST: u32 = 100;

/// Answers questions about analyses.
#[derive(Clone)]
pub struct Analyses {
    catalogue: Arc<Catalogue>,
    client: Client,
    ledger: Ledger,
}

impl Analyses {
    /// Over a catalogue, a warehouse and a ledger: whether what is recommended came back is told from its tickets.
    pub fn new(catalogue: Arc<Catalogue>, client: Client, ledger: Ledger) -> Self {
        Self {
            catalogue,
            client,
            ledger,
        }
    }

    async fn find(&self, analysis_id: &str) -> Result<queries::Analysis, Status> {
        if analysis_id.is_empty() {
            return Err(invalid_argument("analysis_id", "is required"));
        }
        let found = queries::analysis(&self.client, analysis_id)
            .await
            .map_err(query_failed)?;
        found.ok_or_else(|| not_found("analysis", analysis_id))
    }

    /// The analysis of that identity; of none, the latest that succeeded, if there is one.
    async fn find_or_latest(&self, analysis_id: &str) -> Result<Option<queries::Analysis>, Status> {
        if analysis_id.is_empty() {
            return queries::latest_succeeded(&self.client)
                .await
                .map_err(query_failed);
        }
        self.find(analysis_id).await.map(Some)
    }
}

#[tonic::async_trait]
impl AnalysisService for Analyses {
    type WatchAnalysisStream = Pin<Box<dyn Stream<Item = Result<WatchAnalysisResponse, Status>> + Send>>;

    async fn run_analysis(
        &self,
        _: Request<RunAnalysisRequest>,
    ) -> Result<Response<RunAnalysisResponse>, Status> {
        Err(served_by("analysis"))
    }

    async fn watch_analysis(
        &self,
        _: Request<WatchAnalysisRequest>,
    ) -> Result<Response<Self::WatchAnalysisStream>, Status> {
        Err(served_by("analysis"))
    }

    async fn cancel_analysis(
        &self,
        _: Request<CancelAnalysisRequest>,
    ) -> Result<Response<CancelAnalysisResponse>, Status> {
        Err(served_by("analysis"))
    }

    async fn get_analysis(
        &self,
        request: Request<GetAnalysisRequest>,
    ) -> Result<Response<GetAnalysisResponse>, Status> {
        let found = self.find(&request.into_inner().analysis_id).await?;
        let points = queries::points(&self.client, &found)
            .await
            .map_err(query_failed)?;
        let trends = queries::trends(&self.client, &found)
            .await
            .map_err(query_failed)?;
        let explanations = queries::explanations(&self.client, &found)
            .await
            .map_err(query_failed)?;
        let findings = queries::findings(&self.client, &found)
            .await
            .map_err(query_failed)?;
        let period = found.period;
        Ok(Response::new(GetAnalysisResponse {
            analysis: Some(analysis(found)),
            results: points
                .into_iter()
                .filter_map(|point| result(&self.catalogue, point))
                .collect(),
            trends: trends.into_iter().map(trend).collect(),
            explanations: explanations.into_iter().map(explanation).collect(),
            findings: findings.into_iter().map(|it| finding(period, it)).collect(),
        }))
    }

    async fn decide_recommendation(
        &self,
        _: Request<DecideRecommendationRequest>,
    ) -> Result<Response<DecideRecommendationResponse>, Status> {
        Err(served_by("analysis"))
    }

    async fn list_recommendations(
        &self,
        request: Request<ListRecommendationsRequest>,
    ) -> Result<Response<ListRecommendationsResponse>, Status> {
        let request = request.into_inner();
        let found = self.find_or_latest(&request.analysis_id).await?;
        let Some(found) = found else {
            return Ok(Response::new(ListRecommendationsResponse::default()));
        };
        let all = queries::recommendations(&self.client, &found)
            .await
            .map_err(query_failed)?;
        let mut lives = lives::lives(&self.client, &self.ledger, &found, &all).await?;
        let recommendations = all
            .into_iter()
            .map(|it| {
                let history = lives.remove(&it.recommendation_id).unwrap_or_default();
                recommendation(found.period, it, history)
            })
            .filter(|it| request.category.is_empty() || it.category == request.category)
            .filter(|it| request.show_dismissed || it.state() != RecommendationState::Dismissed);
        Ok(Response::new(ListRecommendationsResponse {
            recommendations: recommendations.collect(),
            analysis: Some(analysis(found)),
        }))
    }

    async fn list_analyses(
        &self,
        request: Request<ListAnalysesRequest>,
    ) -> Result<Response<ListAnalysesResponse>, Status> {
        let request = request.into_inner();
        let size = page::size(request.page_size, PAGE, MOST)?;
        let after = page::cursor::<(i64, String)>(&request.page_token)?;
        let after = after.map(|(created, analysis_id)| {
            let created_at = jiff::Timestamp::from_millisecond(created);
            let created_at = created_at.map_err(|_| invalid_argument("page_token", "is none"))?;
            Ok::<_, Status>(AnalysisCursor {
                created_at,
                analysis_id,
            })
        });
        let after = after.transpose()?;
        let mut found = queries::analyses(&self.client, size + 1, after.as_ref())
            .await
            .map_err(query_failed)?;
        let more = found.len() > size as usize;
        found.truncate(size as usize);
        let next_page_token = match found.last().filter(|_| more) {
            Some(last) => page::token(&(last.created_at.as_millisecond(), &last.analysis_id))?,
            None => String::new(),
        };
        Ok(Response::new(ListAnalysesResponse {
            analyses: found.into_iter().map(analysis).collect(),
            next_page_token,
        }))
    }

    async fn list_trends(
        &self,
        request: Request<ListTrendsRequest>,
    ) -> Result<Response<ListTrendsResponse>, Status> {
        let found = self.find_or_latest(&request.into_inner().analysis_id).await?;
        let Some(found) = found else {
            return Ok(Response::new(ListTrendsResponse::default()));
        };
        let trends = queries::trends(&self.client, &found)
            .await
            .map_err(query_failed)?;
        let findings = queries::findings(&self.client, &found)
            .await
            .map_err(query_failed)?;
        let of_series = |it: &Finding| matches!(it.detail, Detail::LevelChange(_) | Detail::Anomaly(_));
        Ok(Response::new(ListTrendsResponse {
            trends: trends.into_iter().map(trend).collect(),
            findings: findings
                .into_iter()
                .filter(of_series)
                .map(|it| finding(found.period, it))
                .collect(),
            analysis: Some(analysis(found)),
        }))
    }
}
