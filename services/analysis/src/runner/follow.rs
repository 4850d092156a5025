//! Follows runs of other processes, by what is on record.

use std::time::Duration;

use kaizen_warehouse::queries::{self, Analysis, AnalysisState, QueryError};
use tokio::sync::watch;

use super::{Progress, Runner};

/// How often the record is looked at.
const LOOK: Duration = Duration::from_millis(500);

impl Runner {
    /// Follows this attempt at a run, and those after it, until the run or this service ends, or nobody follows any more.
    pub(super) fn follow_elsewhere(&self, analysis: Analysis) -> watch::Receiver<Progress> {
        let (sender, progress) = watch::channel(Progress {
            analysis,
            stages_done: 0,
        });
        let runner = self.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK);
            loop {
                tokio::select! {
                    () = sender.closed() => return,
                    () = runner.closing.cancelled() => return,
                    _ = ticks.tick() => {}
                }
                match runner.look(&sender).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    // It may go on meanwhile, and is told when ClickHouse answers again.
                    Err(error) => tracing::warn!(%error, "a run of another process cannot be followed"),
                }
            }
        });
        progress
    }

    /// Tells how far the run is; whether it has ended.
    async fn look(&self, sender: &watch::Sender<Progress>) -> Result<bool, QueryError> {
        let known = sender.borrow().clone();
        let id = &known.analysis.analysis_id;
        let Some(recorded) = queries::analysis(&self.client, id).await? else {
            return Ok(false);
        };
        // What is recorded of an earlier attempt is not the end of this one.
        if recorded.attempt < known.analysis.attempt {
            return Ok(false);
        }
        let mut next = Progress::recorded(recorded);
        if next.analysis.state == AnalysisState::Running {
            let standing = queries::standing(&self.client, id).await?;
            let of_it = standing.filter(|it| it.attempt == next.analysis.attempt);
            let beat = of_it.and_then(|it| it.beat);
            next.stages_done = beat.map_or(0, |it| it.stages_done.into());
        }
        let ended = next.has_ended();
        sender.send_if_modified(|progress| {
            let is_new = (progress.stages_done, &progress.analysis) != (next.stages_done, &next.analysis);
            *progress = next;
            is_new
        });
        Ok(ended)
    }
}
