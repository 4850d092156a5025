//! Runs: each request once, however often it is asked and by however many.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use kaizen_catalogue::Catalogue;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, Analysis, AnalysisState, QueryError, Window, put_analysis};
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use crate::instruments::Instruments;
use crate::stages::{STAGES, Work};

/// What is to be analysed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The caller's identity of the request.
    pub request_id: String,
    /// The period.
    pub period: Window,
    /// The period before.
    pub previous: Window,
    /// IANA time zone.
    pub time_zone: String,
}

impl Order {
    /// The identity of the run: the same for the same request.
    pub fn analysis_id(&self) -> String {
        Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("kaizen:analysis:{}", self.request_id).as_bytes(),
        )
        .to_string()
    }

    fn is_of(&self, analysis: &Analysis) -> bool {
        (self.period, self.previous, &self.time_zone)
            == (analysis.period, analysis.previous, &analysis.time_zone)
    }
}

/// How far a run is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The run as it stands.
    pub analysis: Analysis,
    /// Stages that are done.
    pub stages_done: usize,
}

impl Progress {
    /// Whether the run has ended.
    pub fn has_ended(&self) -> bool {
        self.analysis.state != AnalysisState::Running
    }
}

/// Why a run cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The request's id was used for another period or zone.
    #[error("request {0:?} asked for another period or time zone")]
    Taken(String),
    /// ClickHouse gave no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Runs under way, by their identity.
type Running = Arc<Mutex<HashMap<String, watch::Receiver<Progress>>>>;

/// Starts runs and lets callers follow them.
#[derive(Clone)]
pub struct Runner {
    catalogue: Arc<Catalogue>,
    client: Client,
    instruments: Instruments,
    running: Running,
}

impl Runner {
    /// Runs over a catalogue and a warehouse.
    pub fn new(catalogue: Arc<Catalogue>, client: Client, instruments: Instruments) -> Self {
        Self {
            catalogue,
            client,
            instruments,
            running: Running::default(),
        }
    }

    /// Follows the run of an order: the one that ended, the one under way, or a new one.
    ///
    /// # Errors
    /// The order's request was another one, or ClickHouse gives no answer.
    pub async fn run(&self, order: Order) -> Result<watch::Receiver<Progress>, RunError> {
        let id = order.analysis_id();
        let mut running = self.running.lock().await;
        if let Some(progress) = running.get(&id) {
            return match order.is_of(&progress.borrow().analysis) {
                true => Ok(progress.clone()),
                false => Err(RunError::Taken(order.request_id)),
            };
        }
        let recorded = queries::analysis(&self.client, &id).await?;
        let created_at = match recorded {
            Some(recorded) if !order.is_of(&recorded) => return Err(RunError::Taken(order.request_id)),
            Some(recorded) if recorded.state == AnalysisState::Succeeded => {
                return Ok(watch::channel(Progress {
                    analysis: recorded,
                    stages_done: STAGES.len(),
                })
                .1);
            }
            // It failed, or the process that ran it is gone: it is run again as the same analysis.
            Some(recorded) => recorded.created_at,
            None => now(),
        };
        let analysis = begun(order, created_at);
        put_analysis(&self.client, &analysis, Timestamp::now())
            .await
            .map_err(QueryError::from)?;
        let (sender, progress) = watch::channel(Progress {
            analysis,
            stages_done: 0,
        });
        running.insert(id.clone(), progress.clone());
        let runner = self.clone();
        // On its own: the run goes on when the caller leaves.
        tokio::spawn(async move {
            runner.execute(&sender).await;
            runner.running.lock().await.remove(&id);
        });
        Ok(progress)
    }

    /// Follows a run by its identity; `None` when there is none.
    ///
    /// # Errors
    /// ClickHouse gives no answer.
    pub async fn follow(&self, analysis_id: &str) -> Result<Option<watch::Receiver<Progress>>, QueryError> {
        if let Some(progress) = self.running.lock().await.get(analysis_id) {
            return Ok(Some(progress.clone()));
        }
        let recorded = queries::analysis(&self.client, analysis_id).await?;
        Ok(recorded.map(|analysis| {
            let stages_done = if analysis.state == AnalysisState::Succeeded {
                STAGES.len()
            } else {
                0
            };
            watch::channel(Progress {
                analysis,
                stages_done,
            })
            .1
        }))
    }

    async fn execute(&self, progress: &watch::Sender<Progress>) {
        let analysis = progress.borrow().analysis.clone();
        tracing::info!(analysis_id = analysis.analysis_id, period = ?analysis.period, "run begins");
        let (client, catalogue) = (&self.client, self.catalogue.as_ref());
        let mut work = Work {
            catalogue,
            client,
            analysis,
            measured: vec![],
            points: vec![],
            trends: vec![],
        };
        let ran = self.stages(&mut work, progress).await;
        let mut analysis = work.analysis;
        (analysis.state, analysis.error) = match &ran {
            Ok(()) => (AnalysisState::Succeeded, String::new()),
            Err(error) => (AnalysisState::Failed, error.to_string()),
        };
        // Only what is recorded counts as ended well.
        if let Err(error) = put_analysis(client, &analysis, Timestamp::now()).await {
            (analysis.state, analysis.error) = (
                AnalysisState::Failed,
                format!("it could not be recorded: {error}"),
            );
        }
        tracing::info!(
            analysis_id = analysis.analysis_id,
            state = analysis.state.as_str(),
            error = analysis.error,
            "run ended"
        );
        self.instruments.ended(analysis.state.as_str());
        progress.send_modify(|progress| progress.analysis = analysis);
    }

    async fn stages(
        &self,
        work: &mut Work<'_>,
        progress: &watch::Sender<Progress>,
    ) -> Result<(), QueryError> {
        for (index, stage) in STAGES.into_iter().enumerate() {
            let began = Instant::now();
            work.stage(index).await?;
            self.instruments.stage(stage, began.elapsed());
            progress.send_modify(|progress| progress.stages_done = index + 1);
        }
        Ok(())
    }
}

fn begun(order: Order, created_at: Timestamp) -> Analysis {
    Analysis {
        analysis_id: order.analysis_id(),
        request_id: order.request_id,
        period: order.period,
        previous: order.previous,
        time_zone: order.time_zone,
        state: AnalysisState::Running,
        created_at,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        error: String::new(),
        decisions: 0,
        rejections: 0,
    }
}

/// To the millisecond, as it is recorded.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
