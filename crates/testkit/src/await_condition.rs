use std::time::{Duration, Instant};

use anyhow::{Context, Result};

const PAUSE: Duration = Duration::from_millis(20);

/// Tries `check` until it succeeds, and returns what it gave.
///
/// # Errors
/// The last error of `check`, once `deadline` has passed.
pub async fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut check: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        match check().await {
            Ok(value) => return Ok(value),
            Err(error) if started.elapsed() > deadline => {
                return Err(error).with_context(|| format!("{what}: not within {deadline:?}"));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
