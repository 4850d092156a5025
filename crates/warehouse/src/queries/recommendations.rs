//! What analyses recommend and what people decided about it: written by `analysis`, read by `reporting`.

use std::collections::HashMap;

use clickhouse::Row;
use jiff::Timestamp;
use kaizen_findings::Recommendation;
use serde::{Deserialize, Serialize};

use super::analyses::{insert, results};
use super::{Analysis, QueryError};
use crate::client::{Client, WarehouseError};

/// A recommendation of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecommendation {
    /// The same for the same finding in every run.
    pub recommendation_id: String,
    /// What it says.
    pub recommendation: Recommendation,
}

/// What somebody decided about a recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecommendationDecision {
    /// When.
    pub decided_at: Timestamp,
    /// `accepted`, `dismissed` or `open`.
    pub decision: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
}

#[derive(Row, Serialize, Deserialize)]
struct RecommendationRow {
    analysis_id: String,
    created_at: i64,
    code_version: String,
    position: u32,
    recommendation_id: String,
    rule: String,
    category: String,
    component: String,
    metric: String,
    priority: String,
    certainty: f64,
    score: f64,
    content: String,
}

#[derive(Row, Serialize, Deserialize)]
struct DecisionRow {
    recommendation_id: String,
    decided_at: i64,
    decision: String,
    reason: String,
    actor: String,
}

/// Columns in the order of the row's fields.
const RECOMMENDATION: &str = "analysis_id, created_at, code_version, position, recommendation_id, rule, category, component, \
    metric, priority, certainty, score, content";

/// Records what a run recommends, each with its identity. `now` as in [`super::put_results`].
///
/// # Errors
/// Any [`QueryError`].
pub async fn put_recommendations(
    client: &Client,
    analysis: &Analysis,
    recommendations: &[(String, Recommendation)],
    now: Timestamp,
) -> Result<(), QueryError> {
    let row = |(position, (id, it)): (usize, &(String, Recommendation))| {
        let content = serde_json::to_string(it);
        Ok(RecommendationRow {
            analysis_id: analysis.analysis_id.clone(),
            created_at: now.as_millisecond(),
            code_version: analysis.code_version.clone(),
            position: u32::try_from(position).unwrap_or(u32::MAX),
            recommendation_id: id.clone(),
            rule: it.rule.clone(),
            category: it.category.clone(),
            component: it.component.clone(),
            metric: it.metric.clone(),
            priority: it.priority.as_str().to_owned(),
            certainty: it.certainty,
            score: it.score,
            content: content.map_err(|_| QueryError::Unreadable(format!("recommendation {id}")))?,
        })
    };
    let rows: Result<Vec<_>, QueryError> = recommendations.iter().enumerate().map(row).collect();
    Ok(insert(client, "recommendations", rows?).await?)
}

/// What a run recommends, most urgent first; nothing unless it succeeded.
///
/// # Errors
/// Any [`QueryError`].
pub async fn recommendations(
    client: &Client,
    analysis: &Analysis,
) -> Result<Vec<StoredRecommendation>, QueryError> {
    let rows: Vec<RecommendationRow> =
        results(client, analysis, "recommendations", RECOMMENDATION, "position").await?;
    let read = |row: RecommendationRow| {
        let recommendation = serde_json::from_str(&row.content);
        let unreadable = |_| QueryError::Unreadable(format!("recommendation {}", row.recommendation_id));
        Ok(StoredRecommendation {
            recommendation: recommendation.map_err(unreadable)?,
            recommendation_id: row.recommendation_id,
        })
    };
    rows.into_iter().map(read).collect()
}

/// What was decided about each, first what was decided first.
///
/// # Errors
/// Any [`QueryError`].
pub async fn recommendation_decisions(
    client: &Client,
    ids: &[&str],
) -> Result<HashMap<String, Vec<RecommendationDecision>>, QueryError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT recommendation_id, decided_at, toString(decision) AS decision, reason, actor FROM recommendation_decisions \
               WHERE recommendation_id IN ? ORDER BY recommendation_id, decided_at";
    let rows: Vec<DecisionRow> = client.rows(client.query(sql).bind(ids)).await?;
    let mut decided: HashMap<String, Vec<RecommendationDecision>> = HashMap::new();
    for row in rows {
        let decided_at = Timestamp::from_microsecond(row.decided_at);
        let unreadable = |_| QueryError::Unreadable(format!("recommendation {}", row.recommendation_id));
        let decision = RecommendationDecision {
            decided_at: decided_at.map_err(unreadable)?,
            decision: row.decision,
            reason: row.reason,
            actor: row.actor,
        };
        decided.entry(row.recommendation_id).or_default().push(decision);
    }
    Ok(decided)
}

/// Whether any run has recommended this.
///
/// # Errors
/// Any [`QueryError`].
pub async fn is_recommended(client: &Client, recommendation_id: &str) -> Result<bool, QueryError> {
    let sql = "SELECT count() > 0 FROM recommendations WHERE recommendation_id = ?";
    let found: Option<bool> = client.row(client.query(sql).bind(recommendation_id)).await?;
    Ok(found.unwrap_or_default())
}

/// Records what somebody decided about a recommendation.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn put_recommendation_decision(
    client: &Client,
    recommendation_id: &str,
    decision: &RecommendationDecision,
) -> Result<(), WarehouseError> {
    let row = DecisionRow {
        recommendation_id: recommendation_id.to_owned(),
        decided_at: decision.decided_at.as_microsecond(),
        decision: decision.decision.clone(),
        reason: decision.reason.clone(),
        actor: decision.actor.clone(),
    };
    insert(client, "recommendation_decisions", vec![row]).await
}
