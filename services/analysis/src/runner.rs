//! Runs: each request once, however often it is asked and by however many.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kaizen_catalogue::Catalogue;
use kaizen_findings::{Correction, Costs};
use kaizen_ledger::{Ledger, LedgerError};
use kaizen_service::Progress as Liveness;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, Analysis, AnalysisState, QueryError, Window, put_analysis};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::instruments::Instruments;
use crate::stages::{STAGES, Work};

/// How long runs under way may go on once the service is asked to end, and how long recording that they were cut may
/// take: together less than the whole drain.
const LAST_RUNS: Duration = Duration::from_secs(5);
const LAST_RECORDS: Duration = Duration::from_secs(3);

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

/// Why a run ended without results.
#[derive(Debug, thiserror::Error)]
enum FailedRun {
    /// ClickHouse gave no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The ledger gave no answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Runs under way, by their identity.
type Running = Arc<Mutex<HashMap<String, watch::Receiver<Progress>>>>;

/// Starts runs and lets callers follow them.
#[derive(Clone)]
pub struct Runner {
    catalogue: Arc<Catalogue>,
    client: Client,
    ledger: Ledger,
    costs: Arc<Costs>,
    instruments: Instruments,
    liveness: Liveness,
    running: Running,
    tasks: TaskTracker,
    cancelled: CancellationToken,
}

impl Runner {
    /// Runs over a catalogue and a warehouse; forecasts are corrected as the ledger says, and work costs that much.
    pub fn new(
        catalogue: Arc<Catalogue>,
        client: Client,
        ledger: Ledger,
        costs: Costs,
        instruments: Instruments,
        liveness: Liveness,
    ) -> Self {
        Self {
            catalogue,
            client,
            ledger,
            costs: Arc::new(costs),
            instruments,
            liveness,
            running: Running::default(),
            tasks: TaskTracker::new(),
            cancelled: CancellationToken::new(),
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
        running.insert(id, progress.clone());
        let runner = self.clone();
        // On its own: the run goes on when the caller leaves.
        self.tasks.spawn(async move { runner.execute(&sender).await });
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

    /// Records as failed what a crash left without an end, so that nobody waits for it. It is not run again unasked: a
    /// run that ends the process would end it at every start.
    ///
    /// # Errors
    /// ClickHouse gives no answer.
    pub async fn recover(&self) -> Result<(), QueryError> {
        let running = self.running.lock().await;
        for mut analysis in queries::unended(&self.client).await? {
            if running.contains_key(&analysis.analysis_id) {
                continue;
            }
            tracing::warn!(analysis_id = analysis.analysis_id, "a run was cut short");
            analysis.state = AnalysisState::Failed;
            analysis.error = "the service ended during the run".to_owned();
            put_analysis(&self.client, &analysis, Timestamp::now()).await?;
        }
        Ok(())
    }

    /// After `shutdown`, lets runs under way end for 5 s, then cancels the others and waits up to 3 s until they are
    /// recorded as failed.
    pub async fn drain(&self, shutdown: CancellationToken) {
        shutdown.cancelled().await;
        self.tasks.close();
        if timeout(LAST_RUNS, self.tasks.wait()).await.is_err() {
            tracing::warn!("runs under way are cancelled");
        }
        self.cancelled.cancel();
        if timeout(LAST_RECORDS, self.tasks.wait()).await.is_err() {
            tracing::warn!("cancelled runs could not be recorded; the next start does it");
        }
    }

    async fn execute(&self, progress: &watch::Sender<Progress>) {
        let analysis = progress.borrow().analysis.clone();
        tracing::info!(analysis_id = analysis.analysis_id, period = ?analysis.period, "run begins");
        let mut work = Work {
            catalogue: &self.catalogue,
            client: &self.client,
            costs: &self.costs,
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
        let ran = tokio::select! {
            ran = self.stages(&mut work, progress) => ran.map_err(|error| error.to_string()),
            () = self.cancelled.cancelled() => Err("the service was asked to end".to_owned()),
        };
        let mut analysis = work.analysis;
        (analysis.state, analysis.error) = match ran {
            Ok(()) => (AnalysisState::Succeeded, String::new()),
            Err(error) => (AnalysisState::Failed, error),
        };
        // Only what is recorded counts as ended well.
        if let Err(error) = put_analysis(&self.client, &analysis, Timestamp::now()).await {
            analysis.state = AnalysisState::Failed;
            analysis.error = format!("it could not be recorded: {error}");
        }
        let (analysis_id, error) = (&analysis.analysis_id, &analysis.error);
        match analysis.state {
            AnalysisState::Failed => tracing::error!(analysis_id, error, "run failed"),
            _ => tracing::info!(analysis_id, "run succeeded"),
        }
        self.instruments.ended(analysis.state.as_str());
        self.forget(&analysis.analysis_id).await;
        progress.send_modify(|progress| progress.analysis = analysis);
    }

    /// Before its end is told: who asks again after a failure gets a new run.
    async fn forget(&self, analysis_id: &str) {
        let mut running = self.running.lock().await;
        running.remove(analysis_id);
        if running.is_empty() {
            self.liveness.idle();
        }
    }

    async fn stages(&self, work: &mut Work<'_>, progress: &watch::Sender<Progress>) -> Result<(), FailedRun> {
        work.corrections = self.corrections().await?;
        for (index, stage) in STAGES.into_iter().enumerate() {
            self.liveness.mark();
            let began = Instant::now();
            work.stage(index).await?;
            self.instruments.stage(stage, began.elapsed());
            progress.send_modify(|progress| progress.stages_done = index + 1);
        }
        Ok(())
    }

    /// How forecasts are corrected, by rule: what is active when the run begins.
    async fn corrections(&self) -> Result<BTreeMap<String, Correction>, LedgerError> {
        let active = self.ledger.active_corrections().await?;
        let of_rule = |it: kaizen_ledger::Correction| {
            let correction = Correction {
                correction_id: it.id(),
                factor: it.learned.factor,
                widening: it.learned.widening,
            };
            (it.rule, correction)
        };
        Ok(active.into_iter().map(of_rule).collect())
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
