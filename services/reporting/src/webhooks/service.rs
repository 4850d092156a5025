//! `kaizen.tracker.v1.WebhookService`: who is told, how far, and whether it arrives.

use jiff::Timestamp;
use kaizen_api::status::{internal, invalid_argument, not_found};
use kaizen_api::time::to_wire;
use kaizen_api::tracker::v1::webhook_service_server::WebhookService;
use kaizen_api::tracker::v1::{
    ListWebhooksRequest, ListWebhooksResponse, TestWebhookRequest, TestWebhookResponse, Webhook,
};
use kaizen_ledger::Ledger;
use tonic::{Request, Response, Status};

use super::destination::Destination;
use super::send::{Answer, Sender};
use super::{Destinations, message};
use crate::tracker::refused;

/// Answers for the destinations of the configuration.
pub struct Webhooks {
    ledger: Ledger,
    destinations: Destinations,
    sender: Sender,
}

impl Webhooks {
    /// Of these destinations.
    pub fn new(ledger: Ledger, destinations: Destinations, sender: Sender) -> Self {
        Self {
            ledger,
            destinations,
            sender,
        }
    }

    async fn webhook(&self, destination: &Destination) -> Result<Webhook, Status> {
        let kept = self
            .ledger
            .destination(&destination.name)
            .await
            .map_err(refused)?;
        let kept = kept.ok_or_else(|| not_found("webhook", &destination.name))?;
        let (failed_at, failure) = kept.failure.unzip();
        Ok(Webhook {
            name: destination.name.clone(),
            host: destination.host.clone(),
            states: destination
                .states
                .iter()
                .map(|it| crate::tracker::wire_state(*it).into())
                .collect(),
            categories: destination.categories.clone(),
            pending: kept.pending,
            disabled: kept.disabled,
            deliver_time: kept.delivered_at.map(to_wire),
            failure_time: failed_at.map(to_wire),
            failure: failure.unwrap_or_default(),
        })
    }
}

#[tonic::async_trait]
impl WebhookService for Webhooks {
    async fn list_webhooks(
        &self,
        _request: Request<ListWebhooksRequest>,
    ) -> Result<Response<ListWebhooksResponse>, Status> {
        let mut webhooks = Vec::new();
        for destination in self.destinations.values() {
            webhooks.push(self.webhook(destination).await?);
        }
        Ok(Response::new(ListWebhooksResponse { webhooks }))
    }

    async fn test_webhook(
        &self,
        request: Request<TestWebhookRequest>,
    ) -> Result<Response<TestWebhookResponse>, Status> {
        let name = request.into_inner().name;
        if name.is_empty() {
            return Err(invalid_argument("name", "is required"));
        }
        let destination = self
            .destinations
            .get(&name)
            .ok_or_else(|| not_found("webhook", &name))?;
        let now = Timestamp::now();
        let id = format!("test-{:032x}", rand::random::<u128>());
        let message = message::test(id.clone(), &name, now).map_err(|_| internal())?;
        let failure = match self.sender.send(destination, &message, now).await {
            Answer::Taken => {
                self.ledger
                    .disable_destination(&name, "")
                    .await
                    .map_err(refused)?;
                String::new()
            }
            Answer::Gone(why) => {
                self.ledger
                    .disable_destination(&name, &why)
                    .await
                    .map_err(refused)?;
                why
            }
            Answer::Later(why, _) | Answer::Refused(why) => why,
        };
        Ok(Response::new(TestWebhookResponse {
            message_id: id,
            failure,
            webhook: Some(self.webhook(destination).await?),
        }))
    }
}
