use kaizen_api::decisions::v1::{ReasonSummary, SummarizeDeadLettersRequest, SummarizeDeadLettersResponse};
use kaizen_api::status::query_failed;
use kaizen_warehouse::queries::{ReasonDepth, dead_letter_depth};
use tonic::Status;

use super::{DeadLetters, record_time};

pub async fn answer(
    letters: &DeadLetters,
    request: SummarizeDeadLettersRequest,
) -> Result<SummarizeDeadLettersResponse, Status> {
    let depth = dead_letter_depth(&letters.client, &request.topic, letters.kept_since())
        .await
        .map_err(query_failed)?;
    let oldest = depth.iter().map(|reason| reason.oldest).min();
    Ok(SummarizeDeadLettersResponse {
        open_count: depth.iter().map(|reason| count(reason.letters)).sum(),
        oldest_record_time: oldest.map(record_time).transpose()?,
        reasons: depth.into_iter().map(summary).collect::<Result<_, _>>()?,
    })
}

fn summary(depth: ReasonDepth) -> Result<ReasonSummary, Status> {
    Ok(ReasonSummary {
        reason: depth.reason,
        open_count: count(depth.letters),
        oldest_record_time: Some(record_time(depth.oldest)?),
    })
}

fn count(letters: u64) -> i64 {
    i64::try_from(letters).unwrap_or(i64::MAX)
}
