//! What the tables hold, as it was at most [`AGE`] ago.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{Contents, QueryError, contents};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What was stored or removed longer ago is seen.
pub const AGE: Duration = Duration::from_millis(50);
/// From this age on ClickHouse is asked again, while what it said before still serves: at a steady rate no question waits.
const REFRESHED: Duration = Duration::from_millis(20);

/// Asks ClickHouse, once for all who want to know.
#[derive(Clone)]
pub struct Held {
    client: Client,
    last: Arc<RwLock<Option<Known>>>,
    /// Held by who asks.
    asking: Arc<Mutex<()>>,
}

#[derive(Clone)]
struct Known {
    /// When ClickHouse was asked.
    at: Instant,
    /// `None` where it cannot be told.
    contents: Option<Arc<Contents>>,
}

impl Held {
    /// Nothing is known yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            last: Arc::default(),
            asking: Arc::default(),
        }
    }

    /// What the tables held at most [`AGE`] ago; `None` where that cannot be told.
    ///
    /// # Errors
    /// ClickHouse's.
    pub async fn contents(&self) -> Result<Option<Arc<Contents>>, QueryError> {
        let Some(last) = self.younger_than(AGE) else {
            let turn = self.asking.clone().lock_owned().await;
            return match self.younger_than(AGE) {
                Some(last) => Ok(last.contents),
                None => self.ask(turn).await,
            };
        };
        if last.at.elapsed() >= REFRESHED
            && let Ok(turn) = self.asking.clone().try_lock_owned()
        {
            let held = self.clone();
            tokio::spawn(async move {
                if let Err(error) = held.ask(turn).await {
                    tracing::debug!(%error, "what the tables hold cannot be told; the next question asks itself");
                }
            });
        }
        Ok(last.contents)
    }

    fn younger_than(&self, age: Duration) -> Option<Known> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|it| it.at.elapsed() < age).cloned()
    }

    async fn ask(&self, _turn: OwnedMutexGuard<()>) -> Result<Option<Arc<Contents>>, QueryError> {
        let at = Instant::now();
        let contents = contents(&self.client).await?.map(Arc::new);
        let known = Known {
            at,
            contents: contents.clone(),
        };
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(contents)
    }
}
