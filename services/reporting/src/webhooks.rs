//! Tells others of tickets over HTTP: each transition a message, signed as Standard Webhooks 1.0.0 says
//! (<https://www.standardwebhooks.com>).
//!
//! ```text
//! ledger's audit ─► deliveries, filed in the ledger ─► [message] ─► [sign] ─► [send] ─► the ledger knows that it is told
//!                   (at most 1,000 a destination)                              └─► tried again later, left out, or disabled
//! ```
//!
//! A message is told at least once, under an identity that stays the same; those of a ticket in their order. A process that is
//! killed leaves what it did not tell filed. Of several processes one tells a destination, by a lease.

mod deliver;
mod destination;
mod message;
mod send;
mod service;
mod sign;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use futures::future::join_all;
use kaizen_ledger::Ledger;
use tokio_util::sync::CancellationToken;

use crate::config::WebhooksConfig;
use crate::instruments::Instruments;
use deliver::Deliverer;
pub use destination::Destination;
use send::Sender;
pub use service::Webhooks;

/// Destinations by their names.
type Destinations = Arc<BTreeMap<String, Destination>>;

/// What tells, and what answers for it over gRPC.
///
/// # Errors
/// The ledger's, or a destination cannot be reached by the means of this machine.
pub async fn build(
    ledger: &Ledger,
    config: &WebhooksConfig,
    instruments: &Instruments,
) -> anyhow::Result<(Outbox, Webhooks)> {
    let mut destinations = BTreeMap::new();
    for (name, section) in &config.destinations {
        let read = Destination::read(name, section);
        let destination =
            read.map_err(|wrong| anyhow::anyhow!("webhooks.destinations.{name}.{} {}", wrong.0, wrong.1))?;
        ledger.enlist_destination(name, section.url.reveal()).await?;
        destinations.insert(name.clone(), destination);
    }
    let is_secure = destinations.values().any(Destination::is_secure);
    let sender = Sender::new(is_secure, config.timeout.get()).context("webhooks")?;
    let destinations = Arc::new(destinations);
    let outbox = Outbox {
        deliverers: (destinations.values())
            .map(|destination| Deliverer::new(ledger, config, destination.clone(), &sender, instruments))
            .collect(),
    };
    Ok((outbox, Webhooks::new(ledger.clone(), destinations, sender)))
}

/// Tells every destination, each for itself.
pub struct Outbox {
    deliverers: Vec<Deliverer>,
}

impl Outbox {
    /// Tells until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        join_all(self.deliverers.into_iter().map(|it| it.run(shutdown.clone()))).await;
    }
}
