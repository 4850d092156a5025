//! What people decide about recommendations.

use jiff::Timestamp;
use kaizen_api::analysis::v1::{
    DecideRecommendationRequest, DecideRecommendationResponse, RecommendationState,
};
use kaizen_api::status::{invalid_argument, not_found, query_failed};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{
    QueryError, RecommendationDecision, is_recommended, put_recommendation_decision,
};
use tonic::Status;

const LONGEST_REASON: usize = 1_000;
const LONGEST_ACTOR: usize = 128;

/// Checks the decision and keeps it.
pub async fn answer(
    client: &Client,
    request: DecideRecommendationRequest,
) -> Result<DecideRecommendationResponse, Status> {
    let state = request.state();
    let decision = match state {
        RecommendationState::Open => "open",
        RecommendationState::Accepted => "accepted",
        RecommendationState::Dismissed => "dismissed",
        RecommendationState::Unspecified
        | RecommendationState::Reopened
        | RecommendationState::Closed
        | RecommendationState::Gone => {
            return Err(invalid_argument("state", "must be open, accepted or dismissed"));
        }
    };
    if request.recommendation_id.is_empty() {
        return Err(invalid_argument("recommendation_id", "is required"));
    }
    let length = |text: &str| text.chars().count();
    if request.actor.is_empty() || length(&request.actor) > LONGEST_ACTOR {
        let rule = format!("must have 1 to {LONGEST_ACTOR} characters");
        return Err(invalid_argument("actor", rule));
    }
    if length(&request.reason) > LONGEST_REASON {
        let rule = format!("must have at most {LONGEST_REASON} characters");
        return Err(invalid_argument("reason", rule));
    }
    if state == RecommendationState::Dismissed && request.reason.trim().is_empty() {
        return Err(invalid_argument("reason", "is required to dismiss"));
    }
    let id = request.recommendation_id;
    if !is_recommended(client, &id).await.map_err(query_failed)? {
        return Err(not_found("recommendation", &id));
    }
    let decided = RecommendationDecision {
        decided_at: Timestamp::now(),
        decision: decision.to_owned(),
        reason: request.reason,
        actor: request.actor,
    };
    put_recommendation_decision(client, &id, &decided)
        .await
        .map_err(|error| query_failed(QueryError::from(error)))?;
    Ok(DecideRecommendationResponse {
        recommendation_id: id,
        state: state.into(),
    })
}
