//! `kaizen.decisions.v1.IngestService`.

use std::future::Future;
use std::sync::Arc;

use axum::http::HeaderMap;
use futures::{StreamExt, TryStreamExt};
use kaizen_api::decisions::v1::ingest_service_server::IngestService;
use kaizen_api::decisions::v1::publish_result::Outcome as Told;
use kaizen_api::decisions::v1::{
    Acceptance, Decision, PublishRequest, PublishResponse, PublishResult, PublishStreamRequest,
    PublishStreamResponse, RejectedDecision, Rejection,
};
use kaizen_api::status::invalid_argument;
use kaizen_service::telemetry::traceparent_of;
use prost::Message;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt};

use super::publish::{Outcome, Records};
use super::refuse::Refusal;
use super::{Ingest, Passage};

const TRANSPORT: &str = "grpc";
/// Batches of a stream that wait for Kafka at once; the client waits while it is so many.
const AHEAD: usize = 4;
/// Most rejections that a stream's answer tells one by one.
const TOLD: usize = 1000;

/// Translates calls.
pub struct Calls(pub Arc<Ingest>);

#[tonic::async_trait]
impl IngestService for Calls {
    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<PublishResponse>, Status> {
        let trace = trace(&request);
        let call = async {
            let mut passage = admit(&self.0, &request)?;
            let held = request.get_ref().encoded_len();
            passage.reserve(held).map_err(status)?;
            let outcomes = self.take(&request.get_ref().decisions, trace.as_deref()).await?;
            Ok(response(outcomes))
        };
        self.observe(call).await
    }

    async fn publish_stream(
        &self,
        request: Request<Streaming<PublishStreamRequest>>,
    ) -> Result<Response<PublishStreamResponse>, Status> {
        let trace = trace(&request);
        let call = async {
            authorize(&self.0, &request)?;
            // Each batch is let in by itself: a stream that waits for its client holds nothing.
            let batches = request.into_inner().map(|batch| async {
                let batch = batch?;
                let mut passage = self.0.enter().map_err(status)?;
                passage.reserve(batch.encoded_len()).map_err(status)?;
                self.take(&batch.decisions, trace.as_deref()).await
            });
            let mut batches = std::pin::pin!(batches.buffered(AHEAD));
            let mut answer = PublishStreamResponse::default();
            while let Some(outcomes) = batches.try_next().await? {
                add(&mut answer, outcomes);
            }
            Ok(answer)
        };
        self.observe(call).await
    }
}

impl Calls {
    async fn take(&self, decisions: &[Decision], traceparent: Option<&str>) -> Result<Vec<Outcome>, Status> {
        let most = self.0.max_records();
        if decisions.is_empty() || decisions.len() > most {
            return Err(invalid_argument(
                "decisions",
                format!("must hold 1 to {most} decisions"),
            ));
        }
        let encoded: Vec<_> = decisions.iter().map(Message::encode_to_vec).collect();
        let values: Vec<_> = encoded.iter().map(Vec::as_slice).collect();
        let records = Records {
            values: &values,
            content_type: "application/x-protobuf",
            traceparent,
            transport: TRANSPORT,
        };
        self.0.take(records).await.map_err(status)
    }

    /// Counts how a call ends.
    async fn observe<T>(&self, call: impl Future<Output = Result<T, Status>>) -> Result<Response<T>, Status> {
        let ended = call.await;
        let word = ended
            .as_ref()
            .err()
            .map_or("accepted", |status| word(status.code()));
        self.0.instruments().request(TRANSPORT, word);
        ended.map(Response::new)
    }
}

/// Lets a call in, of whatever service.
pub fn admit<T>(ingest: &Ingest, request: &Request<T>) -> Result<Passage, Status> {
    authorize(ingest, request)?;
    ingest.enter().map_err(status)
}

fn authorize<T>(ingest: &Ingest, request: &Request<T>) -> Result<(), Status> {
    let headers: &HeaderMap = request.metadata().as_ref();
    ingest.authorize(headers).map_err(status)
}

/// The trace context to hand on.
pub fn trace<T>(request: &Request<T>) -> Option<String> {
    traceparent_of(&tracing::Span::current(), request.metadata().as_ref())
}

/// A refusal as gRPC tells it.
pub fn status(refusal: Refusal) -> Status {
    let code = match refusal {
        Refusal::Unauthorized => Code::Unauthenticated,
        Refusal::Busy(_) => Code::ResourceExhausted,
        Refusal::Unacknowledged | Refusal::QueueFull => Code::Unavailable,
        Refusal::Slow => Code::DeadlineExceeded,
        Refusal::UnknownType(_)
        | Refusal::UnknownEncoding
        | Refusal::TooLarge(_)
        | Refusal::TooMany(_)
        | Refusal::Unreadable(_) => Code::InvalidArgument,
    };
    match refusal.retry_after() {
        None => Status::new(code, refusal.to_string()),
        wait => {
            let details = ErrorDetails::with_retry_info(wait);
            Status::with_error_details(code, refusal.to_string(), details)
        }
    }
}

/// A failure in one word, for the metrics.
pub fn word(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated => "unauthorized",
        Code::ResourceExhausted => "busy",
        Code::Unavailable => "unacknowledged",
        Code::InvalidArgument => "unreadable",
        _ => "failed",
    }
}

fn response(outcomes: Vec<Outcome>) -> PublishResponse {
    let accepted = outcomes.iter().filter(|outcome| outcome.is_accepted()).count();
    PublishResponse {
        accepted_count: count(accepted),
        rejected_count: count(outcomes.len() - accepted),
        results: outcomes.into_iter().map(result).collect(),
    }
}

fn result(outcome: Outcome) -> PublishResult {
    let told = match outcome {
        Outcome::Accepted { event_id } => Told::Accepted(Acceptance { event_id }),
        Outcome::Rejected(it) => Told::Rejected(rejection(it)),
    };
    PublishResult { outcome: Some(told) }
}

fn rejection(rejection: kaizen_decision::Rejection) -> Rejection {
    Rejection {
        reason: rejection.reason.as_str().to_owned(),
        field: rejection.field.to_owned(),
    }
}

fn add(answer: &mut PublishStreamResponse, outcomes: Vec<Outcome>) {
    for outcome in outcomes {
        match outcome {
            Outcome::Accepted { .. } => answer.accepted_count += 1,
            Outcome::Rejected(it) => {
                let index = answer.accepted_count + answer.rejected_count;
                answer.rejected_count += 1;
                if answer.rejected.len() < TOLD {
                    let rejection = Some(rejection(it));
                    answer.rejected.push(RejectedDecision { index, rejection });
                }
            }
        }
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kaizen_decision::{Reason, Rejection};

    #[test]
    fn a_streams_answer_counts_everything_and_tells_the_first_rejections_with_their_place() {
        let bad = || Outcome::Rejected(Rejection::whole(Reason::TooDeep));
        let good = || Outcome::Accepted {
            event_id: "e".to_owned(),
        };
        let mut answer = PublishStreamResponse::default();
        add(&mut answer, vec![good(), bad()]);
        add(&mut answer, (0..2 * TOLD).map(|_| bad()).collect());
        assert_eq!((answer.accepted_count, answer.rejected_count), (1, 2001));
        assert_eq!((answer.rejected.len(), answer.rejected[1].index), (TOLD, 2));
    }

    #[test]
    fn a_refusal_that_passes_says_when_to_try_again() {
        for (refusal, code, retry) in [
            (Refusal::Unauthorized, Code::Unauthenticated, false),
            (Refusal::Busy("requests"), Code::ResourceExhausted, true),
            (Refusal::Unacknowledged, Code::Unavailable, true),
            (Refusal::TooMany(1), Code::InvalidArgument, false),
        ] {
            let status = status(refusal);
            assert_eq!(status.code(), code);
            assert_eq!(status.get_details_retry_info().is_some(), retry, "{refusal:?}");
        }
    }
}
