use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kaizen_api::status::chain;
use kaizen_ledger::{Delivery, Event, Ledger, LedgerError, State, Ticket};
use tokio_util::sync::CancellationToken;

use super::destination::Destination;
use super::message::{self, Message};
use super::send::{Answer, Sender};
use crate::config::WebhooksConfig;
use crate::impact::{Unreadable, kept};
use crate::instruments::{Instruments, Told};

/// How often the ledger is asked for what other processes did; what this one does is known at once.
const ASK: Duration = Duration::from_secs(2);
/// How long a message that is under way when the service ends may take.
const LAST: Duration = Duration::from_secs(6);
/// How long to wait before what failed in the ledger is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// Longest wait between two tries of a message, and the longest that a destination may ask for.
const LONGEST: Duration = Duration::from_secs(3_600);
/// A destination is another process's once its holder was silent for so long beyond twice the longest answer.
const LEASE: Duration = Duration::from_secs(2);

/// Tells one destination.
pub struct Deliverer {
    ledger: Ledger,
    destination: Destination,
    sender: Sender,
    instruments: Instruments,
    /// This process, among those that may tell.
    holder: String,
    lease: SignedDuration,
    /// Until when it may.
    held_until: Timestamp,
    give_up_after: Duration,
    dashboard: String,
}

/// Why a destination was not told.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("a message has no form in JSON")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Measurement(#[from] Unreadable),
    #[error("a time that is none")]
    Time(#[from] jiff::Error),
}

impl Deliverer {
    /// Tells a destination as configured.
    pub fn new(
        ledger: &Ledger,
        config: &WebhooksConfig,
        destination: Destination,
        sender: &Sender,
        instruments: &Instruments,
    ) -> Self {
        Self {
            ledger: ledger.clone(),
            destination,
            sender: sender.clone(),
            instruments: instruments.clone(),
            holder: format!("{:016x}", rand::random::<u64>()),
            held_until: Timestamp::UNIX_EPOCH,
            lease: SignedDuration::try_from(config.timeout.get() * 2 + LEASE).unwrap_or(SignedDuration::MAX),
            give_up_after: config.give_up_after.get(),
            dashboard: config.dashboard.clone(),
        }
    }

    /// Tells until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut committed = self.ledger.committed();
        while !shutdown.is_cancelled() {
            committed.mark_unchanged();
            let pause = match self.tell(&shutdown).await {
                Ok(pause) => pause,
                Err(error) => {
                    let destination = &self.destination.name;
                    tracing::warn!(
                        destination,
                        error = chain(&error),
                        "a destination was not told yet"
                    );
                    AGAIN
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
                // The sender lives as long as the ledger, which this holds
                _ = committed.changed(), if pause != AGAIN => {}
            }
        }
        if let Err(error) = self
            .ledger
            .release_destination(&self.destination.name, &self.holder)
            .await
        {
            tracing::warn!(error = chain(&error), "a destination stays leased for a while");
        }
    }

    /// Tells everything that is due. Returns how long until there may be more.
    async fn tell(&mut self, shutdown: &CancellationToken) -> Result<Duration, Untold> {
        let name = &self.destination.name.clone();
        loop {
            let Some(state) = self.ledger.destination(name).await? else {
                return Ok(ASK);
            };
            self.instruments
                .webhook_state(name, state.pending, !state.disabled.is_empty());
            if !self.holds().await? {
                return Ok(ASK);
            }
            if !state.disabled.is_empty() || shutdown.is_cancelled() {
                return Ok(ASK);
            }
            let may_be_more = self
                .ledger
                .file_deliveries(name, |event| self.destination.wants(event))
                .await?;
            let now = Timestamp::now();
            match self.ledger.due_delivery(name, now).await? {
                Some(delivery) => tokio::select! {
                    kept = self.deliver(&delivery, state.delivered_at, now) => kept?,
                    // Whether it arrived is not known: it is told again
                    () = late(shutdown) => return Ok(ASK),
                },
                None if may_be_more => {}
                None => {
                    let next = self.ledger.next_delivery_at(name).await?;
                    let wait = next.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
                    return Ok(wait.unwrap_or(ASK).min(ASK));
                }
            }
        }
    }

    /// Takes the lease, or keeps it, so that at least a half is left: more than a message takes.
    async fn holds(&mut self) -> Result<bool, Untold> {
        let now = Timestamp::now();
        if self.held_until.duration_since(now) > self.lease / 2 {
            return Ok(true);
        }
        let until = now.checked_add(self.lease)?;
        let name = &self.destination.name;
        let holds = self.ledger.lease_destination(name, &self.holder, until).await?;
        if holds {
            self.held_until = until;
        }
        Ok(holds)
    }

    /// Tells of one event, and keeps what came of it.
    async fn deliver(
        &self,
        delivery: &Delivery,
        delivered_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Untold> {
        let (ledger, name) = (&self.ledger, &self.destination.name);
        let Some(message) = self.message(delivery).await? else {
            return Ok(ledger.withdraw_delivery(name, delivery).await?);
        };
        let answer = self.sender.send(&self.destination, &message, now).await;
        match answer {
            Answer::Taken => {
                ledger.delivered(name, delivery).await?;
                self.instruments.webhook_told(name, Told::Taken);
            }
            Answer::Refused(why) => {
                tracing::error!(
                    destination = name,
                    id = message.id,
                    why,
                    "a message is refused: it is left out"
                );
                ledger.leave_delivery_out(name, delivery, &why).await?;
                self.instruments.webhook_told(name, Told::LeftOut);
            }
            Answer::Gone(why) => self.disable(&why).await?,
            Answer::Later(why, wait) => self.later(delivery, delivered_at, &message, &why, wait).await?,
        }
        Ok(())
    }

    /// Tries again later, unless it was tried for long enough: then either the message is at fault, as others were taken
    /// meanwhile, or the destination is.
    async fn later(
        &self,
        delivery: &Delivery,
        delivered_at: Option<Timestamp>,
        message: &Message,
        why: &str,
        wait: Duration,
    ) -> Result<(), Untold> {
        let (ledger, name, now) = (&self.ledger, &self.destination.name, Timestamp::now());
        self.instruments.webhook_told(name, Told::Failed);
        let since = delivery.failing_since.unwrap_or(now);
        let tried = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        if tried < self.give_up_after {
            tracing::warn!(
                destination = name,
                id = message.id,
                why,
                failures = delivery.failures + 1,
                "a message failed"
            );
            let wait = pause(delivery.failures).max(wait.min(LONGEST));
            let until = now.checked_add(SignedDuration::try_from(wait)?)?;
            return Ok(ledger.defer_delivery(name, delivery, until, why).await?);
        }
        if delivered_at.is_some_and(|at| at > since) {
            tracing::error!(
                destination = name,
                id = message.id,
                why,
                "a message is given up: it is left out"
            );
            ledger.leave_delivery_out(name, delivery, why).await?;
            self.instruments.webhook_told(name, Told::LeftOut);
            return Ok(());
        }
        self.disable(&format!("failing since {since}: {why}")).await
    }

    async fn disable(&self, why: &str) -> Result<(), Untold> {
        let name = &self.destination.name;
        tracing::error!(
            destination = name,
            why,
            "a destination is told nothing more until it is tested or moved"
        );
        self.instruments.webhook_told(name, Told::Failed);
        Ok(self.ledger.disable_destination(name, why).await?)
    }

    /// What is to be said; `None` where it is nothing for this destination.
    async fn message(&self, delivery: &Delivery) -> Result<Option<Message>, Untold> {
        let Some(event) = self.ledger.event(delivery.revision).await? else {
            return Ok(None);
        };
        let ticket = self.ledger.ticket(event.number).await?;
        if !self.destination.wants(&event) || !self.destination.wants_of(&ticket) {
            return Ok(None);
        }
        if event.measured.is_some() {
            let Some(found) = self.ledger.measurement(event.revision).await? else {
                return Ok(None);
            };
            let message = message::measured(&event, &ticket, &kept(&found)?, &self.dashboard)?;
            return Ok(Some(message));
        }
        let measured = self.measured(&event, &ticket).await?;
        let message = message::transition(&event, &ticket, measured.as_ref(), &self.dashboard)?;
        Ok(Some(message))
    }

    /// The measurement that a verdict rests on: the last one before it.
    async fn measured(
        &self,
        event: &Event,
        ticket: &Ticket,
    ) -> Result<Option<kaizen_api::tracker::v1::Measurement>, Untold> {
        let verdicts = [
            State::Verified,
            State::NoEffect,
            State::Worse,
            State::Inconclusive,
        ];
        let is_verdict = (event.changes.iter())
            .any(|it| it.field == "state" && verdicts.iter().any(|verdict| verdict.as_str() == it.after));
        let Some(change) = ticket.implementation.as_ref().filter(|_| is_verdict) else {
            return Ok(None);
        };
        let all = self.ledger.measurements(ticket.number, change.at).await?;
        let last = all.iter().rfind(|it| it.revision < event.revision);
        Ok(last.map(kept).transpose()?)
    }
}

/// Ends when a message has had the time it gets after `shutdown`.
async fn late(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(LAST).await;
}

/// The wait after so many failures: from a second to an hour, doubled each time, the half of it by chance (M. Brooker,
/// "Exponential Backoff And Jitter", 2015).
fn pause(failures: u32) -> Duration {
    let most = Duration::from_secs(1)
        .saturating_mul(1 << failures.min(12))
        .min(LONGEST);
    rand::random_range(most / 2..=most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        for failures in 0..40 {
            let most = Duration::from_secs(1 << failures.min(12)).min(LONGEST);
            let wait = pause(failures);
            assert!(wait >= most / 2 && wait <= most, "{failures}: {wait:?}");
        }
    }
}
