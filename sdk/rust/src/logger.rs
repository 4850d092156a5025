//! The handle that callers hold.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, sync_channel};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

use crate::buffer::{Buffer, Pushed};
use crate::builder::{Builder, Clock};
use crate::config_error::ConfigError;
use crate::decision::Decision;
use crate::encode::encode;
use crate::limit;
use crate::recording::Recording;
use crate::stats::{Counters, DropReason, Stats, add};
use crate::worker::{Command, Worker};

/// How much longer than its timeout a shutdown may take to write to disk what Kafka has not acknowledged.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// Whether the logger has the event. Nothing needs to be done about it: drops are counted in [`DecisionLogger::stats`]
/// and warned of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// It will be published.
    Queued,
    /// It will not.
    Dropped(DropReason),
}

/// What callers and the logger's thread share.
pub(crate) struct Shared {
    pub buffer: Buffer,
    pub counters: Counters,
    /// No event is taken any more.
    pub closed: AtomicBool,
    /// The thread has ended, and takes nothing out of the buffer.
    finished: AtomicBool,
}

impl Shared {
    /// Called by the thread as its last deed, however it ended.
    pub(crate) fn finish(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.finished.store(true, Ordering::SeqCst);
        self.drop_left();
    }

    /// Either the thread empties the buffer after a push, or the pusher sees that the thread has finished: no event
    /// stays in the buffer uncounted.
    fn drop_left(&self) {
        while self.buffer.pop().is_some() {
            self.counters.drop(DropReason::Closed, 1);
        }
    }
}

/// Publishes decisions. Cheap to clone; all clones are one logger, and when the last one is dropped it shuts down, which
/// may wait for [`Builder::shutdown_timeout`]. A
/// logger in a `static` is never dropped: call [`DecisionLogger::shutdown`] before the process ends.
#[derive(Clone)]
pub struct DecisionLogger(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    commands: Sender<Command>,
    clock: Clock,
    process: u32,
    shutdown_timeout: Duration,
}

impl fmt::Debug for DecisionLogger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecisionLogger").field(&self.stats()).finish()
    }
}

impl DecisionLogger {
    /// Options, each with a default.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A logger by the environment; see [`Builder::from_env`].
    ///
    /// # Errors
    /// The variable or option that is not allowed, and the rule.
    pub fn from_env() -> Result<Self, ConfigError> {
        Builder::from_env()?.build()
    }

    pub(crate) fn start(builder: Builder) -> Result<Self, ConfigError> {
        let (commands, inbox) = mpsc::channel();
        let shared = Arc::new(Shared {
            buffer: Buffer::new(builder.capacity, builder.buffer_bytes, builder.drop_policy),
            counters: Counters::default(),
            closed: AtomicBool::new(false),
            finished: AtomicBool::new(false),
        });
        Worker::start(&builder, shared.clone(), inbox)?;
        Ok(Self(Arc::new(Handle {
            shared,
            commands,
            clock: builder.clock,
            process: std::process::id(),
            shutdown_timeout: builder.shutdown_timeout,
        })))
    }

    /// Publishes the decision in the background. Takes microseconds, whatever state Kafka and the disk are in; never
    /// waits, never panics.
    pub fn log(&self, decision: Decision) -> Logged {
        let handle = &self.0;
        let counters = &handle.shared.counters;
        add(&counters.logged, 1);
        let refusal = if handle.is_fork() {
            Some(DropReason::Forked)
        } else if handle.shared.closed.load(Ordering::Relaxed) {
            Some(DropReason::Closed)
        } else {
            None
        };
        if let Some(reason) = refusal {
            counters.drop(reason, 1);
            return Logged::Dropped(reason);
        }
        let (now, _) = limit::timestamp(self.now());
        let (event, adjustments) = encode(decision, now);
        if !adjustments.is_empty() {
            add(&counters.adjusted, 1);
        }
        match handle.shared.buffer.push(event) {
            Pushed::Full => {
                counters.drop(DropReason::BufferFull, 1);
                return Logged::Dropped(DropReason::BufferFull);
            }
            Pushed::Kept { evicted: 0 } => {}
            Pushed::Kept { evicted } => counters.drop(DropReason::Evicted, evicted),
        }
        if handle.shared.finished.load(Ordering::SeqCst) {
            handle.shared.drop_left();
            return Logged::Dropped(DropReason::Closed);
        }
        Logged::Queued
    }

    /// Begins a decision whose time is taken from now on and which is logged when it ends, however it ends.
    pub fn decision(
        &self,
        log_type: impl Into<String>,
        session_id: impl Into<String>,
        method_used: impl Into<String>,
    ) -> Recording {
        Recording::begin(self.clone(), Decision::new(log_type, session_id, method_used))
    }

    /// What became of the events so far.
    pub fn stats(&self) -> Stats {
        self.0.shared.counters.read(self.0.shared.buffer.len())
    }

    /// Waits until every event that was logged before is acknowledged by Kafka or dropped, those in the spill folder
    /// included; `false` when `timeout` comes first. May be called from any thread, but not from async code, since it
    /// waits.
    pub fn flush(&self, timeout: Duration) -> bool {
        if self.0.is_fork() {
            return false;
        }
        let (done, answer) = sync_channel(1);
        // A thread that has ended leaves nothing to wait for.
        self.0.commands.send(Command::Flush(done)).is_err() || answer.recv_timeout(timeout) == Ok(())
    }

    /// Takes no more events, waits until Kafka has acknowledged those it took or until `timeout` is over, and spills the
    /// rest. Events on disk are published by the next logger with the same spill folder. Returns what became of all.
    pub fn shutdown(&self, timeout: Duration) -> Stats {
        self.0.shutdown(timeout);
        self.stats()
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0.clock)()
    }
}

impl Handle {
    /// Threads do not survive a fork: the child has the handle but not the thread.
    fn is_fork(&self) -> bool {
        self.process != std::process::id()
    }

    fn shutdown(&self, timeout: Duration) {
        if self.is_fork() {
            return;
        }
        self.shared.closed.store(true, Ordering::SeqCst);
        let (done, answer) = sync_channel(1);
        let deadline = Instant::now().checked_add(timeout);
        if self.commands.send(Command::Shutdown { deadline, done }).is_ok() {
            // It answers or ends by then; if not, waiting longer would not help.
            let _ = answer.recv_timeout(timeout.saturating_add(LAST_WRITES));
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shutdown(self.shutdown_timeout);
    }
}
