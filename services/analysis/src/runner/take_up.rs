//! Goes on with runs whose process is gone.

use std::collections::HashMap;
use std::time::Instant;

use jiff::Timestamp;
use kaizen_warehouse::queries::{self, Analysis, AnalysisState, Beat, QueryError, Standing};

use super::{Runner, later_than};
use crate::stages::STAGES;

/// Since when nothing is heard of the owners of runs, by this process' own clock: clocks of others say nothing here.
#[derive(Debug, Default)]
pub struct Silence(HashMap<String, Heard>);

#[derive(Debug)]
struct Heard {
    attempt: u32,
    beat: Option<Timestamp>,
    first: Instant,
}

impl Silence {
    /// Forgets what was heard: while ClickHouse gave no answer, owners could not be heard either.
    pub fn break_off(&mut self) {
        self.0.clear();
    }

    /// How long the run's owner has been silent.
    fn of(&mut self, analysis_id: &str, attempt: u32, beat: Option<&Beat>) -> std::time::Duration {
        let (beat, now) = (beat.map(|it| it.at), Instant::now());
        let heard = self.0.entry(analysis_id.to_owned()).or_insert(Heard {
            attempt,
            beat,
            first: now,
        });
        if (heard.attempt, heard.beat) != (attempt, beat) {
            *heard = Heard {
                attempt,
                beat,
                first: now,
            };
        }
        now.duration_since(heard.first)
    }
}

impl Runner {
    /// Goes on with the runs whose owner let them go, or of whom nothing was heard for the length of a lease. To be called
    /// again and again.
    ///
    /// # Errors
    /// ClickHouse gives no answer.
    pub async fn take_up(&self, silence: &mut Silence) -> Result<(), QueryError> {
        if self.is_closing() {
            return Ok(());
        }
        let unended = queries::unended(&self.client).await?;
        silence
            .0
            .retain(|id, _| unended.iter().any(|it| it.analysis_id == *id));
        for analysis in unended {
            let mut running = self.running.lock().await;
            if running.contains_key(&analysis.analysis_id) {
                continue;
            }
            let id = &analysis.analysis_id;
            let standing = queries::standing(&self.client, id).await?;
            let (attempt, beat) = match &standing {
                Some(Standing { attempt, beat, .. }) => (*attempt, beat.as_ref()),
                None => (analysis.attempt, None),
            };
            let is_let_go = beat.is_some_and(|it| !it.released.is_empty());
            if !is_let_go && silence.of(id, attempt, beat) < self.terms.lease {
                continue;
            }
            let next = Analysis {
                attempt: attempt + 1,
                code_version: env!("CARGO_PKG_VERSION").to_owned(),
                results_at: Some(later_than(analysis.results_at)),
                ..analysis.clone()
            };
            match self.fate(&next, beat).await? {
                Some(end) => self.end(&end).await?,
                None => {
                    tracing::warn!(analysis_id = id, attempt = next.attempt, "a run is taken up");
                    self.begin(&mut running, next).await?;
                }
            }
        }
        Ok(())
    }

    /// The end of a run that is not to be gone on with.
    async fn fate(&self, next: &Analysis, beat: Option<&Beat>) -> Result<Option<Analysis>, QueryError> {
        let id = &next.analysis_id;
        if let Some(cancellation) = queries::cancellation(&self.client, id, next.first_attempt).await? {
            return Ok(Some(Analysis {
                state: AnalysisState::Cancelled,
                cancellation: Some(cancellation),
                ..next.clone()
            }));
        }
        let used = next.attempt.saturating_sub(next.first_attempt);
        Ok((used >= self.terms.attempts).then(|| Analysis {
            state: AnalysisState::Failed,
            error: format!("given up after {used} attempts: {}", reason(beat)),
            ..next.clone()
        }))
    }

    /// Records an end that no stage comes to.
    async fn end(&self, analysis: &Analysis) -> Result<(), QueryError> {
        if self.claim(analysis).await? {
            let (analysis_id, error) = (&analysis.analysis_id, &analysis.error);
            let state = analysis.state.as_str();
            tracing::error!(analysis_id, state, error, "a run is not taken up");
            self.instruments.ended(state);
        }
        Ok(())
    }
}

/// Why the last attempt ended.
fn reason(beat: Option<&Beat>) -> String {
    match beat {
        Some(Beat {
            stages_done,
            released,
            ..
        }) => {
            let stage = STAGES.get(usize::from(*stages_done)).copied().unwrap_or("record");
            match released.as_str() {
                "" => format!("the last process ended, or lost ClickHouse, during the stage {stage}"),
                why => format!("{why}, during the stage {stage}"),
            }
        }
        None => "the last process ended before the first stage".to_owned(),
    }
}
