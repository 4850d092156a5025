//! Signs of life of an attempt, and what its owner hears meanwhile.

use std::sync::Arc;
use std::time::Duration;

use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, Cancellation, QueryError};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::task::AbortOnDropHandle;

use super::execute::beat;
use super::{Progress, Runner};

/// Signs of life in the length of a lease.
const BEATS: u32 = 5;
/// Longest until the owner hears that its run was cancelled at another process.
const LONGEST_BEAT: Duration = Duration::from_secs(2);

/// What ends an attempt from outside.
pub(super) enum Told {
    /// Somebody cancelled the run.
    Cancelled(Cancellation),
    /// Another process has it.
    Taken,
}

impl Runner {
    /// Gives signs of life until there is something to tell; looks at once when it is asked to. On a task of its own: a stage
    /// that computes for long holds up its own task.
    pub(super) async fn keep(&self, progress: &watch::Sender<Progress>, look: Arc<Notify>) -> Told {
        let every = (self.terms.lease / BEATS).min(LONGEST_BEAT);
        let listening = listen(self.client.clone(), progress.subscribe(), every, look);
        match AbortOnDropHandle::new(tokio::spawn(listening)).await {
            Ok(told) => told,
            // Only the end of the process ends it otherwise.
            Err(_) => std::future::pending().await,
        }
    }
}

async fn listen(
    client: Client,
    progress: watch::Receiver<Progress>,
    every: Duration,
    look: Arc<Notify>,
) -> Told {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = look.notified() => {}
        }
        let now = progress.borrow().clone();
        match hear(&client, &now).await {
            Ok(Some(told)) => return told,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a sign of life of a run could not be given"),
        }
    }
}

async fn hear(client: &Client, progress: &Progress) -> Result<Option<Told>, QueryError> {
    let (analysis, stages_done) = (&progress.analysis, progress.stages_done);
    let (id, attempt) = (&analysis.analysis_id, analysis.attempt);
    let standing = queries::standing(client, id).await?;
    if standing.is_some_and(|it| it.attempt > attempt) {
        return Ok(Some(Told::Taken));
    }
    let cancelled = queries::cancellation(client, id, analysis.first_attempt).await?;
    if let Some(cancellation) = cancelled {
        return Ok(Some(Told::Cancelled(cancellation)));
    }
    queries::put_beat(client, id, attempt, &beat(stages_done, String::new())).await?;
    Ok(None)
}
