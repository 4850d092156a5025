//! How far the tables have come, to tell whether ClickHouse can still know a token. Counted in blocks, not in seconds: no
//! clock is asked, so none can be wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kaizen_warehouse::{Client, WarehouseError, queries};
use tokio_util::sync::CancellationToken;

/// How old the last position may be. Older means lower: the window seems to have moved further than it has.
const REFRESH: Duration = Duration::from_secs(1);

/// The position of the tables. Cheap to clone.
#[derive(Clone)]
pub struct Position {
    client: Client,
    /// Blocks whose tokens are surely remembered: a quarter of what the tables are set to, as ClickHouse 26.5 notes each block under
    /// two identities, and blocks go in meanwhile.
    remembered: u64,
    last_seen: Arc<AtomicU64>,
}

impl Position {
    /// Asks for the position and the tables' settings.
    ///
    /// # Errors
    /// Any [`WarehouseError`].
    pub async fn new(client: Client) -> Result<Self, WarehouseError> {
        let remembered = queries::deduplication_window(&client).await? / 4;
        let last_seen = Arc::new(AtomicU64::new(queries::position(&client).await?));
        Ok(Self {
            client,
            remembered,
            last_seen,
        })
    }

    /// The last position that was seen; the tables may be further.
    pub fn last_seen(&self) -> u64 {
        self.last_seen.load(Ordering::Relaxed)
    }

    /// Whether a token used at or after a position is still remembered. Position 0 stands for one that is not known. One that
    /// the tables have not reached is from before they were emptied by hand: what they remember since cannot be told.
    ///
    /// # Errors
    /// Any [`WarehouseError`].
    pub async fn is_remembered(&self, position: u64) -> Result<bool, WarehouseError> {
        let now = queries::position(&self.client).await?;
        let moved = now.checked_sub(position);
        Ok(position > 0 && moved.is_some_and(|moved| moved <= self.remembered))
    }

    /// Keeps the last position up to date until `shutdown`. While ClickHouse is away it stays as it is.
    pub async fn follow(self, shutdown: CancellationToken) {
        let mut interval = tokio::time::interval(REFRESH);
        while shutdown.run_until_cancelled(interval.tick()).await.is_some() {
            match queries::position(&self.client).await {
                Ok(position) => {
                    self.last_seen.fetch_max(position, Ordering::Relaxed);
                }
                Err(error) => tracing::debug!(%error, "the position of the tables"),
            }
        }
    }
}
