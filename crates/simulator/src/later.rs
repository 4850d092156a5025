//! What became of a session later, and the ledger of changes, as they are written.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use serde_json::{Value, json};

use crate::decimal::Decimal;
use crate::event::Event;
use crate::process::deal::Dealt;
use crate::process::fill::log_normal;
use crate::scenario::{Change, Outcome};

const HOUR_MILLISECONDS: f64 = 3_600_000.0;
/// Longest time after a decision, in hours: ten years.
const LONGEST: f64 = 87_660.0;

/// A decision that something may become of.
pub(crate) struct Decided {
    pub dealt: Dealt,
    pub timestamp: Timestamp,
    pub event_id: String,
    pub session_id: String,
}

/// An outcome of a decision.
pub(crate) struct Happened<'a> {
    pub of: &'a Outcome,
    pub timestamp: Timestamp,
    pub value: Option<Decimal>,
}

/// Draws what becomes of a session by its last decision of a kind.
pub(crate) fn draw<'a>(
    outcomes: &'a [Outcome],
    decided: Timestamp,
    draws: &mut ChaCha12Rng,
) -> Vec<Happened<'a>> {
    let mut happened = Vec::new();
    for of in outcomes {
        if draws.random_bool(of.probability) {
            let hours = log_normal(of.hours, draws).min(LONGEST);
            let after = SignedDuration::from_millis((hours * HOUR_MILLISECONDS) as i64);
            happened.push(Happened {
                of,
                timestamp: decided + after,
                value: of
                    .value
                    .map(|value| Decimal::round(log_normal(value, draws), 2, 0)),
            });
        }
    }
    happened
}

impl Happened<'_> {
    /// The event of what happened after a decision.
    pub(crate) fn write(&self, decision: &Decided) -> Event {
        let event_id = format!("{}-{}", decision.event_id, self.of.name);
        let mut event = json!({
            "event_id": event_id, "session_id": decision.session_id, "outcome": self.of.name,
            "timestamp": self.timestamp.to_string(), "value": self.value.map(Decimal::value),
            "currency": self.of.currency,
        });
        without_nulls(&mut event);
        Event {
            key: decision.session_id.clone(),
            event_id,
            timestamp: self.timestamp,
            value: event.to_string().into_bytes(),
        }
    }
}

/// The entry of the ledger.
pub(crate) fn write_change(change: &Change, event_id: String) -> Event {
    let mut event = json!({
        "event_id": event_id, "kind": change.kind, "component": change.component, "version": change.version,
        "at": change.at.to_string(), "link": change.link,
    });
    without_nulls(&mut event);
    Event {
        key: change.component.clone(),
        event_id,
        timestamp: change.at,
        value: event.to_string().into_bytes(),
    }
}

fn without_nulls(event: &mut Value) {
    if let Some(members) = event.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
}

/// The last decision of each component in the session that goes on.
#[derive(Default)]
pub(crate) struct Session(BTreeMap<u16, Decided>);

impl Session {
    /// A decision of the session that something may become of.
    pub(crate) fn decided(&mut self, decision: Decided) {
        self.0.insert(decision.dealt.component, decision);
    }

    /// The session is over.
    pub(crate) fn end(&mut self) -> impl Iterator<Item = Decided> + use<> {
        std::mem::take(&mut self.0).into_values()
    }
}
