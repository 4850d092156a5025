//! Runs: each request once, however often it is asked, by however many, and however many processes it takes.
//!
//! ```text
//! ask ─► claim an attempt ─► execute it, with signs of life ─► record its end
//!             ▲                    └─ its process dies: nobody hears of it for the length of a lease ─► take up: the next attempt
//! ```
//!
//! An attempt begins with the first stage: the stages read, only the last one writes, and all of them take seconds, less than
//! what they find would take to store and read back. `created_at` is the first attempt's, so that the same inputs give the same
//! bytes whichever attempt ends.

mod execute;
mod follow;
mod keep;
mod take_up;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kaizen_catalogue::Catalogue;
use kaizen_findings::{Correction, Costs};
use kaizen_ledger::{Ledger, LedgerError};
use kaizen_service::Progress as Liveness;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{self, Analysis, AnalysisState, Cancellation, QueryError, Window};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use self::take_up::Silence;
use crate::instruments::Instruments;
use crate::stages::STAGES;

/// How long runs under way may go on once the service is asked to end, and how long handing them over may take: together less
/// than the whole drain.
const LAST_RUNS: Duration = Duration::from_secs(5);
const LAST_RECORDS: Duration = Duration::from_secs(3);
/// How long whoever cancels a run waits for its end.
const LONGEST_CANCELLATION: Duration = Duration::from_secs(10);

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
        analysis_id(&self.request_id)
    }

    fn is_of(&self, analysis: &Analysis) -> bool {
        (self.period, self.previous, &self.time_zone)
            == (analysis.period, analysis.previous, &analysis.time_zone)
    }
}

/// The identity of the run that a request asks for.
pub fn analysis_id(request_id: &str) -> String {
    Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("kaizen:analysis:{request_id}").as_bytes(),
    )
    .to_string()
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

    /// Of a run that is on record.
    fn recorded(analysis: Analysis) -> Self {
        let stages_done = match analysis.state {
            AnalysisState::Succeeded => STAGES.len(),
            _ => 0,
        };
        Self {
            analysis,
            stages_done,
        }
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

/// What runs have in common.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What work costs.
    pub costs: Costs,
    /// How long nothing is heard of the owner of a run before it is taken for dead.
    pub lease: Duration,
    /// How many attempts a run has before it is given up.
    pub attempts: u32,
}

/// A run under way in this process.
struct UnderWay {
    progress: watch::Receiver<Progress>,
    /// Somebody may have cancelled it.
    look: Arc<Notify>,
}

/// Runs under way, by their identity.
type Running = HashMap<String, UnderWay>;

/// Starts runs and lets callers follow them.
#[derive(Clone)]
pub struct Runner {
    catalogue: Arc<Catalogue>,
    client: Client,
    ledger: Ledger,
    terms: Arc<Terms>,
    /// Identity of this process.
    owner: Arc<str>,
    instruments: Instruments,
    liveness: Liveness,
    running: Arc<Mutex<Running>>,
    tasks: TaskTracker,
    /// The service is asked to end.
    closing: CancellationToken,
    /// Runs under way have had their time after that.
    closed: CancellationToken,
}

impl Runner {
    /// Runs over a catalogue and a warehouse, on these terms; forecasts are corrected as the ledger says.
    pub fn new(
        catalogue: Arc<Catalogue>,
        client: Client,
        ledger: Ledger,
        terms: Terms,
        instruments: Instruments,
        liveness: Liveness,
    ) -> Self {
        Self {
            catalogue,
            client,
            ledger,
            terms: Arc::new(terms),
            owner: Uuid::new_v4().to_string().into(),
            instruments,
            liveness,
            running: Arc::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            closed: CancellationToken::new(),
        }
    }

    /// Follows the run of an order: the one that ended well, the one under way here or elsewhere, or a new attempt.
    ///
    /// # Errors
    /// The order's request was another one, or ClickHouse gives no answer.
    pub async fn run(&self, order: Order) -> Result<watch::Receiver<Progress>, RunError> {
        let id = order.analysis_id();
        let mut running = self.running.lock().await;
        if let Some(here) = running.get(&id) {
            return match order.is_of(&here.progress.borrow().analysis) {
                true => Ok(here.progress.clone()),
                false => Err(RunError::Taken(order.request_id)),
            };
        }
        let recorded = queries::analysis(&self.client, &id).await?;
        match &recorded {
            Some(recorded) if !order.is_of(recorded) => return Err(RunError::Taken(order.request_id)),
            Some(recorded) if recorded.state == AnalysisState::Succeeded => {
                return Ok(watch::channel(Progress::recorded(recorded.clone())).1);
            }
            Some(recorded) if recorded.state == AnalysisState::Running => {
                return Ok(self.follow_elsewhere(recorded.clone()));
            }
            // It failed or was cancelled, and is run again as the same analysis; or there is none.
            _ => {}
        }
        let claimed = queries::standing(&self.client, &id).await?;
        let before = recorded.as_ref().map_or(0, |it| it.attempt);
        let attempt = claimed.map_or(before, |it| it.attempt.max(before)) + 1;
        let analysis = Analysis {
            first_attempt: attempt,
            ..begun(order, recorded.as_ref(), attempt)
        };
        match self.begin(&mut running, analysis.clone()).await? {
            Some(progress) => Ok(progress),
            None => Ok(self.follow_elsewhere(analysis)),
        }
    }

    /// Follows a run by its identity; `None` when there is none. What is followed may end before the run does, when its process
    /// lets it go: followed again, it is the next attempt.
    ///
    /// # Errors
    /// ClickHouse gives no answer.
    pub async fn follow(&self, analysis_id: &str) -> Result<Option<watch::Receiver<Progress>>, QueryError> {
        if let Some(here) = self.running.lock().await.get(analysis_id) {
            return Ok(Some(here.progress.clone()));
        }
        let recorded = queries::analysis(&self.client, analysis_id).await?;
        Ok(recorded.map(|analysis| match analysis.state {
            AnalysisState::Running => self.follow_elsewhere(analysis),
            _ => watch::channel(Progress::recorded(analysis)).1,
        }))
    }

    /// The run as it ended; `None` when there is none, or when this process ends before it.
    ///
    /// # Errors
    /// ClickHouse gives no answer.
    pub async fn end_of(
        &self,
        analysis_id: &str,
        mut progress: watch::Receiver<Progress>,
    ) -> Result<Option<Analysis>, QueryError> {
        loop {
            if let Ok(ended) = progress.wait_for(Progress::has_ended).await {
                return Ok(Some(ended.analysis.clone()));
            }
            if self.is_closing() {
                return Ok(None);
            }
            match self.follow(analysis_id).await? {
                Some(next) => progress = next,
                None => return Ok(None),
            }
        }
    }

    /// Cancels a run, and waits for its end, 10 s at most. Of a run that has ended it changes nothing.
    ///
    /// # Errors
    /// ClickHouse gives no answer.
    pub async fn cancel(
        &self,
        analysis_id: &str,
        cancellation: &Cancellation,
    ) -> Result<Option<Analysis>, QueryError> {
        let Some(recorded) = queries::analysis(&self.client, analysis_id).await? else {
            return Ok(None);
        };
        if recorded.state != AnalysisState::Running {
            return Ok(Some(recorded));
        }
        // Who asked first has the say: who it was and why does not change.
        let asked = queries::cancellation(&self.client, analysis_id, recorded.first_attempt).await?;
        if asked.is_none() {
            queries::put_cancellation(&self.client, analysis_id, recorded.attempt, cancellation).await?;
        }
        if let Some(here) = self.running.lock().await.get(analysis_id) {
            here.look.notify_one();
        }
        let Some(progress) = self.follow(analysis_id).await? else {
            return Ok(Some(recorded));
        };
        match timeout(LONGEST_CANCELLATION, self.end_of(analysis_id, progress)).await {
            Ok(ended) => Ok(ended?.or(Some(recorded))),
            Err(_) => queries::analysis(&self.client, analysis_id).await,
        }
    }

    /// Whether the service is asked to end.
    pub fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// After `shutdown`, lets runs under way end for 5 s, then lets go of the others: another process, or the next start, goes on
    /// with them.
    pub async fn drain(&self, shutdown: CancellationToken) {
        shutdown.cancelled().await;
        self.closing.cancel();
        self.tasks.close();
        if timeout(LAST_RUNS, self.tasks.wait()).await.is_err() {
            tracing::warn!("runs under way are handed over");
        }
        self.closed.cancel();
        if timeout(LAST_RECORDS, self.tasks.wait()).await.is_err() {
            tracing::warn!("runs could not be handed over; they are taken up when nothing is heard of them");
        }
    }

    /// Claims an attempt and begins it; `None` when another process has it.
    async fn begin(
        &self,
        running: &mut Running,
        analysis: Analysis,
    ) -> Result<Option<watch::Receiver<Progress>>, QueryError> {
        if !self.claim(&analysis).await? {
            return Ok(None);
        }
        let (id, look) = (analysis.analysis_id.clone(), Arc::new(Notify::new()));
        let (sender, progress) = watch::channel(Progress {
            analysis,
            stages_done: 0,
        });
        let under_way = UnderWay {
            progress: progress.clone(),
            look: look.clone(),
        };
        running.insert(id, under_way);
        let runner = self.clone();
        // On its own: the run goes on when the caller leaves.
        self.tasks
            .spawn(async move { runner.execute(sender, look).await });
        Ok(Some(progress))
    }

    /// Claims an attempt and records it; whether this process has it.
    async fn claim(&self, analysis: &Analysis) -> Result<bool, QueryError> {
        let now = Timestamp::now();
        let (id, attempt) = (&analysis.analysis_id, analysis.attempt);
        Ok(queries::claim(&self.client, id, attempt, &self.owner, now).await?
            && queries::put_attempt(&self.client, analysis, now).await?)
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

/// A new attempt at the run of an order.
fn begun(order: Order, recorded: Option<&Analysis>, attempt: u32) -> Analysis {
    Analysis {
        analysis_id: order.analysis_id(),
        request_id: order.request_id,
        period: order.period,
        previous: order.previous,
        time_zone: order.time_zone,
        state: AnalysisState::Running,
        created_at: recorded.map_or_else(now, |it| it.created_at),
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        error: String::new(),
        decisions: 0,
        rejections: 0,
        attempt,
        first_attempt: recorded.map_or(attempt, |it| it.first_attempt),
        results_at: Some(later_than(recorded.and_then(|it| it.results_at))),
        cancellation: None,
    }
}

/// Now, or right after the attempt before, should the clock of its process be ahead.
fn later_than(before: Option<Timestamp>) -> Timestamp {
    let next = before.and_then(|it| it.checked_add(SignedDuration::from_millis(1)).ok());
    next.map_or_else(now, |next| now().max(next))
}

/// To the millisecond, as it is recorded.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
