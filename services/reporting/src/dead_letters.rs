//! `kaizen.decisions.v1.DeadLetterService`.

mod follow;
mod list;
mod summarize;

use std::time::Duration;

use jiff::Timestamp;
use kaizen_api::decisions::v1::dead_letter_service_server::DeadLetterService;
use kaizen_api::decisions::v1::{
    ListDeadLettersRequest, ListDeadLettersResponse, SummarizeDeadLettersRequest,
    SummarizeDeadLettersResponse,
};
use kaizen_api::status::internal;
use kaizen_api::time::to_wire;
use kaizen_warehouse::Client;
use tonic::{Request, Response, Status};

/// Answers questions about dead letters.
#[derive(Clone)]
pub struct DeadLetters {
    client: Client,
    /// How long the topic of dead letters keeps one.
    retention: Duration,
}

impl DeadLetters {
    /// Over a warehouse; the topic keeps letters for `retention`.
    pub fn new(client: Client, retention: Duration) -> Self {
        Self { client, retention }
    }

    /// What is older has left the topic.
    fn kept_since(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_sub(self.retention).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[tonic::async_trait]
impl DeadLetterService for DeadLetters {
    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        list::answer(self, request.into_inner()).await.map(Response::new)
    }

    async fn summarize_dead_letters(
        &self,
        request: Request<SummarizeDeadLettersRequest>,
    ) -> Result<Response<SummarizeDeadLettersResponse>, Status> {
        summarize::answer(self, request.into_inner())
            .await
            .map(Response::new)
    }
}

/// Kafka's time of a record, as the wire has it.
fn record_time(milliseconds: i64) -> Result<prost_types::Timestamp, Status> {
    let time = Timestamp::from_millisecond(milliseconds).map_err(|_| internal())?;
    Ok(to_wire(time))
}
