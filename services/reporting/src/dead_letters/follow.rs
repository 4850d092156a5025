use std::time::Duration;

use jiff::Timestamp;
use kaizen_warehouse::queries::dead_letter_depth;
use tokio_util::sync::CancellationToken;

use super::DeadLetters;
use crate::instruments::Instruments;

/// How old what the instruments say may be.
const REFRESH: Duration = Duration::from_secs(15);

impl DeadLetters {
    /// Keeps the instruments up to date until `shutdown`. While ClickHouse is away they stay as they are; `/readyz` tells.
    pub async fn follow(self, instruments: Instruments, shutdown: CancellationToken) {
        let mut interval = tokio::time::interval(REFRESH);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(interval.tick()).await.is_some() {
            match dead_letter_depth(&self.client, "", self.kept_since()).await {
                Ok(depth) => instruments.open_dead_letters(&depth, Timestamp::now()),
                Err(error) => tracing::debug!(%error, "the depth of dead letters"),
            }
        }
    }
}
