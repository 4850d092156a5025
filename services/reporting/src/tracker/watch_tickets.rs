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
