//! Tells the change ledger (`kaizen.changes`) of tickets that are implemented, by way of the collector.
//!
//! The ledger's events are the queue: each is read in order, told, and only then counted as told. While the collector or Kafka
//! is away, telling waits; a ticket is implemented all the same. An entry may be told twice after a crash: its identity is
//! derived from the event, so the collector drops the second.

mod entry;

use std::time::Duration;

use anyhow::Context;
use kaizen_ledger::{Event, Ledger, LedgerError};
use reqwest::{Client, StatusCode};
use tokio_util::sync::CancellationToken;

use crate::config::ChangesConfig;
use entry::entry;

/// The name under which the ledger keeps how far was told.
const NAME: &str = "changes";
/// How often the ledger is asked for changes of other processes; those of this one are known at once.
const ASK: Duration = Duration::from_secs(2);
/// How long to wait before what failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long an answer of the collector is waited for.
const ANSWER: Duration = Duration::from_secs(20);
/// Events read at once.
const READ: u32 = 100;

/// Tells of tickets that are implemented.
pub struct Changes {
    ledger: Ledger,
    http: Client,
    url: String,
    token: String,
}

/// Why an entry was not told.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the collector gave no answer")]
    Unreachable(#[from] reqwest::Error),
    #[error("the collector answered {0}: {1}")]
    Refused(StatusCode, String),
}

impl Changes {
    /// To the collector of the configuration; `None` when there is none.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(ledger: Ledger, config: &ChangesConfig) -> anyhow::Result<Option<Self>> {
        if config.url.is_empty() {
            return Ok(None);
        }
        let http = Client::builder().timeout(ANSWER).build().context("changes")?;
        Ok(Some(Self {
            ledger,
            http,
            url: config.url.clone(),
            token: config.token.reveal().to_owned(),
        }))
    }

    /// Tells until `shutdown`.
    pub async fn tell(self, shutdown: CancellationToken) {
        let mut committed = self.ledger.committed();
        while !shutdown.is_cancelled() {
            committed.mark_unchanged();
            let pause = match self.tell_all().await {
                Ok(()) => ASK,
                Err(error) => {
                    tracing::warn!(
                        error = kaizen_api::status::chain(&error),
                        "a change was not told yet"
                    );
                    AGAIN
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                // The sender lives as long as the ledger, which this holds
                _ = committed.changed(), if pause == ASK => {}
            }
        }
    }

    /// Tells everything that was not told yet.
    async fn tell_all(&self) -> Result<(), Untold> {
        loop {
            let told = self.ledger.position(NAME).await?.unwrap_or_default();
            let events = self.ledger.events(told, READ).await?;
            let Some(last) = events.last().map(|it| it.revision) else {
                return Ok(());
            };
            for event in events {
                if self.tell_one(&event).await? {
                    self.ledger.set_position(NAME, event.revision).await?;
                }
            }
            self.ledger.set_position(NAME, last).await?;
        }
    }

    /// Tells of one event; whether there was anything to tell.
    async fn tell_one(&self, event: &Event) -> Result<bool, Untold> {
        let is_implemented =
            (event.changes.iter()).any(|it| it.field == "state" && it.after == "implemented");
        if !is_implemented {
            return Ok(false);
        }
        let ticket = self.ledger.ticket(event.number).await?;
        let mut request = self.http.post(&self.url).json(&entry(event, &ticket));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let response = request.send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(true);
        }
        let said = response.text().await?;
        if status == StatusCode::UNPROCESSABLE_ENTITY || status == StatusCode::BAD_REQUEST {
            // Sent again it would be refused again, and hold up what comes after
            tracing::error!(ticket = ticket.id(), %status, said, "the collector takes no such change: it is left out");
            return Ok(true);
        }
        Err(Untold::Refused(status, said))
    }
}
