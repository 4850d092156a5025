use std::collections::VecDeque;
use std::time::Duration;

use kaizen_api::status::invalid_argument;
use kaizen_api::tracker::v1::{WatchTicketsRequest, WatchTicketsResponse};
use kaizen_ledger::Event;
use tokio::sync::watch;
use tonic::Status;
use tonic::codegen::tokio_stream::Stream;

use super::{Tracker, convert, number, refused};

/// How often the ledger is asked for changes that other processes made; those of this one are known at once.
const ASK: Duration = Duration::from_millis(500);
/// Events read at once.
const READ: u32 = 100;

/// One who watches.
struct Watcher {
    tracker: Tracker,
    committed: watch::Receiver<i64>,
    /// Revision of the last event that was read.
    seen: i64,
    /// Only this ticket.
    only: Option<i64>,
    /// Read and not sent yet.
    events: VecDeque<Event>,
}

/// Reads on only when what was read is sent: a caller who is slow costs nothing.
pub async fn answer(
    tracker: Tracker,
    request: WatchTicketsRequest,
) -> Result<impl Stream<Item = Result<WatchTicketsResponse, Status>> + use<>, Status> {
    let only = match request.ticket_id.as_str() {
        "" => None,
        id => Some(number("ticket_id", id)?),
    };
    if let Some(number) = only {
        tracker.ledger().ticket(number).await.map_err(refused)?;
    }
    // Before the revision is asked for: nothing falls in between
    let committed = tracker.ledger().committed();
    let seen = match request.after_event_id.as_str() {
        "" => tracker.ledger().revision().await.map_err(refused)?,
        id => event(id)?,
    };
    let watcher = Watcher {
        tracker,
        committed,
        seen,
        only,
        events: VecDeque::new(),
    };
    Ok(futures::stream::unfold(Some(watcher), async |watcher| {
        let mut watcher = watcher?;
        match watcher.next().await {
            Ok(Some(message)) => Some((Ok(message), Some(watcher))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    }))
}

fn event(id: &str) -> Result<i64, Status> {
    let revision = id.parse().ok().filter(|revision| *revision >= 0);
    revision.ok_or_else(|| invalid_argument("after_event_id", "must be the event_id of an earlier answer"))
}

impl Watcher {
    /// The next message; nothing when the service ends.
    async fn next(&mut self) -> Result<Option<WatchTicketsResponse>, Status> {
        let shutdown = self.tracker.shutdown.clone();
        loop {
            if let Some(event) = self.events.pop_front() {
                return self.message(event).await.map(Some);
            }
            if self.read().await? {
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(None),
                // The sender lives as long as the ledger, which this holds
                _ = self.committed.changed() => {}
                () = tokio::time::sleep(ASK) => {}
            }
        }
    }

    /// Reads what has happened since; whether there was anything.
    async fn read(&mut self) -> Result<bool, Status> {
        self.committed.mark_unchanged();
        let events = self
            .tracker
            .ledger()
            .events(self.seen, READ)
            .await
            .map_err(refused)?;
        let Some(last) = events.last() else {
            return Ok(false);
        };
        self.seen = last.revision;
        let only = self.only;
        self.events.extend(
            events
                .into_iter()
                .filter(|it| only.is_none_or(|only| only == it.number)),
        );
        Ok(true)
    }

    async fn message(&self, event: Event) -> Result<WatchTicketsResponse, Status> {
        let ticket = self
            .tracker
            .ledger()
            .ticket(event.number)
            .await
            .map_err(refused)?;
        Ok(WatchTicketsResponse {
            event: Some(convert::event(event)),
            ticket: Some(convert::ticket(ticket)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use anyhow::{Context, Result, ensure};
    use futures::StreamExt;
    use kaizen_api::tracker::v1::{ImpactVerdict, MeasuredEvent};
    use kaizen_catalogue::Catalogue;
    use kaizen_findings::Costs;
    use kaizen_ledger::{Change, Ledger, NewMeasurement, NewTicket};
    use kaizen_warehouse::{ClickHouseConfig, Client};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::impact::Measurer;

    const CATALOGUE: &str = include_str!("../../../../config/catalogue.yaml");
    /// Longer than any of it takes.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A replica over the ledger in that file. Nothing here asks the warehouse.
    async fn replica(url: &str) -> Result<Tracker> {
        let measurer = Measurer {
            catalogue: Arc::new(Catalogue::parse(CATALOGUE)?),
            client: Client::new(&ClickHouseConfig::default()),
            ledger: Ledger::open(&url.parse().map_err(anyhow::Error::msg)?, "").await?,
            costs: Arc::new(Costs::default()),
        };
        Ok(Tracker::new(measurer, CancellationToken::new()))
    }

    fn ticket() -> NewTicket {
        NewTicket {
            request_id: "one".into(),
            actor: "anna".into(),
            title: "Mend it".into(),
            description: String::new(),
            category: String::new(),
            metric: String::new(),
            rule: String::new(),
            owner: String::new(),
            labels: Vec::new(),
            due_date: None,
            links: Vec::new(),
            evidence: None,
        }
    }

    #[tokio::test]
    async fn a_measurement_is_streamed_once_by_every_replica_however_many_measure() -> Result<()> {
        let folder = tempfile::TempDir::new()?;
        let url = format!("sqlite://{}", folder.path().join("ledger.db").display());
        let replicas = [replica(&url).await?, replica(&url).await?];
        let created = replicas[0].ledger().create(&ticket()).await?;
        let request = WatchTicketsRequest {
            ticket_id: created.id(),
            ..WatchTicketsRequest::default()
        };
        let mut streams = Vec::new();
        for replica in &replicas {
            streams.push(Box::pin(answer(replica.clone(), request.clone()).await?));
        }
        let week = NewMeasurement {
            number: created.number,
            implemented_at: created.created_at,
            day: 7,
            actor: "kaizen".into(),
            content: String::new(),
            verdict: "improved".into(),
            summary: "It rose.".into(),
        };
        let [one, other] = &replicas;
        tokio::try_join!(
            one.ledger().keep_measurement(&week),
            other.ledger().keep_measurement(&week)
        )?;
        let said = Change {
            actor: "anna".into(),
            comment: "the next event".into(),
            ..Change::default()
        };
        one.ledger().change(created.number, None, &said).await?;
        for stream in &mut streams {
            let mut next = async || {
                let message = tokio::time::timeout(PATIENCE, stream.next()).await?;
                message.context("the stream ended")??.event.context("an event")
            };
            let first = next().await?;
            let measured = MeasuredEvent {
                day: 7,
                verdict: ImpactVerdict::Improved.into(),
            };
            assert_eq!(first.measured, Some(measured));
            ensure!(
                first.comment == "It rose." && first.changes.is_empty(),
                "{first:?}"
            );
            let second = next().await?;
            ensure!(
                second.measured.is_none() && second.comment == "the next event",
                "{second:?}"
            );
        }
        Ok(())
    }
}
