//! The end of a run that somebody does not want any more.

use jiff::Timestamp;
use kaizen_api::analysis::v1::cancel_analysis_request::Run;
use kaizen_api::analysis::v1::{CancelAnalysisRequest, CancelAnalysisResponse};
use kaizen_api::convert;
use kaizen_api::status::{analysis_cancelled, invalid_argument, not_found, query_failed, refused};
use kaizen_warehouse::queries::{Analysis, AnalysisState, Cancellation};
use tonic::{Code, Status};

use crate::runner::{Runner, analysis_id};

const LONGEST_REASON: usize = 1_000;
const LONGEST_ACTOR: usize = 128;

/// Checks the request and cancels the run.
pub async fn answer(
    runner: &Runner,
    request: CancelAnalysisRequest,
) -> Result<CancelAnalysisResponse, Status> {
    let (field, name, id) = match request.run {
        Some(Run::AnalysisId(id)) => ("analysis_id", id.clone(), id),
        Some(Run::RequestId(request)) => ("request_id", request.clone(), analysis_id(&request)),
        None => return Err(invalid_argument("run", "must be an analysis_id or a request_id")),
    };
    if name.is_empty() {
        return Err(invalid_argument(field, "is required"));
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
    let cancellation = Cancellation {
        at: Timestamp::now(),
        actor: request.actor,
        reason: request.reason,
    };
    let found = runner.cancel(&id, &cancellation).await.map_err(query_failed)?;
    let found = found.ok_or_else(|| not_found("analysis", &name))?;
    match found.state {
        AnalysisState::Running | AnalysisState::Cancelled => Ok(CancelAnalysisResponse {
            analysis: Some(convert::analysis(found)),
        }),
        AnalysisState::Succeeded | AnalysisState::Failed => Err(ended(&found)),
    }
}

fn ended(analysis: &Analysis) -> Status {
    let (id, state) = (&analysis.analysis_id, analysis.state.as_str());
    let metadata = [("analysis_id", id.clone()), ("state", state.to_owned())];
    let message = format!("analysis {id} has {state} already");
    refused(Code::FailedPrecondition, "ANALYSIS_ENDED", message, metadata)
}

/// What those are told who wait for it.
pub fn cancelled(analysis: &Analysis) -> Status {
    let (actor, reason) = (analysis.cancellation.as_ref())
        .map(|it| (it.actor.as_str(), it.reason.as_str()))
        .unwrap_or_default();
    analysis_cancelled(&analysis.analysis_id, actor, reason)
}
