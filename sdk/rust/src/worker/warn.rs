//! What the operator has to know, said seldom.

use std::time::{Duration, Instant};

use crate::stats::{Counters, DropReason, Stats};

/// Between two warnings.
const INTERVAL: Duration = Duration::from_secs(10);

/// Remembers what was said last.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    last: Option<Instant>,
    said: Stats,
}

impl Warnings {
    /// Warns of what was dropped, adjusted or found damaged since the last time; in the logger's thread, so that no caller
    /// waits for a subscriber.
    pub(super) fn report(&mut self, counters: &Counters) {
        if self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        let now = counters.read(0);
        let mut has_said = false;
        for reason in DropReason::ALL {
            let events = now.dropped(*reason) - self.said.dropped(*reason);
            if events > 0 {
                has_said = true;
                tracing::warn!(reason = reason.as_str(), events, "decisions were dropped");
            }
        }
        let (adjusted, torn) = (now.adjusted - self.said.adjusted, now.torn - self.said.torn);
        if adjusted > 0 {
            has_said = true;
            tracing::warn!(
                events = adjusted,
                "decisions broke the contract: something was cut or left out"
            );
        }
        if torn > 0 {
            has_said = true;
            tracing::warn!(places = torn, "damaged places of spill files were skipped");
        }
        if has_said {
            self.last = Some(Instant::now());
            self.said = now;
        }
    }
}
