//! A decision while it is being made.

use std::any::type_name;
use std::time::Instant;

use serde::Serialize;

use crate::decision::{Decision, Level};
use crate::logger::{DecisionLogger, Logged};
use crate::trace;

/// The error of a decision that a panic ended.
const PANIC: &str = "panic";
/// The error of a decision that was left without a word: an early return, or a future dropped before its end.
const UNFINISHED: &str = "unfinished";

/// A decision whose time is being taken. It is logged exactly once: by [`Recording::succeed`], by [`Recording::fail`] or
/// [`Recording::fail_with`], or, dropped without any of them, as a failure of the kind `panic` or `unfinished`.
#[derive(Debug)]
#[must_use = "dropped at once, it is logged as unfinished"]
pub struct Recording {
    logger: DecisionLogger,
    /// `None` once it is logged.
    decision: Option<Decision>,
    began: Instant,
    /// It began while a panic was under way, which then says nothing about it.
    amid_panic: bool,
}

impl Recording {
    pub(crate) fn begin(logger: DecisionLogger, mut decision: Decision) -> Self {
        if decision.timestamp.is_none() {
            decision = decision.timestamp(logger.now());
        }
        decision.traceparent = decision.traceparent.or_else(trace::current);
        Self {
            logger,
            decision: Some(decision),
            began: Instant::now(),
            amid_panic: std::thread::panicking(),
        }
    }

    /// Changes any field of the decision.
    pub fn set(&mut self, change: impl FnOnce(Decision) -> Decision) -> &mut Self {
        if let Some(decision) = self.decision.take() {
            // Should the change panic, what it was given is gone, and the decision is still logged.
            self.decision = Some(decision.bare());
            self.decision = Some(change(decision));
        }
        self
    }

    /// What it is made from; see [`Decision::input`].
    pub fn input(&mut self, input: &(impl Serialize + ?Sized)) -> &mut Self {
        self.decision = self.decision.take().map(|decision| decision.input(input));
        self
    }

    /// What is decided; see [`Decision::output`].
    pub fn output(&mut self, output: &(impl Serialize + ?Sized)) -> &mut Self {
        self.decision = self.decision.take().map(|decision| decision.output(output));
        self
    }

    /// How sure the system is.
    pub fn confidence(&mut self, confidence: Level) -> &mut Self {
        self.decision = self
            .decision
            .take()
            .map(|decision| decision.confidence(confidence));
        self
    }

    /// Logs it as carried out.
    pub fn succeed(mut self) -> Logged {
        self.end(None)
    }

    /// Logs it as failed, by an error of that kind.
    pub fn fail(mut self, error_kind: impl Into<String>) -> Logged {
        self.end(Some(error_kind.into()))
    }

    /// Logs it as failed by an error, of which the name of its type is recorded and nothing else: its message may hold
    /// personal data. [`Decision::error_message`] records that too.
    pub fn fail_with<E: ?Sized>(self, _error: &E) -> Logged {
        self.fail(type_name::<E>())
    }

    /// Logs it by a result.
    pub fn finish<T, E>(self, result: &Result<T, E>) -> Logged {
        match result {
            Ok(_) => self.succeed(),
            Err(error) => self.fail_with(error),
        }
    }

    /// Logs nothing.
    pub fn discard(mut self) {
        self.decision = None;
    }

    fn end(&mut self, error_kind: Option<String>) -> Logged {
        let Some(mut decision) = self.decision.take() else {
            return Logged::Queued;
        };
        if decision.processing_time.is_none() {
            decision = decision.processing_time(self.began.elapsed());
        }
        decision = decision.success(error_kind.is_none());
        if let Some(kind) = error_kind.filter(|_| decision.error_kind.is_none()) {
            decision = decision.error_kind(kind);
        }
        self.logger.log(decision)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if self.decision.is_some() {
            let panicked = std::thread::panicking() && !self.amid_panic;
            self.end(Some(if panicked { PANIC } else { UNFINISHED }.to_owned()));
        }
    }
}

impl DecisionLogger {
    /// Does the work and logs the decision: its time, and success or the type of the error. The work may fill in the
    /// decision by the recording it is given.
    ///
    /// # Errors
    /// Those of the work.
    pub fn record<T, E>(
        &self,
        decision: Decision,
        work: impl FnOnce(&mut Recording) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut recording = Recording::begin(self.clone(), decision);
        let result = work(&mut recording);
        recording.finish(&result);
        result
    }

    /// The same for asynchronous work, in any runtime. If the future is dropped before its end, the decision is logged as
    /// failed by `unfinished`.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn record_async<T, E>(
        &self,
        decision: Decision,
        work: impl AsyncFnOnce(&mut Recording) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut recording = Recording::begin(self.clone(), decision);
        let result = work(&mut recording).await;
        recording.finish(&result);
        result
    }
}
