//! A recommendation as a ticket keeps it.

use jiff::Timestamp;
use kaizen_api::convert::{recommendation, window};
use kaizen_api::status::{chain, internal, not_found, query_failed};
use kaizen_api::tracker::v1::FrozenRecommendation;
use kaizen_findings::Recommendation;
use kaizen_ledger::Evidence;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, StoredRecommendation, Window};
use serde::{Deserialize, Serialize};
use tonic::Status;

/// What is stored in the ledger, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Frozen {
    analysis_id: String,
    code_version: String,
    start: Timestamp,
    end: Timestamp,
    /// What the analysis said.
    pub recommendation: Recommendation,
}

impl Frozen {
    /// Reads a recommendation of an analysis, of the latest that succeeded when `analysis_id` is empty.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is no such analysis or it does not recommend that.
    pub async fn read(client: &Client, analysis_id: &str, recommendation_id: &str) -> Result<Self, Status> {
        let analysis = if analysis_id.is_empty() {
            queries::latest_succeeded(client).await
        } else {
            queries::analysis(client, analysis_id).await
        };
        let analysis = analysis.map_err(query_failed)?;
        let analysis = analysis.ok_or_else(|| not_found("analysis", analysis_id))?;
        let all = queries::recommendations(client, &analysis)
            .await
            .map_err(query_failed)?;
        let found = all
            .into_iter()
            .find(|it| it.recommendation_id == recommendation_id);
        let found = found.ok_or_else(|| not_found("recommendation", recommendation_id))?;
        Ok(Self {
            analysis_id: analysis.analysis_id,
            code_version: analysis.code_version,
            start: analysis.period.start(),
            end: analysis.period.end(),
            recommendation: found.recommendation,
        })
    }

    /// What the ledger keeps.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(evidence: &Evidence) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&evidence.content)
    }

    /// Period of the analysis; `None` where it is no window.
    pub fn period(&self) -> Option<Window> {
        Window::new("period", self.start, self.end).ok()
    }

    /// As the ledger keeps it.
    ///
    /// # Errors
    /// `INTERNAL` when it has no form in JSON.
    pub fn evidence(&self, recommendation_id: String) -> Result<Evidence, Status> {
        let content = serde_json::to_string(self).map_err(|error| {
            tracing::error!(
                error = chain(&error),
                recommendation_id,
                "a recommendation has no form in JSON"
            );
            internal()
        })?;
        Ok(Evidence {
            recommendation_id,
            content,
        })
    }
}

/// As the wire has it.
///
/// # Errors
/// `INTERNAL` when the ledger's text is none.
pub fn thaw(evidence: Evidence) -> Result<FrozenRecommendation, Status> {
    let unreadable = |error: &dyn std::error::Error| {
        let recommendation_id = &evidence.recommendation_id;
        tracing::error!(
            error = chain(error),
            recommendation_id,
            "the evidence of a ticket cannot be read"
        );
        internal()
    };
    let frozen = Frozen::parse(&evidence).map_err(|error| unreadable(&error))?;
    let period = Window::new("period", frozen.start, frozen.end).map_err(|error| unreadable(&error))?;
    let stored = StoredRecommendation {
        recommendation_id: evidence.recommendation_id,
        recommendation: frozen.recommendation,
    };
    Ok(FrozenRecommendation {
        analysis_id: frozen.analysis_id,
        recommendation: Some(recommendation(period, stored, Vec::new())),
        period: Some(window(period)),
    })
}
