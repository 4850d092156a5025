//! `kaizen.analysis.v1.MetricService`.

mod answers;
mod explain_change;
mod get_decision;
mod get_reliability;
mod held;
mod list_decisions;
mod list_metrics;
mod query_metric;

use std::sync::Arc;

use kaizen_api::analysis::v1::metric_service_server::MetricService;
use kaizen_api::analysis::v1::{
    ExplainChangeRequest, ExplainChangeResponse, Filter, GetDecisionRequest, GetDecisionResponse,
    GetReliabilityRequest, GetReliabilityResponse, ListDecisionsRequest, ListDecisionsResponse,
    ListMetricsRequest, ListMetricsResponse, QueryMetricRequest, QueryMetricResponse,
};
use kaizen_catalogue::Catalogue;
use kaizen_warehouse::{Client, queries};
use tonic::{Request, Response, Status};

use answers::Answers;

/// Answers questions about metrics and decisions.
#[derive(Clone)]
pub struct Metrics {
    catalogue: Arc<Catalogue>,
    client: Client,
    answers: Arc<Answers>,
}

impl Metrics {
    /// Over a catalogue and a warehouse.
    pub fn new(catalogue: Arc<Catalogue>, client: Client) -> Self {
        let answers = Arc::new(Answers::new(client.clone()));
        Self {
            catalogue,
            client,
            answers,
        }
    }
}

#[tonic::async_trait]
impl MetricService for Metrics {
    async fn list_metrics(
        &self,
        request: Request<ListMetricsRequest>,
    ) -> Result<Response<ListMetricsResponse>, Status> {
        list_metrics::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn query_metric(
        &self,
        request: Request<QueryMetricRequest>,
    ) -> Result<Response<QueryMetricResponse>, Status> {
        query_metric::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn explain_change(
        &self,
        request: Request<ExplainChangeRequest>,
    ) -> Result<Response<ExplainChangeResponse>, Status> {
        explain_change::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn list_decisions(
        &self,
        request: Request<ListDecisionsRequest>,
    ) -> Result<Response<ListDecisionsResponse>, Status> {
        list_decisions::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn get_decision(
        &self,
        request: Request<GetDecisionRequest>,
    ) -> Result<Response<GetDecisionResponse>, Status> {
        get_decision::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn get_reliability(
        &self,
        request: Request<GetReliabilityRequest>,
    ) -> Result<Response<GetReliabilityResponse>, Status> {
        get_reliability::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }
}

fn filters(filters: Vec<Filter>) -> Vec<queries::Filter> {
    let filter = |Filter { dimension, values }| queries::Filter { dimension, values };
    filters.into_iter().map(filter).collect()
}
