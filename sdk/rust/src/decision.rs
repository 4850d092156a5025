//! A decision, built by the caller.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::adjustment::{Adjustment, Reason};
use crate::limit;
use crate::trace::is_traceparent;

/// A three-step scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// High.
    High,
    /// Medium.
    Medium,
    /// Low.
    Low,
}

impl Level {
    /// The level as events write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// One decision of an AI system. Whatever is put in, an event comes out that keeps the contract's rules: a string that
/// is too long is cut, a value that cannot be is left out, and [`Decision::adjustments`] says so. Two things only the
/// collector knows, and it rejects the event for them: a `log_type` that the catalogue has not, and a timestamp more than
/// 30 days ago or 10 minutes ahead.
#[derive(Debug, Clone, Default)]
#[must_use = "a decision is published by DecisionLogger::log"]
pub struct Decision {
    pub(crate) log_type: String,
    pub(crate) session_id: String,
    pub(crate) method_used: String,
    pub(crate) event_id: Option<String>,
    pub(crate) timestamp: Option<jiff::Timestamp>,
    pub(crate) lead: [Option<String>; 3],
    pub(crate) input: Option<Vec<u8>>,
    pub(crate) output: Option<Vec<u8>>,
    pub(crate) confidence: Option<Level>,
    pub(crate) processing_time: Option<f64>,
    pub(crate) failed: bool,
    pub(crate) quality_score: Option<f64>,
    pub(crate) success_indicator: Option<bool>,
    pub(crate) improvement_potential: Option<Level>,
    pub(crate) allocation: Option<Allocation>,
    pub(crate) traceparent: Option<String>,
    pub(crate) error_kind: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) adjustments: Vec<Adjustment>,
}

/// A randomised choice.
#[derive(Debug, Clone)]
pub(crate) struct Allocation {
    pub experiment: String,
    pub arm: String,
    pub probability: Option<f64>,
}

impl Decision {
    /// A successful decision of the kind `log_type` (1 to 128 characters, known to the catalogue), in a session (1 to
    /// 128 characters; an empty one becomes a session of its own), by a method (1 to 128 characters; an empty one becomes
    /// `unknown`).
    pub fn new(
        log_type: impl Into<String>,
        session_id: impl Into<String>,
        method_used: impl Into<String>,
    ) -> Self {
        let mut decision = Self::default();
        decision.log_type = decision.required(log_type.into(), "/log_type");
        decision.session_id = decision.required(session_id.into(), "/session_id");
        decision.method_used = decision.required(method_used.into(), "/decision_reasoning/method_used");
        if decision.method_used.is_empty() {
            "unknown".clone_into(&mut decision.method_used);
        }
        decision
    }

    /// Identity of the event, by which the collector recognises one that was published twice; a new UUID v7 unless given.
    /// One longer than 64 characters becomes a UUID derived from it, always the same.
    pub fn event_id(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.event_id = if id.chars().nth(64).is_some() {
            self.adjust("/event_id", Reason::OutOfRange);
            Some(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, id.as_bytes()).to_string())
        } else {
            Some(id).filter(|id| !id.is_empty())
        };
        self
    }

    /// When the decision was made; otherwise when it is logged, or when its recording began. Kept to the millisecond.
    pub fn timestamp(mut self, time: SystemTime) -> Self {
        let (timestamp, reason) = limit::timestamp(time);
        self.note("/timestamp", reason);
        self.timestamp = Some(timestamp);
        self
    }

    /// Name of the person it is about: personal data, dropped or pseudonymised on arrival. At most 256 characters.
    pub fn lead_name(mut self, name: impl Into<String>) -> Self {
        self.lead[0] = Some(self.text(name.into(), 256, "/lead_identifier/name"));
        self
    }

    /// Company it is about, at most 256 characters.
    pub fn lead_company(mut self, company: impl Into<String>) -> Self {
        self.lead[1] = Some(self.text(company.into(), 256, "/lead_identifier/company"));
        self
    }

    /// Industry of that company, at most 256 characters.
    pub fn lead_industry(mut self, industry: impl Into<String>) -> Self {
        self.lead[2] = Some(self.text(industry.into(), 256, "/lead_identifier/industry"));
        self
    }

    /// What it was made from: a JSON object of at most 256 KiB and 32 levels, written here and now. Anything else than an
    /// object stands in one under the name `value`.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Self {
        let (object, reason) = limit::object(input);
        self.note("/input_data", reason);
        self.input = object;
        self
    }

    /// What was decided, by the same rules as [`Decision::input`].
    pub fn output(mut self, output: &(impl Serialize + ?Sized)) -> Self {
        let (object, reason) = limit::object(output);
        self.note("/output_data", reason);
        self.output = object;
        self
    }

    /// How sure the system was.
    pub const fn confidence(mut self, confidence: Level) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// How long it took, below 10¹⁰ seconds.
    pub fn processing_time(mut self, time: Duration) -> Self {
        self.processing_time = self.number(limit::seconds(time), "/decision_reasoning/processing_time");
        self
    }

    /// Whether it was carried out without failure; true unless said otherwise.
    pub const fn success(mut self, success: bool) -> Self {
        self.failed = !success;
        self
    }

    /// Kind of the failure, at most 128 characters, as `error_kind` of the output: the name by which the catalogue counts
    /// kinds of errors. Does not say by itself that the decision failed.
    pub fn error_kind(mut self, kind: impl Into<String>) -> Self {
        self.error_kind = Some(self.text(kind.into(), 128, "/output_data/error_kind"));
        self
    }

    /// What an error said, at most 1,024 characters, as `error_message` of the output. Nothing else records messages:
    /// they may hold personal data.
    pub fn error_message(mut self, message: impl Into<String>) -> Self {
        self.error_message = Some(self.text(message.into(), 1024, "/output_data/error_message"));
        self
    }

    /// Quality of the output, 0 to 100.
    pub fn quality_score(mut self, score: f64) -> Self {
        self.quality_score = self.number(
            limit::within(score, 0.0..=100.0),
            "/training_labels/quality_score",
        );
        self
    }

    /// Whether it led to what it was for, for example an approval.
    pub const fn success_indicator(mut self, met: bool) -> Self {
        self.success_indicator = Some(met);
        self
    }

    /// How much better it could have been.
    pub const fn improvement_potential(mut self, potential: Level) -> Self {
        self.improvement_potential = Some(potential);
        self
    }

    /// The randomised choice that led to it: the experiment (at most 128 characters), the arm that was chosen (at most
    /// 64), and the probability with which it was, 0 to 1.
    pub fn allocation(
        mut self,
        experiment: impl Into<String>,
        arm: impl Into<String>,
        probability: f64,
    ) -> Self {
        self.allocation = Some(Allocation {
            experiment: self.text(experiment.into(), 128, "/allocation/experiment"),
            arm: self.text(arm.into(), 64, "/allocation/arm"),
            probability: self.number(limit::within(probability, 0.0..=1.0), "/allocation/probability"),
        });
        self
    }

    /// The W3C `traceparent` of the work it belongs to. With the feature `otel` that of the current span is the default.
    pub fn traceparent(mut self, traceparent: impl Into<String>) -> Self {
        let traceparent = traceparent.into();
        if is_traceparent(&traceparent) {
            self.traceparent = Some(traceparent);
        } else {
            self.adjust("traceparent", Reason::TraceparentInvalid);
        }
        self
    }

    /// What was cut or left out so far; empty for most.
    pub fn adjustments(&self) -> &[Adjustment] {
        &self.adjustments
    }

    /// What says which decision it is, without what it is about.
    pub(crate) fn bare(&self) -> Self {
        Self {
            log_type: self.log_type.clone(),
            session_id: self.session_id.clone(),
            method_used: self.method_used.clone(),
            event_id: self.event_id.clone(),
            timestamp: self.timestamp,
            traceparent: self.traceparent.clone(),
            ..Self::default()
        }
    }

    pub(crate) fn adjust(&mut self, field: &'static str, reason: Reason) {
        let adjustment = Adjustment { field, reason };
        if !self.adjustments.contains(&adjustment) {
            self.adjustments.push(adjustment);
        }
    }

    fn note(&mut self, field: &'static str, reason: Option<Reason>) {
        if let Some(reason) = reason {
            self.adjust(field, reason);
        }
    }

    fn text(&mut self, mut text: String, characters: usize, field: &'static str) -> String {
        let reason = limit::cut(&mut text, characters);
        self.note(field, reason);
        text
    }

    fn required(&mut self, text: String, field: &'static str) -> String {
        if text.is_empty() {
            self.adjust(field, Reason::MissingField);
        }
        self.text(text, 128, field)
    }

    fn number(&mut self, number: Result<f64, Reason>, field: &'static str) -> Option<f64> {
        self.note(field, number.err());
        number.ok()
    }
}
