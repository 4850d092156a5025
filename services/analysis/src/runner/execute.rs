//! One attempt at a run, from its first stage to its end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use kaizen_warehouse::WarehouseError;
use kaizen_warehouse::queries::{self, Analysis, AnalysisState, Beat, QueryError};
use tokio::sync::{Notify, watch};

use super::keep::Told;
use super::{FailedRun, Progress, Runner};
use crate::stages::{STAGES, Work};

/// How an attempt ended.
enum Ended {
    /// The run has ended, and its record says so.
    Run(Box<Analysis>),
    /// The run has not: another attempt goes on with it. Why; empty when another process has it already.
    Attempt(String),
}

impl Runner {
    pub(super) async fn execute(&self, progress: watch::Sender<Progress>, look: Arc<Notify>) {
        let analysis = progress.borrow().analysis.clone();
        let (analysis_id, attempt) = (analysis.analysis_id.clone(), analysis.attempt);
        tracing::info!(analysis_id, attempt, period = ?analysis.period, "run begins");
        let mut work = Work {
            catalogue: &self.catalogue,
            client: self.client.clone(),
            costs: &self.terms.costs,
            corrections: BTreeMap::new(),
            analysis,
            volumes: vec![],
            histories: vec![],
            points: vec![],
            trends: vec![],
            explanations: vec![],
            groups: HashMap::new(),
            findings: vec![],
            recommendations: vec![],
        };
        let ended = tokio::select! {
            ran = self.stages(&mut work, &progress) => self.after(ran, work.analysis).await,
            told = self.keep(&progress, look) => self.told(told, &progress).await,
            () = self.closed.cancelled() => Ended::Attempt("the service was asked to end".to_owned()),
        };
        match ended {
            Ended::Run(analysis) => {
                let (state, error) = (analysis.state.as_str(), &analysis.error);
                match analysis.state {
                    AnalysisState::Failed => tracing::error!(analysis_id, attempt, error, "run failed"),
                    _ => tracing::info!(analysis_id, attempt, state, "run ended"),
                }
                self.instruments.ended(state);
                self.forget(&analysis_id).await;
                progress.send_modify(|progress| progress.analysis = *analysis);
            }
            Ended::Attempt(why) => {
                tracing::warn!(analysis_id, attempt, why, "the attempt ends before the run");
                self.instruments.ended("interrupted");
                self.release(&progress, why).await;
                self.forget(&analysis_id).await;
            }
        }
    }

    async fn stages(&self, work: &mut Work<'_>, progress: &watch::Sender<Progress>) -> Result<(), FailedRun> {
        let (id, attempt) = (work.analysis.analysis_id.clone(), work.analysis.attempt);
        work.corrections = self.corrections().await?;
        for (index, stage) in STAGES.into_iter().enumerate() {
            self.liveness.mark();
            let began = Instant::now();
            // ClickHouse's log of queries tells what asked for each.
            work.client = self
                .client
                .commented(&format!("analysis {id} attempt {attempt} stage {stage}"));
            let beat = beat(index, String::new());
            let told = queries::put_beat(&work.client, &id, attempt, &beat).await;
            told.map_err(QueryError::from)?;
            work.stage(index).await?;
            self.instruments.stage(stage, began.elapsed());
            progress.send_modify(|progress| progress.stages_done = index + 1);
        }
        Ok(())
    }

    /// Records the end of the stages. Only what is recorded counts as ended.
    async fn after(&self, ran: Result<(), FailedRun>, mut analysis: Analysis) -> Ended {
        match ran {
            Ok(()) => analysis.state = AnalysisState::Succeeded,
            Err(error) if is_passing(&error) => return Ended::Attempt(error.to_string()),
            Err(error) => {
                analysis.state = AnalysisState::Failed;
                analysis.error = error.to_string();
            }
        }
        self.record(analysis).await
    }

    async fn told(&self, told: Told, progress: &watch::Sender<Progress>) -> Ended {
        match told {
            Told::Taken => Ended::Attempt(String::new()),
            Told::Cancelled(cancellation) => {
                let analysis = progress.borrow().analysis.clone();
                self.record(Analysis {
                    state: AnalysisState::Cancelled,
                    cancellation: Some(cancellation),
                    ..analysis
                })
                .await
            }
        }
    }

    async fn record(&self, analysis: Analysis) -> Ended {
        match queries::put_attempt(&self.client, &analysis, Timestamp::now()).await {
            Ok(true) => Ended::Run(Box::new(analysis)),
            Ok(false) => Ended::Attempt(String::new()),
            Err(error) => Ended::Attempt(format!("its end could not be recorded: {error}")),
        }
    }

    /// Lets another process have the run at once. Who cannot say so is found out by silence.
    async fn release(&self, progress: &watch::Sender<Progress>, why: String) {
        let Progress {
            analysis,
            stages_done,
        } = progress.borrow().clone();
        if why.is_empty() {
            return;
        }
        let beat = beat(stages_done, why);
        let told = queries::put_beat(&self.client, &analysis.analysis_id, analysis.attempt, &beat).await;
        if let Err(error) = told {
            tracing::warn!(%error, "that a run is let go could not be recorded");
        }
    }

    /// Before its end is told: who asks again gets another attempt.
    async fn forget(&self, analysis_id: &str) {
        let mut running = self.running.lock().await;
        running.remove(analysis_id);
        if running.is_empty() {
            self.liveness.idle();
        }
    }
}

pub(super) fn beat(stages_done: usize, released: String) -> Beat {
    Beat {
        at: Timestamp::now(),
        stages_done: u8::try_from(stages_done).unwrap_or(u8::MAX),
        released,
    }
}

/// Whether ClickHouse or the ledger could not answer now, rather than that the question has no answer.
const fn is_passing(error: &FailedRun) -> bool {
    matches!(
        error,
        FailedRun::Ledger(_)
            | FailedRun::Query(QueryError::Warehouse(
                WarehouseError::Unreachable(_) | WarehouseError::TimedOut
            ))
    )
}
